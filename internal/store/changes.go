package store

import (
	"database/sql"
	"fmt"
	"time"
)

// bury leaves a tombstone where an object was. A name that is used again keeps
// its tombstone until it is deleted again; Changes passes over it.
func (tx *Tx) bury(account AccountID, collection int64, name string, seq int64) error {
	if err := tx.leaveTombstone(account, collection, name, seq); err != nil {
		return err
	}
	return tx.bump(account, collection, seq)
}

// theHome is the number that stands for the home itself where a collection's
// stands: its members are the collections.
const theHome = 0

func (tx *Tx) leaveTombstone(account AccountID, collection int64, name string, seq int64) error {
	if _, err := tx.exec(`insert into tombstone (account, collection, name, seq, deleted) values ($1, $2, $3, $4, $5)
		on conflict (account, collection, name) do update set seq = excluded.seq, deleted = excluded.deleted`,
		account, collection, name, seq, tx.Now()); err != nil {
		return fmt.Errorf("log deletion of %s: %w", name, err)
	}
	return nil
}

const newestStates = `
	select o.seq, o.collection, o.name, false from object o where o.account = $1 and o.collection = $2 and o.seq > $3
	union all
	select t.seq, t.collection, t.name, true from tombstone t where t.account = $1 and t.collection = $2 and t.seq > $3
		and (select n.id from object n where n.account = t.account and n.collection = t.collection and n.name = t.name) is null
	order by 1 limit $4`

// newestCollections is newestStates for a home: $2 is theHome.
const newestCollections = `
	select s.changed, cast($2 as bigint), c.name, false from collection c join collection_state s on s.account = c.account and s.collection = c.id
		where c.account = $1 and s.changed > $3
	union all
	select m.seq, cast($2 as bigint), 'shared-' || m.owner || '-' || m.collection, false from mount m where m.account = $1 and m.seq > $3 and m.state = 'accepted'
	union all
	select t.seq, t.collection, t.name, true from tombstone t where t.account = $1 and t.collection = $2 and t.seq > $3 and $3 > 0
		and (select n.id from collection n where n.account = t.account and n.name = t.name) is null
		and not exists (select 1 from mount m where m.account = t.account and m.state = 'accepted' and 'shared-' || m.owner || '-' || m.collection = t.name)
	order by 1 limit $4`

// Changes lists the newest state of every name of a collection that changed
// after sinceSeq, in order of change, at most limit (0: all); more says that
// there are further ones, after the last Seq. From 0 on, it lists what is
// there and nothing of what was deleted. Its cost is that of what changed. A
// sinceSeq below MinSeq, or below the collection's ID, cannot be answered: the
// caller refuses it (RFC 6578 3.2). Collection 0 is the home: its names are
// those of the collections, which change with their properties and objects.
func (tx *Tx) Changes(account AccountID, collection, sinceSeq int64, limit int) (list []Change, more bool, err error) {
	query := newestStates
	switch {
	case collection == theHome:
		query = newestCollections
	case sinceSeq == 0:
		query = `select o.seq, o.collection, o.name, false from object o where o.account = $1 and o.collection = $2 and o.seq > $3 order by o.seq limit $4`
	}
	scan := func(r *sql.Rows, c *Change) error { return r.Scan(&c.Seq, &c.Collection, &c.Name, &c.Deleted) }
	list, err = collect(tx, scan, query, account, collection, sinceSeq, unlimited(limit)+1)
	if err != nil {
		return nil, false, fmt.Errorf("read change log: %w", err)
	}
	if limit > 0 && len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// HomeSeq is the number of the last change to anything in a home.
func (tx *Tx) HomeSeq(account AccountID) (int64, error) {
	var seq int64
	found, err := tx.row([]any{&seq}, `select seq from home where account = $1`, account)
	if err == nil && !found {
		return 0, notFound("home of account %d", account)
	}
	return seq, err
}

// MinSeq is the tombstone horizon: deletions up to it are forgotten, so that a
// sync from an earlier position would miss them.
func (tx *Tx) MinSeq(account AccountID) (int64, error) {
	var seq int64
	found, err := tx.row([]any{&seq}, `select min_seq from home where account = $1`, account)
	if err == nil && !found {
		return 0, notFound("home of account %d", account)
	}
	return seq, err
}

// pruneAtOnce bounds how long one transaction forgets things.
const pruneAtOnce = 5000

// PruneTombstones forgets deletions older than an instant and raises MinSeq of
// their homes, in portions: more says that it should be called again.
func (tx *Tx) PruneTombstones(before time.Time) (more bool, err error) {
	type grave struct {
		account    AccountID
		collection int64
		name       string
		seq        int64
	}
	scan := func(r *sql.Rows, g *grave) error { return r.Scan(&g.account, &g.collection, &g.name, &g.seq) }
	list, err := collect(tx, scan, `select account, collection, name, seq from tombstone where deleted < $1 order by deleted limit $2`, before, pruneAtOnce)
	if err != nil {
		return false, err
	}
	newest := make(map[AccountID]int64)
	for _, g := range list {
		newest[g.account] = max(newest[g.account], g.seq)
		if _, err := tx.exec(`delete from tombstone where account = $1 and collection = $2 and name = $3`, g.account, g.collection, g.name); err != nil {
			return false, err
		}
	}
	for account, seq := range newest {
		if _, err := tx.exec(`update home set min_seq = $2 where account = $1 and min_seq < $2`, account, seq); err != nil {
			return false, err
		}
	}
	return len(list) == pruneAtOnce, nil
}
