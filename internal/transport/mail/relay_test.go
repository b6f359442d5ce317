package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/journal"
)

func TestParseRelay(t *testing.T) {
	for _, c := range []struct {
		text, addr string
		mode       tlsMode
		fault      string
	}{
		{"smtp://mail.test", "mail.test:25", tlsOpportunistic, ""},
		{"smtp://mail.test:2525?tls=none", "mail.test:2525", tlsNone, ""},
		{"smtp://mail.test?tls=starttls", "mail.test:25", tlsStart, ""},
		{"smtp://mail.test?tls=required", "mail.test:25", tlsStart, ""},
		{"smtps://mail.test", "mail.test:465", tlsImplicit, ""},
		{"smtp://u:p@mail.test", "mail.test:587", tlsStart, ""},
		{"smtp://u:p@127.0.0.1:2525", "127.0.0.1:2525", tlsOpportunistic, ""},
		{"smtp://[::1]:2525", "[::1]:2525", tlsOpportunistic, ""},
		{"mail.test:25", "", 0, "mail.relay"},
		{"http://mail.test", "", 0, "scheme"},
		{"smtp://mail.test?tls=maybe", "", 0, "maybe"},
		{"smtp://mail.test?ssl=1", "", 0, "ssl"},
		{"smtps://mail.test?tls=none", "", 0, "always TLS"},
		{"smtp://user:geheim@mail.test:bad", "", 0, "mail.relay"},
	} {
		r, err := parseRelay(c.text)
		switch {
		case c.fault != "":
			if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("%s: error %v, want one with %q and without the password", c.text, err, c.fault)
			}
		case err != nil:
			t.Errorf("%s: %v", c.text, err)
		case r.addr != c.addr || r.mode != c.mode:
			t.Errorf("%s: %s %d, want %s %d", c.text, r.addr, r.mode, c.addr, c.mode)
		}
	}
}

// certificate for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestRelayTLS(t *testing.T) {
	cert, pool := certificate(t)
	trusted := &tls.Config{RootCAs: pool}
	withTLS := func(s *smtp.Server) { s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}} }
	for _, c := range []struct {
		name, query string
		configure   func(*smtp.Server)
		config      *tls.Config
		state       string
	}{
		{"opportunistic with an unknown certificate", "", withTLS, nil, journal.Sent},
		{"opportunistic without TLS", "", nil, nil, journal.Sent},
		{"required and trusted", "?tls=required", withTLS, trusted, journal.Sent},
		{"required and unknown certificate", "?tls=required", withTLS, nil, journal.Retry},
		{"required and not offered", "?tls=starttls", nil, trusted, journal.Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay := startRelay(t, c.configure)
			x := newSite(t, sqlite(t), "smtp://"+relay.addr+c.query, func(o *Options) { o.RelayTLS = c.config })
			if o := x.one(t, x.due(t, "u1", "ben@two.test")); o.State != c.state {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestRelayPassword(t *testing.T) {
	relay := startRelay(t, func(s *smtp.Server) { s.AllowInsecureAuth = true })
	relay.login = func(user, password string) error {
		if user != "ann" || password != "secret" {
			return errors.New("no")
		}
		return nil
	}
	x := newSite(t, sqlite(t), "smtp://ann:secret@"+relay.addr+"?tls=none", nil)
	if o := x.one(t, x.due(t, "u1", "ben@two.test")); o.State != journal.Sent {
		t.Errorf("right password: %+v", o)
	}
	// A wrong password is the site's mistake: the mail waits.
	x = newSite(t, sqlite(t), "smtp://ann:wrong@"+relay.addr+"?tls=none", nil)
	if o := x.one(t, x.due(t, "u1", "ben@two.test")); o.State != journal.Retry || strings.Contains(o.Sentence, "wrong@") {
		t.Errorf("wrong password: %+v", o)
	}
	r, err := parseRelay("smtp://ann:secret@mail.test?tls=none")
	if err != nil || r.mode != tlsNone {
		t.Fatal(err)
	}
}
