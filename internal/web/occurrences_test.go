package web

import (
	"fmt"
	"strings"
	"testing"
)

func occurrences(b *browser, from, to string) []occurrenceOnWire {
	b.o.t.Helper()
	return ask[struct{ Occurrences []occurrenceOnWire }](b, "GET", "occurrences?zone=Europe/Stockholm&from="+from+"&to="+to, nil).Occurrences
}

// One occurrence can be answered, changed and left out by itself.
func TestSingleOccurrences(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	ed := meeting("alice", "Weekly", "2026-11-18T10:00", "2026-11-18T11:00", "bob@example.test")
	ed.Event.RRule = "FREQ=WEEKLY;COUNT=4"
	made := ask[saved](alice, "POST", "events", ed)
	uid := occurrences(bob, "2026-11-16", "2026-12-31")[0].UID
	ask[any](bob, "POST", "respond", map[string]any{"owner": "bob", "uid": uid, "occurrence": "", "partstat": "ACCEPTED", "comment": ""})
	list := occurrences(bob, "2026-11-16", "2026-12-31")
	if len(list) != 4 || list[1].ID != "20261125T090000Z" {
		t.Fatalf("bob's series: %+v", list)
	}
	ask[any](bob, "POST", "respond", map[string]any{"owner": "bob", "uid": uid, "occurrence": list[1].ID, "partstat": "DECLINED", "comment": "Away"})
	one := ask[eventOnWire](alice, "GET", made.path()+"?occurrence="+list[1].ID, nil)
	if got := statOf(one, "bob@example.test"); got != "DECLINED" {
		t.Errorf("alice sees bob on the 25th as %q", got)
	}
	series := ask[eventOnWire](alice, "GET", made.path(), nil)
	if got := statOf(series, "bob@example.test"); got != "ACCEPTED" || series.RuleText == "" {
		t.Errorf("alice sees bob in the series as %q; rule %q", got, series.RuleText)
	}

	// Alice moves the third; bob is asked about that one alone.
	third := ask[eventOnWire](alice, "GET", made.path()+"?occurrence="+list[2].ID, nil)
	if third.Event.Start != "2026-12-02T10:00" || !third.Recurring {
		t.Fatalf("the third: %+v", third)
	}
	move := ed
	move.Occurrence, move.Event = list[2].ID, third.Event
	move.Event.Start, move.Event.End = "2026-12-03T10:00", "2026-12-03T11:00"
	ask[saved](alice, "PUT", made.path(), move, "If-Match", third.ETag)
	invited := ask[[]invitationOnWire](bob, "GET", "invitations", nil)
	if len(invited) != 1 || invited[0].Occurrence != list[2].ID || invited[0].Start != "2026-12-03T10:00" {
		t.Errorf("bob's invitations: %+v", invited)
	}

	// Alice leaves out the fourth.
	now := ask[eventOnWire](alice, "GET", made.path(), nil)
	ask[any](alice, "DELETE", made.path()+"?occurrence="+list[3].ID, nil, "If-Match", now.ETag)
	if left := occurrences(alice, "2026-11-16", "2026-12-31"); len(left) != 3 {
		t.Errorf("alice's series: %+v", left)
	}
	if status, _ := alice.try("DELETE", made.path()+"?occurrence="+list[3].ID, nil, "If-Match", ask[eventOnWire](alice, "GET", made.path(), nil).ETag); status != 404 {
		t.Errorf("leaving it out again: %d, want 404", status)
	}
}

