package check_test

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical/check"
)

func Example() {
	text := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260230T090000Z
DTEND:20260301T100000Z
DURATION:PT1H
ATTENDEE;PARTSTAT=MAYBE:bob@example.com
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	for _, f := range check.Bytes([]byte(text), check.Options{File: "meeting.ics"}) {
		fmt.Println(f)
	}
	// Output:
	// meeting.ics:7:9: error: DTSTART "20260230T090000Z" is not a date and time such as 20260131T083000 or 20260131T083000Z [value, RFC 5545 3.3.5]
	// meeting.ics:8:1: error: DTEND and DURATION must not be in the same VEVENT [end-and-duration, RFC 5545 3.6.1]
	// meeting.ics:10:1: error: a VEVENT with ATTENDEE must have ORGANIZER [organizer-missing, RFC 5545 3.8.4.3]
	// meeting.ics:10:19: warning: PARTSTAT is "MAYBE", known are NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED, COMPLETED, IN-PROCESS [parameter-value, RFC 5545 3.2.12]
	// meeting.ics:10:25: error: ATTENDEE "bob@example.com" is not a calendar user address such as mailto:ann@example.com [value, RFC 5545 3.3.3]
}
