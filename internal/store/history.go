package store

import (
	"database/sql"
	"fmt"
	"time"
)

// HistoryDays is how long earlier versions and deleted objects are kept. A
// service prunes; the rows never stand in the way of a name or UID.
const HistoryDays = 30

const versionColumns = `v.account, v.object, v.seq, v.collection, v.name, v.uid, v.component, v.etag, v.size, v.organizer, v.summary,
	v.modified, v.replaced, v.deleted`

func scanVersion(r *sql.Rows, v *Version) error {
	return r.Scan(&v.Account, &v.Object, &v.Seq, &v.Collection, &v.Name, &v.UID, &v.Component, &v.ETag, &v.Size, &v.Organizer, &v.Summary,
		instant{&v.Modified}, instant{&v.Replaced}, &v.Deleted)
}

// keepVersion copies objects of calendars to the history before they are
// overwritten or deleted: $1 account, $2 when, $3 deleted; a condition follows.
// What lies in the scheduling inbox is in the journal already.
const keepVersion = `
	insert into version (account, object, seq, collection, name, uid, component, etag, size, organizer, summary, modified, replaced, deleted, body, memory)
	select o.account, o.id, o.seq, o.collection, o.name, o.uid, o.component, o.etag, o.size, o.organizer, o.summary, o.modified,
		cast($2 as bigint), cast($3 as boolean), (select t.body from object_text t where t.account = o.account and t.id = o.id),
		(select t.memory from object_text t where t.account = o.account and t.id = o.id)
	from object o where o.account = $1 and ` + inCalendar

// VersionFilter chooses from an account's history; zero fields choose nothing out.
type VersionFilter struct {
	Object     int64
	Collection int64
	UID        string
	Deleted    bool // only last states of deleted objects
	Limit      int
}

// Versions lists earlier states, the latest first.
func (tx *Tx) Versions(account AccountID, f VersionFilter) ([]Version, error) {
	where, args := `v.account = $1`, []any{account}
	add := func(column string, v any) {
		args = append(args, v)
		where += fmt.Sprintf(" and v.%s = $%d", column, len(args))
	}
	if f.Object != 0 {
		add("object", f.Object)
	}
	if f.Collection != 0 {
		add("collection", f.Collection)
	}
	if f.UID != "" {
		add("uid", f.UID)
	}
	if f.Deleted {
		where += " and v.deleted"
	}
	args = append(args, unlimited(f.Limit))
	return collect(tx, scanVersion, `select `+versionColumns+` from version v where `+where+
		fmt.Sprintf(` order by v.replaced desc, v.seq desc limit $%d`, len(args)), args...)
}

// VersionBody reads the octets of an earlier state.
func (tx *Tx) VersionBody(account AccountID, object, seq int64) ([]byte, error) {
	var body []byte
	found, err := tx.row([]any{&body}, `select body from version where account = $1 and object = $2 and seq = $3`, account, object, seq)
	if err == nil && !found {
		return nil, notFound("version %d of object %d", seq, object)
	}
	return body, err
}

// VersionMemory reads what scheduling remembered beside an earlier state.
func (tx *Tx) VersionMemory(account AccountID, object, seq int64) ([]byte, error) {
	var memory []byte
	found, err := tx.row([]any{&memory}, `select memory from version where account = $1 and object = $2 and seq = $3`, account, object, seq)
	if err == nil && !found {
		return nil, notFound("version %d of object %d", seq, object)
	}
	return memory, err
}

// DeletedUID reports whether the home had an object with the UID that its
// owner deleted, as far as the history goes back, and has none now.
func (tx *Tx) DeletedUID(account AccountID, uid string) (bool, error) {
	var n int64
	_, err := tx.row([]any{&n}, `select count(*) from version v where v.account = $1 and v.uid = $2 and v.deleted
		and not exists (select 1 from object o where o.account = $1 and o.uid = $2 and `+inCalendar+`)`, account, uid)
	return n > 0, err
}

// PruneVersions forgets states that were replaced before an instant, in
// portions: more says that it should be called again.
func (tx *Tx) PruneVersions(before time.Time) (more bool, err error) {
	n, err := tx.exec(`delete from version where (account, object, seq) in
		(select v.account, v.object, v.seq from version v where v.replaced < $1 limit $2)`, before, pruneAtOnce)
	return n == pruneAtOnce, err
}
