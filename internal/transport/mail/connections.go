package mail

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
)

// connections are those that are open, so that they can be closed.
type connections struct {
	mu   sync.Mutex
	open map[*countedConn]bool
}

func (c *connections) add(conn *countedConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[*countedConn]bool{}
	}
	c.open[conn] = true
}

func (c *connections) remove(conn *countedConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// closeIf closes the connections that a test picks.
func (c *connections) closeIf(pick func(*countedConn) bool) {
	c.mu.Lock()
	var list []*countedConn
	for conn := range c.open {
		if pick(conn) {
			list = append(list, conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range list {
		conn.Close()
	}
}

// countedConn leaves its listener's count when it closes.
type countedConn struct {
	net.Conn
	l    *limitedListener
	once sync.Once
	busy atomic.Bool // a mail is being taken
}

// countedOf finds the counted connection below TLS.
func countedOf(c net.Conn) *countedConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if counted, ok := c.(*countedConn); ok {
		return counted
	}
	return &countedConn{Conn: c} // not one of our listener's: nothing waits for it
}

func (c *countedConn) Close() error {
	c.once.Do(func() {
		c.l.open.Add(-1)
		c.l.conns.remove(c)
	})
	return c.Conn.Close()
}

// inProgress lets one goroutine at a time work on a key.
type inProgress struct {
	mu   sync.Mutex
	done map[string]chan struct{}
}

// begin waits until nobody works on the key, or ctx ends.
func (p *inProgress) begin(ctx context.Context, key string) error {
	for {
		p.mu.Lock()
		other, busy := p.done[key]
		if !busy {
			if p.done == nil {
				p.done = map[string]chan struct{}{}
			}
			p.done[key] = make(chan struct{})
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *inProgress) end(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.done[key])
	delete(p.done, key)
}
