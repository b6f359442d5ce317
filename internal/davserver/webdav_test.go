package davserver_test

import (
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	ann = "/dav/calendars/ann/default/"
	one = "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\nSUMMARY:One"
)

// What one request can show, a row for each.
func TestRequests(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	h.put("bob", "/dav/calendars/bob/default/b.ics", event("b", one))
	tag := h.etag("ann", ann+"1.ics")
	big := event("big", one+"\nDESCRIPTION:"+strings.Repeat("x", 100_000))
	for _, c := range []struct {
		name         string
		as           string
		method, path string
		head, body   string
		status       int
		has, lacks   string
		header       string // "Name: value", value "*" means any
	}{
		{"options tell what is there (RFC 4918 10.1)", "ann", "OPTIONS", "/dav/", "", "", 200, "", "", "DAV: 1, 2, 3, access-control, extended-mkcol, calendar-access, calendar-auto-schedule, calendar-availability, calendar-managed-attachments, calendar-no-timezone, calendar-proxy, calendarserver-principal-search, calendarserver-private-comments, calendarserver-sharing"},
		{"options without signing in", "", "OPTIONS", ann, "", "", 200, "", "", "Allow: *"},
		{"no credentials: 401, no redirect (RFC 9110 15.5)", "", "PROPFIND", "/dav/", "Depth: 0", "", 401, "", "", `WWW-Authenticate: Basic realm="Convene", charset="UTF-8"`},
		{"no credentials at a place that is not there", "", "GET", "/dav/nothing", "", "", 401, "", "", ""},
		{"well-known leads to the context path (RFC 6764 5)", "", "PROPFIND", "/.well-known/caldav", "Depth: 0", "", 301, "", "", "Location: /dav/"},
		{"well-known for other methods", "", "PUT", "/.well-known/caldav", "", "", 308, "", "", "Location: /dav/"},
		{"root for clients that ignore well-known", "ann", "PROPFIND", "/", "Depth: 0", props("current-user-principal"), 207, "<d:href>/dav/principals/ann/</d:href>", "", ""},
		{"principal from the context path (RFC 5397 3)", "ann", "PROPFIND", "/dav/", "Depth: 0", props("current-user-principal"), 207, "<d:current-user-principal><d:href>/dav/principals/ann/</d:href></d:current-user-principal>", "", ""},
		{"whole address as login (RFC 6764 6)", "ann@example.test", "PROPFIND", "/dav/", "Depth: 0", props("current-user-principal"), 207, "/dav/principals/ann/", "", ""},

		{"infinite depth (RFC 4918 9.1)", "ann", "PROPFIND", ann, "Depth: infinity", "", 403, davErr("propfind-finite-depth"), "", ""},
		{"missing depth is infinite", "ann", "PROPFIND", ann, "", "", 403, davErr("propfind-finite-depth"), "", ""},
		{"infinite depth of one object", "ann", "PROPFIND", ann + "1.ics", "", props("getetag"), 207, "getetag", "", ""},
		{"odd depth", "ann", "PROPFIND", ann, "Depth: 7", "", 400, "", "", ""},
		{"depth without the root", "ann", "PROPFIND", ann, "Depth: 1,noroot", props("getetag"), 207, ann + "1.ics", "<d:href>" + ann + "</d:href>", ""},
		{"unknown property has its own propstat (RFC 4918 9.1)", "ann", "PROPFIND", ann, "Depth: 0", props("displayname", "x:y xmlns:x='u:x'"), 207, `<d:propstat><d:prop><x:y xmlns:x="u:x"/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>`, "", ""},
		{"minimal answer leaves it out (RFC 8144 2.1)", "ann", "PROPFIND", ann, "Depth: 0\nPrefer: return=minimal", props("displayname", "x:y xmlns:x='u:x'"), 207, "displayname", "404", "Preference-Applied: return=minimal"},
		{"brief is minimal", "ann", "PROPFIND", ann, "Depth: 0\nBrief: t", props("displayname", "x:y xmlns:x='u:x'"), 207, "displayname", "404", ""},
		{"empty body is allprop (RFC 4918 9.1)", "ann", "PROPFIND", ann, "Depth: 0", "", 207, "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>", "calendar-description", ""},
		{"allprop leaves out what it should (RFC 4791 5.2)", "ann", "PROPFIND", ann, "Depth: 0", "<propfind xmlns='DAV:'><allprop/></propfind>", 207, "getlastmodified", "supported-calendar-data", ""},
		{"allprop and include", "ann", "PROPFIND", ann, "Depth: 0", "<propfind" + ns + "><allprop/><include><C:supported-calendar-data/></include></propfind>", 207, `<c:supported-calendar-data><c:calendar-data content-type="text/calendar" version="2.0"/>`, "", ""},
		{"propname", "ann", "PROPFIND", ann, "Depth: 0", "<propfind xmlns='DAV:'><propname/></propfind>", 207, "<d:displayname/>", "Calendar<", ""},
		{"collection without its slash (RFC 4918 5.2)", "ann", "PROPFIND", "/dav/calendars/ann/default", "Depth: 0", props("displayname"), 207, "<d:href>" + ann + "</d:href>", "", "Content-Location: " + ann},
		{"unknown elements are ignored (RFC 4918 17)", "ann", "PROPFIND", ann, "Depth: 0", "<propfind xmlns='DAV:' xmlns:e='u:e' e:a='b'><e:x/><prop><displayname/></prop></propfind>", 207, "<d:displayname>Calendar</d:displayname>", "", ""},
		{"malformed XML (RFC 4918 8.2)", "ann", "PROPFIND", ann, "Depth: 0", "<propfind xmlns='DAV:'><prop>", 400, "not well-formed", "", ""},
		{"document type (RFC 4918 20.6)", "ann", "PROPFIND", ann, "Depth: 0", "<!DOCTYPE x [<!ENTITY y 'z'>]><propfind xmlns='DAV:'><prop/></propfind>", 400, "document type", "", ""},
		{"body that is no XML at all", "ann", "PROPFIND", ann, "Depth: 0\nContent-Type: application/json", "{}", 415, "", "", ""},
		{"compressed body", "ann", "PROPFIND", ann, "Depth: 0\nContent-Encoding: gzip", "\x1f\x8b\x08", 415, "", "", ""},
		{"unknown encoding", "ann", "PROPFIND", ann, "Depth: 0", `<?xml version="1.0" encoding="x-klingon"?><propfind xmlns="DAV:"/>`, 415, "", "", ""},
		{"deep XML", "ann", "PROPFIND", ann, "Depth: 0", strings.Repeat("<a>", 100_000), 413, "", "", ""},
		{"kinds of locks (RFC 4918 15.10)", "ann", "PROPFIND", ann, "Depth: 0", props("supportedlock", "lockdiscovery"), 207, "<d:lockentry><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockentry>", "", ""},

		{"method not for this place (RFC 9110 15.5.6)", "ann", "PUT", ann, "", "", 405, "", "", "Allow: *"},
		{"MKCOL on an event (RFC 4918 9.3.1)", "ann", "MKCOL", ann + "1.ics", "", "", 405, davErr("resource-must-be-null"), "", ""},
		{"a page of another site", "ann", "POST", ann, "Sec-Fetch-Site: cross-site", event("9", one), 403, "another site", "", ""},
		{"an old browser's page of another site", "ann", "DELETE", ann + "1.ics", "Origin: https://evil.test", "", 403, "another site", "", ""},
		{"the other address of the root", "ann", "PROPFIND", "/", "Depth: 0", props("resourcetype"), 207, "<d:href>/</d:href>", "", ""},
		{"LOCK without body refreshes (RFC 4918 9.10.2)", "ann", "LOCK", ann + "1.ics", "", "", 400, "", "", ""},
		{"LOCK of an unknown kind", "ann", "LOCK", ann + "1.ics", "", "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><read/></locktype></lockinfo>", 400, "", "", ""},
		{"LOCK with Depth 1 (RFC 4918 9.10.3)", "ann", "LOCK", ann, "Depth: 1", lockinfo, 400, "", "", ""},
		{"LOCK of the inbox", "ann", "LOCK", "/dav/calendars/ann/inbox/", "", lockinfo, 405, "", "", "Allow: *"},
		{"LOCK of another's calendar", "bob", "LOCK", ann + "1.ics", "", lockinfo, 404, "", "", ""},
		{"UNLOCK without a token", "ann", "UNLOCK", ann + "1.ics", "", "", 400, "", "", ""},
		{"UNLOCK of what is not locked (RFC 4918 9.11.1)", "ann", "UNLOCK", ann + "1.ics", "Lock-Token: <urn:uuid:none>", "", 409, davErr("lock-token-matches-request-uri"), "", ""},
		{"unknown method (RFC 9110 15.6.2)", "ann", "FROBNICATE", ann, "", "", 501, "", "", ""},
		{"method override is not heard", "ann", "POST", ann, "X-HTTP-Method-Override: DELETE\nContent-Type: text/plain", "", 403, "", "", ""},

		{"dot segment (RFC 3986 6)", "ann", "GET", "/dav/calendars/bob/../ann/default/1.ics", "", "", 400, "", "", ""},
		{"escaped dot segment", "ann", "GET", "/dav/calendars/ann/default/%2e%2e/tasks/", "", "", 400, "", "", ""},
		{"escaped slash", "ann", "GET", "/dav/calendars/ann/default%2F1.ics", "", "", 400, "", "", ""},
		{"escaped NUL", "ann", "GET", ann + "%00", "", "", 400, "", "", ""},
		{"not UTF-8", "ann", "PUT", ann + "%ff.ics", calendarHead, event("x", one), 400, "", "", ""},
		{"doubled slashes", "ann", "GET", "/dav//calendars/ann//default/1.ics", "", "", 200, "SUMMARY:One", "", ""},
		{"escaped letter is the letter", "ann", "GET", "/dav/calendars/ann/default/%31.ics", "", "", 200, "SUMMARY:One", "", ""},
		{"paths tell letters apart (RFC 3986 6)", "ann", "GET", "/dav/calendars/Ann/default/1.ics", "", "", 404, "", "", ""},
		{"deeper than anything", "ann", "GET", ann + "1.ics/x", "", "", 404, "", "", ""},

		{"GET (RFC 4791 5.3.4)", "ann", "GET", ann + "1.ics", "", "", 200, "SUMMARY:One\r\n", "", "Content-Type: text/calendar; charset=utf-8; component=vevent"},
		{"HEAD", "ann", "HEAD", ann + "1.ics", "", "", 200, "", "", "ETag: " + tag},
		{"GET is private", "ann", "GET", ann + "1.ics", "", "", 200, "", "", "Cache-Control: private, no-cache"},
		{"GET is no page", "ann", "GET", ann + "1.ics", "", "", 200, "", "", "X-Content-Type-Options: nosniff"},
		{"GET of what one has (RFC 9110 13.1.2)", "ann", "GET", ann + "1.ics", "If-None-Match: " + tag, "", 304, "", "SUMMARY", "ETag: " + tag},
		{"GET of what one has, weakened on the way", "ann", "GET", ann + "1.ics", `If-None-Match: "x", W/` + tag, "", 304, "", "", ""},
		{"GET since then", "ann", "GET", ann + "1.ics", "If-Modified-Since: Mon, 02 Mar 2026 08:00:00 GMT", "", 304, "", "", ""},
		{"GET of another state", "ann", "GET", ann + "1.ics", `If-Match: "x"`, "", 412, "", "", ""},
		{"GET of nothing", "ann", "GET", ann + "9.ics", "", "", 404, "", "", ""},
		{"GET of a calendar is all of it (RFC 4791 4.2)", "ann", "GET", ann, "", "", 200, "UID:1\r\n", "", "Content-Disposition: *"},
		{"GET of the root is a sentence", "ann", "GET", "/dav/", "", "", 200, "calendar programs", "", "Content-Type: text/plain; charset=utf-8"},

		{"PUT with If-None-Match on what is there (RFC 9110 13.1)", "ann", "PUT", ann + "1.ics", calendarHead + "\nIf-None-Match: *", event("1", one), 412, "", "", ""},
		{"PUT with If-Match on another state", "ann", "PUT", ann + "1.ics", calendarHead + "\nIf-Match: \"x\"", event("1", one), 412, "", "", ""},
		{"PUT with If-Match on nothing", "ann", "PUT", ann + "2.ics", calendarHead + "\nIf-Match: *", event("2", one), 412, "", "", ""},
		{"412 with what is there (RFC 8144 3.2)", "ann", "PUT", ann + "1.ics", calendarHead + "\nIf-None-Match: *\nPrefer: return=representation", event("1", one), 412, "SUMMARY:One", "", "Preference-Applied: return=representation"},
		{"If header on another state (RFC 4918 10.4)", "ann", "PUT", ann + "1.ics", calendarHead + "\nIf: ([\"x\"])", event("1", one), 412, "", "", ""},
		{"If header with a lock that is not there", "ann", "DELETE", ann + "1.ics", "If: (<urn:uuid:00000000-0000-0000-0000-000000000000>)", "", 412, "", "", ""},
		{"If header that cannot be read", "ann", "DELETE", ann + "1.ics", "If: <", "", 400, "", "", ""},
		{"PUT of another media type (RFC 4791 5.3.2.1)", "ann", "PUT", ann + "2.ics", "Content-Type: text/plain", event("2", one), 403, calErr("supported-calendar-data"), "", ""},
		{"PUT in another character set (RFC 9110 8.3)", "ann", "PUT", ann + "2.ics", "Content-Type: text/calendar; charset=koi8-r", event("2", one), 415, "", "", ""},
		{"PUT of no calendar (RFC 4791 4.1)", "ann", "PUT", ann + "2.ics", calendarHead, "hello", 403, calErr("valid-calendar-data"), "", ""},
		{"PUT with METHOD (RFC 4791 4.1)", "ann", "PUT", ann + "2.ics", calendarHead, strings.Replace(event("2", one), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), 403, calErr("valid-calendar-object-resource"), "", ""},
		{"PUT of what the calendar does not hold (RFC 4791 5.3.2.1)", "ann", "PUT", ann + "2.ics", calendarHead, strings.ReplaceAll(strings.ReplaceAll(event("2", "SUMMARY:x"), "VEVENT", "VTODO"), one, ""), 403, calErr("supported-calendar-component"), "", ""},
		{"PUT of a UID that is there (RFC 4791 4.1)", "ann", "PUT", ann + "2.ics", calendarHead, event("1", one), 403, "<c:no-uid-conflict><d:href>" + ann + "1.ics</d:href></c:no-uid-conflict>", "", ""},
		{"PUT of too much (RFC 4791 5.3.2.1)", "ann", "PUT", ann + "2.ics", calendarHead, big, 403, calErr("max-resource-size"), "", ""},
		{"PUT where there is no calendar", "ann", "PUT", "/dav/calendars/ann/nothing/1.ics", calendarHead, event("2", one), 409, "", "", ""},
		{"PUT where there is no home", "ann", "PUT", "/dav/calendars/zoe/default/1.ics", calendarHead, event("2", one), 409, "", "", ""},
		{"PUT below an object", "ann", "PUT", ann + "1.ics/2.ics", calendarHead, event("2", one), 409, "", "", ""},
		{"PUT into the inbox (RFC 6638 2.2)", "ann", "PUT", "/dav/calendars/ann/inbox/1.ics", calendarHead, event("2", one), 403, "<d:need-privileges><d:resource><d:href>/dav/calendars/ann/inbox/</d:href><d:privilege><d:write-content/></d:privilege></d:resource></d:need-privileges>", "", ""},

		{"others' objects are not there (RFC 3744 7)", "bob", "GET", ann + "1.ics", "", "", 404, "", "", ""},
		{"nor what is not there", "bob", "GET", ann + "9.ics", "", "", 404, "", "", ""},
		{"others' calendars are not there", "bob", "PROPFIND", ann, "Depth: 0", "", 404, "", "", ""},
		{"nor calendars that are not", "bob", "PROPFIND", "/dav/calendars/ann/nothing/", "Depth: 0", "", 404, "", "", ""},
		{"others' inbox is not there", "bob", "PROPFIND", "/dav/calendars/ann/inbox/", "Depth: 0", "", 404, "", "", ""},
		{"others' homes say what is missing (RFC 3744 7.1.1)", "bob", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", "", 403, "<d:need-privileges><d:resource><d:href>/dav/calendars/ann/</d:href>", "", ""},
		{"others' calendars cannot be changed", "bob", "PROPPATCH", ann, "", "<propertyupdate xmlns='DAV:'><set><prop><displayname>x</displayname></prop></set></propertyupdate>", 404, "", "", ""},
		{"others' calendars cannot be deleted", "bob", "DELETE", ann, "", "", 404, "", "", ""},
		{"others' homes take no calendars", "bob", "MKCALENDAR", "/dav/calendars/ann/new/", "", "", 403, "need-privileges", "", ""},
		{"others' principals can be seen", "bob", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("displayname", "C:schedule-inbox-URL"), 207, "<d:displayname>Ann Example</d:displayname>", "inbox/", ""},
		{"a principal that is not there", "bob", "PROPFIND", "/dav/principals/zoe/", "Depth: 0", "", 404, "", "", ""},

		{"MKCALENDAR on a calendar (RFC 4791 5.3.1)", "ann", "MKCALENDAR", ann, "", "", 403, davErr("resource-must-be-null"), "", ""},
		{"MKCALENDAR in a calendar (RFC 4791 4.2)", "ann", "MKCALENDAR", ann + "sub/", "", "", 403, calErr("calendar-collection-location-ok"), "", ""},
		{"MKCALENDAR nowhere", "ann", "MKCALENDAR", "/dav/calendars/ann/a/b/c/", "", "", 409, "", "", ""},
		{"MKCALENDAR outside of homes (RFC 4791 5.3.1.1)", "ann", "MKCALENDAR", "/dav/principals/new/", "", "", 403, calErr("calendar-collection-location-ok"), "", ""},
		{"MKCALENDAR where a home is", "ann", "MKCALENDAR", "/dav/calendars/ann/", "", "", 403, davErr("resource-must-be-null"), "", ""},
		{"MKCALENDAR where the inbox is", "ann", "MKCALENDAR", "/dav/calendars/ann/inbox/", "", "", 403, davErr("resource-must-be-null"), "", ""},
		{"MKCALENDAR nowhere at all", "ann", "MKCALENDAR", "/dav/x/", "", "", 403, calErr("calendar-collection-location-ok"), "", ""},
		{"MKCOL nowhere at all (RFC 4918 9.3.1)", "ann", "MKCOL", "/dav/x/", "", "", 403, "", "", ""},
		{"PUT nowhere at all", "ann", "PUT", "/dav/x.ics", calendarHead, event("9", one), 403, "", "", ""},
		{"MKCOL of a plain collection (RFC 4918 9.3)", "ann", "MKCOL", "/dav/calendars/ann/plain/", "", "", 201, "", "", ""},
		{"MKCOL where one is", "ann", "MKCOL", "/dav/calendars/ann/plain/", "", "", 405, davErr("resource-must-be-null"), "", "Allow: *"},
		{"MKCALENDAR where a plain collection is", "ann", "MKCALENDAR", "/dav/calendars/ann/plain/", "", "", 403, davErr("resource-must-be-null"), "", ""},
		{"MKCALENDAR within a plain collection", "ann", "MKCALENDAR", "/dav/calendars/ann/plain/c/", "", "", 403, calErr("calendar-collection-location-ok"), "", ""},
		{"MKCOL in another's home", "bob", "MKCOL", "/dav/calendars/ann/theirs/", "", "", 403, "<d:need-privileges>", "", ""},
		{"plain collections are their owner's alone", "bob", "PROPFIND", "/dav/calendars/ann/plain/", "Depth: 0", "", 404, "", "", ""},
		{"a file is no calendar object", "ann", "PUT", "/dav/calendars/ann/plain/page.html", "Content-Type: text/html", "<script>", 201, "", "", "ETag: *"},
		{"a file is never a page of ours", "ann", "GET", "/dav/calendars/ann/plain/page.html", "", "", 200, "<script>", "", "Content-Disposition: attachment"},
		{"a home lists its plain collections", "ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", props("resourcetype"), 207, "<d:href>/dav/calendars/ann/plain/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>", "", ""},
		{"a file in the home itself", "ann", "PUT", "/dav/calendars/ann/page.html", "Content-Type: text/html", "x", 405, "", "", ""},
		{"files do not go into calendars", "ann", "COPY", "/dav/calendars/ann/plain/page.html", "Destination: /dav/calendars/ann/default/page.html", "", 403, calErr("calendar-collection-location-ok"), "", ""},
		{"MKCOL on a calendar (RFC 4918 9.3)", "ann", "MKCOL", ann, "", "", 405, "", "", ""},
		{"MKCOL below nothing", "ann", "MKCOL", "/dav/calendars/ann/nothing/new/", "", "", 409, "", "", ""},
		{"MKCOL with a strange body (RFC 4918 9.3)", "ann", "MKCOL", "/dav/calendars/ann/new/", "Content-Type: xzy-foo/bar-512", "blah", 415, "", "", ""},
		{"MKCOL of an address book (RFC 5689 3.3)", "ann", "MKCOL", "/dav/calendars/ann/new/", "", "<mkcol" + ns + "><set><prop><resourcetype><collection/><x:addressbook xmlns:x='urn:ietf:params:xml:ns:carddav'/></resourcetype></prop></set></mkcol>", 403, davErr("valid-resourcetype"), "", ""},

		{"MOVE to another server (RFC 4918 9.8.5)", "ann", "MOVE", ann + "1.ics", "Destination: https://elsewhere.test/x.ics", "", 502, "", "", ""},
		{"MOVE without a destination", "ann", "MOVE", ann + "1.ics", "", "", 400, "", "", ""},
		{"MOVE onto itself", "ann", "MOVE", ann + "1.ics", "Destination: " + ann + "1.ics", "", 403, "", "", ""},
		{"MOVE to no calendar", "ann", "MOVE", ann + "1.ics", "Destination: /dav/calendars/ann/nothing/1.ics", "", 409, "", "", ""},
		{"MOVE into another's calendar", "ann", "MOVE", ann + "1.ics", "Destination: /dav/calendars/bob/default/1.ics", "", 409, "", "", ""},
		{"MOVE to where it is no object", "ann", "MOVE", ann + "1.ics", "Destination: /dav/calendars/ann/", "", 409, "", "", ""},
		{"COPY within a calendar keeps the UID: refused", "ann", "COPY", ann + "1.ics", "Destination: " + ann + "copy.ics", "", 403, "no-uid-conflict", "", ""},
		{"COPY of a calendar", "ann", "COPY", ann, "Destination: /dav/calendars/ann/copy/", "", 403, "", "", ""},

		{"DELETE of nothing", "ann", "DELETE", ann + "9.ics", "", "", 404, "", "", ""},
		{"DELETE of another state (RFC 9110 13.1)", "ann", "DELETE", ann + "1.ics", `If-Match: "x"`, "", 412, "", "", ""},
		{"DELETE of a calendar with Depth 0 (RFC 4918 9.6.1)", "ann", "DELETE", "/dav/calendars/ann/tasks/", "Depth: 0", "", 400, "", "", ""},
		{"DELETE of the calendar for invitations (RFC 6638 4.3.1.1)", "ann", "DELETE", ann, "", "", 403, calErr("default-calendar-needed"), "", ""},
		{"DELETE of the inbox", "ann", "DELETE", "/dav/calendars/ann/inbox/", "", "", 405, "", "", ""},
		{"DELETE of a home", "ann", "DELETE", "/dav/calendars/ann/", "", "", 405, "", "", ""},

		{"REPORT that is not there (RFC 3253 3.6)", "ann", "REPORT", ann, "", "<version-tree xmlns='DAV:'/>", 403, davErr("supported-report"), "", ""},
		{"REPORT for another kind of place", "ann", "REPORT", "/dav/principals/ann/", "", "<C:calendar-query" + ns + "><prop/><C:filter><C:comp-filter name='VCALENDAR'/></C:filter></C:calendar-query>", 403, davErr("supported-report"), "", ""},
		{"REPORT without a body", "ann", "REPORT", ann, "", "", 400, "", "", ""},
		{"free-busy-query of an object (RFC 4791 7.10)", "ann", "REPORT", ann + "1.ics", "", "<C:free-busy-query" + ns + "><C:time-range start='20260301T000000Z' end='20260401T000000Z'/></C:free-busy-query>", 403, davErr("supported-report"), "", ""},
		{"filter that is none (RFC 4791 7.8)", "ann", "REPORT", ann, "Depth: 1", "<C:calendar-query" + ns + "><prop/><C:filter><C:comp-filter name='VEVENT'/></C:filter></C:calendar-query>", 403, calErr("valid-filter"), "", ""},
		{"unknown collation (RFC 4791 7.5)", "ann", "REPORT", ann, "Depth: 1", query(`<C:prop-filter name="SUMMARY"><C:text-match collation="i;x">y</C:text-match></C:prop-filter>`), 403, calErr("supported-collation"), "", ""},
		{"range before all calendars (RFC 4791 7.8)", "ann", "REPORT", ann, "Depth: 1", query(`<C:time-range start="09990101T000000Z" end="20260401T000000Z"/>`), 403, calErr("min-date-time"), "", ""},
		{"range after all calendars", "ann", "REPORT", ann, "Depth: 1", query(`<C:time-range start="20260101T000000Z" end="90010101T000000Z"/>`), 403, calErr("max-date-time"), "", ""},
		{"sync with no token of ours (RFC 6578 3.2)", "ann", "REPORT", ann, "", syncBody("http://example.com/1", ""), 403, davErr("valid-sync-token"), "", ""},
		{"infinite sync (RFC 6578 3.3)", "ann", "REPORT", ann, "", strings.Replace(syncBody("", ""), "<sync-level>1<", "<sync-level>infinite<", 1), 403, davErr("sync-traversal-supported"), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			a := h.as(c.as, c.method, c.path, c.head, c.body).is(c.status)
			if c.has != "" {
				a.has(c.has)
			}
			if c.lacks != "" {
				a.lacks(c.lacks)
			}
			if n, v, ok := strings.Cut(c.header, ": "); ok {
				if v == "*" && a.header.Get(n) == "" {
					t.Errorf("%s is missing", n)
				} else if v != "*" {
					a.head(n, v)
				}
			}
			if c.status >= 400 && c.method != "HEAD" && c.status != 412 {
				a.has("<d:responsedescription>") // a sentence for people, always
			}
			if c.status == 301 || c.status == 308 {
				return
			}
			if strings.HasPrefix(c.path, "/dav") && a.header.Get("Location") != "" {
				t.Errorf("redirected to %s", a.header.Get("Location"))
			}
		})
	}
}

