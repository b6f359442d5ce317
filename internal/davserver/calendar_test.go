package davserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/davserver"
)

func multiget(data string, hrefs ...string) string {
	return `<C:calendar-multiget` + ns + `><prop><getetag/>` + data + `</prop><href>` + strings.Join(hrefs, `</href><href>`) + `</href></C:calendar-multiget>`
}

func TestCalendarQuery(t *testing.T) { // RFC 4791 7.8
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	h.put("ann", ann+"2.ics", event("2", "DTSTART:20260401T100000Z\nDTEND:20260401T110000Z\nSUMMARY:Two"))
	h.put("ann", ann+"series.ics", event("3", "DTSTART:20200101T083000Z\nDTEND:20200101T090000Z\nRRULE:FREQ=DAILY\nSUMMARY:Standup\nBEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM"))
	ask := func(path, depth, filter string) *answer {
		return h.as("ann", "REPORT", path, "Depth: "+depth, query(filter)).is(207)
	}
	march := `<C:time-range start="20260310T000000Z" end="20260311T000000Z"/>`
	ask(ann, "1", march).has("1.ics", "series.ics", "SUMMARY:One&#13;").lacks("2.ics")
	ask(ann, "1", `<C:time-range start="20260310T090000Z" end="20260310T110000Z"/>`).has("1.ics").lacks("2.ics", "series.ics")
	ask(ann, "1", `<C:time-range start="20300310T083500Z" end="20300310T084000Z"/>`).has("series.ics").lacks("1.ics", "2.ics") // endless
	ask(ann, "1", `<C:time-range end="20200102T000000Z"/>`).has("series.ics").lacks("1.ics", "2.ics")
	ask(ann, "1", "").has("1.ics", "2.ics", "series.ics")
	ask(ann, "infinity", "").has("1.ics")
	ask(ann, "0", "").lacks("<d:response>")
	h.as("ann", "REPORT", ann, "", query("")).is(207).lacks("<d:response>") // missing Depth is 0 (RFC 3253 3.6)
	ask(ann+"1.ics", "0", march).has("1.ics")
	ask(ann+"2.ics", "0", march).lacks("<d:response>")
	ask(ann, "1", `<C:prop-filter name="SUMMARY"><C:text-match>two</C:text-match></C:prop-filter>`).has("2.ics").lacks("1.ics")
	ask(ann, "1", `<C:comp-filter name="VALARM"><C:time-range start="20260310T081500Z" end="20260310T081501Z"/></C:comp-filter>`).has("series.ics").lacks("1.ics") // RFC 4791 9.9

	expand := strings.Replace(query(march), "<C:calendar-data/>", `<C:calendar-data><C:expand start="20260310T000000Z" end="20260312T000000Z"/></C:calendar-data>`, 1)
	h.as("ann", "REPORT", ann, "Depth: 1", expand).is(207).has("RECURRENCE-ID:20260310T083000Z", "RECURRENCE-ID:20260311T083000Z").lacks("RRULE")
	parts := strings.Replace(query(march), "<C:calendar-data/>", `<C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="SUMMARY"/></C:comp></C:comp></C:calendar-data>`, 1)
	h.as("ann", "REPORT", ann, "Depth: 1", parts).is(207).has("BEGIN:VCALENDAR&#13;\nBEGIN:VEVENT&#13;\nSUMMARY:One&#13;\nEND:VEVENT&#13;\nEND:VCALENDAR").lacks("UID")
	limited := strings.Replace(query(""), "</C:filter>", "</C:filter><C:limit><C:nresults>2</C:nresults></C:limit>", 1)
	h.as("ann", "REPORT", ann, "Depth: 1", limited).is(207).has("HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/>")
	h.as("ann", "REPORT", ann, "Depth: 1", strings.Replace(query(""), "<getetag/>", "<getetag/><displayname/>", 1)).is(207).has("<d:prop><d:displayname/></d:prop><d:status>HTTP/1.1 404")
}

