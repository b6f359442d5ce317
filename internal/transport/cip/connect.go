package cip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/convene-cal/convene/cip"
)

// Patience with a peer.
const (
	connectTime  = 10 * time.Second
	greetingTime = 30 * time.Second
	commandTime  = 120 * time.Second
	// keepIdle is how long a connection waits for more to say; servers end one
	// after five minutes.
	keepIdle = time.Minute
	maxIdle  = 4 // connections kept for one server
)

// link is a connection to a peer.
type link struct {
	*cip.Client
	conn   net.Conn
	server string
	used   bool // has carried a command before: an error may mean that it was closed meanwhile
}

// do runs one command with its time limit; the connection closes when ctx ends.
func (l *link) do(ctx context.Context, limit time.Duration, run func() (cip.Reply, error)) (cip.Reply, error) {
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	defer stop()
	l.conn.SetDeadline(time.Now().Add(limit))
	r, err := run()
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	return r, err
}

// connect gives a connection to a server, a kept one if there is any.
func (c *CIP) connect(ctx context.Context, server string) (*link, error) {
	if l := c.pool.take(server); l != nil {
		return l, nil
	}
	targets, err := c.targets(ctx, server)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, t := range targets {
		l, err := c.open(ctx, server, t)
		if err == nil {
			return l, nil
		}
		failed = append(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failed...)
}

// open connects to one target and signs in.
func (c *CIP) open(ctx context.Context, server, target string) (*link, error) {
	dial, cancel := context.WithTimeout(ctx, connectTime)
	conn, err := c.o.Dial(dial, "tcp", target)
	cancel()
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", target, err)
	}
	l := &link{conn: conn, server: server}
	if err = c.implicit(ctx, l); err == nil {
		err = c.begin(ctx, l)
	}
	if err != nil {
		l.conn.Close()
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	return l, nil
}

func (c *CIP) begin(ctx context.Context, l *link) error {
	_, err := l.do(ctx, greetingTime, func() (r cip.Reply, err error) {
		l.Client, err = cip.NewClient(l.conn)
		return r, err
	})
	if err != nil {
		return err
	}
	if h := serverID(l.Greeting.Host); h != l.server { // the name of the machine, perhaps
		c.log.Debug("the peer greets by another name", "server", l.server, "host", l.Greeting.Host)
	}
	p := c.peers[l.server]
	if p == nil {
		return nil
	}
	secure := isLoopback(l.conn.RemoteAddr()) || p.TLS == TLSImplicit
	if p.TLS == TLSStart {
		if err := c.encrypt(ctx, l); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		secure = true
	}
	if p.Password == "" {
		return nil
	}
	if !secure && !c.o.PlaintextLogin {
		return errors.New(`the password is not sent without TLS: set tls = "starttls" for this peer, or cip.plaintext-login`)
	}
	if _, err := l.do(ctx, commandTime, func() (cip.Reply, error) { return cip.Reply{}, l.Login(p.Identity, p.Password) }); err != nil {
		return fmt.Errorf("sign in as %s: %w", p.Identity, err)
	}
	return nil
}

// implicit makes the TLS handshake with a peer that expects it first of all.
func (c *CIP) implicit(ctx context.Context, l *link) error {
	if p := c.peers[l.server]; p == nil || p.TLS != TLSImplicit {
		return nil
	}
	_, err := l.do(ctx, greetingTime, func() (cip.Reply, error) { return cip.Reply{}, c.handshake(ctx, l) })
	if err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	return nil
}

// encrypt asks for TLS and begins it.
func (c *CIP) encrypt(ctx context.Context, l *link) error {
	_, err := l.do(ctx, commandTime, func() (r cip.Reply, err error) {
		if err = l.StartTLS(); err != nil {
			return r, err
		}
		if err = c.handshake(ctx, l); err == nil {
			l.Upgrade(l.conn)
		}
		return r, err
	})
	return err
}

// handshake takes the connection for that of the server whose name its
// certificate has.
func (c *CIP) handshake(ctx context.Context, l *link) error {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.o.ClientTLS != nil {
		config = c.o.ClientTLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = l.server
	}
	secured := tls.Client(l.conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	l.conn = secured
	return nil
}

func isLoopback(a net.Addr) bool {
	if a == nil {
		return false
	}
	if a.Network() == "unix" {
		return true
	}
	host, _, err := net.SplitHostPort(a.String())
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// pool keeps connections that have nothing to do.
type pool struct {
	now  func() time.Time
	mu   sync.Mutex
	idle map[string][]kept
}

type kept struct {
	l     *link
	since time.Time
}

func (p *pool) take(server string) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		list := p.idle[server]
		if len(list) == 0 {
			return nil
		}
		k := list[len(list)-1]
		p.idle[server] = list[:len(list)-1]
		if p.now().Sub(k.since) < keepIdle {
			return k.l
		}
		k.l.conn.Close()
	}
}

func (p *pool) put(l *link) {
	l.used = true
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = map[string][]kept{}
	}
	list := p.idle[l.server]
	for len(list) > 0 && (len(list) >= maxIdle || p.now().Sub(list[0].since) >= keepIdle) {
		list[0].l.conn.Close()
		list = list[1:]
	}
	p.idle[l.server] = append(list, kept{l, p.now()})
}

// close ends all that are kept.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.idle {
		for _, k := range list {
			k.l.conn.Close()
		}
	}
	p.idle = nil
}
