package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/shared"
)

// RFC 8291 Appendix A: the values of its example give its message.
func TestExampleOfTheStandard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shared.Dir(t), "specs", "rfc8291.txt"))
	if err != nil {
		t.Skipf("SKIP shared: no text of RFC 8291: %v", err)
	}
	value := func(label string, length int) []byte {
		t.Helper()
		_, rest, ok := strings.Cut(string(text), "\n   "+label)
		if !ok {
			t.Fatalf("the RFC has no %s", label)
		}
		_, rest, _ = strings.Cut(rest, ":")
		rest = regexp.MustCompile(`\s+`).ReplaceAllString(rest[:200], "")
		n := (length*8 + 5) / 6
		b, err := base64.RawURLEncoding.DecodeString(rest[:n])
		if err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		return b
	}
	ours, err := ecdh.P256().NewPrivateKey(value("Application server private key", 32))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ecdh.P256().NewPublicKey(value("User agent public key", 65))
	if err != nil {
		t.Fatal(err)
	}
	got, err := encrypt(value("Plaintext", 41), Secrets{theirs, value("Authentication secret", 16)}, ours, value("Salt", 16))
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`\s+`).ReplaceAllString(string(text), "")
	if want := base64.RawURLEncoding.EncodeToString(got); !strings.Contains(whole, want) {
		t.Errorf("the message of section 5 is not %s", want)
	}
}

// open is what a reader does with a message (RFC 8291 3.4).
func open(t testing.TB, body []byte, mine *ecdh.PrivateKey, auth []byte) string {
	t.Helper()
	salt, n := body[:16], int(body[20])
	sender, err := ecdh.P256().NewPublicKey(body[21 : 21+n])
	if err != nil {
		t.Fatal(err)
	}
	shared, err := mine.ECDH(sender)
	if err != nil {
		t.Fatal(err)
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, n)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	ikm := derive(shared, auth, "WebPush: info\x00"+string(mine.PublicKey().Bytes())+string(sender.Bytes()), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), body[21+n:], nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain[len(plain)-1] != 2 {
		t.Errorf("the record does not end as the last one: %d", plain[len(plain)-1])
	}
	return string(plain[:len(plain)-1])
}

func TestEncryption(t *testing.T) {
	mine, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	rand.Read(auth)
	enc := base64.RawURLEncoding.EncodeToString
	s, err := ParseSecrets(enc(mine.PublicKey().Bytes()), enc(auth)+"==")
	if err != nil {
		t.Fatal(err)
	}
	if s, err = parseKept(s.String()); err != nil {
		t.Fatal(err)
	}
	a, err := seal([]byte("news"), s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := seal([]byte("news"), s)
	if err != nil {
		t.Fatal(err)
	}
	if open(t, a, mine, auth) != "news" || string(a) == string(b) {
		t.Error("the message cannot be read, or is the same twice")
	}
	if _, err := seal(make([]byte, MaxMessage+1), s); err == nil {
		t.Error("a message that does not fit was sealed")
	}
	for _, bad := range [][2]string{{"", ""}, {"AA", enc(auth)}, {enc(mine.PublicKey().Bytes()), "AA"}, {enc(append([]byte{4}, make([]byte, 64)...)), enc(auth)}, {"!", enc(auth)}} {
		if _, err := ParseSecrets(bad[0], bad[1]); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
