package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Every refusal has a status, the standard's element where it has one, and a
// sentence; and nothing is stored.
func TestBadInputOverHTTP(t *testing.T) {
	s := newService(t, "example.test", []string{"alice", "bob"}).start()
	good := event("good-1", "DTSTART:20270401T100000Z\nSUMMARY:x")
	at := "/dav/calendars/alice/default/"
	s.expect(201, s.do("alice", "PUT", at+"good.ics", good, "Content-Type", "text/calendar"))
	bomb := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><propfind xmlns="DAV:"><prop><displayname>&b;</displayname></prop></propfind>`
	deep := strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000)
	before := s.do("alice", "PROPFIND", at, "", "Depth", "1").body

	for _, tt := range []struct {
		name, user, method, path, body string
		header                         []string
		status                         int
		element                        string
	}{
		{"no credentials", "", "PROPFIND", at, "", nil, 401, ""},
		{"wrong user", "mallory", "PROPFIND", at, "", nil, 401, ""},
		{"someone else's calendar", "bob", "GET", at + "good.ics", "", nil, 404, ""},
		{"write into someone else's", "bob", "PUT", at + "evil.ics", event("evil", "DTSTART:20270401T100000Z"), []string{"Content-Type", "text/calendar"}, 0, ""},
		{"no calendar at all", "alice", "PUT", at + "a.ics", "hello", []string{"Content-Type", "text/calendar"}, 403, "valid-calendar-data"},
		{"cut off", "alice", "PUT", at + "a.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEV", []string{"Content-Type", "text/calendar"}, 403, "valid-calendar-"},
		{"METHOD", "alice", "PUT", at + "a.ics", strings.Replace(event("m", "DTSTART:20270401T100000Z"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), []string{"Content-Type", "text/calendar"}, 403, "valid-calendar-object-resource"},
		{"two UIDs", "alice", "PUT", at + "a.ics", strings.Replace(event("m1", "DTSTART:20270401T100000Z"), "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:m2\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270401T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR", 1), []string{"Content-Type", "text/calendar"}, 403, "valid-calendar-object-resource"},
		{"no UID", "alice", "PUT", at + "a.ics", strings.Replace(event("gone", "DTSTART:20270401T100000Z"), "UID:gone\r\n", "", 1), []string{"Content-Type", "text/calendar"}, 403, "valid-calendar-object-resource"},
		{"UID taken", "alice", "PUT", at + "other.ics", good, []string{"Content-Type", "text/calendar"}, 403, "no-uid-conflict"},
		{"a to-do in a calendar of events", "alice", "PUT", at + "a.ics", strings.ReplaceAll(event("todo", "SUMMARY:x"), "VEVENT", "VTODO"), []string{"Content-Type", "text/calendar"}, 403, "supported-calendar-component"},
		{"not a calendar type", "alice", "PUT", at + "a.ics", good, []string{"Content-Type", "application/pdf"}, 0, "supported-calendar-data"},
		{"too large", "alice", "PUT", at + "a.ics", event("big", "DTSTART:20270401T100000Z\nDESCRIPTION:"+strings.Repeat("x", 11<<20)), []string{"Content-Type", "text/calendar"}, 0, "max-resource-size"},
		{"too many attendees", "alice", "PUT", at + "a.ics", event("many", "DTSTART:20270401T100000Z\nORGANIZER:mailto:alice@example.test"+strings.Repeat("\nATTENDEE:mailto:x@y.test", 5001)), []string{"Content-Type", "text/calendar"}, 403, "max-attendees-per-instance"},
		{"If-Match of another version", "alice", "PUT", at + "good.ics", good, []string{"Content-Type", "text/calendar", "If-Match", `"other"`}, 412, ""},
		{"If-None-Match where something is", "alice", "PUT", at + "good.ics", good, []string{"Content-Type", "text/calendar", "If-None-Match", "*"}, 412, ""},
		{"If-Match where nothing is", "alice", "PUT", at + "none.ics", event("none", "DTSTART:20270401T100000Z"), []string{"Content-Type", "text/calendar", "If-Match", "*"}, 412, ""},
		{"delete another version", "alice", "DELETE", at + "good.ics", "", []string{"If-Match", `"other"`}, 412, ""},
		{"entities", "alice", "PROPFIND", at, bomb, []string{"Depth", "0", "Content-Type", "application/xml"}, 400, ""},
		{"deep", "alice", "PROPFIND", at, deep, []string{"Depth", "0", "Content-Type", "application/xml"}, 0, ""},
		{"not XML", "alice", "REPORT", at, "{}", []string{"Content-Type", "application/xml"}, 400, ""},
		{"unknown report", "alice", "REPORT", at, `<x:y xmlns:x="urn:x"/>`, []string{"Content-Type", "application/xml"}, 403, "supported-report"},
		{"foreign sync token", "alice", "REPORT", at, `<sync-collection xmlns="DAV:"><sync-token>urn:nonsense</sync-token><sync-level>1</sync-level><prop/></sync-collection>`, []string{"Content-Type", "application/xml"}, 403, "valid-sync-token"},
		{"upward path", "alice", "GET", "/dav/calendars/alice/default/../../bob/default/", "", nil, 0, ""},
		{"encoded upward path", "alice", "GET", "/dav/calendars/alice/%2e%2e/bob/default/x.ics", "", nil, 0, ""},
		{"encoded slash", "alice", "GET", "/dav/calendars/alice/default%2F..%2F..%2Fbob/x.ics", "", nil, 0, ""},
		{"unknown method", "alice", "FROB", at, "", nil, 501, ""},
		{"method of another resource", "alice", "MKCALENDAR", at + "good.ics", "", nil, 0, ""},
		{"move to another host", "alice", "MOVE", at + "good.ics", "", []string{"Destination", "http://other.test/dav/calendars/alice/default/x.ics"}, 502, ""},
		{"free/busy for someone else's outbox", "bob", "POST", "/dav/calendars/alice/outbox/", "x", []string{"Content-Type", "text/calendar"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := s.try(tt.user, tt.method, tt.path, tt.body, tt.header...)
			if err != nil {
				t.Fatal(err)
			}
			if tt.status != 0 && r.status != tt.status || r.status < 400 || r.status == 500 || r.status == 503 {
				t.Errorf("status %d, want %d: %.400s", r.status, tt.status, r.body)
			}
			if !strings.Contains(r.body, tt.element) {
				t.Errorf("no element %s in %.600s", tt.element, r.body)
			}
			if tt.status != 501 && tt.method != "HEAD" && len(strings.TrimSpace(r.body)) == 0 {
				t.Error("no sentence")
			}
			for _, leak := range []string{"goroutine", ".go:", "SQL", "panic"} {
				if strings.Contains(r.body, leak) {
					t.Errorf("the answer shows our insides (%s): %.400s", leak, r.body)
				}
			}
			if r.status == 401 && r.header.Get("WWW-Authenticate") == "" {
				t.Error("401 without a challenge")
			}
		})
	}
	if after := s.do("alice", "PROPFIND", at, "", "Depth", "1").body; after != before {
		t.Errorf("refused requests left something behind:\nbefore %s\nafter  %s", before, after)
	}
}

// Text in another charset is kept by meaning, or refused; never stored broken.
func TestOtherCharset(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"}).start()
	latin1 := strings.ReplaceAll(event("latin", "DTSTART:20270401T100000Z\nSUMMARY:Fr\u00fchst\u00fcck"), "\u00fc", "\xfc")
	for _, tt := range []struct{ name, contentType string }{
		{"labelled", "text/calendar; charset=iso-8859-1"},
		{"unlabelled", "text/calendar"},
		{"mislabelled", "text/calendar; charset=utf-8"},
		{"unknown", "text/calendar; charset=klingon"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := "/dav/calendars/alice/default/" + tt.name + ".ics"
			r := s.do("alice", "PUT", path, strings.Replace(latin1, "UID:latin", "UID:"+tt.name, 1), "Content-Type", tt.contentType)
			switch {
			case r.status == 201:
				if got := s.do("alice", "GET", path, "").body; !strings.Contains(got, "SUMMARY:Fr\u00fchst\u00fcck") {
					t.Errorf("stored as %q", got)
				}
			case r.status != 403 && r.status != 415 || len(r.body) == 0:
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
}

// An endless rule costs bounded time, wherever it is looked at.
func TestExplosiveRules(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"}).start()
	at := "/dav/calendars/alice/default/"
	for i, rule := range []string{
		"FREQ=SECONDLY", "FREQ=SECONDLY;INTERVAL=1;COUNT=999999999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=MINUTELY;BYSETPOS=50;BYSECOND=1", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "FREQ=SECONDLY;BYHOUR=25",
		"FREQ=DAILY;INTERVAL=99999999999999999999", "FREQ=DAILY;UNTIL=99991231T235959Z",
	} {
		begin := time.Now()
		r := s.do("alice", "PUT", fmt.Sprintf("%sr%d.ics", at, i), event(fmt.Sprintf("rule-%d", i), "DTSTART:20200101T000000Z\nDTEND:20200101T000001Z\nSUMMARY:x\nRRULE:"+rule), "Content-Type", "text/calendar")
		if r.status != 201 && r.status != 403 {
			t.Errorf("%s: %d %.300s", rule, r.status, r.body)
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("%s: PUT took %s", rule, took)
		}
	}
	query := `<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><c:calendar-data><c:expand start="20270301T000000Z" end="20270401T000000Z"/></c:calendar-data></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="20270301T000000Z" end="20270401T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
	begin := time.Now()
	r := s.do("alice", "REPORT", at, query, "Depth", "1", "Content-Type", "application/xml")
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("the query took %s", took)
	}
	if r.status >= 500 && r.status != http.StatusInsufficientStorage {
		t.Errorf("query: %d %.300s", r.status, r.body)
	}
}