func TestFloatingTimesInQueries(t *testing.T) { // RFC 4791 7.3
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", "DTSTART:20260310T100000\nDTEND:20260310T110000"))
	const tokyo = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:T\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
	ask := func(extra string) *answer {
		return h.as("ann", "REPORT", ann, "Depth: 1", strings.Replace(query(`<C:time-range start="20260310T010000Z" end="20260310T020000Z"/>`), "</C:filter>", "</C:filter>"+extra, 1))
	}
	ask("").is(207).lacks("1.ics")
	ask("<C:timezone>" + tokyo + "</C:timezone>").is(207).has("1.ics")
	ask("<C:timezone-id>Asia/Tokyo</C:timezone-id>").is(207).has("1.ics")
	ask("<C:timezone-id>Middle/Earth</C:timezone-id>").is(403)
	ask("<C:timezone>nonsense</C:timezone>").is(403).has("<c:valid-calendar-data/>")
	h.as("ann", "PROPPATCH", ann, "", "<propertyupdate"+ns+"><set><prop><C:calendar-timezone>"+tokyo+"</C:calendar-timezone></prop></set></propertyupdate>").is(207).has("200 OK")
	ask("").is(207).has("1.ics")
}

func TestCalendarMultiget(t *testing.T) { // RFC 4791 7.9
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	h.put("bob", "/dav/calendars/bob/default/b.ics", event("b", one))
	tag := h.etag("ann", ann+"1.ics")
	a := h.as("ann", "REPORT", ann, "", multiget("<C:calendar-data/>", ann+"9.ics", ann+"1.ics", "https://cal.example.test"+ann+"1.ics", "http://elsewhere.test"+ann+"1.ics",
		"/dav/calendars/bob/default/b.ics", "/dav/calendars/ann/tasks/1.ics", "/nowhere", "not a path", ann+"%zz")).is(207)
	a.has("<d:href>"+ann+"9.ics</d:href><d:status>HTTP/1.1 404", "<d:href>"+ann+"1.ics</d:href><d:propstat><d:prop><d:getetag>"+tag+"</d:getetag><c:calendar-data>BEGIN:VCALENDAR",
		"<d:href>/dav/calendars/bob/default/b.ics</d:href><d:status>HTTP/1.1 404", "<d:href>/nowhere</d:href><d:status>HTTP/1.1 404", "<d:href>not%20a%20path</d:href><d:status>HTTP/1.1 404")
	if n := strings.Count(a.body, "<d:response>"); n != 9 {
		t.Errorf("%d responses for 9 hrefs", n)
	}
	h.as("ann", "REPORT", "/dav/calendars/ann/", "", multiget("", ann+"1.ics", "/dav/calendars/bob/default/b.ics")).is(207).has(tag, "b.ics</d:href><d:status>HTTP/1.1 404")
	h.as("ann", "REPORT", ann+"1.ics", "", multiget("", ann+"1.ics")).is(207).has(tag)
	h.as("ann", "REPORT", ann, "", multiget(`<C:calendar-data content-type="text/vcard"/>`, ann+"1.ics")).is(403).has("<c:supported-calendar-data/>")

	small := openWith(t, davserver.Limits{XML: caldav.Limits{Hrefs: 10}}, "ann")
	small.as("ann", "REPORT", ann, "", multiget("", strings.Split(strings.Repeat(ann+"1.ics ", 11), " ")...)).is(507).has("number-of-matches-within-limits")
}

