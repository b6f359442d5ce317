package davserver_test

import "testing"

// RFC 9110 13.1.4, for every method that changes an object.
func TestIfUnmodifiedSince(t *testing.T) {
	const ann, before, after = "/dav/calendars/ann/default/", "If-Unmodified-Since: Sun, 01 Mar 2026 00:00:00 GMT", "If-Unmodified-Since: Tue, 03 Mar 2026 00:00:00 GMT"
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", "DTSTART:20260302T090000Z"))
	changed := event("1", "DTSTART:20260302T100000Z")
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\n"+before, changed).is(412)
	h.as("ann", "MOVE", ann+"1.ics", "Destination: "+ann+"2.ics\n"+before, "").is(412)
	h.as("ann", "DELETE", ann+"1.ics", before, "").is(412)
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nIf-Unmodified-Since: yesterday", changed).is(204)
	h.as("ann", "DELETE", ann+"1.ics", after, "").is(204)
}

// RFC 4791 5.3.2.1: half an upload does not take the place of what is stored.
func TestHalfAnObjectIsRefused(t *testing.T) {
	h := open(t, "ann")
	whole := event("1", "DTSTART:20260302T090000Z")
	h.put("ann", "/dav/calendars/ann/default/1.ics", whole)
	h.as("ann", "PUT", "/dav/calendars/ann/default/1.ics", calendarHead, whole[:len(whole)-len("END:VCALENDAR\r\n")]).is(403).has("<c:valid-calendar-data/>")
	h.as("ann", "GET", "/dav/calendars/ann/default/1.ics", "", "").is(200).has("END:VCALENDAR")
}
