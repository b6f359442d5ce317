package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

const entryColumns = `e.account, e.id, e.direction, e.transport, e.method, e.uid, e.recurrence_id, e.sequence, e.sender, e.recipient,
	e.state, e.reason, e.sentence, e.status, e.evidence, e.calendar, e.changes, e.message_id, e.refs, e.digest, e.object,
	e.created, e.updated, e.next_attempt, e.attempts, e.lease_owner, e.lease_until, e.refresh, e.opens, e.asks, e.base, e.text`

func (e *Entry) fields() []any {
	return []any{&e.Account, &e.ID, &e.Direction, &e.Transport, &e.Method, &e.UID, &e.RecurrenceID, &e.Sequence, &e.From, &e.To,
		&e.State, &e.Reason, &e.Sentence, &e.Status, &e.Evidence, &e.Calendar, &e.Changes, &e.MessageID, &e.References, &e.Digest, &e.Object,
		instant{&e.Created}, instant{&e.Updated}, instant{&e.NextAttempt}, text{&e.Attempts}, &e.LeaseOwner, instant{&e.LeaseUntil}, &e.Refresh, &e.Opens, &e.Asks, &e.Base, &e.Apart.id}
}

func (e *Entry) values() []any {
	calendar := e.Calendar
	if e.Apart.id != 0 {
		calendar = []byte{}
	}
	return []any{e.Account, e.ID, e.Direction, e.Transport, e.Method, e.UID, e.RecurrenceID, e.Sequence, e.From, e.To,
		e.State, e.Reason, e.Sentence, e.Status, e.Evidence, calendar, e.Changes, e.MessageID, e.References, e.Digest, e.Object,
		e.Created, e.Updated, e.NextAttempt, jsonText(e.Attempts), e.LeaseOwner, e.LeaseUntil, e.Refresh, e.Opens, e.Asks, e.Base, e.Apart.id}
}

func scanEntry(r *sql.Rows, e *Entry) error { return r.Scan(e.fields()...) }

func (e *Entry) indexable() error {
	return indexable("UID", e.UID, "recipient's address", e.To, "digest", e.Digest)
}

// AddEntry stores a journal row and sets e.ID.
func (tx *Tx) AddEntry(e *Entry) error {
	if err := e.indexable(); err != nil {
		return err
	}
	var err error
	if e.ID, _, err = tx.next(entryHead, setNextEntry, tx.s.dialect.nextEntry); err != nil {
		return fmt.Errorf("number a journal row: %w", err)
	}
	if e.Updated.IsZero() {
		e.Updated = e.Created
	}
	if err := tx.keepText(e); err != nil {
		return err
	}
	_, err = tx.exec(`
		insert into entry (account, id, direction, transport, method, uid, recurrence_id, sequence, sender, recipient, state, reason, sentence,
			status, evidence, calendar, changes, message_id, refs, digest, object, created, updated, next_attempt, attempts, lease_owner,
			lease_until, refresh, opens, asks, base, text)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)`,
		e.values()...)
	if err != nil {
		return fmt.Errorf("add journal row: %w", err)
	}
	tx.touch(e.Account)
	return tx.setRaw(e)
}

// UpdateEntry replaces a journal row; a nil Raw keeps the stored one.
func (tx *Tx) UpdateEntry(e Entry) error {
	if err := e.indexable(); err != nil {
		return err
	}
	before := e.Apart.id
	switch apart, err := tx.stillApart(&e); {
	case err != nil:
		return err
	case !apart:
		if before != 0 || len(e.Calendar) >= apartFrom { // else none was cut out
			if err := tx.makeWhole(&e); err != nil {
				return err
			}
		}
		e.Apart = Apart{}
	}
	n, err := tx.exec(`
		update entry set direction = $3, transport = $4, method = $5, uid = $6, recurrence_id = $7, sequence = $8, sender = $9, recipient = $10,
			state = $11, reason = $12, sentence = $13, status = $14, evidence = $15, calendar = $16, changes = $17, message_id = $18,
			refs = $19, digest = $20, object = $21, created = $22, updated = $23, next_attempt = $24, attempts = $25, lease_owner = $26,
			lease_until = $27, refresh = $28, opens = $29, asks = $30, base = $31, text = $32 where account = $1 and id = $2`, e.values()...)
	if err != nil {
		return fmt.Errorf("update journal row %d: %w", e.ID, err)
	}
	if n == 0 {
		return notFound("journal row %d", e.ID)
	}
	if before != e.Apart.id {
		if err := tx.dropText(e.Account, before); err != nil {
			return err
		}
	}
	tx.touch(e.Account)
	return tx.setRaw(&e)
}

