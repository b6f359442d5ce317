package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

func jsonNumber(n int64) string { return fmt.Sprint(n) }

// A meeting from the first thought to the cancellation, by two people.
func TestMeetingOfTwo(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")

	ed := meeting("alice", "Planning", "2026-11-20T13:00", "2026-11-20T14:00", "bob@example.test", "dave@elsewhere.test")
	preview := ask[[]sending](alice, "POST", "preview", map[string]any{"edit": ed})
	if len(preview) != 2 || preview[0].Sentence != "gets an invitation, at once" || preview[1].Sentence != "gets an invitation, by mail" {
		t.Errorf("preview: %+v", preview)
	}
	if occ := occurrences(alice, "2026-11-16", "2026-11-23"); len(occ) != 0 {
		t.Fatalf("the preview stored something: %+v", occ)
	}
	made := ask[saved](alice, "POST", "events", ed)
	if made.Sent != 2 {
		t.Errorf("sent %d messages, want 2", made.Sent)
	}

	if c := ask[map[string]int](bob, "GET", "counts", nil); c["invitations"] != 1 {
		t.Errorf("bob's counts: %v", c)
	}
	invited := ask[[]invitationOnWire](bob, "GET", "invitations?zone=America/New_York", nil)
	if len(invited) != 1 || invited[0].Summary != "Planning" || invited[0].Start != "2026-11-20T07:00" || invited[0].Organizer.Name != "Alice" {
		t.Fatalf("bob's invitations: %+v", invited)
	}
	ask[any](bob, "POST", "respond", map[string]any{"owner": "bob", "uid": invited[0].UID, "occurrence": "", "partstat": "TENTATIVE", "comment": "If the train is on time"})
	if c := ask[map[string]int](bob, "GET", "counts", nil); c["invitations"] != 0 {
		t.Errorf("bob's counts after the answer: %v", c)
	}

	seen := ask[eventOnWire](alice, "GET", made.path()+"?zone=Europe/Stockholm", nil)
	if got := statOf(seen, "bob@example.test"); got != "TENTATIVE" {
		t.Errorf("alice sees bob as %q", got)
	}
	if bob := seen.Event.Attendees[0]; bob.Name != "Bob" || bob.Comment != "If the train is on time" {
		t.Errorf("alice sees %+v", bob)
	}
	if !seen.Organizing || !seen.Writable || seen.Recurring || seen.Start != "2026-11-20T13:00" {
		t.Errorf("alice's event: %+v", seen)
	}

	// The journal of both tells it.
	messages := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages", nil).Messages
	if len(messages) != 3 || messages[0].Direction != "in" || messages[0].Method != "REPLY" || messages[0].Summary != "Planning" {
		t.Errorf("alice's journal: %+v", messages)
	}
	if out := ask[struct{ Messages []messageOnWire }](bob, "GET", "messages?show=out", nil).Messages; len(out) != 1 || out[0].State != "delivered" {
		t.Errorf("bob's outgoing: %+v", out)
	}

	// Moving it asks again; the old etag no longer opens the door.
	moved := ed
	moved.Event = seen.Event
	moved.Event.Start, moved.Event.End = "2026-11-20T15:00", "2026-11-20T16:00"
	preview = ask[[]sending](alice, "POST", "preview", map[string]any{"place": seen.place, "edit": moved})
	if len(preview) != 2 || !strings.Contains(preview[0].Sentence, "update") {
		t.Errorf("preview of the change: %+v", preview)
	}
	ask[saved](alice, "PUT", made.path(), moved, "If-Match", seen.ETag)
	status, answer := alice.try("PUT", made.path(), moved, "If-Match", seen.ETag)
	if status != 412 || !strings.Contains(answer, "has changed since you opened it") {
		t.Errorf("a change of what one has not seen: %d %s", status, answer)
	}
	if occ := occurrences(bob, "2026-11-16", "2026-11-23"); len(occ) != 1 || occ[0].Start != "2026-11-20T15:00" || occ[0].PartStat != "NEEDS-ACTION" {
		t.Errorf("bob's week: %+v", occ)
	}

	// Bob may not change what Alice organizes.
	his := occurrences(bob, "2026-11-16", "2026-11-23")[0]
	at := place{his.Owner, his.Calendar, his.Name}
	view := ask[eventOnWire](bob, "GET", at.path(), nil)
	if view.Organizing || view.PartStat != "NEEDS-ACTION" {
		t.Errorf("bob's view: %+v", view)
	}
	forged := moved
	forged.Calendar.Owner = "bob"
	forged.Event = view.Event
	forged.Event.Start, forged.Event.End = "2026-11-21T15:00", "2026-11-21T16:00"
	if status, answer := bob.try("PUT", at.path(), forged, "If-Match", view.ETag); status != 403 || !strings.Contains(answer, "allowed-attendee-scheduling-object-change") {
		t.Errorf("bob moves alice's meeting: %d %s", status, answer)
	}

	now := ask[eventOnWire](alice, "GET", made.path(), nil)
	preview = ask[[]sending](alice, "POST", "preview", map[string]any{"place": made.place})
	if len(preview) != 2 || !strings.Contains(preview[0].Sentence, "cancellation") {
		t.Errorf("preview of the deletion: %+v", preview)
	}
	ask[any](alice, "DELETE", made.path(), nil, "If-Match", now.ETag)
	if occ := occurrences(alice, "2026-11-16", "2026-11-23"); len(occ) != 0 {
		t.Errorf("alice's week after deleting: %+v", occ)
	}
	if occ := occurrences(bob, "2026-11-16", "2026-11-23"); len(occ) != 1 || occ[0].Status != "CANCELLED" {
		t.Errorf("bob's week after the cancellation: %+v", occ)
	}
}

