package jscal_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
)

// Overrides belong to the first series of their UID: were they given to each,
// and each looked through all that have the UID, this would take minutes.
func TestManySeriesOfOneUID(t *testing.T) {
	const many = 40_000
	c, err := ical.ParseLimits([]byte("BEGIN:VCALENDAR\r\n"+
		strings.Repeat("BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n", many)+
		strings.Repeat("BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260102T000000Z\r\nDTSTART:20260102T010000Z\r\nTITLE:moved\r\nEND:VEVENT\r\n", many)+
		"END:VCALENDAR\r\n"), ical.Limits{Components: 3 * many, Properties: 10 * many})
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := jscal.Marshal(c)
	if err != nil || bytes.Count(text, []byte(`"@type":"Event"`)) != many || bytes.Count(text, []byte("recurrenceOverrides")) != 1 {
		t.Errorf("%d events, %d with overrides, %v", bytes.Count(text, []byte(`"@type":"Event"`)), bytes.Count(text, []byte("recurrenceOverrides")), err)
	}
}
