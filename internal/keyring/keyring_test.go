package keyring_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/harness/program"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/store"
)

// open makes a store with the account ann, and a keyring whose clock the test moves.
func open(t *testing.T) (*keyring.Keyring, store.AccountID, *time.Time) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	now := certs.Now
	a := store.Account{Name: "ann", Kind: store.Individual, Created: now}
	if err := s.Update(context.Background(), func(tx *store.Tx) error { return tx.AddAccount(&a) }); err != nil {
		t.Fatal(err)
	}
	return keyring.New(s, func() time.Time { return now }), a.ID, &now
}

func pemFile(t *testing.T, id *certs.Identity) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, c := range id.Chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func set(t *testing.T, k *keyring.Keyring, account store.AccountID) *keyring.Set {
	t.Helper()
	s, err := k.For(context.Background(), account)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func standing(t *testing.T, s *keyring.Set, id *certs.Identity) smime.Standing {
	t.Helper()
	data, err := cms.Sign([]byte("x"), []cms.Signer{{Key: id.Key, Chain: id.Chain}}, cms.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, signed, sigs, err := smime.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return s.Authority.Check(sigs[0], signed.Certificates).Standing
}

func TestGenerateSignsUnderTheSitesAuthority(t *testing.T) {
	ctx := context.Background()
	k, ann, now := open(t)
	for _, kind := range []string{"rsa", "ec"} {
		*now = now.Add(time.Minute) // the newest signs
		key, err := k.Generate(ctx, ann, "Ann", []string{"ann@one.test", "a@one.test"}, kind)
		if err != nil {
			t.Fatal(err)
		}
		s := set(t, k, ann)
		signer, ok := s.Signer("A@one.test")
		if !ok || smime.Fingerprint(signer.Chain[0]) != key.Fingerprint {
			t.Fatalf("%s: the new key does not sign: %v", kind, ok)
		}
		if got := standing(t, s, &certs.Identity{Key: signer.Key, Chain: signer.Chain}); got != smime.Trusted {
			t.Errorf("%s: standing %s", kind, got)
		}
		sealed, err := smime.Encrypt([]byte("x"), signer.Chain[:1], cms.AES256GCM)
		if err != nil {
			t.Fatal(err)
		}
		p, err := imip.Reader{Open: s.Open}.Parse(sealed)
		if err != nil || !p.Encrypted || p.Sentence != "The mail has no calendar part." {
			t.Errorf("%s: what was encrypted to the key: %v %q", kind, err, p.Sentence)
		}
	}
	site, err := k.List(ctx, store.Site)
	if err != nil || len(site) != 1 || site[0].Role != keyring.Authority {
		t.Fatalf("one authority is made, not %+v, %v", site, err)
	}
	*now = now.AddDate(4, 0, 0)
	if _, ok := set(t, k, ann).Signer("ann@one.test"); ok {
		t.Error("a key signs after it ran out")
	}
}

func TestImport(t *testing.T) {
	ctx := context.Background()
	k, ann, _ := open(t)
	ca := certs.CA(t, "Test CA")
	id := ca.Issue(t, "p256", nil, "ann@one.test", "other@two.test")
	key, err := k.Import(ctx, ann, []string{"ann@one.test"}, pemFile(t, id), "")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(key.Addresses, " ") != "ann@one.test" || key.Role != keyring.Own {
		t.Errorf("%+v", key)
	}
	p12, err := k.Export(ctx, ann, key.Fingerprint, "secret")
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Import(ctx, ann, []string{"ann@one.test"}, p12, "secret")
	if err != nil || again.Fingerprint != key.Fingerprint {
		t.Errorf("our own PKCS #12: %+v, %v", again, err)
	}
	old := ca.Issue(t, "p256", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = certs.Now.AddDate(-2, 0, 0), certs.Now.AddDate(-1, 0, 0)
	}, "ann@one.test")
	mismatch := *id
	mismatch.Chain = ca.Issue(t, "p256", nil, "ann@one.test").Chain
	for name, c := range map[string]struct {
		data     []byte
		password string
		says     string
	}{
		"nothing":               {nil, "", "neither PEM nor PKCS #12"},
		"no key":                {pemFile(t, id)[strings.Index(string(pemFile(t, id)), "-----BEGIN CERT"):], "", "no private key"},
		"no certificate":        {pemFile(t, &certs.Identity{Key: id.Key}), "", "no certificate"},
		"wrong password":        {p12, "guess", "password does not open"},
		"somebody else's":       {pemFile(t, ca.Issue(t, "p256", nil, "ben@one.test")), "", "none of these is an address"},
		"ran out":               {pemFile(t, old), "", "ran out"},
		"another certificate's": {pemFile(t, &mismatch), "", "does not belong"},
	} {
		if _, err := k.Import(ctx, ann, []string{"ann@one.test"}, c.data, c.password); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a sentence with %q", name, err, c.says)
		}
	}
}

