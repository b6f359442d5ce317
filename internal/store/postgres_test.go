package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// TestDatabaseThatGoesAwayAndComesBack is a failover seen from the store.
func TestDatabaseThatGoesAwayAndComesBack(t *testing.T) {
	pg.Database(t) // skips without PostgreSQL
	cluster, err := pg.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	url, err := cluster.CreateDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, store.Options{URL: url})
	account, calendar := home(t, s, "ann")
	write := func(n int) error {
		o := object(account, calendar, n)
		return s.Update(t.Context(), func(tx *store.Tx) error {
			o.ID = 0
			return tx.PutObject(&o, []byte("text"), hour(day))
		})
	}
	if err := write(1); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := write(2); !problem.Has(err, problem.Unavailable) {
		t.Errorf("while the database is away: %v", err)
	}
	if err := cluster.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := write(3); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	view(t, s, func(tx *store.Tx) error {
		if _, err := tx.Object(account, calendar, "1.ics"); err != nil {
			t.Errorf("acknowledged before: %v", err)
		}
		return nil
	})
}

func TestSecretsOfTheURLStayOut(t *testing.T) {
	for _, url := range []string{"postgres://ann:hunter2@[::1/x", "postgres://ann:hunter2@127.0.0.1:1/x", "mysql://ann:hunter2@h/x"} {
		_, err := store.Open(t.Context(), store.Options{URL: url})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}
