package pgp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// Result is one signature, once checked.
type Result struct {
	Key  *Key      // whose it is; nil where none of the keys fits
	Time time.Time // when the signer says to have signed, in UTC
	// Ended says that the key, or the part of it that signed, counts no more: it has
	// run out or was revoked by its holder. Whoever has such a key can sign as of a
	// time when it still counted.
	Ended bool
	Err   error // nil where the signature holds; ErrSignature, ErrUnknownKey or ErrSyntax
}

// Sign wraps a MIME entity in a multipart/signed (RFC 3156 5). The entity must
// be seven bits wide; it gets CRLF line ends.
func Sign(entity []byte, signer *Key, at time.Time) ([]byte, error) {
	entity = canonical(entity)
	h, err := crypto.PGP().Sign().SigningKey(signer.key).Detached().SignTime(at.Unix()).New()
	if err != nil {
		return nil, fmt.Errorf("pgp: %w", err)
	}
	signature, err := h.Sign(entity, crypto.Armor)
	if err != nil {
		return nil, fmt.Errorf("pgp: sign: %w", err)
	}
	boundary := boundaryFor(entity)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/signed; protocol=\"application/pgp-signature\";\r\n micalg=%s; boundary=\"%s\"\r\n\r\n", micalg(signature), boundary)
	b.WriteString("This is a signed message in the form of OpenPGP.\r\n")
	fmt.Fprintf(&b, "--%s\r\n%s\r\n--%s\r\n", boundary, entity, boundary)
	b.WriteString("Content-Type: application/pgp-signature; name=\"signature.asc\"\r\nContent-Disposition: attachment; filename=\"signature.asc\"\r\n\r\n")
	b.Write(canonical(append(bytes.TrimSpace(signature), '\n')))
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// micalg names the hash of a signature (RFC 3156 5).
func micalg(signature []byte) string {
	block, err := armor.Decode(bytes.NewReader(signature))
	if err != nil {
		return "pgp-sha512"
	}
	p, err := packet.Read(block.Body)
	if s, ok := p.(*packet.Signature); ok && err == nil {
		return "pgp-" + strings.ToLower(strings.ReplaceAll(s.Hash.String(), "-", ""))
	}
	return "pgp-sha512"
}

// Verify checks the signature of a multipart/signed: signed is its first part
// as it stands, signature the second. now is when it is judged.
func Verify(signed, signature []byte, keys []*Key, now time.Time) Result {
	r, err := ring(keys)
	if err != nil {
		return Result{Err: fmt.Errorf("pgp: %w: %w", ErrSyntax, err)}
	}
	// A signature in the future by a clock that is a little fast is none of a forger's.
	h, err := crypto.PGP().Verify().VerificationKeys(r).VerifyTime(now.Unix()).DisableAutomaticTextSanitize().New()
	if err != nil {
		return Result{Err: fmt.Errorf("pgp: %w: %w", ErrSyntax, err)}
	}
	v, err := h.VerifyDetached(canonical(signed), signature, crypto.Auto)
	if err != nil {
		return Result{Err: fmt.Errorf("pgp: %w: %w", ErrSyntax, err)}
	}
	out := result(v, keys)
	if out.Err == nil {
		out.Ended = !out.Key.ValidAt(now) || !out.Key.partValidAt(v.SignedByKeyId(), now)
	}
	return out
}

func result(v *crypto.VerifyResult, keys []*Key) Result {
	if err := v.SignatureErrorExplicit(); err != nil {
		known := v.SignedByKey() != nil
		out := Result{Err: fmt.Errorf("pgp: %w", ErrUnknownKey)}
		if known {
			out.Err = fmt.Errorf("pgp: %w: %s", ErrSignature, err.Message)
		}
		return out
	}
	by := v.SignedByKey()
	if by == nil {
		return Result{Err: fmt.Errorf("pgp: %w", ErrUnknownKey)}
	}
	out := Result{Time: time.Unix(v.SignatureCreationTime(), 0).UTC()}
	for _, k := range keys {
		if k.Fingerprint() == strings.ToLower(by.GetFingerprint()) {
			out.Key = k
		}
	}
	if out.Key == nil {
		out.Err = fmt.Errorf("pgp: %w", ErrUnknownKey)
	}
	return out
}

// Encrypt wraps a MIME entity in a multipart/encrypted (RFC 3156 4), with a
// signature inside where signer is not nil (6.2).
func Encrypt(entity []byte, recipients []*Key, signer *Key, at time.Time) ([]byte, error) {
	to, err := ring(recipients)
	if err != nil {
		return nil, fmt.Errorf("pgp: %w", err)
	}
	builder := crypto.PGP().Encryption().Recipients(to).EncryptionTime(at.Unix())
	if signer != nil {
		builder = builder.SigningKey(signer.key).SignTime(at.Unix())
	}
	h, err := builder.New()
	if err != nil {
		return nil, fmt.Errorf("pgp: %w", err)
	}
	m, err := h.Encrypt(canonical(entity))
	if err != nil {
		return nil, fmt.Errorf("pgp: encrypt: %w", err)
	}
	text, err := m.Armor()
	if err != nil {
		return nil, fmt.Errorf("pgp: %w", err)
	}
	boundary := boundaryFor([]byte(text))
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n", boundary)
	b.Write(canonical([]byte(strings.TrimSpace(text) + "\n")))
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes(), nil
}

// maxOpened bounds what a message may unfold to: OpenPGP compresses.
const maxOpened = 25 << 20

// Decrypt opens an encrypted message, armored or not, and gives the MIME entity
// inside, with the signature that was encrypted with it, to be given to Verify;
// nil where there is none. Messages without protection against change are
// refused.
func Decrypt(data []byte, keys []*Key) (entity, signature []byte, err error) {
	r, err := ring(keys)
	if err != nil || len(keys) == 0 {
		return nil, nil, fmt.Errorf("pgp: %w", ErrDecrypt)
	}
	// The signature is looked at by Verify, with the keys that are believed.
	h, err := crypto.PGP().Decryption().DecryptionKeys(r).MaxDecompressedMessageSize(maxOpened).DisableVerifyTimeCheck().DisableAutomaticTextSanitize().New()
	if err != nil {
		return nil, nil, fmt.Errorf("pgp: %w", ErrDecrypt)
	}
	v, err := h.Decrypt(data, crypto.Auto)
	if err != nil {
		return nil, nil, fmt.Errorf("pgp: %w", ErrDecrypt)
	}
	if signature, err = v.Signature(); err != nil {
		signature = nil
	}
	return v.Bytes(), signature, nil
}

func canonical(entity []byte) []byte {
	if bytes.Count(entity, []byte("\n")) == bytes.Count(entity, []byte("\r\n")) {
		return entity
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(entity, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

// boundaryFor is a delimiter that the content decides.
func boundaryFor(entity []byte) string {
	h := sha256.Sum256(entity)
	return "=_pgp_" + hex.EncodeToString(h[:16])
}
