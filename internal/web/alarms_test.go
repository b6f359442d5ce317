package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
)

// Reminders are set and taken away; alarms that the form does not know stay,
// and an edit that says nothing of reminders leaves them.
func TestReminders(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	o.put("alice", "x.ics", `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
BEGIN:VEVENT
UID:x
DTSTAMP:20261116T080000Z
DTSTART:20261120T120000Z
DTEND:20261120T130000Z
RRULE:FREQ=DAILY;COUNT=3
SUMMARY:Walk
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Walk
TRIGGER:-PT15M
X-MINE:kept
END:VALARM
BEGIN:VALARM
ACTION:EMAIL
DESCRIPTION:Walk
SUMMARY:Walk
ATTENDEE:mailto:alice@example.test
TRIGGER:-P1D
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Over
TRIGGER;RELATED=END:PT0S
END:VALARM
END:VEVENT
END:VCALENDAR
`)
	at := place{"alice", "default", "x.ics"}
	get := func(query string) eventOnWire {
		t.Helper()
		return ask[eventOnWire](alice, "GET", at.path()+query, nil)
	}
	put := func(e eventOnWire, alarms []int) {
		t.Helper()
		ed := edit{Occurrence: e.Occurrence, Event: e.Event}
		ed.Calendar.Owner, ed.Calendar.Name = "alice", "default"
		ed.Event.Alarms = alarms
		ask[saved](alice, "PUT", at.path(), ed, "If-Match", e.ETag)
	}
	e := get("")
	if !slices.Equal(e.Event.Alarms, []int{15}) || !slices.Contains(e.Kept, "2 reminders") {
		t.Fatalf("alarms %v, kept %v", e.Event.Alarms, e.Kept)
	}
	put(get("?occurrence=20261121T120000Z"), []int{15, 60}) // an override of its own
	put(get(""), []int{1440, 15, -30})
	text := o.stored("alice", "x.ics")
	for part, n := range map[string]int{"TRIGGER:-PT15M": 2, "TRIGGER:-PT1H": 1, "TRIGGER:-PT24H": 2, "TRIGGER:PT30M": 2, "X-MINE:kept": 2, "ACTION:EMAIL": 2, "RELATED=END": 2} {
		if got := strings.Count(text, part); got != n {
			t.Errorf("%d times %s, want %d", got, part, n)
		}
	}
	if e = get(""); !slices.Equal(e.Event.Alarms, []int{1440, 15, -30}) {
		t.Errorf("alarms: %v", e.Event.Alarms)
	}
	put(e, nil)
	if after := o.stored("alice", "x.ics"); strings.Count(after, "BEGIN:VALARM") != strings.Count(text, "BEGIN:VALARM") {
		t.Errorf("an edit without alarms changed them:\n%s", after)
	}
	put(get(""), []int{})
	if after := o.stored("alice", "x.ics"); strings.Contains(after, "X-MINE") || strings.Count(after, "ACTION:EMAIL") != 2 || strings.Count(after, "TRIGGER:-PT1H") != 1 {
		t.Errorf("after taking them away:\n%s", after)
	}
	e = get("")
	for _, bad := range [][]int{make([]int, maxAlarms+1), {maxAlarmMinutes + 1}} {
		ed := edit{Event: e.Event}
		ed.Calendar.Owner, ed.Calendar.Name, ed.Event.Alarms = "alice", "default", bad
		if status, answer := alice.try("PUT", at.path(), ed, "If-Match", e.ETag); status != http.StatusBadRequest {
			t.Errorf("%v: %d %s", bad, status, answer)
		}
	}
}

// A file goes with an event, is told of and is taken off again.
func TestAttachments(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	made := ask[saved](alice, "POST", "events", meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", "bob@example.test"))
	e := ask[eventOnWire](alice, "GET", made.path(), nil)
	req := func(method, query, body, tag string) (int, string) {
		t.Helper()
		return alice.try(method, made.path()+"/attachments?"+query, body, "If-Match", tag, "Content-Type", "text/plain")
	}
	if status, answer := req("POST", "filename=plan.txt", "the plan", `"old"`); status != http.StatusPreconditionFailed {
		t.Errorf("with an old etag: %d %s", status, answer)
	}
	if status, answer := req("POST", "filename=large", strings.Repeat("x", calendar.DefaultLimits.ResourceSize+1), e.ETag); status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "did not come whole") {
		t.Errorf("more is read than can be kept: %d %s", status, answer)
	}
	if status, answer := req("POST", "filename=plan.txt", "the plan", e.ETag); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	e = ask[eventOnWire](alice, "GET", made.path(), nil)
	if len(e.Attachments) != 1 || e.Attachments[0].Name != "plan.txt" || e.Attachments[0].Size != len("the plan") || !strings.HasPrefix(e.Attachments[0].URL, o.url+"/attachments/") {
		t.Fatalf("attachments: %+v", e.Attachments)
	}
	theirs := ask[[]invitationOnWire](bob, "GET", "invitations", nil)
	if list := ask[eventOnWire](bob, "GET", theirs[0].path(), nil).Attachments; len(list) != 1 {
		t.Errorf("bob sees %+v", list)
	}
	if status, answer := req("DELETE", "managed=nonsense", "", e.ETag); status < 400 {
		t.Errorf("removing nonsense: %d %s", status, answer)
	}
	if status, answer := req("DELETE", "managed="+e.Attachments[0].Managed, "", e.ETag); status != http.StatusOK {
		t.Error(status, answer)
	}
	if list := ask[eventOnWire](alice, "GET", made.path(), nil).Attachments; len(list) != 0 {
		t.Errorf("after the removal: %+v", list)
	}
	o.put("alice", "evil.ics", strings.ReplaceAll(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Test//EN
BEGIN:VEVENT
UID:evil
DTSTAMP:20261116T080000Z
DTSTART:20261120T120000Z
SUMMARY:Evil
ATTACH:javascript:alert(1)
END:VEVENT
END:VCALENDAR
`, "\r", ""), "\t", ""))
	if list := ask[eventOnWire](alice, "GET", place{"alice", "default", "evil.ics"}.path(), nil).Attachments; len(list) != 1 || list[0].URL != "" {
		t.Errorf("a script as attachment: %+v", list)
	}
}
