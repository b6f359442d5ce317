package cms_test

import (
	"crypto/x509"
	"testing"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/internal/harness/certs"
)

// FuzzRead gives hostile octets to both readers: nothing panics, and no
// signature holds over content that was not signed.
func FuzzRead(f *testing.F) {
	ca := certs.CA(f, "Test CA")
	var keys []cms.Key
	for _, kind := range []string{"rsa", "p256"} {
		id := ca.Issue(f, kind, nil, "ann@one.test")
		keys = append(keys, cms.Key{Private: id.Key, Certificate: id.Cert})
		for _, detached := range []bool{true, false} {
			data, err := cms.Sign(text, []cms.Signer{signerOf(id)}, cms.SignOptions{Detached: detached, Time: certs.Now})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
		for _, with := range []cms.Cipher{cms.AES256GCM, cms.AES128CBC} {
			data, err := cms.Encrypt(text, []*x509.Certificate{id.Cert}, with)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte{0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 'a', 0x04, 0x01, 'b', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := cms.ParseSigned(data); err == nil {
			for _, sig := range s.Verify([]byte("never signed by anyone")) {
				if sig.Err == nil {
					t.Errorf("a signature by %s over content that nobody signed", sig.Certificate.Subject)
				}
			}
			s.Verify(s.Content)
		}
		if e, err := cms.Decrypt(data, keys); err == nil && len(e.Content) > len(data) {
			t.Errorf("%d octets from %d", len(e.Content), len(data))
		}
	})
}
