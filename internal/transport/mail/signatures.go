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

// bearers are the certificates and OpenPGP keys that made the signatures of a
// mail, by fingerprint.
type bearers struct {
	certificates map[string]*x509.Certificate
	keys         map[string]*pgp.Key
}

func newBearers() *bearers {
	return &bearers{map[string]*x509.Certificate{}, map[string]*pgp.Key{}}
}

// checkSignatures verifies the signatures around a calendar object. A
// multipart/signed with several signers gives one line for each. What made
// those that hold is noted in by. offered are OpenPGP keys that the mail
// brought along.
func checkSignatures(keys *keyring.Set, list []*imip.Signature, offered []*pgp.Key, by *bearers) (out []trust.Signature) {
	for _, s := range list {
		switch s.Protocol {
		case imip.SMIME:
			out = append(out, checkSMIME(keys, s, by)...)
		default:
			out = append(out, checkPGP(keys, s, offered, by))
		}
	}
	return out
}

func checkSMIME(keys *keyring.Set, s *imip.Signature, by *bearers) (out []trust.Signature) {
	broken := func(why string) []trust.Signature {
		return []trust.Signature{{Protocol: imip.SMIME, Standing: smime.Broken, Sentence: "The signature cannot be checked: " + why + "."}}
	}
	verify := smime.Verify
	if s.Content == nil {
		verify = smime.VerifyOpaque
	}
	signed, sigs, err := verify(s.Content, s.Value)
	if err != nil {
		return broken(plainly(err))
	}
	if len(sigs) == 0 {
		return broken("it has no signer")
	}
	for _, sig := range sigs {
		v := keys.Authority.Check(sig, signed.Certificates)
		one := trust.Signature{Protocol: imip.SMIME, Standing: v.Standing, Fingerprint: v.Fingerprint, Issuer: v.Issuer, Time: sig.Time, Sentence: v.Sentence, Certificate: v.Certificate}
		for _, a := range v.Addresses {
			one.Addresses = append(one.Addresses, ical.Mailto(a))
		}
		if v.Standing == smime.Trusted || v.Standing == smime.Unknown {
			by.certificates[v.Fingerprint] = sig.Certificate
		}
		out = append(out, one)
	}
	return out
}

