package mailauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/convene-cal/convene/internal/trust"
)

// zone answers from a table; what is not there is not found.
type zone struct {
	txt   map[string][]string
	asked []string
	fails bool
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	name = strings.TrimSuffix(name, ".")
	z.asked = append(z.asked, name)
	if z.fails {
		return nil, &net.DNSError{Err: "timeout", Name: name, IsTimeout: true, IsTemporary: true}
	}
	if t, ok := z.txt[name]; ok {
		return t, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupMX(context.Context, string) ([]*net.MX, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

func (z *zone) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

func (z *zone) LookupAddr(context.Context, string) ([]string, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

const invitation = "From: Ann <ann@one.test>\r\nTo: ben@two.test\r\nSubject: Planning\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

var everything = []string{"From", "To", "Subject", "MIME-Version", "Content-Type"}

type signer struct {
	key    crypto.Signer
	record string
}

func newSigner(t testing.TB, kind string) signer {
	t.Helper()
	if kind == "rsa" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		return signer{key, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)}
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
}

func (s signer) sign(t *testing.T, raw, domain string, fields []string) string {
	t.Helper()
	var out bytes.Buffer
	err := dkim.Sign(&out, strings.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: s.key, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// words sums results up: "dkim=pass dmarc=fail".
func words(results []trust.Result) string {
	var s []string
	for _, r := range results {
		s = append(s, r.Method+"="+r.Value)
	}
	return strings.Join(s, " ")
}

func TestCheck(t *testing.T) {
	rsaKey, edKey := newSigner(t, "rsa"), newSigner(t, "ed25519")
	dns := func(more ...string) *zone {
		z := &zone{txt: map[string][]string{
			"s1._domainkey.one.test":      {rsaKey.record},
			"s1._domainkey.mail.one.test": {edKey.record},
			"s1._domainkey.evil.test":     {edKey.record},
		}}
		for i := 0; i < len(more); i += 2 {
			z.txt[more[i]] = append(z.txt[more[i]], more[i+1])
		}
		return z
	}
	signed := rsaKey.sign(t, invitation, "one.test", everything)
	gmail := strings.NewReplacer("text/calendar; method=REQUEST", "multipart/mixed; boundary=b",
		"\r\n\r\n", "\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n--evil\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n").Replace(invitation) + "--b--\r\n"
	unsignedType := rsaKey.sign(t, gmail, "one.test", []string{"From", "Subject"})
	for _, c := range []struct {
		name string
		mail string
		dns  *zone
		want string
	}{
		{"unsigned", invitation, dns(), ""},
		{"signed, no policy", signed, dns(), "dkim=pass dmarc=none"},
		{"signed, with a policy", signed, dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=pass dmarc=pass"},
		{"a pipe gave line feeds", strings.ReplaceAll(signed, "\r\n", "\n"), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=pass dmarc=pass"},
		{"Ed25519 of a domain below", edKey.sign(t, invitation, "mail.one.test", everything), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=pass dmarc=pass"},
		{"strict alignment", edKey.sign(t, invitation, "mail.one.test", everything), dns("_dmarc.one.test", "v=DMARC1; p=reject; adkim=s"), "dkim=pass dmarc=fail"},
		{"strict SPF alone", edKey.sign(t, invitation, "mail.one.test", everything), dns("_dmarc.one.test", "v=DMARC1; p=reject; aspf=s"), "dkim=pass dmarc=pass"},
		{"good signature of another domain", edKey.sign(t, invitation, "evil.test", everything), dns("_dmarc.one.test", "v=DMARC1; p=none", "_dmarc.evil.test", "v=DMARC1; p=none"), "dkim=pass dmarc=fail"},
		{"a public suffix is no relation", edKey.sign(t, invitation, "evil.test", everything), dns("_dmarc.test", "v=DMARC1; p=none; psd=y"), "dkim=pass dmarc=fail"},
		{"both signatures", edKey.sign(t, signed, "evil.test", everything), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=pass dkim=pass dmarc=pass"},
		{"body changed", strings.Replace(signed, "END:VCALENDAR", "END:VCALENDAR ", 1) + "x", dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=fail dmarc=fail"},
		{"subject changed", strings.Replace(signed, "Planning", "Plotting", 1), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=fail dmarc=fail"},
		{"a second From on top", "From: boss@one.test\r\n" + signed, dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"a second Content-Type on top", "Content-Type: text/plain\r\n" + signed, dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"Content-Type not signed", rsaKey.sign(t, invitation, "one.test", []string{"From", "Subject"}), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"a calendar among the fields", strings.Replace(signed, "\r\n\r\n", "\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n\r\n", 1), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"another boundary for a quoted text", strings.Replace(unsignedType, "boundary=b", "boundary=evil", 1), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"two boundaries", strings.Replace(unsignedType, "boundary=b", "boundary=b; boundary=evil", 1), dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=policy dmarc=fail"},
		{"Content-Type of a multipart not signed", unsignedType, dns("_dmarc.one.test", "v=DMARC1; p=reject"), "dkim=pass dmarc=pass"},
		{"no key in the DNS", signed, &zone{txt: map[string][]string{"_dmarc.one.test": {"v=DMARC1; p=reject"}}}, "dkim=permerror dmarc=fail"},
		{"the DNS does not answer", signed, &zone{fails: true}, "dkim=temperror dmarc=temperror"},
		{"two policy records are none", signed, dns("_dmarc.one.test", "v=DMARC1; p=reject", "_dmarc.one.test", "v=DMARC1; p=none"), "dkim=pass dmarc=none"},
		{"a record without p and rua is none", signed, dns("_dmarc.one.test", "v=DMARC1; pct=abc"), "dkim=pass dmarc=none"},
		{"a record with rua alone", signed, dns("_dmarc.one.test", "v=DMARC1; rua=mailto:d@one.test"), "dkim=pass dmarc=pass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checker := New(c.dns, time.Now)
			results := checker.Check(context.Background(), []byte(c.mail), "one.test", Connection{})
			if got := words(results); got != c.want {
				t.Errorf("%s, want %s: %+v", got, c.want, results)
			}
		})
	}
}

// l= covers only the beginning: what is appended could be a calendar.
func TestBodyLengthIsNoProof(t *testing.T) {
	h := readFields([]byte(invitation))
	if why := h.uncovered(map[string]string{"l": "10"}, append(everything, "content-transfer-encoding"), nil); !strings.Contains(why, "l=") {
		t.Errorf("uncovered says %q", why)
	}
}

func TestSPF(t *testing.T) {
	z := &zone{txt: map[string][]string{"one.test": {"v=spf1 ip4:192.0.2.1 -all"}, "_dmarc.one.test": {"v=DMARC1; p=reject"}}}
	checker := New(z, time.Now)
	for _, c := range []struct {
		name string
		conn Connection
		want string
	}{
		{"from its host", Connection{net.IPv4(192, 0, 2, 1), "mx.one.test", "ann@one.test"}, "spf=pass dmarc=pass"},
		{"from another", Connection{net.IPv4(192, 0, 2, 9), "mx.one.test", "ann@one.test"}, "spf=fail dmarc=fail"},
		{"another envelope", Connection{net.IPv4(192, 0, 2, 1), "mx.one.test", "ann@evil.test"}, "spf=none dmarc=fail"},
		{"no host known", Connection{MailFrom: "ann@one.test"}, ""},
	} {
		if got := words(checker.Check(context.Background(), []byte(invitation), "one.test", c.conn)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The examples of RFC 9989 B.4: what is asked, and which domain is found.
func TestTreeWalk(t *testing.T) {
	for _, c := range []struct {
		start   string
		records map[string][]string
		asked   int
		want    string
	}{
		{"a.mail.example.com", map[string][]string{"_dmarc.mail.example.com": {"v=DMARC1; p=none"}, "_dmarc.example.com": {"v=DMARC1; p=none"}}, 4, "example.com"},
		{"a.mail.example.com", map[string][]string{"_dmarc.mail.example.com": {"v=DMARC1; p=none; psd=n"}, "_dmarc.example.com": {"v=DMARC1; p=none"}}, 2, "mail.example.com"},
		{"a.b.c.d.e.f.g.h.i.j.mail.example.com", map[string][]string{"_dmarc.example.com": {"v=DMARC1; p=none"}}, 8, "example.com"},
		{"giant.bank.example", map[string][]string{"_dmarc.bank.example": {"v=DMARC1; p=none; psd=y"}}, 2, "giant.bank.example"},
		{"mail.giant.bank.example", map[string][]string{"_dmarc.bank.example": {"v=DMARC1; p=none; psd=y"}}, 3, "giant.bank.example"},
		{"nothing.example", nil, 2, "nothing.example"},
	} {
		z := &zone{txt: c.records}
		records, err := New(z, time.Now).walk(context.Background(), c.start)
		if err != nil {
			t.Fatal(err)
		}
		if got := organizational(c.start, records); got != c.want || len(z.asked) != c.asked {
			t.Errorf("%s: %s after %d questions, want %s after %d: %q", c.start, got, len(z.asked), c.want, c.asked, z.asked)
		}
	}
}

func TestAnswersAreRemembered(t *testing.T) {
	z := &zone{txt: map[string][]string{"a.test": {"x"}}}
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	c := newCache(z, func() time.Time { return now })
	for range 3 {
		if texts, err := c.LookupTXT(context.Background(), "a.test"); err != nil || len(texts) != 1 {
			t.Fatal(texts, err)
		}
		if _, err := c.LookupTXT(context.Background(), "b.test"); err == nil {
			t.Fatal("found what is not there")
		}
	}
	if len(z.asked) != 2 {
		t.Errorf("asked %q", z.asked)
	}
	now = now.Add(cacheTime)
	z.fails = true
	var dns *net.DNSError
	for range 2 {
		if _, err := c.LookupTXT(context.Background(), "a.test"); !errors.As(err, &dns) {
			t.Error(err)
		}
	}
	if len(z.asked) != 4 {
		t.Errorf("a failure is remembered: asked %q", z.asked)
	}
}
