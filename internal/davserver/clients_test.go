package davserver_test

import (
	"strings"
	"testing"
)

// The sequences below are what these clients are known to send, reconstructed
// from their documentation and source, not recorded.

// Apple Calendar: account set-up without slashes, a page of properties at the
// home, a calendar made with its colour, tasks, saving with conditions.
func TestAppleCalendarSequence(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("", "PROPFIND", "/.well-known/caldav", "Depth: 0", props("current-user-principal", "principal-URL", "resourcetype")).is(301)
	h.as("", "PROPFIND", "/dav/", "Depth: 0", props("current-user-principal")).is(401)
	h.as("ann", "PROPFIND", "/dav", "Depth: 0\nBrief: t", props("current-user-principal", "principal-URL", "resourcetype")).is(207).has("/dav/principals/ann/")
	h.as("ann", "OPTIONS", "/dav/principals/ann", "", "").is(200)
	h.as("ann", "PROPFIND", "/dav/principals/ann", "Depth: 0", props("C:calendar-home-set", "C:calendar-user-address-set", "current-user-principal", "displayname",
		"CS:dropbox-home-URL", "CS:email-address-set", "CS:notification-URL", "principal-collection-set", "principal-URL", "resource-id", "C:schedule-inbox-URL", "C:schedule-outbox-URL", "supported-report-set")).is(207).
		has("/dav/calendars/ann/", "mailto:ann@example.test", "/dav/calendars/ann/inbox/", "404")
	h.as("ann", "REPORT", "/dav/principals", "Depth: 0", `<principal-search-property-set xmlns="DAV:"/>`).is(200)
	home := h.as("ann", "PROPFIND", "/dav/calendars/ann", "Depth: 1", props("add-member", "CS:allowed-sharing-modes", "I:autoprovisioned", "x:bulk-requests xmlns:x='http://me.com/_namespace/'",
		"I:calendar-color", "C:calendar-description", "C:calendar-free-busy-set", "I:calendar-order", "C:calendar-timezone", "current-user-privilege-set", "C:default-alarm-vevent-date",
		"C:default-alarm-vevent-datetime", "displayname", "CS:getctag", "I:language-code", "I:location-code", "owner", "CS:pre-publish-url", "CS:publish-url", "CS:push-transports", "CS:pushkey",
		"quota-available-bytes", "quota-used-bytes", "I:refreshrate", "resource-id", "resourcetype", "C:schedule-calendar-transp", "C:schedule-default-calendar-URL", "CS:source",
		"CS:subscribed-strip-alarms", "C:supported-calendar-component-set", "C:supported-calendar-component-sets", "supported-report-set", "sync-token", "CS:xmpp-server", "CS:xmpp-uri")).is(207)
	home.has(ann, "/dav/calendars/ann/tasks/", annBox, "/dav/calendars/ann/outbox/", "<c:calendar/>", "<c:schedule-inbox/>", `<c:comp name="VTODO"/>`)
	h.as("ann", "PROPPATCH", "/dav/calendars/ann/", "", `<A:propertyupdate xmlns:A="DAV:"><A:set><A:prop><B:default-alarm-vevent-datetime xmlns:B="urn:ietf:params:xml:ns:caldav">BEGIN:VALARM`+"\n"+`TRIGGER:-PT15M`+"\n"+`END:VALARM</B:default-alarm-vevent-datetime></A:prop></A:set></A:propertyupdate>`).is(207).has("200 OK")
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", props("C:default-alarm-vevent-datetime")).has("TRIGGER:-PT15M")
	h.as("ann", "PROPPATCH", "/dav/calendars/ann/inbox/", "", `<propertyupdate`+ns+`><set><prop><C:schedule-default-calendar-URL><href>`+ann+`</href></C:schedule-default-calendar-URL></prop></set></propertyupdate>`).is(207).has("200 OK")
	const guid = "/dav/calendars/ann/0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9/"
	h.as("ann", "MKCALENDAR", guid, "Content-Type: text/xml", `<?xml version="1.0" encoding="UTF-8"?><B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav"><A:set xmlns:A="DAV:"><A:prop>
		<B:supported-calendar-component-set><B:comp name="VEVENT"/></B:supported-calendar-component-set><D:calendar-order xmlns:D="http://apple.com/ns/ical/">5</D:calendar-order>
		<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="custom">#63DA38FF</D:calendar-color><A:displayname>Trips</A:displayname><B:calendar-free-busy-set><NO/></B:calendar-free-busy-set></A:prop></A:set></B:mkcalendar>`).is(201)
	h.put("ann", guid+"6F4D.ics", event("6F4D", one+"\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC"))
	h.as("ann", "PROPFIND", guid, "Depth: 1", props("getcontenttype", "getetag")).is(207).has("6F4D.ics")
	h.as("ann", "REPORT", guid, "Depth: 1", syncBody("", "")).is(207).has("6F4D.ics")
	h.as("ann", "REPORT", guid, "Depth: 1", multiget("<C:calendar-data/><C:schedule-tag/><CS:created-by/><CS:updated-by/>", guid+"6F4D.ics")).is(207).has("X-APPLE-TRAVEL-ADVISORY-BEHAVIOR")
	tag := h.etag("ann", guid+"6F4D.ics")
	h.as("ann", "PUT", guid+"6F4D.ics", "Content-Type: text/calendar\nIf-Match: "+tag, event("6F4D", one+"\nSEQUENCE:1")).is(204)
	todo := crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Apple Inc.//iOS//EN\nBEGIN:VTODO\nUID:r1\nDTSTAMP:20260302T080000Z\nSUMMARY:Milk\nBEGIN:VALARM\nUID:al\nX-WR-ALARMUID:al\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nX-APPLE-PROXIMITY:ARRIVE\nEND:VALARM\nEND:VTODO\nEND:VCALENDAR")
	h.as("ann", "PUT", "/dav/calendars/ann/tasks/r1.ics", "Content-Type: text/calendar\nIf-None-Match: *", todo).is(201)
	h.as("ann", "GET", "/dav/calendars/ann/tasks/r1.ics", "", "").has("X-APPLE-PROXIMITY:ARRIVE")
	h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", `<CS:calendarserver-principal-search`+ns+` context="attendee"><CS:search-token>bob</CS:search-token><CS:limit><CS:nresults>50</CS:nresults></CS:limit><prop><C:calendar-user-address-set/><C:calendar-user-type/><displayname/><CS:last-name/><CS:first-name/><CS:record-type/><principal-URL/></prop></CS:calendarserver-principal-search>`).is(207).has("mailto:bob@example.test")
	h.as("ann", "POST", "/dav/calendars/ann/outbox/", "Content-Type: text/calendar", freeBusyAsk("DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nX-CALENDARSERVER-MASK-UID:x\nORGANIZER:mailto:ann@example.test\nATTENDEE:mailto:bob@example.test")).is(200)
	h.as("ann", "DELETE", guid, "", "").is(204)
}

