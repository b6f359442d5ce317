package jscal_test

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
)

func ExampleParse() {
	cals, losses, err := jscal.Parse([]byte(`{"@type":"Event","uid":"1","updated":"2026-01-02T03:04:05Z","title":"Budget",
		"start":"2026-03-02T09:00:00","timeZone":"Europe/Vienna","duration":"PT1.5S"}`))
	if err != nil {
		panic(err)
	}
	start, _ := cals[0].Master().Prop("DTSTART").Time()
	fmt.Println(cals[0].Master().Text("SUMMARY"), start.TZID, start)
	fmt.Println(losses)
	// Output:
	// Budget Europe/Vienna 20260302T090000
	// [duration: the fraction of a second is left out]
}

func ExampleMarshal() {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" +
		"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260102T030405Z\r\nDTSTART;VALUE=DATE:20260302\r\nSUMMARY:Fair\r\nCOMMENT:Bring shoes\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		panic(err)
	}
	text, losses, err := jscal.Marshal(cal)
	fmt.Printf("%s%v %v\n", text, losses, err)
	// Output:
	// {"@type":"Group","entries":[{"@type":"Event","duration":"P1D","iCalendar":{"@type":"ICalComponent","name":"vevent","properties":[["comment",{},"text","Bring shoes"]]},"showWithoutTime":true,"start":"2026-03-02T00:00:00","title":"Fair","uid":"1","updated":"2026-01-02T03:04:05Z"}],"prodId":"x","uid":"52697ef7-5e66-51e4-9ee8-b6e75d0b1ee6","updated":"2026-01-02T03:04:05Z"}
	// [] <nil>
}
