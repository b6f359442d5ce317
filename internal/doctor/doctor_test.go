package doctor_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/doctor"
	"github.com/convene-cal/convene/internal/store"
)

// records answers as the network would.
type records struct {
	srv  map[string]string
	mx   map[string]string
	txt  map[string][]string
	host map[string]bool
	err  error
}

func none(name string) error { return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true} }

func (r records) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if r.err != nil {
		return "", nil, r.err
	}
	if s, ok := r.srv["_"+service+"._"+proto+"."+name]; ok {
		return "", []*net.SRV{{Target: s, Port: 443}}, nil
	}
	return "", nil, none(name)
}

func (r records) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if r.err != nil {
		return nil, r.err
	}
	if s, ok := r.mx[name]; ok {
		return []*net.MX{{Host: s}}, nil
	}
	return nil, none(name)
}

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if r.err != nil {
		return nil, r.err
	}
	if s, ok := r.txt[name]; ok {
		return s, nil
	}
	return nil, none(name)
}

func (r records) LookupHost(_ context.Context, name string) ([]string, error) {
	if r.host[name] {
		return []string{"192.0.2.1"}, nil
	}
	return nil, none(name)
}

type health struct {
	store.Health
	err error
}

func (h health) Engine() string                              { return "sqlite" }
func (h health) Check(context.Context) (store.Health, error) { return h.Health, h.err }
func examine(t *testing.T, o doctor.Options) map[string]doctor.Finding {
	t.Helper()
	found := map[string]doctor.Finding{}
	doctor.Examine(t.Context(), o, func(f doctor.Finding) {
		if f.Message == "" || (f.State == doctor.Error || f.State == doctor.Warning) && f.Advice == "" {
			t.Errorf("%+v says nothing or does not help", f)
		}
		key := strings.TrimSpace(f.Check + " " + f.Subject)
		if old, ok := found[key]; !ok || old.State == doctor.OK {
			found[key] = f
		}
	})
	return found
}

func expect(t *testing.T, found map[string]doctor.Finding, want map[string]string) {
	t.Helper()
	for key, state := range want {
		f, ok := found[key]
		if got, part, _ := strings.Cut(state, ": "); !ok || f.State != got || !strings.Contains(f.Message+f.Advice, part) {
			t.Errorf("%s: %+v, want %s", key, f, state)
		}
	}
}

var released = func() time.Time {
	t, _ := time.Parse("2006", tz.Version()[:4])
	return t.AddDate(0, 11, 0)
}()

