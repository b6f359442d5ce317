package smime

import (
	"fmt"

	"github.com/convene-cal/convene/imip/cms"
)

// Verify checks the signatures of a multipart/signed: signed is its first part
// as it stands in the mail, without the line end before the delimiter;
// signature is the decoded second part. Where the mail came with bare line
// feeds, the canonical form is what was signed.
func Verify(signed, signature []byte) (*cms.Signed, []cms.Signature, error) {
	s, err := cms.ParseSigned(signature)
	if err != nil {
		return nil, nil, fmt.Errorf("smime: %w", err)
	}
	if !s.Detached {
		// A content of its own beside the part: which of the two was meant?
		return nil, nil, fmt.Errorf("smime: the signature carries a content of its own: %w", cms.ErrSignature)
	}
	return s, s.Verify(Canonical(signed)), nil
}

// VerifyOpaque is Verify for signed data with its content inside, where there
// is no first part.
func VerifyOpaque(_, data []byte) (*cms.Signed, []cms.Signature, error) {
	_, s, sigs, err := Open(data)
	return s, sigs, err
}

// Open checks the signatures of an opaque application/pkcs7-mime of type
// signed-data and gives the MIME entity inside.
func Open(data []byte) (entity []byte, s *cms.Signed, sigs []cms.Signature, err error) {
	s, err = cms.ParseSigned(data)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("smime: %w", err)
	}
	if s.Detached {
		return nil, nil, nil, fmt.Errorf("smime: no content in the signed data: %w", cms.ErrSyntax)
	}
	return s.Content, s, s.Verify(s.Content), nil
}