func occurrences(b *browser, from, to string) []occurrenceOnWire {
	b.o.t.Helper()
	return ask[struct{ Occurrences []occurrenceOnWire }](b, "GET", "occurrences?zone=Europe/Stockholm&from="+from+"&to="+to, nil).Occurrences
}

func statOf(e eventOnWire, email string) string {
	for _, a := range e.Event.Attendees {
		if a.Address == "mailto:"+email {
			return a.PartStat
		}
	}
	return ""
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

// What the form does not know survives an edit by the form.
func TestWebEditKeepsTheRest(t *testing.T) {
	o := newOffice(t, fixed)
	o.put("alice", "kept.ics", strings.ReplaceAll(seriesText, "ann@", "alice@"))
	b := o.signIn("alice")
	at := place{"alice", "default", "kept.ics"}
	e := ask[eventOnWire](b, "GET", at.path(), nil)
	if len(e.Kept) == 0 || fmt.Sprint(e.Event.Alarms) != "[10]" {
		t.Errorf("kept: %q, alarms %v", e.Kept, e.Event.Alarms)
	}
	ed := meeting("alice", "", "", "")
	ed.Event = e.Event
	ed.Event.Summary = "New title"
	ask[saved](b, "PUT", at.path(), ed, "If-Match", e.ETag)
	after := o.stored("alice", "kept.ics")
	for _, want := range []string{"X-CUSTOM;X-P=1:as it was", "TRIGGER:-PT10M", "X-NUM-GUESTS=2", "X-WR-CALNAME:Kept", `SUMMARY:Stand-up\, later`, "SUMMARY:New title", "EXDATE:20260119T080000Z"} {
		if !strings.Contains(after, want) {
			t.Errorf("%s is gone:\n%s", want, after)
		}
	}
}

func TestMoveToAnotherCalendar(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	other := ask[calendarOnWire](b, "POST", "calendars", `{"displayName":"Private","color":"#0F766E"}`)
	if other.Color != "#0f766e" || other.Access != "own" {
		t.Errorf("made %+v", other)
	}
	made := ask[saved](b, "POST", "events", meeting("alice", "Dentist", "2026-11-20T13:00", "2026-11-20T14:00"))
	e := ask[eventOnWire](b, "GET", made.path(), nil)
	ed := meeting("alice", "", "", "")
	ed.Calendar.Name, ed.Event = other.Name, e.Event
	moved := ask[saved](b, "PUT", made.path(), ed, "If-Match", e.ETag)
	if moved.Calendar != other.Name {
		t.Errorf("moved to %+v", moved)
	}
	if occ := occurrences(b, "2026-11-16", "2026-11-23"); len(occ) != 1 || occ[0].Calendar != other.Name {
		t.Errorf("the week: %+v", occ)
	}
	ask[calendarOnWire](b, "PATCH", "calendars/alice/"+other.Name, `{"displayName":"Home"}`)
	ask[any](b, "DELETE", "calendars/alice/"+other.Name, nil)
	if occ := occurrences(b, "2026-11-16", "2026-11-23"); len(occ) != 0 {
		t.Errorf("the calendar is gone and its events are not: %+v", occ)
	}
}

func TestDirectoryAndFreeBusy(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	if people := ask[[]found](alice, "GET", "directory?q=bo", nil); len(people) != 1 || people[0].Address != "mailto:bob@example.test" || people[0].Name != "Bob" {
		t.Errorf("directory: %+v", people)
	}
	ask[saved](bob, "POST", "events", meeting("bob", "Secret", "2026-11-20T13:00", "2026-11-20T14:00"))
	status, answer := alice.try("POST", "freebusy", map[string]any{"addresses": []string{"bob@example.test", "dave@elsewhere.test"}, "from": "2026-11-20", "to": "2026-11-21", "zone": "Europe/Stockholm", "uid": ""})
	var busy []busyOnWire
	if err := json.Unmarshal([]byte(answer), &busy); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if len(busy) != 2 || !busy[0].Known || len(busy[0].Periods) != 1 || busy[0].Periods[0].Start != "2026-11-20T13:00" || busy[1].Known {
		t.Errorf("busy: %+v", busy)
	}
	if strings.Contains(answer, "Secret") {
		t.Error("free/busy time tells what it is")
	}
	if status, _ := alice.try("GET", "occurrences?from=2026-11-16&to=2026-11-23", nil); status != 200 {
		t.Error(status)
	}
	if occ := occurrences(alice, "2026-11-16", "2026-11-23"); len(occ) != 0 {
		t.Errorf("alice sees bob's events: %+v", occ)
	}
}

// Each wrong request gets a sentence, and nothing is written.
func TestWrongRequests(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	long := strings.Repeat("x", maxBody+1)
	for _, tt := range []struct {
		method, path string
		body         any
		header       []string
		status       int
	}{
		{"GET", "nothing", nil, nil, 404},
		{"GET", "events/alice/default/none.ics", nil, nil, 404},
		{"GET", "events/nobody/default/none.ics", nil, nil, 404},
		{"GET", "events/bob/default/none.ics", nil, nil, 404},
		{"GET", "occurrences?from=2026-11-20&to=2026-11-20", nil, nil, 400},
		{"GET", "occurrences?from=2026-11-20&to=2036-11-20", nil, nil, 400},
		{"GET", "occurrences?from=x&to=y", nil, nil, 400},
		{"GET", "occurrences?from=2026-11-20&to=2026-11-21&zone=Mars/Olympus", nil, nil, 400},
		{"POST", "events", `{`, nil, 400},
		{"POST", "events", `{"calendar":{"owner":"alice","name":"default"},"evnt":{}}`, nil, 400},
		{"POST", "events", `{} {}`, nil, 400},
		{"POST", "events", `{"event":{"summary":"` + long + `"}}`, nil, 413},
		{"POST", "events", meeting("alice", "Backwards", "2026-11-20T14:00", "2026-11-20T13:00"), nil, 400},
		{"POST", "events", meeting("bob", "Not mine", "2026-11-20T13:00", "2026-11-20T14:00"), nil, 404},
		{"PUT", "events/alice/default/none.ics", meeting("alice", "x", "2026-11-20T13:00", "2026-11-20T14:00"), nil, 400},
		{"PUT", "events/alice/default/none.ics", meeting("alice", "x", "2026-11-20T13:00", "2026-11-20T14:00"), []string{"If-Match", `"1"`}, 404},
		{"POST", "calendars", `{"displayName":"  ","color":"#000000"}`, nil, 400},
		{"POST", "calendars", `{"displayName":"x","color":"red"}`, nil, 400},
		{"PATCH", "me", `{"timeZone":"Mars/Olympus"}`, nil, 400},
		{"POST", "respond", `{"owner":"alice","uid":"none","occurrence":"","partstat":"ACCEPTED","comment":""}`, nil, 404},
		{"POST", "messages/17/approve", `{}`, nil, 404},
		{"POST", "messages/x/approve", `{}`, nil, 404},
		{"GET", "messages?show=everything", nil, nil, 400},
		{"POST", "freebusy", `{"addresses":[],"from":"2026-11-20","to":"2026-11-21","zone":"","uid":""}`, nil, 400},
	} {
		status, answer := b.try(tt.method, tt.path, tt.body, tt.header...)
		var p refusal
		if status != tt.status || json.Unmarshal([]byte(answer), &p) != nil || p.Condition == "" || len(p.Sentence) < 10 {
			t.Errorf("%s %s: %d %.200s, want %d with condition and sentence", tt.method, tt.path, status, answer, tt.status)
		}
	}
	if occ := occurrences(b, "2026-11-16", "2026-11-23"); len(occ) != 0 {
		t.Errorf("something was written: %+v", occ)
	}
}

// A browser hears of a change that another program made.
func TestChangesAreTold(t *testing.T) {
	o := newOffice(t, fixed)
	b := o.signIn("alice")
	req, err := http.NewRequestWithContext(t.Context(), "GET", o.url+"/api/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", r.Status, r.Header)
	}
	in := bufio.NewScanner(r.Body)
	if !in.Scan() { // the stream is open: from here on nothing is missed
		t.Fatal(in.Err())
	}
	ask[saved](o.signIn("alice"), "POST", "events", meeting("alice", "Dentist", "2026-11-20T13:00", "2026-11-20T14:00"))
	heard := make(chan bool)
	go func() {
		for in.Scan() {
			if in.Text() == "event: change" {
				heard <- true
				return
			}
		}
		heard <- false
	}()
	select {
	case ok := <-heard:
		if !ok {
			t.Error("the stream ended without a word")
		}
	case <-time.After(time.Minute):
		t.Error("no word of the change")
	}
}

