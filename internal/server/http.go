package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

// Bounds of a connection, so that a slow or half-open client pins nothing.
// Answers have no total limit: an initial sync of a large calendar over a slow
// line is legitimate and is bounded by its front end.
type patience struct {
	header time.Duration // for a request's header, TLS included
	body   time.Duration // for the largest object over a slow line
	idle   time.Duration // between two requests, and for HTTP/2 to answer a ping or take an octet
}

var defaultPatience = patience{header: 10 * time.Second, body: 2 * time.Minute, idle: 2 * time.Minute}

const (
	maxHeaderBytes = 64 << 10
	// maxStreams are requests at once on one HTTP/2 connection: what RFC 9113
	// 6.5.2 recommends at least.
	maxStreams = 100
)

// newHTTPServer gives every front end the same outer layers.
func newHTTPServer(h http.Handler, proxies []netip.Prefix, log *slog.Logger, p patience) *http.Server {
	return &http.Server{
		Handler:           behindProxy(proxies, p.inTime(recovered(log, h))),
		ReadHeaderTimeout: p.header,
		IdleTimeout:       p.idle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// A peer that has gone without a word does not keep its streams.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: p.idle, PingTimeout: p.header, WriteByteTimeout: p.idle},
	}
}

// inTime ends the wait for a body, which goes on behind the handler: what it
// left unread is read for it, and anyone can send a request that is refused.
func (p patience) inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// Not every writer has deadlines (tests); then others watch.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(p.body))
		}
		next.ServeHTTP(w, r)
	})
}

// recovered turns a panic into a 500 and a log line. The request's body and
// credentials are not logged.
func recovered(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			log.Error("a request failed unexpectedly", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			http.Error(w, "Something went wrong on our side; it has been logged.", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// behindProxy believes X-Forwarded-For and X-Forwarded-Proto from trusted
// networks: the first becomes RemoteAddr, the second is left in the header.
// From everyone else's requests both are removed, so that no code further in
// can be fooled by them.
func behindProxy(trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forwarded, scheme := r.Header.Values("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto")
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Forwarded-") || name == "Forwarded" {
				r.Header.Del(name)
			}
		}
		if isTrusted(trusted, r.RemoteAddr) {
			if client := clientOf(forwarded, trusted); client != "" {
				r.RemoteAddr = net.JoinHostPort(client, "0")
			}
			if scheme == "https" || scheme == "http" {
				r.Header.Set("X-Forwarded-Proto", scheme)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// clientOf is the nearest address in the chain that is not one of our proxies:
// what lies further left could have been written by the client itself.
func clientOf(forwarded []string, trusted []netip.Prefix) string {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			return ""
		}
		if !isTrusted(trusted, net.JoinHostPort(hop, "0")) || i == 0 {
			return hop
		}
	}
	return ""
}

func isTrusted(trusted []netip.Prefix, hostPort string) bool {
	ap, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return false
	}
	for _, p := range trusted {
		if p.Contains(ap.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// parseProxies reads addresses and networks; the configuration was validated.
func parseProxies(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}
