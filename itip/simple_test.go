package itip_test

import (
	"testing"

	"github.com/convene-cal/convene/itip"
)

// What Outlook's dialogue can make, and what not.
func TestSimple(t *testing.T) {
	for _, c := range []struct {
		lines string
		want  bool
	}{
		{"", true},
		{"RRULE:FREQ=DAILY;INTERVAL=3", true},
		{"RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270101T000000Z", true},
		{"RRULE:FREQ=MONTHLY;BYMONTHDAY=2", true},
		{"RRULE:FREQ=MONTHLY;BYDAY=2MO", true},
		{"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", true},
		{"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=1MO", true},
		{"RRULE:FREQ=YEARLY", true},
		{"RRULE:FREQ=DAILY;BYDAY=MO", false},
		{"RRULE:FREQ=HOURLY;COUNT=3", false},
		{"RRULE:FREQ=DAILY;BYHOUR=10,15", false},
		{"RRULE:FREQ=MONTHLY;BYDAY=1MO,3MO", false},
		{"RRULE:FREQ=MONTHLY;BYDAY=-2MO", false},
		{"RRULE:FREQ=MONTHLY;BYMONTHDAY=2,16", false},
		{"RRULE:FREQ=YEARLY;BYMONTH=3,6", false},
		{"RRULE:FREQ=YEARLY;BYWEEKNO=10", false},
		{"RRULE:FREQ=DAILY\r\nRDATE:20260401T150000Z", false},
		{"RDATE:20260401T150000Z", false},
		{"RRULE:FREQ=DAILY\r\nDURATION:P2D", false},
	} {
		lines := c.lines
		if lines != "" {
			lines += "\r\n"
		}
		cal := read(t, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T100000Z\r\n"+lines+"END:VEVENT\r\nEND:VCALENDAR\r\n")
		if got := itip.Simple(cal); got != c.want {
			t.Errorf("%q: %v, want %v", c.lines, got, c.want)
		}
	}
}
