package davserver_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is sent, the answer is one of ours: never 500, never a panic, always
// well-formed.
func FuzzRequests(f *testing.F) {
	h := open(f, "ann", "bob")
	h.put("ann", ann+"1.ics", event("1", one))
	methods := []string{"PROPFIND", "PROPPATCH", "REPORT", "PUT", "POST", "GET", "DELETE", "MKCALENDAR", "MKCOL", "MOVE", "COPY", "ACL", "OPTIONS"}
	for i, s := range []string{props("displayname"), query(""), syncBody("", ""), event("2", one), multiget("<C:calendar-data/>", ann+"1.ics"), freeBusyAsk(one)} {
		f.Add(uint8(i), ann, "1", s)
		f.Add(uint8(i+6), "/dav/calendars/ann/outbox/", "0", s)
	}
	f.Fuzz(func(t *testing.T, m uint8, path, depth, body string) {
		r, err := http.NewRequest(methods[int(m)%len(methods)], "http://cal.example.test/", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil || !strings.HasPrefix(r.URL.Path, "/") {
			return
		}
		r.Header.Set("Depth", depth)
		r.Header.Set("Destination", path)
		r.Header.Set("Content-Type", "text/calendar")
		if m >= 128 {
			r.Header.Set("Content-Type", "application/xml")
		}
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 && w.Code != 502 && w.Code != 507 {
			t.Fatalf("%s %s with %q answers %d: %s", r.Method, path, body, w.Code, w.Body)
		}
	})
}

// The answer that tells a client where everything is, as it was reviewed.
func TestPrincipalAnswer(t *testing.T) {
	h := open(t, "ann")
	got := h.as("ann", "PROPFIND", "/dav/principals/ann/", "Depth: 0", props("resourcetype", "displayname", "principal-URL", "current-user-principal", "C:calendar-home-set",
		"C:calendar-user-address-set", "C:calendar-user-type", "C:schedule-inbox-URL", "C:schedule-outbox-URL", "CS:email-address-set", "CS:first-name", "CS:last-name", "group-membership",
		"owner", "principal-collection-set", "current-user-privilege-set", "supported-report-set", "CS:notification-URL")).is(207).body
	got = strings.ReplaceAll(got, "><", ">\n<") + "\n"
	file := filepath.Join("testdata", "principal.xml")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (UPDATE_GOLDEN=1 writes it anew):\n%s", file, got)
	}
}
