package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Secrets are what a reader gave to encrypt its messages with (RFC 8291 2).
type Secrets struct {
	key  *ecdh.PublicKey
	auth []byte
}

// ParseSecrets reads a public key on P-256, uncompressed, and a secret of 16
// octets, both base64url.
func ParseSecrets(key, auth string) (Secrets, error) {
	k, err := decode(key)
	if err != nil {
		return Secrets{}, errors.New("the public key is not base64url")
	}
	pub, err := ecdh.P256().NewPublicKey(k)
	if err != nil {
		return Secrets{}, errors.New("the public key is no point of P-256 in uncompressed form")
	}
	a, err := decode(auth)
	if err != nil || len(a) != authLength {
		return Secrets{}, fmt.Errorf("the auth-secret does not have %d octets in base64url", authLength)
	}
	return Secrets{pub, a}, nil
}

// String is the form in which they are kept; [parseKept] reads it.
func (s Secrets) String() string {
	return base64.RawURLEncoding.EncodeToString(s.key.Bytes()) + " " + base64.RawURLEncoding.EncodeToString(s.auth)
}

func parseKept(text string) (Secrets, error) {
	key, auth, _ := strings.Cut(text, " ")
	return ParseSecrets(key, auth)
}

func decode(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

const (
	authLength = 16   // RFC 8291 3.2
	saltLength = 16   // RFC 8188 2.1
	recordSize = 4096 // RFC 8291 4: push services need take no more
	tagLength  = 16
)

// MaxMessage is what fits into one record.
const MaxMessage = recordSize - tagLength - 1 - (saltLength + 4 + 1 + 65)

// encrypt makes the body of a message: one record of aes128gcm (RFC 8188 2),
// with keys by RFC 8291 3.4. ours and salt are fresh for every message.
func encrypt(plain []byte, to Secrets, ours *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	if len(plain) > MaxMessage {
		return nil, fmt.Errorf("push: the message has %d octets; %d fit", len(plain), MaxMessage)
	}
	shared, err := ours.ECDH(to.key)
	if err != nil {
		return nil, err
	}
	public := ours.PublicKey().Bytes()
	info := append([]byte("WebPush: info\x00"), to.key.Bytes()...)
	ikm, err := hkdf.Key(sha256.New, shared, to.auth, string(append(info, public...)), 32)
	if err != nil {
		return nil, err
	}
	cek, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := append([]byte{}, salt...)
	out = binary.BigEndian.AppendUint32(out, recordSize)
	out = append(out, byte(len(public)))
	out = append(out, public...)
	return gcm.Seal(out, nonce, append(append([]byte{}, plain...), 2), nil), nil // 2: the last record
}

// seal is encrypt with a fresh key and salt.
func seal(plain []byte, to Secrets) ([]byte, error) {
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltLength)
	rand.Read(salt)
	return encrypt(plain, to, ours, salt)
}
