package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// isPGP tells an armored OpenPGP key.
func isPGP(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN PGP ")) }

// readPGP reads keys from a file, for people.
func readPGP(data []byte, password string) ([]*pgp.Key, error) {
	keys, err := pgp.ParseKeys(data, password)
	switch {
	case errors.Is(err, pgp.ErrPassphrase):
		return nil, problem.New(problem.BadInput, "The password does not open the private key.")
	case err != nil:
		return nil, problem.New(problem.BadInput, "The OpenPGP key cannot be read: %v.", err)
	}
	return keys, nil
}

func (k *Keyring) pgpRow(account store.AccountID, key *pgp.Key, addresses []string) (store.MailKey, error) {
	public, err := key.Public()
	if err != nil {
		return store.MailKey{}, fmt.Errorf("key %s: %w", key.Fingerprint(), err)
	}
	now := k.now()
	return store.MailKey{Account: account, Protocol: imip.PGP, Fingerprint: key.Fingerprint(), State: Trusted, Role: Person,
		Addresses: strings.Join(addresses, "\n"), Material: public, Created: now, Seen: now}, nil
}

// importPGP takes an account's own OpenPGP key.
func (k *Keyring) importPGP(ctx context.Context, account store.AccountID, addresses []string, data []byte, password string) (Key, error) {
	keys, err := readPGP(data, password)
	if err != nil {
		return Key{}, err
	}
	for _, key := range keys {
		if !key.IsPrivate() {
			continue
		}
		if !key.ValidAt(k.now()) {
			return Key{}, problem.New(problem.BadInput, "The key of %s has run out or was revoked.", key.Name())
		}
		mine := common(key.Addresses(), addresses)
		if len(mine) == 0 {
			return Key{}, problem.New(problem.BadInput, "The key is for %s, and none of these is an address of this account (%s).", strings.Join(key.Addresses(), ", "), strings.Join(addresses, ", "))
		}
		return k.saveOwnPGP(ctx, account, key, mine)
	}
	return Key{}, problem.New(problem.BadInput, "The file has no private OpenPGP key.")
}

func (k *Keyring) saveOwnPGP(ctx context.Context, account store.AccountID, key *pgp.Key, addresses []string) (Key, error) {
	row, err := k.pgpRow(account, key, addresses)
	if err != nil {
		return Key{}, err
	}
	if row.Secret, err = key.Private(""); err != nil {
		return Key{}, fmt.Errorf("key %s: %w", key.Fingerprint(), err)
	}
	row.Role = Own
	return describe(row), k.save(ctx, row)
}

// generatePGP makes an account an OpenPGP key.
func (k *Keyring) generatePGP(ctx context.Context, account store.AccountID, name string, addresses []string) (Key, error) {
	key, err := pgp.Generate(name, addresses[0], k.now().Add(-time.Minute)) // clocks of others may be a little behind
	if err != nil {
		return Key{}, err
	}
	return k.saveOwnPGP(ctx, account, key, addresses[:1])
}

// trustPGP believes people's OpenPGP keys for the addresses in them.
func (k *Keyring) trustPGP(ctx context.Context, account store.AccountID, data []byte, only []string) (out []Key, err error) {
	keys, err := readPGP(data, "")
	if err != nil {
		return nil, err
	}
	var rows []store.MailKey
	for _, key := range keys {
		addresses := key.Addresses()
		if len(only) > 0 {
			addresses = common(addresses, only)
		}
		if len(addresses) == 0 {
			return nil, problem.New(problem.BadInput, "The key of %s names no mail address%s.", key.Name(), map[bool]string{true: " of those asked for"}[len(only) > 0])
		}
		row, err := k.pgpRow(account, key, addresses)
		if err != nil {
			return nil, err
		}
		rows, out = append(rows, row), append(out, describe(row))
	}
	return out, k.save(ctx, rows...)
}

// describePGP fills in what people see of an OpenPGP key.
func describePGP(key *Key, r store.MailKey) {
	if keys, err := pgp.ParseKeys(r.Material, ""); err == nil && len(keys) > 0 {
		key.Subject = keys[0].Name()
	}
}

// pgpKey is an OpenPGP key of a set.
type pgpKey struct {
	key       *pgp.Key
	addresses []string
	role      string
	state     string
}

func readPGPRow(r store.MailKey) (pgpKey, bool) {
	text := r.Material
	if r.Role == Own {
		text = r.Secret
	}
	keys, err := pgp.ParseKeys(text, "")
	if err != nil || len(keys) == 0 {
		return pgpKey{}, false
	}
	return pgpKey{keys[0], strings.Fields(r.Addresses), r.Role, r.State}, true
}

// PGPVerdict is what is to be thought of an OpenPGP signature.
type PGPVerdict struct {
	pgp.Result
	Addresses []string // whom the key is believed to speak for; none where it is not believed
	Revoked   bool
}

// ReadOffered reads the keys that a mail brings with it; what is none is left out.
func ReadOffered(texts [][]byte) (list []*pgp.Key) {
	for _, text := range texts {
		if keys, err := pgp.ParseKeys(text, ""); err == nil {
			list = append(list, keys[:min(len(keys), 1)]...) // the author's own; a keyring is no introduction
		}
	}
	return list
}

// CheckPGP checks an OpenPGP signature over a MIME entity with the keys of the
// set. Offered are keys that came with the mail: a signature by one of these
// holds, and is believed for nobody.
func (s *Set) CheckPGP(signed, signature []byte, offered ...*pgp.Key) PGPVerdict {
	var keys []*pgp.Key
	for _, k := range s.pgp {
		keys = append(keys, k.key)
	}
	for _, k := range offered {
		if !slices.ContainsFunc(keys, func(known *pgp.Key) bool { return known.Fingerprint() == k.Fingerprint() }) {
			keys = append(keys, k)
		}
	}
	v := PGPVerdict{Result: pgp.Verify(signed, signature, keys, s.Authority.Now)}
	if v.Err != nil {
		return v
	}
	for _, k := range s.pgp {
		if k.key.Fingerprint() != v.Key.Fingerprint() {
			continue
		}
		if k.state == Revoked {
			v.Revoked = true
			v.Addresses = nil
			return v
		}
		if k.state == Trusted {
			v.Addresses = append(v.Addresses, k.addresses...)
		}
	}
	return v
}

// PGPSigner is the newest own OpenPGP key that counts for a mail address.
func (s *Set) PGPSigner(address string) (*pgp.Key, bool) {
	return s.findPGP(address, func(k pgpKey) bool { return k.role == Own && k.state == Trusted && k.key.ValidAt(s.Authority.Now) })
}

// PGPRecipient is the newest OpenPGP key that a mail address can be encrypted to.
func (s *Set) PGPRecipient(address string) (*pgp.Key, bool) {
	return s.findPGP(address, func(k pgpKey) bool { return k.state != Revoked && k.key.CanEncrypt(s.Authority.Now) })
}

func (s *Set) findPGP(address string, fits func(pgpKey) bool) (found *pgp.Key, ok bool) {
	for _, k := range s.pgp {
		if containsFold(k.addresses, address) && fits(k) {
			found, ok = k.key, true
		}
	}
	return found, ok
}

// openPGP opens an encrypted OpenPGP message.
func (s *Set) openPGP(data []byte) ([]byte, bool, []*imip.Signature, error) {
	var own []*pgp.Key
	for _, k := range s.pgp {
		if k.role == Own {
			own = append(own, k.key)
		}
	}
	entity, signature, err := pgp.Decrypt(data, own)
	if err != nil {
		return nil, false, nil, err
	}
	if signature == nil {
		return entity, true, nil, nil
	}
	return entity, true, []*imip.Signature{{Protocol: imip.PGP, Content: entity, Value: signature}}, nil
}

// PinPGP believes an OpenPGP key for one of its addresses from now on.
func (k *Keyring) PinPGP(ctx context.Context, account store.AccountID, key *pgp.Key, address string) error {
	if !containsFold(key.Addresses(), address) {
		return fmt.Errorf("the key %s does not name %s", key.Fingerprint(), address)
	}
	row, err := k.pgpRow(account, key, []string{address})
	if err != nil {
		return err
	}
	return k.save(ctx, row)
}

// RevokedPGP tells whether a key is known and not believed any more.
func (s *Set) RevokedPGP(fingerprint string) bool {
	return slices.ContainsFunc(s.pgp, func(k pgpKey) bool { return k.state == Revoked && k.key.Fingerprint() == fingerprint })
}
