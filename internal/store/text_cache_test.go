package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// read gives the texts of objects as TextsOf and TaggedTextsOf have them, which
// must agree.
func read(t *testing.T, tx *store.Tx, account store.AccountID, calendar int64, ids ...int64) map[int64]string {
	t.Helper()
	found := map[int64]string{}
	for _, how := range []func(store.AccountID, int64, []int64, int, *store.Texts) error{tx.TextsOf, tx.TaggedTextsOf, tx.TextsOf} {
		var texts store.Texts
		if err := how(account, calendar, ids, 100, &texts); err != nil {
			t.Fatal(err)
		}
		for _, o := range texts.List {
			if was, ok := found[o.ID]; ok && was != string(o.Body) {
				t.Errorf("object %d is %q and %q", o.ID, was, o.Body)
			}
			found[o.ID] = string(o.Body)
		}
	}
	return found
}

// pair opens two stores on one database, as two processes or nodes do.
func pair(t *testing.T, test func(t *testing.T, one, other *store.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		o := store.Options{Dir: dir, Durability: "normal"}
		test(t, storetest.Open(t, o), storetest.Open(t, o))
	})
	t.Run("postgres", func(t *testing.T) {
		o := store.Options{URL: storetest.PostgresURL(t)}
		test(t, storetest.Open(t, o), storetest.Open(t, o))
	})
}

// What another process or node writes is read at once, whatever was read before,
// and also where its writer gives octets the entity tag of others.
func TestTextsOfOthers(t *testing.T) {
	pair(t, func(t *testing.T, one, other *store.Store) {
		account, calendar := home(t, one, "ann")
		o := object(account, calendar, 1)
		put(t, one, &o, "first", hour(day))
		want := func(text string) {
			t.Helper()
			for range 2 {
				for _, s := range []*store.Store{one, other} {
					view(t, s, func(tx *store.Tx) error {
						if got := read(t, tx, account, calendar, o.ID)[o.ID]; got != text {
							t.Errorf("it reads %q, not %q", got, text)
						}
						return nil
					})
				}
			}
		}
		want("first")
		put(t, other, &o, "other", hour(day)) // as long, and with the same tag
		want("other")
		put(t, one, &o, "longer than before", hour(day))
		want("longer than before")
		o.ETag = `"new"`
		put(t, other, &o, "first", hour(day))
		want("first")
		update(t, other, func(tx *store.Tx) error { return tx.TouchObjects(account, calendar, []int64{o.ID}) })
		want("first")
		update(t, one, func(tx *store.Tx) error { return tx.MoveObject(account, o.ID, calendar, "moved.ics") })
		want("first")
		update(t, one, func(tx *store.Tx) error { return tx.DeleteObject(account, o.ID) })
		view(t, other, func(tx *store.Tx) error {
			if left := read(t, tx, account, calendar, o.ID); len(left) != 0 {
				t.Errorf("it was deleted and reads %v", left)
			}
			return nil
		})
	})
}

// A snapshot goes on reading what it began with, beside those that read what
// came later.
func TestTextsOfSnapshots(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "old", hour(day))
		view(t, s, func(early *store.Tx) error {
			if _, err := early.Object(account, calendar, o.Name); err != nil { // it begins here
				return err
			}
			put(t, s, &o, "new", hour(day))
			for range 3 {
				view(t, s, func(late *store.Tx) error {
					if got := read(t, late, account, calendar, o.ID)[o.ID]; got != "new" {
						t.Errorf("the later one reads %q", got)
					}
					return nil
				})
				if got := read(t, early, account, calendar, o.ID)[o.ID]; got != "old" {
					t.Errorf("the earlier one reads %q", got)
				}
			}
			return nil
		})
	})
}

