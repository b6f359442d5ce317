package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Notification tells one account something about another's calendar, until
// its reader deletes it.
type Notification struct {
	Account    AccountID // the reader
	ID         int64
	Name       string // URL segment
	Kind       string // of the calendar service
	Owner      AccountID
	Collection int64 // of Owner
	Created    time.Time
	Body       string // JSON of the calendar service
}

const notificationColumns = `n.account, n.id, n.name, n.kind, n.owner, n.collection, n.created, n.body`

func scanNotification(r *sql.Rows, n *Notification) error {
	return r.Scan(&n.Account, &n.ID, &n.Name, &n.Kind, &n.Owner, &n.Collection, instant{&n.Created}, &n.Body)
}

// AddNotification stores a notification and sets n.ID.
func (tx *Tx) AddNotification(n *Notification) error {
	seq, err := tx.nextSeq(n.Account)
	if err != nil {
		return err
	}
	n.ID = seq
	_, err = tx.exec(`insert into notification (account, id, name, kind, owner, collection, created, body) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		n.Account, n.ID, n.Name, n.Kind, n.Owner, n.Collection, n.Created, n.Body)
	if err != nil {
		return fmt.Errorf("notify account %d: %w", n.Account, err)
	}
	return nil
}

// Notifications lists an account's notifications, oldest first.
func (tx *Tx) Notifications(account AccountID) ([]Notification, error) {
	return collect(tx, scanNotification, `select `+notificationColumns+` from notification n where n.account = $1 order by n.id`, account)
}

// Notification finds one by its name.
func (tx *Tx) Notification(account AccountID, name string) (Notification, error) {
	return first(tx, scanNotification, "notification "+name, `select `+notificationColumns+` from notification n where n.account = $1 and n.name = $2`, account, name)
}

// DeleteNotification removes one.
func (tx *Tx) DeleteNotification(account AccountID, name string) error {
	n, err := tx.exec(`delete from notification where account = $1 and name = $2`, account, name)
	if err == nil && n == 0 {
		return notFound("notification %s", name)
	}
	tx.touch(account)
	return err
}

// DropNotifications removes those of a kind about a calendar.
func (tx *Tx) DropNotifications(account AccountID, kind string, owner AccountID, collection int64) error {
	_, err := tx.exec(`delete from notification where account = $1 and kind = $2 and owner = $3 and collection = $4`, account, kind, owner, collection)
	return err
}
