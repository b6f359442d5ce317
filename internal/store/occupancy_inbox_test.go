package store_test

import (
	"math"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// Items of the scheduling inbox have no rows in the time index, and are found
// by time all the same, whatever is done to their index.
func TestItemsOfTheInboxAreFoundByTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		inbox := store.Collection{Account: account, Name: "inbox", Kind: store.Inbox, Created: day}
		update(t, s, func(tx *store.Tx) error { inbox.ID = 0; return tx.AddCollection(&inbox) })
		march := store.Index{First: 1_772_400_000, Last: 1_772_403_600, Unlisted: true} // 1 March 2026
		weekly := march
		weekly.Last, weekly.Periods, weekly.Horizon = math.MaxInt64, []int32{2026*12 + 2}, 1_775_000_000
		ids := map[string]int64{}
		put := func(name string, collection int64, x store.Index) {
			o := object(account, collection, 1)
			o.Name, o.UID = name, name
			update(t, s, func(tx *store.Tx) error { o.ID = 0; return tx.PutObject(&o, []byte("text"), x) })
			ids[name] = o.ID
		}
		put("once", inbox.ID, march)
		put("series", inbox.ID, weekly)
		put("timeless", inbox.ID, store.Index{Timeless: true, Unlisted: true})
		expect := func(when string) {
			t.Helper()
			for _, in := range []struct {
				from, to int64
				want     map[string]bool
			}{
				{1_772_300_000, 1_772_500_000, map[string]bool{"once": true, "series": true, "timeless": true}},
				{1_780_000_000, 1_780_100_000, map[string]bool{"series": true, "timeless": true}},
				{1_700_000_000, 1_700_100_000, map[string]bool{"timeless": true}},
			} {
				update(t, s, func(tx *store.Tx) error {
					got := map[string]bool{}
					for o, err := range tx.ObjectsInRange(account, []int64{calendar, inbox.ID}, "", in.from, in.to) {
						if err != nil {
							return err
						}
						got[o.Name] = true
					}
					list, narrow, err := tx.Occupying(account, inbox.ID, in.from, in.to)
					if err != nil {
						return err
					}
					after, err := tx.SpanningAfter(account, inbox.ID, in.from, in.to, 0, 100)
					if len(got) != len(in.want) || narrow || len(list) != 0 || len(after) != len(in.want) {
						t.Errorf("%s: from %d on %v, %v, %v (narrow %v); want %v", when, in.from, got, list, after, narrow, in.want)
					}
					for name := range in.want {
						if !got[name] {
							t.Errorf("%s: %s is not found", when, name)
						}
					}
					n, err2 := tx.Count("occupancy")
					if n != 1 { // of what is timeless
						t.Errorf("%s: %d rows in the time index", when, n)
					}
					if err == nil {
						err = err2
					}
					return err
				})
			}
		}
		expect("put")
		march.Unlisted, weekly.Unlisted = false, false // as who derives it anew has it
		update(t, s, func(tx *store.Tx) error { return tx.SetIndex(account, ids["once"], march) })
		update(t, s, func(tx *store.Tx) error { return tx.ResetIndex(account, ids["series"], weekly) })
		expect("set")
		update(t, s, func(tx *store.Tx) error { return tx.RenewIndex(account, ids["series"], weekly) })
		expect("renewed")
		update(t, s, func(tx *store.Tx) error {
			o, err := tx.ObjectByID(account, ids["once"])
			if err != nil {
				return err
			}
			return tx.PutObject(&o, []byte("text 2"), march)
		})
		expect("put again")
		h, err := s.Check(t.Context())
		if err != nil || h.Unindexed != 0 {
			t.Errorf("%d are not indexed, %v", h.Unindexed, err)
		}
		update(t, s, func(tx *store.Tx) error {
			for _, id := range ids {
				if err := tx.DeleteObject(account, id); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
