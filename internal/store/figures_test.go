package store_test

import (
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestFigures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, _ := home(t, s, "ann")
		for _, state := range []string{"due", "due", "held"} {
			e := message(account, "u1", "mailto:bob@example.org")
			e.State = state
			addEntry(t, s, &e)
		}
		view(t, s, func(tx *store.Tx) error {
			f, err := tx.Figures()
			if f.Accounts != 1 || f.Entries["due"] != 2 || f.Entries["held"] != 1 || len(f.Entries) != 2 || f.NextDue.IsZero() {
				t.Errorf("%+v", f)
			}
			return err
		})
	})
}
