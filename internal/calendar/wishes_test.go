package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// A move taken back by another edit while nobody knows of it: nobody is told,
// and the answers that it had opened stand again.
func TestAMoveTakenBackByAnEditIsNotTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := patient(t, s)
		o.put("alice", "default/1.ics", meeting("1", 3, 9, "dave@elsewhere.test"))
		o.later(time.Hour)
		o.courier()
		o.post.letters()
		answer := func(partstat string) {
			text := method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT="+partstat+":mailto:dave@elsewhere.test"))
			o.mail("alice", "dave@elsewhere.test", strings.Replace(text, "DTSTAMP:20260301T120000Z", "DTSTAMP:"+o.clock().UTC().Format("20060102T150405Z"), 1))
		}
		answer("ACCEPTED")
		o.edit("default/1.ics", "T090000Z", "T130000Z", "T100000Z", "T140000Z")
		_, text := o.get("alice", "default/1.ics")
		o.expect("moved", text, "PARTSTAT=NEEDS-ACTION", "dave@")
		o.later(10 * time.Second)
		o.edit("default/1.ics", "T130000Z", "T090000Z", "T140000Z", "T100000Z")
		_, text = o.get("alice", "default/1.ics")
		o.expect("moved back", text, "PARTSTAT=ACCEPTED", "dave@")
		o.expect("moved back", text, "DTSTART:20260303T090000Z")
		if got := o.waiting(); len(got) != 0 {
			t.Errorf("waiting: %v", got)
		}
		o.later(time.Hour)
		o.courier()
		if got := o.post.letters(); len(got) != 0 {
			t.Errorf("sent %v", got)
		}
		answer("TENTATIVE") // to the only version that dave ever had
		_, text = o.get("alice", "default/1.ics")
		o.expect("answered", text, "PARTSTAT=TENTATIVE", "dave@")

		// What is more than taken back is told.
		o.edit("default/1.ics", "T090000Z", "T130000Z", "T100000Z", "T140000Z")
		o.edit("default/1.ics", "T130000Z", "T090000Z", "T140000Z", "T100000Z", "SUMMARY:Planning", "SUMMARY:Plans")
		o.later(time.Hour)
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
			t.Errorf("sent %v", got)
		}
	})
}

// RFC 5546 3.2.2.3: who organizes may keep guests from sending others.
func TestAnOrganizerWhoWantsNobodyElse(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	alice := o.people["alice"].ID
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{NoDelegation: true}); err != nil {
		t.Fatal(err)
	}
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "dave@elsewhere.test"))
	o.courier()
	o.post.letters()
	o.mail("alice", "dave@elsewhere.test", method("REPLY", vevent("1", "DTSTART:20260303T090000Z", "SEQUENCE:0", "ORGANIZER:mailto:alice@example.test",
		"ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:erin@elsewhere.test\":mailto:dave@elsewhere.test")))
	_, text := o.get("alice", "default/1.ics")
	o.expectNot("the event", text, "erin@elsewhere.test")
	o.later(time.Hour)
	o.courier()
	got := o.post.letters()
	slices.Sort(got)
	if !slices.Equal(got, []string{"CANCEL erin@elsewhere.test", "REQUEST dave@elsewhere.test"}) {
		t.Errorf("sent %v", got)
	}
}

