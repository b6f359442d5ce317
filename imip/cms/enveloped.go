package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Encrypt makes a message that the holders of the certificates can read: an
// AuthEnvelopedData (RFC 5083) for AES256GCM, an EnvelopedData (RFC 5652 6) for
// AES128CBC. Each recipient needs an RSA key or one on a NIST curve; RSA keys
// get the content key with OAEP over SHA-256 (RFC 8551 2.3), or where AES128CBC is
// asked for with PKCS #1 v1.5: programs of before S/MIME 4.0 know no other (RFC
// 5751 2.3), among them NSS's.
func Encrypt(content []byte, recipients []*x509.Certificate, with Cipher) ([]byte, error) {
	if len(recipients) == 0 || len(recipients) > maxRecipients {
		return nil, fmt.Errorf("cms: %d recipients, where 1 to %d can be: %w", len(recipients), maxRecipients, ErrLimit)
	}
	c := contentCiphers[0]
	if with == AES128CBC {
		c = contentCiphers[1]
	}
	key, s, err := seal(c, content)
	if err != nil {
		return nil, err
	}
	var infos attributeSet
	for _, r := range recipients {
		info, err := recipientInfo(r, key, c.gcm)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	kind, version := oidEnveloped, int64(2) // RFC 5652 6.1: 2, as key agreement may be among the recipients
	if c.gcm {
		kind, version = oidAuthEnveloped, 0
	}
	return contentInfo(kind, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		b.AddASN1(tag.SET, func(b *cryptobyte.Builder) { b.AddBytes(infos.encode()) })
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidData)
			s.addIdentifier(b)
			b.AddASN1(tag.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(s.data) })
		})
		if c.gcm {
			b.AddASN1OctetString(s.mac)
		}
	})
}

// transport encrypts a content key for an RSA key, and adds by which algorithm.
func transport(public *rsa.PublicKey, key []byte, oaep bool) (encrypted []byte, add func(*cryptobyte.Builder), err error) {
	if !oaep {
		//lint:ignore SA1019 the one way all S/MIME programs know (RFC 8551 2.3: MUST); what it is weak in concerns who decrypts
		encrypted, err = rsa.EncryptPKCS1v15(rand.Reader, public, key)
		return encrypted, func(b *cryptobyte.Builder) { addAlgorithm(b, oidRSA, addNULL) }, err
	}
	d := digestFor(crypto.SHA256)
	encrypted, err = rsa.EncryptOAEP(d.hash.New(), rand.Reader, public, key, nil)
	return encrypted, func(b *cryptobyte.Builder) {
		addAlgorithm(b, oidOAEP, func(b *cryptobyte.Builder) { // RFC 4055 4.1
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { addAlgorithm(b, d.oid, addNULL) })
				b.AddASN1(contextTag(1), func(b *cryptobyte.Builder) {
					addAlgorithm(b, oidMGF1, func(b *cryptobyte.Builder) { addAlgorithm(b, d.oid, addNULL) })
				})
			})
		})
	}, err
}

func recipientInfo(c *x509.Certificate, key []byte, oaep bool) ([]byte, error) {
	if public, ok := c.PublicKey.(*rsa.PublicKey); ok {
		encrypted, addAlgorithm, err := transport(public, key, oaep)
		if err != nil {
			return nil, fmt.Errorf("cms: encrypt for %q: %w", c.Subject, err)
		}
		var b cryptobyte.Builder
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // KeyTransRecipientInfo, RFC 5652 6.2.1
			b.AddASN1Int64(0)
			addIssuerAndSerial(b, c)
			addAlgorithm(b)
			b.AddASN1OctetString(encrypted)
		})
		return b.Bytes()
	}
	public, err := ecdhPublic(c.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("cms: encrypt for %q: %w", c.Subject, err)
	}
	ephemeral, err := public.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	d, wrap := digestFor(crypto.SHA256), keyWraps[0]
	kek, err := agreedKey(ephemeral, public, d, wrap.oid, nil, wrap.length, nil)
	if err != nil {
		return nil, err
	}
	encrypted, err := wrapKey(kek, key)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(contextTag(1), func(b *cryptobyte.Builder) { // KeyAgreeRecipientInfo, RFC 5652 6.2.2
		b.AddASN1Int64(3)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(contextTag(1), func(b *cryptobyte.Builder) { // originatorKey
				addAlgorithm(b, oidECPublicKey, nil) // RFC 5753 3.1.1: parameters absent
				b.AddASN1BitString(ephemeral.PublicKey().Bytes())
			})
		})
		addAlgorithm(b, d.ecdh, func(b *cryptobyte.Builder) { addAlgorithm(b, wrap.oid, nil) })
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // RecipientEncryptedKey
				addIssuerAndSerial(b, c)
				b.AddASN1OctetString(encrypted)
			})
		})
	})
	return b.Bytes()
}

