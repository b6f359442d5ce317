package store_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestObjectIsKeptAsPut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		o.ScheduleTag, o.Organizer, o.Scheduling, o.Memory = `"s1"`, "ann@example.com", true, []byte(`{"a":1}`)
		body := "BEGIN:VCALENDAR\r\n\x00\xff\r\nEND:VCALENDAR\r\n" // octets are octets
		put(t, s, &o, body, hour(day))
		if o.ID == 0 || o.Seq == 0 || o.Size != len(body) {
			t.Errorf("put did not fill in: %+v", o)
		}
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Object(account, calendar, "1.ics")
			if err != nil {
				return err
			}
			if d := cmp.Diff(o, got); d != "" {
				t.Errorf("by name (-put +got):\n%s", d)
			}
			got, err = tx.ObjectByID(account, o.ID)
			if err != nil {
				return err
			}
			if d := cmp.Diff(o, got); d != "" {
				t.Errorf("by ID (-put +got):\n%s", d)
			}
			b, err := tx.Body(account, o.ID)
			if string(b) != body {
				t.Errorf("body %q, want %q", b, body)
			}
			c, cerr := tx.Collection(account, calendar)
			if c.Seq != o.Seq {
				t.Errorf("collection's sequence %d, want the object's %d", c.Seq, o.Seq)
			}
			return errors.Join(err, cerr)
		})

		o.Memory = nil // keeps
		o.ETag = `"2"`
		put(t, s, &o, "second", hour(day.AddDate(0, 1, 0)))
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Object(account, calendar, "1.ics")
			if string(got.Memory) != `{"a":1}` || got.ETag != `"2"` || got.Size != 6 {
				t.Errorf("after the second put: %+v", got)
			}
			bodies, berr := tx.Bodies(account, []int64{o.ID, 12345})
			if len(bodies) != 1 || string(bodies[o.ID]) != "second" {
				t.Errorf("bodies: %v", bodies)
			}
			return errors.Join(err, berr)
		})
		update(t, s, func(tx *store.Tx) error { return tx.UpdateMemory(account, o.ID, []byte(`{}`)) })
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.ObjectsByUID(account, o.UID)
			if len(got) != 1 || string(got[0].Memory) != "{}" || got[0].Seq != o.Seq {
				t.Errorf("after UpdateMemory: %+v", got)
			}
			return err
		})
	})
}

func TestNamesAreUniqueAndTheTransactionGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		first := object(account, calendar, 1)
		put(t, s, &first, "one", hour(day))
		second := object(account, calendar, 2)
		put(t, s, &second, "two", hour(day))
		update(t, s, func(tx *store.Tx) error {
			again := object(account, calendar, 1)
			wantIs(t, "put under a taken name", tx.PutObject(&again, nil, hour(day)), store.ErrExists)
			wantIs(t, "move to a taken name", tx.MoveObject(account, second.ID, calendar, first.Name), store.ErrExists)
			wantIs(t, "account of a taken name", tx.AddAccount(&store.Account{Name: "ann", Created: day}), store.ErrExists)
			wantIs(t, "collection of a taken name", tx.AddCollection(&store.Collection{Account: account, Name: "default", Created: day}), store.ErrExists)
			_, err := tx.Object(account, calendar, "nothing.ics")
			wantIs(t, "absent object", err, store.ErrNotFound)
			wantIs(t, "delete absent object", tx.DeleteObject(account, 4711), store.ErrNotFound)
			gone := object(account, 4711, 3)
			wantIs(t, "put into an absent collection", tx.PutObject(&gone, nil, hour(day)), store.ErrNotFound)
			return tx.DeleteObject(account, first.ID)
		})
		view(t, s, func(tx *store.Tx) error {
			_, err := tx.Object(account, calendar, first.Name)
			wantIs(t, "deleted object", err, store.ErrNotFound)
			return nil
		})
	})
}

func TestHistoryKeepsWhatWasReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "one", hour(day))
		firstSeq := o.Seq
		put(t, s, &o, "one", hour(day)) // the same octets are no new version
		put(t, s, &o, "two", hour(day))
		update(t, s, func(tx *store.Tx) error { return tx.DeleteObject(account, o.ID) })
		update(t, s, func(tx *store.Tx) error {
			list, err := tx.Versions(account, store.VersionFilter{Object: o.ID})
			if err != nil || len(list) != 2 || !list[0].Deleted || list[1].Deleted || list[1].Seq <= firstSeq {
				t.Errorf("versions: %+v %v", list, err)
			}
			for i, want := range []string{"two", "one"} {
				body, err := tx.VersionBody(account, o.ID, list[i].Seq)
				if err != nil || string(body) != want {
					t.Errorf("version %d: %q %v, want %q", i, body, err, want)
				}
			}
			if gone, err := tx.DeletedUID(account, o.UID); err != nil || !gone {
				t.Errorf("DeletedUID: %v %v", gone, err)
			}
			// Neither name nor UID is taken by history.
			again := object(account, calendar, 1)
			if err := tx.PutObject(&again, []byte("three"), hour(day)); err != nil {
				t.Error(err)
			}
			if gone, err := tx.DeletedUID(account, o.UID); err != nil || gone {
				t.Errorf("DeletedUID after it came back: %v %v", gone, err)
			}
			if _, err := tx.PruneVersions(tx.Now().AddDate(0, 0, 1)); err != nil {
				t.Error(err)
			}
			list, err = tx.Versions(account, store.VersionFilter{})
			if len(list) != 0 {
				t.Errorf("after pruning: %+v", list)
			}
			return err
		})
	})
}

func TestDeletingACollectionKeepsItsObjectsInHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		for n := range 3 {
			o := object(account, calendar, n)
			put(t, s, &o, "text", hour(day))
		}
		update(t, s, func(tx *store.Tx) error { return tx.DeleteCollection(account, calendar) })
		update(t, s, func(tx *store.Tx) error {
			list, err := tx.Versions(account, store.VersionFilter{Collection: calendar, Deleted: true})
			if len(list) != 3 {
				t.Errorf("%d versions, want 3", len(list))
			}
			objects, oerr := tx.ObjectsByUID(account, "uid-1@example.com")
			if len(objects) != 0 {
				t.Errorf("objects left: %+v", objects)
			}
			return errors.Join(err, oerr, tx.DeleteAccount(account))
		})
	})
}

func TestObjectPropertiesMoveNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		o := object(account, calendar, 1)
		put(t, s, &o, "text", hour(day))
		want := map[string]string{"{urn:x}y": "<y/>"}
		update(t, s, func(tx *store.Tx) error { return tx.SetObjectProperties(account, o.ID, want) })
		update(t, s, func(tx *store.Tx) error { return tx.MoveObject(account, o.ID, calendar, "2.ics") })
		o.Name = "2.ics"
		put(t, s, &o, "new text", hour(day)) // keeps them, though o has none
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Object(account, calendar, "2.ics")
			if d := cmp.Diff(want, got.Properties); d != "" {
				t.Errorf("(-set +got):\n%s", d)
			}
			for listed, err := range tx.ListObjects(account, calendar) {
				if d := cmp.Diff(want, listed.Properties); d != "" || err != nil {
					t.Errorf("listed %v (-set +got):\n%s", err, d)
				}
			}
			return err
		})
		seq := o.Seq
		update(t, s, func(tx *store.Tx) error { return tx.SetObjectProperties(account, o.ID, nil) })
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.ObjectByID(account, o.ID)
			if got.Properties != nil || got.Seq != seq {
				t.Errorf("after removing them: %+v", got)
			}
			return err
		})
	})
}

// TestWhatIsIndexedHasALimit is the same on both engines, and the longest that
// is taken is found again. Random letters, since PostgreSQL compresses others.
func TestWhatIsIndexedHasALimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		letters := make([]byte, 1024)
		for i := range letters {
			letters[i] = byte('!' + rand.N(90))
		}
		longest := string(letters)
		long := longest + "x"
		o := object(account, calendar, 1)
		o.Name, o.UID = longest, longest
		put(t, s, &o, "text", hour(day))
		e := message(account, longest, longest)
		addEntry(t, s, &e)
		view(t, s, func(tx *store.Tx) error {
			if list, err := tx.ObjectsByUID(account, longest); err != nil || len(list) != 1 {
				t.Errorf("by its UID: %d objects, %v", len(list), err)
			}
			return nil
		})
		update(t, s, func(tx *store.Tx) error {
			uid, name := object(account, calendar, 2), object(account, calendar, 3)
			uid.UID, name.Name = long, long
			row, to := message(account, long, "bob"), message(account, "u", long)
			for what, err := range map[string]error{
				"UID": tx.PutObject(&uid, nil, hour(day)), "name": tx.PutObject(&name, nil, hour(day)),
				"new name": tx.MoveObject(account, o.ID, calendar, long), "row": tx.AddEntry(&row), "recipient": tx.AddEntry(&to),
				"collection": tx.AddCollection(&store.Collection{Account: account, Name: long}), "account": tx.AddAccount(&store.Account{Name: long}),
				"address": tx.SetAddresses(account, []store.Address{{Key: long}}),
			} {
				if !problem.Has(err, problem.BadInput) {
					t.Errorf("%s of 1025 octets: %v", what, err)
				}
			}
			return nil
		})
	})
}