// A change of one occurrence and all later ones ends the series and begins
// another; the people are asked anew for what follows.
func TestThisAndLater(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	ed := meeting("alice", "Weekly", "2026-11-18T10:00", "2026-11-18T11:00", "bob@example.test")
	ed.Event.RRule = "FREQ=WEEKLY;COUNT=6"
	made := ask[saved](alice, "POST", "events", ed)
	list := occurrences(alice, "2026-11-16", "2027-01-31")
	if len(list) != 6 {
		t.Fatalf("the series: %+v", list)
	}
	ask[any](bob, "POST", "respond", map[string]any{"owner": "bob", "uid": list[0].UID, "occurrence": "", "partstat": "ACCEPTED", "comment": ""})

	first := ask[eventOnWire](alice, "GET", made.path()+"?following=1&occurrence="+list[0].ID, nil)
	if first.Following || first.Occurrence != "" || first.Event.RRule != "FREQ=WEEKLY;COUNT=6" {
		t.Errorf("from the first on it is the whole series: %+v", first)
	}
	third := ask[eventOnWire](alice, "GET", made.path()+"?following=1&occurrence="+list[2].ID, nil)
	if !third.Following || third.Event.Start != "2026-12-02T10:00" || third.Event.RRule != "FREQ=WEEKLY;COUNT=4" {
		t.Fatalf("from the third on: %+v", third)
	}
	ed.Occurrence, ed.Following, ed.Event = list[2].ID, true, third.Event
	ed.Event.Start, ed.Event.End = "2026-12-02T15:00", "2026-12-02T16:00"
	preview := ask[[]sending](alice, "POST", "preview", map[string]any{"place": made.place, "edit": ed})
	if len(preview) != 2 || !strings.Contains(preview[0].Sentence, "update") || !strings.Contains(preview[1].Sentence, "invitation") {
		t.Errorf("preview: %+v", preview)
	}
	ask[saved](alice, "PUT", made.path(), ed, "If-Match", third.ETag)
	var got []string
	for _, w := range occurrences(bob, "2026-11-16", "2027-01-31") {
		got = append(got, w.Start+" "+w.PartStat)
	}
	want := []string{
		"2026-11-18T10:00 ACCEPTED", "2026-11-25T10:00 ACCEPTED",
		"2026-12-02T15:00 NEEDS-ACTION", "2026-12-09T15:00 NEEDS-ACTION", "2026-12-16T15:00 NEEDS-ACTION", "2026-12-23T15:00 NEEDS-ACTION",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("bob's calendar\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}

	// The same cut again is refused: the series is no longer what was seen.
	if status, _ := alice.try("PUT", made.path(), ed, "If-Match", third.ETag); status != 412 {
		t.Errorf("cutting it again: %d, want 412", status)
	}
	// Deleting this and later ends the new series.
	later := occurrences(alice, "2026-12-01", "2027-01-31")
	at := place{later[1].Owner, later[1].Calendar, later[1].Name}
	now := ask[eventOnWire](alice, "GET", at.path(), nil)
	ask[any](alice, "DELETE", at.path()+"?following=1&occurrence="+later[1].ID, nil, "If-Match", now.ETag)
	if left := occurrences(alice, "2026-12-01", "2027-01-31"); len(left) != 1 {
		t.Errorf("left: %+v", left)
	}
	last := occurrences(alice, "2026-12-01", "2027-01-31")[0]
	now = ask[eventOnWire](alice, "GET", at.path(), nil)
	ask[any](alice, "DELETE", at.path()+"?following=1&occurrence="+last.ID, nil, "If-Match", now.ETag)
	if left := occurrences(alice, "2026-12-01", "2027-01-31"); len(left) != 0 {
		t.Errorf("deleting from the first on leaves %+v", left)
	}
}

// The view shows what takes place on its days, on the reader's clock.
func TestOccurrencesOnTheReadersClock(t *testing.T) {
	o := newOffice(t, fixed)
	event := func(uid, lines string) {
		o.put("alice", uid+".ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//EN\nBEGIN:VEVENT\nUID:"+uid+"\nDTSTAMP:20260101T000000Z\nSUMMARY:"+uid+"\n"+lines+"\nEND:VEVENT\nEND:VCALENDAR\n")
	}
	event("allday", "DTSTART;VALUE=DATE:20261117\nDTEND;VALUE=DATE:20261119")
	event("before", "DTSTART;VALUE=DATE:20261115")
	event("utc", "DTSTART:20261116T230000Z\nDTEND:20261117T003000Z")
	event("floating", "DTSTART:20261118T080000\nDURATION:PT30M")
	event("moment", "DTSTART:20261119T120000Z")
	event("daily", "DTSTART;TZID=America/New_York:20261115T200000\nDTEND;TZID=America/New_York:20261115T210000\nRRULE:FREQ=DAILY;COUNT=2")
	got := []string{}
	for _, w := range occurrences(o.signIn("alice"), "2026-11-16", "2026-11-20") {
		got = append(got, fmt.Sprintf("%s %s %s %v", w.Summary, w.Start, w.End, w.AllDay))
	}
	want := []string{
		"daily 2026-11-16T02:00 2026-11-16T03:00 false",
		"allday 2026-11-17 2026-11-19 true",
		"utc 2026-11-17T00:00 2026-11-17T01:30 false",
		"daily 2026-11-17T02:00 2026-11-17T03:00 false",
		"floating 2026-11-18T08:00 2026-11-18T08:30 false",
		"moment 2026-11-19T13:00 2026-11-19T13:00 false",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
