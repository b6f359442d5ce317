package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/itip"
)

func TestAProposalIsTakenUpOrDeclined(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	o.put("alice", "default/1.ics", vevent("1@example.test", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:dave@elsewhere.test", "ATTENDEE:mailto:erin@elsewhere.test",
		"DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Call"))
	o.courier()
	o.post.letters()
	propose := func(who, start, end string) calendar.Received {
		return o.mail("alice", who, strings.Replace(vevent("1@example.test", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:"+who,
			"DTSTART:"+start, "DTEND:"+end, "SUMMARY:New time: Call", "SEQUENCE:0"), "VERSION", "METHOD:COUNTER\r\nVERSION", 1))
	}
	alice := o.people["alice"].ID
	dave, erin := propose("dave@elsewhere.test", "20260303T150000Z", "20260303T160000Z"), propose("erin@elsewhere.test", "20260304T150000Z", "20260304T160000Z")
	if dave.Entry.State != calendar.StateHeld || !strings.Contains(dave.Entry.Sentence, "Moved from Tuesday, 3 March 2026, 09:00 (UTC) to 15:00") {
		t.Fatalf("proposal: %s %s", dave.Entry.State, dave.Entry.Sentence)
	}
	e, err := o.svc.Reject(t.Context(), o.actor("alice"), alice, erin.Entry.ID)
	if err != nil || e.State != calendar.StateRejected {
		t.Fatalf("decline: %s, %v", e.State, err)
	}
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"DECLINECOUNTER erin@elsewhere.test"}) {
		t.Errorf("after a declined proposal: %v", got)
	}
	if e, err = o.svc.Approve(t.Context(), o.actor("alice"), alice, dave.Entry.ID); err != nil || e.State != string(itip.Applied) || e.Reason != itip.ReasonAccepted {
		t.Fatalf("take up: %s %s, %v", e.State, e.Reason, err)
	}
	_, text := o.get("alice", "default/1.ics")
	o.expect("the event moved", text, "DTSTART:20260303T150000Z")
	o.expect("with a new number", text, "SEQUENCE:1")
	o.expectNot("with a remark for a title", text, "New time")
	o.courier()
	if got := o.post.letters(); !slices.Equal(got, []string{"REQUEST dave@elsewhere.test", "REQUEST erin@elsewhere.test"}) {
		t.Errorf("after a proposal was taken up: %v", got)
	}
}