// An invitation that nobody vouches for waits for its owner's word.
func TestHeldMessages(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.signIn("alice")
	arrive := func(uid string) {
		t.Helper()
		cal, err := ical.Parse([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:"+uid+"\nDTSTAMP:20261115T000000Z\nDTSTART:20261120T100000Z\nDTEND:20261120T110000Z\nSUMMARY:Offer "+uid+"\nORGANIZER:mailto:stranger@far.test\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice@example.test\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.calendar.Receive(t.Context(), calendar.Arrival{
			To: o.people["alice"].Account, Recipient: "mailto:alice@example.test", From: "mailto:stranger@far.test", Message: cal, Transport: "mail", AskFirst: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	arrive("one")
	arrive("two")
	if c := ask[map[string]int](alice, "GET", "counts", nil); c["held"] != 2 || c["invitations"] != 0 {
		t.Errorf("counts: %v", c)
	}
	held := ask[struct{ Messages []messageOnWire }](alice, "GET", "messages?show=held", nil).Messages
	if len(held) != 2 || !held[0].CanApprove || !held[0].CanReject || held[0].Sentence == "" || held[0].Summary != "Offer two" {
		t.Fatalf("held: %+v", held)
	}
	if status, _ := o.signIn("bob").try("POST", "messages/"+jsonNumber(held[0].ID)+"/approve", "{}"); status != 404 {
		t.Errorf("bob decides for alice: %d, want 404", status)
	}
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[0].ID)+"/approve", "{}"); m.State != "applied" || m.CanApprove {
		t.Errorf("approved: %+v", m)
	}
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[1].ID)+"/reject", "{}"); m.State != "rejected" || !m.CanApprove || m.CanReject {
		t.Errorf("rejected: %+v", m)
	}
	if c := ask[map[string]int](alice, "GET", "counts", nil); c["held"] != 0 || c["invitations"] != 1 {
		t.Errorf("counts afterwards: %v", c)
	}
	// A second thought: what was rejected is still there.
	if m := ask[messageOnWire](alice, "POST", "messages/"+jsonNumber(held[1].ID)+"/approve", "{}"); m.State != "applied" {
		t.Errorf("applied after all: %+v", m)
	}
}

// A shared calendar is seen, and changed only as far as the share goes.
func TestSharedCalendars(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	made := ask[saved](alice, "POST", "events", meeting("alice", "Rehearsal", "2026-11-20T13:00", "2026-11-20T14:00"))
	share := func(access acl.Access) {
		t.Helper()
		home, err := o.calendar.Collection(t.Context(), o.people["alice"], o.people["alice"].Account, "default")
		if err != nil {
			t.Fatal(err)
		}
		if err := o.store.Update(t.Context(), func(tx *store.Tx) error {
			return acl.New().Grant(tx, home.Account, home.ID, o.people["bob"].Account, access)
		}); err != nil {
			t.Fatal(err)
		}
	}
	share(acl.Read)
	occ := occurrences(bob, "2026-11-16", "2026-11-23")
	if len(occ) != 1 || occ[0].Owner != "alice" || occ[0].Summary != "Rehearsal" {
		t.Fatalf("bob's week: %+v", occ)
	}
	e := ask[eventOnWire](bob, "GET", made.path(), nil)
	if e.Writable {
		t.Error("a calendar shared for reading is shown as writable")
	}
	ed := meeting("alice", "", "", "")
	ed.Event = e.Event
	ed.Event.Summary = "Concert"
	if status, answer := bob.try("PUT", made.path(), ed, "If-Match", e.ETag); status != 403 {
		t.Errorf("a change of what is shared for reading: %d %s", status, answer)
	}
	share(acl.Write)
	ask[saved](bob, "PUT", made.path(), ed, "If-Match", e.ETag)
	if occ := occurrences(alice, "2026-11-16", "2026-11-23"); occ[0].Summary != "Concert" {
		t.Errorf("alice's week: %+v", occ)
	}
}
