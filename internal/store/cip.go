package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// CIPEvent is what the Calendaring Interoperability Protocol counts of one
// event of an account.
type CIPEvent struct {
	Account AccountID
	UID     string
	Wire    string    // event id, where it is not the one the UID gives: the count began anew under another
	Version int64     // last version that went out; 0 = none
	Since   int64     // version since which answers to older ones no longer count
	Stamp   time.Time // of the change that is Version
	Answers int64     // the account's own answers to the event that went out
}

func scanCIPEvent(r *sql.Rows, e *CIPEvent) error {
	return r.Scan(&e.Account, &e.UID, &e.Wire, &e.Version, &e.Since, instant{&e.Stamp}, &e.Answers)
}

const cipEventColumns = `account, uid, wire, version, since, stamp, answers`

// CIPEvent reads the counts; zero ones when nothing was counted yet.
func (tx *Tx) CIPEvent(account AccountID, uid string) (CIPEvent, error) {
	e, err := first(tx, scanCIPEvent, "event "+uid, `select `+cipEventColumns+` from cip_event where account = $1 and uid = $2`, account, uid)
	if errors.Is(err, ErrNotFound) {
		return CIPEvent{Account: account, UID: uid}, nil
	}
	return e, err
}

// CIPEventByWire finds the event that was given another event id.
func (tx *Tx) CIPEventByWire(wire string) (CIPEvent, error) {
	return first(tx, scanCIPEvent, "event "+wire, `select `+cipEventColumns+` from cip_event where wire = $1 and wire <> '' order by account limit 1`, wire)
}

// PutCIPEvent stores the counts.
func (tx *Tx) PutCIPEvent(e CIPEvent) error {
	if err := indexable("UID", e.UID, "event id", e.Wire); err != nil {
		return err
	}
	_, err := tx.exec(`insert into cip_event (`+cipEventColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (account, uid) do update set wire = excluded.wire, version = excluded.version, since = excluded.since,
			stamp = excluded.stamp, answers = excluded.answers`, e.Account, e.UID, e.Wire, e.Version, e.Since, e.Stamp, e.Answers)
	if err != nil {
		return fmt.Errorf("count versions of %s: %w", e.UID, err)
	}
	return nil
}

// CIPMoved is a calendar user elsewhere who has another address now, as an
// account learned.
type CIPMoved struct {
	Account        AccountID
	OldKey, NewKey string // comparison keys
	NewURI         string
	Created        time.Time
}

func scanCIPMoved(r *sql.Rows, m *CIPMoved) error {
	return r.Scan(&m.Account, &m.OldKey, &m.NewKey, &m.NewURI, instant{&m.Created})
}

// CIPMovedTo finds where an address moved, CIPMovedFrom the addresses that
// moved to one; ErrNotFound, or an empty list, when nothing is known.
func (tx *Tx) CIPMovedTo(account AccountID, oldKey string) (CIPMoved, error) {
	return first(tx, scanCIPMoved, "move of "+oldKey, `select account, old_key, new_key, new_uri, created from cip_moved where account = $1 and old_key = $2`, account, oldKey)
}

// CIPMovedFrom: see [Tx.CIPMovedTo].
func (tx *Tx) CIPMovedFrom(account AccountID, newKey string) ([]CIPMoved, error) {
	return collect(tx, scanCIPMoved, `select account, old_key, new_key, new_uri, created from cip_moved where account = $1 and new_key = $2 order by old_key`, account, newKey)
}

// ForgetCIPMoved forgets a move, if it is known.
func (tx *Tx) ForgetCIPMoved(account AccountID, oldKey string) error {
	if _, err := tx.exec(`delete from cip_moved where account = $1 and old_key = $2`, account, oldKey); err != nil {
		return fmt.Errorf("forget where %s moved: %w", oldKey, err)
	}
	return nil
}

// SetCIPMoved remembers a move in place of an earlier one.
func (tx *Tx) SetCIPMoved(m CIPMoved) error {
	if err := indexable("address", m.OldKey, "address", m.NewKey); err != nil {
		return err
	}
	_, err := tx.exec(`insert into cip_moved (account, old_key, new_key, new_uri, created) values ($1, $2, $3, $4, $5)
		on conflict (account, old_key) do update set new_key = excluded.new_key, new_uri = excluded.new_uri, created = excluded.created`,
		m.Account, m.OldKey, m.NewKey, m.NewURI, m.Created)
	if err != nil {
		return fmt.Errorf("remember where %s moved: %w", m.OldKey, err)
	}
	return nil
}

// Meetings lists the objects with a UID, of whichever account, whose organizer
// is the account itself: whose event is it that an answer is about?
func (tx *Tx) Meetings(uid string) ([]Object, error) {
	return collect(tx, scanObjectMemory, objectWithMemory+`where o.uid = $1 and o.organizer <> '' and `+inCalendar+`
		and exists (select 1 from address d where d.account = o.account and d.key = o.organizer) order by o.account, o.id`, uid)
}

// Received lists the method, state and evidence of an account's incoming rows
// about a UID that came by a transport, in no order.
func (tx *Tx) Received(account AccountID, uid, transport string) ([]Entry, error) {
	return collect(tx, func(r *sql.Rows, e *Entry) error { return r.Scan(&e.Method, &e.State, &e.Evidence) },
		`select e.method, e.state, e.evidence from entry e where e.account = $1 and e.uid = $2 and e.direction = 'in' and e.transport = $3`, account, uid, transport)
}
