package calendar

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
)

// A request names occurrences in a few octets; the copies of the event that they
// become are counted before there are too many.
func TestOccurrencesWithAttachmentsAreCounted(t *testing.T) {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260601T100000Z\r\nDTSTART:20260702T080000Z\r\nRRULE:FREQ=DAILY\r\nDESCRIPTION:" + strings.Repeat("x", 1000) + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	rid := "20260703T080000Z,20260704T080000Z,20260705T080000Z"
	if _, err := attachTargets(cal, rid, 3000); !problem.Has(err, problem.TooLarge) {
		t.Errorf("three of 1000 octets and more: %v", err)
	}
	if list, err := attachTargets(cal, rid, 6000); err != nil || len(list) != 3 {
		t.Errorf("%d, %v", len(list), err)
	}
}
