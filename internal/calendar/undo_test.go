package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// patient is a service whose messages wait two minutes.
func patient(t *testing.T, s *store.Store) *office {
	return open(t, s, func(co *calendar.Options) { co.UndoWindow = 2 * time.Minute }).hire("alice", "bob")
}

// edit changes the text of alice's event.
func (o *office) edit(path string, oldnew ...string) {
	o.t.Helper()
	_, text := o.get("alice", path)
	o.put("alice", path, strings.NewReplacer(oldnew...).Replace(text))
}

func (o *office) undo(uid string) calendar.Undone {
	o.t.Helper()
	u, err := o.svc.Undo(o.t.Context(), o.actor("alice"), o.people["alice"].ID, uid)
	if err != nil {
		o.t.Fatalf("undo: %v", err)
	}
	return u
}

func (o *office) waiting() (out []string) {
	rows, err := o.journal.List(o.t.Context(), store.EntryFilter{Account: o.people["alice"].ID, Direction: journal.Out, States: []string{journal.Due}})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range rows {
		out = append(out, e.Method)
	}
	return out
}

// SC-026: changes in quick succession are one message with the net change.
func TestChangesInQuickSuccessionAreOneMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := patient(t, s)
		o.put("alice", "default/1.ics", strings.Replace(meeting("1", 3, 9, "dave@elsewhere.test"), "SUMMARY", "LOCATION:Blue\r\nSUMMARY", 1))
		o.courier()
		if got := o.post.letters(); len(got) != 0 {
			t.Fatalf("sent at once: %v", got)
		}
		o.later(3 * time.Minute)
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
			t.Fatalf("sent %v", got)
		}
		o.edit("default/1.ics", "SUMMARY:Planning", "SUMMARY:Planning\r\nDESCRIPTION:One")
		o.later(10 * time.Second)
		o.edit("default/1.ics", "LOCATION:Blue", "LOCATION:Green")
		o.later(10 * time.Second)
		o.edit("default/1.ics", "DESCRIPTION:One", "DESCRIPTION:Two")
		o.later(10 * time.Second)
		o.edit("default/1.ics", "LOCATION:Green", "LOCATION:Blue")
		if got := o.waiting(); len(got) != 1 {
			t.Errorf("waiting: %v", got)
		}
		o.later(3 * time.Minute)
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
			t.Fatalf("sent %v", got)
		}
		rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: o.people["alice"].ID, States: []string{journal.Sent}, Limit: 1})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		if text := string(rows[0].Changes); !strings.Contains(text, "Two") || strings.Contains(text, "One") {
			t.Errorf("the net change is %s", text)
		}
		// Text there and back sends nothing.
		o.edit("default/1.ics", "DESCRIPTION:Two", "DESCRIPTION:Three")
		o.edit("default/1.ics", "DESCRIPTION:Three", "DESCRIPTION:Two")
		if got := o.waiting(); len(got) != 0 {
			t.Errorf("taken back, and waiting: %v", got)
		}
	})
}

