package e2e

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/pg"
)

const davNS = ` xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"`

func find(names ...string) string {
	return `<propfind` + davNS + `><prop><` + strings.Join(names, "/><") + `/></prop></propfind>`
}

func patch(set string) string {
	return `<propertyupdate` + davNS + `><set><prop>` + set + `</prop></set></propertyupdate>`
}

func query(filter string) string {
	return `<C:calendar-query` + davNS + `><prop><getetag/><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR">` + filter + `</C:comp-filter></C:filter></C:calendar-query>`
}

// CalDAV, requirement by requirement, against the built program: each row is
// one line of what docs/caldav.md promises, in the order of a session, on both
// databases.
func TestCalDAVConformance(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { conformance(t, nil) })
	t.Run("PostgreSQL", func(t *testing.T) { conformance(t, []string{"CONVENE_STORE_URL=" + pg.Database(t)}) })
}

func conformance(t *testing.T, args []string) {
	s := newService(t, "example.test", []string{"alice", "bob"}, args...).start()
	const (
		home = "/dav/calendars/alice/"
		at   = home + "default/"
		me   = "/dav/principals/alice/"
	)
	meeting := event("meet", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:Meet\nORGANIZER:mailto:alice@example.test\nATTENDEE:mailto:alice@example.test\nATTENDEE:mailto:bob@example.test")
	series := event("series", "DTSTART:20270401T080000Z\nDTEND:20270401T090000Z\nRRULE:FREQ=DAILY\nSUMMARY:Series")
	ics := []string{"Content-Type", "text/calendar; charset=utf-8"}
	with := func(more ...string) []string { return append(ics[:len(ics):len(ics)], more...) }
	depth := func(d string) []string { return []string{"Depth", d} }
	for _, row := range []struct {
		id, what           string
		user, method, path string
		body               string
		header             []string
		status             int
		has, lacks         string
	}{
		{"A1", "OPTIONS tells classes and methods", "alice", "OPTIONS", at, "", nil, 200, "", ""},
		{"A3", "OPTIONS without signing in", "", "OPTIONS", at, "", nil, 200, "", ""},
		{"A4", "PROPFIND Depth 1", "alice", "PROPFIND", home, "", depth("1"), 207, at, ""},
		{"A4", "infinity is refused with its condition", "alice", "PROPFIND", home, "", depth("infinity"), 403, "propfind-finite-depth", ""},
		{"A5", "allprop with include", "alice", "PROPFIND", at, `<propfind` + davNS + `><allprop/><include><C:supported-calendar-data/></include></propfind>`, depth("0"), 207, "text/calendar", ""},
		{"A5", "propname", "alice", "PROPFIND", at, `<propfind` + davNS + `><propname/></propfind>`, depth("0"), 207, "<d:getlastmodified/>", ""},
		{"A6", "an unknown property is 404 of its own", "alice", "PROPFIND", at, find("displayname", "nothing xmlns='u:x'"), depth("0"), 207, "404 Not Found", ""},
		{"A8", "no slash at the end", "alice", "PROPFIND", home + "default", find("displayname"), depth("0"), 207, "<d:href>" + at + "</d:href>", ""},
		{"A9", "PROPPATCH is all or nothing", "alice", "PROPPATCH", at, patch("<displayname>no</displayname><getetag>x</getetag>"), nil, 207, "424", "200 OK"},
		{"A10", "dead properties", "alice", "PROPPATCH", at, patch(`<x:y xmlns:x="u:x" xml:lang="de">z</x:y>`), nil, 207, "200 OK", ""},
		{"A10", "with their language", "alice", "PROPFIND", at, find("y xmlns='u:x'"), depth("0"), 207, `xml:lang="de"`, ""},
		{"A13", "malformed XML", "alice", "PROPFIND", at, "<propfind", depth("0"), 400, "", ""},
		{"A14", "entities", "alice", "PROPFIND", at, `<!DOCTYPE a [<!ENTITY b "c">]><propfind xmlns="DAV:"/>`, depth("0"), 400, "", ""},
		{"A15", "MKCOL", "alice", "MKCOL", home + "plain/", "", nil, 201, "", ""},
		{"A15", "MKCOL where something is", "alice", "MKCOL", at, "", nil, 405, "", ""},
		{"A15", "MKCOL without a parent", "alice", "MKCOL", home + "none/none/", "", nil, 409, "", ""},
		{"A15", "MKCOL with what is no XML", "alice", "MKCOL", home + "odd/", "x", []string{"Content-Type", "text/plain"}, 415, "", ""},
		{"A24", "LOCK", "alice", "LOCK", home + "plain/file", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`, depth("0"), 201, "<d:locktoken>", ""},
		{"A24", "423 for who has no token", "alice", "PUT", home + "plain/file", "x", nil, 423, "lock-token-submitted", ""},
		{"A16", "DELETE is refused while a member is locked", "alice", "DELETE", home + "plain/", "", nil, 423, "", ""},
		{"A29", "supported reports", "alice", "PROPFIND", at, find("supported-report-set"), depth("0"), 207, "<c:calendar-query/>", ""},
		{"A30", "an unknown report", "alice", "REPORT", at, `<version-tree xmlns="DAV:"/>`, nil, 403, "supported-report", ""},
		{"A31", "expand-property", "alice", "REPORT", me, `<expand-property` + davNS + `><property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"><property name="displayname"/></property></expand-property>`, nil, 207, "<d:displayname>", ""},
		{"A32", "POST makes a member", "alice", "POST", at, event("posted", "DTSTART:20270301T100000Z"), ics, 201, "", ""},
		{"A34", "extended MKCOL", "alice", "MKCOL", home + "work/", `<mkcol` + davNS + `><set><prop><resourcetype><collection/><C:calendar/></resourcetype><displayname>Work</displayname></prop></set></mkcol>`, nil, 201, "", ""},
		{"A35", "another type", "alice", "MKCOL", home + "book/", `<mkcol` + davNS + `><set><prop><resourcetype><collection/><x:book xmlns:x="u:x"/></resourcetype></prop></set></mkcol>`, nil, 403, "valid-resourcetype", ""},
		{"A36", "return=minimal", "alice", "PROPFIND", at, find("displayname", "nothing xmlns='u:x'"), []string{"Depth", "0", "Prefer", "return=minimal"}, 207, "displayname", "404"},
		{"A38", "depth-noroot", "alice", "PROPFIND", home, find("displayname"), []string{"Depth", "1", "Prefer", "depth-noroot"}, 207, at, "<d:href>" + home + "</d:href>"},
		{"A43", "an unknown method", "alice", "FROB", at, "", nil, 501, "", ""},
		{"A44", "dot segments", "alice", "GET", home + "%2e%2e/bob/", "", nil, 400, "", ""},

		{"B4", "current-user-principal", "alice", "PROPFIND", "/dav/", find("current-user-principal"), depth("0"), 207, me, ""},
		{"B5", "acl properties", "alice", "PROPFIND", at, find("owner", "acl", "supported-privilege-set", "current-user-privilege-set", "principal-collection-set"), depth("0"), 207, "<d:privilege><d:all/></d:privilege>", "404"},
		{"A28", "quota", "alice", "PROPFIND", home, find("quota-used-bytes"), depth("0"), 207, "<d:quota-used-bytes>", "404"},

		{"C1", "principal", "alice", "PROPFIND", me, find("resourcetype", "principal-URL", "group-membership"), depth("0"), 207, "<d:principal/>", "404"},
		{"C3", "addresses and kind", "alice", "PROPFIND", me, find("C:calendar-user-address-set", "C:calendar-user-type"), depth("0"), 207, "mailto:alice@example.test", "404"},
		{"C4", "home", "alice", "PROPFIND", me, find("C:calendar-home-set", "C:schedule-inbox-URL", "C:schedule-outbox-URL"), depth("0"), 207, home, "404"},
		{"C7", "principal-property-search", "alice", "REPORT", "/dav/principals/", `<principal-property-search` + davNS + `><property-search><prop><displayname/></prop><match>bob</match></property-search><prop><displayname/></prop></principal-property-search>`, depth("0"), 207, "/dav/principals/bob/", ""},
		{"C9", "principal-search-property-set", "alice", "REPORT", "/dav/principals/", `<principal-search-property-set xmlns="DAV:"/>`, depth("0"), 200, "calendar-user-address-set", ""},
		{"C10", "principal-match", "alice", "REPORT", "/dav/principals/", `<principal-match xmlns="DAV:"><self/></principal-match>`, depth("0"), 207, me, ""},
		{"C20", "another's calendar is not found", "bob", "PROPFIND", at, "", depth("0"), 404, "", ""},
		{"C17", "ACL", "alice", "ACL", at, `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`, nil, 200, "", ""},
		{"C19", "need-privileges", "bob", "PUT", at + "x.ics", event("x", "DTSTART:20270401T100000Z"), ics, 403, "need-privileges", ""},
		{"N5", "what is shared is in one's own home", "bob", "PROPFIND", "/dav/calendars/bob/", find("resourcetype"), depth("1"), 207, "<cs:shared/>", ""},
		{"C17", "and taken back", "alice", "ACL", at, `<acl xmlns="DAV:"/>`, nil, 200, "", ""},
		{"H13", "it is gone", "bob", "PROPFIND", "/dav/calendars/bob/", find("resourcetype"), depth("1"), 207, "", "<cs:shared/>"},
		{"C27", "401 with a challenge", "", "PROPFIND", at, "", depth("0"), 401, "", ""},
		{"M1", "proxy principals", "alice", "PROPFIND", me + "calendar-proxy-write/", find("resourcetype", "group-member-set"), depth("0"), 207, "<cs:calendar-proxy-write/>", "404"},
		{"N2", "notifications", "alice", "PROPFIND", me, find("S:notification-URL"), depth("0"), 207, home + "notification/", "404"},
		{"N1", "sharing modes", "alice", "PROPFIND", at, find("S:allowed-sharing-modes", "S:invite"), depth("0"), 207, "can-be-shared", "404"},

		{"D1", "well-known", "", "PROPFIND", "/.well-known/caldav", "", nil, 301, "", ""},
		{"D6", "the root itself", "alice", "PROPFIND", "/", find("current-user-principal"), depth("0"), 207, me, ""},
		{"L4", "time zone service", "", "GET", "/timezones/zones/Europe%2FBerlin", "", nil, 200, "TZID:Europe/Berlin", ""},

		{"E3", "MKCALENDAR", "alice", "MKCALENDAR", home + "new/", "", nil, 201, "", ""},
		{"E3", "where one is", "alice", "MKCALENDAR", home + "new/", "", nil, 405, "resource-must-be-null", ""},
		{"E2", "none within a calendar", "alice", "MKCALENDAR", at + "inner/", "", nil, 403, "calendar-collection-location-ok", ""},
		{"E6", "a time zone is checked", "alice", "PROPPATCH", at, patch("<C:calendar-timezone>x</C:calendar-timezone>"), nil, 207, "valid-calendar-data", ""},
		{"E7", "components are protected", "alice", "PROPPATCH", at, patch(`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`), nil, 207, "cannot-modify-protected-property", ""},
		{"E9", "limits are told", "alice", "PROPFIND", at, find("C:max-resource-size", "C:min-date-time", "C:max-date-time", "C:max-instances", "C:max-attendees-per-instance"), depth("0"), 207, "", "404"},
		{"E11", "colour and order", "alice", "PROPPATCH", at, patch("<A:calendar-color>#FF0000FF</A:calendar-color><A:calendar-order>3</A:calendar-order>"), nil, 207, "200 OK", "403"},
		{"E14", "the default calendar stays", "alice", "DELETE", at, "", nil, 403, "default-calendar-needed", ""},
		{"Q12", "Apple's alarms", "alice", "PROPPATCH", home, patch("<C:default-alarm-vevent-datetime>BEGIN:VALARM</C:default-alarm-vevent-datetime>"), nil, 207, "200 OK", ""},

		{"F2", "no iCalendar", "alice", "PUT", at + "bad.ics", "x", ics, 403, "valid-calendar-data", ""},
		{"F3", "METHOD", "alice", "PUT", at + "bad.ics", strings.Replace(series, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), ics, 403, "valid-calendar-object-resource", ""},
		{"F4", "media type", "alice", "PUT", at + "bad.ics", series, []string{"Content-Type", "text/vcard"}, 403, "supported-calendar-data", ""},
		{"F5", "component", "alice", "PUT", home + "tasks/bad.ics", series, ics, 403, "supported-calendar-component", ""},
		{"F1", "a series", "alice", "PUT", at + "series.ics", series, with("If-None-Match", "*"), 201, "", ""},
		{"F1", "its UID again", "alice", "PUT", at + "twice.ics", series, ics, 403, "no-uid-conflict", ""},
		{"F8", "its octets", "alice", "GET", at + "series.ics", "", nil, 200, series, ""},
		{"A17", "If-None-Match", "alice", "PUT", at + "series.ics", series, with("If-None-Match", "*"), 412, "", ""},
		{"A17", "If-Match", "alice", "PUT", at + "series.ics", series, with("If-Match", `"x"`), 412, "", ""},
		{"A22", "MOVE between calendars", "alice", "MOVE", at + "series.ics", "", []string{"Destination", home + "new/moved.ics"}, 201, "", ""},
		{"A21", "to another host", "alice", "MOVE", home + "new/moved.ics", "", []string{"Destination", "http://elsewhere.test/x.ics"}, 502, "", ""},
		{"A20", "Overwrite: F", "alice", "COPY", home + "new/moved.ics", "", []string{"Destination", home + "new/moved.ics", "Overwrite", "F"}, 403, "", ""},

		{"G1", "a time range", "alice", "REPORT", home + "new/", query(`<C:comp-filter name="VEVENT"><C:time-range start="20280101T000000Z" end="20280102T000000Z"/></C:comp-filter>`), depth("1"), 207, "SUMMARY:Series", ""},
		{"G1", "before it", "alice", "REPORT", home + "new/", query(`<C:comp-filter name="VEVENT"><C:time-range start="20260101T000000Z" end="20260102T000000Z"/></C:comp-filter>`), depth("1"), 207, "", "SUMMARY:Series"},
		{"G14", "expand", "alice", "REPORT", home + "new/", `<C:calendar-query` + davNS + `><prop><C:calendar-data><C:expand start="20280101T000000Z" end="20280103T000000Z"/></C:calendar-data></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20280101T000000Z" end="20280103T000000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`, depth("1"), 207, "RECURRENCE-ID:20280102T080000Z", "RRULE"},
		{"G5", "valid-filter", "alice", "REPORT", at, `<C:calendar-query` + davNS + `><prop/><C:filter><C:comp-filter name="VEVENT"/></C:filter></C:calendar-query>`, depth("1"), 403, "valid-filter", ""},
		{"G6", "supported-collation", "alice", "REPORT", at, query(`<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match collation="i;odd">x</C:text-match></C:prop-filter></C:comp-filter>`), depth("1"), 403, "supported-collation", ""},
		{"G2", "multiget answers each", "alice", "REPORT", home + "new/", `<C:calendar-multiget` + davNS + `><prop><getetag/></prop><href>` + home + `new/moved.ics</href><href>` + home + `new/none.ics</href></C:calendar-multiget>`, nil, 207, "404 Not Found", ""},
		{"G3", "free-busy-query", "alice", "REPORT", home + "new/", `<C:free-busy-query` + davNS + `><C:time-range start="20280101T000000Z" end="20280102T000000Z"/></C:free-busy-query>`, depth("1"), 200, "FREEBUSY", ""},
		{"H1", "initial sync", "alice", "REPORT", home + "new/", `<sync-collection` + davNS + `><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`, nil, 207, "<d:sync-token>", ""},
		{"H1", "sync of the home", "alice", "REPORT", home, `<sync-collection` + davNS + `><sync-token/><sync-level>1</sync-level><prop><resourcetype/></prop></sync-collection>`, nil, 207, home + "new/", ""},
		{"H2", "sync-level infinite", "alice", "REPORT", home, `<sync-collection` + davNS + `><sync-token/><sync-level>infinite</sync-level><prop/></sync-collection>`, nil, 403, "sync-traversal-supported", ""},
		{"H5", "a foreign token", "alice", "REPORT", at, `<sync-collection` + davNS + `><sync-token>urn:x</sync-token><sync-level>1</sync-level><prop/></sync-collection>`, nil, 403, "valid-sync-token", ""},

		{"I2", "inbox and outbox", "alice", "PROPFIND", home, find("resourcetype"), depth("1"), 207, "<c:schedule-outbox/>", ""},
		{"I5", "an invitation", "alice", "PUT", at + "meet.ics", meeting, ics, 201, "", ""},
		{"I24", "is in the other's calendar", "bob", "REPORT", "/dav/calendars/bob/default/", query(`<C:comp-filter name="VEVENT"/>`), depth("1"), 207, "UID:meet", ""},
		{"I3", "and inbox", "bob", "PROPFIND", "/dav/calendars/bob/inbox/", "", depth("1"), 207, ".ics", ""},
		{"I3", "where nobody puts anything", "bob", "PUT", "/dav/calendars/bob/inbox/x.ics", meeting, ics, 403, "need-privileges", ""},
		{"I19", "once in a home", "alice", "PUT", home + "new/meet.ics", meeting, ics, 403, "unique-scheduling-object-resource", ""},
		{"J1", "free/busy of others", "alice", "POST", home + "outbox/", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:fb\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270401T000000Z\r\nDTEND:20270402T000000Z\r\nORGANIZER:mailto:alice@example.test\r\nATTENDEE:mailto:bob@example.test\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n", ics, 200, "20270401T100000Z/", ""},
		{"K1", "a managed attachment", "alice", "POST", at + "meet.ics?action=attachment-add", "plan", []string{"Content-Type", "text/plain", "Prefer", "return=representation"}, 201, "MANAGED-ID=", ""},
		{"I7", "DELETE cancels", "alice", "DELETE", at + "meet.ics", "", nil, 204, "", ""},
		{"N7", "publishing", "alice", "POST", at, `<S:publish-calendar` + davNS + `/>`, []string{"Content-Type", "application/xml"}, 200, "/feeds/", ""},
	} {
		t.Run(row.id+" "+row.what, func(t *testing.T) {
			r, err := s.try(row.user, row.method, row.path, row.body, row.header...)
			if err != nil {
				t.Fatal(err)
			}
			if r.status != row.status || !strings.Contains(r.body, row.has) || row.lacks != "" && strings.Contains(r.body, row.lacks) {
				t.Errorf("%s %s: status %d, want %d, with %q and without %q\n%.2000s", row.method, row.path, r.status, row.status, row.has, row.lacks, r.body)
			}
		})
	}
}
