package itip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

func object(t *testing.T, lines ...string) *ical.Calendar {
	t.Helper()
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T090000Z\r\n" +
		strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func TestTakeUp(t *testing.T) {
	people := []string{"ORGANIZER:mailto:ann@one.test", "ATTENDEE:mailto:bob@two.test"}
	for _, c := range []struct {
		name             string
		stored, proposal []string
		want, not        []string
	}{{
		name:     "the time is written in the event's zone",
		stored:   []string{"DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND;TZID=Europe/Berlin:20260302T110000", "SUMMARY:Plan"},
		proposal: []string{"DTSTART:20260302T130000Z", "DTEND:20260302T133000Z", "SUMMARY:New Time Proposed: Plan"},
		want:     []string{"DTSTART;TZID=Europe/Berlin:20260302T140000", "DTEND;TZID=Europe/Berlin:20260302T143000", "SUMMARY:Plan"},
	}, {
		name:     "without an end it lasts as long",
		stored:   []string{"DTSTART:20260302T100000Z", "DURATION:PT90M"},
		proposal: []string{"DTSTART:20260302T130000Z"},
		want:     []string{"DTSTART:20260302T130000Z", "DTEND:20260302T143000Z"},
		not:      []string{"DURATION"},
	}, {
		name:     "another place alone",
		stored:   []string{"DTSTART:20260302T100000Z", "DURATION:PT1H", "LOCATION:Green"},
		proposal: []string{"DTSTART:20260302T100000Z", "LOCATION:Blue"},
		want:     []string{"DTSTART:20260302T100000Z", "DURATION:PT1H", "LOCATION:Blue"},
		not:      []string{"Green"},
	}, {
		name:     "one occurrence",
		stored:   []string{"DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", "RRULE:FREQ=DAILY;COUNT=3"},
		proposal: []string{"RECURRENCE-ID:20260303T100000Z", "DTSTART:20260303T120000Z", "DTEND:20260303T130000Z"},
		want:     []string{"DTSTART:20260302T100000Z", "RECURRENCE-ID:20260303T100000Z", "DTSTART:20260303T120000Z", "RRULE:FREQ=DAILY;COUNT=3"},
	}, {
		name:     "a day in the place of a time",
		stored:   []string{"DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"},
		proposal: []string{"DTSTART;VALUE=DATE:20260303", "DTEND;VALUE=DATE:20260304"},
		want:     []string{"DTSTART;VALUE=DATE:20260303", "DTEND;VALUE=DATE:20260304"},
	}} {
		t.Run(c.name, func(t *testing.T) {
			stored := object(t, append(c.stored, people...)...)
			before := string(stored.Bytes())
			got, err := itip.TakeUp(stored, object(t, append(c.proposal, people...)...), nil)
			if err != nil {
				t.Fatal(err)
			}
			text := string(got.Bytes())
			for _, w := range c.want {
				if !strings.Contains(text, "\r\n"+w+"\r\n") {
					t.Errorf("no line %s in\n%s", w, text)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("%s in\n%s", w, text)
				}
			}
			if string(stored.Bytes()) != before {
				t.Error("the stored object was changed")
			}
		})
	}
	series := object(t, "DTSTART:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=3", people[0], people[1])
	if _, err := itip.TakeUp(series, object(t, "RECURRENCE-ID:20260401T100000Z", "DTSTART:20260401T120000Z"), nil); err == nil {
		t.Error("a proposal for an occurrence that is not there was taken up")
	}
}

func TestDeclineProposal(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	stored := object(t, "SEQUENCE:4", "DTSTART:20260302T100000Z", "SUMMARY:Plan", "ORGANIZER:mailto:ann@one.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@two.test", "ATTENDEE:mailto:carol@two.test")
	proposal := object(t, "SEQUENCE:3", "DTSTART:20260302T130000Z", "ATTENDEE:mailto:bob@two.test")
	m, _, ok := itip.DeclineProposal(stored, itip.Memory{}, proposal, "mailto:bob@two.test", now, nil)
	if !ok || m.Method != itip.DeclineCounter || m.To != "mailto:bob@two.test" || m.From != "mailto:ann@one.test" {
		t.Fatalf("%v %+v", ok, m)
	}
	text := string(m.Calendar.Bytes())
	for _, w := range []string{"METHOD:DECLINECOUNTER", "SEQUENCE:3", "DTSTART:20260302T100000Z", "mailto:bob@two.test"} {
		if !strings.Contains(text, w) {
			t.Errorf("no %s in\n%s", w, text)
		}
	}
	if strings.Contains(text, "carol") || strings.Contains(text, "STATUS:") {
		t.Errorf("too much in\n%s", text)
	}
	if err := itip.CheckMessage(m.Calendar); err != nil {
		t.Error(err)
	}
	if _, _, ok := itip.DeclineProposal(stored, itip.Memory{}, proposal, "mailto:x@two.test", now, nil); ok {
		t.Error("a stranger is told")
	}
}
