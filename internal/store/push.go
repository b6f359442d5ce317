package store

import (
	"database/sql"
	"errors"
	"time"
)

// PushRegistration is somebody who is told of changes of a collection, or of a
// home (Collection 0).
type PushRegistration struct {
	Token      string // of its address
	Account    AccountID
	Collection int64
	Reader     AccountID // who registered
	Resource   string    // where the push service takes messages
	Digest     string    // of Resource
	Secrets    string    // the reader's public key and secret, in the sender's form
	Content    bool
	Property   bool
	Created    time.Time
	Expires    time.Time
	Seen       int64     // content that the reader knows of
	Changed    int64     // change of any kind that the reader knows of
	Looks      string    // digest of the properties that the reader knows
	Due        time.Time // not told again before
	Failing    time.Time // since when telling fails; zero: it does not
}

const pushColumns = `p.token, p.account, p.collection, p.reader, p.resource, p.digest, p.secrets, p.content, p.property, p.created, p.expires, p.seen, p.changed, p.looks, p.due, p.failing`

func scanPush(r *sql.Rows, p *PushRegistration) error {
	return r.Scan(&p.Token, &p.Account, &p.Collection, &p.Reader, &p.Resource, &p.Digest, &p.Secrets, &p.Content, &p.Property,
		instant{&p.Created}, instant{&p.Expires}, &p.Seen, &p.Changed, &p.Looks, instant{&p.Due}, instant{&p.Failing})
}

// PutPush stores a registration; where the reader has one for the same push
// resource and collection, it is changed and keeps its token, which is set in p.
func (tx *Tx) PutPush(p *PushRegistration) (created bool, err error) {
	if err := indexable("push resource", p.Digest); err != nil {
		return false, err
	}
	old, err := first(tx, scanPush, "push registration", `select `+pushColumns+` from push_registration p where p.account = $1 and p.collection = $2 and p.reader = $3 and p.digest = $4`,
		p.Account, p.Collection, p.Reader, p.Digest)
	switch {
	case errors.Is(err, ErrNotFound):
		created = true
	case err != nil:
		return false, err
	default:
		p.Token, p.Created = old.Token, old.Created
	}
	_, err = tx.exec(`insert into push_registration (token, account, collection, reader, resource, digest, secrets, content, property, created, expires, seen, changed, looks, due, failing)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		on conflict (token) do update set secrets = excluded.secrets, content = excluded.content, property = excluded.property, expires = excluded.expires,
			seen = excluded.seen, changed = excluded.changed, looks = excluded.looks, due = excluded.due, failing = excluded.failing`,
		p.Token, p.Account, p.Collection, p.Reader, p.Resource, p.Digest, p.Secrets, p.Content, p.Property, p.Created, p.Expires, p.Seen, p.Changed, p.Looks, p.Due, p.Failing)
	return created, err
}

// Push finds a registration by its token.
func (tx *Tx) Push(token string) (PushRegistration, error) {
	return first(tx, scanPush, "push registration", `select `+pushColumns+` from push_registration p where p.token = $1`, token)
}

// DeletePush ends a registration.
func (tx *Tx) DeletePush(token string) error {
	n, err := tx.exec(`delete from push_registration where token = $1`, token)
	if err == nil && n == 0 {
		return notFound("push registration")
	}
	return err
}

// PushOf lists the registrations for a home and what is in it.
func (tx *Tx) PushOf(account AccountID) ([]PushRegistration, error) {
	return collect(tx, scanPush, `select `+pushColumns+` from push_registration p where p.account = $1 order by p.token`, account)
}

// CountPush counts what a reader has registered.
func (tx *Tx) CountPush(reader AccountID) (n int, err error) {
	_, err = tx.row([]any{&n}, `select count(*) from push_registration where reader = $1`, reader)
	return n, err
}

// pushState is the change that a registration's collection is at; one that is
// gone is past every change.
const pushState = `case when p.collection = 0 then (select h.seq from home h where h.account = p.account)
	else coalesce((select s.changed from collection_state s where s.account = p.account and s.collection = p.collection), 9223372036854775807) end`

// DuePush lists registrations whose reader does not know of a change and may be
// told now, and keeps them from others until a later time.
func (tx *Tx) DuePush(now, until time.Time, limit int) ([]PushRegistration, error) {
	list, err := collect(tx, scanPush, `select `+pushColumns+` from push_registration p
		where p.due <= $1 and p.expires > $1 and `+pushState+` > p.changed order by p.due limit $2 {skip locked}`, now, unlimited(limit))
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if _, err := tx.exec(`update push_registration set due = $2 where token = $1`, p.Token, until); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// PushWaits tells whether DuePush would list something.
func (tx *Tx) PushWaits(now time.Time) (bool, error) {
	var token string
	return tx.row([]any{&token}, `select p.token from push_registration p where p.due <= $1 and p.expires > $1 and `+pushState+` > p.changed limit 1`, now)
}

// CollectionChange is the change of any kind that a collection is at.
func (tx *Tx) CollectionChange(account AccountID, collection int64) (changed int64, err error) {
	found, err := tx.row([]any{&changed}, `select changed from collection_state where account = $1 and collection = $2`, account, collection)
	if err == nil && !found {
		return 0, notFound("collection %d", collection)
	}
	return changed, err
}

// PrunePush removes registrations whose time is over.
func (tx *Tx) PrunePush(now time.Time) error {
	_, err := tx.exec(`delete from push_registration where expires <= $1`, now)
	return err
}

// PushKey is the key of the service towards push services. The one given is
// kept where there is none yet.
func (tx *Tx) PushKey(fresh []byte) (key []byte, err error) {
	if _, err := tx.exec(`insert into push_key (id, private, created) values (1, $1, $2) on conflict do nothing`, fresh, tx.Now()); err != nil {
		return nil, err
	}
	_, err = tx.row([]any{&key}, `select private from push_key where id = 1`)
	return key, err
}
