package davserver_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
)

// RFC 4331: what an account may keep ends, with 507 and the precondition,
// whatever the method; and what is deleted makes room.
func TestQuota(t *testing.T) {
	h := openLimited(t, storetest.SQLite(t), davserver.Limits{}, calendar.Limits{ResourceSize: 100_000, Quota: 5000}, "ann")
	full := func(a *answer) { t.Helper(); a.is(507).has(davErr("quota-not-exceeded"), "<d:responsedescription>") }
	h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", props("quota-used-bytes", "quota-available-bytes")).is(207).has("<d:quota-available-bytes>").lacks("404")
	h.as("ann", "MKCOL", "/dav/calendars/ann/files/", "", "").is(201)
	h.put("ann", ann+"1.ics", event("1", one+"\nDESCRIPTION:"+strings.Repeat("x", 3000)))
	left := h.as("ann", "PROPFIND", "/dav/calendars/ann/", "Depth: 0", props("quota-available-bytes")).find(`<d:quota-available-bytes>(\d+)<`)
	if len(left) > 4 || left == "5000" {
		t.Errorf("%s octets are left of 5000", left)
	}
	big := event("2", one+"\nDESCRIPTION:"+strings.Repeat("x", 3000))
	full(h.as("ann", "PUT", ann+"2.ics", calendarHead, big))
	full(h.as("ann", "POST", ann, calendarHead, big))
	full(h.as("ann", "PUT", "/dav/calendars/ann/files/a", "Content-Type: text/plain", strings.Repeat("x", 3000)))
	full(h.as("ann", "POST", ann+"1.ics?action=attachment-add", "Content-Type: text/plain", strings.Repeat("x", 3000)))
	h.as("ann", "MKCALENDAR", "/dav/calendars/ann/other/", "", "").is(201)
	full(h.as("ann", "COPY", ann+"1.ics", "Destination: /dav/calendars/ann/other/1.ics", ""))
	h.as("ann", "PUT", ann+"1.ics", calendarHead, event("1", one)).is(204)
	h.put("ann", ann+"2.ics", big)
}

// Changes of who sees what leave a line in the log, and secrets none.
func TestSharingIsLogged(t *testing.T) {
	h := open(t, "ann", "bob")
	h.as("ann", "ACL", ann, "", `<acl xmlns="DAV:"><ace><principal><href>/dav/principals/bob/</href></principal><grant><privilege><read/></privilege></grant></ace></acl>`).is(200)
	h.as("ann", "PROPPATCH", "/dav/principals/ann/calendar-proxy-write/", "", `<propertyupdate xmlns="DAV:"><set><prop><group-member-set><href>/dav/principals/bob/</href></group-member-set></prop></set></propertyupdate>`).is(207)
	h.as("ann", "POST", ann, "Content-Type: application/xml", `<CS:publish-calendar`+ns+`/>`).is(200)
	var told int
	for line := range strings.Lines(h.logged.String()) {
		if strings.Contains(line, "msg=sharing") && strings.Contains(line, "by=ann") {
			told++
		}
	}
	if told < 3 {
		t.Errorf("%d lines tell of three changes:\n%s", told, h.logged.String())
	}
}

func TestNoSecretsInLog(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	url := h.as("ann", "POST", ann, "Content-Type: application/xml", `<CS:publish-calendar`+ns+`/>`).is(200).find(`https://cal.example.test(/feeds/[^<]+)`)
	h.as("", "GET", url, "", "").is(200)
	h.as("", "GET", url+"x", "", "").is(404)
	h.as("ann", "POST", ann+"1.ics?action=attachment-add", "Content-Type: text/plain", "x").is(201)
	token := strings.TrimSuffix(strings.TrimPrefix(url, "/feeds/"), ".ics")
	for _, secret := range []string{token, password} {
		if strings.Contains(h.logged.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, h.logged.String())
		}
	}
}