// A service that is as it should be has no fault.
func TestAllIsWell(t *testing.T) {
	now := released
	pair, roots := certificate(t, now.AddDate(0, 0, -1), now.AddDate(0, 3, 0), "cal.convene-cal.org")
	proxy := httptest.NewUnstartedServer(http.RedirectHandler("/dav/", http.StatusMovedPermanently))
	proxy.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	proxy.StartTLS()
	defer proxy.Close()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			http.NotFound(w, r)
		}
	}))
	defer service.Close()
	lmtp := greeting(t, "220 here\r\n")
	dir := t.TempDir()
	file := filepath.Join(dir, "convene.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Data, cfg.Domains, cfg.Hostname = dir, []string{"convene-cal.org"}, "cal.convene-cal.org"
	cfg.HTTP.Listen, cfg.HTTP.PublicURL = service.Listener.Addr().String(), "https://cal.convene-cal.org"
	cfg.Mail.Relay, cfg.Mail.LMTPListen = "smtp://user:secret@relay.convene-cal.org", lmtp
	greeted := false
	found := examine(t, doctor.Options{
		Config: cfg, File: file, Now: now, Roots: roots, Network: true, Timeout: 5 * time.Second,
		Store: health{Health: store.Health{Schema: 1, Accounts: 2, Administrators: 1, Objects: 3}},
		Resolver: records{
			srv:  map[string]string{"_caldavs._tcp.convene-cal.org": "cal.convene-cal.org."},
			mx:   map[string]string{"convene-cal.org": "mx.convene-cal.org."},
			txt:  map[string][]string{"convene-cal.org": {"other", "v=spf1 mx -all"}, "_dmarc.convene-cal.org": {"v=DMARC1; p=reject"}},
			host: map[string]bool{"cal.convene-cal.org": true, "mx.convene-cal.org": true},
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "cal.convene-cal.org:443" {
				address = proxy.Listener.Addr().String()
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		Relay: func(context.Context) error { greeted = true; return nil },
	})
	for key, f := range found {
		if f.State == doctor.Error || f.State == doctor.Warning {
			t.Errorf("%s: %+v", key, f)
		}
	}
	if !greeted {
		t.Error("the relay was not asked")
	}
	expect(t, found, map[string]string{
		"public-url https://cal.convene-cal.org": "ok", "dns _caldavs._tcp.convene-cal.org": "ok", "dns MX convene-cal.org": "ok", "dns SPF convene-cal.org": "ok",
		"dns DMARC convene-cal.org": "ok", "relay mail.relay": "ok", "listener http.listen": "ok: ready", "listener mail.lmtp-listen": "ok", "zones " + tz.Version(): "ok",
		"listener cap.listen": doctor.Off,
	})
}

// Each fault is found and said.
func TestFaults(t *testing.T) {
	now := released
	dir := t.TempDir()
	file := filepath.Join(dir, "convene.toml")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	pair, _ := certificate(t, now.AddDate(0, -3, 0), now.AddDate(0, 0, 3), "other.convene-cal.org")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600)
	os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	silent := httptest.NewServer(http.NotFoundHandler())
	defer silent.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	nobody := closed.Listener.Addr().String()
	closed.Close()

	cfg := config.Default()
	cfg.Data, cfg.Domains, cfg.Hostname = dir, []string{"convene-cal.org", "two.convene-cal.org", "home.test"}, "cal.convene-cal.org"
	cfg.HTTP.TLS, cfg.HTTP.Cert, cfg.HTTP.Key, cfg.HTTP.Listen = "files", cert, key, nobody
	cfg.HTTP.PublicURL = "http://cal.convene-cal.org"
	cfg.Mail.Relay, cfg.Mail.SMTPListen = "smtp://user:secret@relay.convene-cal.org", silent.Listener.Addr().String()
	o := doctor.Options{
		Config: cfg, File: file, Now: now, Network: true, Timeout: 300 * time.Millisecond,
		Store: health{Health: store.Health{Damage: []string{"a page is bad"}, Unindexed: 4, Accounts: 1, OldestDue: now.Add(-5 * time.Hour), Newest: now.Add(time.Hour)}},
		Resolver: records{
			srv: map[string]string{"_caldavs._tcp.convene-cal.org": "old.convene-cal.org."},
			mx:  map[string]string{"two.convene-cal.org": "."},
			txt: map[string][]string{"_dmarc.convene-cal.org": {"v=DMARC1; p=none"}},
		},
		Relay: func(context.Context) error { return errors.New("the relay is gone") },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "cal.convene-cal.org") {
				address = silent.Listener.Addr().String()
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	expect(t, examine(t, o), map[string]string{
		"configuration " + file: "warning: password", "store sqlite": "error: a page is bad", "index": "error: --rebuild", "accounts": "warning: administrator",
		"queue": "warning: 5h", "clock": "error: put back", "listener http.listen": "warning: nobody", "listener mail.smtp-listen": "error: no mail server",
		"tls " + cert: "warning: ends on", "public-url http://cal.convene-cal.org": "warning: in the clear",
		"dns _caldavs._tcp.convene-cal.org": "warning: names old.convene-cal.org", "dns _caldavs._tcp.two.convene-cal.org": "warning: IN SRV 0 1 443 cal.convene-cal.org.",
		"dns MX convene-cal.org": "error: no MX", "dns MX two.convene-cal.org": "error: takes no mail", "dns SPF convene-cal.org": "warning: v=spf1",
		"dns DMARC convene-cal.org": "warning: p=quarantine", "dns DMARC two.convene-cal.org": "warning: TXT", "dns home.test": doctor.Off, "relay mail.relay": "error: gone",
	})

	o.Config.Mail.SMTPListen, o.Config.HTTP.Key = "", cert
	o.Store, o.StoreErr, o.File = nil, errors.New("locked"), ""
	o.Now = now.AddDate(2, 0, 0)
	o.Resolver = records{err: &net.DNSError{Err: "timeout", IsTimeout: true}}
	expect(t, examine(t, o), map[string]string{
		"configuration": "warning: no configuration file", "store": "error: locked", "zones " + tz.Version(): "warning: newer release", "tls " + cert: "error: cannot be used",
		"dns _caldavs._tcp.convene-cal.org": "warning: no answer", "dns MX convene-cal.org": "warning: no answer", "dns SPF convene-cal.org": "warning: no answer",
		"mail mail.lmtp-listen": "warning: no way in",
	})
	o.Now = released.AddDate(-20, 0, 0)
	expect(t, examine(t, o), map[string]string{"clock": "error: before the time zone data"})
}

// The key that signs mail is compared with the DNS.
func TestDKIM(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Data, cfg.Domains = t.TempDir(), []string{"convene-cal.org"}
	cfg.Mail.Relay = "smtp://relay.convene-cal.org"
	cfg.Mail.DKIMKey, cfg.Mail.DKIMSelector = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "cal"
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	for text, want := range map[string]string{record: "ok", "v=DKIM1; p=other": "error: " + record, "": "error: cal._domainkey.convene-cal.org"} {
		o := doctor.Options{Config: cfg, Now: released, Network: true, Timeout: time.Second, Resolver: records{txt: map[string][]string{"cal._domainkey.convene-cal.org": {text}}}}
		expect(t, examine(t, o), map[string]string{"dns DKIM convene-cal.org": want})
	}
	cfg.Mail.DKIMSelector = ""
	expect(t, examine(t, doctor.Options{Config: cfg, Now: released, Network: true, Timeout: time.Second, Resolver: records{}}), map[string]string{"dns DKIM convene-cal.org": "error: selector"})
}

// greeting listens and says one line to whoever comes.
func greeting(t *testing.T, line string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, line)
			bufio.NewReader(c).ReadString('\n')
			c.Close()
		}
	}()
	return l.Addr().String()
}

func certificate(t *testing.T, from, to time.Time, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// The site's own zones are counted, and a file that cannot be read is told with
// its line.
func TestZonesOfTheSite(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "HQ = Europe/Berlin\nShip = UTC-03:30\n", ".hidden": "no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config.Default()
	cfg.Zones = dir
	expect(t, examine(t, doctor.Options{Config: cfg, Now: released}), map[string]string{"zones " + dir: "ok: 2 time zones"})
	if err := os.WriteFile(filepath.Join(dir, "b.txt"), []byte("HQ = Europe/Berlin\nHome = Atlantis\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, examine(t, doctor.Options{Config: cfg, Now: released}), map[string]string{"zones " + dir: "error: b.txt: line 2"})
}
