package cip

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/harness/certs"
)

// certified makes certificates of one authority for hosts.
type certified struct {
	ca *certs.Identity
	t  testing.TB
}

func (c certified) pair(host string) tls.Certificate {
	id := c.ca.Issue(c.t, "p256", func(x *x509.Certificate) {
		x.DNSNames, x.ExtKeyUsage = []string{host}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	})
	return tls.Certificate{Certificate: [][]byte{id.Cert.Raw}, PrivateKey: id.Key}
}

func (c certified) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.ca.Cert)
	return p
}

// A server is known by its certificate, whether TLS begins at once or is asked
// for: it speaks for its own users and for nobody else's. Nothing is agreed but
// names, and nobody is taken at their word.
func TestCertificates(t *testing.T) {
	who := certified{certs.CA(t, "Test CA"), t}
	for _, how := range []string{TLSStart, TLSImplicit} {
		t.Run(how, func(t *testing.T) {
			b := start(t, "b.test", []string{"ben"}, func(o *Options) {
				o.AllowAnonymous = AnonymousNo
				o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1"}, {ServerID: "c.test", Address: "127.0.0.1:1"}}
				o.TLS = &tls.Config{Certificates: []tls.Certificate{who.pair("b.test")}, ClientCAs: who.pool()}
			})
			address := b.address
			if how == TLSImplicit {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				address = l.Addr().String()
				b.run("listener with TLS", func(ctx context.Context) error { return b.cip.ServeTLS(ctx, l) })
			}
			send := func(config *tls.Config, owner, server string) (cip.Reply, error) {
				c := New(Options{Domains: []string{"a.test"}, Peers: []Peer{{ServerID: server, Address: address, TLS: how}}, ClientTLS: config})
				l, err := c.connect(t.Context(), server)
				if err != nil {
					return cip.Reply{}, err
				}
				defer l.conn.Close()
				return l.SendEvent([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:" + owner + "\r\nATTENDEE:ben@b.test\r\n"))
			}
			mine := &tls.Config{RootCAs: who.pool(), Certificates: []tls.Certificate{who.pair("a.test")}}
			if r, err := send(mine, "ann@a.test", "b.test"); err != nil || !r.OK {
				t.Errorf("by its certificate: %+v, %v", r, err)
			}
			for name, tt := range map[string]struct {
				config *tls.Config
				owner  string
			}{
				"for another server's user":   {mine, "cy@c.test"},
				"without a certificate":       {&tls.Config{RootCAs: who.pool()}, "ann@a.test"},
				"with that of nobody we know": {&tls.Config{RootCAs: who.pool(), Certificates: []tls.Certificate{who.pair("evil.test")}}, "ann@a.test"},
			} {
				if r, err := send(tt.config, tt.owner, "b.test"); err != nil || r.OK || r.Code != cip.CodeAccess {
					t.Errorf("%s: %+v, %v", name, r, err)
				}
			}
			other := certified{certs.CA(t, "Test CA"), t} // by name the same
			if r, err := send(&tls.Config{RootCAs: who.pool(), Certificates: []tls.Certificate{other.pair("a.test")}}, "ann@a.test", "b.test"); err == nil && r.OK {
				t.Errorf("a certificate of another authority: %+v", r)
			}
			// The client looks as closely.
			if _, err := send(mine, "ann@a.test", "d.test"); err == nil || !strings.Contains(err.Error(), "b.test") {
				t.Errorf("the certificate of b.test at d.test: %v", err)
			}
			if _, err := send(&tls.Config{RootCAs: other.pool()}, "ann@a.test", "b.test"); err == nil {
				t.Error("a server's certificate of an authority that is not ours")
			}
		})
	}
}

// In clear nothing is said on a listener with TLS, and who does not begin with
// the handshake is left.
func TestClearOnAListenerWithTLS(t *testing.T) {
	who := certified{certs.CA(t, "Test CA"), t}
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{who.pair("b.test")}} })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.run("listener with TLS", func(ctx context.Context) error { return b.cip.ServeTLS(ctx, l) })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("AUTHENTICATE LOGIN ben ben\r\n")); err != nil {
		t.Fatal(err)
	}
	if said := toTheEnd(t, conn); strings.Contains(said, "OK") || strings.Contains(said, "NO") {
		t.Errorf("it says %q", said)
	}
	// In TLS there is no second layer.
	secured, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: who.pool(), ServerName: "b.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer secured.Close()
	c, err := cip.NewClient(secured)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(); err == nil {
		t.Error("TLS within TLS")
	}
	if err := c.Login("ben", "ben"); err != nil {
		t.Errorf("a password within TLS: %v", err)
	}
}
