package store_test

import (
	"path/filepath"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// TestRestoreAfterAStart: a service that was started on a new folder has noted
// some things about its empty store before anybody restores a backup into it.
func TestRestoreAfterAStart(t *testing.T) {
	noted := func(version string) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			if _, err := tx.PushKey([]byte("key of " + version)); err != nil {
				return err
			}
			if err := tx.SetFlood(store.Flood{Kind: "sender", Subject: "a@x", Began: day, Last: day, Seen: 1, State: "open"}); err != nil {
				return err
			}
			return tx.SetDerived(store.Derivation{Name: "time index", Version: version, Account: 3, Object: 4})
		}
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		home(t, s, "ann")
		update(t, s, noted("old"))
		file := filepath.Join(t.TempDir(), "backup.gz")
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		empty := storetest.SQLite(t)
		update(t, empty, noted("new"))
		if err := empty.Restore(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		view(t, empty, func(tx *store.Tx) error {
			d, err := tx.Derived("time index")
			if err != nil || d.Version != "old" {
				t.Errorf("derivation %+v, %v", d, err)
			}
			return nil
		})
	})
}