// SC-028: deleted before the first mail left, nothing is sent.
func TestDeletedBeforeTheFirstMailLeft(t *testing.T) {
	o := patient(t, storetest.SQLite(t))
	o.put("alice", "default/1.ics", strings.Replace(meeting("1", 3, 9, "dave@elsewhere.test"), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY", 1))
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
		t.Fatal(err)
	}
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
}

func TestUndo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := patient(t, s)
		alice := o.people["alice"].ID
		o.put("alice", "default/1.ics", meeting("1", 3, 9, "dave@elsewhere.test"))
		o.later(time.Hour)
		o.courier()
		o.post.letters()
		o.mail("alice", "dave@elsewhere.test", method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:dave@elsewhere.test")))
		_, before := o.get("alice", "default/1.ics")
		o.expect("dave has accepted", before, "PARTSTAT=ACCEPTED", "dave@")

		// A change of time opens the answer; taken back, all is as it was.
		o.edit("default/1.ics", "T090000Z", "T130000Z", "T100000Z", "T140000Z")
		if until, ok, err := o.svc.Undoable(t.Context(), o.actor("alice"), alice, "1"); err != nil || !ok || !until.Equal(o.clock().Add(2*time.Minute)) {
			t.Errorf("undoable until %s %t %v", until, ok, err)
		}
		if _, err := o.svc.Undo(t.Context(), o.actor("bob"), alice, "1"); !problem.Has(err, problem.NotFound) && !problem.Has(err, problem.NeedPrivileges) {
			t.Errorf("bob undoes: %v", err)
		}
		if u := o.undo("1"); u.Withdrawn != 1 || len(u.Sent) != 0 {
			t.Errorf("undone: %+v", u)
		}
		if _, text := o.get("alice", "default/1.ics"); text != before {
			t.Errorf("after undo\n%s\nwant\n%s", text, before)
		}
		if _, err := o.svc.Undo(t.Context(), o.actor("alice"), alice, "1"); !problem.Has(err, problem.NotFound) {
			t.Errorf("undone twice: %v", err)
		}
		// What scheduling remembers is as it was as well: a late answer to the
		// time that stands counts.
		o.later(time.Minute)
		r := o.mail("alice", "dave@elsewhere.test", method("REPLY", strings.Replace(vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:dave@elsewhere.test"), "DTSTAMP:20260301T120000Z", "DTSTAMP:20260302T120000Z", 1)))
		if r.Result.Decision != itip.Applied || r.Result.Reason != itip.ReasonAnswered {
			t.Errorf("a later answer: %s %s", r.Result.Decision, r.Result.Sentence)
		}

		// Two changes, the second taken back: the first goes out.
		o.edit("default/1.ics", "SUMMARY:Planning", "SUMMARY:First")
		o.later(time.Second)
		o.edit("default/1.ics", "SUMMARY:First", "SUMMARY:Second")
		o.undo("1")
		_, text := o.get("alice", "default/1.ics")
		o.expect("the first change stands", text, "SUMMARY:First")
		o.later(time.Hour)
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
			t.Errorf("sent %v", got)
		}
		o.expect("what dave reads", o.posted("alice", "dave@elsewhere.test"), "SUMMARY:First")
		if _, err := o.svc.Undo(t.Context(), o.actor("alice"), alice, "1"); !problem.Has(err, problem.NotFound) {
			t.Errorf("after it was sent: %v", err)
		}

		// A deletion.
		_, before = o.get("alice", "default/1.ics")
		if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
			t.Fatal(err)
		}
		o.undo("1")
		if _, text := o.get("alice", "default/1.ics"); text != before {
			t.Errorf("after a deletion was undone\n%s\nwant\n%s", text, before)
		}
		// A new event.
		o.put("alice", "default/2.ics", meeting("2", 5, 9, "dave@elsewhere.test"))
		o.undo("2")
		if _, text := o.get("alice", "default/2.ics"); text != "" {
			t.Error("the new event is still there")
		}
		// What changed no event.
		if _, err := o.svc.Publish(t.Context(), calendar.PublishRequest{By: o.actor("alice"), Owner: alice, UID: "1", To: []ical.Address{"mailto:press@elsewhere.test"}}); err != nil {
			t.Fatal(err)
		}
		o.undo("1")
		o.later(time.Hour)
		o.courier()
		if got := o.post.letters(); len(got) != 0 {
			t.Errorf("sent %v", got)
		}
	})
}

// Colleagues know at once; they are told that it is as before.
func TestUndoAmongColleagues(t *testing.T) {
	o := patient(t, storetest.SQLite(t))
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@example.test", "dave@elsewhere.test"))
	o.later(time.Hour)
	o.courier()
	o.post.letters()
	o.edit("default/1.ics", "SUMMARY:Planning", "SUMMARY:Other")
	if _, text := o.event("bob", "1"); !strings.Contains(text, "SUMMARY:Other") {
		t.Fatal("bob does not know yet")
	}
	o.undo("1")
	if _, text := o.event("bob", "1"); !strings.Contains(text, "SUMMARY:Planning") {
		t.Errorf("bob has\n%s", text)
	}
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("dave is sent %v, for nothing changed", got)
	}
	// A deletion, too.
	if err := o.svc.Delete(t.Context(), calendar.DeleteRequest{By: o.actor("alice"), Ref: o.ref("alice", "default/1.ics")}); err != nil {
		t.Fatal(err)
	}
	o.undo("1")
	_, text := o.event("bob", "1")
	o.expectNot("bob's copy", text, "STATUS:CANCELLED")
	if text == "" {
		t.Error("bob has lost it")
	}
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("dave is sent %v, for a deletion that was taken back", got)
	}
}

