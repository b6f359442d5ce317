package smime_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/harness/program"
)

const entity = "Content-Type: text/calendar; method=REPLY; charset=UTF-8\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

func sign(t *testing.T, id *certs.Identity, text string) []byte {
	t.Helper()
	out, err := smime.Sign([]byte(text), []cms.Signer{{Key: id.Key, Chain: id.Chain}}, certs.Now)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parts takes a multipart/signed apart in the plainest way.
func parts(t *testing.T, signed []byte) (content, signature []byte) {
	t.Helper()
	_, boundary, _ := strings.Cut(string(signed), `boundary="`)
	boundary, _, _ = strings.Cut(boundary, `"`)
	pieces := strings.Split(string(signed), "\r\n--"+boundary)
	if len(pieces) != 4 {
		t.Fatalf("%d pieces at the boundary %q, want 4:\n%s", len(pieces), boundary, signed)
	}
	_, encoded, _ := strings.Cut(pieces[2], "\r\n\r\n")
	signature, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded, "\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.TrimPrefix(pieces[1], "\r\n")), signature
}

func TestSignAndVerify(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	id := ca.Issue(t, "p384", nil, "ann@one.test")
	content, signature := parts(t, sign(t, id, entity))
	if string(content) != entity {
		t.Errorf("the signed part is %q", content)
	}
	for _, form := range []string{entity, strings.ReplaceAll(entity, "\r\n", "\n")} { // a pipe gives bare line feeds
		s, sigs, err := smime.Verify([]byte(form), signature)
		if err != nil || len(sigs) != 1 || sigs[0].Err != nil {
			t.Fatalf("%+v, %v", sigs, err)
		}
		a := smime.Authority{Roots: []*x509.Certificate{ca.Cert}, Now: certs.Now}
		if v := a.Check(sigs[0], s.Certificates); v.Standing != smime.Trusted || !slices.Equal(v.Addresses, []string{"ann@one.test"}) {
			t.Errorf("%+v", v)
		}
	}
	if !strings.Contains(string(sign(t, id, entity)), `micalg="sha-384"`) {
		t.Error("micalg does not name the hash")
	}
}

func TestVerifyRefusesASecondContent(t *testing.T) {
	id := certs.CA(t, "Test CA").Issue(t, "p256", nil, "ann@one.test")
	opaque, err := cms.Sign([]byte("one content"), []cms.Signer{{Key: id.Key, Chain: id.Chain}}, cms.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := smime.Verify([]byte("one content"), opaque); err == nil {
		t.Error("a signature with a content of its own is taken for a detached one")
	}
	if content, _, sigs, err := smime.Open(opaque); err != nil || string(content) != "one content" || sigs[0].Err != nil {
		t.Errorf("%q %+v %v", content, sigs, err)
	}
}

// Each standing, with what leads to it.
func TestStandings(t *testing.T) {
	ca, stranger := certs.CA(t, "Test CA"), certs.CA(t, "Unknown CA")
	sub := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
		c.Subject = pkix.Name{CommonName: "Department CA"}
	})
	ann := ca.Issue(t, "p256", nil, "Ann@ONE.test")
	below := sub.Issue(t, "p256", nil, "ben@one.test")
	other := stranger.Issue(t, "p256", nil, "eve@two.test", "ann@one.test")
	expired := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = certs.Now.AddDate(-2, 0, 0), certs.Now.AddDate(0, 0, -1)
	}, "old@one.test")
	early := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = certs.Now.AddDate(0, 0, 1), certs.Now.AddDate(1, 0, 0)
	}, "new@one.test")
	web := ca.Issue(t, "p256", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "web@one.test")
	sealing := ca.Issue(t, "p256", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, "seal@one.test")
	nobody := ca.Issue(t, "p256", func(c *x509.Certificate) { c.Subject.CommonName = "ann@one.test" })
	legacy := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "legacy@one.test"}}
	})
	overridden := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "boss@one.test"}}
	}, "clerk@one.test")
	confined := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
		c.Subject = pkix.Name{CommonName: "CA of one.test alone"}
		c.PermittedEmailAddresses, c.PermittedDNSDomainsCritical = []string{"one.test"}, true
	})
	inSubject := func(address string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: address}}
		}
	}
	within, beyond := confined.Issue(t, "p256", nil, "pat@one.test"), confined.Issue(t, "p256", nil, "boss@two.test")
	smuggled := confined.Issue(t, "p256", inSubject("boss@two.test"))
	a := smime.Authority{
		Roots:   []*x509.Certificate{ca.Cert},
		Pinned:  map[string][]string{smime.Fingerprint(other.Cert): {"EVE@two.test"}},
		Revoked: map[string]bool{},
		Now:     certs.Now,
	}
	revoking := a
	revoking.Pinned = map[string][]string{smime.Fingerprint(ann.Cert): {"ann@one.test"}}
	revoking.Revoked = map[string]bool{smime.Fingerprint(ann.Cert): true, smime.Fingerprint(sub.Cert): true}
	bare := smime.Authority{Now: certs.Now}
	for _, c := range []struct {
		name      string
		authority smime.Authority
		id        *certs.Identity
		want      smime.Standing
		addresses []string
	}{
		{"certified", a, ann, smime.Trusted, []string{"Ann@one.test"}},
		{"certified through another", a, below, smime.Trusted, []string{"ben@one.test"}},
		{"pinned for one of its addresses", a, other, smime.Trusted, []string{"eve@two.test"}},
		{"of an unknown authority", bare, ann, smime.Unknown, []string{"Ann@one.test"}},
		{"ran out", a, expired, smime.Expired, nil},
		{"too early", a, early, smime.Expired, nil},
		{"for web servers", a, web, smime.NotMail, nil},
		{"not for signing", a, sealing, smime.NotMail, nil},
		{"only the common name", a, nobody, smime.NoAddress, nil},
		{"address in the subject", a, legacy, smime.Trusted, []string{"legacy@one.test"}},
		{"address in the subject beside a subjectAltName", a, overridden, smime.Trusted, []string{"clerk@one.test"}},
		{"within the name constraints", a, within, smime.Trusted, []string{"pat@one.test"}},
		{"beyond the name constraints", a, beyond, smime.Unknown, nil},
		{"beyond the name constraints, in the subject", a, smuggled, smime.Unknown, nil},
		{"revoked", revoking, ann, smime.Revoked, nil},
		{"authority above revoked", revoking, below, smime.Revoked, nil},
	} {
		content, signature := parts(t, sign(t, c.id, entity))
		s, sigs, err := smime.Verify(content, signature)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		v := c.authority.Check(sigs[0], s.Certificates)
		if v.Standing != c.want || c.addresses != nil && !slices.Equal(v.Addresses, c.addresses) {
			t.Errorf("%s: %s %v, want %s %v", c.name, v.Standing, v.Addresses, c.want, c.addresses)
		}
		if v.Sentence == "" || !strings.HasSuffix(v.Sentence, ".") {
			t.Errorf("%s: no sentence: %q", c.name, v.Sentence)
		}
	}
	content, signature := parts(t, sign(t, ann, entity))
	_, sigs, err := smime.Verify(append(content, '!'), signature)
	if err != nil {
		t.Fatal(err)
	}
	if v := a.Check(sigs[0], nil); v.Standing != smime.Broken {
		t.Errorf("changed content: %+v", v)
	}
}