// Key opens messages: a private key with the certificate that senders encrypt to.
type Key struct {
	Private     crypto.PrivateKey // *rsa.PrivateKey or *ecdsa.PrivateKey
	Certificate *x509.Certificate
}

// Enveloped is an encrypted message that was opened.
type Enveloped struct {
	Content []byte
	// Authenticated says that the octets are those the sender encrypted. Where
	// it is false anyone on the way can have changed them, in ways that make
	// mail programs give the text away; only a signature inside then says who
	// wrote it.
	Authenticated bool
}

// Decrypt opens an EnvelopedData or AuthEnvelopedData. Where none of the keys
// does, the error matches ErrDecrypt.
func Decrypt(data []byte, keys []Key) (*Enveloped, error) {
	kind, body, err := open(data, oidEnveloped, oidAuthEnveloped)
	if err != nil {
		return nil, err
	}
	var version int
	var recipients cryptobyte.String
	if !body.ReadASN1Integer(&version) || !body.SkipOptionalASN1(contextTag(0)) || !body.ReadASN1(&recipients, tag.SET) {
		return nil, syntax("EnvelopedData")
	}
	s, err := readSealed(&body)
	if err != nil {
		return nil, err
	}
	authenticated := kind.Equal(oidAuthEnveloped)
	var additional []byte
	if authenticated != s.cipher.gcm {
		// GCM in an EnvelopedData has no place for its tag, and CBC authenticates nothing.
		return nil, fmt.Errorf("cms: content cipher %v in content type %v: %w", s.cipher.oid, kind, ErrAlgorithm)
	}
	if authenticated {
		if body.PeekASN1Tag(contextTag(1)) {
			var element cryptobyte.String
			if !body.ReadASN1Element(&element, contextTag(1)) {
				return nil, syntax("authAttrs")
			}
			additional = append([]byte{byte(tag.SET)}, element[1:]...) // RFC 5083 2.2
		}
		var mac cryptobyte.String
		if !body.ReadASN1(&mac, tag.OCTET_STRING) {
			return nil, syntax("mac")
		}
		s.mac = mac
	}
	for n := 0; !recipients.Empty(); n++ {
		if n == maxRecipients {
			return nil, limit("recipients", maxRecipients)
		}
		var info cryptobyte.String
		var t tag.Tag
		if !recipients.ReadAnyASN1Element(&info, &t) {
			return nil, syntax("RecipientInfo")
		}
		for _, candidate := range contentKeys(info, t, keys, s.cipher.keyLength) {
			if content, err := s.open(candidate, additional); err == nil {
				return &Enveloped{Content: content, Authenticated: authenticated}, nil
			}
		}
	}
	return nil, fmt.Errorf("cms: %w", ErrDecrypt)
}

// contentKeys gives the content keys that one recipient info holds for our
// keys. One that cannot be read is nobody's: another may be ours.
func contentKeys(info cryptobyte.String, t tag.Tag, keys []Key, length int) (found [][]byte) {
	switch t {
	case tag.SEQUENCE:
		return transported(info, keys, length)
	case contextTag(1):
		return agreed(info, keys)
	}
	return nil // a key that was exchanged before, a password: not for mail
}

// transported reads a KeyTransRecipientInfo (RFC 5652 6.2.1).
func transported(info cryptobyte.String, keys []Key, length int) (found [][]byte) {
	var seq, name, encrypted cryptobyte.String
	var version int
	var issuer, keyID []byte
	var serial *big.Int
	if !info.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1Integer(&version) {
		return nil
	}
	if seq.PeekASN1Tag(tag.SEQUENCE) {
		var err error
		if issuer, serial, err = readIssuerAndSerial(&seq); err != nil {
			return nil
		}
	} else if seq.ReadASN1(&name, tag.Tag(0).ContextSpecific()) {
		keyID = name
	}
	a, ok := readAlgorithm(&seq)
	if !ok || !seq.ReadASN1(&encrypted, tag.OCTET_STRING) {
		return nil
	}
	for _, k := range keys {
		private, ok := k.Private.(*rsa.PrivateKey)
		if !ok || !names(k.Certificate, issuer, serial, keyID) {
			continue
		}
		switch {
		case a.oid.Equal(oidRSA):
			// A random key where the padding is wrong, so that this failure looks like
			// that of a wrong content (RFC 3218 2.3.2).
			key := make([]byte, length)
			rand.Read(key)
			//lint:ignore SA1019 RFC 8551 2.3 demands it of readers, and most mail has it; its dangers are met as RFC 3218 says
			if rsa.DecryptPKCS1v15SessionKey(nil, private, encrypted, key) == nil {
				found = append(found, key)
			}
		case a.oid.Equal(oidOAEP):
			if key, err := openOAEP(private, a.parameters, encrypted); err == nil {
				found = append(found, key)
			}
		}
	}
	return found
}

