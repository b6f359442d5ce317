package cms_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/internal/harness/certs"
)

var kinds = []string{"rsa", "p256", "p384", "p521", "ed25519"}

func signerOf(id *certs.Identity) cms.Signer { return cms.Signer{Key: id.Key, Chain: id.Chain} }

func TestSignAndVerify(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	at := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	for _, kind := range kinds {
		for _, detached := range []bool{true, false} {
			id := ca.Issue(t, kind, nil, "ann@one.test")
			content := []byte("Content-Type: text/plain\r\n\r\nhello\r\n")
			data, err := cms.Sign(content, []cms.Signer{signerOf(id)}, cms.SignOptions{Detached: detached, Time: at})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			s, err := cms.ParseSigned(data)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if s.Detached != detached || !detached && !bytes.Equal(s.Content, content) {
				t.Errorf("%s: detached %v, content %q", kind, s.Detached, s.Content)
			}
			sigs := s.Verify(content)
			if len(sigs) != 1 || sigs[0].Err != nil || !sigs[0].Certificate.Equal(id.Cert) || !sigs[0].Time.Equal(at) || sigs[0].Weak {
				t.Errorf("%s: %+v", kind, sigs)
			}
			if sigs := s.Verify(append(content, ' ')); !errors.Is(sigs[0].Err, cms.ErrSignature) {
				t.Errorf("%s: a changed content: %v", kind, sigs[0].Err)
			}
		}
	}
}

func TestSeveralSigners(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	var signers []cms.Signer
	for _, kind := range kinds {
		signers = append(signers, signerOf(ca.Issue(t, kind, nil, kind+"@one.test")))
	}
	data, err := cms.Sign([]byte("x"), signers, cms.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(data)
	if err != nil {
		t.Fatal(err)
	}
	sigs := s.Verify(s.Content)
	if len(sigs) != len(kinds) {
		t.Fatalf("%d signatures, want %d", len(sigs), len(kinds))
	}
	for _, sig := range sigs {
		if sig.Err != nil || !sig.Time.IsZero() {
			t.Errorf("%s: %v, time %v", sig.Certificate.Subject, sig.Err, sig.Time)
		}
	}
}

// Each octet of a signed message, changed, leaves no signature that holds over
// another content, with the same signer.
func TestChangedMessageNeverVerifies(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	id := ca.Issue(t, "p256", nil, "ann@one.test")
	content := []byte("the content")
	data, err := cms.Sign(content, []cms.Signer{signerOf(id)}, cms.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 0x01
		s, err := cms.ParseSigned(changed)
		if err != nil {
			continue
		}
		for _, sig := range s.Verify(s.Content) {
			if sig.Err == nil && (!bytes.Equal(s.Content, content) || !sig.Certificate.Equal(id.Cert)) {
				t.Errorf("octet %d changed: content %q is signed by %s", i, s.Content, sig.Certificate.Subject)
			}
		}
	}
}

func TestSignRefusals(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	ann, ben := ca.Issue(t, "p256", nil, "ann@one.test"), ca.Issue(t, "p256", nil, "ben@one.test")
	for name, c := range map[string]struct {
		signers []cms.Signer
		want    error
	}{
		"none":            {nil, cms.ErrLimit},
		"too many":        {slices.Repeat([]cms.Signer{signerOf(ann)}, 17), cms.ErrLimit},
		"no certificate":  {[]cms.Signer{{Key: ann.Key}}, cms.ErrAlgorithm},
		"no key":          {[]cms.Signer{{Chain: ann.Chain}}, cms.ErrAlgorithm},
		"somebody else's": {[]cms.Signer{{Key: ben.Key, Chain: ann.Chain}}, cms.ErrAlgorithm},
	} {
		if _, err := cms.Sign([]byte("x"), c.signers, cms.SignOptions{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestEncryptAndDecrypt(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	var recipients []*x509.Certificate
	var ids []*certs.Identity
	for _, kind := range []string{"rsa", "p256", "p384", "p521"} {
		id := ca.Issue(t, kind, nil, kind+"@one.test")
		ids = append(ids, id)
		recipients = append(recipients, id.Cert)
	}
	other := ca.Issue(t, "p256", nil, "eve@two.test")
	for _, with := range []cms.Cipher{cms.AES256GCM, cms.AES128CBC} {
		for _, content := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("0123456789abcdef"), 1000)} {
			data, err := cms.Encrypt(content, recipients, with)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				got, err := cms.Decrypt(data, []cms.Key{{Private: other.Key, Certificate: other.Cert}, {Private: id.Key, Certificate: id.Cert}})
				if err != nil {
					t.Errorf("cipher %d, %s: %v", with, id.Cert.Subject, err)
				} else if !bytes.Equal(got.Content, content) || got.Authenticated != (with == cms.AES256GCM) {
					t.Errorf("cipher %d, %s: %d octets, authenticated %v", with, id.Cert.Subject, len(got.Content), got.Authenticated)
				}
			}
			if _, err := cms.Decrypt(data, []cms.Key{{Private: other.Key, Certificate: other.Cert}}); !errors.Is(err, cms.ErrDecrypt) {
				t.Errorf("somebody else's key: %v", err)
			}
			if with == cms.AES256GCM {
				data[len(data)-20] ^= 1
				if _, err := cms.Decrypt(data, []cms.Key{{Private: ids[0].Key, Certificate: ids[0].Cert}}); err == nil {
					t.Error("a changed message opens")
				}
			}
		}
	}
	ed := ca.Issue(t, "ed25519", nil, "ed@one.test")
	if _, err := cms.Encrypt([]byte("x"), []*x509.Certificate{ed.Cert}, cms.AES256GCM); !errors.Is(err, cms.ErrAlgorithm) {
		t.Errorf("a key that can only sign: %v", err)
	}
}

func TestMalformed(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x30, 0x80}, 100000), 0, 0)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":           {nil, cms.ErrSyntax},
		"text":              {[]byte("-----BEGIN PKCS7-----"), cms.ErrSyntax},
		"deep nesting":      {deep, cms.ErrLimit},
		"length beyond":     {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, cms.ErrSyntax},
		"long length":       {[]byte{0x30, 0xff}, cms.ErrSyntax},
		"no end":            {[]byte{0x30, 0x80, 0x02, 0x01}, cms.ErrSyntax},
		"another type":      {[]byte{0x30, 0x0f, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x02, 0x04, 0x00}, cms.ErrAlgorithm},
		"tag number beyond": {[]byte{0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00}, cms.ErrSyntax},
	} {
		if _, err := cms.ParseSigned(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: ParseSigned: %v, want %v", name, err, c.want)
		}
		if _, err := cms.Decrypt(c.data, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: Decrypt: %v, want %v", name, err, c.want)
		}
	}
}
