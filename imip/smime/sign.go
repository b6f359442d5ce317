package smime

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/imip/cms"
)

// Sign wraps a MIME entity (its Content- fields, an empty line, its body) in a
// multipart/signed. at is the signing time that is claimed. The entity is
// brought to its canonical form, lines that end in CRLF (RFC 8551 3.1.1), and
// should be seven bits wide, or a relay may re-encode it and break the
// signature.
func Sign(entity []byte, signers []cms.Signer, at time.Time) ([]byte, error) {
	entity = Canonical(entity)
	p7s, err := cms.Sign(entity, signers, cms.SignOptions{Detached: true, Time: at})
	if err != nil {
		return nil, fmt.Errorf("smime: %w", err)
	}
	s, err := cms.ParseSigned(p7s)
	if err != nil {
		return nil, fmt.Errorf("smime: %w", err)
	}
	var micalg []string // RFC 8551 3.5.3.2: each hash that was used
	for _, sig := range s.Verify(entity) {
		if sig.Err != nil {
			return nil, fmt.Errorf("smime: the signature just made does not hold: %w", sig.Err)
		}
		if !strings.Contains(","+strings.Join(micalg, ",")+",", ","+sig.Digest+",") {
			micalg = append(micalg, sig.Digest)
		}
	}
	boundary := boundaryFor(entity)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=\"%s\"; boundary=\"%s\"\r\n\r\n", strings.Join(micalg, ","), boundary)
	b.WriteString("This is a signed message in the form of S/MIME.\r\n")
	fmt.Fprintf(&b, "--%s\r\n", boundary)
	b.Write(entity)
	fmt.Fprintf(&b, "\r\n--%s\r\n", boundary)
	b.WriteString("Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n")
	writeBase64(&b, p7s)
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// Encrypt wraps a MIME entity in an application/pkcs7-mime that the holders of
// the certificates can open. To sign as well, sign first (RFC 8551 3.6).
func Encrypt(entity []byte, recipients []*x509.Certificate, with cms.Cipher) ([]byte, error) {
	sealed, err := cms.Encrypt(Canonical(entity), recipients, with)
	if err != nil {
		return nil, fmt.Errorf("smime: %w", err)
	}
	kind := "authEnveloped-data" // RFC 8551 3.2.2
	if with == cms.AES128CBC {
		kind = "enveloped-data"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: application/pkcs7-mime; smime-type=%s; name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n", kind)
	writeBase64(&b, sealed)
	return b.Bytes(), nil
}

// Canonical gives an entity with CRLF at the end of each line.
func Canonical(entity []byte) []byte {
	bare := bytes.Count(entity, []byte("\n")) - bytes.Count(entity, []byte("\r\n"))
	if bare == 0 {
		return entity
	}
	out := make([]byte, 0, len(entity)+bare)
	for i, c := range entity {
		if c == '\n' && (i == 0 || entity[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// boundaryFor is a delimiter that the content decides, so that it does not
// occur in it but by an accident of 2^-128.
func boundaryFor(entity []byte) string {
	h := sha256.Sum256(entity)
	return "=_smime_" + hex.EncodeToString(h[:16])
}

func writeBase64(b *bytes.Buffer, data []byte) {
	const line = 57 // octets that make 76 characters (RFC 2045 6.8)
	for len(data) > 0 {
		n := min(line, len(data))
		b.WriteString(base64.StdEncoding.EncodeToString(data[:n]))
		b.WriteString("\r\n")
		data = data[n:]
	}
}