func query(filter string) string {
	return `<C:calendar-query` + ns + `><prop><getetag/><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` + filter + `</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
}

func syncBody(token, limit string) string {
	if limit != "" {
		limit = "<limit><nresults>" + limit + "</nresults></limit>"
	}
	return `<sync-collection` + ns + `><sync-token>` + token + `</sync-token><sync-level>1</sync-level>` + limit + `<prop><getetag/></prop></sync-collection>`
}

func TestPutGetChangeDelete(t *testing.T) {
	h := open(t, "ann")
	at := ann + "a b.ics"
	path := strings.ReplaceAll(at, " ", "%20")
	data := event("1", one+"\nX-ODD;X-P=\"a:b\":kept\nDESCRIPTION:a long line that had been folded in a way that nobody els\n e would choose")
	a := h.put("ann", path, data)
	tag := a.header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag although the octets are kept (RFC 4791 5.3.4)")
	}
	got := h.as("ann", "GET", path, "", "").is(200).head("ETag", tag).head("Last-Modified", "Mon, 02 Mar 2026 08:00:00 GMT")
	if got.body != data {
		t.Errorf("stored octets differ\n%q\n%q", got.body, data)
	}
	h.as("ann", "PUT", path, calendarHead+"\nIf-Match: "+tag, data).is(204).head("ETag", tag) // nothing changed
	h.later(time.Hour)
	b := h.as("ann", "PUT", path, calendarHead+"\nIf-Match: "+tag, strings.Replace(data, "One", "Two", 1)).is(204)
	if b.header.Get("ETag") == tag {
		t.Error("another text, the same ETag")
	}
	h.as("ann", "PUT", path, calendarHead+"\nIf: (["+tag+"])", data).is(412)
	h.as("ann", "PUT", path, calendarHead+"\nIf: (["+tag+"]) (["+b.header.Get("ETag")+"])\nPrefer: return=representation", data).is(200).has("SUMMARY:One").head("ETag", tag)
	h.as("ann", "DELETE", path, "If-Match: "+b.header.Get("ETag"), "").is(412)
	h.as("ann", "DELETE", path, "If-Match: "+tag, "").is(204)
	h.as("ann", "GET", path, "", "").is(404)
}

func TestHrefsAreWrittenAlikeEverywhere(t *testing.T) {
	h := open(t, "ann")
	for _, name := range []string{"a%20b.ics", "%C3%A9%2B%3B%2C%3A.ics", "x@y~z.ics", "100%25.ics", "noextension", "%7Bguid%7D.ics"} {
		h.put("ann", ann+name, event(name, one))
		want := "<d:href>" + ann + name + "</d:href>"
		h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag")).is(207).has(want)
		h.as("ann", "PROPFIND", ann+name, "Depth: 0", props("getetag")).is(207).has(want)
		h.as("ann", "REPORT", ann, "Depth: 1", query("")).is(207).has(want)
		h.as("ann", "REPORT", ann, "", syncBody("", "")).is(207).has(want)
		h.as("ann", "REPORT", ann, "", `<C:calendar-multiget`+ns+`><prop><getetag/></prop><href>`+ann+name+`</href></C:calendar-multiget>`).is(207).has(want)
	}
}

func TestAddMember(t *testing.T) { // RFC 5995
	h := open(t, "ann")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("add-member")).is(207).has("<d:add-member><d:href>" + ann + "</d:href></d:add-member>")
	a := h.as("ann", "POST", ann, calendarHead, event("1", one)).is(201)
	at := a.header.Get("Location")
	h.as("ann", "GET", at, "", "").is(200).has("SUMMARY:One").head("ETag", a.header.Get("ETag"))
	h.as("ann", "POST", ann, calendarHead, event("1", one)).is(403).has("no-uid-conflict", at)
}

func TestPropPatch(t *testing.T) { // RFC 4918 9.2
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	tag := h.etag("ann", ann+"1.ics")
	patch := func(path, inner string) *answer {
		return h.as("ann", "PROPPATCH", path, "", "<propertyupdate"+ns+">"+inner+"</propertyupdate>").is(207)
	}
	set := func(s string) string { return "<set><prop>" + s + "</prop></set>" }
	patch(ann, set(`<displayname>Work &amp; Play</displayname><I:calendar-color>#FF0000FF</I:calendar-color><I:calendar-order>7</I:calendar-order><C:calendar-description>Ours</C:calendar-description>`)).
		has("<d:propstat><d:prop><d:displayname/><ical:calendar-color/><ical:calendar-order/><c:calendar-description/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("displayname", "I:calendar-color", "I:calendar-order", "C:calendar-description")).
		has("<d:displayname>Work &amp; Play</d:displayname>", "#FF0000FF", "<ical:calendar-order>7</ical:calendar-order>", "<c:calendar-description>Ours</c:calendar-description>")

	// All or nothing, in order (RFC 4918 9.2, 9.2.1).
	patch(ann, set(`<displayname>Other</displayname><getetag>x</getetag><x:y xmlns:x="u:x">z</x:y>`)).
		has("<d:displayname/><x:y xmlns:x=\"u:x\"/></d:prop><d:status>HTTP/1.1 424 Failed Dependency",
			"<d:getetag/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status><d:error><d:cannot-modify-protected-property/></d:error>")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("displayname", "x:y xmlns:x='u:x'")).has("Work &amp; Play").has("404")

	// Dead properties keep structure, language and prefixes (RFC 4918 4.3, 4.4), everywhere clients leave some.
	for _, path := range []string{ann, "/dav/calendars/ann/", "/dav/principals/ann/", "/dav/calendars/ann/inbox/", "/dav/calendars/ann/outbox/", ann + "1.ics"} {
		patch(path, `<set xml:lang="de"><prop><x:y xmlns:x="u:x" a="b">Straße<x:z/>&lt;</x:y></prop></set>`).has("200 OK")
		h.as("ann", "PROPFIND", path, "Depth: 0", props("x:y xmlns:x='u:x'")).has(`<x:y xmlns:x="u:x" a="b" xml:lang="de">Straße<x:z/>&lt;</x:y>`)
		h.as("ann", "PROPFIND", path, "Depth: 0", "").has("Straße")
		h.as("ann", "PROPFIND", path, "Depth: 0", `<propfind xmlns="DAV:"><propname/></propfind>`).has(`<x:y xmlns:x="u:x"/>`)
		patch(path, `<remove><prop><x:y xmlns:x="u:x"/><x:never xmlns:x="u:x"/></prop></remove>`).has("200 OK")
		h.as("ann", "PROPFIND", path, "Depth: 0", props("x:y xmlns:x='u:x'")).has("404")
	}
	patch("/dav/calendars/ann/", set(`<x:y xmlns:x="u:x">home</x:y>`))
	patch("/dav/principals/ann/", set(`<x:y xmlns:x="u:x">principal</x:y>`))
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", props("x:y xmlns:x='u:x'")).has(">home<")
	h.as("ann", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("x:y xmlns:x='u:x'")).has(">principal<")

	// Those of an object change neither it nor its calendar (RFC 6578 3.5.1), and move with it (RFC 4918 9.9).
	patch(ann+"1.ics", set(`<x:y xmlns:x="u:x">mine</x:y><displayname>One</displayname>`)).has("200 OK")
	if got := h.etag("ann", ann+"1.ics"); got != tag {
		t.Errorf("a property changed the entity tag from %s to %s", tag, got)
	}
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/other/", "", "").is(201)
	h.as("ann", "MOVE", ann+"1.ics", "Destination: /dav/calendars/ann/other/1.ics", "").is(201)
	h.as("ann", "PROPFIND", "/dav/calendars/ann/other/", "Depth: 1", props("x:y xmlns:x='u:x'", "displayname")).has(">mine<", ">One<")

	// Odd names come back as they are.
	for _, name := range []string{`xml:odd`, `x:odd xmlns:x="u:a}b&amp;&lt;"`, `odd xmlns=""`, `Ödd xmlns="u:ö"`} {
		tag, _, _ := strings.Cut(name, " ")
		patch(ann, set(`<`+name+`>v</`+tag+`>`)).has("200 OK")
		h.as("ann", "PROPFIND", ann, "Depth: 0", props(name)).is(207).has(">v<").lacks("404")
		h.as("ann", "PROPFIND", ann, "Depth: 0", `<propfind xmlns="DAV:"><propname/></propfind>`).is(207).has("dd")
		h.as("ann", "PROPFIND", ann, "Depth: 0", "").is(207).has(">v<")
	}

	// Values that are wrong.
	patch(ann, set(`<C:calendar-timezone>hello</C:calendar-timezone>`)).has("<c:valid-calendar-data/>")
	patch(ann, set(`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`)).has("cannot-modify-protected-property")
	patch(ann, set(`<I:calendar-order>first</I:calendar-order>`)).has("409 Conflict")
	patch(ann, set(`<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>`)).has("200 OK")
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("C:schedule-calendar-transp")).has("<c:schedule-calendar-transp><c:transparent/></c:schedule-calendar-transp>")
	// RFC 8144 2.2
	h.as("ann", "PROPPATCH", ann, "Prefer: return=minimal", "<propertyupdate"+ns+">"+set("<displayname>x</displayname>")+"</propertyupdate>").is(200).head("Preference-Applied", "return=minimal")
}

