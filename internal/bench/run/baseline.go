package main

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the same driver as the store's, bare
)

// window is how long one rate is measured.
const window = 2 * time.Second

// baselines are what this machine can do without us.
func baselines(b *bench) ([]figure, error) {
	body := eventText(1, false)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
		w.Write(body)
	})}
	go srv.Serve(l)
	defer srv.Close()
	b.base.httpPerSecond, _, err = rate(8, func(client *http.Client, _, _ int) error {
		return discard(client.Get("http://" + l.Addr().String() + "/"))
	})
	if err != nil {
		return nil, err
	}
	if b.base.commitsPerSecond, err = bareCommits(filepath.Join(b.dir, "bare.db")); err != nil {
		return nil, err
	}
	if b.base.fdatasync, err = bareSync(filepath.Join(b.dir, "bare.log")); err != nil {
		return nil, err
	}
	return []figure{
		{"bare net/http handler, 8 clients", b.base.httpPerSecond, "/s", ""},
		{"bare SQLite, one durable insert a commit", b.base.commitsPerSecond, "/s", ""},
		{"fdatasync of one page", b.base.fdatasync, "ms", ""},
	}, nil
}

func bareCommits(file string) (float64, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("create table t (id integer primary key, body blob)"); err != nil {
		return 0, err
	}
	body, n, start := eventText(1, false), 0, time.Now()
	for time.Since(start) < window {
		if _, err := db.Exec("insert into t (body) values (?)", body); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

func bareSync(file string) (float64, error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	page, n, start := make([]byte, 4096), 0, time.Now()
	for time.Since(start) < window/2 {
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		n++
	}
	return ms(time.Since(start)) / float64(n), nil
}

// rate runs work from several clients, each on one connection of its own, for
// the window and returns operations a second and every latency. n counts up
// over all clients.
func rate(clients int, work func(c *http.Client, client, n int) error) (float64, []time.Duration, error) {
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		first error
	)
	start := time.Now()
	for i := range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			var mine []time.Duration
			for time.Since(start) < window {
				t := time.Now()
				if err := work(client, i, int(next.Add(1))); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					break
				}
				mine = append(mine, time.Since(t))
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return float64(len(all)) / time.Since(start).Seconds(), all, first
}

func discard(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %.200s", resp.Status, text)
	}
	return err
}
