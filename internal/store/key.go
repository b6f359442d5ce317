package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Site is the account of what belongs to the whole site: keys of authorities,
// of people that everyone here trusts.
const Site AccountID = 0

// MailKey is a key or certificate for signed and encrypted mail.
type MailKey struct {
	Account     AccountID // Site, or whose it is
	Protocol    string    // "pkcs7" or "pgp"
	Fingerprint string    // lower-case hex
	Role        string    // words of the keyring service: an own key, a person's, an authority's
	State       string    // words of the keyring service: believed or not
	Addresses   string    // mail addresses it counts for, one a line
	Material    []byte    // the public part: certificates in PEM, or an OpenPGP key
	Secret      []byte    // the private part; empty for other people's
	Created     time.Time
	Seen        time.Time // when a message last bore it
}

const mailKeyColumns = `k.account, k.protocol, k.fingerprint, k.role, k.state, k.addresses, k.material, k.secret, k.created, k.seen`

func scanMailKey(r *sql.Rows, k *MailKey) error {
	err := r.Scan(&k.Account, &k.Protocol, &k.Fingerprint, &k.Role, &k.State, &k.Addresses, &k.Material, &k.Secret, instant{&k.Created}, instant{&k.Seen})
	if len(k.Secret) == 0 {
		k.Secret = nil
	}
	return err
}

// MailKeys lists the keys of an account, or of Site, oldest first.
func (tx *Tx) MailKeys(id AccountID) ([]MailKey, error) {
	return collect(tx, scanMailKey, `select `+mailKeyColumns+` from mail_key k where k.account = $1 order by k.created, k.fingerprint`, id)
}

// SetMailKey stores a key, in the place of the one with its fingerprint if
// there is one.
func (tx *Tx) SetMailKey(k MailKey) error {
	if err := indexable("protocol", k.Protocol, "fingerprint", k.Fingerprint); err != nil {
		return err
	}
	if k.Account != Site {
		if _, err := tx.Account(k.Account); err != nil {
			return err
		}
	}
	if k.Secret == nil {
		k.Secret = []byte{}
	}
	_, err := tx.exec(`insert into mail_key (account, protocol, fingerprint, role, state, addresses, material, secret, created, seen)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (account, protocol, fingerprint) do update set role = excluded.role, state = excluded.state, addresses = excluded.addresses,
			material = excluded.material, secret = excluded.secret, seen = excluded.seen`,
		k.Account, k.Protocol, k.Fingerprint, k.Role, k.State, k.Addresses, k.Material, k.Secret, k.Created, k.Seen)
	if err != nil {
		return fmt.Errorf("store key %s: %w", k.Fingerprint, err)
	}
	return nil
}

// DeleteMailKey forgets a key.
func (tx *Tx) DeleteMailKey(id AccountID, protocol, fingerprint string) error {
	n, err := tx.exec(`delete from mail_key where account = $1 and protocol = $2 and fingerprint = $3`, id, protocol, fingerprint)
	if err == nil && n == 0 {
		return notFound("key %s", fingerprint)
	}
	return err
}
