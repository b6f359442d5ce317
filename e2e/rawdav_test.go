package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Requests that are unusual, wrong or hostile in what they say of WebDAV and
// CalDAV: each has the answer that the RFC gives it, and changes nothing it
// should not.
func TestRawDAV(t *testing.T) {
	t.Parallel()
	s := newService(t, "example.test", []string{"alice", "bob"}).start()
	const home, at = "/dav/calendars/alice/", "/dav/calendars/alice/default/"
	put := func(name, uid string) {
		t.Helper()
		s.expect(201, s.do("alice", "PUT", at+name, event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Zürich"), "Content-Type", "text/calendar"))
	}
	put("a.ics", "raw-a")
	put("b.ics", "raw-b")
	s.expect(201, s.do("alice", "MKCALENDAR", home+"other/", ""))
	token := regexp.MustCompile(`<d:sync-token>([^<]+)`).FindStringSubmatch(s.do("alice", "REPORT", at, `<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop/></sync-collection>`, "Content-Type", "application/xml").body)[1]
	lock := s.do("alice", "LOCK", at+"b.ics", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`, "Content-Type", "application/xml")
	s.expect(200, lock)
	locked := lock.header.Get("Lock-Token")

	const ics, xml = "Content-Type: text/calendar", "Content-Type: application/xml"
	a := event("raw-a", "DTSTART:20270401T100000Z\nSUMMARY:Zürich")
	chunk := func(s, trailer string) string {
		return fmt.Sprintf("%x;ext=\"a\"\r\n%s\r\n0\r\n%s\r\n", len(s), s, trailer)
	}
	prop := func(inner string) string { return `<propfind xmlns="DAV:">` + inner + `</propfind>` }
	sync := func(token, more string) string {
		return `<sync-collection xmlns="DAV:"><sync-token>` + token + `</sync-token><sync-level>1</sync-level>` + more + `<prop><getetag/></prop></sync-collection>`
	}
	query := func(filter string) string {
		return `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter>` + filter + `</C:filter></C:calendar-query>`
	}
	events := func(filter string) string {
		return query(`<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` + filter + `</C:comp-filter></C:comp-filter>`)
	}
	patch := func(set string) string {
		return `<propertyupdate xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>` + set + `</prop></set></propertyupdate>`
	}
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, tt := range []struct{ line, head, body, want string }{
		// HTTP
		{"PUT " + at + "a.ics", ics + "\r\nTransfer-Encoding: chunked\r\nTrailer: If-None-Match, Content-Type", chunk(a, "If-None-Match: *\r\nContent-Type: text/plain\r\n"), "^204"}, // trailers are no headers
		{"PUT " + at + "c.ics", ics + "\r\nTransfer-Encoding: chunked", "ffffffffffffffffff\r\nxx", "^400"},
		{"PUT /" + at + "a.ics", ics, a, "^204"}, // two slashes that begin the path
		{"GET /" + at + "a.ics", "", "", "^200.*raw-a"},
		{"GET //evil.test/%2e%2e/", "", "", "^404"},
		{"PUT " + at + "x%2fy.ics", ics, a, "^400"},
		{"PUT " + at + "%00.ics", ics, a, "^400"},
		{"PUT " + at + strings.Repeat("n", 256), ics, a, "^400"},
		{"OPTIONS /freebusy/alice", "", "", "^200.*Allow: OPTIONS, GET, HEAD"},
		{"OPTIONS /timezones", "", "", "^200.*Allow: OPTIONS, GET, HEAD"},
		{"POST /feeds/x.ics", ics, a, "^405.*Allow: OPTIONS, GET, HEAD"},
		{"GET " + at + "a.ics", "Range: bytes=0-1,5-6", "", "^20[06]"},
		// conditions
		{"PUT " + at + "a.ics", ics + "\r\nIf-Match: \"old\"\r\nExpect: 100-continue", a, "^412"}, // and no 100 before it
		{"PUT " + at + "a.ics", ics + "\r\nIf-None-Match: *\r\nExpect: 100-Continue", a, "^412"},
		{"PUT " + at + "a.ics", ics + "\r\nExpect: 100-continue", a, "^100.*HTTP/1.1 204"},
		{"PUT /dav/calendars/bob/default/x.ics", ics + "\r\nExpect: 100-continue", a, "^40[349]"},
		{"PUT " + at + "a.ics", ics + "\r\nIf-Match:", a, "^412"}, // a list of none
		{"PUT " + at + "a.ics", ics + "\r\nIf-Match: W/\"x\"", a, "^412"},
		{"PUT " + at + "a.ics", ics + "\r\nIf-Match: \"x\", *", a, "^204"},
		{"PUT " + at + "a.ics", ics + "\r\nIf-Unmodified-Since: yesterday", a, "^204"},
		{"DELETE " + at + "a.ics", "If-None-Match: *", "", "^412"},
		{"PUT " + at + "a.ics", ics + "\r\nIf: " + many(10_000, "(<urn:uuid:%d>)"), a, "^(400|431)"},
		{"PUT " + at + "a.ics", ics + "\r\nIf: " + many(90, "(<urn:uuid:%d>)"), a, "^412"},
		{"PUT " + at + "a.ics", ics + "\r\nIf: (<urn:x>) (Not <DAV:no-lock>)", a, "^204"},
		{"PUT " + at + "a.ics", ics + "\r\nIf: ()", a, "^400"},
		{"PUT " + at + "a.ics", ics + "\r\nIf: (" + locked + ")", a, "^412"}, // another's lock token
		{"PUT " + at + "b.ics", ics + "\r\nLock-Token: " + locked, event("raw-b", "DTSTART:20270401T100000Z"), "^423"},
		{"UNLOCK " + at + "a.ics", "Lock-Token: " + locked, "", "^409"},
		{"DELETE " + at, "", "", "^(403|423)"},
		// XML
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, `<propfind><prop><displayname/></prop></propfind>`, "^400"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, `<a:propfind xmlns:a="DAV:"><b:prop xmlns:b="DAV:"><c:displayname xmlns:c="DAV:"/><displayname xmlns=""/></b:prop></a:propfind>`, "^207.*<d:displayname>Calendar</d:displayname>.*<displayname/>.*404"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, `<propfind xmlns="DAV:" xmlns:xml="urn:x"><prop/></propfind>`, "^400"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, prop(`<prop><y:displayname/></prop>`), "^400"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, prop(`<allprop/><propname/>`), "^400"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, prop(`<prop>` + many(10_000, `<p%d xmlns="urn:n"/>`) + `</prop>`), "^413"},
		{"PROPFIND /dav/", "Depth: infinity\r\n" + xml, prop(`<allprop/>`), "^403.*propfind-finite-depth"},
		{"PROPPATCH " + at, xml, patch(many(10_000, `<p%d xmlns="urn:n">v</p%[1]d>`)), "^413"},
		{"PROPPATCH " + at, xml, patch(`<displayname>Lost</displayname><getetag>x</getetag>`), "^207.*424.*cannot-modify-protected-property"},
		{"PROPPATCH " + at, xml, patch(`<n:q xmlns:n="urn:n" n:a="1" xml:space="preserve"> <n:x>&lt;]]&gt;</n:x><![CDATA[<raw>]]> </n:q>`), "^207.*200 OK"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, prop(`<prop><q xmlns="urn:n"/></prop>`), `^207.*n:a="1" xml:space="preserve"> <n:x>&lt;\]\]&gt;</n:x>&lt;raw&gt; </n:q>`},
		{"MKCALENDAR " + home + "half/", xml, `<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>x</displayname><C:calendar-timezone>bad</C:calendar-timezone></prop></set></C:mkcalendar>`, "^207.*424.*valid-calendar-data"},
		{"PROPFIND " + home + "half/", "Depth: 0\r\n" + xml, prop(`<allprop/>`), "^404"},
		// reports
		{"REPORT " + at, "Depth: 1\r\n" + xml, query(`<C:comp-filter name="VCALENDAR">` + strings.Repeat(`<C:comp-filter name="VEVENT">`, 100) + strings.Repeat(`</C:comp-filter>`, 101)), "^413"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, query(`<C:comp-filter name="VCALENDAR">` + strings.Repeat(`<C:comp-filter name="VEVENT"/>`, 5000) + `</C:comp-filter>`), "^403"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, events(`<C:time-range start="00000101T000000Z" end="20280101T000000Z"/>`), "^403.*min-date-time"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, events(`<C:time-range start="20270401T000000Z" end="20270401T000000Z"/>`), "^403.*valid-filter"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, events(`<C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>`), "^403.*supported-collation"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, events(`<C:prop-filter name="SUMMARY"><C:text-match collation="i;unicode-casemap"><![CDATA[zÜ]]>RICH</C:text-match></C:prop-filter>`), "^207.*a.ics"},
		{"REPORT " + at, "Depth: 1\r\n" + xml, events(`<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">rich</C:text-match></C:prop-filter>`), "^207.*</d:multistatus>|^207.*<d:multistatus[^>]*/>"},
		{"REPORT " + home + "other/", "Depth: 0\r\n" + xml, sync(token, ""), "^403.*valid-sync-token"},
		{"REPORT " + at, "Depth: 0\r\n" + xml, sync(token+"99999999999999999999", ""), "^403.*valid-sync-token"},
		{"REPORT " + at, "Depth: 0\r\n" + xml, sync(token, `<limit><nresults>0</nresults></limit>`), "^400"},
		{"REPORT " + at, "Depth: 0\r\n" + xml, sync(token, `</sync-level><sync-level>`), "^400"},
		// COPY and MOVE
		{"MOVE " + at + "a.ics", "Destination: " + at + "a.ics", "", "^403"},
		{"MOVE " + at, "Destination: " + at + "sub/", "", "^4(03|23)"},
		{"MOVE " + home + "other/", "Destination: " + home + "other/sub/", "", "^403"},
		{"COPY " + at + "a.ics", "Destination: " + home + "other/c.ics#part", "", "^400"},
		{"COPY " + at + "a.ics", "Destination: " + home + "other/c.ics?x", "", "^400"},
		{"COPY " + at + "a.ics", "Destination: http://127.0.0.1:1" + home + "other/c.ics", "", "^502"},
		{"COPY " + at + "a.ics", "Destination: relative.ics", "", "^400"},
		{"COPY " + at + "a.ics", "Destination: " + home + "other/c.ics\r\nOverwrite: X", "", "^400"},
		{"COPY " + at + "a.ics", "Destination: " + home + "inbox/c.ics", "", "^403"},
		{"COPY " + at + "a.ics", "Destination: " + home + "other/what%3F%23.ics", "", "^201"},
		{"GET " + home + "other/what%3F%23.ics", "", "", "^200.*raw-a"},
	} {
		head := tt.head
		if !strings.Contains(head, "Transfer-Encoding") && tt.body != "" {
			head += fmt.Sprintf("\r\nContent-Length: %d", len(tt.body))
		}
		answer := s.raw(tt.line + " HTTP/1.1\r\nHost: " + s.http + "\r\nAuthorization: Basic " + basic("alice", "alice") + "\r\nConnection: close\r\n" + strings.TrimPrefix(head+"\r\n", "\r\n") + "\r\n" + tt.body)
		if ok, err := regexp.MatchString("(?s)"+tt.want, strings.TrimPrefix(answer, "HTTP/1.1 ")); err != nil || !ok {
			t.Errorf("%s, %.100q, %.200s:\n%.900s\nwant %s", tt.line, tt.head, tt.body, answer, tt.want)
		}
	}
	if r := s.do("alice", "PROPFIND", home, prop(`<prop><displayname/></prop>`), "Depth", "1"); strings.Contains(r.body, "Lost") || strings.Contains(r.body, "/half/") || strings.Contains(r.body, "/sub/") {
		t.Errorf("refused requests left something behind:\n%s", r.body)
	}
}
