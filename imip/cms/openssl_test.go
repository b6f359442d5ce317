package cms_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/harness/program"
)

// openssl runs `openssl ...` in dir and gives what it prints.
func openssl(t *testing.T, dir string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(program.Need(t, "crypto", "openssl"), args...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		t.Logf("openssl %v: %s", args, errs.Bytes())
	}
	return out.Bytes(), err
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var text = []byte("Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")

// What OpenSSL signs verifies here, in each of its forms.
func TestReadSignaturesOfOpenSSL(t *testing.T) {
	dir := t.TempDir()
	ca := certs.CA(t, "Test CA")
	write(t, dir, "content", text)
	variants := []struct {
		name, kind string
		args       []string
	}{
		{"RSA", "rsa", nil},
		{"RSA SHA-512", "rsa", []string{"-md", "sha512"}},
		{"RSA SHA-1", "rsa", []string{"-md", "sha1"}},
		{"RSASSA-PSS", "rsa", []string{"-keyopt", "rsa_padding_mode:pss"}},
		{"RSASSA-PSS SHA-384", "rsa", []string{"-md", "sha384", "-keyopt", "rsa_padding_mode:pss"}},
		{"by key identifier", "p256", []string{"-keyid"}},
		{"ECDSA P-384", "p384", []string{"-md", "sha384"}},
		{"ECDSA P-521", "p521", []string{"-md", "sha512"}},
		{"no attributes", "rsa", []string{"-noattr"}},
		{"opaque", "p256", []string{"-nodetach"}},
		{"streamed BER", "rsa", []string{"-nodetach", "-stream"}},
		{"CAdES", "rsa", []string{"-cades"}},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			id := ca.Issue(t, v.kind, withKeyID, "ann@one.test")
			cert, key := id.Write(t, dir, "ann")
			args := append([]string{"cms", "-sign", "-binary", "-in", "content", "-signer", cert, "-inkey", key, "-outform", "DER"}, v.args...)
			data, err := openssl(t, dir, args...)
			if err != nil {
				t.Fatal(err)
			}
			s, err := cms.ParseSigned(data)
			if err != nil {
				t.Fatal(err)
			}
			content := text
			if !s.Detached {
				content = s.Content
			}
			sigs := s.Verify(content)
			if len(sigs) != 1 || sigs[0].Err != nil {
				t.Fatalf("%+v", sigs)
			}
			if !bytes.Equal(content, text) || sigs[0].Weak != (v.name == "RSA SHA-1") {
				t.Errorf("content %q, weak %v", content, sigs[0].Weak)
			}
			if sigs := s.Verify([]byte("something else")); sigs[0].Err == nil {
				t.Error("the signature holds over another content")
			}
		})
	}
}

// What we sign verifies there, chain included.
func TestOpenSSLReadsOurSignatures(t *testing.T) {
	dir := t.TempDir()
	ca := certs.CA(t, "Test CA")
	root, _ := ca.Write(t, dir, "ca")
	write(t, dir, "content", text)
	for _, kind := range []string{"rsa", "p256", "p384", "p521"} { // OpenSSL 3.0 has no Ed25519 in CMS
		for _, detached := range []bool{true, false} {
			id := ca.Issue(t, kind, nil, "ann@one.test")
			data, err := cms.Sign(text, []cms.Signer{signerOf(id)}, cms.SignOptions{Detached: detached, Time: certs.Now})
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", write(t, dir, "signed", data), "-CAfile", root, "-attime", "1780315200"} // certs.Now
			if detached {
				args = append(args, "-content", "content")
			}
			out, err := openssl(t, dir, args...)
			if err != nil || !bytes.Equal(out, text) {
				t.Errorf("%s, detached %v: OpenSSL says %v, content %q", kind, detached, err, out)
			}
		}
	}
}

// What OpenSSL encrypts opens here.
func TestReadEnvelopesOfOpenSSL(t *testing.T) {
	dir := t.TempDir()
	ca := certs.CA(t, "Test CA")
	write(t, dir, "content", text)
	for _, v := range []struct {
		name, kind string
		args       []string
	}{
		{"RSA AES-256-CBC", "rsa", []string{"-aes256"}},
		{"RSA AES-192-CBC", "rsa", []string{"-aes192"}},
		{"RSA Triple DES", "rsa", []string{"-des3"}},
		{"RSA AES-128-GCM", "rsa", []string{"-aes-128-gcm"}},
		{"RSA AES-256-GCM", "rsa", []string{"-aes-256-gcm"}},
		{"RSA OAEP", "rsa", []string{"-aes256", "-keyopt", "rsa_padding_mode:oaep"}},
		{"RSA OAEP SHA-256", "rsa", []string{"-aes256", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"}},
		{"by key identifier", "rsa", []string{"-aes128", "-keyid"}},
		{"streamed BER", "rsa", []string{"-aes128", "-stream"}},
		{"P-256", "p256", []string{"-aes128"}},
		{"P-384 GCM", "p384", []string{"-aes-256-gcm"}},
		{"P-256 key identifier", "p256", []string{"-aes256", "-keyid"}},
		{"P-521 SHA-512", "p521", []string{"-aes256", "-keyopt", "ecdh_kdf_md:sha512"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			id := ca.Issue(t, v.kind, withKeyID, "ann@one.test")
			cert, _ := id.Write(t, dir, "ann")
			args := []string{"cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-recip", cert}
			data, err := openssl(t, dir, append(args, v.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cms.Decrypt(data, []cms.Key{{Private: id.Key, Certificate: id.Cert}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Content, text) {
				t.Errorf("content %q", got.Content)
			}
		})
	}
}

// What we encrypt opens there.
func TestOpenSSLReadsOurEnvelopes(t *testing.T) {
	dir := t.TempDir()
	ca := certs.CA(t, "Test CA")
	for _, kind := range []string{"rsa", "p256", "p384", "p521"} {
		for _, with := range []cms.Cipher{cms.AES256GCM, cms.AES128CBC} {
			id := ca.Issue(t, kind, nil, "ann@one.test")
			cert, key := id.Write(t, dir, "ann")
			data, err := cms.Encrypt(text, id.Chain[:1], with)
			if err != nil {
				t.Fatal(err)
			}
			out, err := openssl(t, dir, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", write(t, dir, "sealed", data), "-recip", cert, "-inkey", key)
			if err != nil || !bytes.Equal(out, text) {
				t.Errorf("%s, cipher %d: OpenSSL says %v, content %q", kind, with, err, out)
			}
		}
	}
}

// withKeyID gives a certificate the key identifier that some senders name it by.
func withKeyID(c *x509.Certificate) { c.SubjectKeyId = []byte{1, 2, 3, 4, 5, 6, 7, 8} }