func TestMakingCalendars(t *testing.T) { // RFC 4791 5.3.1, RFC 5689
	h := open(t, "ann")
	const zone = "BEGIN:VCALENDAR&#13;\nVERSION:2.0&#13;\nPRODID:x&#13;\nBEGIN:VTIMEZONE&#13;\nTZID:Here&#13;\nBEGIN:STANDARD&#13;\nDTSTART:19700101T000000&#13;\nTZOFFSETFROM:+0100&#13;\nTZOFFSETTO:+0100&#13;\nEND:STANDARD&#13;\nEND:VTIMEZONE&#13;\nEND:VCALENDAR&#13;\n"
	work := "/dav/calendars/ann/work/"
	h.as("ann", "MKCALENDAR", work, "", `<C:mkcalendar`+ns+`><set><prop><displayname>Work</displayname><C:calendar-description>d</C:calendar-description>
		<C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/></C:supported-calendar-component-set><C:calendar-timezone>`+zone+`</C:calendar-timezone>
		<I:calendar-color>#00FF00FF</I:calendar-color><x:y xmlns:x="u:x">z</x:y></prop></set></C:mkcalendar>`).is(201)
	h.as("ann", "PROPFIND", work, "Depth: 0", props("displayname", "C:supported-calendar-component-set", "C:calendar-timezone", "I:calendar-color", "x:y xmlns:x='u:x'", "resourcetype")).
		has("<d:displayname>Work</d:displayname>", `<c:comp name="VEVENT"/><c:comp name="VTODO"/></c:supported-calendar-component-set>`, "TZID:Here", "#00FF00FF", ">z<", "<c:calendar/>").lacks("404")
	h.as("ann", "PUT", work+"1.ics", calendarHead, event("1", one)).is(201)

	// Atomic: one property that cannot be, no calendar (RFC 4791 5.3.1).
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/bad/", "", `<C:mkcalendar`+ns+`><set><prop><displayname>x</displayname><getetag>x</getetag></prop></set></C:mkcalendar>`).is(207).
		has("424 Failed Dependency", "cannot-modify-protected-property")
	h.as("ann", "PROPFIND", "/dav/calendars/ann/bad/", "Depth: 0", "").is(404)
	h.as("ann", "MKCOL", "/dav/calendars/ann/bad/", "", `<mkcol`+ns+`><set><prop><resourcetype><collection/><C:calendar/></resourcetype><getetag>x</getetag></prop></set></mkcol>`).is(403).
		has("<d:mkcol-response", "424 Failed Dependency", "cannot-modify-protected-property")
	h.as("ann", "PROPFIND", "/dav/calendars/ann/bad/", "Depth: 0", "").is(404)

	h.as("ann", "MKCOL", "/dav/calendars/ann/tasks2/", "", `<mkcol`+ns+`><set><prop><resourcetype><collection/><C:calendar/></resourcetype><displayname>T</displayname></prop></set></mkcol>`).is(201)
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/plain", "", "").is(201)
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", props("displayname")).has(work, "/tasks2/", "/plain/")

	// Renaming keeps what is in it (RFC 4918 9.9).
	h.as("ann", "MOVE", work, "Destination: http://cal.example.test/dav/calendars/ann/job/", "").is(201)
	h.as("ann", "GET", "/dav/calendars/ann/job/1.ics", "", "").is(200)
	h.as("ann", "GET", work+"1.ics", "", "").is(404)
	h.as("ann", "MOVE", "/dav/calendars/ann/job/", "Destination: /dav/calendars/ann/plain/", "").is(412)
	h.as("ann", "DELETE", "/dav/calendars/ann/job/", "", "").is(204)
	h.as("ann", "GET", "/dav/calendars/ann/job/1.ics", "", "").is(404)
}

