package vcal1_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/vcal1"
)

// What an attendee costs does not grow with their number: were the ORGANIZER
// looked for anew for each, this would take minutes.
func TestManyAttendees(t *testing.T) {
	const many = 200_000
	c, err := ical.ParseLimits([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T000000Z\r\n"+
		strings.Repeat("ATTENDEE:mailto:a@b.test\r\n", many)+"END:VEVENT\r\nEND:VCALENDAR\r\n"), ical.Limits{Properties: many + 10})
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := vcal1.Marshal(c)
	if err != nil || bytes.Count(text, []byte("\nATTENDEE")) != many {
		t.Errorf("%d attendees, %v", bytes.Count(text, []byte("\nATTENDEE")), err)
	}
}