// Entry reads one journal row with its mail.
func (tx *Tx) Entry(account AccountID, id int64) (Entry, error) {
	return tx.oneEntry(`where e.account = $1 and e.id = $2`, fmt.Sprintf("message %d", id), account, id)
}

// FindEntry reads one journal row of whichever account, for administrators.
func (tx *Tx) FindEntry(id int64) (Entry, error) {
	return tx.oneEntry(`where e.id = $1`, fmt.Sprintf("message %d", id), id)
}

// EntryByDigest finds the latest row of an account with a message's digest.
func (tx *Tx) EntryByDigest(account AccountID, digest string) (Entry, error) {
	return tx.oneEntry(`where e.account = $1 and e.digest = $2 order by e.id desc limit 1`, "message of that digest", account, digest)
}

// EntriesByID reads journal rows of an account, without their mails; those that
// are gone are not in the map.
func (tx *Tx) EntriesByID(account AccountID, ids []int64) (map[int64]Entry, error) {
	list, err := tx.entries(`select `+entryColumns+` from entry e where e.account = $1 and e.id oneof($2)`, account, numbers(ids))
	found := make(map[int64]Entry, len(list))
	for _, e := range list {
		found[e.ID] = e
	}
	return found, err
}

func (tx *Tx) oneEntry(where, what string, args ...any) (Entry, error) {
	e, err := first(tx, scanEntry, what, `select `+entryColumns+` from entry e `+where, args...)
	if err != nil {
		return e, err
	}
	if err := tx.fillText(&e); err != nil {
		return e, err
	}
	e.Raw, err = tx.rawOf(&e)
	return e, err
}

// EntryFilter chooses journal rows; zero fields choose nothing out.
type EntryFilter struct {
	Account   AccountID // 0: of every account
	Direction string
	States    []string
	UID       string
	To        string
	Before    int64 // only rows with a smaller ID: the next page
	Limit     int
	Bare      bool // without Calendar and Changes, which are most of a row's octets
}

// bareColumns are entryColumns with nothing in the place of the large ones.
var bareColumns = strings.NewReplacer("e.calendar", "null", "e.changes", "null", "e.text", "0").Replace(entryColumns)

// Entries lists journal rows without their mails, newest first.
func (tx *Tx) Entries(f EntryFilter) ([]Entry, error) {
	where, args := "true", []any(nil)
	add := func(condition string, v any) {
		args = append(args, v)
		where += fmt.Sprintf(" and "+condition, len(args))
	}
	if f.Account != 0 {
		add("e.account = $%d", f.Account)
	}
	if f.Direction != "" {
		add("e.direction = $%d", f.Direction)
	}
	if f.UID != "" {
		add("e.uid = $%d", f.UID)
	}
	if f.To != "" {
		add("e.recipient = $%d", f.To)
	}
	if f.Before != 0 {
		add("e.id < $%d", f.Before)
	}
	for i, state := range f.States {
		args = append(args, state)
		if i == 0 {
			where += fmt.Sprintf(" and e.state in ($%d", len(args))
		} else {
			where += fmt.Sprintf(", $%d", len(args))
		}
	}
	if len(f.States) > 0 {
		where += ")"
	}
	args = append(args, unlimited(f.Limit))
	columns := entryColumns
	if f.Bare {
		columns = bareColumns
	}
	return tx.entries(`select `+columns+` from entry e where `+where+fmt.Sprintf(` order by e.id desc limit $%d`, len(args)), args...)
}

// Traces tell where a home has met a UID.
type Traces struct {
	Object  bool // an object has it, in a calendar or in the inbox
	Deleted bool // an object had it that was deleted
	Entry   bool // a message was about it
}

// Traces looks for a UID in a home: what has none is new there.
func (tx *Tx) Traces(account AccountID, uid string) (t Traces, err error) {
	_, err = tx.row([]any{&t.Object, &t.Deleted, &t.Entry}, `select exists (select 1 from object o where o.account = $1 and o.uid = $2),
		exists (select 1 from version v where v.account = $1 and v.uid = $2 and v.deleted),
		exists (select 1 from entry e where e.account = $1 and e.uid = $2)`, account, uid)
	return t, err
}