func TestSyncCollection(t *testing.T) { // RFC 6578
	h := open(t, "ann")
	for i := range 5 {
		h.put("ann", fmt.Sprint(ann, i, ".ics"), event(fmt.Sprint(i), one))
	}
	sync := func(token, limit string) (*answer, string) {
		t.Helper()
		a := h.as("ann", "REPORT", ann, "Depth: 0", syncBody(token, limit)).is(207)
		return a, a.find(`</d:response><d:sync-token>(.*?)</d:sync-token></d:multistatus>|<d:sync-token>(?:.*?)</d:sync-token></d:multistatus>`)
	}
	token := func(a *answer) string { return a.find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`) }
	all, _ := sync("", "")
	if n := strings.Count(all.body, "<d:response>"); n != 5 {
		t.Errorf("%d members at first, want 5", n)
	}
	first := token(all)
	prop := h.as("ann", "PROPFIND", ann, "Depth: 0", props("sync-token", "CS:getctag"))
	if got := prop.find(`<d:sync-token>(.*?)<`); got != first { // RFC 6578 4
		t.Errorf("the property is %s, the token %s", got, first)
	}
	if !strings.Contains(first, ":") {
		t.Errorf("token %q is no absolute URI", first)
	}
	none := h.as("ann", "REPORT", ann, "", syncBody(first, "")).is(207).lacks("<d:response>")
	if token(none) != first {
		t.Errorf("nothing happened, and the token went from %s to %s", first, token(none))
	}

	h.as("ann", "DELETE", ann+"0.ics", "", "").is(204)
	h.later(time.Minute)
	h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", strings.Replace(one, "One", "Changed", 1))).is(204)
	h.put("ann", ann+"new.ics", event("new", one))
	h.put("ann", ann+"brief.ics", event("brief", one))
	h.as("ann", "DELETE", ann+"brief.ics", "", "").is(204)
	delta := h.as("ann", "REPORT", ann, "", syncBody(first, "")).is(207).
		has("<d:href>"+ann+"0.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>", "1.ics</d:href><d:propstat>", "new.ics</d:href><d:propstat>").
		lacks("2.ics", "3.ics", "brief.ics</d:href><d:propstat>")
	second := token(delta)
	if second == first {
		t.Error("the token did not change")
	}
	if after := h.as("ann", "PROPFIND", ann, "Depth: 0", props("CS:getctag")); after.find("getctag>(.*?)<") == prop.find("getctag>(.*?)<") { // the ctag moves with the sync token
		t.Error("the ctag did not change")
	}
	// Properties of members and of the calendar are no changes of members (RFC 6578 3.5.1).
	h.as("ann", "PROPPATCH", ann, "", "<propertyupdate"+ns+"><set><prop><displayname>x</displayname></prop></set></propertyupdate>").is(207)
	h.as("ann", "REPORT", ann, "", syncBody(second, "")).is(207).lacks("<d:response>")

	// In portions (RFC 6578 3.6): every member comes once, and the end is the same.
	seen := map[string]bool{}
	at := ""
	for range 10 {
		part := h.as("ann", "REPORT", ann, "", syncBody(at, "2")).is(207)
		for _, piece := range strings.Split(part.body, "<d:response>")[1:] {
			if strings.Contains(piece, "getetag") {
				seen[piece[:strings.Index(piece, "</d:href>")]] = true
			}
		}
		at = token(part)
		if !strings.Contains(part.body, "507") {
			break
		}
		part.has("<d:response><d:href>" + ann + "</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/>")
	}
	if len(seen) != 5 {
		t.Errorf("%d members in portions, want 5: %v", len(seen), seen)
	}
	if at != second {
		t.Errorf("portions end with %s, want %s", at, second)
	}

	// Tokens are of one collection (RFC 6578 3.2); others are refused.
	for _, bad := range []string{first + "0000", strings.Replace(first, "sync-", "sync-9", 1), "data:,sync-1-2", "http://example.com/", "data:,sync--1--1--1"} {
		h.as("ann", "REPORT", ann, "", syncBody(bad, "")).is(403).has("<d:valid-sync-token/>")
	}
	h.as("ann", "REPORT", "/dav/calendars/ann/tasks/", "", syncBody(first, "")).is(403).has("<d:valid-sync-token/>")
	// Data with the changes; clients of the drafts (RFC 6578 3.3); If with a token (5).
	h.as("ann", "REPORT", ann, "", strings.Replace(syncBody(first, ""), "<getetag/>", "<getetag/><C:calendar-data/>", 1)).is(207).has("SUMMARY:Changed")
	h.as("ann", "REPORT", ann, "Depth: 1", strings.Replace(syncBody("", ""), "<sync-level>1</sync-level>", "", 1)).is(207).has("1.ics")
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nIf: <"+ann+"> (<"+first+">)", event("1", one)).is(412)
	h.as("ann", "PUT", ann+"1.ics", calendarHead+"\nIf: <"+ann+"> (<"+second+">)", event("1", one)).is(204)
	h.as("ann", "REPORT", "/dav/calendars/ann/inbox/", "", syncBody("", "")).is(207).has("<d:sync-token>")
}

func TestSyncOfAHome(t *testing.T) { // RFC 6578 3.5
	h := open(t, "ann", "bob")
	const at = "/dav/calendars/ann/"
	token := func(a *answer) string { return a.find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`) }
	first := h.as("ann", "REPORT", at, "", syncBody("", "")).is(207).has("<d:href>"+ann+"</d:href>", at+"tasks/", annBox)
	if got := h.as("ann", "PROPFIND", at, "Depth: 0", props("sync-token")).find("<d:sync-token>(.*?)<"); got != token(first) {
		t.Errorf("the property is %s, the token %s", got, token(first))
	}
	h.as("ann", "REPORT", at, "", syncBody(token(first), "")).is(207).lacks("<d:response>")
	h.as("ann", "MKCALENDAR", at+"work/", "", "").is(201)
	h.as("ann", "DELETE", at+"tasks/", "", "").is(204)
	second := h.as("ann", "REPORT", at, "", syncBody(token(first), "")).is(207).
		has("<d:href>"+at+"work/</d:href><d:propstat>", "<d:href>"+at+"tasks/</d:href><d:status>HTTP/1.1 404").lacks(ann)
	h.put("ann", ann+"1.ics", event("1", one))
	h.as("ann", "REPORT", at, "", syncBody(token(second), "")).is(207).has(ann).lacks("work")
	h.as("ann", "REPORT", at, "", syncBody("data:,sync-9-0-1", "")).is(403).has("valid-sync-token")
	h.as("ann", "REPORT", ann, "", syncBody(token(second), "")).is(403).has("valid-sync-token")
	h.as("ann", "ACL", ann, "", `<acl`+ns+`><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	h.as("bob", "REPORT", at, "", syncBody("", "")).is(403).has("supported-report")
	h.as("bob", "PROPFIND", at, "Depth: 0", props("supported-report-set", "sync-token")).is(207).lacks("sync-collection").has("404")
}

func TestFreeBusyQuery(t *testing.T) { // RFC 4791 7.10
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	h.put("ann", ann+"2.ics", event("2", "DTSTART:20260310T103000Z\nDTEND:20260310T120000Z"))
	h.put("ann", ann+"3.ics", event("3", "DTSTART:20260310T140000Z\nDTEND:20260310T150000Z\nSTATUS:TENTATIVE"))
	h.put("ann", ann+"4.ics", event("4", "DTSTART:20260310T160000Z\nDTEND:20260310T170000Z\nTRANSP:TRANSPARENT"))
	h.put("ann", ann+"5.ics", event("5", "DTSTART:20260310T180000Z\nDTEND:20260310T190000Z\nSTATUS:CANCELLED"))
	ask := func(who, path, start, end string) *answer {
		return h.as(who, "REPORT", path, "Depth: 1", `<C:free-busy-query`+ns+`><C:time-range start="`+start+`" end="`+end+`"/></C:free-busy-query>`)
	}
	for _, who := range []string{"ann", "bob"} { // colleagues see when, and nothing else
		a := ask(who, ann, "20260310T000000Z", "20260311T000000Z").is(200).head("Content-Type", "text/calendar; charset=utf-8").
			has("BEGIN:VFREEBUSY\r\n", "20260310T100000Z/", "FBTYPE=BUSY-TENTATIVE", "20260310T140000Z/").lacks("160000Z", "180000Z", "SUMMARY", "UID:1\r\n")
		if strings.Contains(a.body, "20260310T103000Z/") {
			t.Error("overlapping periods were not put together")
		}
	}
	ask("bob", "/dav/calendars/ann/inbox/", "20260310T000000Z", "20260311T000000Z").is(403)
	ask("bob", "/dav/calendars/ann/nothing/", "20260310T000000Z", "20260311T000000Z").is(404)
	ask("bob", "/dav/calendars/zoe/default/", "20260310T000000Z", "20260311T000000Z").is(404)
	ask("ann", ann, "10000310T000000Z", "20260311T000000Z").is(400)
	h.as("ann", "REPORT", ann, "", `<C:free-busy-query`+ns+`><C:time-range start="20260310T000000Z"/></C:free-busy-query>`).is(200).has("20260310T100000Z/")
}

func TestSharedCalendars(t *testing.T) { // RFC 3744 8.1: sharing through ACL
	h := open(t, "ann", "bob", "eve")
	h.put("ann", ann+"1.ics", event("1", one))
	grant := func(privileges ...string) *answer {
		s := ""
		for _, p := range privileges {
			s += "<privilege><" + p + "/></privilege>"
		}
		return h.as("ann", "ACL", ann, "", `<acl`+ns+`><ace><principal><href>/dav/principals/bob/</href></principal><grant>`+s+`</grant></ace></acl>`)
	}
	h.as("bob", "GET", ann+"1.ics", "", "").is(404)
	grant("read").is(200)
	h.as("bob", "GET", ann+"1.ics", "", "").is(200)
	h.as("eve", "GET", ann+"1.ics", "", "").is(404)
	h.as("bob", "PROPFIND", "/dav/principals/bob/", "Depth: 0", props("C:calendar-home-set")).has("<c:calendar-home-set><d:href>/dav/calendars/bob/</d:href></c:calendar-home-set>")
	h.as("bob", "PROPFIND", "/dav/calendars/ann/", "Depth: 1", props("current-user-privilege-set", "owner")).is(207).has(ann, "<d:read/>", "<d:owner><d:href>/dav/principals/ann/</d:href></d:owner>").lacks("inbox", "tasks", "<d:write/>")
	h.as("bob", "PUT", ann+"1.ics", calendarHead, event("1", one)).is(403).has("<d:need-privileges>", "<d:write-content/>")
	h.as("bob", "DELETE", ann+"1.ics", "", "").is(403).has("<d:unbind/>")
	h.as("bob", "ACL", ann, "", `<acl`+ns+`/>`).is(403).has("<d:write-acl/>")
	h.as("bob", "PROPPATCH", ann, "", "<propertyupdate"+ns+"><set><prop><C:calendar-description>x</C:calendar-description></prop></set></propertyupdate>").is(403).has("<d:write-properties/>")
	grant("read", "write").is(200)
	h.as("bob", "PUT", ann+"2.ics", calendarHead, event("2", one)).is(201)
	acl := h.as("ann", "PROPFIND", ann, "Depth: 0", props("acl")).is(207).
		has("<d:ace><d:principal><d:property><d:owner/></d:property></d:principal><d:grant><d:privilege><d:all/></d:privilege></d:grant><d:protected/></d:ace>",
			"<d:ace><d:principal><d:href>/dav/principals/bob/</d:href></d:principal><d:grant><d:privilege><d:read/></d:privilege>")
	h.as("ann", "REPORT", ann, "", `<acl-principal-prop-set`+ns+`><prop><displayname/></prop></acl-principal-prop-set>`).is(207).has("Ann Example", "Bob Example").lacks("Eve")
	// What was read can be sent back.
	h.as("ann", "ACL", ann, "", acl.find(`(?s)(<d:acl>.*</d:acl>)`)[:6]+nsOut+acl.find(`(?s)<d:acl(>.*</d:acl>)`)).is(200)
	h.as("bob", "GET", ann+"2.ics", "", "").is(200)

	for _, c := range []struct{ what, ace, condition string }{
		{"deny", `<principal><href>/dav/principals/bob/</href></principal><deny><privilege><read/></privilege></deny>`, "grant-only"},
		{"invert", `<invert><principal><href>/dav/principals/bob/</href></principal></invert><grant><privilege><read/></privilege></grant>`, "no-invert"},
		{"nobody", `<principal><href>/dav/principals/zoe/</href></principal><grant><privilege><read/></privilege></grant>`, "recognized-principal"},
		{"elsewhere", `<principal><href>http://elsewhere.test/</href></principal><grant><privilege><read/></privilege></grant>`, "recognized-principal"},
		{"everyone", `<principal><all/></principal><grant><privilege><read/></privilege></grant>`, "allowed-principal"},
		{"what is no privilege", `<principal><href>/dav/principals/bob/</href></principal><grant><privilege><x:y xmlns:x="u:x"/></privilege></grant>`, "not-supported-privilege"},
		{"managing", `<principal><href>/dav/principals/bob/</href></principal><grant><privilege><write-acl/></privilege></grant>`, "no-ace-conflict"},
	} {
		h.as("ann", "ACL", ann, "", `<acl`+ns+`><ace>`+c.ace+`</ace></acl>`).is(403).has("<d:" + c.condition + "/>")
	}
	h.as("ann", "ACL", ann, "", `<acl`+ns+`/>`).is(200)
	h.as("bob", "GET", ann+"1.ics", "", "").is(404)
}

