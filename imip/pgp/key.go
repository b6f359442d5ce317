package pgp

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ProtonMail/gopenpgp/v3/constants"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// Kinds of failure, for errors.Is.
var (
	// ErrSyntax: the octets are no key or message of OpenPGP.
	ErrSyntax = errors.New("malformed OpenPGP")
	// ErrPassphrase: the passphrase does not open the private key.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrSignature: the signature does not belong to the content, or to none of
	// the keys given.
	ErrSignature = errors.New("bad signature")
	// ErrUnknownKey: the signature is by a key that was not given.
	ErrUnknownKey = fmt.Errorf("unknown key: %w", ErrSignature)
	// ErrDecrypt: no key given opens the message.
	ErrDecrypt = errors.New("cannot be decrypted with the keys given")
)

// maxKeyText bounds a file with keys; those of people with thousands of
// certifications on them have some hundred KB.
const maxKeyText = 2 << 20

// Key is an OpenPGP key, with its private part or without.
type Key struct{ key *crypto.Key }

// ParseKeys reads the keys of a file, armored or not. A private key that is
// protected is opened with the passphrase.
func ParseKeys(data []byte, passphrase string) ([]*Key, error) {
	if len(data) > maxKeyText {
		return nil, fmt.Errorf("pgp: a file of %d octets is too large for keys: %w", len(data), ErrSyntax)
	}
	var list []*Key
	add := func(k *crypto.Key, err error) error {
		if err != nil {
			return fmt.Errorf("pgp: %w: %w", ErrSyntax, err)
		}
		if k.IsPrivate() {
			if locked, err := k.IsLocked(); err == nil && locked {
				if k, err = k.Unlock([]byte(passphrase)); err != nil {
					return fmt.Errorf("pgp: %w", ErrPassphrase)
				}
			}
		}
		list = append(list, &Key{k})
		return nil
	}
	const begin = "-----BEGIN PGP "
	if !bytes.Contains(data, []byte(begin)) {
		return list, add(crypto.NewKey(data))
	}
	for rest := string(data); ; {
		at := strings.Index(rest, begin)
		if at < 0 {
			break
		}
		rest = rest[at:]
		end := strings.Index(rest, "-----END PGP ")
		if end < 0 {
			return nil, fmt.Errorf("pgp: an armored key without its end: %w", ErrSyntax)
		}
		stop := end + strings.IndexByte(rest[end:], '\n') + 1
		if stop <= end {
			stop = len(rest)
		}
		if err := add(crypto.NewKeyFromArmored(rest[:stop])); err != nil {
			return nil, err
		}
		rest = rest[stop:]
	}
	return list, nil
}

// Generate makes a key pair for a person: Ed25519 for signing, X25519 for
// encryption.
func Generate(name, address string, at time.Time) (*Key, error) {
	k, err := crypto.PGP().KeyGeneration().AddUserId(name, address).GenerationTime(at.Unix()).New().GenerateKeyWithSecurity(constants.StandardSecurity)
	if err != nil {
		return nil, fmt.Errorf("pgp: make a key: %w", err)
	}
	return &Key{k}, nil
}

// Fingerprint names the key: lower-case hex.
func (k *Key) Fingerprint() string { return strings.ToLower(k.key.GetFingerprint()) }

// IsPrivate tells whether the private part is there.
func (k *Key) IsPrivate() bool { return k.key.IsPrivate() }

// Name is the first user ID.
func (k *Key) Name() string {
	for _, name := range k.names() {
		return name
	}
	return ""
}

func (k *Key) names() (list []string) {
	for name := range k.key.GetEntity().Identities {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Addresses are the mail addresses in the user IDs, the domain in lower case.
func (k *Key) Addresses() (list []string) {
	for _, name := range k.names() {
		a, err := mail.ParseAddress(name)
		if err != nil {
			continue
		}
		at := strings.LastIndexByte(a.Address, '@')
		address := a.Address[:at+1] + strings.ToLower(a.Address[at+1:])
		if !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	return list
}

// ValidAt tells whether the key can be used at a moment: not expired, not
// revoked by its holder.
func (k *Key) ValidAt(at time.Time) bool {
	return !k.key.IsExpired(at.Unix()) && !k.key.IsRevoked(at.Unix())
}

// partValidAt is ValidAt of a subkey; of the primary key itself it says nothing.
func (k *Key) partValidAt(id uint64, at time.Time) bool {
	for _, part := range k.key.GetEntity().Subkeys {
		if part.PublicKey.KeyId == id {
			_, err := part.Verify(at, nil)
			return err == nil
		}
	}
	return true
}

// CanEncrypt tells whether there is a part to encrypt to at a moment.
func (k *Key) CanEncrypt(at time.Time) bool { return k.key.CanEncrypt(at.Unix()) }

// Public is the public part, armored.
func (k *Key) Public() ([]byte, error) {
	text, err := k.key.GetArmoredPublicKey()
	return []byte(text), err
}

// Private is the whole key, armored; under a passphrase where one is given.
func (k *Key) Private(passphrase string) ([]byte, error) {
	key := k.key
	if passphrase != "" {
		locked, err := crypto.PGP().LockKey(key, []byte(passphrase))
		if err != nil {
			return nil, fmt.Errorf("pgp: protect the key: %w", err)
		}
		key = locked
	}
	text, err := key.Armor()
	return []byte(text), err
}

func ring(keys []*Key) (*crypto.KeyRing, error) {
	r, err := crypto.NewKeyRing(nil)
	for _, k := range keys {
		if err == nil {
			err = r.AddKey(k.key)
		}
	}
	return r, err
}

// Describe says in a sentence what a key is: whose by its own words, since when,
// until when, and its fingerprint. Nothing of it is proven by standing there.
func Describe(k *Key) string {
	until := "without an end"
	if at := k.expires(); !at.IsZero() {
		until = "until " + at.Format("2 January 2006")
	}
	name := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, k.Name())
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100]) + "…"
	}
	return fmt.Sprintf("The key is that of “%s”, made on %s and valid %s; its fingerprint is %s.",
		name, k.key.GetEntity().PrimaryKey.CreationTime.UTC().Format("2 January 2006"), until, k.Fingerprint())
}

// expires is when the key runs out; zero = never.
func (k *Key) expires() time.Time {
	e := k.key.GetEntity()
	sig, err := e.PrimarySelfSignature(time.Time{}, nil)
	if err != nil || sig == nil || sig.KeyLifetimeSecs == nil || *sig.KeyLifetimeSecs == 0 {
		return time.Time{}
	}
	return e.PrimaryKey.CreationTime.Add(time.Duration(*sig.KeyLifetimeSecs) * time.Second).UTC()
}
