package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// readPool has a few connections for readers that come and go, and makes more
// for a time when those are held: someone may read a snapshot out over a slow
// network, and must not keep everyone else waiting.
type readPool struct {
	keep  int
	open  func() (*sqliteConn, error)
	idle  chan *sqliteConn
	ended chan struct{} // closed by close

	mu     sync.Mutex
	opened int
}

const (
	// maxReadConns bounds file descriptors and page caches.
	maxReadConns = 64
	// patience is how long a reader waits for one of the kept connections
	// before it gets another: most reads are much shorter.
	patience = 10 * time.Millisecond
)

var errClosed = errors.New("store: it is closed")

func (p *readPool) init(keep int, open func() (*sqliteConn, error)) {
	p.keep, p.open = min(keep, maxReadConns), open
	p.idle, p.ended = make(chan *sqliteConn, maxReadConns), make(chan struct{})
}

func (p *readPool) get(ctx context.Context) (*sqliteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-p.ended:
		return nil, errClosed
	case c := <-p.idle:
		return c, nil
	default:
	}
	if c, err := p.more(p.keep); c != nil || err != nil {
		return c, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case c := <-p.idle:
			return c, nil
		case <-timer.C:
			if c, err := p.more(maxReadConns); c != nil || err != nil {
				return c, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.ended:
			return nil, errClosed
		}
	}
}

// more opens a connection when fewer than limit are open.
func (p *readPool) more(limit int) (*sqliteConn, error) {
	p.mu.Lock()
	if p.over() {
		p.mu.Unlock()
		return nil, errClosed
	}
	if p.opened >= limit {
		p.mu.Unlock()
		return nil, nil
	}
	p.opened++
	p.mu.Unlock()
	c, err := p.open()
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.over() {
			p.idle <- nil // close waits for it
		} else {
			p.opened--
		}
	}
	return c, err
}

func (p *readPool) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *readPool) put(c *sqliteConn) {
	p.mu.Lock()
	extra := p.opened > p.keep && !p.over() // close waits for each
	if extra {
		p.opened--
	}
	p.mu.Unlock()
	if extra {
		_ = c.close()
		return
	}
	p.idle <- c // never full
}

// close waits for the readers.
func (p *readPool) close() error {
	p.mu.Lock()
	close(p.ended)
	n := p.opened
	p.mu.Unlock()
	var errs []error
	for range n {
		if c := <-p.idle; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}
