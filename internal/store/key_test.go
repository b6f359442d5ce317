package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestMailKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ann, _ := home(t, s, "ann")
		at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		own := store.MailKey{Account: ann, Protocol: "pkcs7", Fingerprint: "aa", Role: "own", State: "trusted", Addresses: "ann@one.test",
			Material: []byte("certificate"), Secret: []byte("key"), Created: at, Seen: at}
		ca := store.MailKey{Account: store.Site, Protocol: "pkcs7", Fingerprint: "aa", Role: "authority", State: "trusted",
			Material: []byte("root"), Created: at, Seen: at}
		update(t, s, func(tx *store.Tx) error {
			if err := tx.SetMailKey(own); err != nil {
				return err
			}
			return tx.SetMailKey(ca)
		})
		own.State, own.Seen = "revoked", at.Add(time.Hour)
		update(t, s, func(tx *store.Tx) error { return tx.SetMailKey(own) })
		view(t, s, func(tx *store.Tx) error {
			for id, want := range map[store.AccountID]store.MailKey{ann: own, store.Site: ca} {
				got, err := tx.MailKeys(id)
				if err != nil {
					return err
				}
				if diff := cmp.Diff([]store.MailKey{want}, got); diff != "" {
					t.Errorf("keys of %d: %s", id, diff)
				}
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error {
			if err := tx.DeleteMailKey(ann, "pkcs7", "bb"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("delete a key that is not there: %v", err)
			}
			if err := tx.SetMailKey(store.MailKey{Account: 4711, Protocol: "pkcs7", Fingerprint: "cc"}); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a key for nobody: %v", err)
			}
			return tx.DeleteAccount(ann)
		})
		view(t, s, func(tx *store.Tx) error {
			if got, err := tx.MailKeys(ann); err != nil || len(got) != 0 {
				t.Errorf("keys of a deleted account: %v, %v", got, err)
			}
			return nil
		})
	})
}