func TestBadInputOverLMTP(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"}).start()
	if a := s.deliver("x@outside.test", "nobody@example.test", "Subject: x\n\nx\n"); !strings.HasPrefix(a, "550 5.1.1") {
		t.Errorf("unknown recipient: %s", a)
	}
	if a := s.deliver("x@outside.test", "someone@outside.test", "Subject: x\n\nx\n"); !strings.HasPrefix(a, "55") {
		t.Errorf("a recipient of another domain (open relay?): %s", a)
	}
	for _, mail := range []string{
		"", "no header at all", "Subject: x\n\nno calendar\n",
		"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nthis is none\n",
		"Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat("--x\nContent-Type: multipart/mixed; boundary=x\n\n", 1000),
		"Content-Type: text/calendar; charset=klingon; method=REQUEST\nContent-Transfer-Encoding: base64\n\n!!!!\n",
	} {
		if a := s.deliver("x@outside.test", "alice@example.test", "From: x@outside.test\nTo: alice@example.test\n"+mail); !strings.HasPrefix(a, "250") && !strings.HasPrefix(a, "5") {
			t.Errorf("%.40q: %s", mail, a)
		}
	}
	if a := s.deliver("x@outside.test", "alice@example.test", "Subject: big\n\n"+strings.Repeat(strings.Repeat("x", 900)+"\n", 30_000)); !strings.HasPrefix(a, "552 5.3.4") {
		t.Errorf("a mail over the limit: %s", a)
	}
	eventually(t, "each mail has an outcome", func() (bool, string) {
		for _, m := range s.messages("--account", "alice@example.test") {
			if m.State == "received" {
				return false, fmt.Sprintf("%+v", m)
			}
		}
		return true, ""
	})
	for _, m := range s.messages("--account", "alice@example.test") {
		if m.State != "applied" && m.Reason == "" {
			t.Errorf("an outcome without a reason: %+v", m)
		}
	}
	if out := s.cli("", "event", "list", "--account", "alice@example.test"); strings.TrimSpace(out) != "" {
		t.Errorf("broken mails made events: %s", out)
	}
}

// Someone who guesses is slowed; the owner with the right password is served.
func TestWrongPasswordIsSlowed(t *testing.T) {
	s := newService(t, "example.test", []string{"alice"}).start()
	limited := false
	for i := range 40 {
		req, _ := http.NewRequest("PROPFIND", "http://"+s.http+"/dav/", nil)
		req.SetBasicAuth("alice", fmt.Sprintf("guess-%d", i))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		switch resp.StatusCode {
		case 401:
		case 429:
			limited = true
			if resp.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		default:
			t.Fatalf("a wrong password is %d", resp.StatusCode)
		}
	}
	if !limited {
		t.Error("40 wrong passwords in a row are not slowed")
	}
}
