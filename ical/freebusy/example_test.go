package freebusy_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

// A weekly meeting and an invitation that Bob has not answered, as his busy time.
func Example() {
	bob := func(a ical.Address) bool { return a.Key() == "bob@one.test" }
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 7)
	var busy []freebusy.Period
	for _, event := range []string{
		"UID:1\nDTSTART;TZID=Europe/Berlin:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY",
		"UID:2\nDTSTART:20260302T083000Z\nDTEND:20260302T100000Z\nORGANIZER:mailto:ann@one.test\nATTENDEE:mailto:bob@one.test",
	} {
		cal, err := ical.Parse([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\nBEGIN:VEVENT\n"+event+"\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")))
		if err != nil {
			fmt.Println(err)
			return
		}
		periods, err := freebusy.Busy(cal, tz.NewResolver(cal, nil), bob, from, to)
		if err != nil {
			fmt.Println(err)
			return
		}
		busy = append(busy, periods...)
	}
	for _, p := range freebusy.Merge(busy) {
		fmt.Println(p.From.Format("Mon 15:04"), "to", p.To.Format("15:04"), p.Type)
	}
	// Output:
	// Mon 08:00 to 09:00 BUSY
	// Mon 09:00 to 10:00 BUSY-TENTATIVE
}