// TracesIn is Traces in many homes.
func (tx *Tx) TracesIn(accounts []AccountID, uid string) (map[AccountID]Traces, error) {
	found := make(map[AccountID]Traces, len(accounts))
	ids := make([]int64, len(accounts))
	for i, id := range accounts {
		ids[i] = int64(id)
	}
	err := tx.each(func(r *sql.Rows) error {
		var id AccountID
		var t Traces
		err := r.Scan(&id, &t.Object, &t.Deleted, &t.Entry)
		found[id] = t
		return err
	}, `select a.id, exists (select 1 from object o where o.account = a.id and o.uid = $2),
		exists (select 1 from version v where v.account = a.id and v.uid = $2 and v.deleted),
		exists (select 1 from entry e where e.account = a.id and e.uid = $2) from account a where a.id oneof($1)`, numbers(ids), uid)
	return found, err
}

// EntriesWaiting lists the rows of a UID that are due, to be tried again, or
// held, oldest first.
func (tx *Tx) EntriesWaiting(account AccountID, uid string) ([]Entry, error) {
	return tx.entries(`select `+entryColumns+` from entry e
		where e.account = $1 and e.uid = $2 and e.state in ('due', 'retry', 'held') order by e.id`, account, uid)
}

// oldestUnsent is the condition that of a meeting's messages to one recipient
// no older one waits.
const oldestUnsent = `d.id = (select min(b.id) from entry b where b.state in ('due', 'retry') and b.account = d.account
	and b.uid = d.uid and b.recipient = d.recipient)`

// ClaimDue gives up to limit rows to a courier for the time of the lease: rows
// that are due or to be tried again now, of which no courier holds a lease,
// and of each (account, UID, recipient) only the oldest that has not gone out,
// so that messages of one meeting stay in order. Oldest first, without their mail,
// which may have megaoctets.
func (tx *Tx) ClaimDue(now time.Time, lease time.Duration, limit int, owner string) ([]Entry, error) {
	if !tx.write {
		return nil, errReadOnly
	}
	// SQLite's RETURNING knows no alias of the table.
	claimed, err := tx.entries(`
		update entry set lease_owner = $1, lease_until = $2 where (account, id) in (
			select d.account, d.id from entry d where d.state in ('due', 'retry') and d.next_attempt <= $3 and d.lease_until <= $3
				and `+oldestUnsent+`
			order by d.next_attempt, d.id limit $4 {skip locked})
		returning `+strings.ReplaceAll(entryColumns, "e.", ""), owner, now.Add(lease), now, unlimited(limit))
	if err != nil {
		return nil, fmt.Errorf("claim due messages: %w", err)
	}
	slices.SortFunc(claimed, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return claimed, nil
}

// NextDue is when the next row that no courier holds wants to go out.
func (tx *Tx) NextDue() (at time.Time, ok bool, err error) {
	ok, err = tx.row([]any{instant{&at}}, `
		select case when d.lease_until > d.next_attempt then d.lease_until else d.next_attempt end as at from entry d
		where d.state in ('due', 'retry')
			and `+oldestUnsent+` order by at limit 1`)
	return at, ok, err
}

// PruneEntries forgets finished rows last touched before an instant, in
// portions: more says that it should be called again. Rows that wait for a
// courier, for processing or for a person stay.
func (tx *Tx) PruneEntries(before time.Time) (more bool, err error) {
	list, err := collect(tx, func(r *sql.Rows, e *Entry) error { return r.Scan(&e.Account, &e.ID, &e.Apart.id) },
		`select e.account, e.id, e.text from entry e where e.state not in ('due', 'retry', 'held', 'received') and e.updated < $1 order by e.id limit $2`,
		before, pruneAtOnce)
	if err != nil {
		return false, err
	}
	for _, e := range list {
		for _, table := range []string{"entry_raw", "entry"} {
			if _, err := tx.exec(`delete from `+table+` where account = $1 and id = $2`, e.Account, e.ID); err != nil {
				return false, err
			}
		}
		if err := tx.dropText(e.Account, e.Apart.id); err != nil {
			return false, err
		}
	}
	return len(list) == pruneAtOnce, nil
}
