package account

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/problem"
)

const (
	// After freeFailures wrong passwords a login or source waits firstPause,
	// and twice as long after each further one, up to longestPause; a source
	// may serve many people and gets more.
	freeFailures       = 5
	freeSourceFailures = 20
	firstPause         = time.Second
	longestPause       = 15 * time.Minute
	// forgetAfter is how long failures count.
	forgetAfter = time.Hour
	// maxRecords bounds the memory that made-up logins and sources take.
	maxRecords = 20_000
	busyPause  = 5 * time.Second
)

// RetryAfter is the cause of a RateLimited problem: how long to wait.
type RetryAfter time.Duration

func (r RetryAfter) Error() string {
	return fmt.Sprintf("retry after %s", time.Duration(r).Round(time.Second))
}

func tooMany(wait time.Duration) error {
	wait = max(wait.Truncate(time.Second)+time.Second, time.Second)
	return problem.New(problem.RateLimited, "Too many failed sign-ins. Wait %s and try again.", wait).Because(RetryAfter(wait))
}

// failures is the record of one login or source.
type failures struct {
	count int
	last  time.Time
	wrong [32]byte // keyed hash of the last wrong password
}

func (f failures) pause(free int) time.Duration {
	if f.count < free {
		return 0
	}
	return min(firstPause<<min(f.count-free, 20), longestPause)
}

// limiter slows failed sign-ins down.
type limiter struct {
	mu      sync.Mutex
	records map[string]failures
	pending map[string]int // attempts under way: each may turn out a failure
}

// sourceKey groups the addresses one machine may use: an IPv6 host usually has
// a /64 to choose from.
func sourceKey(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		ap, err := netip.ParseAddrPort(source)
		if err != nil {
			return "source " + source
		}
		addr = ap.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return "source " + p.String()
		}
	}
	return "source " + addr.String()
}

func loginKey(login string) string { return "login " + login }

// begin is wait for an attempt that is about to be made: those that are under
// way count as failures until they end, so that guesses at once are no better
// than guesses one by one. The attempt ends with done.
func (l *limiter) begin(login, source string, now time.Time) (wait time.Duration, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := map[string]int{loginKey(login): freeFailures, sourceKey(source): freeSourceFailures}
	for key, free := range keys {
		f := l.records[key]
		if now.Sub(f.last) >= forgetAfter {
			f = failures{}
		}
		wait = max(wait, f.last.Add(f.pause(free)).Sub(now))
		if n := l.pending[key]; n > 0 && f.count+n >= free {
			wait = max(wait, firstPause)
		}
	}
	if wait > 0 {
		return wait, func() {}
	}
	if l.pending == nil {
		l.pending = make(map[string]int)
	}
	for key := range keys {
		l.pending[key]++
	}
	return 0, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for key := range keys {
			if l.pending[key]--; l.pending[key] <= 0 {
				delete(l.pending, key)
			}
		}
	}
}

// wait is how long a login from a source must still wait, 0 when it may try.
func (l *limiter) wait(login, source string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wait time.Duration
	for key, free := range map[string]int{loginKey(login): freeFailures, sourceKey(source): freeSourceFailures} {
		if f, ok := l.records[key]; ok && now.Sub(f.last) < forgetAfter {
			wait = max(wait, f.last.Add(f.pause(free)).Sub(now))
		}
	}
	return wait
}

// failed counts a failure. A client that repeats one stale password, as
// calendar programs do all day, counts once.
func (l *limiter) failed(login, source string, wrong [32]byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.records == nil {
		l.records = make(map[string]failures)
	}
	if f, ok := l.records[loginKey(login)]; ok && f.wrong == wrong && now.Sub(f.last) < forgetAfter {
		return
	}
	if len(l.records) >= maxRecords {
		l.forget(now)
	}
	for _, key := range []string{loginKey(login), sourceKey(source)} {
		f := l.records[key]
		if now.Sub(f.last) >= forgetAfter {
			f = failures{}
		}
		f.count++
		f.last, f.wrong = now, wrong
		l.records[key] = f
	}
}

// forget makes room: old records first, then those with the fewest failures.
func (l *limiter) forget(now time.Time) {
	for least := 0; len(l.records) > maxRecords*3/4; least++ {
		for key, f := range l.records {
			if now.Sub(f.last) >= forgetAfter || f.count <= least {
				delete(l.records, key)
			}
			if least > 0 && len(l.records) <= maxRecords*3/4 {
				return
			}
		}
	}
}

func (l *limiter) succeeded(login string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.records, loginKey(login))
}
