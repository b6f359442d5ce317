package keyring

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Roles of keys.
const (
	Own       = "own"       // with its private part
	Person    = "person"    // somebody's certificate
	Authority = "authority" // certifies other keys
)

// States of keys.
const (
	Trusted   = "trusted"
	Collected = "collected" // seen in a verified message; used for encrypting, believed for nothing
	Revoked   = "revoked"
)

// Key is what people see of a key.
type Key struct {
	Account     store.AccountID `json:"-"`
	Protocol    string          `json:"protocol"` // imip.SMIME or imip.PGP
	Fingerprint string          `json:"fingerprint"`
	Role        string          `json:"role"`
	State       string          `json:"state"`
	Addresses   []string        `json:"addresses"`         // mail addresses it counts for; of an authority, none
	Subject     string          `json:"subject,omitempty"` // name of its holder
	Issuer      string          `json:"issuer,omitempty"`
	Expires     time.Time       `json:"expires,omitzero"`
	Created     time.Time       `json:"created"`
	Seen        time.Time       `json:"seen,omitzero"`
}

// Keyring is safe for concurrent use.
type Keyring struct {
	store *store.Store
	now   func() time.Time
}

// New opens the keyring of a store. now is the clock certificates are judged by.
func New(s *store.Store, now func() time.Time) *Keyring { return &Keyring{s, now} }

// List gives the keys of an account, or of store.Site, oldest first.
func (k *Keyring) List(ctx context.Context, account store.AccountID) ([]Key, error) {
	rows, err := k.rows(ctx, account)
	if err != nil {
		return nil, err
	}
	list := make([]Key, len(rows))
	for i, r := range rows {
		list[i] = describe(r)
	}
	return list, nil
}

func (k *Keyring) rows(ctx context.Context, accounts ...store.AccountID) (rows []store.MailKey, err error) {
	err = k.store.View(ctx, func(tx *store.Tx) error {
		rows = nil
		for _, id := range accounts {
			some, err := tx.MailKeys(id)
			if err != nil {
				return fmt.Errorf("read the keys of account %d: %w", id, err)
			}
			rows = append(rows, some...)
		}
		return nil
	})
	return rows, err
}

func (k *Keyring) save(ctx context.Context, rows ...store.MailKey) error {
	return k.store.Update(ctx, func(tx *store.Tx) error {
		for _, r := range rows {
			if len(r.Secret) == 0 {
				if err := keepsSecret(tx, r); err != nil {
					return err
				}
			}
			if err := tx.SetMailKey(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepsSecret refuses to put what is public in the place of a private key.
func keepsSecret(tx *store.Tx, r store.MailKey) error {
	have, err := tx.MailKeys(r.Account)
	if err != nil {
		return err
	}
	for _, own := range have {
		if own.Protocol == r.Protocol && own.Fingerprint == r.Fingerprint && len(own.Secret) > 0 {
			return problem.New(problem.BadInput, "The key %.16s is the account's own, with its private half; it is believed already, and stays.", r.Fingerprint)
		}
	}
	return nil
}

func describe(r store.MailKey) Key {
	key := Key{Account: r.Account, Protocol: r.Protocol, Fingerprint: r.Fingerprint, Role: r.Role, State: r.State,
		Addresses: strings.Fields(r.Addresses), Created: r.Created, Seen: r.Seen}
	if r.Protocol == imip.PGP {
		describePGP(&key, r)
		return key
	}
	if r.Protocol == imip.SMIME {
		if chain := certificates(r.Material); len(chain) > 0 {
			key.Subject, key.Issuer, key.Expires = chain[0].Subject.String(), chain[0].Issuer.String(), chain[0].NotAfter.UTC()
		}
	}
	return key
}

// certificates reads the certificates of a PEM text and leaves out the rest.
func certificates(text []byte) (list []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return list
		}
		if block.Type == "CERTIFICATE" {
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				list = append(list, c)
			}
		}
	}
}

func encodeChain(chain []*x509.Certificate) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// find gives the row that a fingerprint, or its beginning, names.
func (k *Keyring) find(ctx context.Context, account store.AccountID, fingerprint string) (store.MailKey, error) {
	rows, err := k.rows(ctx, account)
	if err != nil {
		return store.MailKey{}, err
	}
	prefix := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(fingerprint))
	const least = 8 // digits: fewer hit by chance
	rows = slices.DeleteFunc(rows, func(r store.MailKey) bool { return len(prefix) < least || !strings.HasPrefix(r.Fingerprint, prefix) })
	switch len(rows) {
	case 0:
		return store.MailKey{}, problem.New(problem.NotFound, "There is no key with the fingerprint %s here. Give at least its first %d digits, as the list of keys shows it.", fingerprint, least)
	case 1:
		return rows[0], nil
	}
	return store.MailKey{}, problem.New(problem.BadInput, "Several keys begin with %s; give more of the fingerprint.", fingerprint)
}

// Revoke stops believing a key: a certificate, and whatever an authority
// certified. A key of one's own is not used for signing any more and still
// opens what was encrypted to it.
func (k *Keyring) Revoke(ctx context.Context, account store.AccountID, fingerprint string) (Key, error) {
	row, err := k.find(ctx, account, fingerprint)
	if err != nil {
		return Key{}, err
	}
	row.State = Revoked
	return describe(row), k.save(ctx, row)
}

// Delete forgets a key, the private part too.
func (k *Keyring) Delete(ctx context.Context, account store.AccountID, fingerprint string) error {
	row, err := k.find(ctx, account, fingerprint)
	if err != nil {
		return err
	}
	return k.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteMailKey(account, row.Protocol, row.Fingerprint) })
}

