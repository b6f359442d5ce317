package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Member is somebody who belongs to a group: an account here, another group,
// or somebody elsewhere.
type Member struct {
	Account  AccountID // the group
	Key      string    // comparison key of the address
	URI      string
	Position int // order of the list
}

// Consent says that a designate may act for a principal, in the eyes of the
// account that gave it. An empty Principal is the account itself.
type Consent struct {
	Account   AccountID
	Principal string // comparison key of the address acted for, "" = the account's own
	Designate string // comparison key of the one who acts
	URI       string // the designate's address
	Created   time.Time
}

// BookingPolicy reads what a room answers by itself; nil when none was set.
func (tx *Tx) BookingPolicy(id AccountID) ([]byte, error) {
	var text string
	ok, err := tx.row([]any{&text}, `select policy from booking_policy where account = $1`, id)
	if err != nil || !ok {
		return nil, err
	}
	return []byte(text), nil
}

// SetBookingPolicy replaces it; nil takes it away.
func (tx *Tx) SetBookingPolicy(id AccountID, policy []byte) error {
	if _, err := tx.Account(id); err != nil {
		return err
	}
	if _, err := tx.exec(`delete from booking_policy where account = $1`, id); err != nil {
		return fmt.Errorf("booking policy of account %d: %w", id, err)
	}
	tx.touch(id)
	if policy == nil {
		return nil
	}
	_, err := tx.exec(`insert into booking_policy (account, policy) values ($1, $2)`, id, string(policy))
	return err
}

func scanMember(r *sql.Rows, m *Member) error {
	return r.Scan(&m.Account, &m.Key, &m.URI, &m.Position)
}

// Members lists who belongs to a group, in its order.
func (tx *Tx) Members(group AccountID) ([]Member, error) {
	return collect(tx, scanMember, `select account, key, uri, position from member where account = $1 order by position, key`, group)
}

// SetMembers replaces the members of a group; positions are given by the order
// of the list. A key that comes twice is ErrExists.
func (tx *Tx) SetMembers(group AccountID, list []Member) error {
	if _, err := tx.Account(group); err != nil {
		return err
	}
	if _, err := tx.exec(`delete from member where account = $1`, group); err != nil {
		return fmt.Errorf("replace members of account %d: %w", group, err)
	}
	for i, m := range list {
		if err := indexable("member", m.Key); err != nil {
			return err
		}
		n, err := tx.exec(`insert into member (account, key, uri, position) values ($1, $2, $3, $4) on conflict do nothing`, group, m.Key, m.URI, i)
		if err != nil {
			return fmt.Errorf("add member %s: %w", m.URI, err)
		}
		if n == 0 {
			return exists("member %s", m.URI)
		}
	}
	tx.touch(group)
	return nil
}

// GroupsOf lists the groups that name an address as their member.
func (tx *Tx) GroupsOf(key string) ([]Account, error) {
	return collect(tx, scanAccount, `select `+accountColumns+` from member m join account a on a.id = m.account where m.key = $1 order by a.name`, key)
}

func scanConsent(r *sql.Rows, c *Consent) error {
	return r.Scan(&c.Account, &c.Principal, &c.Designate, &c.URI, instant{&c.Created})
}

// Consents lists who may act for whom in the eyes of an account, its own
// designates first.
func (tx *Tx) Consents(id AccountID) ([]Consent, error) {
	return collect(tx, scanConsent, `select account, principal, designate, uri, created from consent where account = $1 order by principal, designate`, id)
}

// AddConsent stores a consent; one that is there already stays as it is.
func (tx *Tx) AddConsent(c Consent) error {
	if err := indexable("principal", c.Principal, "designate", c.Designate); err != nil {
		return err
	}
	if _, err := tx.Account(c.Account); err != nil {
		return err
	}
	_, err := tx.exec(`insert into consent (account, principal, designate, uri, created) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		c.Account, c.Principal, c.Designate, c.URI, c.Created)
	tx.touch(c.Account)
	return err
}

// DeleteConsent takes a consent back.
func (tx *Tx) DeleteConsent(id AccountID, principal, designate string) error {
	n, err := tx.exec(`delete from consent where account = $1 and principal = $2 and designate = $3`, id, principal, designate)
	if err == nil && n == 0 {
		return notFound("consent for %s", designate)
	}
	tx.touch(id)
	return err
}
