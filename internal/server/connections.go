package server

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// rationed is a listener on which one address has so many connections at most,
// so that whoever opens them without end, or leaves them half-open, takes them
// from nobody else. The proxies that are trusted have all they want: they speak
// for many.
type rationed struct {
	net.Listener
	each    int // connections of one address; 0 = no limit
	exempt  []netip.Prefix
	log     *slog.Logger
	mu      sync.Mutex
	open    map[netip.Prefix]int
	refused int
	told    time.Time // when refusals were last logged
}

// sourceBits of an IPv6 address are one customer's network; the rest a customer
// chooses at will (RFC 6177 2).
const sourceBits = 64

// sourceOf is whose a connection is; false for sockets without an address.
func sourceOf(a net.Addr) (netip.Prefix, bool) {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}, false
	}
	bits := 32
	if addr := ap.Addr().Unmap(); addr.Is6() {
		bits = sourceBits
	}
	p, err := ap.Addr().Unmap().WithZone("").Prefix(bits)
	return p, err == nil
}

// Accept implements net.Listener: connections beyond the ration are closed.
func (l *rationed) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.each <= 0 {
			return c, err
		}
		source, ok := sourceOf(c.RemoteAddr())
		if !ok || isTrusted(l.exempt, c.RemoteAddr().String()) {
			return c, nil
		}
		if !l.take(source) {
			c.Close()
			continue
		}
		return &counted{Conn: c, done: sync.OnceFunc(func() { l.give(source) })}, nil
	}
}

func (l *rationed) take(source netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source] < l.each {
		if l.open == nil {
			l.open = map[netip.Prefix]int{}
		}
		l.open[source]++
		return true
	}
	l.refused++
	if time.Since(l.told) > time.Minute {
		l.log.Warn("connections were refused: one address has too many; if it is a proxy of yours, name it in http.trusted-proxies",
			"address", source.Addr(), "open", l.open[source], "refused", l.refused)
		l.refused, l.told = 0, time.Now()
	}
	return false
}

func (l *rationed) give(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[source]--; l.open[source] == 0 {
		delete(l.open, source)
	}
}

// counted is a connection that gives its place back when it is closed.
type counted struct {
	net.Conn
	done func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.done()
	return c.Conn.Close()
}

// CloseWrite ends what is sent while the other side may still send, so that an
// answer to a request that was not read to its end arrives (RFC 9112 9.6);
// net/http looks for it.
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
