package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

func TestACancellationThatOvertookItsInvitation(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	const uid = "x@elsewhere.test"
	org := []string{"ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE:mailto:alice@example.test", "DTSTART:20260303T090000Z", "SUMMARY:Call"}
	cancel := strings.Replace(vevent(uid, append(slices.Clone(org), "SEQUENCE:1", "STATUS:CANCELLED")...), "VERSION", "METHOD:CANCEL\r\nVERSION", 1)
	request := strings.Replace(vevent(uid, append(slices.Clone(org), "SEQUENCE:0")...), "VERSION", "METHOD:REQUEST\r\nVERSION", 1)
	got := o.mail("alice", "dave@elsewhere.test", cancel)
	if got.Entry.State != calendar.StateHeld {
		t.Fatalf("the cancellation is %s (%s)", got.Entry.State, got.Entry.Reason)
	}
	o.mail("alice", "dave@elsewhere.test", request)
	_, text := o.event("alice", uid)
	o.expect("alice's event", text, "STATUS:CANCELLED")
	rows, err := o.journal.List(t.Context(), store.EntryFilter{Account: o.people["alice"].ID, States: []string{calendar.StateHeld}})
	if err != nil || len(rows) != 0 {
		t.Errorf("still held: %v, %v", rows, err)
	}
}