func openOAEP(private *rsa.PrivateKey, parameters cryptobyte.String, encrypted []byte) ([]byte, error) {
	p := hashParameters{hash: digestFor(crypto.SHA1), mask: digestFor(crypto.SHA1)}
	if !parameters.Empty() {
		var err error
		if p, err = readHashParameters(parameters); err != nil {
			return nil, err
		}
	}
	opts := &rsa.OAEPOptions{Hash: p.hash.hash, MGFHash: p.mask.hash}
	var source cryptobyte.String
	if p.rest.ReadASN1(&source, contextTag(2)) {
		a, ok := readAlgorithm(&source)
		var label cryptobyte.String
		if !ok || !a.oid.Equal(oidPSpecified) || !a.parameters.ReadASN1(&label, tag.OCTET_STRING) {
			return nil, ErrDecrypt
		}
		opts.Label = label
	}
	return private.Decrypt(nil, encrypted, opts)
}

// agreed reads a KeyAgreeRecipientInfo (RFC 5652 6.2.2, RFC 5753 3.1.1).
func agreed(info cryptobyte.String, keys []Key) (found [][]byte) {
	var body, originator, originatorKey, field, list cryptobyte.String
	var version int
	var public []byte
	if !info.ReadASN1(&body, contextTag(1)) || !body.ReadASN1Integer(&version) ||
		!body.ReadASN1(&originator, contextTag(0)) || !originator.ReadASN1(&originatorKey, contextTag(1)) {
		return nil
	}
	if a, ok := readAlgorithm(&originatorKey); !ok || !a.oid.Equal(oidECPublicKey) || !originatorKey.ReadASN1BitStringAsBytes(&public) {
		return nil
	}
	var ukm []byte
	if body.PeekASN1Tag(contextTag(1)) {
		var explicit cryptobyte.String
		if !body.ReadASN1(&explicit, contextTag(1)) || !explicit.ReadASN1(&field, tag.OCTET_STRING) {
			return nil
		}
		ukm = append([]byte{}, field...)
	}
	scheme, ok := readAlgorithm(&body)
	if !ok {
		return nil
	}
	d, err := digestWhere(scheme.oid, func(d *digest) asn1.ObjectIdentifier { return d.ecdh })
	if err != nil {
		return nil
	}
	wrap, ok := readAlgorithm(&scheme.parameters)
	if !ok || !body.ReadASN1(&list, tag.SEQUENCE) {
		return nil
	}
	length := 0
	for _, w := range keyWraps {
		if w.oid.Equal(wrap.oid) {
			length = w.length
		}
	}
	if length == 0 {
		return nil
	}
	for !list.Empty() {
		var seq, encrypted cryptobyte.String
		if !list.ReadASN1(&seq, tag.SEQUENCE) {
			return found
		}
		issuer, serial, keyID, ok := readKeyAgreeRecipient(&seq)
		if !ok || !seq.ReadASN1(&encrypted, tag.OCTET_STRING) {
			return found
		}
		for _, k := range keys {
			if !names(k.Certificate, issuer, serial, keyID) {
				continue
			}
			private := ecdhPrivate(k.Private)
			if private == nil {
				continue
			}
			remote, err := private.Curve().NewPublicKey(public)
			if err != nil {
				continue
			}
			parameters := func(b *cryptobyte.Builder) { b.AddBytes(wrap.parameters) } // as the sender wrote them: absent or NULL
			kek, err := agreedKey(private, remote, d, wrap.oid, parameters, length, ukm)
			if err != nil {
				continue
			}
			if key, err := unwrapKey(kek, encrypted); err == nil {
				found = append(found, key)
			}
		}
	}
	return found
}

func readKeyAgreeRecipient(s *cryptobyte.String) (issuer []byte, serial *big.Int, keyID []byte, ok bool) {
	if s.PeekASN1Tag(tag.SEQUENCE) {
		issuer, serial, err := readIssuerAndSerial(s)
		return issuer, serial, nil, err == nil
	}
	var id, octets cryptobyte.String
	ok = s.ReadASN1(&id, contextTag(0)) && id.ReadASN1(&octets, tag.OCTET_STRING)
	return nil, nil, bytes.Clone(octets), ok
}

func ecdhPrivate(key crypto.PrivateKey) *ecdh.PrivateKey {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if p, err := k.ECDH(); err == nil {
			return p
		}
	case *ecdh.PrivateKey:
		return k
	}
	return nil
}