func TestTrustAndRevoke(t *testing.T) {
	ctx := context.Background()
	k, ann, _ := open(t)
	ca := certs.CA(t, "Test CA")
	ben := ca.Issue(t, "p256", nil, "ben@two.test")
	check := func(what string, want smime.Standing) {
		t.Helper()
		if got := standing(t, set(t, k, ann), ben); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("nobody vouches", smime.Unknown)
	keys, err := k.Trust(ctx, ann, ben.Cert.Raw)
	if err != nil || len(keys) != 1 || keys[0].Role != keyring.Person {
		t.Fatalf("%+v %v", keys, err)
	}
	check("his certificate is trusted", smime.Trusted)
	if _, err := k.Revoke(ctx, ann, keys[0].Fingerprint[:12]); err != nil {
		t.Fatal(err)
	}
	check("his certificate is revoked", smime.Revoked)
	if err := k.Delete(ctx, ann, keys[0].Fingerprint); err != nil {
		t.Fatal(err)
	}
	roots, err := k.Trust(ctx, store.Site, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}))
	if err != nil {
		t.Fatal(err)
	}
	check("the authority is trusted by the site", smime.Trusted)
	if _, err := k.Revoke(ctx, store.Site, roots[0].Fingerprint); err != nil {
		t.Fatal(err)
	}
	check("the authority is revoked", smime.Unknown)
	for _, bad := range []string{"", "12", "zzzzzzzzzzzz"} {
		if _, err := k.Revoke(ctx, ann, bad); err == nil {
			t.Errorf("a key is found by %q", bad)
		}
	}
	if _, err := k.Trust(ctx, ann, ben.Cert.Raw, "carl@two.test"); err == nil {
		t.Error("trusted for an address that is not in the certificate")
	}
}

// A certificate that is pinned, or was collected, is its holder's and never an
// authority, whatever it says of itself: what it issues for others is believed for
// nobody.
func TestPinnedIsNoAuthority(t *testing.T) {
	ctx := context.Background()
	eve := certs.CA(t, "Eve's own").Issue(t, "p256", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage |= x509.KeyUsageCertSign
	}, "eve@evil.test")
	asDan, asEve := eve.Issue(t, "p256", nil, "dan@two.test"), eve.Issue(t, "p256", nil, "eve@evil.test")
	for _, c := range []struct {
		name string
		take func(k *keyring.Keyring, ann store.AccountID) error
		want smime.Standing // of eve's own signature
	}{
		{"pinned", func(k *keyring.Keyring, ann store.AccountID) error { return k.Pin(ctx, ann, eve.Cert, "eve@evil.test") }, smime.Trusted},
		{"collected", func(k *keyring.Keyring, ann store.AccountID) error {
			return k.Collect(ctx, ann, eve.Cert, []string{"eve@evil.test"})
		}, smime.Unknown},
		{"collected, then pinned", func(k *keyring.Keyring, ann store.AccountID) error {
			if err := k.Collect(ctx, ann, eve.Cert, []string{"eve@evil.test"}); err != nil {
				return err
			}
			return k.Pin(ctx, ann, eve.Cert, "eve@evil.test")
		}, smime.Trusted},
	} {
		k, ann, _ := open(t)
		if err := c.take(k, ann); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		s := set(t, k, ann)
		if got := standing(t, s, eve); got != c.want || len(s.Authority.Roots) != 0 {
			t.Errorf("%s: eve's own signature is %s, want %s; %d authorities", c.name, got, c.want, len(s.Authority.Roots))
		}
		for who, id := range map[string]*certs.Identity{"dan": asDan, "herself": asEve} {
			if got := standing(t, s, id); got != smime.Unknown {
				t.Errorf("%s: what eve issued for %s is %s", c.name, who, got)
			}
		}
		list, err := k.List(ctx, ann)
		if err != nil || len(list) != 1 || list[0].Role != keyring.Person {
			t.Errorf("%s: listed as %+v, %v", c.name, list, err)
		}
	}
	k, ann, _ := open(t)
	if err := k.Pin(ctx, ann, eve.Cert, "dan@two.test"); err == nil {
		t.Error("pinned for an address that is not in the certificate")
	}
}

