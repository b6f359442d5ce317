package davserver_test

import (
	"strings"
	"testing"
)

// RFC 2739 2.4.1: busy time at an address of its own, for those who may know.
func TestFreeBusyURL(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("ann", "PUT", "/dav/calendars/ann/default/a.ics", "Content-Type: text/calendar", strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20260101T000000Z\nDTSTART:20260310T100000Z\nDTEND:20260310T110000Z\nSUMMARY:secret\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")).is(201)

	got := h.as("bob", "GET", "/freebusy/ann", "", "").is(200)
	got.has("METHOD:PUBLISH", "BEGIN:VFREEBUSY", "20260310T100000Z/20260310T110000Z", "ORGANIZER:mailto:ann@example.test")
	if strings.Contains(got.body, "secret") {
		t.Errorf("the URL tells more than busy time:\n%s", got.body)
	}
	h.as("bob", "GET", "/freebusy/ann?start=2026-03-11T00:00:00Z&end=2026-03-12T00:00:00Z", "", "").is(200).has("DTSTART:20260311T000000Z", "DTEND:20260312T000000Z")
	h.as("bob", "GET", "/freebusy/ann?start=yesterday", "", "").is(400)
	h.as("bob", "GET", "/freebusy/nobody", "", "").is(404)
	h.as("bob", "PUT", "/freebusy/ann", "", "x").is(405)
	h.as("", "GET", "/freebusy/ann", "", "").is(401)
}