// What colleagues know at once is not told to people outside when it is taken
// back before a message about it has left: their answers stand, and count.
func TestAMoveTakenBackAmongColleagues(t *testing.T) {
	for _, how := range []string{"an edit", "undo", "an edit after two moves", "an edit after bob has answered"} {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			uid := "m-" + strings.ReplaceAll(how, " ", "-")
			path := "default/" + uid + ".ics"
			o := patient(t, s)
			o.put("alice", path, meeting(uid, 3, 9, "bob@example.test", "dave@elsewhere.test", "erin@elsewhere.test"))
			o.later(time.Hour)
			o.courier()
			o.post.letters()
			answer := func(who, partstat string) {
				text := method("REPLY", vevent(uid, "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT="+partstat+":mailto:"+who))
				o.mail("alice", who, strings.Replace(text, "DTSTAMP:20260301T120000Z", "DTSTAMP:"+o.clock().UTC().Format("20060102T150405Z"), 1))
			}
			answer("dave@elsewhere.test", "ACCEPTED")
			o.respond("bob", uid, "ACCEPTED")
			move := func(from, to int) {
				o.later(time.Second)
				at := func(hour int) string { return fmt.Sprintf("T%02d0000Z", hour) }
				o.edit(path, "DTSTART:20260303"+at(from), "DTSTART:20260303"+at(to), "DTEND:20260303"+at(from+1), "DTEND:20260303"+at(to+1))
			}
			move(9, 13)
			if _, text := o.event("bob", uid); !strings.Contains(text, "T130000Z") {
				t.Fatal("bob does not know")
			}
			answer("erin@elsewhere.test", "TENTATIVE") // to what erin has
			switch how {
			case "an edit":
				move(13, 9)
			case "undo":
				o.undo(uid)
			case "an edit after two moves":
				move(13, 15)
				move(15, 9)
			default:
				o.respond("bob", uid, "TENTATIVE")
				move(13, 9)
			}
			_, text := o.event("bob", uid)
			o.expect(how+": bob's copy", text, "DTSTART:20260303T090000Z")
			o.expectNot(how+": bob's copy", text, "T130000Z", "T150000Z")
			_, text = o.get("alice", path)
			text = strings.ReplaceAll(text, "\r\n ", "")
			for _, want := range []string{"PARTSTAT=ACCEPTED:mailto:dave@elsewhere.test", "PARTSTAT=TENTATIVE"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: no %s in\n%s", how, want, text)
				}
			}
			o.later(time.Hour)
			o.courier()
			if got := o.post.letters(); len(got) != 0 {
				t.Errorf("%s: sent %v", how, got)
			}
			answer("dave@elsewhere.test", "DECLINED") // with the number they have
			_, text = o.get("alice", path)
			o.expect(how+": dave answers again", strings.ReplaceAll(text, "\r\n ", ""), "PARTSTAT=DECLINED")
			// A real change is told to everybody again.
			move(9, 11)
			o.later(time.Hour)
			o.courier()
			got := o.post.letters()
			slices.Sort(got)
			if !slices.Equal(got, []string{"REQUEST dave@elsewhere.test", "REQUEST erin@elsewhere.test"}) {
				t.Errorf("%s: then sent %v", how, got)
			}
			_, text = o.get("alice", path)
			o.expectNot(how+": moved in earnest", text, "PARTSTAT=DECLINED", "PARTSTAT=TENTATIVE")
		})
	}
}

// When a message about the first change has left, its end is told as well.
func TestAMoveTakenBackTooLate(t *testing.T) {
	o := patient(t, storetest.SQLite(t))
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@example.test", "dave@elsewhere.test"))
	o.later(time.Hour)
	o.courier()
	o.post.letters()
	o.edit("default/1.ics", "T090000Z", "T130000Z", "T100000Z", "T140000Z")
	o.later(time.Hour)
	o.courier()
	o.post.letters()
	o.edit("default/1.ics", "T130000Z", "T090000Z", "T140000Z", "T100000Z")
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
		t.Errorf("sent %v", got)
	}
}

func TestThePersonsOwnUndoWindow(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	alice := o.people["alice"].ID
	minute := time.Minute
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{UndoWindow: &minute}); err != nil {
		t.Fatal(err)
	}
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "dave@elsewhere.test"))
	o.courier()
	if got := o.post.letters(); len(got) != 0 {
		t.Errorf("sent at once: %v", got)
	}
	o.later(61 * time.Second)
	o.courier()
	if got := o.post.letters(); len(got) != 1 {
		t.Errorf("after a minute: %v", got)
	}
	p, err := o.svc.Preferences(t.Context(), o.actor("alice"), alice)
	if err != nil || p.UndoWindow == nil || *p.UndoWindow != minute {
		t.Errorf("read back: %+v %v", p, err)
	}
	long := 6 * time.Minute
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{UndoWindow: &long}); !problem.Has(err, problem.BadInput) {
		t.Errorf("six minutes: %v", err)
	}
	if err := o.svc.SetPreferences(t.Context(), o.actor("bob"), alice, calendar.Preferences{}); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("by a colleague: %v", err)
	}
}
