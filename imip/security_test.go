package imip

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/harness/certs"
)

func signed(t *testing.T, id *certs.Identity, entity string) string {
	t.Helper()
	out, err := smime.Sign([]byte(entity), []cms.Signer{{Key: id.Key, Chain: id.Chain}}, certs.Now)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func opaque(t *testing.T, id *certs.Identity, entity string) string {
	t.Helper()
	out, err := cms.Sign([]byte(entity), []cms.Signer{{Key: id.Key, Chain: id.Chain}}, cms.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(out) + "\r\n"
}

func sealed(t *testing.T, to *certs.Identity, entity string, with cms.Cipher) string {
	t.Helper()
	out, err := smime.Encrypt([]byte(entity), []*x509.Certificate{to.Cert}, with)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// opener opens with one person's key.
func opener(id *certs.Identity) Opener {
	return func(protocol string, data []byte) ([]byte, bool, []*Signature, error) {
		if protocol != SMIME {
			return nil, false, nil, errors.New("no such key")
		}
		e, err := cms.Decrypt(data, []cms.Key{{Private: id.Key, Certificate: id.Cert}})
		if err != nil {
			return nil, false, nil, err
		}
		return e.Content, e.Authenticated, nil, nil
	}
}

// holders are the signers of what was found whose signatures hold.
func holders(t *testing.T, f Found) string {
	t.Helper()
	var list []string
	for _, s := range f.Signatures {
		var sigs []cms.Signature
		var err error
		if s.Content == nil {
			_, _, sigs, err = smime.Open(s.Value)
		} else {
			_, sigs, err = smime.Verify(s.Content, s.Value)
		}
		if err != nil {
			list = append(list, "unreadable")
			continue
		}
		for _, sig := range sigs {
			if sig.Err != nil {
				list = append(list, "broken")
			} else {
				list = append(list, smime.Addresses(sig.Certificate)...)
			}
		}
	}
	return strings.Join(list, " ")
}

func TestSignedAndEncryptedForms(t *testing.T) {
	ca := certs.CA(t, "Test CA")
	ann, ben, eve := ca.Issue(t, "p256", nil, "ann@one.test"), ca.Issue(t, "p256", nil, "ben@two.test"), ca.Issue(t, "p256", nil, "eve@bad.test")
	request := calendar("text/calendar; method=REQUEST", object("REQUEST", "u1"))
	other := calendar("text/calendar; method=CANCEL", object("CANCEL", "u1"))
	text := "Content-Type: text/plain\r\n\r\nHello\r\n"
	clear := signed(t, ann, mixed("b", text, request))
	nested := request
	for range 30 {
		nested = opaque(t, ann, nested)
	}
	for _, c := range []struct{ name, mail, found, signers string }{
		{"in clear", clear, "REQUEST:u1", "ann@one.test"},
		{"in clear with a footer appended", clear + "\r\n-- \r\nThe list\r\n", "REQUEST:u1", "ann@one.test"},
		{"in clear and changed", strings.Replace(clear, "Planning", "Plotting", 1), "REQUEST:u1", "broken"},
		{"opaque", opaque(t, ann, request), "REQUEST:u1", "ann@one.test"},
		{"opaque without smime-type", strings.Replace(opaque(t, ann, request), "smime-type=signed-data; ", "", 1), "REQUEST:u1", "ann@one.test"},
		{"encrypted", sealed(t, ben, request, cms.AES256GCM), "REQUEST:u1", ""},
		{"encrypted without authentication", sealed(t, ben, request, cms.AES128CBC), "REQUEST:u1!malleable", ""},
		{"signed and encrypted", sealed(t, ben, clear, cms.AES256GCM), "REQUEST:u1", "ann@one.test"},
		{"signed and encrypted without authentication", sealed(t, ben, clear, cms.AES128CBC), "REQUEST:u1", "ann@one.test"},
		{"signed around the encryption only", signed(t, eve, sealed(t, ben, request, cms.AES256GCM)), "REQUEST:u1", ""},
		{"signed, encrypted, signed", signed(t, eve, sealed(t, ben, clear, cms.AES256GCM)), "REQUEST:u1", "ann@one.test"},
		{"signed twice", signed(t, eve, clear), "REQUEST:u1", "eve@bad.test ann@one.test"},
		{"signed for somebody else", sealed(t, eve, request, cms.AES256GCM), "", ""},
		{"a calendar beside the signed part", mixed("o", signed(t, eve, text), other), "CANCEL:u1", ""},
		{"the signed part counts before another with its UID", mixed("o", other, clear), "REQUEST:u1 CANCEL:u1", "ann@one.test"},
		{"the signature of another mail", strings.Replace(clear, text, text+"\r\n", 1), "REQUEST:u1", "broken"},
		{"three parts", strings.Replace(clear, "\r\nContent-Type: application/pkcs7-signature", "\r\n"+text+"\r\n"+clear[strings.LastIndex(clear[:strings.Index(clear, "Content-Type: application/pkcs7-signature")-2], "\r\n")+2:strings.Index(clear, "Content-Type: application/pkcs7-signature")]+"Content-Type: application/pkcs7-signature", 1), "REQUEST:u1", "unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Reader{Open: opener(ben)}.Parse([]byte(head + c.mail))
			if err != nil {
				t.Fatal(err)
			}
			if got := found(p); got != c.found {
				t.Fatalf("found %q, want %q (%s)\n%s", got, c.found, p.Sentence, c.mail)
			}
			if len(p.Found) > 0 {
				if got := holders(t, p.Found[0]); got != c.signers {
					t.Errorf("signed by %q, want %q", got, c.signers)
				}
			} else if !strings.Contains(p.Sentence, "encrypted") {
				t.Errorf("sentence %q", p.Sentence)
			}
		})
	}
	if _, err := Parse([]byte(head+nested), Limits{}); !errors.Is(err, ErrLimit) {
		t.Errorf("30 opaque signatures around each other: %v, want ErrLimit", err)
	}
}
