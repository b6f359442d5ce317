package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // registers the hash for messages that still use it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers, by the document that assigns them.
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}         // RFC 5652 4
	oidSigned        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}         // 5.1
	oidEnveloped     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}         // 6.1
	oidAuthEnveloped = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 23} // RFC 5083 2.1
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}         // RFC 5652 11.1
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}         // 11.2
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}         // 11.3
	oidCapabilities  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 15}        // RFC 8551 2.5.2
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12} // RFC 5035 5
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // RFC 5035 3
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}         // RFC 8017
	oidOAEP          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 7}         //
	oidMGF1          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}         //
	oidPSpecified    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 9}         //
	oidPSS           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}        //
	oidECPublicKey   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}             // RFC 5480
	oidEd25519       = asn1.ObjectIdentifier{1, 3, 101, 112}                     // RFC 8419
	oidAES128CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}     // RFC 3565
	oidAES192CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}    //
	oidAES256CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}    //
	oidAES128GCM     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 6}     // RFC 5084 3.2
	oidAES192GCM     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 26}    //
	oidAES256GCM     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46}    //
	oidTripleDES     = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}            // RFC 3370 5.1
	oidAES128Wrap    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 5}     // RFC 3565 2.3.2
	oidAES192Wrap    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 25}    //
	oidAES256Wrap    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 45}    //
)

// digest is a hash function and its names in messages.
type digest struct {
	hash       crypto.Hash
	oid        asn1.ObjectIdentifier
	name       string // as RFC 8551 3.5.3.2 writes it in micalg
	rsa, ecdsa asn1.ObjectIdentifier
	ecdh       asn1.ObjectIdentifier // dhSinglePass-stdDH-*kdf-scheme (RFC 5753 7.1.4)
	weak       bool
}

var digests = []*digest{
	{hash: crypto.SHA256, oid: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, name: "sha-256",
		rsa: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, ecdsa: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, ecdh: asn1.ObjectIdentifier{1, 3, 132, 1, 11, 1}},
	{hash: crypto.SHA384, oid: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, name: "sha-384",
		rsa: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, ecdsa: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, ecdh: asn1.ObjectIdentifier{1, 3, 132, 1, 11, 2}},
	{hash: crypto.SHA512, oid: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, name: "sha-512",
		rsa: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, ecdsa: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, ecdh: asn1.ObjectIdentifier{1, 3, 132, 1, 11, 3}},
	{hash: crypto.SHA1, oid: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, name: "sha-1", weak: true,
		rsa: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, ecdsa: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, ecdh: asn1.ObjectIdentifier{1, 3, 133, 16, 840, 63, 0, 2}},
}

// digestWhere finds the row that a field of it names.
func digestWhere(oid asn1.ObjectIdentifier, field func(*digest) asn1.ObjectIdentifier) (*digest, error) {
	for _, d := range digests {
		if oid.Equal(field(d)) {
			return d, nil
		}
	}
	return nil, fmt.Errorf("cms: algorithm %v: %w", oid, ErrAlgorithm)
}

func digestOf(oid asn1.ObjectIdentifier) (*digest, error) {
	return digestWhere(oid, func(d *digest) asn1.ObjectIdentifier { return d.oid })
}

func digestFor(hash crypto.Hash) *digest {
	for _, d := range digests {
		if d.hash == hash {
			return d
		}
	}
	return nil
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// algorithm is an AlgorithmIdentifier (RFC 5280 4.1.1.2). parameters is the
// element as it stands, empty where absent.
type algorithm struct {
	oid        asn1.ObjectIdentifier
	parameters cryptobyte.String
}

func readAlgorithm(s *cryptobyte.String) (a algorithm, ok bool) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) {
		return a, false
	}
	if !seq.Empty() {
		var t tag.Tag
		ok = seq.ReadAnyASN1Element(&a.parameters, &t) && seq.Empty()
		return a, ok
	}
	return a, true
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, parameters func(*cryptobyte.Builder)) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if parameters != nil {
			parameters(b)
		}
	})
}

func addNULL(b *cryptobyte.Builder) { b.AddASN1NULL() }

// hashParameters are what RSASSA-PSS and RSAES-OAEP share: a hash [0] and a
// mask generation function [1], which must be MGF1.
type hashParameters struct {
	hash, mask *digest
	rest       cryptobyte.String
}

