package mail

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// keys reads what an account verifies and opens mail with.
func (m *Mail) keys(ctx context.Context, account store.AccountID) (*keyring.Set, error) {
	if m.o.Keys == nil {
		return &keyring.Set{Authority: smime.Authority{Now: m.now()}}, nil
	}
	return m.o.Keys.For(ctx, account)
}

// certificates are those that the signatures of a mail bore, by fingerprint.
type certificates map[string]*x509.Certificate

// checkSignatures verifies the signatures around a calendar object. A
// multipart/signed with several signers gives one line for each. The
// certificates of those that hold are noted in bearers.
func checkSignatures(keys *keyring.Set, list []*imip.Signature, bearers certificates) (out []trust.Signature) {
	for _, s := range list {
		switch s.Protocol {
		case imip.SMIME:
			out = append(out, checkSMIME(keys, s, bearers)...)
		default:
			out = append(out, checkPGP(keys, s))
		}
	}
	return out
}

func checkSMIME(keys *keyring.Set, s *imip.Signature, bearers certificates) (out []trust.Signature) {
	broken := func(why string) []trust.Signature {
		return []trust.Signature{{Protocol: imip.SMIME, Standing: smime.Broken, Sentence: "The signature cannot be checked: " + why + "."}}
	}
	verify := smime.Verify
	if s.Content == nil {
		verify = smime.VerifyOpaque
	}
	signed, sigs, err := verify(s.Content, s.Value)
	if err != nil {
		return broken(oneLine(err.Error()))
	}
	if len(sigs) == 0 {
		return broken("it has no signer")
	}
	for _, sig := range sigs {
		v := keys.Authority.Check(sig, signed.Certificates)
		one := trust.Signature{Protocol: imip.SMIME, Standing: v.Standing, Fingerprint: v.Fingerprint, Issuer: v.Issuer, Time: sig.Time, Sentence: v.Sentence}
		for _, a := range v.Addresses {
			one.Addresses = append(one.Addresses, ical.Mailto(a))
		}
		if v.Standing == smime.Trusted || v.Standing == smime.Unknown {
			bearers[v.Fingerprint] = sig.Certificate
		}
		out = append(out, one)
	}
	return out
}

func checkPGP(keys *keyring.Set, s *imip.Signature) trust.Signature {
	v := keys.CheckPGP(s.Content, s.Value)
	one := trust.Signature{Protocol: imip.PGP, Time: v.Time}
	if v.Key != nil {
		one.Fingerprint = v.Key.Fingerprint()
	}
	for _, a := range v.Addresses {
		one.Addresses = append(one.Addresses, ical.Mailto(a))
	}
	switch {
	case errors.Is(v.Err, pgp.ErrUnknownKey):
		one.Standing, one.Sentence = smime.Unknown, "The message bears an OpenPGP signature by a key that is not known here."
	case v.Err != nil:
		one.Standing, one.Sentence = smime.Broken, "The OpenPGP signature does not hold: "+strings.TrimPrefix(oneLine(v.Err.Error()), "pgp: ")+"."
	case v.Revoked:
		one.Standing, one.Sentence = smime.Revoked, "The message is signed by an OpenPGP key that is not believed here any more."
	case len(v.Addresses) == 0:
		one.Standing, one.Sentence = smime.Unknown, "The message bears an OpenPGP signature by a key that nobody here vouches for."
	default:
		one.Standing, one.Sentence = smime.Trusted, "Signed by "+strings.Join(v.Addresses, ", ")+", whose OpenPGP key is known here."
	}
	return one
}

// freshSignature is the age up to which a signature shows how somebody signs
// now: mail that took longer may be an old one that somebody sends again.
const freshSignature = 7 * 24 * time.Hour

