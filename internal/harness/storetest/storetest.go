// Package storetest opens real stores for tests, of each engine.
package storetest

import (
	"context"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/store"
)

// Each runs a test on SQLite and on PostgreSQL, as subtests of these names.
// Where PostgreSQL is missing that half is skipped loudly, or fails when
// CONVENE_REQUIRE names "pg". The package's TestMain calls [pg.Main].
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite opens an empty store in a directory of the test's own. It does not
// wait for the disk: a test's data need not survive the machine.
func SQLite(t testing.TB) *store.Store {
	return Open(t, store.Options{Dir: t.TempDir(), Durability: "normal"})
}

// Postgres opens an empty store in a database of the test's own.
func Postgres(t testing.TB) *store.Store {
	return Open(t, store.Options{URL: PostgresURL(t)})
}

// PostgresURL is a database of the test's own with an empty store in it, for
// tests that open it more than once.
func PostgresURL(t testing.TB) string {
	return pg.Prepared(t, "store", func(url string) error {
		s, err := store.Open(context.Background(), store.Options{URL: url})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

// Open opens a store and closes it at the end of the test.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}
