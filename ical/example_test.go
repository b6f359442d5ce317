package ical_test

import (
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

func Example() {
	text := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260102T090000
SUMMARY:Planning
X-COLOUR;X-A="b":as it
  was
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	cal, err := ical.Parse([]byte(text))
	if err != nil {
		log.Fatal(err)
	}
	event := cal.Master()
	event.SetText("SUMMARY", "Planning, again")
	attendee := ical.NewProperty("ATTENDEE", "mailto:bob@example.com")
	attendee.SetParam("CN", `Bob "the builder"; Example`)
	event.Add(attendee)
	fmt.Print(strings.ReplaceAll(string(cal.Bytes()), "\r", ""))
	// Output:
	// BEGIN:VCALENDAR
	// VERSION:2.0
	// PRODID:-//Example//EN
	// BEGIN:VEVENT
	// UID:1
	// DTSTAMP:20260101T000000Z
	// DTSTART;TZID=Europe/Berlin:20260102T090000
	// SUMMARY:Planning\, again
	// X-COLOUR;X-A="b":as it
	//   was
	// ATTENDEE;CN="Bob ^'the builder^'; Example":mailto:bob@example.com
	// END:VEVENT
	// END:VCALENDAR
}

func ExampleNew() {
	cal := ical.New("-//Example//EN")
	event := ical.NewComponent("VEVENT")
	event.SetText("UID", "1")
	event.Set("DTSTAMP", ical.UTCTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).String())
	event.Add(ical.NewProperty("DTSTART", ""))
	event.Prop("DTSTART").SetTime(ical.DateOf(2026, time.January, 2))
	cal.Components = append(cal.Components, event)
	fmt.Print(strings.ReplaceAll(string(cal.Bytes()), "\r", ""))
	// Output:
	// BEGIN:VCALENDAR
	// VERSION:2.0
	// PRODID:-//Example//EN
	// BEGIN:VEVENT
	// UID:1
	// DTSTAMP:20260101T000000Z
	// DTSTART;VALUE=DATE:20260102
	// END:VEVENT
	// END:VCALENDAR
}

// What was put right is told, and the octets stay as they were.
func ExampleCalendar_repairs() {
	cal, err := ical.Parse([]byte("BEGIN:VEVENT\nUID:1\nDTSTART:2026-01-02T09:00:00Z\nATTENDEE;RSVP=YES:bob@example.com\nEND:VEVENT\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range cal.Repairs {
		fmt.Printf("line %d: %s: %s\n", r.Line, r.Rule, r.What)
	}
	start, err := cal.Master().Prop("DTSTART").Time()
	fmt.Println(start, err)
	fmt.Println(cal.Master().Prop("ATTENDEE").Address().Email(), cal.Master().Prop("ATTENDEE").Param("RSVP"))
	// Output:
	// line 1: LEN-01: lines end without CRLF
	// line 1: LEN-01: BEGIN:VCALENDAR added
	// line 3: LEN-02: DTSTART "2026-01-02T09:00:00Z" read as 20260102T090000Z
	// line 4: LEN-08: RSVP=YES read as TRUE or FALSE
	// line 4: LEN-09: address "bob@example.com" read as mailto:bob@example.com
	// 20260102T090000Z <nil>
	// bob@example.com TRUE
}

func ExampleAddress_Key() {
	fmt.Println(ical.Address("MAILTO:Ann%2Btalks@Example.COM").Key())
	fmt.Println(ical.Address("mailto:ann@bücher.example").Key())
	fmt.Println(ical.Address("URN:uuid:1").Key())
	// Output:
	// ann+talks@example.com
	// ann@xn--bcher-kva.example
	// urn:uuid:1
}
