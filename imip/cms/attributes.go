package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// signedAttributes are those of RFC 5652 11 and RFC 5035 that are looked at.
type signedAttributes struct {
	contentType asn1.ObjectIdentifier
	digest      []byte
	time        time.Time
	certHash    []byte // of the signer's certificate; nil where not said
	certDigest  *digest
}

func readAttributes(der []byte) (a signedAttributes, err error) {
	s := cryptobyte.String(der)
	var set cryptobyte.String
	if !s.ReadASN1(&set, tag.SET) {
		return a, syntax("signed attributes")
	}
	var seen []string
	for !set.Empty() {
		var seq, values cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !set.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) || !seq.ReadASN1(&values, tag.SET) {
			return a, syntax("a signed attribute")
		}
		// Each of them MUST occur once, with one value (RFC 5652 5.3, 11): two
		// could be read in two ways.
		if slices.Contains(seen, oid.String()) {
			return a, syntax("a signed attribute given twice")
		}
		seen = append(seen, oid.String())
		ok := true
		switch {
		case oid.Equal(oidContentType):
			ok = values.ReadASN1ObjectIdentifier(&a.contentType) && values.Empty()
		case oid.Equal(oidMessageDigest):
			var v cryptobyte.String
			ok = values.ReadASN1(&v, tag.OCTET_STRING) && values.Empty()
			a.digest = v
		case oid.Equal(oidSigningTime):
			ok = readTime(&values, &a.time) && values.Empty()
		case oid.Equal(oidSigningCertV2), oid.Equal(oidSigningCert):
			ok = a.readSigningCertificate(values, oid.Equal(oidSigningCert))
		}
		if !ok {
			return a, syntax("a signed attribute")
		}
	}
	if a.contentType == nil || len(a.digest) == 0 {
		return a, syntax("the signed attributes lack content type or message digest")
	}
	return a, nil
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(tag.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

// readSigningCertificate reads the first ESSCertID, the signer's own (RFC 5035 3, 5).
func (a *signedAttributes) readSigningCertificate(values cryptobyte.String, v1 bool) bool {
	var sequence, certs, first, hash cryptobyte.String
	if !values.ReadASN1(&sequence, tag.SEQUENCE) || !sequence.ReadASN1(&certs, tag.SEQUENCE) || !certs.ReadASN1(&first, tag.SEQUENCE) {
		return false
	}
	d := digestFor(crypto.SHA256) // the default of version 2
	if v1 {
		d = digestFor(crypto.SHA1)
	} else if first.PeekASN1Tag(tag.SEQUENCE) {
		named, ok := readAlgorithm(&first)
		if !ok {
			return false
		}
		var err error
		if d, err = digestOf(named.oid); err != nil {
			return false
		}
	}
	if !first.ReadASN1(&hash, tag.OCTET_STRING) {
		return false
	}
	if a.certDigest == nil || a.certDigest.weak { // the stronger of two says more
		a.certHash, a.certDigest = hash, d
	}
	return true
}

// binds tells whether the signer meant this certificate, as far as it said.
func (a *signedAttributes) binds(c *x509.Certificate) bool {
	return a.certHash == nil || bytes.Equal(sum(a.certDigest.hash, c.Raw), a.certHash)
}

// attributeSet encodes a SET OF Attribute in DER: the elements sorted (X.690 11.6).
type attributeSet [][]byte

func (set *attributeSet) add(oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) {
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(tag.SET, value)
	})
	*set = append(*set, b.BytesOrPanic())
}

// encode gives the contents of the SET, without its tag and length.
func (set attributeSet) encode() []byte {
	slices.SortFunc(set, bytes.Compare)
	return slices.Concat(set...)
}
