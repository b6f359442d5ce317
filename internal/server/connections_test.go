package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/certs"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// One address cannot take the connections of others, and what it closes it may
// open again. A proxy speaks for many.
func TestConnectionsAreRationed(t *testing.T) {
	listen := func(exempt ...string) (*rationed, chan net.Conn) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r := &rationed{Listener: l, each: 2, exempt: parseProxies(exempt), log: quiet}
		t.Cleanup(func() { r.Close() })
		accepted := make(chan net.Conn, 10)
		go func() {
			for {
				c, err := r.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		return r, accepted
	}
	dial := func(l net.Listener) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { c.Close() })
		return c
	}
	l, accepted := listen()
	dial(l)
	first := <-accepted
	if _, ok := first.(interface{ CloseWrite() error }); !ok {
		t.Error("an answer to a request that is not read to its end would be lost: the connection has no CloseWrite")
	}
	dial(l)
	<-accepted
	if _, err := dial(l).Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a third connection: %v, want it closed", err)
	}
	first.Close()
	first.Close() // twice is once
	dial(l)
	<-accepted
	if _, err := dial(l).Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more than is allowed after one was closed: %v", err)
	}
	l, accepted = listen("127.0.0.0/8")
	for range 5 {
		dial(l)
		<-accepted
	}
	if len(l.open) != 0 {
		t.Error("a proxy is counted")
	}
}

func TestSources(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7/32", "[::ffff:192.0.2.7]:80": "192.0.2.7/32",
		"[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64", "[fe80::1%eth0]:9": "fe80::/64",
	} {
		ap := netip.MustParseAddrPort(address)
		if p, ok := sourceOf(net.TCPAddrFromAddrPort(ap)); !ok || p.String() != want {
			t.Errorf("%s counts as %s, want %s", address, p, want)
		}
	}
	if _, ok := sourceOf(&net.UnixAddr{Name: "@", Net: "unix"}); ok {
		t.Error("a socket in the file system has an address")
	}
}

// Clients that begin and do not go on are left, at each point where they can stop.
func TestHalfOpenConnectionsEnd(t *testing.T) {
	t.Parallel()
	const soon = 400 * time.Millisecond
	p := patience{header: soon, body: soon, idle: soon}
	read := make(chan error, 1)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
		fmt.Fprint(w, "ok")
	})
	serve := func(l net.Listener, p patience) {
		srv := newHTTPServer(echo, nil, quiet, p)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- serveHTTP(ctx, srv, l) }()
		t.Cleanup(func() { cancel(); <-done })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(l, p)
	dial := func(a net.Addr) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", a.String())
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { c.Close() })
		return c
	}
	for _, tt := range []struct{ name, sent string }{
		{"nothing", ""},
		{"half a request line", "PROPFIND /da"},
		{"half a header", "GET / HTTP/1.1\r\nHost: x\r\nAuthoriz"},
		{"half a body", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nBEGIN:"},
		{"half a chunk", "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nBEGIN:"},
		{"a whole request, and silence", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		c := dial(l.Addr())
		io.WriteString(c, tt.sent)
		answer, err := io.ReadAll(c) // until the server closes
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays", tt.name)
		}
		if strings.Contains(tt.sent, "\r\n\r\n") {
			if err := <-read; strings.HasPrefix(tt.sent, "PUT") == (err == nil) {
				t.Errorf("%s: the handler read %v", tt.name, err)
			}
			if !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
				t.Errorf("%s: %q", tt.name, answer)
			}
		}
	}

	id := certs.CA(t, "localhost")
	pair := tls.Certificate{Certificate: [][]byte{id.Cert.Raw}, PrivateKey: id.Key}
	settings := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	for _, tt := range []struct {
		name string
		p    patience
		sent string
	}{
		{"no TLS handshake", p, ""},
		// The preface and settings, and silence.
		{"an HTTP/2 connection without requests", patience{header: time.Minute, body: soon, idle: soon}, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serve(tls.NewListener(l, settings), tt.p)
		c := dial(l.Addr())
		if tt.sent != "" {
			secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err := secure.Handshake(); err != nil || secure.ConnectionState().NegotiatedProtocol != "h2" {
				t.Fatalf("%s: %v, %q", tt.name, err, secure.ConnectionState().NegotiatedProtocol)
			}
			c = secure
			io.WriteString(c, tt.sent)
		}
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays", tt.name)
		}
	}
}