func TestMoveAndCopyOfObjects(t *testing.T) { // RFC 4918 9.8, 9.9; RFC 6578 3.5
	h := open(t, "ann")
	work := "/dav/calendars/ann/work/"
	h.as("ann", "MKCALENDAR", work, "", "").is(201)
	h.put("ann", ann+"1.ics", event("1", one))
	h.put("ann", work+"2.ics", event("2", one))
	token := func(coll string) string {
		return h.as("ann", "PROPFIND", coll, "Depth: 0", props("sync-token")).find(`<d:sync-token>(.*?)<`)
	}
	from, to := token(ann), token(work)
	text := h.as("ann", "GET", ann+"1.ics", "", "").body
	h.as("ann", "MOVE", ann+"1.ics", "Destination: "+work+"2.ics\nOverwrite: F", "").is(412)
	h.as("ann", "MOVE", ann+"1.ics", "Destination: https://CAL.example.test"+work+"1.ics", "").is(201)
	if got := h.as("ann", "GET", work+"1.ics", "", "").is(200).body; got != text {
		t.Errorf("the text changed from %q to %q", text, got)
	}
	h.as("ann", "REPORT", ann, "", syncBody(from, "")).is(207).has("<d:href>" + ann + "1.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>")
	h.as("ann", "REPORT", work, "", syncBody(to, "")).is(207).has("<d:href>" + work + "1.ics</d:href><d:propstat>").lacks("2.ics")
	h.as("ann", "COPY", work+"1.ics", "Destination: "+ann+"copy.ics", "").is(201)
	h.as("ann", "GET", ann+"copy.ics", "", "").is(200)
	h.as("ann", "MOVE", work+"1.ics", "Destination: "+ann+"copy.ics", "").is(204) // takes the place of its copy
	h.as("ann", "GET", work+"1.ics", "", "").is(404)
}

