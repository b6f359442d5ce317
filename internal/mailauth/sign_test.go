package mailauth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

func pemKey(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// What is signed here passes here, with the record that Record gives, and a
// second From before it does not.
func TestSignAndCheck(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{ed, rsaKey} {
		s, err := NewSigner("cal", pemKey(t, key))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Sign([]byte(invitation), "One.test")
		if err != nil {
			t.Fatal(err)
		}
		name, text, err := s.Record("one.test")
		if err != nil || name != "cal._domainkey.one.test" {
			t.Fatal(name, err)
		}
		z := &zone{txt: map[string][]string{name: {text}, "_dmarc.one.test": {"v=DMARC1; p=reject"}}}
		for mail, want := range map[string]string{
			string(raw):                             "dkim=pass dmarc=pass",
			"From: boss@one.test\r\n" + string(raw): "dkim=fail dmarc=fail",
			strings.Replace(string(raw), "text/calendar", "text/x", 1): "dkim=fail dmarc=fail",
		} {
			if got := words(New(z, time.Now).Check(context.Background(), []byte(mail), "one.test", Connection{})); got != want {
				t.Errorf("%T: %s, want %s\n%s", key, got, want, mail)
			}
		}
	}
}

func TestUnfitKeys(t *testing.T) {
	for name, c := range map[string]struct{ selector, key, says string }{
		"no selector": {"", "", "selector"},
		"no PEM":      {"s", "hello", "not in PEM"},
		"no key":      {"s", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"},
	} {
		if _, err := NewSigner(c.selector, []byte(c.key)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
