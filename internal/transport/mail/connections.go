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

	ends lineEnds // of what is read
}

func (c *countedConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if left := c.ends.mend(b[:n]); left > 0 || n == 0 || err != nil {
			return left, err
		}
	}
}

// lineEnds looks after the end of a mail whose last line ends in CR CR LF, as
// mailers leave it that write CRLF where they should write LF. That CRLF and the
// dot behind it end the mail (RFC 5321 4.1.1.4), but the SMTP library takes the
// first CR for text and waits for another end, which never comes. Of the CRs one
// is left where a dot follows, or what follows is not there yet; all others stay,
// since signatures cover them.
type lineEnds struct {
	cr     bool // the last octet was a CR
	sealed bool // TLS has begun: what is read are its records
}

// mend changes what was read, in place, and says how much it is now.
func (l *lineEnds) mend(b []byte) int {
	if len(b) > 1 && b[0] == 0x16 && b[1] == 3 { // a record with a handshake (RFC 8446 5.1)
		l.sealed = true
	}
	if l.sealed || len(b) == 0 {
		return len(b)
	}
	n, run := 0, 0 // run: where the CRs end that are being looked at
	hides := false
	for i, c := range b {
		if c == '\r' && i >= run {
			for run = i + 1; run < len(b) && b[run] == '\r'; run++ {
			}
			hides = run == len(b) || b[run] == '\n' && (run+1 == len(b) || b[run+1] == '.')
		}
		if c == '\r' && l.cr && hides {
			continue
		}
		l.cr = c == '\r'
		b[n] = c
		n++
	}
	return n
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
