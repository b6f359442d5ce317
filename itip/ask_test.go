package itip_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

var (
	asker   = []ical.Address{"mailto:bob@two.test"}
	askedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func at(t *testing.T, value, tzid string) ical.Time {
	t.Helper()
	x, err := ical.ParseTime(value, tzid, len(value) == len("20260302"))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestCounterProposes(t *testing.T) {
	people := []string{"SUMMARY:Plan", "ORGANIZER;CN=Ann:mailto:ann@one.test", "ATTENDEE:mailto:ann@one.test", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@two.test", "ATTENDEE:mailto:cyd@two.test", "SEQUENCE:7"}
	single := []string{"DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND;TZID=Europe/Berlin:20260302T110000"}
	series := []string{"DTSTART:20260302T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"}
	for _, c := range []struct {
		name      string
		stored    []string
		proposal  itip.Proposal
		want, not []string
		refused   string
	}{
		{name: "another time keeps the length", stored: single, proposal: itip.Proposal{Start: at(t, "20260302T140000", "Europe/Berlin"), Comment: "After lunch?"},
			want: []string{"METHOD:COUNTER", "DTSTART;TZID=Europe/Berlin:20260302T140000", "DTEND:20260302T140000Z", "SEQUENCE:7", "COMMENT:After lunch?",
				"PARTSTAT=ACCEPTED", "X-MS-OLK-ORIGINALSTART:20260302T090000Z", "X-MS-OLK-ORIGINALEND:20260302T100000Z"},
			not: []string{"cyd@", "RSVP"}},
		{name: "another place", stored: single, proposal: itip.Proposal{Location: "Blue room"}, want: []string{"LOCATION:Blue room", "DTSTART;TZID=Europe/Berlin:20260302T100000"}},
		{name: "one occurrence", stored: series, proposal: itip.Proposal{RecurrenceID: "20260303T100000Z", Start: at(t, "20260303T120000Z", "")},
			want: []string{"RECURRENCE-ID:20260303T100000Z", "DTSTART:20260303T120000Z", "DTEND:20260303T130000Z"}, not: []string{"RRULE"}},
		{name: "nothing new", stored: single, proposal: itip.Proposal{Comment: "Hm"}, refused: "already"},
		{name: "no such occurrence", stored: series, proposal: itip.Proposal{RecurrenceID: "20260309T100000Z", Location: "x"}, refused: "no occurrence"},
		{name: "ends before it begins", stored: single, proposal: itip.Proposal{Start: at(t, "20260302T100000Z", ""), End: at(t, "20260302T090000Z", "")}, refused: "ends before"},
		{name: "a day for a time", stored: single, proposal: itip.Proposal{Start: at(t, "20260303", "")}, refused: "whole days"},
		{name: "not wanted", stored: append([]string{"X-MICROSOFT-DISALLOW-COUNTER:TRUE"}, single...), proposal: itip.Proposal{Location: "x"}, refused: "no proposals"},
		{name: "called off", stored: append([]string{"STATUS:CANCELLED"}, single...), proposal: itip.Proposal{Location: "x"}, refused: "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored := object(t, append(append([]string{}, c.stored...), people...)...)
			before := string(stored.Bytes())
			m, mem, err := c.proposal.Counter(stored, itip.Memory{}, asker, "", askedAt, nil, nil)
			if string(stored.Bytes()) != before {
				t.Error("the stored object was changed")
			}
			if c.refused != "" {
				var e *itip.Error
				if !errors.As(err, &e) || !strings.Contains(e.Sentence, c.refused) {
					t.Errorf("got %v, want a refusal that says %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := itip.CheckMessage(m.Calendar); err != nil {
				t.Error(err)
			}
			text := strings.ReplaceAll(string(m.Calendar.Bytes()), "\r\n ", "")
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("lacks %s:\n%s", w, text)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("has %s:\n%s", w, text)
				}
			}
			if m.From != "mailto:bob@two.test" || m.To != "mailto:ann@one.test" || !mem.Stamp.Equal(askedAt) || len(m.Changes) == 0 {
				t.Errorf("from %s to %s, stamp %s, changes %v", m.From, m.To, mem.Stamp, m.Changes)
			}
			// The organizer's side takes it for a proposal of Bob's.
			r, err := itip.Apply(itip.Arrival{Stored: stored, Message: m.Calendar, From: m.From, User: []ical.Address{"mailto:ann@one.test"}, Received: askedAt})
			if err != nil || r.Decision != itip.Held || r.Reason != itip.ReasonCounter {
				t.Errorf("received: %+v %v", r, err)
			}
		})
	}
	for name, lines := range map[string][]string{
		"one's own event": {"ORGANIZER:mailto:bob@two.test", "ATTENDEE:mailto:ann@one.test"},
		"no invitation":   {"ORGANIZER:mailto:ann@one.test", "ATTENDEE:mailto:cyd@two.test"},
		"nobody to tell":  {"ORGANIZER:urn:x", "ATTENDEE:mailto:bob@two.test"},
	} {
		stored := object(t, append([]string{"DTSTART:20260302T100000Z"}, lines...)...)
		if _, _, err := (itip.Proposal{Location: "x"}).Counter(stored, itip.Memory{}, asker, "", askedAt, nil, nil); err == nil {
			t.Errorf("%s: a proposal was made", name)
		}
		if _, _, err := itip.AskRefresh(stored, itip.Memory{}, asker, "", askedAt, nil); err == nil {
			t.Errorf("%s: asked for the state", name)
		}
	}
}

func TestRefreshIsAskedAndAnswered(t *testing.T) {
	stored := object(t, "DTSTART:20260302T100000Z", "SUMMARY:Plan", "ORGANIZER:mailto:ann@one.test", "ATTENDEE:mailto:ann@one.test", "ATTENDEE;CN=Bob:mailto:bob@two.test")
	m, _, err := itip.AskRefresh(stored, itip.Memory{}, asker, "mailto:sue@two.test", askedAt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := itip.CheckMessage(m.Calendar); err != nil {
		t.Error(err)
	}
	if text := string(m.Calendar.Bytes()); !strings.Contains(text, "sue@two.test") || strings.Contains(text, "SUMMARY") {
		t.Errorf("the REFRESH says\n%s", text)
	}
	r, err := itip.Apply(itip.Arrival{Stored: stored, Message: m.Calendar, From: "mailto:bob@two.test", User: []ical.Address{"mailto:ann@one.test"}, Received: askedAt})
	if err != nil || len(r.Send) != 1 || r.Send[0].Method != itip.Request || r.Send[0].To != "mailto:bob@two.test" {
		t.Errorf("answered with %+v %v", r, err)
	}
}

func TestPublicationNamesNobodyElse(t *testing.T) {
	for _, c := range []struct {
		kind  string
		lines []string
	}{
		{"VEVENT", []string{"DTSTART:20260302T100000Z", "SUMMARY:Fair", "ORGANIZER:mailto:ann@one.test", "ATTENDEE:mailto:bob@two.test", "SEQUENCE:2"}},
		{"VEVENT", []string{"DTSTART:20260302T100000Z", "SUMMARY:Alone", "COLOR:red"}},
		{"VTODO", []string{"SUMMARY:Paint", "DUE:20260305T100000Z", "STATUS:NEEDS-ACTION"}},
		{"VJOURNAL", []string{"DTSTART;VALUE=DATE:20260302", "SUMMARY:Minutes", "STATUS:FINAL"}},
	} {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\nBEGIN:" + c.kind + "\r\nUID:1\r\nDTSTAMP:20260301T090000Z\r\n" + strings.Join(c.lines, "\r\n") + "\r\nEND:" + c.kind + "\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		to := []ical.Address{"mailto:x@three.test", "mailto:X@three.test", "mailto:y@three.test"}
		list, _, err := itip.Publication{Object: cal, From: "mailto:ann@one.test", To: to, Now: askedAt}.Messages()
		if err != nil || len(list) != 2 {
			t.Fatalf("%s: %d messages, %v", c.kind, len(list), err)
		}
		m := list[0].Calendar
		if err := itip.CheckMessage(m); err != nil {
			t.Errorf("%v in\n%s", err, m.Bytes())
		}
		text := string(m.Bytes())
		if strings.Contains(text, "ATTENDEE") || strings.Contains(text, "COLOR") || !strings.Contains(text, "ORGANIZER") || strings.Contains(strings.Join(c.lines, "\n"), "STATUS") != strings.Contains(text, "\r\nSTATUS") {
			t.Errorf("published\n%s", text)
		}
		gone, _, err := itip.Publication{Object: cal, From: "mailto:ann@one.test", To: to, Now: askedAt, Cancelled: true}.Messages()
		if err != nil || !strings.Contains(string(gone[0].Calendar.Bytes()), "STATUS:CANCELLED") {
			t.Errorf("published as cancelled: %v", err)
		}
	}
	busy := &ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Components: []*ical.Component{ical.NewComponent("VFREEBUSY")}}}
	if _, _, err := (itip.Publication{Object: busy, To: asker}).Messages(); err == nil {
		t.Error("a VFREEBUSY was published")
	}
}
