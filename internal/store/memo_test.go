package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// who tells the names of the accounts that have some addresses, and where the
// addresses moved.
func who(tx *store.Tx, keys ...string) (names []string, err error) {
	found, err := tx.Holders(keys)
	if err != nil {
		return nil, err
	}
	moved, err := tx.Redirected(keys)
	for _, k := range keys {
		names = append(names, found[k].Name+moved[k])
	}
	return names, err
}

// TestWhatIsRememberedIsTrue changes addresses in every way there is, and asks
// for them within and after each change.
func TestWhatIsRememberedIsTrue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		ben, _ := home(t, s, "ben")
		give := func(tx *store.Tx, id store.AccountID, keys ...string) error {
			var list []store.Address
			for _, k := range keys {
				list = append(list, store.Address{Account: id, Key: k, URI: "mailto:" + k})
			}
			return tx.SetAddresses(id, list)
		}
		expect := func(tx *store.Tx, when string, want ...string) {
			t.Helper()
			for range 2 { // the second time from what was kept
				if got, err := who(tx, "a@x", "b@x", "c@x"); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %q, %v; want %q", when, got, err, want)
				}
			}
		}
		after := func(when string, want ...string) {
			t.Helper()
			update(t, s, func(tx *store.Tx) error { expect(tx, when, want...); return nil })
		}
		update(t, s, func(tx *store.Tx) error {
			expect(tx, "at first", "", "", "")
			if err := give(tx, ann, "a@x"); err != nil {
				return err
			}
			expect(tx, "in the change", "ann", "", "")
			return nil
		})
		after("after the change", "ann", "", "")

		failed := errors.New("no")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := give(tx, ben, "b@x"); err != nil {
				return err
			}
			expect(tx, "in what will fail", "ann", "ben", "")
			return failed
		})
		wantIs(t, "failing", err, failed)
		after("after what failed", "ann", "", "")

		update(t, s, func(tx *store.Tx) error {
			return tx.SetRedirect(store.Redirect{Account: ann, OldKey: "c@x", NewURI: "mailto:a@x"})
		})
		after("a redirect", "ann", "", "mailto:a@x")

		update(t, s, func(tx *store.Tx) error {
			expect(tx, "before the account goes", "ann", "", "mailto:a@x")
			if err := tx.DeleteAccount(ann); err != nil {
				return err
			}
			expect(tx, "when it has gone", "", "", "")
			return give(tx, ben, "a@x")
		})
		after("another has it", "ben", "", "")

		update(t, s, func(tx *store.Tx) error {
			before, err := tx.Places(ben)
			if err != nil || len(before) != 1 {
				t.Errorf("places: %v, %v", before, err)
			}
			if err := tx.AddCollection(&store.Collection{Account: ben, Name: "second", Kind: store.Calendar, Created: day}); err != nil {
				return err
			}
			if list, err := tx.Places(ben); err != nil || len(list) != 2 {
				t.Errorf("places with the second: %v, %v", list, err)
			}
			rules, err := tx.SenderRules(ben)
			if err != nil || len(rules) != 0 {
				t.Errorf("rules: %v, %v", rules, err)
			}
			if err := tx.SetSenderRule(store.SenderRule{Account: ben, Subject: "x", Rule: []byte("{}"), Created: day}); err != nil {
				return err
			}
			if rules, err = tx.SenderRules(ben); err != nil || len(rules) != 1 {
				t.Errorf("rules with one: %v, %v", rules, err)
			}
			return nil
		})
	})
}

// TestWhatIsRememberedAmongOthers: of transactions that share a commit one
// changes who has an address and fails.
func TestWhatIsRememberedAmongOthers(t *testing.T) {
	s := storetest.SQLite(t)
	ann, _ := home(t, s, "ann")
	failed := errors.New("no")
	for range 20 {
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				err := s.Update(context.Background(), func(tx *store.Tx) error {
					if got, err := who(tx, "a@x"); err != nil || got[0] != "" {
						t.Errorf("somebody has it: %q, %v", got, err)
					}
					if n%2 == 0 {
						return tx.AddEntry(&store.Entry{Account: ann, Direction: "in", State: "applied"})
					}
					if err := tx.SetAddresses(ann, []store.Address{{Account: ann, Key: "a@x", URI: "mailto:a@x"}}); err != nil {
						return err
					}
					if got, err := who(tx, "a@x"); err != nil || got[0] != "ann" {
						t.Errorf("the change is not seen: %q, %v", got, err)
					}
					return failed
				})
				if n%2 == 0 && err != nil || n%2 == 1 && !errors.Is(err, failed) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if l := s.Load(); l.Updates < 80 || l.Commits > l.Updates {
		t.Errorf("%+v", l)
	}
}

// TestWhatIsRememberedBesideAnotherProcess has a second store on the same
// files, as the command line has beside the server.
func TestWhatIsRememberedBesideAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	here := storetest.Open(t, store.Options{Dir: dir, Durability: "normal"})
	there := storetest.Open(t, store.Options{Dir: dir, Durability: "normal"})
	ann, _ := home(t, here, "ann")
	for i, keys := range [][]string{{"a@x"}, nil, {"a@x", "b@x"}, {"b@x"}} {
		update(t, there, func(tx *store.Tx) error {
			var list []store.Address
			for _, k := range keys {
				list = append(list, store.Address{Account: ann, Key: k, URI: "mailto:" + k})
			}
			return tx.SetAddresses(ann, list)
		})
		update(t, here, func(tx *store.Tx) error {
			for _, k := range []string{"a@x", "b@x"} {
				want := ""
				if slices.Contains(keys, k) {
					want = "ann"
				}
				if got, err := who(tx, k); err != nil || got[0] != want {
					t.Errorf("%d: %s is %q, %v; want %q", i, k, got, err, want)
				}
			}
			return nil
		})
	}
}
