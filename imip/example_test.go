package imip_test

import (
	"fmt"

	"github.com/convene-cal/convene/imip"
)

// A mail program left out the closing boundary and the charset; the answer in
// the mail is found all the same.
func ExampleParse() {
	mail := `From: Ben <ben@two.test>
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain

Fine with me.
--x
Content-Type: text/calendar; method=reply

BEGIN:VCALENDAR
METHOD:REPLY
BEGIN:VEVENT
UID:planning@one.test
ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@two.test
END:VEVENT
END:VCALENDAR
`
	p, err := imip.Parse([]byte(mail), imip.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range p.Found {
		fmt.Println(p.From, f.Method, f.Calendar.UID(), f.Part)
	}
	// Output: mailto:ben@two.test REPLY planning@one.test 2 text/calendar
}
