package xcal_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/xcal"
)

func ExampleMarshal() {
	cal := ical.New("-//Example//Planner//EN")
	event := ical.NewComponent("VEVENT")
	event.Add(ical.NewText("SUMMARY", "Lunch & more"), ical.NewProperty("RRULE", "FREQ=WEEKLY;COUNT=3"))
	cal.Components = append(cal.Components, event)
	text, err := xcal.Marshal(cal)
	fmt.Print(string(text), err)
	// Output:
	// <?xml version="1.0" encoding="utf-8"?>
	// <icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0">
	// <vcalendar><properties><version><text>2.0</text></version><prodid><text>-//Example//Planner//EN</text></prodid></properties>
	// <components>
	// <vevent><properties><summary><text>Lunch &amp; more</text></summary><rrule><recur><freq>WEEKLY</freq><count>3</count></recur></rrule></properties></vevent>
	// </components>
	// </vcalendar>
	// </icalendar>
	// <nil>
}

func ExampleParse() {
	cal, err := xcal.Parse([]byte(`<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar><components>
		<vevent><properties><dtstart><date>2027-05-17</date></dtstart></properties></vevent>
	</components></vcalendar></icalendar>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.WriteString(strings.ReplaceAll(string(cal.Bytes()), "\r\n", "\n"))
	// Output:
	// BEGIN:VCALENDAR
	// BEGIN:VEVENT
	// DTSTART;VALUE=DATE:20270517
	// END:VEVENT
	// END:VCALENDAR
}

// A calendar of any size in the memory of its largest component.
func ExampleNewReader() {
	text := `<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar><components>
		<vevent><properties><summary><text>One</text></summary></properties></vevent>
		<vevent><properties><summary><text>Two</text></summary></properties></vevent>
	</components></vcalendar></icalendar>`
	r := xcal.NewReader(strings.NewReader(text))
	for {
		part, err := r.NextPart()
		if err != nil {
			break
		}
		for _, event := range part.Components {
			fmt.Println(event.Text("SUMMARY"))
		}
	}
	// Output:
	// One
	// Two
}

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