// Hostile requests are refused with the right status, a sentence, and in little
// memory, whatever their size; nothing is stored.
func TestHostileBodies(t *testing.T) {
	h := open(t, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	before := h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag", "sync-token")).is(207).body
	xml := "Content-Type: application/xml\nDepth: 0"
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	for _, c := range []struct {
		what, method, path, head, body string
		status                         int
		has                            string
	}{
		{"a million hrefs", "REPORT", ann, xml, "<C:calendar-multiget" + ns + "><prop><getetag/></prop>" + many(500_000, "<href>/a</href>") + "</C:calendar-multiget>", 507, "number-of-matches-within-limits"},
		{"hrefs to everywhere", "REPORT", ann, xml, "<C:calendar-multiget" + ns + "><prop><getetag/></prop>" + many(1000, "<href>//evil.test/%2e%2e/%00</href><href>\u0001</href>") + "</C:calendar-multiget>", 400, ""},
		{"ten thousand properties", "PROPFIND", ann, xml, "<propfind xmlns='DAV:'><prop>" + many(10_000, "<x xmlns='u:x'/>") + "</prop></propfind>", 413, "elements"},
		{"ten thousand to set", "PROPPATCH", ann, xml, "<propertyupdate xmlns='DAV:'><set><prop>" + many(10_000, "<x xmlns='u:x'>1</x>") + "</prop></set></propertyupdate>", 413, "elements"},
		{"deep XML", "PROPFIND", ann, xml, many(200_000, "<a>"), 413, "levels"},
		{"deep filter", "REPORT", ann, xml, "<C:calendar-query" + ns + "><prop/><C:filter>" + many(20, "<C:comp-filter name='VCALENDAR'>") + many(20, "</C:comp-filter>") + "</C:filter></C:calendar-query>", 403, "filter"},
		{"many attributes", "PROPFIND", ann, xml, "<propfind xmlns='DAV:' " + strings.Join(numbered(2000), " ") + "/>", 413, ""},
		{"many prefixes", "PROPFIND", ann, xml, "<propfind xmlns='DAV:' " + strings.Join(prefixes(2000), " ") + "/>", 413, ""},
		{"an entity bomb", "PROPFIND", ann, xml, "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><propfind xmlns='DAV:'><prop><a>&c;</a></prop></propfind>", 400, "document type"},
		{"a parameter entity", "PROPFIND", ann, xml, "<!DOCTYPE a [<!ENTITY % b SYSTEM 'http://evil.test/x'>%b;]><propfind xmlns='DAV:'/>", 400, "document type"},
		{"UTF-16", "PROPFIND", ann, xml, utf16("<?xml version='1.0' encoding='utf-16'?><propfind xmlns='DAV:'><prop><displayname/></prop></propfind>"), 207, "displayname"},
		{"UTF-16 that is none", "PROPFIND", ann, xml, "<?xml version='1.0' encoding='utf-16'?><propfind xmlns='DAV:'><prop/></propfind>", 0, ""},
		{"half of UTF-16", "PROPFIND", ann, xml, utf16("<propfind xmlns='DAV:'/>") + "\x00", 400, ""},
		{"UTF-32", "PROPFIND", ann, xml, "\x00\x00\xfe\xff\x00\x00\x00<", 400, ""},
		{"an unknown encoding", "PROPFIND", ann, xml, "<?xml version='1.0' encoding='EBCDIC'?><propfind xmlns='DAV:'/>", 415, "EBCDIC"},
		{"octets that are no UTF-8", "PROPFIND", ann, xml, "<propfind xmlns='DAV:'><prop><a\xff/></prop></propfind>", 400, ""},
		{"NUL", "PROPFIND", ann, xml, "<propfind xmlns='DAV:'>\x00</propfind>", 400, ""},
		{"gzip", "PROPFIND", ann, xml + "\nContent-Encoding: gzip", "\x1f\x8b\x08\x00", 415, "gzip"},
		{"a compressed object", "PUT", ann + "2.ics", calendarHead + "\nContent-Encoding: br", "x", 415, "br"},
		{"a part of an object", "PUT", ann + "2.ics", calendarHead + "\nContent-Range: bytes 0-1/2", "x", 400, "parts"},
		{"an If of a megabyte", "PUT", ann + "1.ics", calendarHead + "\nIf: " + many(100_000, "(<urn:x>) "), event("1", one), 400, "too many conditions"},
		{"an If that does not end", "PUT", ann + "1.ics", calendarHead + "\nIf: (" + many(1_000_000, "<"), event("1", one), 400, "If header"},
		{"an If of other hosts", "PUT", ann + "1.ics", calendarHead + "\nIf: " + many(90, "<http://evil.test/x> (<urn:x>) "), event("1", one), 412, ""},
		{"a stale lock", "PUT", ann + "1.ics", calendarHead + "\nIf: (<urn:uuid:00000000-0000-4000-8000-000000000000>)", event("1", one), 412, ""},
		{"an If-Match of a megabyte", "PUT", ann + "1.ics", calendarHead + "\nIf-Match: " + many(100_000, `"x", `), event("1", one), 412, ""},
		{"a Lock-Token that is none", "UNLOCK", ann + "1.ics", "Lock-Token: " + many(10_000, "<"), "", 400, ""},
		{"a Destination that is none", "MOVE", ann + "1.ics", "Destination: ::", "", 400, ""},
		{"a Destination upwards", "MOVE", ann + "1.ics", "Destination: " + ann + "%2e%2e/%2e%2e/bob/default/1.ics", "", 400, "dot segment"},
		{"a Destination with an escaped slash", "MOVE", ann + "1.ics", "Destination: " + ann + "a%2f..%2fb.ics", "", 400, "slash"},
		{"a Destination with NUL", "COPY", ann + "1.ics", "Destination: " + ann + "a%00.ics", "", 400, ""},
		{"a Destination in user information", "MOVE", ann + "1.ics", "Destination: http://cal.example.test@evil.test/1.ics", "", 502, ""},
		{"a token of digits", "REPORT", ann, xml, syncBody("data:,sync-1-1-"+many(1000, "9"), ""), 403, "valid-sync-token"},
		{"a token of signs", "REPORT", ann, xml, syncBody("data:,sync--1--1--1", ""), 403, "valid-sync-token"},
		{"a limit of nothing", "REPORT", ann, xml, syncBody("", "0"), 400, ""},
		{"a limit beyond numbers", "REPORT", ann, xml, syncBody("", many(100, "9")), 0, ""},
		{"a Depth of letters", "PROPFIND", ann, "Depth: " + many(1000, "1"), "", 400, "Depth"},
		{"a Timeout beyond numbers", "LOCK", ann + "1.ics", "Timeout: Second-" + many(100, "9"), lockinfo, 200, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			h.t = t
			a := h.as("ann", c.method, c.path, c.head, c.body)
			if c.status != 0 {
				a.is(c.status)
			}
			if a.status >= 400 {
				a.has("<d:responsedescription>")
				if len(a.body) > 4000 {
					t.Errorf("the refusal has %d octets", len(a.body))
				}
			}
			if a.status >= 500 && a.status != 502 && a.status != 507 {
				t.Errorf("status %d", a.status)
			}
			a.has(c.has)
		})
	}
	h.t = t
	if after := h.as("ann", "PROPFIND", ann, "Depth: 1", props("getetag", "sync-token")).is(207).body; after != before {
		t.Errorf("something was stored:\n%s\nbefore:\n%s", after, before)
	}
}

