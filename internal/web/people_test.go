package web

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

func TestDirectoryAndFreeBusy(t *testing.T) {
	o := newOffice(t, fixed)
	alice, bob := o.signIn("alice"), o.signIn("bob")
	crew, err := o.accounts.Add(t.Context(), account.NewAccount{Address: "mailto:crew@example.test", Kind: store.Group})
	if err == nil {
		err = o.accounts.AddMembers(t.Context(), crew.ID, []ical.Address{"mailto:bob@example.test", "mailto:dave@elsewhere.test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if people := ask[[]found](alice, "GET", "directory?q=bo", nil); len(people) != 1 || people[0].Address != "mailto:bob@example.test" || people[0].Name != "Bob" {
		t.Errorf("directory: %+v", people)
	}
	ask[saved](bob, "POST", "events", meeting("bob", "Secret", "2026-11-20T13:00", "2026-11-20T14:00"))
	status, answer := alice.try("POST", "freebusy", map[string]any{"addresses": []string{"bob@example.test", "dave@elsewhere.test", "crew@example.test"}, "from": "2026-11-20", "to": "2026-11-21", "zone": "Europe/Stockholm", "uid": ""})
	var busy []busyOnWire
	if err := json.Unmarshal([]byte(answer), &busy); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if len(busy) != 3 || !busy[0].Known || len(busy[0].Periods) != 1 || busy[0].Periods[0].Start != "2026-11-20T13:00" || busy[1].Known {
		t.Errorf("busy: %+v", busy)
	}
	if crew := busy[2]; !crew.Known || len(crew.Periods) != 1 || crew.Unknown != 1 || len(crew.Missing) != 1 || crew.Missing[0] != "mailto:dave@elsewhere.test" {
		t.Errorf("busy of a group: %+v", crew)
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

// What a guest tells the organizer in private stands beside the answer.
func TestPrivateCommentIsShown(t *testing.T) {
	for _, tt := range []struct{ a, want string }{
		{"ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test", "Not with Carol"},
		{"ATTENDEE;PARTSTAT=ACCEPTED;X-RESPONSE-COMMENT=Gladly:mailto:bob@example.test", "Gladly · Not with Carol"},
	} {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20270101T000000Z\r\n" + tt.a +
			"\r\nX-CALENDARSERVER-ATTENDEE-COMMENT;X-CALENDARSERVER-ATTENDEE-REF=\"mailto:bob@example.test\":Not with Carol\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		list := itip.Attendees(cal.Master())
		if len(list) != 1 || personOf(list[0]).Comment != tt.want {
			t.Errorf("%+v, want %q", list, tt.want)
		}
	}
}