// plainly says why a signature cannot be checked, for people.
func plainly(err error) string {
	if errors.Is(err, cms.ErrSyntax) {
		return "it is damaged, or none"
	}
	text := oneLine(err.Error())
	for _, prefix := range []string{"smime: ", "cms: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

func checkPGP(keys *keyring.Set, s *imip.Signature, offered []*pgp.Key, by *bearers) trust.Signature {
	v := keys.CheckPGP(s.Content, s.Value, offered...)
	one := trust.Signature{Protocol: imip.PGP, Time: v.Time}
	if v.Key != nil {
		one.Fingerprint, one.Certificate = v.Key.Fingerprint(), pgp.Describe(v.Key)
	}
	for _, a := range v.Addresses {
		one.Addresses = append(one.Addresses, ical.Mailto(a))
	}
	switch {
	case errors.Is(v.Err, pgp.ErrUnknownKey):
		one.Standing, one.Sentence = smime.Unknown, "The message bears an OpenPGP signature by a key that is not known here."
	case errors.Is(v.Err, pgp.ErrSyntax):
		one.Standing, one.Sentence = smime.Broken, "The OpenPGP signature cannot be checked: it is damaged, or none."
	case v.Err != nil:
		one.Standing, one.Sentence = smime.Broken, "The OpenPGP signature does not hold: "+strings.TrimPrefix(oneLine(v.Err.Error()), "pgp: ")+"."
	case v.Revoked:
		one.Standing, one.Sentence = smime.Revoked, "The message is signed by an OpenPGP key that is not believed here any more."
	case v.Ended:
		one.Standing, one.Sentence = smime.Expired, fmt.Sprintf("The OpenPGP key of %s counts no more: it ran out, or its holder revoked it.", strings.Join(v.Key.Addresses(), ", "))
	case len(v.Addresses) == 0:
		one.Standing, one.Sentence = smime.Unknown, "The message bears an OpenPGP signature by a key that nobody here vouches for."
		by.keys[one.Fingerprint] = v.Key
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
// Where the site pins on first use, a certificate that leads to no authority, or
// an OpenPGP key that the mail brings along, is believed from then on, if another
// proof shows that the mail is from its holder and no other key of theirs is known.
//
// It is no condition of anything: what fails is written to the log.
func (m *Mail) learn(ctx context.Context, e *store.Entry, by *bearers) {
	if m.o.Keys == nil || len(by.certificates)+len(by.keys) == 0 {
		return
	}
	r := recordOf(e)
	note := func(fingerprint string, err error) {
		if err != nil {
			m.log.Warn("a certificate could not be remembered", "account", e.Account, "fingerprint", fingerprint, "error", err)
		}
	}
	for _, s := range r.Signatures {
		c, key := by.certificates[s.Fingerprint], by.keys[s.Fingerprint]
		if c == nil && key == nil || r.From == "" || !s.Time.IsZero() && e.Created.Sub(s.Time) > freshSignature {
			continue
		}
		email := r.From.Email()
		if c != nil && s.Standing == smime.Trusted {
			if slices.ContainsFunc(s.Addresses, r.From.Equal) {
				note(s.Fingerprint, m.o.Keys.Collect(ctx, e.Account, c, []string{email}))
			}
			continue
		}
		if s.Standing != smime.Unknown || !m.o.PinFirst || r.AuthenticatedDomain() == "" {
			continue
		}
		keys, err := m.keys(ctx, e.Account)
		switch {
		case err != nil || keys.Signs(email):
		case c != nil && names(smime.Addresses(c), r.From) && !keys.Authority.Revoked[s.Fingerprint]:
			err = m.o.Keys.Pin(ctx, e.Account, c, email)
		case key != nil && names(key.Addresses(), r.From) && !keys.RevokedPGP(s.Fingerprint):
			err = m.o.Keys.PinPGP(ctx, e.Account, key, email)
		}
		note(s.Fingerprint, err)
	}
}

// names tells whether one of the mail addresses is a.
func names(list []string, a ical.Address) bool {
	return slices.ContainsFunc(list, func(x string) bool { return ical.Mailto(x).Equal(a) })
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

// spoken is whose word a message is, for which a signature has to be.
type spoken struct {
	from   string    // the author of the mail
	acting string    // the ORGANIZER or ATTENDEE who speaks
	made   time.Time // when the service made the address from; zero: it is a person's
}

// signer is the S/MIME key for a message. Recipients hold the signer against
// ORGANIZER or ATTENDEE (RFC 6047 3), and mail programs against From (RFC 8550
// 3): best is a key for both. Where a person writes from another address than
// the event names, a key for the one the event names does; one for From alone
// would be taken for a forger's, and the mail goes unsigned. An address that the
// service made for one guest is both, and the site's key signs for it.
func (s security) signer(who spoken) (cms.Signer, bool, error) {
	if !s.signing {
		return cms.Signer{}, false, nil
	}
	if !who.made.IsZero() {
		return s.keys.ServiceSigner(who.from, who.made)
	}
	signer, ok := s.keys.Signer(who.from, who.acting)
	if !ok {
		signer, ok = s.keys.Signer(who.acting)
	}
	return signer, ok, nil
}

// secure gives the function that signs and encrypts a message's MIME entity;
// nil where it goes out as it is. OpenPGP is used where the speaker's only key
// is one, or the recipient can be written to in no other way.
func (s security) secure(m *Mail, who spoken, recipient string) (func([]byte) ([]byte, error), error) {
	signer, signs, err := s.signer(who)
	if err != nil {
		return nil, err
	}
	certificate, known := s.keys.Recipient(recipient)
	if f := s.securePGP(m, who, recipient, signs, known); f != nil {
		return f, nil
	}
	encrypts := known && s.encrypt == encryptPossible || s.encrypt == encryptAlways
	if !signs && !encrypts {
		return nil, nil
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
	}, nil
}

// securePGP is secure for OpenPGP; smimeSigns and certificate tell what the other
// way could do.
func (s security) securePGP(m *Mail, who spoken, recipient string, smimeSigns, certificate bool) func([]byte) ([]byte, error) {
	signer, signs := s.keys.PGPSigner(who.acting)
	signs = signs && s.signing && !smimeSigns && who.made.IsZero()
	key, known := s.keys.PGPRecipient(recipient)
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
