package calendar_test

import (
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// An index that says something else than the objects is derived anew.
func TestReindex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice")
		alice := o.people["alice"].ID
		o.put("alice", "default/1.ics", vevent("1@x", "DTSTART:20260603T090000Z", "RRULE:FREQ=YEARLY;COUNT=3"))
		o.put("alice", "default/2.ics", vevent("2@x", "DTSTART:20260610T090000Z"))
		found := func() (n int) {
			from := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
			if err := o.svc.Query(t.Context(), o.actor("alice"), alice, []string{"default"}, "", from, from.AddDate(0, 1, 0), func(store.Object, []byte) error {
				n++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := found(); n != 1 {
			t.Fatalf("%d found before the damage", n)
		}
		if h, err := s.Check(t.Context()); err != nil || len(h.Damage) > 0 || h.Unindexed != 0 || h.Objects != 2 || h.Accounts != 1 || h.Schema == 0 || h.Newest.IsZero() {
			t.Errorf("health %+v, %v", h, err)
		}
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			c, err := tx.CollectionByName(alice, "default")
			if err != nil {
				return err
			}
			for ob, err := range tx.ListObjects(alice, c.ID) {
				if err != nil {
					return err
				}
				if err := tx.SetIndex(alice, ob.ID, store.Index{First: 1, Last: 2}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n := found(); n != 0 {
			t.Fatalf("%d found in a wrong index", n)
		}
		told := 0
		done, unread, err := o.svc.Reindex(t.Context(), func(n int) { told += n })
		if done != 2 || unread != 0 || told != 2 || err != nil {
			t.Errorf("%d done, %d unread, %d told, %v", done, unread, told, err)
		}
		if n := found(); n != 1 {
			t.Errorf("%d found afterwards", n)
		}
	})
}
