package recur_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

func ExampleRule_From() {
	r, err := recur.ParseRule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	start := time.Date(2020, 1, 31, 17, 0, 0, 0, time.UTC)
	for t := range r.From(start, time.Date(2526, 1, 1, 0, 0, 0, 0, time.UTC)) {
		fmt.Println(t.Format("Mon 2 Jan 2006 15:04"))
		break
	}
	// Output:
	// Every month on the last weekday
	// Thu 31 Jan 2526 17:00
}

func Example() {
	cal, err := ical.Parse([]byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//example//EN
BEGIN:VEVENT
UID:choir
DTSTART;TZID=Europe/Berlin:20260105T193000
DTEND;TZID=Europe/Berlin:20260105T213000
RRULE:FREQ=WEEKLY;BYDAY=MO
EXDATE;TZID=Europe/Berlin:20260330T193000
SUMMARY:Choir
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	from := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	for o := range s.Between(from, from.AddDate(0, 0, 21)) {
		fmt.Println(o.Start, "in Berlin,", o.From.Format("15:04"), "UTC:", o.Component.Text("SUMMARY"))
	}
	// Output:
	// 20260323T193000 in Berlin, 18:30 UTC: Choir
	// 20260406T193000 in Berlin, 17:30 UTC: Choir
}
