package store

import (
	"database/sql"
	"fmt"
)

// States of a mount: an invitation waits for its answer; what is accepted, or
// was given without asking, is among the person's calendars.
const (
	MountInvited  = "invited"
	MountAccepted = "accepted"
	MountDeclined = "declined"
)

// Mount is another's calendar as one person has it among their own.
type Mount struct {
	Account     AccountID // the person
	Owner       AccountID
	Collection  int64
	State       string // MountInvited, MountAccepted, MountDeclined
	Seq         int64  // of the person's home, when it last changed for them
	Seen        int64  // of the owner's home: the state of the calendar that Seq stands for
	DisplayName string // empty: the owner's
	Color       string // empty: the owner's
	Order       int
	Transparent bool // does not count as the person's busy time
	Comment     string
	Properties  map[string]string // dead properties, as Collection.Properties
}

const mountColumns = `m.account, m.owner, m.collection, m.state, m.seq, m.seen, m.display_name, m.color, m.position, m.transparent, m.comment, m.properties`

func scanMount(r *sql.Rows, m *Mount) error {
	return r.Scan(&m.Account, &m.Owner, &m.Collection, &m.State, &m.Seq, &m.Seen, &m.DisplayName, &m.Color, &m.Order, &m.Transparent, &m.Comment, text{&m.Properties})
}

// MountName is the URL segment of another's calendar in a person's home.
func MountName(owner AccountID, collection int64) string {
	return fmt.Sprintf("shared-%d-%d", owner, collection)
}

// PutMount stores a mount in place of what was there and sets m.Seq: it moves
// the person's home.
func (tx *Tx) PutMount(m *Mount) error {
	seq, err := tx.nextSeq(m.Account)
	if err != nil {
		return err
	}
	m.Seq = seq
	_, err = tx.exec(`insert into mount (account, owner, collection, state, seq, seen, display_name, color, position, transparent, comment, properties)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (account, owner, collection) do update set state = excluded.state, seq = excluded.seq, seen = excluded.seen,
			display_name = excluded.display_name, color = excluded.color, position = excluded.position, transparent = excluded.transparent,
			comment = excluded.comment, properties = excluded.properties`,
		m.Account, m.Owner, m.Collection, m.State, m.Seq, m.Seen, m.DisplayName, m.Color, m.Order, m.Transparent, m.Comment, jsonText(m.Properties))
	if err != nil {
		return fmt.Errorf("mount of collection %d: %w", m.Collection, err)
	}
	if m.State == MountDeclined {
		return tx.leaveTombstone(m.Account, theHome, MountName(m.Owner, m.Collection), seq)
	}
	return nil
}

// DeleteMount takes another's calendar out of a person's home; the person's
// change log has it gone. Without one it does nothing.
func (tx *Tx) DeleteMount(account, owner AccountID, collection int64) error {
	n, err := tx.exec(`delete from mount where account = $1 and owner = $2 and collection = $3`, account, owner, collection)
	if err != nil || n == 0 {
		return err
	}
	seq, err := tx.nextSeq(account)
	if err != nil {
		return err
	}
	return tx.leaveTombstone(account, theHome, MountName(owner, collection), seq)
}

// Mounts lists what others' calendars a person has, or was invited to.
func (tx *Tx) Mounts(account AccountID) ([]Mount, error) {
	return collect(tx, scanMount, `select `+mountColumns+` from mount m where m.account = $1 order by m.owner, m.collection`, account)
}

// Mount finds one; absent is ErrNotFound.
func (tx *Tx) Mount(account, owner AccountID, collection int64) (Mount, error) {
	return first(tx, scanMount, fmt.Sprintf("mount of collection %d", collection),
		`select `+mountColumns+` from mount m where m.account = $1 and m.owner = $2 and m.collection = $3`, account, owner, collection)
}

// Changed is when a collection last changed, its properties or its objects, in
// the sequence of its owner's home.
func (tx *Tx) Changed(account AccountID, collection int64) (seq int64, err error) {
	found, err := tx.row([]any{&seq}, `select changed from collection_state where account = $1 and collection = $2`, account, collection)
	if err == nil && !found {
		return 0, notFound("collection %d", collection)
	}
	return seq, err
}

// Personal is what one reader keeps with another's event.
type Personal struct {
	Account    AccountID // the event's owner
	Collection int64
	Object     int64
	Reader     AccountID
	Tag        string // differs from all that were there before
	Data       string
}

func scanPersonal(r *sql.Rows, p *Personal) error {
	return r.Scan(&p.Account, &p.Collection, &p.Object, &p.Reader, &p.Tag, &p.Data)
}

// SetPersonal stores what a reader keeps with an object; empty data is
// nothing. The object counts as changed, so that the reader's other programs
// fetch it.
func (tx *Tx) SetPersonal(p Personal) error {
	_, err := tx.exec(`insert into personal (account, collection, object, reader, tag, data) values ($1, $2, $3, $4, $5, $6)
		on conflict (account, collection, object, reader) do update set tag = excluded.tag, data = excluded.data`,
		p.Account, p.Collection, p.Object, p.Reader, p.Tag, p.Data)
	if err != nil {
		return fmt.Errorf("personal data of object %d: %w", p.Object, err)
	}
	seq, err := tx.nextSeq(p.Account)
	if err != nil {
		return err
	}
	if _, err := tx.exec(`update object set seq = $4 where account = $1 and collection = $2 and id = $3`, p.Account, p.Collection, p.Object, seq); err != nil {
		return err
	}
	return tx.bump(p.Account, p.Collection, seq)
}

// PersonalOf finds what a reader keeps with one object; absent is ErrNotFound.
func (tx *Tx) PersonalOf(account AccountID, collection, object int64, reader AccountID) (Personal, error) {
	return first(tx, scanPersonal, fmt.Sprintf("personal data of object %d", object),
		`select account, collection, object, reader, tag, data from personal where account = $1 and collection = $2 and object = $3 and reader = $4`, account, collection, object, reader)
}

// PersonalIn lists what a reader keeps with the objects of a collection.
func (tx *Tx) PersonalIn(account AccountID, collection int64, reader AccountID) ([]Personal, error) {
	return collect(tx, scanPersonal,
		`select account, collection, object, reader, tag, data from personal where account = $1 and collection = $2 and reader = $3`, account, collection, reader)
}