// learn remembers the certificates of a message that was applied, so that mail
// can be encrypted to their holders and a message without a signature is noticed.
// One that was not applied, or was signed long ago, teaches nothing: whoever
// plays it again could make the sender's own mail be held. A certificate counts
// for who wrote the mail, and not for whomever else it names: one signed mail
// must not change how the mail of several is taken.
//
// Where the site pins on first use, a certificate that leads to no authority is
// believed from then on, if another proof shows that the mail is from its
// holder and no other key of theirs is known.
//
// It is no condition of anything: what fails is written to the log.
func (m *Mail) learn(ctx context.Context, e *store.Entry, bearers certificates) {
	if m.o.Keys == nil || len(bearers) == 0 {
		return
	}
	r := recordOf(e)
	note := func(fingerprint string, err error) {
		if err != nil {
			m.log.Warn("a certificate could not be remembered", "account", e.Account, "fingerprint", fingerprint, "error", err)
		}
	}
	for _, s := range r.Signatures {
		c := bearers[s.Fingerprint]
		if c == nil || r.From == "" || !s.Time.IsZero() && e.Created.Sub(s.Time) > freshSignature {
			continue
		}
		email := r.From.Email()
		switch {
		case s.Standing == smime.Trusted && slices.ContainsFunc(s.Addresses, r.From.Equal):
			note(s.Fingerprint, m.o.Keys.Collect(ctx, e.Account, c, []string{email}))
		case s.Standing == smime.Unknown && m.o.PinFirst && r.AuthenticatedDomain() != "" && slices.ContainsFunc(smime.Addresses(c), func(a string) bool { return ical.Mailto(a).Equal(r.From) }):
			keys, err := m.keys(ctx, e.Account)
			if err == nil && !keys.Signs(email) && !keys.Authority.Revoked[s.Fingerprint] {
				_, err = m.o.Keys.Trust(ctx, e.Account, c.Raw, email)
			}
			note(s.Fingerprint, err)
		}
	}
}

// security is how an account's outgoing mail is to be secured.
type security struct {
	keys    *keyring.Set
	signing bool   // sign where there is a key
	encrypt string // encryptNever, encryptPossible or encryptAlways
}

// Settings of mail.encryption and of accounts.
const (
	encryptNever    = "never"
	encryptPossible = "when-possible"
	encryptAlways   = "always"
)

// preferences of an account (store.Account.Settings, shared with other services).
type preferences struct {
	Sign    *bool  `json:"sign-mail"`
	Encrypt string `json:"encrypt-mail"`
}

func (m *Mail) securityOf(ctx context.Context, account store.AccountID, settings []byte) (security, error) {
	var p preferences
	if len(settings) > 0 {
		_ = json.Unmarshal(settings, &p) // another service's mistake must not stop mail
	}
	keys, err := m.keys(ctx, account)
	if err != nil {
		return security{}, err
	}
	s := security{keys: keys, signing: m.o.Sign, encrypt: cmp.Or(p.Encrypt, m.o.Encrypt)}
	if p.Sign != nil {
		s.signing = *p.Sign
	}
	return s, nil
}

// securePGP is secure for OpenPGP: where the sender's only key is one, or the
// recipient can be written to in no other way.
func (s security) securePGP(m *Mail, sender, recipient string) func([]byte) ([]byte, error) {
	signer, signs := s.keys.PGPSigner(sender)
	key, known := s.keys.PGPRecipient(recipient)
	_, certificate := s.keys.Recipient(recipient)
	_, smimeSigns := s.keys.Signer(sender)
	signs = signs && s.signing && !smimeSigns
	if s.encrypt != "" && s.encrypt != encryptNever && known && !certificate {
		if !signs {
			signer = nil
		}
		return func(entity []byte) ([]byte, error) { return pgp.Encrypt(entity, []*pgp.Key{key}, signer, m.now()) }
	}
	if !signs || s.encrypt == encryptAlways || certificate && s.encrypt == encryptPossible {
		return nil
	}
	return func(entity []byte) ([]byte, error) { return pgp.Sign(entity, signer, m.now()) }
}

// secure gives the function that signs and encrypts a message's MIME entity;
// nil where it goes out as it is. sender must be the From address: a signature
// by another would be taken for a forgery.
func (s security) secure(m *Mail, sender, recipient string) func([]byte) ([]byte, error) {
	if f := s.securePGP(m, sender, recipient); f != nil {
		return f
	}
	signer, signs := s.keys.Signer(sender)
	signs = signs && s.signing
	certificate, known := s.keys.Recipient(recipient)
	encrypts := known && s.encrypt == encryptPossible || s.encrypt == encryptAlways
	if !signs && !encrypts {
		return nil
	}
	return func(entity []byte) (out []byte, err error) {
		out = entity
		if signs {
			if out, err = smime.Sign(out, []cms.Signer{signer}, m.now()); err != nil {
				return nil, err
			}
		}
		if encrypts && !known {
			return nil, fmt.Errorf("it must be encrypted, and there is no certificate of %s here: import one, or have them send a signed mail first", recipient)
		}
		if encrypts {
			return smime.Encrypt(out, []*x509.Certificate{certificate}, cms.AES256GCM)
		}
		return out, nil
	}
}
