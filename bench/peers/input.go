package main

import (
	"bytes"
	"fmt"
	"strings"
)

// event is what a client writes for a series with attendees: folds, quoted
// parameters, escapes, an alarm.
var event = strings.ReplaceAll(`BEGIN:VEVENT
UID:%08[1]d-5d3c-4a36-9f0e-0123456789ab@example.com
DTSTAMP:20260102T030405Z
CREATED:20260102T030405Z
LAST-MODIFIED:20260103T030405Z
DTSTART;TZID=Europe/Berlin:20260%[2]d%02[3]dT090000
DTEND;TZID=Europe/Berlin:20260%[2]d%02[3]dT100000
SUMMARY:Weekly planning\, part %[1]d
LOCATION:Room 4.12
DESCRIPTION:We look at what was done since the last time\, what comes next\
 , and who needs help. Notes are at https://example.com/notes/planning?id=%[1]d
  and everybody may write there.\n\nBring your calendar.
ORGANIZER;CN=Ann Example:mailto:ann@example.com
ATTENDEE;CN="Example, Bob";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ
 -PARTICIPANT;RSVP=TRUE:mailto:bob@example.com
ATTENDEE;CN=Carol;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:mailto:carol@examp
 le.net
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE
CATEGORIES:WORK,PLANNING
STATUS:CONFIRMED
TRANSP:OPAQUE
SEQUENCE:%[4]d
X-EXAMPLE-KEY;X-A=b:value %[1]d
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
`, "\n", "\r\n")

// calendar is one VCALENDAR of about the size.
func calendar(octets int) (data []byte, events int) {
	var b bytes.Buffer
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Bench//EN\r\nCALSCALE:GREGORIAN\r\n")
	for ; b.Len() < octets; events++ {
		fmt.Fprintf(&b, event, events, 1+events%9, 1+events%28, events%5)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.Bytes(), events
}

// A rule is expanded in America/New_York from 2016-01-04T09:00:00 within a
// window of days in UTC.
type rule struct {
	name, text, from, to string
}

var rules = []rule{
	{"daily, ten years", "FREQ=DAILY", "20160101", "20260101"},
	{"three days a week, ten years", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "20160101", "20260101"},
	{"first Monday of a month, ten years", "FREQ=MONTHLY;BYDAY=1MO", "20160101", "20260101"},
	{"last working day of a month, ten years", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "20160105", "20260101"},
	{"daily at 02:30 with gaps, ten years", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "20160105", "20260101"},
	{"every two weeks with COUNT, all", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=500", "20160101", "20260101"},
	{"every 20 minutes from 9 to 17, a year", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", "20160101", "20170101"},
	{"daily, the month 20 years later", "FREQ=DAILY", "20360601", "20360701"},
	{"weekdays with COUNT, the month 20 years later", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=20000", "20360601", "20360701"},
	{"one day a year, the month 20 years later", "FREQ=YEARLY;BYMONTH=6;BYDAY=2TU", "20360601", "20360701"},
	{"29 February, the year 24 years later", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "20400101", "20410101"},
}

const (
	ruleZone  = "America/New_York"
	ruleStart = "20160104T090000"
)
