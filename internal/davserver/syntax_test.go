package davserver_test

import "testing"

// Events as JSON and as XML, for those who ask (RFC 7265, RFC 6321).
func TestOtherSyntaxes(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	h.as("ann", "GET", ann+"1.ics", "Accept: */*", "").is(200).has("BEGIN:VCALENDAR")
	h.as("ann", "GET", ann+"1.ics", "Accept: application/calendar+json;q=0.5, text/calendar", "").is(200).has("BEGIN:VCALENDAR")
	json := h.as("ann", "GET", ann+"1.ics", "Accept: application/calendar+json", "").is(200).has(`["vcalendar"`, `"One"`).head("Vary", "Accept")
	if tag := json.header.Get("ETag"); tag == h.etag("ann", ann+"1.ics") {
		t.Error("two syntaxes have one entity tag")
	} else {
		h.as("ann", "GET", ann+"1.ics", "Accept: application/calendar+json\nIf-None-Match: "+tag, "").is(304)
		h.as("ann", "PUT", ann+"1.ics", "Content-Type: application/calendar+json\nIf-Match: "+tag, json.body).is(204).head("ETag", "")
	}
	h.as("ann", "GET", ann+"1.ics", "Accept: application/calendar+xml", "").is(200).has("<icalendar", "One")
	h.as("ann", "PUT", ann+"2.ics", "Content-Type: application/calendar+json", `["vcalendar",[["version",{},"text","2.0"],["prodid",{},"text","x"]],[["vevent",[["uid",{},"text","2"],["dtstamp",{},"date-time","2026-03-01T00:00:00Z"],["dtstart",{},"date-time","2026-03-10T10:00:00Z"],["summary",{},"text","From JSON"]],[]]]]`).is(201)
	h.as("ann", "GET", ann+"2.ics", "", "").is(200).has("SUMMARY:From JSON")
	h.as("ann", "PUT", ann+"3.ics", "Content-Type: application/calendar+json", `{`).is(403).has("<c:valid-calendar-data/>")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("C:supported-calendar-data")).has(`content-type="application/calendar+json"`, `content-type="application/calendar+xml"`)
	h.as("ann", "REPORT", ann, "", multiget(`<C:calendar-data content-type="application/calendar+json" version="2.0"/>`, ann+"1.ics")).is(207).has(`["vcalendar"`)
	h.as("ann", "REPORT", ann, "", multiget(`<C:calendar-data content-type="text/vcard"/>`, ann+"1.ics")).is(403).has("supported-calendar-data")
}

// One query over all calendars of a home (RFC 4791 7.2).
func TestQueryOverAHome(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/more/", "", "").is(201)
	h.put("ann", "/dav/calendars/ann/more/2.ics", event("2", one))
	h.put("bob", "/dav/calendars/bob/default/b.ics", event("b", one))
	body := query(`<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>`)
	h.as("ann", "REPORT", "/dav/calendars/ann/", "Depth: infinity", body).is(207).has(ann+"1.ics", "/dav/calendars/ann/more/2.ics").lacks("b.ics")
	h.as("ann", "REPORT", "/dav/calendars/ann/", "Depth: 1", body).is(207).lacks("1.ics")
	h.share("read")
	h.as("bob", "REPORT", "/dav/calendars/bob/", "Depth: infinity", body).is(207).has("b.ics", "/1.ics", "shared-").lacks("2.ics")
}
