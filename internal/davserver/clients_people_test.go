package davserver_test

import (
	"strings"
	"testing"
)

// What the same clients do once there are other people: delegation, shared
// calendars, invitations. Reconstructed like the sequences beside them.

// Apple Calendar: who acts for whom, a colleague found by name, notifications
// and inbox polled, answers with the schedule tag, defaults for alarms.
func TestAppleCalendarWithPeople(t *testing.T) {
	h := open(t, "ann", "bob")
	const me, annHome, bobHome = "/dav/principals/ann/", "/dav/calendars/ann/", "/dav/calendars/bob/"

	// Delegation: expand-property over both lists, then members of a proxy group.
	h.as("ann", "REPORT", me, "Depth: 0", `<expand-property xmlns="DAV:"><property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/"><property name="displayname"/><property name="principal-URL"/><property name="calendar-user-address-set" namespace="urn:ietf:params:xml:ns:caldav"/></property><property name="calendar-proxy-read-for" namespace="http://calendarserver.org/ns/"><property name="displayname"/><property name="principal-URL"/></property></expand-property>`).is(207).
		has("<cs:calendar-proxy-write-for", "<cs:calendar-proxy-read-for").lacks("bob")
	h.as("bob", "PROPPATCH", "/dav/principals/bob/calendar-proxy-write/", "", `<propertyupdate`+ns+`><set><prop><group-member-set><href>`+me+`</href></group-member-set></prop></set></propertyupdate>`).is(207).has("200 OK")
	h.as("bob", "REPORT", "/dav/principals/bob/", "Depth: 0", `<expand-property xmlns="DAV:"><property name="calendar-proxy-write" namespace="http://calendarserver.org/ns/"/><property name="principal-URL"/></expand-property>`).is(207)
	h.as("bob", "REPORT", "/dav/principals/bob/calendar-proxy-write/", "Depth: 0", `<expand-property xmlns="DAV:"><property name="group-member-set"><property name="displayname"/><property name="email-address-set" namespace="http://calendarserver.org/ns/"/></property></expand-property>`).is(207).has(me, "ann@example.test")
	h.as("ann", "REPORT", me, "Depth: 0", `<expand-property xmlns="DAV:"><property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/"><property name="displayname"/><property name="principal-URL"/><property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"/></property></expand-property>`).is(207).
		has("/dav/principals/bob/", bobHome)
	h.as("ann", "PROPFIND", bobHome, "Depth: 1", props("resourcetype", "current-user-privilege-set", "CS:getctag", "displayname")).is(207).has(bobHome+"default/", "<d:write-content/>")

	// A colleague by a part of the name, in several properties at once.
	search := func(text string) string {
		match := func(prop string) string {
			return `<property-search><prop>` + prop + `</prop><match match-type="starts-with">` + text + `</match></property-search>`
		}
		return `<principal-property-search` + ns + ` test="anyof">` + match("<displayname/>") + match("<CS:email-address-set/>") + match("<CS:first-name/>") + match("<CS:last-name/>") +
			`<prop><principal-URL/><C:calendar-user-address-set/><displayname/><CS:last-name/><CS:first-name/><CS:email-address-set/><CS:record-type/><C:calendar-user-type/></prop></principal-property-search>`
	}
	h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", search("bo")).is(207).has("mailto:bob@example.test", "<c:calendar-user-type>INDIVIDUAL")
	h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", search("zz")).is(207).lacks("<d:response>")

	// A shared calendar comes as a notification, which is read, answered and taken away.
	h.as("bob", "POST", bob, "Content-Type: application/xml", `<CS:share`+ns+`><CS:set><href>mailto:ann@example.test</href><CS:summary>Bob's</CS:summary><CS:read-write/></CS:set></CS:share>`).is(200)
	list := h.as("ann", "PROPFIND", annHome+"notification/", "Depth: 1", props("CS:notificationtype", "getetag", "resourcetype")).is(207).has("<cs:invite-notification")
	note := list.find(`<d:href>(` + annHome + `notification/[^<]+\.xml)</d:href>`)
	invite := h.as("ann", "GET", note, "", "").is(200).has("<cs:invite-notification", "<cs:read-write/>", "<cs:uid>")
	uid, shared := invite.find(`<cs:uid>([^<]*)</cs:uid>`), invite.find(`<cs:hosturl><d:href>([^<]*)</d:href>`)
	accepted := h.as("ann", "POST", annHome, "Content-Type: application/xml", `<CS:invite-reply`+ns+`><href>mailto:ann@example.test</href><CS:invite-accepted/><CS:hosturl><href>`+shared+`</href></CS:hosturl><CS:in-reply-to>`+uid+`</CS:in-reply-to><CS:summary>Bob's</CS:summary></CS:invite-reply>`).is(200)
	mine := accepted.find(`<cs:shared-as[^>]*><d:href>([^<]*)</d:href>`)
	h.as("ann", "DELETE", note, "", "").is(204, 404) // accepting has taken it away
	h.as("bob", "PROPFIND", bobHome+"notification/", "Depth: 1", props("CS:notificationtype")).is(207).has("<cs:invite-reply")
	h.as("ann", "PROPPATCH", mine, "", `<propertyupdate`+ns+`><set><prop><I:calendar-color symbolic-color="red">#FF2968FF</I:calendar-color><I:calendar-order>7</I:calendar-order><displayname>Bob at work</displayname><C:default-alarm-vevent-date>BEGIN:VALARM`+"\nTRIGGER:-PT9H\nEND:VALARM"+`</C:default-alarm-vevent-date></prop></set></propertyupdate>`).is(207).lacks("HTTP/1.1 403", "HTTP/1.1 409")
	h.as("ann", "PROPFIND", mine, "Depth: 0", props("I:calendar-color", "I:calendar-order", "displayname", "C:default-alarm-vevent-date", "CS:invite", "owner")).is(207).has("#FF2968FF", "Bob at work", "TRIGGER:-PT9H", "/dav/principals/bob/")
	h.as("bob", "PROPFIND", bob, "Depth: 0", props("I:calendar-color", "displayname")).is(207).lacks("#FF2968FF", "Bob at work")

	// An invitation: inbox polled, copy found in the calendar, answered with its schedule tag, message removed.
	h.put("bob", bob+"m.ics", event("m1", "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\nSUMMARY:Talk\nORGANIZER:mailto:bob@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.test"))
	h.as("ann", "PROPFIND", annBox, "Depth: 0", props("CS:getctag", "sync-token", "C:schedule-default-calendar-URL", "C:calendar-availability")).is(207).has(ann)
	box := h.as("ann", "PROPFIND", annBox, "Depth: 1", props("getetag", "getcontenttype")).is(207)
	message := box.find(`<d:href>(` + annBox + `[^<]+)</d:href>`)
	h.as("ann", "REPORT", annBox, "Depth: 1", multiget("<C:calendar-data/><CS:created-by/><CS:updated-by/><C:schedule-tag/>", message)).is(207).has("METHOD:REQUEST")
	copyOf := h.as("ann", "REPORT", ann, "Depth: 1", syncBody("", "")).is(207).find(`<d:href>(` + ann + `[^<]+)</d:href>`)
	got := h.as("ann", "GET", copyOf, "", "").is(200)
	answer := strings.Replace(got.body, "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1)
	h.as("ann", "PUT", copyOf, "Content-Type: text/calendar\nIf-Schedule-Tag-Match: "+got.header.Get("Schedule-Tag"), answer).is(204)
	h.as("ann", "DELETE", message, "", "").is(204)
	h.as("bob", "GET", bob+"m.ics", "", "").is(200).has("PARTSTAT=ACCEPTED", "SCHEDULE-STATUS=2.0")
	h.as("ann", "PUT", copyOf, "Content-Type: text/calendar\nIf-Schedule-Tag-Match: \"old\"", answer).is(412)

	// Publishing, and an end of it all.
	h.as("bob", "POST", bob, "Content-Type: application/xml", `<CS:publish-calendar`+ns+`/>`).is(200, 202)
	h.as("bob", "PROPFIND", bob, "Depth: 0", props("CS:publish-url", "CS:pre-publish-url", "CS:allowed-sharing-modes")).is(207).has("<cs:can-be-shared/>", "/feeds/")
	h.as("bob", "POST", bob, "Content-Type: application/xml", `<CS:unpublish-calendar`+ns+`/>`).is(200, 202)
	h.as("ann", "DELETE", mine, "", "").is(204)
	h.as("bob", "PROPFIND", bob, "Depth: 0", props("CS:invite")).is(207)
}

// Thunderbird: where a calendar's owner and the scheduling collections are, found
// from the calendar alone; read-only calendars; an invitation answered.
func TestThunderbirdWithPeople(t *testing.T) {
	h := open(t, "ann", "bob")
	// From the calendar to the home's rights to schedule: OPTIONS on the home, the
	// principals' collection, then the principal, by search if it is not told.
	if d := h.as("ann", "OPTIONS", "/dav/calendars/ann/", "", "").is(200).header.Get("DAV"); !strings.Contains(d, "calendar-auto-schedule") {
		t.Errorf("DAV: %s", d)
	}
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:principal-collection-set/></D:prop></D:propfind>`).is(207).has("<d:href>/dav/principals/</d:href>")
	h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<D:principal-property-search xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:property-search><D:prop><C:calendar-home-set/></D:prop><D:match>/dav/calendars/ann/</D:match></D:property-search><D:prop><C:calendar-home-set/><C:calendar-user-address-set/><C:schedule-inbox-URL/><C:schedule-outbox-URL/></D:prop></D:principal-property-search>`).is(207).
		has("<d:href>/dav/principals/ann/</d:href>", annBox)
	// Another's calendar that can only be read says so.
	h.as("bob", "ACL", bob, "", `<acl`+ns+`><ace><principal><href>/dav/principals/ann/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	h.as("ann", "PROPFIND", bob, "Depth: 0", props("resourcetype", "current-user-privilege-set", "owner", "current-user-principal")).is(207).has("<d:read/>", "/dav/principals/bob/").lacks("<d:write/>", "<d:write-content/>", "<d:bind/>")
	// The program's own header fields, and an answer without RSVP.
	h.put("bob", bob+"m.ics", event("m1", "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\nORGANIZER;RSVP=TRUE;CN=Bob;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:bob@example.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:ann@example.test\nX-MOZ-SEND-INVITATIONS:TRUE\nX-MOZ-GENERATION:1"))
	copyOf := h.as("ann", "REPORT", ann, "Depth: 1", syncBody("", "")).is(207).find(`<d:href>(` + ann + `[^<]+)</d:href>`)
	got := h.as("ann", "GET", copyOf, "", "").is(200)
	h.as("ann", "PUT", copyOf, "Content-Type: text/calendar; charset=utf-8\nIf-Match: "+got.header.Get("ETag"), strings.Replace(strings.Replace(got.body, "PARTSTAT=NEEDS-ACTION", "PARTSTAT=DECLINED", 1), "END:VEVENT", "X-MOZ-LASTACK:20260302T080000Z\r\nEND:VEVENT", 1)).is(204)
	h.as("bob", "GET", bob+"m.ics", "", "").is(200).has("PARTSTAT=DECLINED").lacks("X-MOZ-LASTACK")
}

// DAVx5 with jtx Board and Tasks: collections of one kind each, made by extended
// MKCOL; the homes of those for whom the user acts; groups.
func TestDAVx5WithTasksAndPeople(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("", "PROPFIND", "/.well-known/caldav", "Depth: 0", props("current-user-principal")).is(301)
	h.as("bob", "PROPPATCH", "/dav/principals/bob/calendar-proxy-read/", "", `<propertyupdate`+ns+`><set><prop><group-member-set><href>/dav/principals/ann/</href></group-member-set></prop></set></propertyupdate>`).is(207).has("200 OK")
	p := h.as("ann", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("displayname", "C:calendar-home-set", "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for", "group-membership")).is(207).has("/dav/calendars/ann/")
	p.has("<cs:calendar-proxy-read-for><d:href>/dav/principals/bob/")
	group := p.find(`<d:group-membership>.*?<d:href>([^<]*calendar-proxy-read/)</d:href>`)
	h.as("ann", "PROPFIND", group, "Depth: 0", props("displayname", "C:calendar-home-set", "CS:calendar-proxy-read-for", "group-membership")).is(207)
	h.as("ann", "PROPFIND", "/dav/principals/bob/", "Depth: 0", props("C:calendar-home-set")).is(207).has("/dav/calendars/bob/")
	h.as("ann", "PROPFIND", "/dav/calendars/bob/", "Depth: 1", props("resourcetype", "displayname", "current-user-privilege-set")).is(207).has(bob).lacks("<d:write-content/>")
	for comp, lines := range map[string]string{"VTODO": "STATUS:IN-PROCESS\nPERCENT-COMPLETE:40\nRELATED-TO;RELTYPE=PARENT:t0", "VJOURNAL": "DTSTART;VALUE=DATE:20260310\nSUMMARY:Notes\nCOLOR:red"} {
		coll := "/dav/calendars/ann/" + strings.ToLower(comp) + "s/"
		h.as("ann", "MKCOL", coll, "Content-Type: application/xml; charset=utf-8", `<?xml version='1.0' encoding='UTF-8' ?><mkcol xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"><set><prop><resourcetype><collection /><CAL:calendar /></resourcetype><displayname>jtx</displayname><n1:calendar-color xmlns:n1="http://apple.com/ns/ical/">#2F80EDFF</n1:calendar-color><CAL:calendar-timezone-id>Europe/Vienna</CAL:calendar-timezone-id><CAL:supported-calendar-component-set><CAL:comp name="`+comp+`" /></CAL:supported-calendar-component-set></prop></set></mkcol>`).is(201)
		h.as("ann", "PROPFIND", coll, "Depth: 0", props("C:supported-calendar-component-set", "I:calendar-color", "C:calendar-timezone-id")).is(207).has(`<c:comp name="`+comp+`"/>`, "#2F80EDFF", "Europe/Vienna")
		body := crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:DAVx5/4 ical4j\nBEGIN:" + comp + "\nUID:x-" + comp + "\nDTSTAMP:20260302T080000Z\n" + lines + "\nEND:" + comp + "\nEND:VCALENDAR")
		h.as("ann", "PUT", coll+"x.ics", "Content-Type: text/calendar; charset=utf-8\nIf-None-Match: *", body).is(201)
		h.as("ann", "PUT", coll+"e.ics", calendarHead, event("e-"+comp, one)).is(403).has("supported-calendar-component")
		h.as("ann", "REPORT", coll, "Depth: 1", `<CAL:calendar-query xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"><prop><getetag /></prop><CAL:filter><CAL:comp-filter name="VCALENDAR"><CAL:comp-filter name="`+comp+`" /></CAL:comp-filter></CAL:filter></CAL:calendar-query>`).is(207).has("x.ics")
		h.as("ann", "PROPPATCH", coll, "", `<propertyupdate`+ns+`><set><prop><displayname>renamed</displayname></prop></set><remove><prop><I:calendar-color/></prop></remove></propertyupdate>`).is(207).lacks("403")
		h.as("ann", "DELETE", coll, "If-Match: *", "").is(204)
	}
}

