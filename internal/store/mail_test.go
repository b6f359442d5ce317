package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestReplyAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		r := store.ReplyAddress{Account: ann, UID: "u1", Attendee: "ben@two.test", Selector: "aaa", Secret: "sss", Agent: true, Created: at, Expires: at.Add(time.Hour)}
		other := store.ReplyAddress{Account: ann, UID: "u1", Attendee: "eve@two.test", Selector: "bbb", Secret: "ttt", Created: at}
		update(t, s, func(tx *store.Tx) error { return errors.Join(tx.SetReplyAddress(r), tx.SetReplyAddress(other)) })
		view(t, s, func(tx *store.Tx) error {
			for _, want := range []store.ReplyAddress{r, other} {
				byGuest, err := tx.ReplyAddressFor(ann, "u1", want.Attendee)
				if diff := cmp.Diff(want, byGuest); diff != "" || err != nil {
					t.Errorf("%s %v", diff, err)
				}
				bySelector, err := tx.ReplyAddressBySelector(ann, want.Selector)
				if diff := cmp.Diff(want, bySelector); diff != "" || err != nil {
					t.Errorf("%s %v", diff, err)
				}
			}
			if _, err := tx.ReplyAddressBySelector(ann+1, "aaa"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("of another account: %v", err)
			}
			return nil
		})
		r.Selector = "ccc" // made anew: the old one is worth nothing
		update(t, s, func(tx *store.Tx) error { return tx.SetReplyAddress(r) })
		view(t, s, func(tx *store.Tx) error {
			if _, err := tx.ReplyAddressBySelector(ann, "aaa"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("an address that was replaced: %v", err)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error { _, err := tx.PruneReplyAddresses(at.Add(2 * time.Hour)); return err })
		view(t, s, func(tx *store.Tx) error {
			if _, err := tx.ReplyAddressFor(ann, "u1", "ben@two.test"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("an address that expired: %v", err)
			}
			if _, err := tx.ReplyAddressFor(ann, "u1", "eve@two.test"); err != nil {
				t.Errorf("an address that never does: %v", err)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error { return tx.DeleteReplyAddress(ann, "u1", "") })
		view(t, s, func(tx *store.Tx) error {
			if _, err := tx.ReplyAddressFor(ann, "u1", "eve@two.test"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("taken back: %v", err)
			}
			return nil
		})
	})
}

func TestSenderRulesAndFloods(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		mine := store.SenderRule{Account: ann, Subject: "eve@evil.test", Rule: []byte(`{"do":"never"}`), Created: at}
		site := store.SenderRule{Account: store.Site, Subject: "bank.test", Rule: []byte(`{"signed":true}`), Created: at}
		f := store.Flood{Kind: "sender", Subject: "eve@evil.test", Began: at, Last: at, Seen: 3, State: "open"}
		update(t, s, func(tx *store.Tx) error {
			if err := tx.SetSenderRule(store.SenderRule{Account: 4711}); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a rule of nobody: %v", err)
			}
			return errors.Join(tx.SetSenderRule(mine), tx.SetSenderRule(site), tx.SetFlood(f), tx.SetFlood(f))
		})
		view(t, s, func(tx *store.Tx) error {
			for id, want := range map[store.AccountID]store.SenderRule{ann: mine, store.Site: site} {
				got, err := tx.SenderRules(id)
				if diff := cmp.Diff([]store.SenderRule{want}, got); diff != "" || err != nil {
					t.Errorf("rules of %d: %s %v", id, diff, err)
				}
			}
			f.Seen = 6
			got, err := tx.Floods(10)
			if diff := cmp.Diff([]store.Flood{f}, got); diff != "" || err != nil {
				t.Errorf("%s %v", diff, err)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error {
			e := store.Entry{Account: ann, Direction: "in", State: "held", Reason: "flood", Created: at}
			free := store.Entry{Account: ann, Direction: "in", State: "held", Reason: "unverified", Created: at}
			if err := errors.Join(tx.AddEntry(&e), tx.AddEntry(&free)); err != nil {
				return err
			}
			held, err := tx.HeldBecause("flood", 0, 0, 10)
			if err != nil || len(held) != 1 || held[0].ID != e.ID {
				t.Errorf("%v %v", held, err)
			}
			if held, err = tx.HeldBecause("flood", ann, e.ID, 10); err != nil || len(held) != 0 {
				t.Errorf("behind the last: %v %v", held, err)
			}
			return errors.Join(tx.DeleteSenderRule(ann, "eve@evil.test"), tx.SettleFloods("sender", "eve@evil.test", "settled"))
		})
		view(t, s, func(tx *store.Tx) error {
			if got, err := tx.SenderRules(ann); err != nil || len(got) != 0 {
				t.Errorf("%v %v", got, err)
			}
			if got, err := tx.Floods(10); err != nil || len(got) != 1 || got[0].State != "settled" {
				t.Errorf("%v %v", got, err)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error { return tx.PruneFloods(at.Add(time.Hour)) })
		view(t, s, func(tx *store.Tx) error {
			if got, err := tx.Floods(10); err != nil || len(got) != 0 {
				t.Errorf("%v %v", got, err)
			}
			return nil
		})
	})
}

// Processes add to the same counts, and each learns what all of them have.
func TestCountMail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		count := func(hour int64, add map[string]int) (got map[string]store.MailCount) {
			update(t, s, func(tx *store.Tx) (err error) { got, err = tx.CountMail(hour, add); return err })
			return got
		}
		count(100, map[string]int{"a": 2, "b": 1, "b/x": 1, "bc": 7})
		if got := count(100, map[string]int{"a": 3}); got["a"] != (store.MailCount{Now: 5}) || len(got) != 1 {
			t.Errorf("%v", got)
		}
		if got := count(101, map[string]int{"a": 1, "b": 0}); got["a"] != (store.MailCount{Now: 1, Past: 5}) || got["b"] != (store.MailCount{Past: 1}) {
			t.Errorf("the next hour: %v", got)
		}
		update(t, s, func(tx *store.Tx) error { return tx.ForgetMailCount(101, "b") })
		if got := count(101, map[string]int{"b": 0, "b/x": 0, "bc": 0}); got["b"].Past+got["b/x"].Past != 0 || got["bc"].Past != 7 {
			t.Errorf("forgotten: %v", got)
		}
		if got := count(103, map[string]int{"a": 0}); got["a"].Past != 0 {
			t.Errorf("two hours later: %v", got)
		}
	})
}
