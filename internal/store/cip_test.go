package store_test

import (
	"errors"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestCIPCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			e, err := tx.CIPEvent(1, "u")
			if err != nil || e.Version != 0 || e.UID != "u" {
				t.Errorf("before: %+v, %v", e, err)
			}
			e.Version, e.Since, e.Answers, e.Stamp = 3, 2, 1, tx.Now()
			if err := tx.PutCIPEvent(e); err != nil {
				return err
			}
			if _, err := tx.CIPEventByWire(""); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the empty event id: %v", err)
			}
			e.Wire = "u.2@a.test"
			if err := tx.PutCIPEvent(e); err != nil {
				return err
			}
			if got, err := tx.CIPEventByWire("u.2@a.test"); err != nil || got != e {
				t.Errorf("by event id: %+v, %v; want %+v", got, err, e)
			}
			m := store.CIPMoved{Account: 1, OldKey: "cy@b.test", NewKey: "cy@c.test", NewURI: "mailto:cy@c.test", Created: tx.Now()}
			if err := tx.SetCIPMoved(m); err != nil {
				return err
			}
			if got, err := tx.CIPMovedTo(1, "cy@b.test"); err != nil || got != m {
				t.Errorf("moved to %+v, %v", got, err)
			}
			if got, err := tx.CIPMovedFrom(1, "cy@c.test"); err != nil || len(got) != 1 || got[0] != m {
				t.Errorf("moved from %+v, %v", got, err)
			}
			if _, err := tx.CIPMovedTo(2, "cy@b.test"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another account's: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