func TestLatin1IsConverted(t *testing.T) {
	h := open(t, "ann")
	data := strings.Replace(event("1", one), "One", "Caf\xe9", 1)
	a := h.as("ann", "PUT", ann+"1.ics", "Content-Type: text/calendar; charset=ISO-8859-1; component=vevent", data).is(201)
	h.as("ann", "GET", ann+"1.ics", "", "").has("SUMMARY:Café")
	_ = a
}

func TestLongAnswersStream(t *testing.T) {
	h := open(t, "ann")
	for i := range 12 {
		h.put("ann", fmt.Sprintf("%s%d.ics", ann, i), event(fmt.Sprint(i), one+"\nX-LONG:"+strings.Repeat("x", 90_000)))
	}
	a := h.as("ann", "REPORT", ann, "Depth: 1", query("")).is(207)
	if n := strings.Count(a.body, "<d:response>"); n != 12 {
		t.Errorf("%d responses, want 12", n)
	}
	if a.header.Get("Content-Length") != "" {
		t.Error("a long answer was collected in memory")
	}
	h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag")).is(207).head("Content-Length", fmt.Sprint(len(h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag")).body)))
}

func TestAnswersAreCompressedForThoseWhoAsk(t *testing.T) {
	h := open(t, "ann")
	for i := range 30 {
		h.put("ann", fmt.Sprintf("%s%d.ics", ann, i), event(fmt.Sprint(i), one))
	}
	plain := h.as("ann", "REPORT", ann, "Depth: 1", query("")).is(207).head("Content-Encoding", "")
	for accept, want := range map[string]string{"gzip, deflate": "gzip", "br;q=1.0, gzip;q=0.8": "gzip", "gzip;q=0": "", "identity": ""} {
		r := httptest.NewRequest("REPORT", ann, strings.NewReader(query("")))
		r.Header.Set("Depth", "1")
		r.Header.Set("Accept-Encoding", accept)
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%s: encoding %q, want %q", accept, got, want)
			continue
		}
		if want == "" {
			continue
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); err != nil || string(text) != plain.body {
			t.Errorf("%s: error %v, %d octets, want %d", accept, err, len(text), len(plain.body))
		}
	}
}

func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	h := open(t, "ann")
	status := 0
	for range 30 {
		r := httptest.NewRequest("PROPFIND", "/dav/", nil)
		r.SetBasicAuth("ann", fmt.Sprint("wrong", rand.Text()))
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if status = w.Code; status == 429 {
			if w.Header().Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			break
		}
		if status != 401 {
			t.Fatalf("status %d", status)
		}
	}
	if status != 429 {
		t.Errorf("status %d after many wrong passwords, want 429", status)
	}
}