// Trust believes what a file holds in PEM or DER: an authority for all mail
// addresses it certifies, a person's certificate for the addresses in it, or
// for only of them where only is not empty.
func (k *Keyring) Trust(ctx context.Context, account store.AccountID, data []byte, only ...string) ([]Key, error) {
	if isPGP(data) {
		return k.trustPGP(ctx, account, data, only)
	}
	chain := certificates(data)
	if c, err := x509.ParseCertificate(data); err == nil {
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, problem.New(problem.BadInput, "There is no certificate in the file, in PEM or in DER.")
	}
	var rows []store.MailKey
	var keys []Key
	for _, c := range chain {
		row := k.row(account, c)
		if c.IsCA {
			row.Role = Authority
		} else {
			row.Role = Person
			addresses := smime.Addresses(c)
			if len(only) > 0 {
				addresses = slices.DeleteFunc(addresses, func(a string) bool {
					return !slices.ContainsFunc(only, func(o string) bool { return strings.EqualFold(o, a) })
				})
			}
			if len(addresses) == 0 {
				return nil, problem.New(problem.BadInput, "The certificate of %s names no mail address%s.", c.Subject, map[bool]string{true: " of those asked for"}[len(only) > 0])
			}
			row.Addresses = strings.Join(addresses, "\n")
		}
		row.State = Trusted
		rows, keys = append(rows, row), append(keys, describe(row))
	}
	return keys, k.save(ctx, rows...)
}

// Pin believes a certificate for one of its addresses from now on, and for
// nothing else: also one that may issue others makes no authority.
func (k *Keyring) Pin(ctx context.Context, account store.AccountID, c *x509.Certificate, address string) error {
	if !containsFold(smime.Addresses(c), address) {
		return fmt.Errorf("the certificate %s does not name %s", smime.Fingerprint(c), address)
	}
	row := k.row(account, c)
	row.Role, row.State, row.Addresses = Person, Trusted, address
	return k.save(ctx, row)
}

func (k *Keyring) row(account store.AccountID, c *x509.Certificate) store.MailKey {
	now := k.now()
	return store.MailKey{Account: account, Protocol: imip.SMIME, Fingerprint: smime.Fingerprint(c), Material: encodeChain([]*x509.Certificate{c}), Created: now, Seen: now}
}
