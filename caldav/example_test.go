package caldav_test

import (
	"fmt"
	"os"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// A server reads a report, decides which objects it means, and answers.
func Example() {
	report, err := caldav.ParseReport([]byte(`<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns="DAV:">
		<prop><getetag/></prop>
		<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
			<c:time-range start="20260310T000000Z" end="20260311T000000Z"/>
		</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`), caldav.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n" +
		"DTSTART:20260101T090000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	query := report.(*caldav.CalendarQuery)
	found, err := query.Filter.Match(event, tz.NewResolver(event, tz.UTC))
	fmt.Println(found, err)

	answer := caldav.NewMultistatus(os.Stdout, false)
	if found {
		var props caldav.Propstats
		props.At(200).Element(caldav.D("getetag"), `"1"`)
		answer.Response("/calendars/ann/1.ics", &props)
	}
	if err := answer.Close(""); err != nil {
		fmt.Println(err)
	}
	// Output:
	// true <nil>
	// <?xml version="1.0" encoding="utf-8"?>
	// <d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/" xmlns:ical="http://apple.com/ns/ical/"><d:response><d:href>/calendars/ann/1.ics</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>
}