// DAVx5: service detection, collection list, sync in portions, multiget.
func TestDAVx5Sequence(t *testing.T) {
	h := open(t, "ann")
	h.as("ann", "PROPFIND", "/dav/", "Depth: 0", `<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname /><CAL:calendar-description /><current-user-principal /></prop></propfind>`).is(207)
	if d := h.as("ann", "OPTIONS", "/dav/principals/ann/", "", "").is(200).header.Get("DAV"); !strings.Contains(d, "calendar-access") {
		t.Errorf("DAV: %s", d)
	}
	h.as("ann", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("C:calendar-home-set", "group-membership", "displayname", "resourcetype", "C:calendar-user-address-set")).is(207).has("/dav/calendars/ann/")
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", props("resourcetype", "displayname", "owner", "current-user-privilege-set", "C:calendar-description", "I:calendar-color",
		"C:calendar-timezone", "C:calendar-timezone-id", "C:supported-calendar-component-set", "CS:source", "x:transports xmlns:x='https://bitfire.at/webdav-push'")).is(207).has(ann)
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("C:max-resource-size", "C:supported-calendar-data", "supported-report-set", "CS:getctag", "sync-token")).is(207).has("<d:sync-collection/>")
	h.put("ann", ann+"a.ics", event("a", one))
	h.put("ann", ann+"b.ics", event("b", one))
	first := h.as("ann", "REPORT", ann, "Depth: 0", syncBody("", "1")).is(207).has("507")
	h.as("ann", "REPORT", ann, "Depth: 0", syncBody(first.find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`), "1")).is(207)
	h.as("ann", "REPORT", ann, "", multiget(`<getcontenttype/><C:schedule-tag/><C:calendar-data content-type="text/calendar" version="2.0"/>`, ann+"a.ics", ann+"b.ics")).is(207).has("UID:a", "UID:b")
	h.as("ann", "PUT", ann+"a.ics", "Content-Type: text/calendar; charset=utf-8\nIf-None-Match: *", event("a", one)).is(412)
	h.as("ann", "DELETE", ann+"a.ics", "If-Match: "+h.etag("ann", ann+"a.ics"), "").is(204)
}

// Thunderbird: the calendar's address given directly; sync or ctag; inbox and outbox.
func TestThunderbirdSequence(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("ann", "PROPFIND", ann, "Depth: 0\nContent-Type: text/xml; charset=utf-8", `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:resourcetype/><D:owner/><D:current-user-principal/><D:current-user-privilege-set/><D:supported-report-set/><C:supported-calendar-component-set/><CS:getctag/></D:prop></D:propfind>`).is(207).
		has("<c:calendar/>", "<cs:getctag>")
	if d := h.as("ann", "OPTIONS", "/dav/calendars/ann/", "", "").header.Get("DAV"); !strings.Contains(d, "calendar-auto-schedule") {
		t.Errorf("DAV: %s", d)
	}
	h.as("ann", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("C:calendar-home-set", "C:calendar-user-address-set", "C:schedule-inbox-URL", "C:schedule-outbox-URL")).is(207).has("inbox", "outbox")
	h.as("ann", "PUT", ann+"t.ics", "Content-Type: text/calendar; charset=utf-8\nIf-None-Match: *", event("t", one)).is(201)
	a := h.as("ann", "REPORT", ann, "Depth: 1\nContent-Type: text/xml; charset=utf-8", strings.Replace(syncBody("", ""), "<getetag/>", "<getcontenttype/><getetag/>", 1)).is(207).has("t.ics", "text/calendar; charset=utf-8; component=vevent")
	h.as("ann", "REPORT", ann, "Depth: 1", multiget("<C:calendar-data/>", ann+"t.ics")).is(207).has("UID:t")
	h.as("ann", "REPORT", ann, "Depth: 1", syncBody(a.find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`), "")).is(207).lacks("<d:response>")
	h.as("ann", "REPORT", ann, "Depth: 1", syncBody("http://old.test/1", "")).is(403).has("valid-sync-token")
	h.as("ann", "PROPFIND", annBox, "Depth: 1", props("getetag")).is(207)
	h.as("ann", "POST", "/dav/calendars/ann/outbox/", "Content-Type: text/calendar; charset=utf-8\nOriginator: mailto:ann@example.test\nRecipient: mailto:bob@example.test", freeBusyAsk("DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:ann@example.test\nATTENDEE:mailto:bob@example.test")).is(200)
	h.as("ann", "DELETE", ann+"t.ics", "If-Match: "+h.etag("ann", ann+"t.ics"), "").is(204)
}

