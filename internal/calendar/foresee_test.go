package calendar_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// What a message means is worked out before the transaction. Whatever happens
// until that begins, it comes to the same as if it were worked out within.
func TestWhatWasForeseenMayHaveChanged(t *testing.T) {
	const uid = "1@elsewhere.test"
	invitation := func(uid string, lines ...string) string {
		lines = append([]string{"ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE;RSVP=TRUE:mailto:alice@example.test", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Call"}, lines...)
		return strings.Replace(vevent(uid, lines...), "VERSION", "METHOD:REQUEST\r\nVERSION", 1)
	}
	own := strings.Replace(invitation(uid, "SEQUENCE:3", "LOCATION:Room 5"), "METHOD:REQUEST\r\n", "", 1)
	var alice store.AccountID
	kept := func(tx *store.Tx) (store.Object, error) {
		all, err := tx.Collections(alice)
		if err != nil {
			return store.Object{}, err
		}
		o := store.Object{Account: alice, Name: "own.ics", UID: uid, ETag: `"own"`, Component: "VEVENT", Scheduling: true, Modified: morning}
		for _, c := range all {
			if c.Kind == store.Calendar {
				o.Collection = c.ID
			}
		}
		return o, tx.PutObject(&o, []byte(own), store.Index{First: 1, Last: 2})
	}
	for name, meanwhile := range map[string]func(tx *store.Tx, a *calendar.Arrival) error{
		"nothing":              func(*store.Tx, *calendar.Arrival) error { return nil },
		"a later version came": func(tx *store.Tx, _ *calendar.Arrival) error { _, err := kept(tx); return err },
		"it was deleted": func(tx *store.Tx, _ *calendar.Arrival) error {
			o, err := kept(tx)
			if err != nil {
				return err
			}
			return tx.DeleteObject(alice, o.ID)
		},
		"its cancellation came": func(tx *store.Tx, _ *calendar.Arrival) error {
			text := strings.Replace(invitation(uid, "SEQUENCE:1", "STATUS:CANCELLED"), "METHOD:REQUEST", "METHOD:CANCEL", 1)
			return tx.AddEntry(&store.Entry{Account: alice, Direction: "in", Transport: "mail", State: calendar.StateHeld, Reason: itip.ReasonWaiting, Method: "CANCEL", UID: uid,
				Digest: "c", Calendar: []byte(text), From: "mailto:dave@elsewhere.test", To: "mailto:alice@example.test", Created: morning})
		},
		"the address went to somebody else": func(tx *store.Tx, _ *calendar.Arrival) error {
			return tx.SetAddresses(alice, []store.Address{{Account: alice, Key: "mailto:lizzy@example.test", URI: "mailto:lizzy@example.test", Verified: true}})
		},
		"it is another message": func(_ *store.Tx, a *calendar.Arrival) error {
			a.Message = parse(t, invitation(uid, "LOCATION:Room 6"))
			return nil
		},
		"it is of somebody else":     func(_ *store.Tx, a *calendar.Arrival) error { a.From = "mailto:eve@evil.test"; return nil },
		"it is asked for first":      func(_ *store.Tx, a *calendar.Arrival) error { a.AskFirst = true; return nil },
		"it came by another address": func(_ *store.Tx, a *calendar.Arrival) error { a.Recipient = "mailto:team@example.test"; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			told := map[bool]string{}
			for _, ahead := range []bool{false, true} {
				o := open(t, storetest.SQLite(t)).hire("alice")
				alice = o.people["alice"].ID
				o.mail("alice", "dave@elsewhere.test", invitation("0@elsewhere.test")) // now it is known who alice is
				a := arrivalFor(o, "alice", "alice@example.test", "dave@elsewhere.test", parse(t, invitation(uid)))
				var likely []calendar.Arrival
				if ahead {
					likely = []calendar.Arrival{a}
				}
				got, err := o.svc.ReceiveMade(t.Context(), likely, func(tx *store.Tx, _ *calendar.Directory) ([]calendar.Arrival, error) {
					now := a
					if name == "nothing" { // what was foreseen is not looked at again: so it can be told that it was used
						now.Message.Master().Set("SUMMARY", "Another")
					}
					err := meanwhile(tx, &now)
					return []calendar.Arrival{now}, err
				})
				if err != nil {
					t.Fatal(err)
				}
				told[ahead] = storyOf(t, o, alice, uid, got[0])
			}
			if name == "nothing" {
				if strings.Contains(told[true], "SUMMARY:Another") || !strings.Contains(told[true], "SUMMARY:Call") {
					t.Errorf("what was foreseen is not used:\n%s", told[true])
				}
				return
			}
			if told[false] != told[true] {
				t.Errorf("foreseen:\n%s\nwithout:\n%s", told[true], told[false])
			}
		})
	}
}

// storyOf is all there is of an event in a home, and what was said of a message.
func storyOf(t *testing.T, o *office, id store.AccountID, uid string, r calendar.Received) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(r.Entry.State + " " + r.Entry.Reason + " " + r.Entry.Sentence + " " + string(r.Entry.Changes) + "\n")
	if err := o.store.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Collections(id)
		if err != nil {
			return err
		}
		for _, c := range all {
			for ob, err := range tx.ListObjects(id, c.ID) {
				if err != nil {
					return err
				}
				if ob.UID != uid {
					continue
				}
				full, err := tx.ObjectByID(id, ob.ID)
				if err != nil {
					return err
				}
				body, err := tx.Body(id, ob.ID)
				if err != nil {
					return err
				}
				row, err := json.Marshal(full)
				if err != nil {
					return err
				}
				b.WriteString(c.Name + " " + string(row) + " " + string(full.Memory) + "\n" + string(body))
			}
		}
		rows, err := tx.Entries(store.EntryFilter{Account: id, UID: uid})
		for _, e := range rows {
			b.WriteString(e.State + " " + e.Reason + " " + string(e.Calendar) + "\n")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
