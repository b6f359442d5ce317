package cms

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Signer signs: a private key, which may live in a device, and the chain of
// certificates from its own upwards.
type Signer struct {
	Key   crypto.Signer
	Chain []*x509.Certificate // the key's own first; a root need not be there
}

// SignOptions say how.
type SignOptions struct {
	Detached bool      // leave the content out, for multipart/signed
	Time     time.Time // the signing time that is claimed; zero = none
}

// Sign makes a SignedData over content, signed by each of the signers. It fails
// with ErrAlgorithm for a kind of key it does not know, and where a key does
// not belong to its certificate.
func Sign(content []byte, signers []Signer, opts SignOptions) ([]byte, error) {
	if len(signers) == 0 || len(signers) > maxSigners {
		return nil, fmt.Errorf("cms: %d signers, where 1 to %d can be: %w", len(signers), maxSigners, ErrLimit)
	}
	var infos attributeSet // a SET OF SignerInfo is sorted in the same way
	var used []*digest
	for _, s := range signers {
		info, d, err := signerInfoFor(content, s, opts.Time)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
		used = addOnce(used, d)
	}
	return contentInfo(oidSigned, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // RFC 5652 5.1: version 1, as all content is data and all signers are named by issuer
		b.AddASN1(tag.SET, func(b *cryptobyte.Builder) {
			for _, d := range used {
				addAlgorithm(b, d.oid, nil) // RFC 5754 2: parameters absent
			}
		})
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidData)
			if !opts.Detached {
				b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
			}
		})
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			seen := map[string]bool{}
			for _, s := range signers {
				for _, c := range s.Chain {
					if !seen[string(c.Raw)] {
						seen[string(c.Raw)] = true
						b.AddBytes(c.Raw)
					}
				}
			}
		})
		b.AddASN1(tag.SET, func(b *cryptobyte.Builder) { b.AddBytes(infos.encode()) })
	})
}

func addOnce(list []*digest, d *digest) []*digest {
	for _, have := range list {
		if have == d {
			return list
		}
	}
	return append(list, d)
}

func signerInfoFor(content []byte, s Signer, at time.Time) ([]byte, *digest, error) {
	if s.Key == nil || len(s.Chain) == 0 {
		return nil, nil, fmt.Errorf("cms: a signer without key or certificate: %w", ErrAlgorithm)
	}
	certificate := s.Chain[0]
	public, ok := s.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(certificate.PublicKey) {
		return nil, nil, fmt.Errorf("cms: the key does not belong to the certificate of %q: %w", certificate.Subject, ErrAlgorithm)
	}
	d, opts, addIdentifier, err := signatureWith(s.Key.Public())
	if err != nil {
		return nil, nil, err
	}
	var set attributeSet
	set.add(oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) })
	set.add(oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum(d.hash, content)) })
	set.add(oidCapabilities, addCapabilities)
	set.add(oidSigningCertV2, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // SigningCertificateV2
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // certs
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { // ESSCertIDv2; SHA-256 is the default
					b.AddASN1OctetString(sum(crypto.SHA256, certificate.Raw))
				})
			})
		})
	})
	if !at.IsZero() {
		set.add(oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, at.UTC()) })
	}
	attributes := set.encode()
	var signed cryptobyte.Builder
	signed.AddASN1(tag.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	message := signed.BytesOrPanic()
	if opts.HashFunc() != 0 {
		message = sum(opts.HashFunc(), message)
	}
	value, err := s.Key.Sign(rand.Reader, message, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("cms: sign for %q: %w", certificate.Subject, err)
	}
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addIssuerAndSerial(b, certificate)
		addAlgorithm(b, d.oid, nil)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
		addIdentifier(b)
		b.AddASN1OctetString(value)
	})
	info, err := b.Bytes()
	return info, d, err
}

// addTime follows RFC 5652 11.3: UTCTime from 1950 to 2049, else GeneralizedTime.
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() >= 1950 && t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t.Truncate(time.Second))
	}
}

// addCapabilities tells what ciphers may be sent to us, best first (RFC 8551 2.5.2).
func addCapabilities(b *cryptobyte.Builder) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, oid := range []asn1.ObjectIdentifier{oidAES256GCM, oidAES128GCM, oidAES256CBC, oidAES128CBC} {
			addAlgorithm(b, oid, nil)
		}
	})
}

func addIssuerAndSerial(b *cryptobyte.Builder, c *x509.Certificate) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(c.RawIssuer)
		b.AddASN1BigInt(c.SerialNumber)
	})
}

// contentInfo wraps a content (RFC 5652 3).
func contentInfo(kind asn1.ObjectIdentifier, body func(*cryptobyte.Builder)) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(kind)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddASN1(tag.SEQUENCE, body) })
	})
	return b.Bytes()
}
