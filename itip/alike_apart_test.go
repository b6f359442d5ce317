package itip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Whose line looks like another's, but who is the organizer too, or in whose
// place somebody comes, gets their own result and not the other's.
func TestAlikeLooksAtSomeByThemselves(t *testing.T) {
	for name, lines := range map[string][]string{
		"the organizer":           {"ORGANIZER:mailto:alice@a.test", "ATTENDEE:mailto:bob@a.test", "ATTENDEE:mailto:alice@a.test"},
		"the organizer's mailbox": {"ORGANIZER;EMAIL=alice@a.test:urn:uuid:1", "ATTENDEE:mailto:bob@a.test", "ATTENDEE:mailto:alice@a.test"},
		"a delegate":              {"ORGANIZER:mailto:carol@a.test", "ATTENDEE:mailto:bob@a.test", "ATTENDEE:mailto:alice@a.test", "ATTENDEE;DELEGATED-TO=\"mailto:alice@a.test\":mailto:dan@a.test"},
		"somebody's secretary":    {"ORGANIZER:mailto:carol@a.test", "ATTENDEE:mailto:bob@a.test", "ATTENDEE:mailto:alice@a.test", "ATTENDEE;SENT-BY=\"mailto:alice@a.test\":mailto:dan@a.test"},
	} {
		for _, method := range []itip.Method{itip.Request, itip.Cancel} {
			m := read(t, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nMETHOD:"+string(method)+"\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260201T080000Z\r\nDTSTART:20260302T090000Z\r\nSUMMARY:x\r\n"+strings.Join(lines, "\r\n")+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
			var like itip.Alike
			for _, who := range []ical.Address{"mailto:bob@a.test", "mailto:alice@a.test"} {
				a := itip.Arrival{Message: m, Method: method, User: []ical.Address{who}, Received: time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC), AutoAdd: true}
				got, err := like.Apply(a, "", func() (*ical.Calendar, error) { return nil, nil })
				if err != nil {
					t.Fatal(err)
				}
				want, err := itip.Apply(a)
				if err != nil {
					t.Fatal(err)
				}
				if x, y := resultText(got), resultText(want); x != y {
					t.Errorf("%s, %s to %s:\n%s\ninstead of\n%s", name, method, who, x, y)
				}
			}
		}
	}
}