// The command that mail programs are tested with agrees, both ways.
func TestOpenSSLAgrees(t *testing.T) {
	openssl := program.Need(t, "crypto", "openssl")
	dir := t.TempDir()
	ca := certs.CA(t, "Test CA")
	id := ca.Issue(t, "rsa", nil, "ann@one.test")
	cert, key := id.Write(t, dir, "ann")
	root, _ := ca.Write(t, dir, "ca")
	run := func(stdin []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.Command(openssl, args...)
		cmd.Stdin = bytes.NewReader(stdin)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, errs.Bytes())
		}
		return out
	}
	signed := append([]byte("MIME-Version: 1.0\r\n"), sign(t, id, entity)...)
	if out := run(signed, "smime", "-verify", "-CAfile", root, "-attime", "1780315200"); string(smime.Canonical(out)) != entity {
		t.Errorf("OpenSSL verified %q", out)
	}
	sealed, err := smime.Encrypt(sign(t, id, entity), []*x509.Certificate{id.Cert}, cms.AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	inner := run(append([]byte("MIME-Version: 1.0\r\n"), sealed...), "cms", "-decrypt", "-recip", cert, "-inkey", key)
	if out := run(append([]byte("MIME-Version: 1.0\r\n"), inner...), "smime", "-verify", "-CAfile", root, "-attime", "1780315200"); string(smime.Canonical(out)) != entity {
		t.Errorf("OpenSSL opened %q", out)
	}
	file := filepath.Join(dir, "entity")
	if err := os.WriteFile(file, []byte(entity), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs := run(nil, "cms", "-sign", "-binary", "-in", file, "-signer", cert, "-inkey", key, "-outform", "DER")
	s, sigs, err := smime.Verify([]byte(entity), theirs)
	a := smime.Authority{Roots: []*x509.Certificate{ca.Cert}, Now: certs.Now.Add(time.Hour)}
	if err != nil || a.Check(sigs[0], s.Certificates).Standing != smime.Trusted {
		t.Errorf("%+v %v", sigs, err)
	}
}

// A person who has to decide reads whose certificate it is, by whom, how long;
// what strangers write into it stays one harmless line.
func TestDescribe(t *testing.T) {
	ca := certs.CA(t, "Known CA")
	for _, c := range []struct {
		name string
		id   *certs.Identity
		want []string
	}{
		{"issued", ca.Issue(t, "p256", nil, "dan@two.test"), []string{"for dan@two.test", "issued by “Known CA”", "valid from ", " to ", "its fingerprint begins with "}},
		{"many addresses", ca.Issue(t, "p256", nil, "a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"), []string{"a@x.test, b@x.test, c@x.test and 2 more addresses"}},
		{"hostile", ca.Issue(t, "p256", func(c *x509.Certificate) {
			c.Subject.CommonName = "Dan\r\n\u202eevil\x1b[2J" + strings.Repeat("x", 500)
		}, "dan@two.test"), []string{"that of “Danevil[2Jxxx"}},
		{"its own issuer", ca, []string{"“Known CA”", "no mail address", "issued by themselves"}},
	} {
		got := smime.Describe(c.id.Cert)
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", c.name, got, w)
			}
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == '\u202e' }) || len(got) > 800 {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