func TestPrincipalSearch(t *testing.T) { // RFC 3744 9
	h := open(t, "ann", "bob", "bobby")
	search := func(test, name, match string) *answer {
		return h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", `<principal-property-search`+ns+` `+test+`><property-search><prop><`+name+`/></prop><match>`+match+`</match></property-search><prop><displayname/><C:calendar-user-address-set/></prop></principal-property-search>`).is(207)
	}
	search("", "displayname", "bob").has("/dav/principals/bob/", "/dav/principals/bobby/", "mailto:bob@example.test").lacks("/dav/principals/ann/")
	search("", "C:calendar-user-address-set", "mailto:bob@example.test").has("/dav/principals/bob/").lacks("bobby")
	search("", "CS:email-address-set", "bobby@").has("bobby").lacks("/dav/principals/bob/")
	search("", "displayname", "").lacks("<d:response>") // not a way to list everybody
	search("", "displayname", "zzz").lacks("<d:response>")
	search("", "C:calendar-user-type", "INDIVIDUAL").lacks("<d:response>")
	h.as("ann", "REPORT", "/dav/principals/", "Depth: 0", `<principal-property-search`+ns+`><property-search><prop><C:calendar-user-type/></prop><match>INDIVIDUAL</match></property-search><property-search><prop><displayname/></prop><match>bobby</match></property-search><prop><displayname/></prop></principal-property-search>`).is(207).has("bobby").lacks("/dav/principals/bob/")
	h.as("ann", "REPORT", "/dav/principals/", "", `<CS:calendarserver-principal-search`+ns+` context="attendee"><CS:search-token>bob</CS:search-token><CS:search-token>exam</CS:search-token><prop><displayname/></prop></CS:calendarserver-principal-search>`).is(207).has("Bob Example", "Bobby Example")
	h.as("ann", "REPORT", "/dav/principals/", "", `<CS:calendarserver-principal-search`+ns+` context="location"><CS:search-token>bob</CS:search-token><prop><displayname/></prop></CS:calendarserver-principal-search>`).is(207).lacks("Bob")
	h.as("ann", "REPORT", "/dav/principals/", "", `<CS:calendarserver-principal-search`+ns+`><CS:search-token>bob</CS:search-token><CS:limit><CS:nresults>1</CS:nresults></CS:limit><prop><displayname/></prop></CS:calendarserver-principal-search>`).is(207).has("507")
	h.as("ann", "REPORT", "/dav/principals/", "", `<principal-search-property-set`+ns+`/>`).is(200).has("<d:principal-search-property><d:prop><d:displayname/></d:prop>")
	h.as("ann", "REPORT", "/dav/principals/", "", `<principal-match`+ns+`><self/><prop><displayname/></prop></principal-match>`).is(207).has("/dav/principals/ann/").lacks("bob")
	h.as("ann", "REPORT", "/dav/calendars/ann/", "", `<principal-match`+ns+`><principal-property><owner/></principal-property><prop><displayname/></prop></principal-match>`).is(207).has(ann)
	h.as("ann", "REPORT", "/dav/principals/ann/", "", `<expand-property`+ns+`><property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"><property name="resourcetype"/><property name="x" namespace="u:x"/></property><property name="displayname"/></expand-property>`).is(207).
		has("<c:calendar-home-set><d:response><d:href>/dav/calendars/ann/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>", "<d:displayname>Ann Example</d:displayname>")
}

