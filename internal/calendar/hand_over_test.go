package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Alice leaves, and carol goes on with her meeting: answers stay, colleagues have
// it at once, who is elsewhere is told by carol, and answers go to her (RFC 5546
// 3.2.2.4). With carol among the guests, and without.
func TestAnEventIsHandedOver(t *testing.T) {
	for what, guests := range map[string][]string{
		"to a guest":         {"bob@example.test", "carol@example.test", "dave@elsewhere.test"},
		"to somebody not on": {"bob@example.test", "dave@elsewhere.test"},
	} {
		t.Run(what, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				o := open(t, s).hire("alice", "bob", "carol")
				o.hireAs(store.Room, "attic")
				const uid = "m@example.test"
				o.put("alice", "default/m.ics", strings.Replace(meeting(uid, 3, 9, guests...), "SUMMARY:Planning", "RRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY:Planning", 1))
				o.respond("bob", uid, "ACCEPTED")
				o.courier()
				o.post.letters()

				over := func(by account.Actor, to string) error {
					_, err := o.svc.HandOver(t.Context(), calendar.HandOverRequest{By: by, Owner: o.people["alice"].ID, UID: uid, To: ical.Mailto(to)})
					return err
				}
				operator := o.accounts.ActorOf(o.people["alice"])
				if err := over(o.actor("alice"), "carol@example.test"); !problem.Has(err, problem.NeedPrivileges) {
					t.Errorf("by an edit of one side: %v", err)
				}
				for _, to := range []string{"dave@elsewhere.test", "attic@example.test", "nobody@example.test"} {
					if err := over(operator, to); !problem.Has(err, problem.BadInput) {
						t.Errorf("to %s: %v", to, err)
					}
				}
				if err := over(operator, "alice@example.test"); !problem.Has(err, problem.AllowedOrganizerChange) {
					t.Errorf("to herself: %v", err)
				}
				if err := over(operator, "carol@example.test"); err != nil {
					t.Fatal(err)
				}
				o.courier()
				if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
					t.Errorf("mailed: %q", got)
				}
				for _, name := range []string{"alice", "bob", "carol"} {
					ob, text := o.event(name, uid)
					if !ob.Scheduling {
						t.Errorf("%s's is no scheduling object", name)
					}
					o.expect(name+"'s copy", text, "ORGANIZER", "mailto:carol@example.test")
					o.expect(name+"'s copy", text, "ATTENDEE", "PARTSTAT=ACCEPTED", "mailto:bob@example.test")
					o.expect(name+"'s copy", text, "ATTENDEE", "PARTSTAT=ACCEPTED", "mailto:alice@example.test")
					o.expect(name+"'s copy", text, "ATTENDEE", "PARTSTAT=ACCEPTED", "mailto:carol@example.test")
					o.expect(name+"'s copy", text, "SEQUENCE:1")
					if n := strings.Count(text, "\r\nORGANIZER"); n != 1 {
						t.Errorf("%s has %d organizers:\n%s", name, n, text)
					}
				}
				if rows, err := o.journal.List(t.Context(), store.EntryFilter{States: []string{calendar.StateHeld}}); err != nil || len(rows) != 0 {
					t.Errorf("held: %+v %v", rows, err)
				}

				// Answers go to carol, and what she changes to everybody, alice too.
				o.respond("bob", uid, "DECLINED")
				_, text := o.event("carol", uid)
				o.expect("carol's event", text, "ATTENDEE", "PARTSTAT=DECLINED", "mailto:bob@example.test")
				ob, text := o.event("carol", uid)
				if _, err := o.tryPut("carol", "default/"+ob.Name, strings.Replace(text, "DTSTART:20260303T090000Z", "DTSTART:20260303T080000Z", 1), calendar.Precondition{}); err != nil {
					t.Fatal(err)
				}
				o.courier()
				if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
					t.Errorf("mailed: %q", got)
				}
				for _, name := range []string{"alice", "bob"} {
					_, text := o.event(name, uid)
					o.expect(name+"'s copy", text, "DTSTART:20260303T080000Z")
					o.expect(name+"'s copy", text, "ATTENDEE", "NEEDS-ACTION", "mailto:"+name+"@example.test")
				}
				// Alice is a guest: she cannot change it, and declines by deleting it.
				ob, text = o.event("alice", uid)
				if _, err := o.tryPut("alice", "default/"+ob.Name, strings.Replace(text, "SUMMARY:Planning", "SUMMARY:Still mine", 1), calendar.Precondition{}); !problem.Has(err, problem.AllowedAttendeeChange) {
					t.Errorf("alice changes it: %v", err)
				}
				if err := over(operator, "bob@example.test"); err == nil {
					t.Error("handed over by who does not have it")
				}
				o.respond("alice", uid, "DECLINED")
				_, text = o.event("carol", uid)
				o.expect("carol's event", text, "ATTENDEE", "PARTSTAT=DECLINED", "mailto:alice@example.test")
			})
		})
	}
}
