package imip_test

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/itip"
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

// An organizer's program saves an event and mails the invitation; the guest's
// program finds it in the mail and puts it into the calendar.
func Example() {
	now := time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)
	ann, ben := ical.Mailto("ann@one.test"), ical.Mailto("ben@two.test")
	event, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\n" +
		"UID:1@one.test\r\nDTSTAMP:20260202T090000Z\r\nDTSTART;TZID=Europe/Berlin:20260302T100000\r\nDURATION:PT1H\r\n" +
		"SUMMARY:Budget\r\nORGANIZER:mailto:ann@one.test\r\nATTENDEE;RSVP=TRUE:mailto:ben@two.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	check(err)
	saved, err := itip.Plan(itip.Change{New: event, User: []ical.Address{ann}, Now: now})
	check(err)
	for _, m := range saved.Send {
		mail, err := imip.Compose(m, imip.Options{From: imip.Mailbox{Name: "Ann", Address: m.From.Email()}, To: imip.Mailbox{Address: m.To.Email()}, Now: now, Host: "one.test"})
		check(err)
		fmt.Println(mail.Subject)
		// … mail.Raw goes out by SMTP. On the other side, where its sender is proven by DKIM:
		arrived, err := imip.Parse(mail.Raw, imip.Limits{})
		check(err)
		for _, f := range arrived.Found {
			got, err := itip.Apply(itip.Arrival{Message: f.Calendar, Method: f.Method, User: []ical.Address{ben}, From: arrived.From, Received: now, AutoAdd: true})
			check(err)
			fmt.Println(got.Decision, got.Sentence)
		}
	}
	// Output:
	// Invitation: Budget
	// applied ann@one.test invites you to “Budget”.
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