func TestLiveProperties(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	for _, c := range []struct{ path, name, want string }{
		{ann, "C:supported-calendar-component-set", `<c:comp name="VEVENT"/>`},
		{ann, "C:max-resource-size", ">100000<"},
		{ann, "C:min-date-time", ">10000101T000000Z<"},
		{ann, "C:max-date-time", ">30000101T000000Z<"},
		{ann, "C:max-instances", ">10000<"},
		{ann, "C:max-attendees-per-instance", ">5000<"},
		{ann, "C:supported-collation-set", "<c:supported-collation>i;ascii-casemap</c:supported-collation><c:supported-collation>i;octet</c:supported-collation>"},
		{ann, "supported-report-set", "<d:supported-report><d:report><c:calendar-query/></d:report></d:supported-report>"},
		{ann, "owner", "/dav/principals/ann/"},
		{ann, "current-user-privilege-set", "<d:privilege><d:write/></d:privilege>"},
		{ann, "supported-privilege-set", "<d:supported-privilege><d:privilege><d:all/></d:privilege>"},
		{ann, "principal-collection-set", "<d:href>/dav/principals/</d:href>"},
		{ann, "acl-restrictions", "<d:grant-only/>"},
		{ann, "resource-id", "<d:href>urn:uuid:"},
		{ann, "C:schedule-calendar-transp", "<c:opaque/>"},
		{ann, "creationdate", ">2026-03-02T08:00:00Z<"},
		{ann + "1.ics", "getcontenttype", ">text/calendar; charset=utf-8; component=vevent<"},
		{ann + "1.ics", "resourcetype", "<d:resourcetype/>"},
		{ann + "1.ics", "getlastmodified", ">Mon, 02 Mar 2026 08:00:00 GMT<"},
		{ann + "1.ics", "inherited-acl-set", "<d:href>" + ann + "</d:href>"},
		{ann + "1.ics", "current-user-principal", "/dav/principals/ann/"},
		{"/dav/calendars/ann/", "C:supported-calendar-component-sets", `<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>`},
		{"/dav/calendars/ann/inbox/", "resourcetype", "<d:collection/><c:schedule-inbox/>"},
		{"/dav/calendars/ann/inbox/", "current-user-privilege-set", "<c:schedule-deliver/>"},
		{"/dav/calendars/ann/inbox/", "C:schedule-default-calendar-URL", "<d:href>" + ann + "</d:href>"},
		{"/dav/calendars/ann/outbox/", "resourcetype", "<d:collection/><c:schedule-outbox/>"},
		{"/dav/calendars/ann/outbox/", "current-user-privilege-set", "<c:schedule-send-freebusy/>"},
		{"/dav/principals/ann/", "resourcetype", "<d:principal/>"},
		{"/dav/principals/ann/", "principal-URL", "/dav/principals/ann/"},
		{"/dav/principals/ann/", "group-membership", "<d:group-membership/>"},
		{"/dav/principals/ann/", "C:calendar-user-address-set", `<d:href preferred="1">mailto:ann@example.test</d:href><d:href>/dav/principals/ann/</d:href></c:calendar-user-address-set>`},
		{"/dav/principals/ann/", "C:calendar-user-type", ">INDIVIDUAL<"},
		{"/dav/principals/ann/", "C:schedule-outbox-URL", "/dav/calendars/ann/outbox/"},
		{"/dav/principals/ann/", "CS:email-address-set", "<cs:email-address>ann@example.test</cs:email-address>"},
		{"/dav/principals/ann/", "CS:record-type", ">users<"},
	} {
		h.as("ann", "PROPFIND", c.path, "Depth: 0", props(c.name)).is(207).has(c.want).lacks("404")
	}
	// What a report needs is no property (RFC 4791 9.6); what Apple asks and we lack is missing, no error.
	h.as("ann", "PROPFIND", ann+"1.ics", "Depth: 0", props("C:calendar-data", "CS:dropbox-home-URL", "CS:pushkey", "quota-used-bytes")).is(207).lacks("BEGIN:VCALENDAR", "200 OK")
	// One page of everything says what is supported and keeps each promise (RFC 3253 3.1.5).
	for _, path := range []string{"/dav/", "/dav/principals/", "/dav/principals/ann/", "/dav/calendars/", "/dav/calendars/ann/", ann, ann + "1.ics", "/dav/calendars/ann/inbox/", "/dav/calendars/ann/outbox/"} {
		listed := h.as("ann", "PROPFIND", path, "Depth: 0", props("supported-report-set")).is(207)
		for name, body := range map[string]string{
			"c:calendar-query": query(""), "c:calendar-multiget": multiget("", ann+"1.ics"), "d:sync-collection": syncBody("", ""),
			"c:free-busy-query":                  `<C:free-busy-query` + ns + `><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>`,
			"d:expand-property":                  `<expand-property` + ns + `><property name="displayname"/></expand-property>`,
			"d:principal-property-search":        `<principal-property-search` + ns + `><property-search><prop><displayname/></prop><match>x</match></property-search></principal-property-search>`,
			"d:principal-search-property-set":    `<principal-search-property-set` + ns + `/>`,
			"cs:calendarserver-principal-search": `<CS:calendarserver-principal-search` + ns + `><CS:search-token>x</CS:search-token></CS:calendarserver-principal-search>`,
			"d:principal-match":                  `<principal-match` + ns + `><self/></principal-match>`,
			"d:acl-principal-prop-set":           `<acl-principal-prop-set` + ns + `><prop><displayname/></prop></acl-principal-prop-set>`,
		} {
			status := h.as("ann", "REPORT", path, "Depth: 0", body).status
			if promised := strings.Contains(listed.body, "<"+name+"/>"); promised != (status < 300) {
				t.Errorf("%s: %s is listed: %v, and answers %d", path, name, promised, status)
			}
		}
		for _, m := range strings.Split(h.as("ann", "OPTIONS", path, "", "").header.Get("Allow"), ", ") {
			if s := h.as("ann", m, path, "", "").status; s == 405 && m != "MKCALENDAR" && m != "MKCOL" || s == 501 || s >= 500 {
				t.Errorf("%s: %s is allowed, and answers %d", path, m, s)
			}
			if m == "DELETE" && path == ann+"1.ics" {
				h.put("ann", ann+"1.ics", event("1", one))
			}
		}
	}
}

// A client that leaves in the middle breaks its own answer and nothing else.
func TestBrokenOffAnswersDoNotLookWhole(t *testing.T) {
	h := open(t, "ann")
	for i := range 12 {
		h.put("ann", fmt.Sprintf("%s%d.ics", ann, i), event(fmt.Sprint(i), one+"\nX-LONG:"+strings.Repeat("x", 90_000)))
	}
	r := httptest.NewRequest("REPORT", ann, strings.NewReader(query("")))
	r.Header.Set("Depth", "1")
	r.SetBasicAuth("ann", password)
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panic %v, want http.ErrAbortHandler", p)
		}
	}()
	h.handler.ServeHTTP(&leaving{ResponseRecorder: httptest.NewRecorder()}, r)
	t.Error("the answer ended as if it were whole")
}

type leaving struct {
	*httptest.ResponseRecorder
	n int
}

func (l *leaving) Write(b []byte) (int, error) {
	if l.n++; l.n > 1 {
		return 0, fmt.Errorf("connection reset")
	}
	return l.ResponseRecorder.Write(b)
}
