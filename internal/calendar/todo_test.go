package calendar_test

import (
	"slices"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// SC-101 to SC-104 and SC-109 at a service: a task is assigned, lies in the
// calendar that takes tasks, and its progress is reported for each assignee.
func TestAnAssignedTask(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.put("alice", "tasks/1.ics", vcalendar(component("VTODO", "1", "SUMMARY:Paint the fence", "DUE:20260310T120000Z", "PERCENT-COMPLETE:10", "ORGANIZER:mailto:alice@example.test",
		"ATTENDEE:mailto:bob@example.test", "ATTENDEE:mailto:dave@elsewhere.test")))
	list := o.list("bob", "tasks")
	if len(list) != 1 || len(o.list("bob", "default")) != 0 {
		t.Fatalf("bob's tasks: %+v", list)
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test"}) {
		t.Errorf("posted %v", got)
	}
	respond := func(partstat string, percent *int) error {
		_, err := o.svc.Respond(t.Context(), calendar.RespondRequest{By: o.actor("bob"), Owner: o.people["bob"].ID, UID: "1", PartStat: partstat, Percent: percent})
		return err
	}
	if err := respond("IN-PROCESS", new(75)); err != nil {
		t.Fatal(err)
	}
	_, text := o.event("bob", "1")
	o.expect("bob's own copy", text, "PERCENT-COMPLETE:75")
	_, text = o.event("alice", "1")
	o.expect("for bob", text, "PARTSTAT=IN-PROCESS", "bob@example.test")
	o.expect("the task itself is alice's to judge", text, "PERCENT-COMPLETE:10")
	if err := respond("COMPLETED", nil); err != nil {
		t.Fatal(err)
	}
	_, text = o.event("alice", "1")
	o.expect("done by bob", text, "PARTSTAT=COMPLETED", "bob@example.test")
	o.expectNot("not done by itself", text, "STATUS:COMPLETED")
	if err := respond("COMPLETED", new(101)); !problem.Has(err, problem.BadInput) {
		t.Errorf("more than all: %v", err)
	}
	// SC-102: without DUE at the same SEQUENCE the time stays; SC-103 by mail.
	o.mail("alice", "dave@elsewhere.test", method("REPLY", vcalendar(component("VTODO", "1", "ORGANIZER:mailto:alice@example.test", "SEQUENCE:0", "PERCENT-COMPLETE:40", "ATTENDEE;PARTSTAT=IN-PROCESS:mailto:dave@elsewhere.test"))))
	_, text = o.event("alice", "1")
	o.expect("for dave", text, "PARTSTAT=IN-PROCESS", "dave@elsewhere.test")
	o.expect("still alice's", text, "PERCENT-COMPLETE:10")
	// A task is no event, and an event no task.
	o.put("alice", "default/2.ics", meeting("2", 3, 9, "bob@example.test"))
	if _, err := o.svc.Respond(t.Context(), calendar.RespondRequest{By: o.actor("bob"), Owner: o.people["bob"].ID, UID: "2", PartStat: "COMPLETED"}); !problem.Has(err, problem.BadInput) {
		t.Errorf("an event completed: %v", err)
	}
	// SC-111: DUE moves, everybody is asked anew, who was done too.
	o.get("alice", "tasks/1.ics")
	o.edit("tasks/1.ics", "DUE:20260310T120000Z", "DUE:20260312T120000Z")
	_, text = o.event("alice", "1")
	o.expect("asked anew", text, "PARTSTAT=NEEDS-ACTION", "bob@example.test")
}

// SC-112: a journal entry is published.
func TestAPublishedJournalEntry(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	o.makeCalendar("bob", "notes")
	r := o.mail("bob", "ann@elsewhere.test", vcalendarOf("PUBLISH", component("VJOURNAL", "j", "DTSTART;VALUE=DATE:20260302", "SUMMARY:Minutes", "DESCRIPTION:Text", "ORGANIZER:mailto:ann@elsewhere.test", "SEQUENCE:0",
		"ATTACH:ftp://files.elsewhere.test/minutes.txt", "RELATED-TO:k")))
	if r.Result.Decision != itip.Held {
		t.Fatalf("%s %s", r.Result.Decision, r.Result.Sentence)
	}
	e, err := o.svc.Approve(t.Context(), o.actor("bob"), o.people["bob"].ID, r.Entry.ID)
	if err != nil {
		t.Fatal(err)
	}
	list := o.list("bob", "notes")
	if len(list) != 1 {
		t.Fatalf("%s %s; notes: %+v", e.State, e.Sentence, list)
	}
	_, text := o.get("bob", "notes/"+list[0].Name)
	o.expect("kept", text, "ATTACH:ftp://files.elsewhere.test/minutes.txt")
	o.expect("kept", text, "RELATED-TO:k")
}
