package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Feed is a published calendar: who has the token reads it.
type Feed struct {
	Account    AccountID
	ID         int64
	Collection int64
	Token      string
	Detail     string // full, busy
	Label      string // for its owner: whom it was made for
	Created    time.Time
}

const feedColumns = `f.account, f.id, f.collection, f.token, f.detail, f.label, f.created`

func scanFeed(r *sql.Rows, f *Feed) error {
	return r.Scan(&f.Account, &f.ID, &f.Collection, &f.Token, &f.Detail, &f.Label, instant{&f.Created})
}

// AddFeed publishes a calendar and sets f.ID.
func (tx *Tx) AddFeed(f *Feed) error {
	seq, err := tx.nextSeq(f.Account)
	if err != nil {
		return err
	}
	f.ID = seq
	_, err = tx.exec(`insert into feed (account, id, collection, token, detail, label, created) values ($1, $2, $3, $4, $5, $6, $7)`,
		f.Account, f.ID, f.Collection, f.Token, f.Detail, f.Label, f.Created)
	if err != nil {
		return fmt.Errorf("publish collection %d: %w", f.Collection, err)
	}
	return nil
}

// Feeds lists an account's feeds, oldest first.
func (tx *Tx) Feeds(account AccountID) ([]Feed, error) {
	return collect(tx, scanFeed, `select `+feedColumns+` from feed f where f.account = $1 order by f.id`, account)
}

// FeedByToken finds a feed by its secret.
func (tx *Tx) FeedByToken(token string) (Feed, error) {
	return first(tx, scanFeed, "feed", `select `+feedColumns+` from feed f where f.token = $1`, token)
}

// DeleteFeed ends a feed.
func (tx *Tx) DeleteFeed(account AccountID, id int64) error {
	n, err := tx.exec(`delete from feed where account = $1 and id = $2`, account, id)
	if err == nil && n == 0 {
		return notFound("feed %d", id)
	}
	return err
}
