package calendar_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// What an attendee tells the organizer in private, of the series and of one
// occurrence, is in the organizer's event and nowhere else: not in what others
// get, nor in what is shared or published (caldav-privatecomments 3).
func TestPrivateComments(t *testing.T) {
	o := open(t, storetest.SQLite(t)).hire("alice", "bob", "carol")
	const uid, private = "m@example.test", "X-CALENDARSERVER-PRIVATE-COMMENT:"
	weekly := strings.Replace(meeting(uid, 3, 9, "bob@example.test", "carol@example.test", "dave@elsewhere.test"), "SUMMARY:Planning", "RRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY:Planning", 1)
	o.put("alice", "default/m.ics", weekly)
	o.courier()
	o.post.letters()

	ob, text := o.event("bob", uid)
	edit := func(old, new string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("no %q in\n%s", old, text)
		}
		o.put("bob", "default/"+ob.Name, strings.Replace(text, old, new, 1))
		ob, text = o.event("bob", uid)
	}
	edit("SUMMARY:Planning\r\n", "SUMMARY:Planning\r\n"+private+"Not with Carol\r\n")
	_, alices := o.get("alice", "default/m.ics")
	o.expect("alice's event", alices, "X-CALENDARSERVER-ATTENDEE-COMMENT", `X-CALENDARSERVER-DTSTAMP=20260302T080000Z`, `X-CALENDARSERVER-ATTENDEE-REF="mailto:bob@example.test"`, ":Not with Carol")
	o.expect("alice's event", alices, "ATTENDEE;", "mailto:bob@example.test")
	o.expectNot("alice's event", alices, "PARTSTAT=ACCEPTED", "bob@example.test") // a word is no answer

	occurrence := "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260301T120000Z\r\nRECURRENCE-ID:20260310T090000Z\r\nDTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z\r\n" + private + "Nor on that day\r\n" +
		text[strings.Index(text, "SUMMARY:Planning"):strings.Index(text, "END:VEVENT")]
	edit("END:VCALENDAR", strings.Replace(occurrence, private+"Not with Carol\r\n", "", 1)+"END:VEVENT\r\nEND:VCALENDAR")
	_, alices = o.get("alice", "default/m.ics")
	at := strings.Index(alices, "RECURRENCE-ID")
	if at < 0 {
		t.Fatalf("no occurrence in\n%s", alices)
	}
	o.expect("alice's occurrence", alices, "X-CALENDARSERVER-ATTENDEE-COMMENT", ":Nor on that day")
	o.expect("alice's series", alices, "X-CALENDARSERVER-ATTENDEE-COMMENT", ":Not with Carol")

	// A change of alice's tells everybody, and nothing of it.
	o.put("alice", "default/m.ics", strings.Replace(alices, "SUMMARY:Planning", "LOCATION:Attic\r\nSUMMARY:Planning", 1))
	o.courier()
	for _, name := range []string{"bob", "carol"} {
		_, text := o.event(name, uid)
		o.expect(name+"'s copy", text, "LOCATION:Attic")
		o.expectNot(name+"'s copy", text, "ATTENDEE-COMMENT")
	}
	o.post.mu.Lock()
	for _, e := range o.post.sent {
		if bytes.Contains(e.Calendar, []byte("CALENDARSERVER")) {
			t.Errorf("mailed to %s:\n%s", e.To, e.Calendar)
		}
	}
	o.post.mu.Unlock()
	_, text = o.event("bob", uid)
	o.expect("bob's copy", text, private+"Not with Carol")

	// Who reads alice's calendar, who subscribes to it, and who acts for her.
	alice := o.people["alice"].ID
	if err := o.svc.SetShares(t.Context(), o.actor("alice"), alice, "default", map[store.AccountID]acl.Access{o.people["carol"].ID: acl.Read}); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		_, body, err := o.svc.Get(t.Context(), o.actor("carol"), o.ref("alice", "default/m.ics"))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if text := read(); !strings.Contains(text, "LOCATION:Attic") || strings.Contains(text, "Carol") || strings.Contains(text, "Nor on that day") {
		t.Errorf("carol reads:\n%s", text)
	}
	feed, err := o.svc.PublishFeed(t.Context(), o.actor("alice"), alice, "default", calendar.FeedFull, "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	view, _, err := o.svc.Feed(t.Context(), feed.Token)
	if err == nil {
		err = o.svc.WriteFeed(t.Context(), view, &out)
	}
	if err != nil || !strings.Contains(out.String(), "LOCATION:Attic") || strings.Contains(out.String(), "CALENDARSERVER-ATTENDEE") {
		t.Errorf("published: %v\n%s", err, out.String())
	}
	if err := o.svc.SetShares(t.Context(), o.actor("alice"), alice, "default", map[store.AccountID]acl.Access{o.people["carol"].ID: acl.Act}); err != nil {
		t.Fatal(err)
	}
	if text := read(); !strings.Contains(text, "Nor on that day") {
		t.Errorf("who acts for alice reads:\n%s", text)
	}

	// Nobody puts words into a guest's mouth; a program that may be behind is put right.
	ob, alices = o.get("alice", "default/m.ics")
	forged := strings.Replace(alices, ":Not with Carol", ":Gladly", 1)
	if _, err := o.tryPut("alice", "default/m.ics", forged, calendar.Precondition{}); !problem.Has(err, "valid-attendee-comment-change") {
		t.Errorf("forged: %v", err)
	}
	if _, err := o.tryPut("alice", "default/m.ics", strings.Replace(forged, "LOCATION:Attic", "LOCATION:Cellar", 1), calendar.Precondition{IfScheduleTagMatch: ob.ScheduleTag}); err != nil {
		t.Errorf("behind: %v", err)
	}
	_, alices = o.get("alice", "default/m.ics")
	o.expect("alice's event", alices, ":Not with Carol")
	o.expect("alice's event", alices, "LOCATION:Cellar")
}
