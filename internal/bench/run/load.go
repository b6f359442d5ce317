package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// window is how long one rate is measured.
const window = 2 * time.Second

// client is one connection of one user.
type client struct {
	http *http.Client
	url  string
	auth string
	buf  []byte
}

func newClient(s *service, user string) *client {
	return &client{
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}},
		url:  s.url, auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(s.login(user)+":"+password)), buf: make([]byte, 64<<10),
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// asked is one request.
type asked struct {
	method, path string
	depth        string
	mediaType    string
	body         []byte
}

func (c *client) send(a asked) (*http.Response, error) {
	req, err := http.NewRequest(a.method, c.url+a.path, bytes.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.auth)
	if a.depth != "" {
		req.Header.Set("Depth", a.depth)
	}
	if a.mediaType != "" {
		req.Header.Set("Content-Type", a.mediaType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		resp.Body.Close()
		return nil, fmt.Errorf("%s %s: %s: %s", a.method, a.path, resp.Status, text)
	}
	return resp, nil
}

// text sends a request and keeps the answer.
func (c *client) text(a asked) ([]byte, error) {
	resp, err := c.send(a)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// count sends a request, throws the answer away as it comes and counts the
// places in it that end an href: members and their collection.
func (c *client) count(a asked) (hrefs int, err error) {
	resp, err := c.send(a)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	end := []byte("href>")
	kept := 0 // octets of a possible beginning, before what comes next
	for {
		n, err := resp.Body.Read(c.buf[kept:])
		text := c.buf[:kept+n]
		hrefs += bytes.Count(text, end)
		if err == io.EOF {
			return hrefs / 2, nil
		}
		if err != nil {
			return 0, err
		}
		if kept = min(len(text), len(end)-1); bytes.HasSuffix(text, end) {
			kept = 0
		}
		copy(c.buf, text[len(text)-kept:])
	}
}

// drop sends a request and throws the answer away.
func (c *client) drop(a asked) error {
	resp, err := c.send(a)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, c.buf)
	return err
}

// rates runs work from several clients, each on one connection, for a window in
// each run. n counts up over all of them.
func (b *bench) rates(s *service, clients int, user string, work func(c *client, n int) error) (*sample, error) {
	var all sample
	var next atomic.Int64
	var took time.Duration // of the server's processors
	for run := range b.runs + 1 {
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			first error
			done  []time.Duration
		)
		before, start, length := s.processor(), time.Now(), window
		if run == 0 { // what is slow once, connections and caches, is no run
			length = window / 8
		}
		for range clients {
			wg.Go(func() {
				c := newClient(s, user)
				defer c.close()
				var mine []time.Duration
				for time.Since(start) < length {
					t := time.Now()
					if err := work(c, int(next.Add(1))); err != nil {
						mu.Lock()
						first = err
						mu.Unlock()
						break
					}
					mine = append(mine, time.Since(t))
				}
				mu.Lock()
				done = append(done, mine...)
				mu.Unlock()
			})
		}
		wg.Wait()
		if first != nil {
			return nil, first
		}
		if run > 0 {
			all.values = append(all.values, float64(len(done))/time.Since(start).Seconds())
			all.took = append(all.took, done...)
			took += s.processor() - before
		}
	}
	slices.Sort(all.took)
	all.cpu = took / time.Duration(len(all.took))
	return &all, nil
}

// times runs work n times, one after the other, in each run. What it returns
// is called before the next, untimed.
func (b *bench) times(s *service, n int, work func(i int) (after func() error, err error)) (*sample, error) {
	var all sample
	var cpu time.Duration
	for run := range b.runs {
		var done []time.Duration
		for i := range n {
			before, t := s.processor(), time.Now()
			after, err := work(run*n + i)
			if err != nil {
				return nil, err
			}
			done = append(done, time.Since(t))
			cpu += s.processor() - before
			if after != nil {
				if err := after(); err != nil {
					return nil, err
				}
			}
		}
		slices.Sort(done)
		all.values = append(all.values, ms(percentile(done, .5)))
		all.took = append(all.took, done...)
	}
	slices.Sort(all.took)
	all.cpu = cpu / time.Duration(len(all.took))
	return &all, nil
}
