package cms

import (
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// wrapIV is the initial value of RFC 3394 2.2.3.1.
const wrapIV = 0xa6a6a6a6a6a6a6a6

// wrapKey is the AES key wrap of RFC 3394 2.2.1. key is a multiple of 8 octets.
func wrapKey(kek, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 8+len(key))
	binary.BigEndian.PutUint64(out, wrapIV)
	copy(out[8:], key)
	var buf [16]byte
	step := uint64(0)
	for range 6 {
		for r := out[8:]; len(r) > 0; r = r[8:] {
			step++
			copy(buf[:8], out[:8])
			copy(buf[8:], r[:8])
			block.Encrypt(buf[:], buf[:])
			binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(buf[:8])^step)
			copy(r[:8], buf[8:])
		}
	}
	return out, nil
}

// unwrapKey undoes it (RFC 3394 2.2.2).
func unwrapKey(kek, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 24 || len(wrapped)%8 != 0 || len(wrapped) > 72 { // keys of 16 to 64 octets
		return nil, ErrDecrypt
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, ErrDecrypt
	}
	a := binary.BigEndian.Uint64(wrapped)
	key := append([]byte(nil), wrapped[8:]...)
	var buf [16]byte
	for step := uint64(6 * len(key) / 8); step > 0; {
		for at := len(key) - 8; at >= 0; at -= 8 {
			binary.BigEndian.PutUint64(buf[:8], a^step)
			copy(buf[8:], key[at:at+8])
			block.Decrypt(buf[:], buf[:])
			a = binary.BigEndian.Uint64(buf[:8])
			copy(key[at:], buf[8:])
			step--
		}
	}
	var check [8]byte
	binary.BigEndian.PutUint64(check[:], a^wrapIV)
	if subtle.ConstantTimeCompare(check[:], make([]byte, 8)) != 1 {
		return nil, ErrDecrypt
	}
	return key, nil
}

// keyWraps are the key encryption algorithms for agreed keys, by key length.
var keyWraps = []struct {
	oid    asn1.ObjectIdentifier
	length int
}{{oidAES256Wrap, 32}, {oidAES128Wrap, 16}, {oidAES192Wrap, 24}}

// agreedKey derives the key encryption key of an elliptic curve recipient: the
// KDF of X9.63 (SEC 1 3.6.1) over ECC-CMS-SharedInfo (RFC 5753 7.2).
func agreedKey(private *ecdh.PrivateKey, public *ecdh.PublicKey, d *digest, wrap asn1.ObjectIdentifier, wrapParameters func(*cryptobyte.Builder), length int, ukm []byte) ([]byte, error) {
	secret, err := private.ECDH(public)
	if err != nil {
		return nil, err
	}
	var info cryptobyte.Builder
	info.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		addAlgorithm(b, wrap, wrapParameters)
		if ukm != nil {
			b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(ukm) })
		}
		b.AddASN1(contextTag(2), func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(binary.BigEndian.AppendUint32(nil, uint32(8*length)))
		})
	})
	shared := info.BytesOrPanic()
	var key []byte
	for counter := uint32(1); len(key) < length; counter++ {
		h := d.hash.New()
		h.Write(secret)
		binary.Write(h, binary.BigEndian, counter)
		h.Write(shared)
		key = h.Sum(key)
	}
	return key[:length], nil
}

// ecdhPublic gives a certificate's elliptic curve key for key agreement.
func ecdhPublic(key any) (*ecdh.PublicKey, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if p, err := k.ECDH(); err == nil {
			return p, nil
		}
	case *ecdh.PublicKey:
		return k, nil
	}
	return nil, fmt.Errorf("cms: no content key can be sent to a key of type %T: %w", key, ErrAlgorithm)
}
