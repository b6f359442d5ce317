package cms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Cipher is how contents are encrypted.
type Cipher int

// Ciphers that are written. AES256GCM is the one of S/MIME 4.0 (RFC 8551 2.7)
// and protects against change. AES128CBC is what S/MIME 3.2 demands of
// everybody; what it encrypts can be changed on the way without notice, unless
// it is signed inside.
const (
	AES256GCM Cipher = iota
	AES128CBC
)

// contentCipher is a content encryption algorithm.
type contentCipher struct {
	oid       asn1.ObjectIdentifier
	keyLength int
	block     func([]byte) (cipher.Block, error)
	gcm       bool
}

var contentCiphers = []contentCipher{
	{oidAES256GCM, 32, aes.NewCipher, true},
	{oidAES128CBC, 16, aes.NewCipher, false},
	{oidAES192GCM, 24, aes.NewCipher, true},
	{oidAES128GCM, 16, aes.NewCipher, true},
	{oidAES256CBC, 32, aes.NewCipher, false},
	{oidAES192CBC, 24, aes.NewCipher, false},
	{oidTripleDES, 24, des.NewTripleDESCipher, false},
}

func contentCipherOf(oid asn1.ObjectIdentifier) (contentCipher, error) {
	for _, c := range contentCiphers {
		if c.oid.Equal(oid) {
			return c, nil
		}
	}
	return contentCipher{}, fmt.Errorf("cms: content cipher %v: %w", oid, ErrAlgorithm)
}

// sealed is an encrypted content, as EncryptedContentInfo and mac hold it.
type sealed struct {
	cipher contentCipher
	nonce  []byte // GCM nonce or CBC initial vector
	data   []byte
	mac    []byte // GCM only

	tagSize int // octets that the parameters promise for mac
}

const (
	gcmNonce  = 12 // octets, RFC 5084 3.2 recommends
	gcmTag    = 16
	minGCMTag = 12 // the least that AES-GCM-ICVlen allows
)

// seal encrypts under a fresh key.
func seal(c contentCipher, content []byte) (key []byte, s sealed, err error) {
	key = make([]byte, c.keyLength)
	rand.Read(key)
	block, err := c.block(key)
	if err != nil {
		return nil, s, err
	}
	s.cipher = c
	if c.gcm {
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, s, err
		}
		s.nonce = make([]byte, gcmNonce)
		rand.Read(s.nonce)
		s.tagSize = gcmTag
		out := aead.Seal(nil, s.nonce, content, nil)
		s.data, s.mac = out[:len(content)], out[len(content):]
		return key, s, nil
	}
	size := block.BlockSize()
	s.nonce = make([]byte, size)
	rand.Read(s.nonce)
	pad := size - len(content)%size // RFC 5652 6.3
	s.data = append(make([]byte, 0, len(content)+pad), content...)
	for range pad {
		s.data = append(s.data, byte(pad))
	}
	cipher.NewCBCEncrypter(block, s.nonce).CryptBlocks(s.data, s.data)
	return key, s, nil
}

// addIdentifier writes the cipher with its parameters.
func (s *sealed) addIdentifier(b *cryptobyte.Builder) {
	addAlgorithm(b, s.cipher.oid, func(b *cryptobyte.Builder) {
		if !s.cipher.gcm {
			b.AddASN1OctetString(s.nonce)
			return
		}
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(s.nonce)
			b.AddASN1Int64(gcmTag) // the default is 12 (RFC 5084 3.2)
		})
	})
}

// readSealed reads EncryptedContentInfo (RFC 5652 6.1).
func readSealed(s *cryptobyte.String) (out sealed, err error) {
	var seq, parameters cryptobyte.String
	var kind asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&kind) {
		return out, syntax("EncryptedContentInfo")
	}
	a, ok := readAlgorithm(&seq)
	if !ok {
		return out, syntax("the content cipher")
	}
	if out.cipher, err = contentCipherOf(a.oid); err != nil {
		return out, err
	}
	parameters = a.parameters
	tagSize := minGCMTag
	if out.cipher.gcm {
		var p, nonce cryptobyte.String
		if !parameters.ReadASN1(&p, tag.SEQUENCE) || !p.ReadASN1(&nonce, tag.OCTET_STRING) {
			return out, syntax("GCMParameters")
		}
		if !p.Empty() && !p.ReadASN1Integer(&tagSize) {
			return out, syntax("GCMParameters")
		}
		out.nonce = nonce
	} else {
		var iv cryptobyte.String
		if !parameters.ReadASN1(&iv, tag.OCTET_STRING) {
			return out, syntax("the initial vector")
		}
		out.nonce = iv
	}
	out.tagSize = tagSize
	err = readEncryptedContent(&seq, &out)
	return out, err
}

// readEncryptedContent takes [0] IMPLICIT OCTET STRING, in one piece or in many.
func readEncryptedContent(s *cryptobyte.String, out *sealed) error {
	var content cryptobyte.String
	primitive := tag.Tag(0).ContextSpecific()
	switch {
	case s.PeekASN1Tag(primitive):
		if !s.ReadASN1(&content, primitive) {
			return syntax("the encrypted content")
		}
		out.data = content
	case s.PeekASN1Tag(contextTag(0)):
		if !s.ReadASN1(&content, contextTag(0)) {
			return syntax("the encrypted content")
		}
		for !content.Empty() {
			var piece cryptobyte.String
			if !content.ReadASN1(&piece, tag.OCTET_STRING) {
				return syntax("the encrypted content")
			}
			out.data = append(out.data, piece...)
		}
	default:
		return fmt.Errorf("cms: the encrypted content is kept elsewhere: %w", ErrAlgorithm)
	}
	return nil
}

// open decrypts. Every failure is ErrDecrypt.
func (s *sealed) open(key, additional []byte) ([]byte, error) {
	if len(key) != s.cipher.keyLength {
		return nil, ErrDecrypt
	}
	block, err := s.cipher.block(key)
	if err != nil {
		return nil, ErrDecrypt
	}
	if s.cipher.gcm {
		if len(s.nonce) == 0 || len(s.mac) != s.tagSize || s.tagSize < minGCMTag || s.tagSize > gcmTag {
			return nil, ErrDecrypt
		}
		var aead cipher.AEAD
		switch {
		case len(s.mac) == gcmTag:
			aead, err = cipher.NewGCMWithNonceSize(block, len(s.nonce))
		case len(s.nonce) == gcmNonce:
			aead, err = cipher.NewGCMWithTagSize(block, len(s.mac))
		default:
			return nil, ErrDecrypt
		}
		if err != nil {
			return nil, ErrDecrypt
		}
		content, err := aead.Open(nil, s.nonce, append(append([]byte(nil), s.data...), s.mac...), additional)
		if err != nil {
			return nil, ErrDecrypt
		}
		return content, nil
	}
	size := block.BlockSize()
	if len(s.nonce) != size || len(s.data) == 0 || len(s.data)%size != 0 {
		return nil, ErrDecrypt
	}
	content := make([]byte, len(s.data))
	cipher.NewCBCDecrypter(block, s.nonce).CryptBlocks(content, s.data)
	pad := int(content[len(content)-1])
	if pad == 0 || pad > size {
		return nil, ErrDecrypt
	}
	for _, b := range content[len(content)-pad:] {
		if int(b) != pad {
			return nil, ErrDecrypt
		}
	}
	return content[:len(content)-pad], nil
}
