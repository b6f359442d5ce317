package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func message(account store.AccountID, uid, to string) store.Entry {
	return store.Entry{Account: account, Direction: "out", Method: "REQUEST", UID: uid, From: "mailto:ann@example.com", To: to, State: store.StateDue,
		Created: day, Updated: day, NextAttempt: day, Calendar: []byte("BEGIN:VCALENDAR"), Changes: []byte("[]"), Evidence: []byte("{}")}
}

func addEntry(t *testing.T, s *store.Store, e *store.Entry) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error { return tx.AddEntry(e) })
}

func TestEntryIsKeptAsWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, _ := home(t, s, "ann")
		e := message(account, "u1", "mailto:bob@example.org")
		e.Transport, e.RecurrenceID, e.Sequence, e.Reason, e.Sentence, e.Status = "mail", "20260302T090000Z", 3, "r", "A sentence.", "1.1"
		e.MessageID, e.References, e.Digest, e.Object, e.Refresh, e.Raw = "<1@x>", "<0@x>", "sha", 7, true, []byte("From: x\r\n\xff")
		e.Attempts = []store.Attempt{{Time: day, Transport: "mail", Status: "4.1", Sentence: "Busy."}}
		addEntry(t, s, &e)
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Entry(account, e.ID)
			if d := cmp.Diff(e, got); d != "" {
				t.Errorf("(-added +got):\n%s", d)
			}
			if f, err := tx.FindEntry(e.ID); err != nil || f.ID != e.ID {
				t.Errorf("FindEntry: %+v %v", f, err)
			}
			if f, err := tx.EntryByDigest(account, "sha"); err != nil || f.ID != e.ID {
				t.Errorf("EntryByDigest: %+v %v", f, err)
			}
			_, none := tx.EntryByDigest(account, "other")
			wantIs(t, "EntryByDigest of another", none, store.ErrNotFound)
			return err
		})
		e.State, e.Raw = "sent", nil
		update(t, s, func(tx *store.Tx) error { return tx.UpdateEntry(e) })
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Entry(account, e.ID)
			if got.State != "sent" || string(got.Raw) != "From: x\r\n\xff" {
				t.Errorf("after update: %+v", got)
			}
			return err
		})
	})
}

func TestEntriesAreFilteredNewestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		bob, _ := home(t, s, "bob")
		for i := range 6 {
			e := message([]store.AccountID{ann, bob}[i%2], fmt.Sprintf("u%d", i/2), "mailto:x@example.org")
			e.State = []string{"due", "sent", "held"}[i/2]
			addEntry(t, s, &e)
		}
		for _, c := range []struct {
			f    store.EntryFilter
			want string
		}{
			{store.EntryFilter{}, "u2 u2 u1 u1 u0 u0"},
			{store.EntryFilter{Account: ann}, "u2 u1 u0"},
			{store.EntryFilter{Account: ann, States: []string{"due", "held"}}, "u2 u0"},
			{store.EntryFilter{UID: "u1", Limit: 1}, "u1"},
			{store.EntryFilter{Before: 3}, "u0 u0"},
			{store.EntryFilter{Direction: "in"}, ""},
		} {
			view(t, s, func(tx *store.Tx) error {
				list, err := tx.Entries(c.f)
				var got []string
				for _, e := range list {
					got = append(got, e.UID)
				}
				if g := strings.Join(got, " "); g != c.want {
					t.Errorf("%+v: %s, want %s", c.f, g, c.want)
				}
				return err
			})
		}
		view(t, s, func(tx *store.Tx) error {
			for uid, want := range map[string]int{"u0": 1, "u1": 0, "u2": 1} {
				if list, err := tx.EntriesWaiting(ann, uid); err != nil || len(list) != want {
					t.Errorf("waiting for %s: %d rows %v, want %d", uid, len(list), err, want)
				}
			}
			return nil
		})
	})
}

func claim(t *testing.T, s *store.Store, at time.Time, owner string) (got []string, rows []store.Entry) {
	t.Helper()
	update(t, s, func(tx *store.Tx) (err error) {
		rows, err = tx.ClaimDue(at, time.Minute, 100, owner)
		return err
	})
	for _, e := range rows {
		got = append(got, e.UID+">"+e.To)
		if e.LeaseOwner != owner || !e.LeaseUntil.Equal(at.Add(time.Minute)) {
			t.Errorf("claimed row with lease %q until %s", e.LeaseOwner, e.LeaseUntil)
		}
	}
	return got, rows
}

func TestClaimDueKeepsOrderAndLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, _ := home(t, s, "ann")
		same := func(what string, got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: claimed %v, want %v", what, got, want)
			}
		}
		first, second, other, later := message(account, "a", "bob"), message(account, "a", "bob"), message(account, "a", "carol"), message(account, "b", "bob")
		later.NextAttempt = day.Add(10 * time.Minute)
		second.Raw, first.Raw = []byte("2"), []byte("1")
		for _, e := range []*store.Entry{&first, &second, &other, &later} {
			addEntry(t, s, e)
		}
		view(t, s, func(tx *store.Tx) error {
			at, ok, err := tx.NextDue()
			if !ok || !at.Equal(day) {
				t.Errorf("NextDue %s %v, want %s", at, ok, day)
			}
			return err
		})
		got, rows := claim(t, s, day, "one")
		same("at first", got, "a>bob", "a>carol")
		if rows[0].ID != first.ID || rows[0].Raw != nil {
			t.Errorf("claimed %+v, want the oldest, without its mail", rows[0])
		}
		got, _ = claim(t, s, day.Add(time.Second), "two")
		same("under lease", got)
		view(t, s, func(tx *store.Tx) error {
			if at, ok, err := tx.NextDue(); !ok || !at.Equal(day.Add(time.Minute)) || err != nil {
				t.Errorf("NextDue under lease: %s %v %v, want the end of the lease", at, ok, err)
			}
			return nil
		})
		got, _ = claim(t, s, day.Add(2*time.Minute), "two")
		same("after the lease of a courier that died", got, "a>bob", "a>carol")

		// A retry holds back what follows it.
		rows[0].State, rows[0].NextAttempt, rows[0].LeaseUntil = store.StateRetry, day.Add(time.Hour), time.Time{}
		rows[1].State, rows[1].LeaseUntil = "sent", time.Time{}
		update(t, s, func(tx *store.Tx) error {
			if err := tx.UpdateEntry(rows[0]); err != nil {
				return err
			}
			return tx.UpdateEntry(rows[1])
		})
		got, _ = claim(t, s, day.Add(11*time.Minute), "one")
		same("while the first waits for its retry", got, "b>bob")
		got, _ = claim(t, s, day.Add(time.Hour), "one")
		same("the retry", got, "a>bob", "b>bob")
		rows[0].State = "sent"
		update(t, s, func(tx *store.Tx) error { return tx.UpdateEntry(rows[0]) })
		got, _ = claim(t, s, day.Add(time.Hour), "one")
		same("when the first is out", got, "a>bob")
	})
}

func TestCouriersDoNotClaimTheSameRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, _ := home(t, s, "ann")
		const rows = 60
		update(t, s, func(tx *store.Tx) error {
			for i := range rows {
				e := message(account, fmt.Sprint(i), "bob")
				if err := tx.AddEntry(&e); err != nil {
					return err
				}
			}
			return nil
		})
		var mu sync.Mutex
		claimed := map[int64]int{}
		var wg sync.WaitGroup
		for n := range 6 {
			wg.Go(func() {
				for {
					var got []store.Entry
					err := s.Update(context.Background(), func(tx *store.Tx) (err error) {
						got, err = tx.ClaimDue(day, time.Minute, 5, fmt.Sprint("courier", n))
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, e := range got {
						claimed[e.ID]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("row %d was claimed %d times", id, n)
			}
		}
		// A courier may pass over rows that another was just claiming; the next
		// look finds them.
		if rest, _ := claim(t, s, day, "last"); len(claimed)+len(rest) != rows {
			t.Errorf("%d rows claimed, %d left, want %d in all", len(claimed), len(rest), rows)
		}
	})
}

func TestPruneEntriesLeavesWhatWaits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, _ := home(t, s, "ann")
		for _, state := range []string{"due", "retry", "held", "received", "sent", "applied", "failed"} {
			e := message(account, state, "bob")
			e.State, e.Raw = state, []byte("mail")
			addEntry(t, s, &e)
		}
		update(t, s, func(tx *store.Tx) error {
			if _, err := tx.PruneEntries(day); err != nil {
				return err
			}
			if list, err := tx.Entries(store.EntryFilter{}); err != nil || len(list) != 7 {
				t.Errorf("pruned too early: %d %v", len(list), err)
			}
			if _, err := tx.PruneEntries(day.Add(time.Second)); err != nil {
				return err
			}
			list, err := tx.Entries(store.EntryFilter{})
			if len(list) != 4 {
				t.Errorf("left: %+v", list)
			}
			return err
		})
	})
}
