package jcal_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
)

func ExampleMarshal() {
	cal := ical.New("-//Example//Planner//EN")
	event := ical.NewComponent("VEVENT")
	event.Add(ical.NewText("SUMMARY", "Lunch, maybe"), ical.NewProperty("RRULE", "FREQ=WEEKLY;COUNT=3"))
	cal.Components = append(cal.Components, event)
	text, err := jcal.Marshal(cal)
	fmt.Println(string(text), err)
	// Output:
	// ["vcalendar",[["version",{},"text","2.0"],["prodid",{},"text","-//Example//Planner//EN"]],[["vevent",[["summary",{},"text","Lunch, maybe"],["rrule",{},"recur",{"freq":"WEEKLY","count":3}]],[]]]] <nil>
}

func ExampleParse() {
	cal, err := jcal.Parse([]byte(`["vcalendar", [], [["vevent", [["dtstart", {}, "date", "2027-05-17"]], []]]]`))
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
	text := `["vcalendar", [], [["vevent", [["summary", {}, "text", "One"]], []], ["vevent", [["summary", {}, "text", "Two"]], []]]]`
	r := jcal.NewReader(strings.NewReader(text))
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

func ExampleNewWriter() {
	w := jcal.NewWriter(os.Stdout)
	w.Begin([]*ical.Property{ical.NewProperty("VERSION", "2.0")})
	w.Component(ical.NewComponent("VEVENT"))
	w.End()
	w.Close()
	// Output:
	// ["vcalendar",[["version",{},"text","2.0"]],[
	// ["vevent",[],[]]]]
}

func Example() {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n" +
		"DTSTART;TZID=Europe/Berlin:20260302T100000\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := jcal.Marshal(cal)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data))
	back, err := jcal.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Master().Prop("RRULE").Value())
	// Output:
	// ["vcalendar",[["version",{},"text","2.0"],["prodid",{},"text","-//Example//EN"]],[["vevent",[["uid",{},"text","1"],["dtstart",{"tzid":"Europe/Berlin"},"date-time","2026-03-02T10:00:00"],["rrule",{},"recur",{"freq":"WEEKLY","count":3}]],[]]]]
	// FREQ=WEEKLY;COUNT=3
}
