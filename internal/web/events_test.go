package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/acl"
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

func statOf(e eventOnWire, email string) string {
	for _, a := range e.Event.Attendees {
		if a.Address == "mailto:"+email {
			return a.PartStat
		}
	}
	return ""
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