func TestHeldInvitationIsApprovedOrRejected(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	receive := func(uid string) calendar.Received {
		request := strings.Replace(vevent(uid, "ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE:mailto:alice@example.test", "DTSTART:20260303T090000Z", "SUMMARY:Call"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1)
		r, err := o.svc.Receive(t.Context(), calendar.Arrival{To: o.people["alice"].ID, Recipient: "mailto:alice@example.test", From: "mailto:dave@elsewhere.test", Message: parse(t, request), Transport: "mail", AskFirst: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, second := receive("1@elsewhere.test"), receive("2@elsewhere.test")
	if first.Entry.State != calendar.StateHeld || first.Entry.Sentence == "" {
		t.Fatalf("an invitation of a stranger is %s: %s", first.Entry.State, first.Entry.Sentence)
	}
	if _, text := o.event("alice", "1@elsewhere.test"); text != "" {
		t.Error("a held invitation is in the calendar")
	}
	if _, err := o.svc.Approve(t.Context(), o.actor("bob"), o.people["alice"].ID, first.Entry.ID); !problem.Has(err, problem.NotFound) {
		t.Errorf("bob approves alice's message: %v", err)
	}
	e, err := o.svc.Approve(t.Context(), o.actor("alice"), o.people["alice"].ID, first.Entry.ID)
	if err != nil || e.State != string(itip.Applied) {
		t.Errorf("approve: %s %s, %v", e.State, e.Sentence, err)
	}
	if _, text := o.event("alice", "1@elsewhere.test"); text == "" {
		t.Error("an approved invitation is not in the calendar")
	}
	if e, err = o.svc.Reject(t.Context(), o.actor("alice"), o.people["alice"].ID, second.Entry.ID); err != nil || e.State != calendar.StateRejected {
		t.Errorf("reject: %s, %v", e.State, err)
	}
	if _, err := o.svc.Reject(t.Context(), o.actor("alice"), o.people["alice"].ID, first.Entry.ID); !problem.Has(err, problem.BadInput) {
		t.Errorf("reject what is applied: %v", err)
	}
}

func TestOurOwnMailThatCameBackIsIgnored(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	const uid = "m@example.test"
	o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test", "all@lists.test"))
	o.courier()
	o.post.mu.Lock()
	letter := string(o.post.sent[0].Calendar)
	o.post.mu.Unlock()
	before, _ := o.event("bob", uid)
	got := o.mail("bob", "alice@example.test", letter)
	if after, _ := o.event("bob", uid); got.Result.Decision == itip.Applied || after.ETag != before.ETag {
		t.Errorf("a list sent our invitation back: %s %s", got.Result.Decision, got.Result.Reason)
	}
	// What colleagues organize does not change by mail, whoever it is from.
	got = o.mail("bob", "alice@example.test", strings.NewReplacer("SUMMARY:Planning", "SUMMARY:Pay here", "SEQUENCE:0", "SEQUENCE:7").Replace(letter))
	if after, _ := o.event("bob", uid); got.Result.Decision != itip.Ignored || after.ETag != before.ETag {
		t.Errorf("an altered one: %s %s", got.Result.Decision, got.Result.Reason)
	}
}

func TestMailInTheNameOfAColleagueIsHeld(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob")
	forged := strings.Replace(strings.ReplaceAll(meeting("forged@x", 3, 9, "bob@example.test"), "VERSION", "METHOD:REQUEST\r\nVERSION"), "Planning", "Pay here", 1)
	got := o.mail("bob", "alice@example.test", forged)
	if _, text := o.event("bob", "forged@x"); got.Entry.State != calendar.StateHeld || text != "" {
		t.Errorf("alice has no such event, and the mail is %s (%s): %s", got.Entry.State, got.Entry.Reason, text)
	}
	if n := o.inbox("bob"); n != 0 {
		t.Errorf("bob's inbox has %d", n)
	}
	if e, err := o.svc.Approve(t.Context(), o.actor("bob"), o.people["bob"].ID, got.Entry.ID); err != nil || e.State != string(itip.Applied) {
		t.Errorf("bob wants it all the same: %s %v", e.State, err)
	}
}

func TestInvitationsBeyondMeasureDoNotGoIntoTheCalendar(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	request := func(uid string, lines ...string) calendar.Received {
		all := append([]string{"ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE:mailto:alice@example.test", "DTSTART:20260303T090000Z", "SUMMARY:Call"}, lines...)
		return o.mail("alice", "dave@elsewhere.test", strings.Replace(vevent(uid, all...), "VERSION", "METHOD:REQUEST\r\nVERSION", 1))
	}
	crowd := make([]string, calendar.DefaultLimits.Attendees+1)
	for i := range crowd {
		crowd[i] = fmt.Sprintf("ATTENDEE:mailto:a%d@elsewhere.test", i)
	}
	for _, c := range []struct {
		name, rule string
		lines      []string
		state      string
	}{
		{"every second", "RRULE:FREQ=SECONDLY", nil, calendar.StateHeld},
		{"every hour", "RRULE:FREQ=HOURLY", nil, calendar.StateHeld},
		{"never, laboriously", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", nil, string(itip.Applied)},
		{"every day", "RRULE:FREQ=DAILY", nil, string(itip.Applied)},
		{"every minute of an hour", "RRULE:FREQ=MINUTELY;COUNT=60", nil, string(itip.Applied)},
		{"a crowd", "CLASS:PUBLIC", crowd, calendar.StateRejected},
	} {
		if got := request(c.name, append(c.lines, c.rule)...); got.Entry.State != c.state || got.Entry.Sentence == "" {
			t.Errorf("%s: %s (%s) %s", c.name, got.Entry.State, got.Entry.Reason, got.Entry.Sentence)
		}
	}
}

func TestAHeldMessageThatCameTwiceCanStillBeApproved(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice")
	request := strings.Replace(vevent("1@elsewhere.test", "ORGANIZER:mailto:dave@elsewhere.test", "ATTENDEE:mailto:alice@example.test", "DTSTART:20260303T090000Z"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1)
	var first int64
	for range 2 {
		r, err := o.svc.Receive(t.Context(), calendar.Arrival{Recipient: "mailto:alice@example.test", From: "mailto:dave@elsewhere.test", Message: parse(t, request), Transport: "mail", AskFirst: true})
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = r.Entry.ID
		}
	}
	if e, err := o.svc.Approve(t.Context(), o.actor("alice"), o.people["alice"].ID, first); err != nil || e.State != string(itip.Applied) {
		t.Errorf("approve: %s %s, %v", e.State, e.Sentence, err)
	}
}

func TestHostileMessagesAreRejectedWithASentence(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := open(t, s).hire("alice", "bob")
		const uid = "m@example.test"
		o.put("alice", "default/m.ics", meeting(uid, 3, 9, "bob@example.test"))
		before, _ := o.get("alice", "default/m.ics")
		bobs, _ := o.event("bob", uid)
		message := func(method string, lines ...string) string {
			return strings.Replace(vevent(uid, append([]string{"DTSTART:20260303T090000Z", "SEQUENCE:9"}, lines...)...), "VERSION", "METHOD:"+method+"\r\nVERSION", 1)
		}
		for _, c := range []struct{ name, to, from, data string }{
			{"a stranger cancels", "bob", "mallory@evil.test", message("CANCEL", "ORGANIZER:mailto:alice@example.test", "ATTENDEE:mailto:bob@example.test", "STATUS:CANCELLED")},
			{"a stranger moves it", "bob", "mallory@evil.test", message("REQUEST", "ORGANIZER:mailto:mallory@evil.test", "ATTENDEE:mailto:bob@example.test")},
			{"a stranger answers for bob", "alice", "mallory@evil.test", message("REPLY", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.test")},
			{"a stranger answers for himself", "alice", "mallory@evil.test", message("REPLY", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:mallory@evil.test")},
			{"a UID without end", "bob", "mallory@evil.test", strings.ReplaceAll(message("REQUEST", "ORGANIZER:mailto:mallory@evil.test"), uid, strings.Repeat("x", 5000))},
		} {
			r := o.mail(c.to, c.from, c.data)
			if r.Err != nil || r.Result.Decision == itip.Applied || r.Entry.Sentence == "" {
				t.Errorf("%s: %+v, sentence %q, %v", c.name, r.Result.Decision, r.Entry.Sentence, r.Err)
			}
		}
		after, _ := o.get("alice", "default/m.ics")
		if bobsAfter, _ := o.event("bob", uid); after.ETag != before.ETag || bobsAfter.ETag != bobs.ETag {
			t.Error("a stranger changed the meeting")
		}
	})
}