// RFC 5546 4.7.2: a program that answers is asked for what is missing.
func TestAPeerThatAnswersIsAskedForTheWhole(t *testing.T) {
	for prodid, want := range map[string][]string{itip.ProductID: {"REFRESH alice@elsewhere.test"}, "-//Other//EN": nil} {
		o := open(t, storetest.SQLite(t)).hire("bob")
		part := func(lines ...string) string {
			text := method("REQUEST", vevent("1", append(lines, "SUMMARY:Weekly", "ORGANIZER:mailto:alice@elsewhere.test", "ATTENDEE;RSVP=TRUE:mailto:bob@example.test")...))
			return strings.Replace(text, "PRODID:-//Test//EN", "PRODID:"+prodid, 1)
		}
		o.mail("bob", "alice@elsewhere.test", part("DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "SEQUENCE:0"))
		o.mail("bob", "alice@elsewhere.test", part("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "RECURRENCE-ID:20260601T090000Z", "SEQUENCE:3"))
		o.later(time.Hour)
		o.courier()
		if got := o.post.letters(); !slices.Equal(got, want) {
			t.Errorf("%s: sent %v, want %v", prodid, got, want)
		}
	}
}

// Who decides about a room without an account here is told by mail.
func TestAnApproverWithoutAnAccountIsTold(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.hireAs(store.Room, "blue")
	o.policy("blue", itip.RoomPolicy{Approvers: []string{"janet@elsewhere.test"}})
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "blue@example.test"))
	if partstat, _ := o.says("alice", "1", "blue"); partstat != "TENTATIVE" {
		t.Fatalf("before anybody decided: %s", partstat)
	}
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"PUBLISH janet@elsewhere.test"}) {
		t.Fatalf("sent %v", got)
	}
	text := o.posted("blue", "janet@elsewhere.test")
	for _, line := range []string{"SUMMARY:Blue is asked for: Planning", "DESCRIPTION:alice@example.test asks for Blue", "DTSTART:20260303T090000Z"} {
		o.expect("the letter", text, line)
	}
	o.expectNot("the letter", text, "ATTENDEE", "UID:1\r\n")
}

// One change reaches so many people outside and no more: an account that was
// taken over is no way to mail everybody.
func TestAChangeForTooManyOutsideIsRefused(t *testing.T) {
	o := open(t, storetest.SQLite(t), func(co *calendar.Options) { co.Limits.ExternalAttendees = 2 }).hire("alice", "bob")
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "bob@example.test", "dave@elsewhere.test", "erin@elsewhere.test"))
	_, err := o.tryPut("alice", "default/2.ics", meeting("2", 4, 9, "dave@elsewhere.test", "erin@elsewhere.test", "fred@elsewhere.test"), calendar.Precondition{})
	if !problem.Has(err, problem.TooManyAttendees) {
		t.Errorf("three outside: %v, want too-many-attendees", err)
	}
	o.later(time.Hour)
	o.courier()
	if got := o.post.letters(); len(got) != 2 {
		t.Errorf("sent %v", got)
	}
}

// Who is not among the approvers any more decides nothing, though the question
// is still there.
func TestAFormerApproverDecidesNothing(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "janet", "jim")
	o.hireAs(store.Room, "blue")
	o.policy("blue", itip.RoomPolicy{Approvers: []string{"janet@example.test", "jim@example.test"}})
	o.put("alice", "default/1.ics", meeting("1", 3, 9, "blue@example.test"))
	asked := o.held("janet")
	if len(asked) != 1 {
		t.Fatalf("janet is asked: %+v", asked)
	}
	o.policy("blue", itip.RoomPolicy{Approvers: []string{"jim@example.test"}})
	if _, err := o.svc.Approve(t.Context(), o.actor("janet"), o.people["janet"].ID, asked[0].ID); !problem.Has(err, problem.NeedPrivileges) {
		t.Errorf("janet decides: %v, want need-privileges", err)
	}
	if partstat, _ := o.says("alice", "1", "blue"); partstat != "TENTATIVE" {
		t.Errorf("the room says %s", partstat)
	}
	if _, err := o.svc.Approve(t.Context(), o.actor("jim"), o.people["jim"].ID, o.held("jim")[0].ID); err != nil {
		t.Error(err)
	}
	if partstat, _ := o.says("alice", "1", "blue"); partstat != "ACCEPTED" {
		t.Errorf("jim has approved, and the room says %s", partstat)
	}
}

// A cancellation waits for its invitation for two weeks, not for ever.
func TestACancellationWaitsTwoWeeks(t *testing.T) {
	for wait, cancelled := range map[time.Duration]bool{13 * 24 * time.Hour: true, 15 * 24 * time.Hour: false} {
		o := open(t, storetest.SQLite(t)).hire("bob")
		lines := []string{"DTSTART:20260603T090000Z", "SUMMARY:Planning", "ORGANIZER:mailto:alice@elsewhere.test", "ATTENDEE:mailto:bob@example.test"}
		o.mail("bob", "alice@elsewhere.test", method("CANCEL", vevent("1", append([]string{"SEQUENCE:1", "STATUS:CANCELLED"}, lines...)...)))
		o.later(wait)
		o.mail("bob", "alice@elsewhere.test", method("REQUEST", vevent("1", append([]string{"SEQUENCE:0"}, lines...)...)))
		_, text := o.event("bob", "1")
		if got := strings.Contains(text, "STATUS:CANCELLED"); text == "" || got != cancelled {
			t.Errorf("after %s: cancelled %t, want %t\n%s", wait, got, cancelled, text)
		}
	}
}

