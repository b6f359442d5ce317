package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the same driver as the store's, bare
)

// bare is a net/http server in a process of its own that answers every request
// with the same octets and header: what any handler in Go can reach here.
type bare struct{ service }

// canned is its answer.
type canned struct {
	Status int
	Header http.Header
	Body   []byte
}

// serveBare is the process. A request for /canned sets the answer.
func serveBare(addr string) {
	var answer atomic.Pointer[canned]
	answer.Store(&canned{Status: 200})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/canned" {
			var c canned
			if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
				http.Error(w, err.Error(), 400)
				return
			}
			answer.Store(&c)
			return
		}
		io.Copy(io.Discard, r.Body)
		c := answer.Load()
		for k, v := range c.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(c.Status)
		w.Write(c.Body)
	}))
}

func startBare(ctx context.Context) (*bare, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &bare{service{login: plainLogin, cmd: exec.CommandContext(ctx, self, "bare", "127.0.0.1:0")}}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	s.url = "http://" + strings.TrimSpace(addr)
	return s, err
}

// imitate makes it answer as another server answers a request.
func (s *bare) imitate(c *client, a asked) error {
	resp, err := c.send(a)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Header.Del("Date")
	return s.answer(canned{resp.StatusCode, resp.Header, body})
}

func (s *bare) answer(c canned) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	me := newClient(&s.service, "nobody")
	defer me.close()
	return me.drop(asked{method: "POST", path: "/canned", body: text})
}

// baselines are what this machine can do without us.
func baselines(b *bench) ([]figure, error) {
	if b.peer != "" {
		return nil, nil
	}
	err := b.bare.answer(canned{200, http.Header{"Content-Type": {"text/calendar; charset=utf-8"}}, eventText(1, false)})
	if err != nil {
		return nil, err
	}
	http8, err := b.rates(&b.bare.service, 8, "nobody", func(c *client, _ int) error { return c.drop(asked{method: "GET", path: "/"}) })
	if err != nil {
		return nil, err
	}
	b.base.httpPerSecond = http8.middle()
	var commits, syncs sample
	for run := range b.runs {
		perSecond, err := bareCommits(filepath.Join(b.dir, fmt.Sprintf("bare%d.db", run)))
		if err != nil {
			return nil, err
		}
		took, err := bareSync(filepath.Join(b.dir, "bare.log"))
		if err != nil {
			return nil, err
		}
		commits.values, syncs.values = append(commits.values, perSecond), append(syncs.values, took)
	}
	b.base.commitsPerSecond, b.base.fdatasync = commits.middle(), syncs.middle()
	return []figure{
		{what: "bare net/http handler, 8 clients", value: b.base.httpPerSecond, unit: "/s", sample: http8},
		{what: "bare SQLite, one durable insert a commit", value: b.base.commitsPerSecond, unit: "/s", sample: &commits},
		{what: "fdatasync of one page", value: b.base.fdatasync, unit: "ms", sample: &syncs},
	}, nil
}

func bareCommits(file string) (float64, error) {
	defer os.Remove(file)
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
