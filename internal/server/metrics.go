package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

// The parts of the HTTP listener that are counted apart.
const (
	partDAV = iota
	partWeb
	partHook
	parts
)

var partNames = [parts]string{partDAV: "dav", partWeb: "web", partHook: "mail-hook"}

// counters are what this process has done since it started. Several requests
// may count at once.
type counters struct {
	started  time.Time
	underWay atomic.Int64
	requests [parts]atomic.Int64
	nanos    [parts]atomic.Int64
}

// counted tells of a request that it came and how long it took.
func (c *counters) counted(part int, next http.Handler, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c.underWay.Add(1)
	defer func() {
		c.underWay.Add(-1)
		c.requests[part].Add(1)
		c.nanos[part].Add(int64(time.Since(began)))
	}()
	next.ServeHTTP(w, r)
}

// metrics is the page a Prometheus reads, in its text format 0.0.4: figures of
// this process, and of the store, which all nodes share. No name, address or
// title is in it.
func (s *Services) metrics(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Metrics can only be read.", http.StatusMethodNotAllowed)
		return
	}
	var figures store.Figures
	err := s.Store.View(r.Context(), func(tx *store.Tx) (err error) {
		figures, err = tx.Figures()
		return err
	})
	if err != nil {
		s.log.Warn("the store gives no figures for the metrics", "error", err)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, s.counts.page(figures, s.Store.Load(), err == nil, time.Now()))
}

func (c *counters) page(f store.Figures, load store.Load, up bool, now time.Time) string {
	var b strings.Builder
	metric := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	gauge := func(name, help string, value any) {
		metric(name, "gauge", help)
		fmt.Fprintf(&b, "%s %v\n", name, value)
	}
	gauge("convene_up", "1 when the store answers.", map[bool]int{true: 1}[up])
	if up {
		gauge("convene_accounts", "Accounts in the store.", f.Accounts)
		metric("convene_messages", "gauge", "Scheduling messages in the journal, by state.")
		states := make([]string, 0, len(f.Entries))
		for state := range f.Entries {
			states = append(states, state)
		}
		slices.Sort(states)
		for _, state := range states {
			fmt.Fprintf(&b, "convene_messages{state=%q} %d\n", state, f.Entries[state])
		}
		late := 0.0
		if !f.NextDue.IsZero() {
			late = max(0, now.Sub(f.NextDue).Seconds())
		}
		gauge("convene_message_late_seconds", "How long the message that has waited longest could have been sent; it grows when the courier stands still.", late)
	}
	metric("convene_store_changes_total", "counter", "Transactions that changed the store.")
	fmt.Fprintf(&b, "convene_store_changes_total %d\n", load.Updates)
	metric("convene_store_commits_total", "counter", "Commits they shared; fewer than transactions when many write at once.")
	fmt.Fprintf(&b, "convene_store_commits_total %d\n", load.Commits)
	metric("convene_http_request_seconds", "summary", "Requests of the HTTP listener and the time they took.")
	for part, name := range partNames {
		fmt.Fprintf(&b, "convene_http_request_seconds_sum{part=%q} %g\n", name, time.Duration(c.nanos[part].Load()).Seconds())
		fmt.Fprintf(&b, "convene_http_request_seconds_count{part=%q} %d\n", name, c.requests[part].Load())
	}
	gauge("convene_http_requests_under_way", "Requests that are being answered.", c.underWay.Load())
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	gauge("go_goroutines", "Goroutines of the process.", runtime.NumGoroutine())
	gauge("go_memstats_heap_alloc_bytes", "Memory in use on the heap.", memory.HeapAlloc)
	gauge("go_memstats_sys_bytes", "Memory taken from the system.", memory.Sys)
	gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", c.started.Unix())
	return b.String()
}

// forThisMachine answers /metrics to a peer on loopback whose request no proxy
// handed on, and to everyone else as a page that does not exist. It stands
// before [behindProxy], which takes the headers of proxies away.
func forThisMachine(metrics http.HandlerFunc, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			next.ServeHTTP(w, r)
			return
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		handedOn := r.Header.Get("Forwarded") != "" || r.Header.Get("Via") != ""
		for name := range r.Header {
			handedOn = handedOn || strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip"
		}
		if err != nil || !from.Addr().Unmap().IsLoopback() || handedOn {
			http.NotFound(w, r)
			return
		}
		metrics(w, r)
	})
}
