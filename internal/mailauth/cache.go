package mailauth

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Answers to TXT questions are kept this long; the resolver behind knows their
// real age and is asked again soon enough for a key that was changed.
const (
	cacheTime = 5 * time.Minute
	cacheSize = 10_000
)

// cache remembers TXT answers: mail of one domain comes in bursts, and a walk
// asks the same few names for each.
type cache struct {
	Resolver
	now func() time.Time

	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	texts []string
	err   error
	until time.Time
}

func newCache(r Resolver, now func() time.Time) *cache {
	return &cache{Resolver: r, now: now, answers: map[string]answer{}}
}

func (c *cache) LookupTXT(ctx context.Context, name string) ([]string, error) {
	now := c.now()
	c.mu.Lock()
	a, ok := c.answers[name]
	c.mu.Unlock()
	if ok && now.Before(a.until) {
		return a.texts, a.err
	}
	a.texts, a.err = c.Resolver.LookupTXT(ctx, name)
	var dns *net.DNSError
	if a.err == nil || errors.As(a.err, &dns) && dns.IsNotFound {
		a.until = now.Add(cacheTime)
		c.mu.Lock()
		if len(c.answers) >= cacheSize {
			clear(c.answers) // rare, and the next burst fills it again
		}
		c.answers[name] = a
		c.mu.Unlock()
	}
	return a.texts, a.err
}
