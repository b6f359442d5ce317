package itip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// What comes by mail is stored so that strict programs can read it.
func TestInvitationsAreStoredInStrictForm(t *testing.T) {
	const berlin = "BEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
	for _, c := range []struct {
		name, head, lines string
		want, not         []string
	}{
		{"a floating time is in the calendar's zone", "X-WR-TIMEZONE:America/New_York\n", "DTSTART:20260302T100000\n", []string{"DTSTART;TZID=America/New_York:20260302T100000", "BEGIN:VTIMEZONE"}, nil},
		{"or in the only one defined", berlin, "DTSTART:20260302T100000\n", []string{"DTSTART;TZID=Here:20260302T100000"}, nil},
		{"a zone without its definition gets one", "", "DTSTART;TZID=/x.test/Europe/Berlin:20260302T100000\n", []string{"DTSTART;TZID=/x.test/Europe/Berlin:20260302T100000", "BEGIN:VTIMEZONE", "TZID:/x.test/Europe/Berlin"}, nil},
		{"a long time is cut", "", "DTSTART:20260302T100000Z\nDTEND:20260302T1100000Z\n", []string{"DTEND:20260302T110000Z"}, nil},
		{"an end before the start is none", "", "DTSTART:20260302T100000Z\nDTEND:20260301T110000Z\n", nil, []string{"DTEND"}},
		{"an end that is no time is none", "", "DTSTART:20260302T100000Z\nDTEND:199706211T173000Z\n", nil, []string{"DTEND"}},
		{"midnights of an all-day event are dates", berlin, "DTSTART;TZID=Here:20260302T000000\nDTEND;TZID=Here:20260303T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\n", []string{"DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"}, nil},
		{"of another event they are not", berlin, "DTSTART;TZID=Here:20260302T000000\nDTEND;TZID=Here:20260303T000000\n", []string{"DTSTART;TZID=Here:20260302T000000"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			msg, err := ical.Parse([]byte("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nMETHOD:REQUEST\n" + c.head + "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260301T090000Z\n" + c.lines +
				"ORGANIZER:ann@one.test\nATTENDEE:MAILTO:bob@two.test\nEND:VEVENT\nEND:VCALENDAR\n"))
			if err != nil {
				t.Fatal(err)
			}
			r, err := itip.Apply(itip.Arrival{Message: msg, User: []ical.Address{"mailto:bob@two.test"}, From: "mailto:ann@one.test", AutoAdd: true, Received: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)})
			if err != nil || r.Decision != itip.Applied {
				t.Fatalf("%v %+v", err, r)
			}
			text := string(r.Object.Bytes())
			for _, w := range append(c.want, "ORGANIZER:mailto:ann@one.test") {
				if !strings.Contains(text, "\r\n"+w+"\r\n") {
					t.Errorf("no line %s in\n%s", w, text)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("%s in\n%s", w, text)
				}
			}
		})
	}
}
