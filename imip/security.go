package imip

import (
	"errors"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/pgp"
)

// Protocols of signed and encrypted mail (RFC 1847).
const (
	SMIME = "pkcs7" // RFC 8551
	PGP   = "pgp"   // RFC 3156
)

// Signature is a signature over a part of the mail, as it came: it says nothing
// until it is verified (smime.Verify, smime.Open, or a keyring's own way), which
// needs to know whom to believe.
type Signature struct {
	Protocol string // SMIME or PGP
	Part     string // place of the signed entity: "1.1", "" where the mail itself is
	// Content is the signed MIME entity, octet for octet; nil where Value has it
	// inside (opaque signed-data).
	Content []byte
	Value   []byte // decoded: CMS, or an OpenPGP signature, armored or not
}

// Opener opens the encrypted content of a mail: a CMS message for SMIME, an
// OpenPGP message for PGP. It gives the MIME entity inside. authenticated says
// that nobody can have changed it on the way. signatures are those that were
// inside with it and are no part of the entity, as OpenPGP has them.
type Opener func(protocol string, data []byte) (entity []byte, authenticated bool, signatures []*Signature, err error)

// protection is how an entity is protected by what it lies in.
type protection struct {
	signatures []*Signature
	encrypted  bool
	malleable  bool // encrypted without a way to see changes
	wrappings  int  // opaque forms around it
}

func (p place) signedBy(s ...*Signature) place {
	p.signatures = append(p.signatures[:len(p.signatures):len(p.signatures)], s...)
	return p
}

func isPGP(e *entity) bool {
	return strings.Contains(strings.ToLower(e.media.params["protocol"]), "pgp")
}

// clearSignature is that of a multipart/signed (RFC 1847 2.1): the second part
// signs the first.
func clearSignature(e *entity) *Signature {
	s := &Signature{Protocol: SMIME, Part: e.parts[0].path, Content: e.parts[0].raw}
	if isPGP(e) {
		s.Protocol = PGP
	}
	if len(e.parts) == 2 { // with more parts it is not said which is the signature
		s.Value = e.parts[1].decoded()
	}
	return s
}

// pkcs7 looks into an application/pkcs7-mime. The content decides what it is:
// smime-type is missing or wrong often enough.
func (w *walker) pkcs7(e *entity, at place) error {
	if strings.EqualFold(e.media.params["smime-type"], "certs-only") {
		return nil
	}
	data := e.decoded()
	s, err := cms.ParseSigned(data)
	switch {
	case err == nil && s.Detached:
		return nil // certificates alone
	case err == nil:
		return w.inner(e, s.Content, at.signedBy(&Signature{Protocol: SMIME, Part: e.path, Value: data}))
	case strings.EqualFold(e.media.params["smime-type"], "signed-data"):
		w.opaque = strings.TrimPrefix(err.Error(), "cms: ")
		return nil
	}
	return w.opened(e, SMIME, data, at)
}

// opened walks on inside an encrypted entity, where there is a key.
func (w *walker) opened(e *entity, protocol string, data []byte, at place) error {
	w.parsed.Encrypted = true
	if w.open == nil {
		return nil
	}
	entity, authenticated, signatures, err := w.open(protocol, data)
	if err != nil {
		w.closed = "it cannot be opened: " + strings.TrimPrefix(err.Error(), "cms: ")
		if errors.Is(err, cms.ErrDecrypt) || errors.Is(err, pgp.ErrDecrypt) {
			w.closed = "" // the usual words
		}
		return nil
	}
	w.wasOpened = true
	at = at.signedBy(signatures...)
	at.encrypted, at.malleable = true, at.malleable || !authenticated
	if len(at.signatures) > 0 && len(signatures) == 0 {
		// A signature around the encryption says who sent it on, not who wrote it
		// (RFC 2634 1.2 names the attack): only what is inside counts.
		at.signatures = nil
	}
	return w.inner(e, entity, at)
}

// inner walks an entity that was wrapped in another.
func (w *walker) inner(e *entity, data []byte, at place) error {
	if at.wrappings++; at.wrappings > w.tree.limits.Depth {
		return fmt.Errorf("imip: signed and encrypted parts are nested more than %d deep: %w", w.tree.limits.Depth, ErrLimit)
	}
	inside, err := w.tree.entity(data, e.path, strings.Count(e.path, ".")+1+at.wrappings, "text/plain")
	if err != nil {
		return err
	}
	return w.walk(inside, at)
}
