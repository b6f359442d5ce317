package cms

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Signed is a SignedData (RFC 5652 5.1).
type Signed struct {
	// Content is what was signed, where it lies inside. Detached says that it
	// does not, as in multipart/signed.
	Content  []byte
	Detached bool
	// Certificates are those the message carries, which may be none of the
	// signers'. Ones that crypto/x509 cannot read are left out.
	Certificates []*x509.Certificate

	contentType asn1.ObjectIdentifier
	signers     []signerInfo
}

// Signature is what one signer info says, once checked.
type Signature struct {
	// Certificate is the signer's, nil where the message has none that fits.
	Certificate *x509.Certificate
	// Time is when the signer says to have signed (RFC 5652 11.3), in UTC; zero
	// where it says nothing. Nobody confirms it.
	Time time.Time
	// Digest is the hash's name as in micalg: "sha-256".
	Digest string
	// Weak: SHA-1, for which collisions can be made.
	Weak bool
	// Err is nil where the signature holds. It matches ErrSignature,
	// ErrAlgorithm or ErrSyntax.
	Err error
}

// signerInfo is RFC 5652 5.3.
type signerInfo struct {
	issuer     []byte // DER of the Name, nil where the signer is named by key identifier
	serial     *big.Int
	keyID      []byte
	digest     algorithm
	attributes []byte // DER of the SET OF, nil where there are none
	signature  algorithm
	value      []byte
}

// contextTag is a constructed element [n].
func contextTag(n uint8) tag.Tag { return tag.Tag(n).ContextSpecific().Constructed() }

// open reads a ContentInfo of the given type and gives its content.
func open(data []byte, want ...asn1.ObjectIdentifier) (kind asn1.ObjectIdentifier, content cryptobyte.String, err error) {
	der, err := toDER(data)
	if err != nil {
		return nil, nil, err
	}
	s := cryptobyte.String(der)
	var info, explicit cryptobyte.String
	if !s.ReadASN1(&info, tag.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) || !info.ReadASN1(&explicit, contextTag(0)) {
		return nil, nil, syntax("no ContentInfo")
	}
	for _, w := range want {
		if kind.Equal(w) {
			if !explicit.ReadASN1(&content, tag.SEQUENCE) {
				return nil, nil, syntax("the content is no SEQUENCE")
			}
			return kind, content, nil
		}
	}
	return nil, nil, fmt.Errorf("cms: content type %v: %w", kind, ErrAlgorithm)
}

// ParseSigned reads a SignedData in BER or DER. Nothing in it is checked yet.
func ParseSigned(data []byte) (*Signed, error) {
	_, body, err := open(data, oidSigned)
	if err != nil {
		return nil, err
	}
	out := &Signed{}
	var version int
	var digestSet, encap, signers cryptobyte.String
	if !body.ReadASN1Integer(&version) || !body.ReadASN1(&digestSet, tag.SET) ||
		!body.ReadASN1(&encap, tag.SEQUENCE) || !encap.ReadASN1ObjectIdentifier(&out.contentType) {
		return nil, syntax("SignedData")
	}
	var explicit cryptobyte.String
	var present bool
	if !encap.ReadOptionalASN1(&explicit, &present, contextTag(0)) {
		return nil, syntax("encapContentInfo")
	}
	out.Detached = !present
	if present {
		var content cryptobyte.String
		if !explicit.ReadASN1(&content, tag.OCTET_STRING) {
			return nil, syntax("the signed content is no OCTET STRING")
		}
		out.Content = content
	}
	var certificates, skipped cryptobyte.String
	if !body.ReadOptionalASN1(&certificates, &present, contextTag(0)) ||
		!body.SkipOptionalASN1(contextTag(1)) || // CRLs: revocation is the caller's list
		!body.ReadASN1(&signers, tag.SET) {
		return nil, syntax("SignedData")
	}
	for !certificates.Empty() {
		var t tag.Tag
		if !certificates.ReadAnyASN1Element(&skipped, &t) {
			return nil, syntax("a certificate")
		}
		if len(out.Certificates) == maxCertificates {
			return nil, limit("certificates", maxCertificates)
		}
		if t != tag.SEQUENCE { // attribute certificates and other formats (RFC 5652 10.2.2)
			continue
		}
		if c, err := x509.ParseCertificate(skipped); err == nil {
			out.Certificates = append(out.Certificates, c)
		}
	}
	for !signers.Empty() {
		if len(out.signers) == maxSigners {
			return nil, limit("signers", maxSigners)
		}
		info, err := readSigner(&signers)
		if err != nil {
			return nil, err
		}
		out.signers = append(out.signers, info)
	}
	return out, nil
}

