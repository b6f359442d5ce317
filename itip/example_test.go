package itip_test

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Alice saves an event with a guest, Bob accepts it, and Alice's copy knows.
func Example() {
	now := time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)
	alice, bob := ical.Mailto("alice@alice.test"), ical.Mailto("bob@bob.test")
	event, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\n" +
		"UID:1@alice.test\r\nDTSTAMP:20260202T090000Z\r\nDTSTART;TZID=Europe/Berlin:20260302T100000\r\nDTEND;TZID=Europe/Berlin:20260302T110000\r\n" +
		"SUMMARY:Budget\r\nLOCATION:Room 4\r\nORGANIZER;CN=Alice:mailto:alice@alice.test\r\nATTENDEE;RSVP=TRUE:mailto:bob@bob.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		panic(err)
	}

	saved, err := itip.Plan(itip.Change{New: event, User: []ical.Address{alice}, Now: now})
	if err != nil {
		panic(err)
	}
	invitation := saved.Send[0]
	fmt.Println(invitation.Method, "to", invitation.To)
	s := itip.Summarize(invitation.Calendar, nil)
	fmt.Println(s.Title, "|", s.When, "|", s.Where, "|", s.Organizer)

	got, err := itip.Apply(itip.Arrival{Message: invitation.Calendar, User: []ical.Address{bob}, From: alice, Received: now, AutoAdd: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Decision, got.Sentence)

	accepted, err := itip.Answer(got.Object, got.Memory, []ical.Address{bob}, "ACCEPTED", "", "", now)
	if err != nil {
		panic(err)
	}
	answered, err := itip.Plan(itip.Change{Old: got.Object, New: accepted, Memory: got.Memory, User: []ical.Address{bob}, Now: now})
	if err != nil {
		panic(err)
	}
	reply := answered.Send[0]

	r, err := itip.Apply(itip.Arrival{Stored: saved.Object, Memory: saved.Memory, Message: reply.Calendar, User: []ical.Address{alice}, From: bob, Received: now})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Decision, r.Sentence)
	for _, a := range itip.Attendees(r.Object.Master()) {
		fmt.Println(a.Address, a.PartStat, a.ScheduleStatus)
	}
	// Output:
	// REQUEST to mailto:bob@bob.test
	// Budget | Monday, 2 March 2026, 10:00 – 11:00 (Europe/Berlin, UTC+01:00) | Room 4 | Alice <alice@alice.test>
	// applied Alice invites you to “Budget”.
	// applied bob@bob.test accepted “Budget”.
	// mailto:bob@bob.test ACCEPTED 2.0
}
