package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Health is what Check finds.
type Health struct {
	Schema         int64
	Accounts       int64
	Administrators int64
	Objects        int64
	Unindexed      int64     // objects without a row in the time index that should have one
	OldestDue      time.Time // of the messages that wait, zero when none does
	Newest         time.Time // change of an object
	Damage         []string  // sentences; empty when the store is whole
}

// maxDamage bounds how much damage is listed.
const maxDamage = 20

// orphans are rows that refer to what is not there.
var orphans = []struct{ what, query string }{
	{"calendar objects without their text", `select count(*) from object o where not exists (select 1 from object_text t where t.account = o.account and t.id = o.id)`},
	{"texts without their calendar object", `select count(*) from object_text t where not exists (select 1 from object o where o.account = t.account and o.id = t.id)`},
	{"journal rows without their message", `select count(*) from entry e where e.text > 0 and not exists (select 1 from entry_text t where t.account = e.account and t.id = e.text)
		or e.text < 0 and not exists (select 1 from object_text t where t.account = e.account and t.id = -e.text)`},
	{"calendar objects without their calendar", `select count(*) from object o where not exists (select 1 from collection c where c.account = o.account and c.id = o.collection)`},
	{"calendars without their account", `select count(*) from collection c where not exists (select 1 from account a where a.id = c.account)`},
}

// Check examines the whole store, which takes as long as reading it. The error
// is one that kept it from looking; what it found wrong is Damage.
func (s *Store) Check(ctx context.Context) (Health, error) {
	var h Health
	schema, err := s.engine.migrate(ctx, 0)
	if err != nil {
		return h, explain(err)
	}
	err = s.View(ctx, func(tx *Tx) error {
		h = Health{Schema: schema}
		if s.dialect == sqliteDialect {
			if err := tx.each(func(r *sql.Rows) error {
				var line string
				if err := r.Scan(&line); err != nil {
					return err
				}
				if line != "ok" && len(h.Damage) < maxDamage {
					h.Damage = append(h.Damage, line)
				}
				return nil
			}, fmt.Sprintf("pragma integrity_check(%d)", maxDamage)); err != nil {
				return err
			}
		}
		for _, o := range orphans {
			var n int64
			if _, err := tx.row([]any{&n}, o.query); err != nil {
				return err
			}
			if n > 0 {
				h.Damage = append(h.Damage, fmt.Sprintf("%d %s", n, o.what))
			}
		}
		var newest time.Time
		for query, dest := range map[string]*int64{
			`select count(*) from account`:             &h.Accounts,
			`select count(*) from account where admin`: &h.Administrators,
			`select count(*) from object`:              &h.Objects,
			`select count(*) from object o left join (select distinct account, collection, object from occupancy) y
				on y.account = o.account and y.collection = o.collection and y.object = o.id where y.object is null and o.cover <> ''`: &h.Unindexed,
		} {
			if _, err := tx.row([]any{dest}, query); err != nil {
				return err
			}
		}
		if h.Objects > 0 {
			if _, err := tx.row([]any{instant{&newest}}, `select max(modified) from object`); err != nil {
				return err
			}
			h.Newest = newest
		}
		at, ok, err := tx.NextDue()
		if ok {
			h.OldestDue = at
		}
		return err
	})
	return h, err
}