func readSigner(s *cryptobyte.String) (info signerInfo, err error) {
	bad := syntax("a SignerInfo")
	var seq, name, value cryptobyte.String
	var version int
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1Integer(&version) {
		return info, bad
	}
	if seq.PeekASN1Tag(tag.SEQUENCE) {
		if info.issuer, info.serial, err = readIssuerAndSerial(&seq); err != nil {
			return info, err
		}
	} else if !seq.ReadASN1(&name, tag.Tag(0).ContextSpecific()) {
		return info, bad
	} else {
		info.keyID = name
	}
	var ok bool
	if info.digest, ok = readAlgorithm(&seq); !ok {
		return info, bad
	}
	if seq.PeekASN1Tag(contextTag(0)) {
		var element cryptobyte.String
		if !seq.ReadASN1Element(&element, contextTag(0)) {
			return info, bad
		}
		// What is signed has the tag of a SET OF (RFC 5652 5.4).
		info.attributes = append([]byte{byte(tag.SET)}, element[1:]...)
	}
	if info.signature, ok = readAlgorithm(&seq); !ok || !seq.ReadASN1(&value, tag.OCTET_STRING) {
		return info, bad
	}
	info.value = value
	return info, nil
}

func readIssuerAndSerial(s *cryptobyte.String) (issuer []byte, serial *big.Int, err error) {
	var seq, name cryptobyte.String
	serial = new(big.Int)
	if !s.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1Element(&name, tag.SEQUENCE) || !seq.ReadASN1Integer(serial) {
		return nil, nil, syntax("issuerAndSerialNumber")
	}
	return name, serial, nil
}

// Verify checks every signer's signature over content, which is s.Content where
// the message is not detached. A message without signers has none that hold:
// the result is empty.
func (s *Signed) Verify(content []byte) []Signature {
	sums := map[crypto.Hash][]byte{} // of the content, for several signers
	list := make([]Signature, len(s.signers))
	for i := range s.signers {
		list[i] = s.check(&s.signers[i], content, sums)
	}
	return list
}

func (s *Signed) check(info *signerInfo, content []byte, sums map[crypto.Hash][]byte) (sig Signature) {
	d, err := digestOf(info.digest.oid)
	if err != nil {
		sig.Err = err
		return sig
	}
	sig.Digest, sig.Weak = d.name, d.weak
	sig.Certificate = s.signer(info)
	signed := content
	if info.attributes == nil {
		// Without attributes the content itself is signed (RFC 5652 5.4), but only
		// where it is plain data, and not where it could be the attributes of
		// another message: then a signature could be moved between the two.
		if !s.contentType.Equal(oidData) {
			sig.Err = syntax("signed attributes are missing")
			return sig
		}
		if looksLikeAttributes(content) {
			sig.Err = fmt.Errorf("cms: the content has the form of signed attributes: %w", ErrSignature)
			return sig
		}
	} else {
		a, err := readAttributes(info.attributes)
		if err != nil {
			sig.Err = err
			return sig
		}
		sig.Time = a.time
		if !a.contentType.Equal(s.contentType) {
			sig.Err = fmt.Errorf("cms: the signature is for content of type %v: %w", a.contentType, ErrSignature)
			return sig
		}
		h := sums[d.hash]
		if h == nil {
			h = sum(d.hash, content)
			sums[d.hash] = h
		}
		if subtle.ConstantTimeCompare(h, a.digest) != 1 {
			sig.Err = fmt.Errorf("cms: the content was changed after it was signed: %w", ErrSignature)
			return sig
		}
		if sig.Certificate != nil && !a.binds(sig.Certificate) {
			sig.Err = fmt.Errorf("cms: the signature was made for another certificate: %w", ErrSignature)
			return sig
		}
		signed = info.attributes
	}
	if sig.Certificate == nil {
		sig.Err = fmt.Errorf("cms: the message does not carry the signer's certificate: %w", ErrSignature)
		return sig
	}
	sig.Err = verify(sig.Certificate, info.signature, d, signed, info.value)
	return sig
}

func (s *Signed) signer(info *signerInfo) *x509.Certificate {
	for _, c := range s.Certificates {
		if names(c, info.issuer, info.serial, info.keyID) {
			return c
		}
	}
	return nil
}

// names tells whether a certificate is the one that issuer and serial number,
// or a key identifier, mean.
func names(c *x509.Certificate, issuer []byte, serial *big.Int, keyID []byte) bool {
	if issuer == nil {
		return len(keyID) > 0 && bytes.Equal(c.SubjectKeyId, keyID)
	}
	return c.SerialNumber.Cmp(serial) == 0 && bytes.Equal(c.RawIssuer, issuer)
}

// looksLikeAttributes tells whether data could be a DER SET OF Attribute.
func looksLikeAttributes(data []byte) bool {
	s := cryptobyte.String(data)
	var set, seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	return s.ReadASN1(&set, tag.SET) && set.ReadASN1(&seq, tag.SEQUENCE) && seq.ReadASN1ObjectIdentifier(&oid)
}
