package itip_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// values are a valid line for each property that a table asks for or forbids.
var values = map[string]string{
	"DTSTAMP": "DTSTAMP:20260202T090000Z", "DTSTART": "DTSTART:20260302T100000Z", "DTEND": "DTEND:20260302T110000Z",
	"ORGANIZER": "ORGANIZER:mailto:alice@alice.test", "ATTENDEE": "ATTENDEE:mailto:bob@bob.test", "SUMMARY": "SUMMARY:Lunch",
	"UID": "UID:1@alice.test", "SEQUENCE": "SEQUENCE:1", "PRIORITY": "PRIORITY:0", "DESCRIPTION": "DESCRIPTION:Text",
	"REQUEST-STATUS": "REQUEST-STATUS:2.0;Success", "EXDATE": "EXDATE:20260309T100000Z", "RDATE": "RDATE:20260310T100000Z",
	"RRULE": "RRULE:FREQ=DAILY", "RECURRENCE-ID": "RECURRENCE-ID:20260302T100000Z", "VALARM": "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM",
	"DURATION": "DURATION:PT1H", "FREEBUSY": "FREEBUSY:20260302T100000Z/PT1H", "URL": "URL:https://alice.test/",
}

func message(t *testing.T, method, component string, props []string) *ical.Calendar {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nMETHOD:%s\r\nBEGIN:%s\r\n", method, component)
	for _, p := range props {
		line, ok := values[p]
		if !ok {
			t.Fatalf("no value for %s", p)
		}
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "END:%s\r\nEND:VCALENDAR\r\n", component)
	return read(t, b.String())
}

// Every row of every table: a message with what it must have passes; without
// one of these, with one twice, or with one that is forbidden, it does not.
func TestRestrictionTables(t *testing.T) {
	tables := 0
	for _, component := range []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
		for _, method := range []string{"PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"} {
			table, ok := ical.RestrictionsOf(method, component)
			if !ok {
				if err := itip.CheckMessage(message(t, method, component, []string{"UID", "DTSTAMP"})); err == nil {
					t.Errorf("%s of %s passes, but RFC 5546 1.4 does not have it", method, component)
				}
				continue
			}
			tables++
			full := append(slices.Clone(table.One), table.Some...)
			if err := itip.CheckMessage(message(t, method, component, full)); err != nil {
				t.Errorf("%s of %s with %v: %v", method, component, full, err)
			}
			for i, name := range full {
				if err := itip.CheckMessage(message(t, method, component, slices.Delete(slices.Clone(full), i, i+1))); err == nil {
					t.Errorf("%s of %s passes without %s", method, component, name)
				}
			}
			for _, name := range table.One {
				if err := itip.CheckMessage(message(t, method, component, append(slices.Clone(full), name))); err == nil {
					t.Errorf("%s of %s passes with %s twice", method, component, name)
				}
			}
			for _, name := range table.Forbidden {
				if _, ok := values[name]; !ok {
					continue
				}
				if err := itip.CheckMessage(message(t, method, component, append(slices.Clone(full), name))); err == nil {
					t.Errorf("%s of %s passes with %s", method, component, name)
				}
			}
		}
	}
	if tables != 22 {
		t.Errorf("%d tables, RFC 5546 has 22", tables)
	}
}

func TestCheckMessageRefuses(t *testing.T) {
	good := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260202T090000Z\r\n" +
		"DTSTART:20260302T100000Z\r\nDTEND:20260302T110000Z\r\nSUMMARY:x\r\nORGANIZER:mailto:a@a.test\r\nATTENDEE:mailto:b@b.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if err := itip.CheckMessage(read(t, good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"no method", "METHOD:REQUEST\r\n", ""},
		{"unknown method", "METHOD:REQUEST", "METHOD:X-FOO"},
		{"floating start", "DTSTART:20260302T100000Z", "DTSTART:20260302T100000"},
		{"zone without definition", "DTSTART:20260302T100000Z", "DTSTART;TZID=Europe/Berlin:20260302T100000"},
		{"local stamp", "DTSTAMP:20260202T090000Z", "DTSTAMP:20260202T090000"},
		{"agent leaves the house", "ATTENDEE:", "ATTENDEE;SCHEDULE-AGENT=SERVER:"},
		{"the same guest twice", "END:VEVENT", "ATTENDEE:mailto:B@b.test\r\nEND:VEVENT"},
		{"two ends", "END:VEVENT", "DURATION:PT1H\r\nEND:VEVENT"},
		{"cancelled request", "END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT"},
		{"two starts", "END:VEVENT", "DTSTART:20260302T100000Z\r\nEND:VEVENT"},
		{"another uid", "END:VEVENT\r\n", "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20260202T090000Z\r\nDTSTART:20260302T100000Z\r\nSUMMARY:x\r\nORGANIZER:mailto:a@a.test\r\nATTENDEE:mailto:b@b.test\r\nEND:VEVENT\r\n"},
		{"two kinds", "END:VEVENT\r\n", "END:VEVENT\r\nBEGIN:VTODO\r\nUID:1\r\nDTSTAMP:20260202T090000Z\r\nEND:VTODO\r\n"},
		{"series rule in an occurrence", "END:VEVENT", "RECURRENCE-ID:20260302T100000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT"},
	} {
		if err := itip.CheckMessage(read(t, strings.Replace(good, c.old, c.new, 1))); err == nil {
			t.Errorf("%s passes", c.name)
		}
	}
}
