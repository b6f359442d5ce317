package cip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/account"
)

// times are how long the other side may take.
type times struct {
	idle time.Duration // for the next command
	line time.Duration // for the next line of data
	data time.Duration // for all lines of one command
}

var usualTimes = times{idle: 5 * time.Minute, line: time.Minute, data: 10 * time.Minute}

const (
	writeTime = 5 * time.Minute // for taking an answer; the work on a command is within it
	drainTime = 5 * time.Second // for commands under way when the server stops
)

// Serve answers CIP until ctx ends; then it finishes what is under way.
func (c *CIP) Serve(ctx context.Context, l net.Listener) error { return c.serve(ctx, l, false) }

// ServeTLS is Serve where clients begin with the TLS handshake. Options.TLS is
// needed for it.
func (c *CIP) ServeTLS(ctx context.Context, l net.Listener) error {
	if c.o.TLS == nil {
		return errors.Join(errors.New("cip: a listener with TLS needs a certificate"), l.Close())
	}
	return c.serve(ctx, l, true)
}

func (c *CIP) serve(ctx context.Context, l net.Listener, encrypted bool) error {
	var wg sync.WaitGroup
	open := &connections{}
	stop := context.AfterFunc(ctx, func() {
		l.Close()
		open.each(func(s *session) {
			if s.idle.Load() {
				s.conn.Close()
			}
		})
		time.AfterFunc(drainTime, func() { open.each(func(s *session) { s.conn.Close() }) })
	})
	defer stop()
	defer c.pool.close()
	for {
		conn, err := l.Accept()
		if err != nil {
			l.Close()
			wg.Wait()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		key := sourceOf(conn.RemoteAddr())
		if c.paused.Load() || !c.guard.enter(key, c.o.MaxConnections, c.o.MaxPerSource, isLoopback(conn.RemoteAddr())) {
			if !encrypted { // a handshake would be too much for somebody who is turned away
				conn.SetDeadline(time.Now().Add(time.Second))
				cip.Unavailable(conn)
			}
			conn.Close()
			continue
		}
		wg.Go(func() {
			defer c.guard.leave(key)
			defer conn.Close()
			// A session that has begun goes on when the server stops, until its
			// command is answered.
			s := &session{c: c, conn: conn, raw: conn, source: key, stopped: ctx}
			s.id = identity{secure: isLoopback(conn.RemoteAddr())}
			open.add(s)
			defer open.remove(s)
			defer func() {
				if p := recover(); p != nil {
					c.log.Error("a CIP session ended by a fault of this program", "remote", conn.RemoteAddr(), "panic", p, "stack", string(debug.Stack()))
				}
			}()
			going := context.WithoutCancel(ctx)
			var err error
			if encrypted {
				err = s.encrypt(going)
			}
			if err == nil {
				err = cip.Serve(going, s.stream(), c.host(), s, cip.Limits{})
			}
			if err != nil && !errors.Is(err, net.ErrClosed) {
				c.log.Debug("a CIP session ended", "remote", conn.RemoteAddr(), "error", err)
			}
		})
	}
}

// connections are those of one listener.
type connections struct {
	mu  sync.Mutex
	all map[*session]bool
}

func (c *connections) add(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[*session]bool{}
	}
	c.all[s] = true
}

func (c *connections) remove(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, s)
}

func (c *connections) each(do func(*session)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.all {
		do(s)
	}
}

// identity is who a session has shown to be.
type identity struct {
	secure bool          // passwords may be sent: TLS or loopback
	user   account.Actor // Account 0: no user
	server string        // "": no server
	by     string        // how a server was known
}

func (i identity) anonymous() bool { return i.user.Account == 0 && i.server == "" }

// session implements [cip.Session].
type session struct {
	c       *CIP
	conn    net.Conn // as accepted
	raw     net.Conn // conn, or TLS over it
	source  netip.Prefix
	stopped context.Context
	id      identity
	idle    atomic.Bool
	began   time.Time // of the data of a command
	refused bool      // the command came out of turn
	// verified are answers of hasAddress: DNS is asked once a session and server.
	verified map[string]bool
}
