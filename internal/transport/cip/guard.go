package cip

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// What one source may do. Loopback counts like any other but for the number of
// connections: a proxy or a second service may be there.
const (
	// freeFailures wrong passwords from a source within forgetAfter; then it is
	// locked out for lockFor.
	freeFailures = 10
	forgetAfter  = 10 * time.Minute
	lockFor      = 15 * time.Minute
	// failureTime is how long a wrong password takes.
	failureTime = time.Second
	// Anonymous sessions of a source have burst commands at once and then so
	// many a second; what is over waits.
	anonymousBurst  = 100
	anonymousPerSec = 20
	maxWait         = 10 * time.Second
	maxSources      = 10_000
)

// source is what is known of one network address.
type source struct {
	open     int       // connections
	failures int       // wrong passwords
	failed   time.Time // the last
	locked   time.Time // until
	tokens   float64
	filled   time.Time
	used     time.Time
}

// guard counts by source.
type guard struct {
	now     func() time.Time
	mu      sync.Mutex
	total   int
	sources map[netip.Prefix]*source
}

// sourceOf groups the addresses one machine may use: an IPv6 host has a /64.
func sourceOf(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{} // a socket of this machine
	}
	addr := ap.Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}

func (g *guard) get(key netip.Prefix) *source {
	s := g.sources[key]
	now := g.now()
	if s == nil {
		if g.sources == nil {
			g.sources = map[netip.Prefix]*source{}
		}
		if len(g.sources) >= maxSources {
			g.forgetSome(now)
		}
		s = &source{tokens: anonymousBurst, filled: now}
		g.sources[key] = s
	}
	s.used = now
	return s
}

// looked bounds what one new source costs when there are too many of them.
const looked = 16

// forgetSome makes room among a few sources that the map's order picks: first
// those that are idle, else one that is not connected and not locked out. A
// flood of new ones must not have all the others looked at for each.
func (g *guard) forgetSome(now time.Time) {
	n, forgot := 0, false
	var spare *netip.Prefix
	for k, old := range g.sources {
		if n++; n > looked {
			break
		}
		if old.open > 0 || now.Before(old.locked) {
			continue
		}
		if now.Sub(old.used) > sourceIdle {
			delete(g.sources, k)
			forgot = true
		} else if spare == nil {
			spare = &k
		}
	}
	if !forgot && spare != nil {
		delete(g.sources, *spare)
	}
}

// enter counts a connection; false when there are too many, or the source is
// locked out.
func (g *guard) enter(key netip.Prefix, most, perSource int, loopback bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.get(key)
	if g.total >= most || !loopback && s.open >= perSource || g.now().Before(s.locked) {
		return false
	}
	g.total++
	s.open++
	return true
}

func (g *guard) leave(key netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	g.get(key).open--
}

// wrong counts a wrong password.
func (g *guard) wrong(key netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, now := g.get(key), g.now()
	if now.Sub(s.failed) > forgetAfter {
		s.failures = 0
	}
	s.failures++
	s.failed = now
	if s.failures >= freeFailures {
		s.locked, s.failures = now.Add(lockFor), 0
	}
}

func (g *guard) lockedOut(key netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now().Before(g.get(key).locked)
}

// slow makes an anonymous command wait for its turn; false when that would
// take too long.
func (g *guard) slow(ctx context.Context, key netip.Prefix) bool {
	g.mu.Lock()
	s, now := g.get(key), g.now()
	s.tokens = min(anonymousBurst, s.tokens+now.Sub(s.filled).Seconds()*anonymousPerSec)
	s.filled = now
	s.tokens--
	wait := time.Duration(0)
	if s.tokens < 0 {
		wait = time.Duration(-s.tokens / anonymousPerSec * float64(time.Second))
	}
	if wait > maxWait {
		s.tokens++
	}
	g.mu.Unlock()
	return wait <= maxWait && pause(ctx, wait)
}

// pause waits; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