// What a transaction read that was undone is nobody's, though its number is
// taken again.
func TestTextsOfWhatWasUndone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "first", hour(day))
		undone := errors.New("undone")
		seq := int64(0)
		if err := s.Update(context.Background(), func(tx *store.Tx) error {
			lost := o
			if err := tx.PutObject(&lost, []byte("undone"), hour(day)); err != nil {
				return err
			}
			seq = lost.Seq
			if got := read(t, tx, account, calendar, o.ID)[o.ID]; got != "undone" {
				t.Errorf("it reads %q", got)
			}
			return undone
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		put(t, s, &o, "second", hour(day))
		if o.Seq != seq {
			t.Fatalf("the number is %d, not %d: the test shows nothing", o.Seq, seq)
		}
		view(t, s, func(tx *store.Tx) error {
			if got := read(t, tx, account, calendar, o.ID)[o.ID]; got != "second" {
				t.Errorf("it reads %q", got)
			}
			return nil
		})
	})
}

// A database that was brought back to an earlier moment under a running server
// gives numbers again, for other octets.
func TestTextsAfterTheDatabaseWentBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "first", hour(day))
		o.ETag = `"lost"`
		put(t, s, &o, "lost", hour(day))
		view(t, s, func(tx *store.Tx) error { read(t, tx, account, calendar, o.ID); return nil })
		store.GoBack(t, s, account)
		seq := o.Seq
		o.ETag = `"came"`
		put(t, s, &o, "came", hour(day))
		if o.Seq != seq {
			t.Fatalf("the number is %d, not %d: the test shows nothing", o.Seq, seq)
		}
		view(t, s, func(tx *store.Tx) error {
			if got := read(t, tx, account, calendar, o.ID)[o.ID]; got != "came" {
				t.Errorf("it reads %q", got)
			}
			return nil
		})
	})
}

// Two accounts have objects of the same number, and tag.
func TestTextsOfAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, annCalendar := home(t, s, "ann")
		bob, bobCalendar := home(t, s, "bob")
		a, b := object(ann, annCalendar, 1), object(bob, bobCalendar, 1)
		put(t, s, &a, "ann's", hour(day))
		put(t, s, &b, "bob's", hour(day))
		if a.ID != b.ID || a.Seq != b.Seq || a.ETag != b.ETag {
			t.Fatal("they differ: the test shows nothing")
		}
		for range 2 {
			view(t, s, func(tx *store.Tx) error {
				if got := read(t, tx, ann, annCalendar, a.ID)[a.ID] + read(t, tx, bob, bobCalendar, b.ID)[b.ID]; got != "ann'sbob's" {
					t.Errorf("they read %q", got)
				}
				return nil
			})
		}
	})
}

// However much is read, what is kept is bounded, and all of it is right.
func TestTextsKeptAreBounded(t *testing.T) {
	s := storetest.SQLite(t)
	store.KeepTexts(s, 2000) // some ten of them
	account, calendar := home(t, s, "ann")
	var ids []int64
	want := map[int64]string{}
	for i := range 60 {
		o := object(account, calendar, i)
		put(t, s, &o, fmt.Sprint("text ", i), hour(day))
		ids, want[o.ID] = append(ids, o.ID), fmt.Sprint("text ", i)
	}
	for n := range 20 {
		again := object(account, calendar, n) // it is kept in two states, one after the other
		again.ID = ids[n]
		want[again.ID] = fmt.Sprint("another text ", n)
		put(t, s, &again, want[again.ID], hour(day))
		view(t, s, func(tx *store.Tx) error {
			part := ids[n:min(n*7+1, len(ids))]
			for id, text := range read(t, tx, account, calendar, part...) {
				if text != want[id] {
					t.Errorf("object %d reads %q", id, text)
				}
			}
			return nil
		})
		if octets, really := store.KeptTexts(s); octets > 2000 || octets != really {
			t.Fatalf("%d octets are kept, %d by their own account", really, octets)
		}
	}
	if octets, _ := store.KeptTexts(s); octets == 0 {
		t.Error("nothing is kept")
	}
}
