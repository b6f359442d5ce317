package cms

import (
	"errors"
	"fmt"
)

// Kinds of failure, for errors.Is.
var (
	// ErrSyntax: the octets are not what RFC 5652 defines.
	ErrSyntax = errors.New("malformed CMS")
	// ErrLimit: more nesting, signers, recipients or certificates than are looked at.
	ErrLimit = errors.New("limit exceeded")
	// ErrAlgorithm: an algorithm this package does not know or does not take.
	ErrAlgorithm = errors.New("unsupported algorithm")
	// ErrSignature: the signature does not belong to the content, or its
	// certificate is missing.
	ErrSignature = errors.New("bad signature")
	// ErrDecrypt: no key given opens the message. It does not say at which
	// step that was found, so that nobody learns by asking (RFC 3218).
	ErrDecrypt = errors.New("cannot be decrypted with the keys given")
)

// Limits of what is read. A mail has one or two signers and one recipient info
// for each reader; the numbers are far above and keep work bounded.
const (
	maxDepth        = 32
	maxSigners      = 16
	maxCertificates = 64
	maxRecipients   = 2000
)

func syntax(what string) error { return fmt.Errorf("cms: %s: %w", what, ErrSyntax) }

func limit(what string, n int) error {
	return fmt.Errorf("cms: more than %d %s: %w", n, what, ErrLimit)
}