func TestCollectedCertificates(t *testing.T) {
	ctx := context.Background()
	k, ann, now := open(t)
	ben := certs.CA(t, "Test CA").Issue(t, "p256", nil, "ben@two.test", "benjamin@two.test")
	if set(t, k, ann).Signs("ben@two.test") {
		t.Error("nobody has signed yet")
	}
	for range 2 {
		if err := k.Collect(ctx, ann, ben.Cert, []string{"ben@two.test"}); err != nil {
			t.Fatal(err)
		}
	}
	s := set(t, k, ann)
	if c, ok := s.Recipient("Ben@TWO.test"); !ok || !c.Equal(ben.Cert) || !s.Signs("ben@two.test") {
		t.Error("the collected certificate is not found")
	}
	if got := standing(t, s, ben); got != smime.Unknown {
		t.Errorf("a collected certificate is believed: %s", got)
	}
	if err := k.Collect(ctx, ann, ben.Cert, []string{"benjamin@two.test"}); err != nil {
		t.Fatal(err)
	}
	if s := set(t, k, ann); !s.Signs("ben@two.test") || !s.Signs("benjamin@two.test") {
		t.Error("another address of the same certificate")
	}
	// Who stopped signing long ago is not kept out for ever.
	*now = ben.Cert.NotAfter.AddDate(0, 0, 1)
	if set(t, k, ann).Signs("ben@two.test") {
		t.Error("a certificate that ran out still asks for signatures")
	}
}

// OpenSSL opens our PKCS #12 and its file is imported here.
func TestPKCS12OfOpenSSL(t *testing.T) {
	openssl := program.Need(t, "crypto", "openssl")
	ctx := context.Background()
	k, ann, _ := open(t)
	dir := t.TempDir()
	id := certs.CA(t, "Test CA").Issue(t, "rsa", nil, "ann@one.test")
	cert, key := id.Write(t, dir, "ann")
	theirs := filepath.Join(dir, "ann.p12")
	run := func(args ...string) []byte {
		t.Helper()
		var errs bytes.Buffer
		cmd := exec.Command(openssl, args...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, errs.Bytes())
		}
		return out
	}
	run("pkcs12", "-export", "-in", cert, "-inkey", key, "-out", theirs, "-passout", "pass:secret")
	data, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Import(ctx, ann, []string{"ann@one.test"}, data, "secret")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := k.Export(ctx, ann, got.Fingerprint, "word")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ours.p12")
	if err := os.WriteFile(file, ours, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run("pkcs12", "-in", file, "-passin", "pass:word", "-nodes"); !bytes.Contains(out, []byte("PRIVATE KEY")) {
		t.Errorf("OpenSSL sees no key:\n%s", out)
	}
}

func TestOpenPGPKeys(t *testing.T) {
	ctx := context.Background()
	k, ann, _ := open(t)
	made, err := k.Generate(ctx, ann, "Ann", []string{"ann@one.test"}, "pgp")
	if err != nil {
		t.Fatal(err)
	}
	private, err := k.Export(ctx, ann, made.Fingerprint, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Delete(ctx, ann, made.Fingerprint); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Import(ctx, ann, []string{"ann@one.test"}, private, "guess"); err == nil || !strings.Contains(err.Error(), "password does not open") {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := k.Import(ctx, ann, []string{"ben@one.test"}, private, "secret"); err == nil || !strings.Contains(err.Error(), "none of these") {
		t.Errorf("somebody else's key: %v", err)
	}
	again, err := k.Import(ctx, ann, []string{"ann@one.test"}, private, "secret")
	if err != nil || again.Fingerprint != made.Fingerprint || again.Role != keyring.Own {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, ok := set(t, k, ann).PGPSigner("ann@one.test"); !ok {
		t.Error("the imported key does not sign")
	}
	if _, err := k.Revoke(ctx, ann, made.Fingerprint); err != nil {
		t.Fatal(err)
	}
	if _, ok := set(t, k, ann).PGPSigner("ann@one.test"); ok {
		t.Error("a revoked key signs")
	}
	if _, err := k.Trust(ctx, ann, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\nx")); err == nil {
		t.Error("half a key is trusted")
	}
}
