package tz_test

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical/tz"
)

func ExampleLoad() {
	for _, name := range []string{"Europe/Berlin", "W. Europe Standard Time", "/mozilla.org/20050126_1/Europe/Berlin", "(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi"} {
		z, err := tz.Load(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(z)
	}
	// Output:
	// Europe/Berlin
	// Europe/Berlin
	// Europe/Berlin
	// Asia/Kolkata
}

func ExampleZone_Instant() {
	z, err := tz.Load("America/New_York")
	if err != nil {
		fmt.Println(err)
		return
	}
	// The clocks go from 02:00 to 03:00.
	at := z.Instant(time.Date(2026, 3, 8, 2, 30, 0, 0, time.UTC))
	wall, offset := z.Wall(at)
	fmt.Println(at.Format(time.RFC3339), wall.Format("15:04"), offset/3600)
	// Output: 2026-03-08T07:30:00Z 03:30 -4
}