func readHashParameters(parameters cryptobyte.String) (p hashParameters, err error) {
	sha1 := digestFor(crypto.SHA1)
	p.hash, p.mask = sha1, sha1 // the defaults of RFC 8017 A.2
	var seq, field cryptobyte.String
	if !parameters.ReadASN1(&seq, tag.SEQUENCE) {
		return p, syntax("parameters of an RSA algorithm")
	}
	var present bool
	if !seq.ReadOptionalASN1(&field, &present, tag.Tag(0).ContextSpecific().Constructed()) {
		return p, syntax("the hash of an RSA algorithm")
	}
	if present {
		a, ok := readAlgorithm(&field)
		if !ok {
			return p, syntax("the hash of an RSA algorithm")
		}
		if p.hash, err = digestOf(a.oid); err != nil {
			return p, err
		}
	}
	if !seq.ReadOptionalASN1(&field, &present, tag.Tag(1).ContextSpecific().Constructed()) {
		return p, syntax("the mask function of an RSA algorithm")
	}
	if present {
		a, ok := readAlgorithm(&field)
		if !ok || !a.oid.Equal(oidMGF1) {
			return p, fmt.Errorf("cms: mask function %v: %w", a.oid, ErrAlgorithm)
		}
		inner, ok := readAlgorithm(&a.parameters)
		if !ok {
			return p, syntax("the hash of MGF1")
		}
		if p.mask, err = digestOf(inner.oid); err != nil {
			return p, err
		}
	}
	p.rest = seq
	return p, nil
}

// verify checks a signature over signed, where d is the digest that the signer
// info names.
func verify(certificate *x509.Certificate, a algorithm, d *digest, signed, signature []byte) error {
	bad := fmt.Errorf("cms: the signature does not fit the content: %w", ErrSignature)
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if a.oid.Equal(oidPSS) {
			p, err := readHashParameters(a.parameters)
			if err != nil {
				return err
			}
			// RFC 4056 3: the hash is the digest algorithm of the signer info, in both places.
			if p.hash != d || p.mask != d {
				return fmt.Errorf("cms: RSASSA-PSS with several hashes: %w", ErrAlgorithm)
			}
			if rsa.VerifyPSS(key, d.hash, sum(d.hash, signed), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) != nil {
				return bad
			}
			return nil
		}
		if !a.oid.Equal(oidRSA) {
			named, err := digestWhere(a.oid, func(d *digest) asn1.ObjectIdentifier { return d.rsa })
			if err != nil {
				return err
			}
			d = named
		}
		if rsa.VerifyPKCS1v15(key, d.hash, sum(d.hash, signed), signature) != nil {
			return bad
		}
		return nil
	case *ecdsa.PublicKey:
		if !a.oid.Equal(oidECPublicKey) {
			named, err := digestWhere(a.oid, func(d *digest) asn1.ObjectIdentifier { return d.ecdsa })
			if err != nil {
				return err
			}
			d = named
		}
		if !ecdsa.VerifyASN1(key, sum(d.hash, signed), signature) {
			return bad
		}
		return nil
	case ed25519.PublicKey:
		if !a.oid.Equal(oidEd25519) {
			return fmt.Errorf("cms: signature algorithm %v with an Ed25519 key: %w", a.oid, ErrAlgorithm)
		}
		if !ed25519.Verify(key, signed, signature) {
			return bad
		}
		return nil
	}
	return fmt.Errorf("cms: a certificate with a key of type %T: %w", certificate.PublicKey, ErrAlgorithm)
}

// signatureWith chooses how a key signs: the hash that its size calls for (RFC
// 5754 3), and the identifier of the signature algorithm.
func signatureWith(public crypto.PublicKey) (d *digest, opts crypto.SignerOpts, addIdentifier func(*cryptobyte.Builder), err error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		d = digestFor(crypto.SHA256)
		return d, d.hash, func(b *cryptobyte.Builder) { addAlgorithm(b, oidRSA, addNULL) }, nil // RFC 3370 3.2: what everyone reads
	case *ecdsa.PublicKey:
		d = digestFor(crypto.SHA256)
		if bits := key.Curve.Params().BitSize; bits > 384 {
			d = digestFor(crypto.SHA512)
		} else if bits > 256 {
			d = digestFor(crypto.SHA384)
		}
		return d, d.hash, func(b *cryptobyte.Builder) { addAlgorithm(b, d.ecdsa, nil) }, nil
	case ed25519.PublicKey:
		// RFC 8419 3: SHA-512 for the attributes, and the attributes themselves are signed.
		return digestFor(crypto.SHA512), crypto.Hash(0), func(b *cryptobyte.Builder) { addAlgorithm(b, oidEd25519, nil) }, nil
	}
	return nil, nil, nil, fmt.Errorf("cms: a key of type %T: %w", public, ErrAlgorithm)
}
