package vcal1_test

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/vcal1"
)

func ExampleParse() {
	cals, losses, err := vcal1.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" +
		"BEGIN:VEVENT\r\nUID:1\r\nDTSTART:19970905T090000Z\r\nSUMMARY:Staff\r\nRRULE:MP1 1+ FR #10\r\nRNUM:10\r\nPALARM:;;;file:///bin/x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		panic(err)
	}
	fmt.Println(cals[0].Master().Value("RRULE"))
	for _, l := range losses {
		fmt.Println(l)
	}
	// Output:
	// FREQ=MONTHLY;COUNT=10;BYDAY=1FR
	// line 9: the procedure of PALARM is shown, not run
}

func ExampleMarshal() {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" +
		"BEGIN:VEVENT\r\nUID:1\r\nDTSTART:19970902T090000Z\r\nSUMMARY:Two\\nlines\r\nRRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=5\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		panic(err)
	}
	text, losses, err := vcal1.Marshal(cal)
	fmt.Printf("%s%v %v\n", strings.ReplaceAll(string(text), "\r\n", "\n"), losses, err)
	// Output:
	// BEGIN:VCALENDAR
	// VERSION:1.0
	// PRODID:-//Convene//vCalendar 1.0//EN
	// BEGIN:VEVENT
	// UID:1
	// DTSTART:19970902T090000Z
	// RRULE:W1 TU TH #5
	// SUMMARY;ENCODING=QUOTED-PRINTABLE:Two=0D=0A=
	// lines
	// END:VEVENT
	// END:VCALENDAR
	// [] <nil>
}
