package davserver_test

import (
	"strings"
	"testing"
)

// A principal's URL in ORGANIZER and ATTENDEE becomes the mail address of that
// principal, however it is written; one of another server, or of nobody, stays
// what it is and is told to have no calendar (RFC 6638 2.4.1, 3.2.9).
func TestPrincipalsAsAddresses(t *testing.T) {
	h := open(t, "ann", "bob", "cat")
	const bob = "mailto:bob@example.test"
	for i, c := range []struct{ attendee, is string }{
		{"ATTENDEE:/dav/principals/bob/", bob},
		{"ATTENDEE;PARTSTAT=NEEDS-ACTION:/dav/princi\r\n pals/bob/", bob},
		{"attendee:/dav/principals/bob/", bob},
		{"Attendee:/dav/principals/bob/", bob},
		{"aTTENDEE:/dav/principals/%62ob", bob},
		{"ATTENDEE:http://evil.test/dav/principals/bob/", "http://evil.test/dav/principals/bob/"},
		{"ATTENDEE://evil.test/dav/principals/bob/", "//evil.test/dav/principals/bob/"},
		{"ATTENDEE:/dav/principals/cat/../bob/", "/dav/principals/cat/../bob/"},
		{"ATTENDEE:/dav/principals/cat%2F..%2Fbob/", "/dav/principals/cat%2F..%2Fbob/"},
		{"ATTENDEE:/dav/principals/nobody/", "/dav/principals/nobody/"},
		{"ATTENDEE:/dav/principals/bob/calendar-proxy-write/", "/dav/principals/bob/calendar-proxy-write/"},
	} {
		organizer, me := "ORGANIZER:/dav/principals/ann/", "ATTENDEE;PARTSTAT=ACCEPTED:/dav/principals/ann/"
		if strings.HasPrefix(strings.ToLower(c.attendee[:2]), "at") && c.attendee[:2] != "AT" {
			name, _, _ := strings.Cut(c.attendee, ":")
			organizer, me = strings.ToLower(organizer[:9])+organizer[9:], name+me[len("ATTENDEE"):]
		}
		path := ann + "p" + string(rune('a'+i)) + ".ics"
		text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:" + path + "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20261215T090000Z\r\nSUMMARY:Lunch\r\n" +
			organizer + "\r\n" + me + "\r\n" + c.attendee + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		h.as("ann", "PUT", path, "Content-Type: text/calendar", text).is(201)
		got := strings.ReplaceAll(h.as("ann", "GET", path, "", "").is(200).body, "\r\n ", "")
		status := "SCHEDULE-STATUS=1.2"
		if c.is != bob {
			status = "SCHEDULE-STATUS=3.7"
		}
		if !strings.Contains(got, ":"+c.is+"\r\n") || !strings.Contains(got, ":mailto:ann@example.test\r\n") || !strings.Contains(got, status) {
			t.Errorf("%q: want %s, %s in\n%s", c.attendee, c.is, status, got)
		}
	}
}
