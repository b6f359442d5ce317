package freebusy_test

import (
	"testing"

	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

// RFC 7953 5: 5 January 2026 is a Monday.
func TestAvailability(t *testing.T) {
	office := func(lines, hours string) string {
		return "BEGIN:VAVAILABILITY\nUID:v" + lines + "\nBEGIN:AVAILABLE\nUID:a\n" + hours + "\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\nEND:AVAILABLE\nEND:VAVAILABILITY"
	}
	const days = "DTSTART:20251201T090000Z\nDTEND:20251201T170000Z"
	for _, c := range []struct{ name, lines, want string }{
		{"nothing said", "BEGIN:VFREEBUSY\nUID:f\nEND:VFREEBUSY", ""},
		{"office hours", office("", days), "BUSY-UNAVAILABLE 05T00:00/05T09:00\nBUSY-UNAVAILABLE 05T17:00/06T09:00\nBUSY-UNAVAILABLE 06T17:00/07T00:00"},
		{"BUSYTYPE", office("\nBUSYTYPE:BUSY\nDTSTART:20260106T000000Z", days), "BUSY 06T00:00/06T09:00\nBUSY 06T17:00/07T00:00"},
		{"an end", office("\nDTSTART:20260101T000000Z\nDTEND:20260105T120000Z", days), "BUSY-UNAVAILABLE 05T00:00/05T09:00"},
		{"a length", office("\nDTSTART:20260105T000000Z\nDURATION:PT12H", days), "BUSY-UNAVAILABLE 05T00:00/05T09:00"},
		{"not in the window", office("\nDTSTART:20260201T000000Z", days), ""},
		{"not available at all", "BEGIN:VAVAILABILITY\nUID:v\nDTSTART:20260105T060000Z\nDTEND:20260105T180000Z\nEND:VAVAILABILITY", "BUSY-UNAVAILABLE 05T06:00/05T18:00"},
		{"the higher PRIORITY decides where both speak", office("", days) + "\n" + office("\nPRIORITY:1\nDTSTART:20260106T000000Z\nDTEND:20260107T000000Z", "DTSTART:20251201T120000Z\nDTEND:20251201T130000Z"),
			"BUSY-UNAVAILABLE 05T00:00/05T09:00\nBUSY-UNAVAILABLE 05T17:00/06T12:00\nBUSY-UNAVAILABLE 06T13:00/07T00:00"},
		{"0 is no PRIORITY", office("\nPRIORITY:0", days) + "\nBEGIN:VAVAILABILITY\nUID:w\nPRIORITY:9\nDTSTART:20260105T000000Z\nDTEND:20260107T000000Z\nEND:VAVAILABILITY", "BUSY-UNAVAILABLE 05T00:00/07T00:00"},
		{"equals add up", office("", days) + "\n" + office("", "DTSTART:20251201T170000Z\nDTEND:20251201T190000Z"),
			"BUSY-UNAVAILABLE 05T00:00/05T09:00\nBUSY-UNAVAILABLE 05T19:00/06T09:00\nBUSY-UNAVAILABLE 06T19:00/07T00:00"},
		{"an occurrence is overridden", "BEGIN:VAVAILABILITY\nUID:v\nDTSTART:20260105T000000Z\nDTEND:20260106T000000Z\nBEGIN:AVAILABLE\nUID:a\n" + days + "\nRRULE:FREQ=DAILY\nEND:AVAILABLE\nBEGIN:AVAILABLE\nUID:a\nRECURRENCE-ID:20260105T090000Z\nDTSTART:20260105T120000Z\nDTEND:20260105T130000Z\nEND:AVAILABLE\nEND:VAVAILABILITY",
			"BUSY-UNAVAILABLE 05T00:00/05T12:00\nBUSY-UNAVAILABLE 05T13:00/06T00:00"},
		{"in a zone", office("", "DTSTART;TZID=Europe/Berlin:20251201T090000\nDTEND;TZID=Europe/Berlin:20251201T170000"), "BUSY-UNAVAILABLE 05T00:00/05T08:00\nBUSY-UNAVAILABLE 05T16:00/06T08:00\nBUSY-UNAVAILABLE 06T16:00/07T00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cal := parse(t, c.lines)
			list, err := freebusy.Availabilities(cal, tz.NewResolver(cal, nil), at(5, 0), at(7, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got := show(freebusy.Away(list)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
