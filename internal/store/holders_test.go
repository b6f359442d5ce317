package store_test

import (
	"reflect"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// TestHolders looks several addresses up at once, among them one that nobody
// has and one with characters of JSON and SQL in it.
func TestHolders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		odd := `mailto:o'"\{}[],@example.com`
		ann, ben := store.Account{Name: "ann", Kind: store.Individual, TimeZone: "Europe/Berlin"}, store.Account{Name: "ben", Kind: store.Room}
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			for _, a := range []*store.Account{&ann, &ben} {
				if err := tx.AddAccount(a); err != nil {
					return err
				}
			}
			if err := tx.SetAddresses(ann.ID, []store.Address{{Key: "z@example.com", URI: "mailto:Z@example.com"}, {Key: "a@example.com", URI: "mailto:a@example.com"}}); err != nil {
				return err
			}
			if err := tx.SetAddresses(ben.ID, []store.Address{{Key: odd, URI: odd}}); err != nil {
				return err
			}
			return tx.SetRedirect(store.Redirect{Account: ann.ID, OldKey: "old@example.com", NewURI: "mailto:a@example.com"})
		})
		if err != nil {
			t.Fatal(err)
		}
		view(t, s, func(tx *store.Tx) error {
			found, err := tx.Holders([]string{"a@example.com", odd, "ghost@example.com", "old@example.com"})
			if err != nil {
				t.Fatal(err)
			}
			want, err := tx.Account(ann.ID)
			if err != nil {
				t.Fatal(err)
			}
			a := found["a@example.com"]
			if !reflect.DeepEqual(a.Account, want) || !reflect.DeepEqual(a.Addresses, []string{"mailto:Z@example.com", "mailto:a@example.com"}) {
				t.Errorf("ann: %+v", a)
			}
			if b := found[odd]; b.ID != ben.ID || !reflect.DeepEqual(b.Addresses, []string{odd}) {
				t.Errorf("ben: %+v", b)
			}
			if len(found) != 2 {
				t.Errorf("%d found: %+v", len(found), found)
			}
			if moved, err := tx.Redirected([]string{"old@example.com", "a@example.com"}); err != nil || !reflect.DeepEqual(moved, map[string]string{"old@example.com": "mailto:a@example.com"}) {
				t.Errorf("renamed: %v, %v", moved, err)
			}
			return nil
		})
	})
}

// TestTraces asks what a home knows of a UID: nothing, a message, an object,
// an object that is gone.
func TestTraces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		expect := func(when string, want store.Traces) {
			t.Helper()
			view(t, s, func(tx *store.Tx) error {
				got, err := tx.Traces(account, "uid-1")
				if err != nil || got != want {
					t.Errorf("%s: %+v, %v; want %+v", when, got, err, want)
				}
				if got, err := tx.Traces(account+1, "uid-1"); err != nil || got != (store.Traces{}) {
					t.Errorf("%s, another home: %+v, %v", when, got, err)
				}
				return nil
			})
		}
		change := func(do func(tx *store.Tx) error) {
			t.Helper()
			if err := s.Update(t.Context(), do); err != nil {
				t.Fatal(err)
			}
		}
		expect("at first", store.Traces{})
		change(func(tx *store.Tx) error {
			return tx.AddEntry(&store.Entry{Account: account, Direction: "in", UID: "uid-1", State: "applied"})
		})
		expect("after a message", store.Traces{Entry: true})
		o := store.Object{Account: account, Collection: calendar, Name: "1.ics", UID: "uid-1", Component: "VEVENT"}
		change(func(tx *store.Tx) error { o.ID = 0; return tx.PutObject(&o, []byte("text"), hour(day)) })
		expect("with an object", store.Traces{Entry: true, Object: true})
		change(func(tx *store.Tx) error { return tx.DeleteObject(account, o.ID) })
		expect("after it was deleted", store.Traces{Entry: true, Deleted: true})
		view(t, s, func(tx *store.Tx) error {
			list, err := tx.Places(account)
			if err != nil || len(list) != 1 || list[0].ID != calendar || list[0].Kind != store.Calendar || list[0].Account != account {
				t.Errorf("places: %+v, %v", list, err)
			}
			return nil
		})
	})
}