func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("a%d=''", i))
	}
	return out
}

func prefixes(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("xmlns:a%d='u:x'", i))
	}
	return out
}

func utf16(s string) string {
	b := []byte{0xfe, 0xff}
	for _, c := range []byte(s) {
		b = append(b, 0, c)
	}
	return string(b)
}

// Host and the headers of proxies lead nobody astray: what is given out has the
// service's own address.
func TestHostileHosts(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	for _, head := range []string{"X-Forwarded-Host: evil.test", "X-Forwarded-Proto: javascript", "Forwarded: host=evil.test;proto=https", "X-Original-URL: /dav/calendars/bob/", "X-Rewrite-URL: /admin", "Via: 1.1 evil.test"} {
		for _, c := range [][2]string{{"PROPFIND", ann}, {"PROPFIND", "/.well-known/caldav"}, {"GET", ann + "1.ics"}, {"OPTIONS", ann}} {
			a := h.as("ann", c[0], c[1], "Depth: 1\n"+head, "")
			if told := fmt.Sprint(a.header) + a.body; strings.Contains(told, "evil") || strings.Contains(told, "javascript") {
				t.Errorf("%s with %s: %s", a.what, head, told)
			}
		}
	}
	r := httptest.NewRequest("POST", ann, strings.NewReader(`<CS:publish-calendar`+ns+`/>`))
	r.Host = "evil.test"
	r.Header.Set("Content-Type", "application/xml")
	r.SetBasicAuth("ann", password)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "evil") || !strings.Contains(body, "https://cal.example.test/feeds/") {
		t.Errorf("an address for another host: %d %s", w.Code, body)
	}
}

// A multiget of as many hrefs as are allowed takes the memory of its body and
// little more: the answer goes out as it is made.
func TestManyHrefsTakeLittleMemory(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	body := "<C:calendar-multiget" + ns + "><prop><getetag/></prop>" + strings.Repeat("<href>"+ann+"none.ics</href>", 100_000) + "</C:calendar-multiget>"
	r := httptest.NewRequest("REPORT", ann, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/xml")
	r.SetBasicAuth("ann", password)
	w := &counted{ResponseRecorder: httptest.NewRecorder()}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	h.handler.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	if w.Code != 207 || w.n < 100_000*len(ann) {
		t.Errorf("status %d, %d octets", w.Code, w.n)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 400 {
		t.Errorf("%d MB were allocated for a body of %d MB", used, len(body)>>20)
	}
}

// counted keeps only how much was written.
type counted struct {
	*httptest.ResponseRecorder
	n int
}

func (c *counted) Write(b []byte) (int, error) { c.n += len(b); return len(b), nil }

var _ io.Writer = (*counted)(nil)