// REC-07: a series that moves is a new one to whose programs cannot move one;
// their answers come under its UID and are found.
func TestASeriesIsBegunAnewForSome(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	alice := o.people["alice"].ID
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), alice, calendar.Preferences{NewSeries: []string{"@Elsewhere.test"}}); err != nil {
		t.Fatal(err)
	}
	if p, err := o.svc.Preferences(t.Context(), o.actor("alice"), alice); err != nil || !slices.Equal(p.NewSeries, []string{"@elsewhere.test"}) {
		t.Fatalf("read back: %v %v", p.NewSeries, err)
	}
	o.put("alice", "default/1.ics", strings.Replace(meeting("1", 3, 9, "bob@example.test", "dave@elsewhere.test", "erin@other.test"), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY", 1))
	o.courier()
	o.post.letters()
	o.edit("default/1.ics", "T090000Z", "T130000Z", "T100000Z", "T140000Z")
	o.courier()
	got := o.post.letters()
	slices.Sort(got)
	if !slices.Equal(got, []string{"CANCEL dave@elsewhere.test", "REQUEST dave@elsewhere.test", "REQUEST erin@other.test"}) {
		t.Fatalf("sent %v", got)
	}
	const anew = "1~anew1"
	o.expect("what dave is invited to", o.posted("alice", "dave@elsewhere.test"), "UID:"+anew)
	r := o.mail("alice", "dave@elsewhere.test", method("REPLY", vevent(anew, "DTSTART:20260303T130000Z", "SEQUENCE:1", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:dave@elsewhere.test")))
	if r.Result == nil || r.Result.Decision != itip.Applied || r.Entry.UID != "1" {
		t.Fatalf("dave's answer: %+v %+v", r.Result, r.Entry)
	}
	_, text := o.get("alice", "default/1.ics")
	o.expect("the one event", text, "PARTSTAT=ACCEPTED", "dave@")
	o.expectNot("the one event", text, "anew")
	// A stranger's event of such a name is nobody else's.
	r = o.mail("bob", "frank@elsewhere.test", method("REQUEST", vevent(anew, "DTSTART:20260303T130000Z", "SUMMARY:Mine", "ORGANIZER:mailto:frank@elsewhere.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.test")))
	if r.Entry.UID != anew {
		t.Errorf("an invitation under such a name: %+v", r.Entry)
	}
}

// CAN-01: what was called off is deleted for who wants it so; nothing that was
// written before the cancellation brings it back, and a new invitation does.
func TestCancelledEventsAreDeleted(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	if err := o.svc.SetPreferences(t.Context(), o.actor("alice"), o.people["alice"].ID, calendar.Preferences{DeleteCancelled: true}); err != nil {
		t.Fatal(err)
	}
	text := func(kind string, n int, more ...string) string {
		return method(kind, vevent("1", append([]string{"DTSTART:20260303T090000Z", fmt.Sprint("SEQUENCE:", n), "SUMMARY:Lunch", "ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:alice@example.test"}, more...)...))
	}
	o.mail("alice", "dave@elsewhere.test", text("REQUEST", 0))
	if _, have := o.event("alice", "1"); have == "" {
		t.Fatal("the invitation is not in the calendar")
	}
	for _, step := range []struct {
		message string
		there   bool
	}{{text("CANCEL", 3, "STATUS:CANCELLED"), false}, {text("REQUEST", 2), false}, {text("CANCEL", 3, "STATUS:CANCELLED"), false}, {text("REQUEST", 4), true}} {
		o.later(time.Minute)
		r := o.mail("alice", "dave@elsewhere.test", step.message)
		if objects := o.list("alice", "default"); len(objects) == 1 != step.there {
			t.Errorf("after %s: %d objects, %s", r.Entry.Method, len(objects), r.Entry.Sentence)
		}
	}
}