// Evolution: ctag polling, a list of entity tags, queries by time.
func TestEvolutionSequence(t *testing.T) {
	h := open(t, "ann")
	if m := h.as("ann", "OPTIONS", ann, "", "").is(200).header.Get("Allow"); !strings.Contains(m, "PUT") && !strings.Contains(m, "POST") {
		t.Errorf("Allow: %s makes the calendar look read-only", m)
	}
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:getctag")).is(207).has("getctag>")
	h.put("ann", ann+"e.ics", event("e", one))
	h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag")).is(207).has("e.ics")
	h.as("ann", "REPORT", ann, "Depth: 1", query(`<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>`)).is(207).has("e.ics")
	h.as("ann", "REPORT", ann, "Depth: 1", multiget("<C:calendar-data/>", ann+"e.ics")).is(207).has("UID:e")
	h.as("ann", "GET", ann+"e.ics", "", "").is(200)
	h.as("ann", "PROPFIND", "/", "Depth: 0", props("current-user-principal")).is(207)
	h.as("ann", "PUT", ann+"e.ics", "Content-Type: text/calendar; charset=\"utf-8\"\nIf-Match: "+h.etag("ann", ann+"e.ics"), event("e", one+"\nX-EVOLUTION-CALDAV-ETAG:x")).is(204)
}

// KDE: one query for each kind of component; Outlook CalDav Synchronizer:
// Windows zones, braces and a range from the year 1; vdirsyncer: absolute URLs.
func TestOtherClients(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"k.ics", event("k", one))
	for comp, n := range map[string]int{"VEVENT": 1, "VTODO": 0, "VJOURNAL": 0} {
		a := h.as("ann", "REPORT", ann, "Depth: 1", strings.Replace(query(""), `name="VEVENT"`, `name="`+comp+`"`, 1)).is(207)
		if got := strings.Count(a.body, "<d:response>"); got != n {
			t.Errorf("%s: %d objects, want %d", comp, got, n)
		}
	}
	outlook := event("{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "DTSTART;TZID=W. Europe Standard Time:20260310T100000\nDTEND;TZID=W. Europe Standard Time:20260310T110000\nSUMMARY:Windows")
	h.as("ann", "PUT", ann+"%7B6F9619FF-8B86-D011-B42D-00C04FC964FF%7D.ics", "Content-Type: text/calendar", outlook).is(201)
	h.as("ann", "REPORT", ann, "Depth: 1", query(`<C:time-range start="20260310T093000Z" end="20260310T094500Z"/>`)).is(207).has("Windows").lacks("UID:k")
	h.as("ann", "REPORT", ann, "Depth: 1", query(`<C:time-range start="00010101T000000Z" end="20270101T000000Z"/>`)).is(207).has("Windows")
	h.as("ann", "REPORT", ann, "Depth: 1", multiget("<C:calendar-data/>", "http://cal.example.test"+ann+"k.ics")).is(207).has("UID:k")
}