// Outlook CalDav Synchronizer: its test of a profile, and a round of a
// synchronisation with a filter by time and category.
func TestOutlookSynchronizerSequence(t *testing.T) {
	h := open(t, "ann", "bob")
	if d := h.as("ann", "OPTIONS", ann, "", "").is(200).header.Get("DAV"); !strings.Contains(d, "calendar-access") {
		t.Errorf("DAV: %s", d)
	}
	h.as("ann", "PROPFIND", ann, "Depth: 0", `<?xml version='1.0'?><D:propfind xmlns:D="DAV:"><D:prop><D:supported-report-set/></D:prop></D:propfind>`).is(207).has("calendar-query")
	h.as("ann", "PROPFIND", ann, "Depth: 0", `<?xml version='1.0'?><D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>`).is(207).has("<d:write-content/>", "<d:bind/>", "<d:unbind/>")
	h.as("ann", "PROPFIND", ann, "Depth: 0", `<?xml version='1.0'?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><A:calendar-color xmlns:A="http://apple.com/ns/ical/"/></D:prop></D:propfind>`).is(207).has("<c:calendar/>")
	h.as("ann", "PROPPATCH", ann, "", `<?xml version='1.0'?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><A:calendar-color xmlns:A="http://apple.com/ns/ical/">#1E90FFFF</A:calendar-color></D:prop></D:set></D:propertyupdate>`).is(207).has("200 OK")
	body := event("040000008200E00074C5B7101A82E008", "CLASS:PUBLIC\nPRIORITY:5\nDTSTART;TZID=W. Europe Standard Time:20260310T100000\nDTEND;TZID=W. Europe Standard Time:20260310T110000\nSUMMARY:Outlook\nCATEGORIES:Blue Category\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\nX-ALT-DESC;FMTTYPE=text/html:<html></html>\nSEQUENCE:0")
	h.as("ann", "PUT", ann+"040000008200E00074C5B7101A82E008.ics", "Content-Type: text/calendar\nIf-None-Match: *", body).is(201)
	h.put("ann", ann+"other.ics", event("other", one))
	versions := h.as("ann", "REPORT", ann, "Depth: 1", `<?xml version="1.0"?><C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop xmlns:D="DAV:"><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260101T000000Z" end="20270101T000000Z"/><C:prop-filter name="CATEGORIES"><C:text-match negate-condition="no">Blue Category</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`).is(207).
		has("040000008200E00074C5B7101A82E008.ics").lacks("other.ics")
	tag := versions.find(`<d:getetag>([^<]*)</d:getetag>`)
	h.as("ann", "REPORT", ann, "Depth: 1", `<?xml version="1.0"?><C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop><D:getetag/><D:displayname/><C:calendar-data/></D:prop><D:href>`+ann+`040000008200E00074C5B7101A82E008.ics</D:href><D:href>`+ann+`gone.ics</D:href></C:calendar-multiget>`).is(207).
		has("W. Europe Standard Time", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "404")
	h.as("ann", "PUT", ann+"040000008200E00074C5B7101A82E008.ics", "Content-Type: text/calendar\nIf-Match: "+tag, strings.Replace(body, "SEQUENCE:0", "SEQUENCE:1", 1)).is(204)
	h.as("ann", "PUT", ann+"040000008200E00074C5B7101A82E008.ics", "Content-Type: text/calendar\nIf-Match: "+tag, body).is(412)
	h.as("ann", "PROPFIND", ann+"040000008200E00074C5B7101A82E008.ics", "Depth: 0", `<?xml version='1.0'?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>`).is(207).has("<d:getetag>")
	h.as("ann", "DELETE", ann+"040000008200E00074C5B7101A82E008.ics", "If-Match: "+tag, "").is(412)
	h.as("ann", "DELETE", ann+"040000008200E00074C5B7101A82E008.ics", "", "").is(204)
	h.as("ann", "POST", "/dav/calendars/ann/outbox/", "Content-Type: text/calendar", freeBusyAsk("DTSTART:20260310T000000Z\nDTEND:20260311T000000Z\nORGANIZER:mailto:ann@example.test\nATTENDEE:mailto:bob@example.test")).is(200).has("2.0;Success")
}
