package store_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// Large messages are kept once for the rows of one save, and every row has its
// own all the same, whatever becomes of the others.
func TestMessageOfManyRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		bob, _ := home(t, s, "bob")
		large := bytes.Repeat([]byte("ATTENDEE:mailto:x@example.com\r\n"), 200)
		other := append(bytes.Clone(large), '!')
		var rows []store.Entry
		update(t, s, func(tx *store.Tx) error {
			rows = nil
			for i := range 6 {
				e := message(ann, "u1", fmt.Sprintf("mailto:%d@example.org", i))
				e.Calendar = large
				switch i {
				case 3:
					e.Calendar = other
				case 4:
					e.Account = bob
				case 5:
					e.Calendar = []byte("small")
				}
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
				rows = append(rows, e)
			}
			return nil
		})
		check := func(when string, want int) {
			t.Helper()
			view(t, s, func(tx *store.Tx) error {
				for _, e := range rows {
					got, err := tx.Entry(e.Account, e.ID)
					if err != nil {
						t.Errorf("%s: %v", when, err)
					}
					if !bytes.Equal(got.Calendar, e.Calendar) || got.State != e.State {
						t.Errorf("%s: row %d has %d octets, state %s", when, e.ID, len(got.Calendar), got.State)
					}
				}
				n, err := tx.Count("entry_text")
				if n != want {
					t.Errorf("%s: %d messages are kept apart, want %d", when, n, want)
				}
				return err
			})
		}
		check("added", 3)
		// A row as it was added, one as it is read, and one with another message.
		rows[0].State = "sent"
		update(t, s, func(tx *store.Tx) error {
			if err := tx.UpdateEntry(rows[0]); err != nil {
				return err
			}
			list, err := tx.Entries(store.EntryFilter{Account: ann, UID: "u1"})
			if err != nil || len(list) != 5 {
				t.Errorf("%d rows, %v", len(list), err)
			}
			for _, e := range list {
				if e.ID == rows[1].ID {
					e.State = "failed"
					rows[1].State = "failed"
					err = tx.UpdateEntry(e)
				}
			}
			return err
		})
		check("updated", 3)
		update(t, s, func(tx *store.Tx) error {
			for _, i := range []int{0, 3, 5} {
				rows[i].Calendar = bytes.Clone(other)
				if err := tx.UpdateEntry(rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
		check("changed", 2)
		// Written as it was before somebody changed it: with all its octets.
		old := rows[2]
		update(t, s, func(tx *store.Tx) error {
			e := old
			e.Calendar = []byte("short")
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
			return tx.UpdateEntry(old)
		})
		check("written over", 2)
		update(t, s, func(tx *store.Tx) error {
			rows[1].State, rows[4].State = "sent", "sent"
			for _, i := range []int{1, 4} {
				if err := tx.UpdateEntry(rows[i]); err != nil {
					return err
				}
			}
			_, err := tx.PruneEntries(day.Add(time.Hour))
			return err
		})
		rows = []store.Entry{rows[2], rows[3], rows[5]}
		check("pruned", 0)
		update(t, s, func(tx *store.Tx) error {
			e := message(ann, "u2", "mailto:x@example.org")
			e.Calendar = large
			return tx.AddEntry(&e)
		})
		check("added again", 1)
		update(t, s, func(tx *store.Tx) error { return tx.DeleteAccount(ann) })
		rows = nil
		check("deleted", 0)
	})
}

// A message that is an item of the inbox as well is kept there, and stays with its
// row when the item goes.
func TestMessageInInbox(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, coll := home(t, s, "ann")
		body := bytes.Repeat([]byte("ATTENDEE:mailto:x@example.com\r\n"), 200)
		var rows []store.Entry
		var items []store.Object
		update(t, s, func(tx *store.Tx) error {
			rows, items = nil, nil
			for i := range 3 {
				o := store.Object{Account: ann, Collection: coll, Name: fmt.Sprint(i), UID: "u1"}
				if err := tx.PutObject(&o, body, store.Index{Timeless: true}); err != nil {
					return err
				}
				e := message(ann, "u1", "mailto:ann@example.org")
				e.Calendar, e.Apart = body, store.InInbox(&o, body)
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
				rows, items = append(rows, e), append(items, o)
			}
			n, err := tx.Count("entry_text")
			if n != 0 {
				t.Errorf("%d messages are kept apart", n)
			}
			return err
		})
		check := func(when string) {
			t.Helper()
			view(t, s, func(tx *store.Tx) error {
				for _, e := range rows {
					if got, err := tx.Entry(ann, e.ID); err != nil || !bytes.Equal(got.Calendar, body) {
						t.Errorf("%s: row %d has %d octets, %v", when, e.ID, len(got.Calendar), err)
					}
				}
				return nil
			})
			if h, err := s.Check(t.Context()); err != nil || len(h.Damage) > 0 {
				t.Errorf("%s: %v, %v", when, h.Damage, err)
			}
		}
		check("added")
		update(t, s, func(tx *store.Tx) error {
			e, err := tx.Entry(ann, rows[0].ID)
			if err != nil {
				return err
			}
			e.Sentence = "Seen."
			if err := tx.UpdateEntry(e); err != nil {
				return err
			}
			return tx.DeleteObject(ann, items[0].ID)
		})
		check("item deleted")
		update(t, s, func(tx *store.Tx) error { return tx.UpdateEntry(rows[0]) }) // as it was when the item was there
		check("written as it was")
		update(t, s, func(tx *store.Tx) error { return tx.DeleteCollection(ann, coll) })
		check("inbox deleted")
		update(t, s, func(tx *store.Tx) error {
			_, err := tx.PruneEntries(day.Add(time.Hour))
			return err
		})
	})
}

// One message whose octets are lost keeps nobody else's from going out: it goes
// on without them, and whoever reads it says that it cannot be read.
func TestLostOctetsKeepNothingElseWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		bob, _ := home(t, s, "bob")
		large := bytes.Repeat([]byte("ATTENDEE:mailto:x@example.com\r\n"), 200)
		update(t, s, func(tx *store.Tx) error {
			for _, id := range []store.AccountID{ann, bob} {
				e := message(id, "u1", "mailto:x@example.org")
				e.State, e.Calendar = "due", large
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
			}
			return tx.LoseTexts(ann)
		})
		update(t, s, func(tx *store.Tx) error {
			list, err := tx.ClaimDue(day.Add(1000*time.Hour), time.Minute, 10, "courier")
			if err != nil || len(list) != 2 {
				t.Fatalf("%d rows, %v", len(list), err)
			}
			for _, e := range list {
				if want := map[store.AccountID]int{ann: 0, bob: len(large)}[e.Account]; len(e.Calendar) != want {
					t.Errorf("account %d: %d octets, want %d", e.Account, len(e.Calendar), want)
				}
				e.State = "failed"
				if err := tx.UpdateEntry(e); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
	})
}
