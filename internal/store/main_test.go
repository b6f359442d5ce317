package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		writeUntilKilled(dir)
	}
	pg.Main(m)
}

var day = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// home makes an account with one calendar.
func home(t testing.TB, s *store.Store, name string) (store.AccountID, int64) {
	t.Helper()
	a := store.Account{Name: name, Kind: store.Individual, Created: day}
	c := store.Collection{Name: "default", Kind: store.Calendar, Created: day}
	update(t, s, func(tx *store.Tx) error {
		a.ID = 0
		if err := tx.AddAccount(&a); err != nil {
			return err
		}
		c.Account = a.ID
		return tx.AddCollection(&c)
	})
	return a.ID, c.ID
}

func update(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// hour is the index of an event of one hour.
func hour(at time.Time) store.Index {
	return store.Index{First: at.Unix(), Last: at.Add(time.Hour).Unix()}
}

func object(account store.AccountID, collection int64, n int) store.Object {
	return store.Object{Account: account, Collection: collection, Name: fmt.Sprintf("%d.ics", n), UID: fmt.Sprintf("uid-%d@example.com", n),
		ETag: fmt.Sprintf(`"%d"`, n), Component: "VEVENT", Modified: day, Summary: "Meeting"}
}

func put(t testing.TB, s *store.Store, o *store.Object, body string, x store.Index) {
	t.Helper()
	before := *o
	update(t, s, func(tx *store.Tx) error {
		*o = before
		return tx.PutObject(o, []byte(body), x)
	})
}

func wantIs(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}
