package xcal_test

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/xcal"
)

func Example() {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
		"DTSTART;TZID=Europe/Berlin:20260302T100000\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := xcal.Marshal(cal)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data))
	back, err := xcal.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Master().Prop("RRULE").Value())
	// Output:
	// <?xml version="1.0" encoding="utf-8"?>
	// <icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0">
	// <vcalendar><properties><version><text>2.0</text></version><prodid><text>-//Example//EN</text></prodid></properties>
	// <components>
	// <vevent><properties><uid><text>1</text></uid><dtstart><parameters><tzid><text>Europe/Berlin</text></tzid></parameters><date-time>2026-03-02T10:00:00</date-time></dtstart><rrule><recur><freq>WEEKLY</freq><count>3</count></recur></rrule></properties></vevent>
	// </components>
	// </vcalendar>
	// </icalendar>
	//
	// FREQ=WEEKLY;COUNT=3
}
