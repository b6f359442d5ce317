package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Subscription is the address that a subscribed calendar follows, and how that
// went.
type Subscription struct {
	Account      AccountID
	Collection   int64
	URL          string
	ETag         string // validators of the last answer (RFC 9110 8.8)
	LastModified string
	Digest       string // of the last content
	Every        time.Duration
	Tried        time.Time
	Refreshed    time.Time // when the content was last known to be the address's; zero: never
	Due          time.Time
	Failures     int    // since then
	Error        string // a sentence about the last one
}

const subscriptionColumns = `account, collection, url, etag, last_modified, digest, every, tried, refreshed, due, failures, error`

func scanSubscription(r *sql.Rows, s *Subscription) error {
	var seconds int64
	err := r.Scan(&s.Account, &s.Collection, &s.URL, &s.ETag, &s.LastModified, &s.Digest, &seconds, instant{&s.Tried}, instant{&s.Refreshed}, instant{&s.Due}, &s.Failures, &s.Error)
	s.Every = time.Duration(seconds) * time.Second
	return err
}

// PutSubscription stores a subscription in place of what was there.
func (tx *Tx) PutSubscription(s Subscription) error {
	_, err := tx.exec(`insert into subscription (`+subscriptionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (account, collection) do update set url = excluded.url, etag = excluded.etag, last_modified = excluded.last_modified, digest = excluded.digest,
			every = excluded.every, tried = excluded.tried, refreshed = excluded.refreshed, due = excluded.due, failures = excluded.failures, error = excluded.error`,
		s.Account, s.Collection, s.URL, s.ETag, s.LastModified, s.Digest, int64(s.Every/time.Second), s.Tried, s.Refreshed, s.Due, s.Failures, s.Error)
	if err != nil {
		return fmt.Errorf("subscription of collection %d: %w", s.Collection, err)
	}
	tx.touch(s.Account)
	return nil
}

// Subscriptions lists an account's subscriptions.
func (tx *Tx) Subscriptions(account AccountID) ([]Subscription, error) {
	return collect(tx, scanSubscription, `select `+subscriptionColumns+` from subscription where account = $1 order by collection`, account)
}

// SubscriptionOf finds the subscription of a collection.
func (tx *Tx) SubscriptionOf(account AccountID, collection int64) (Subscription, error) {
	return first(tx, scanSubscription, fmt.Sprintf("subscription of collection %d", collection),
		`select `+subscriptionColumns+` from subscription where account = $1 and collection = $2`, account, collection)
}

// DueSubscriptions lists those of enabled accounts whose time has come, the
// longest overdue first.
func (tx *Tx) DueSubscriptions(now time.Time, limit int) ([]Subscription, error) {
	return collect(tx, scanSubscription, `select `+subscriptionColumns+` from subscription
		where due <= $1 and not exists (select 1 from account a where a.id = subscription.account and a.disabled) order by due limit $2 {skip locked}`, now, unlimited(limit))
}
