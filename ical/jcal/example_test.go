package jcal_test

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
)

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
