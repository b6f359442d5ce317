package davserver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
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
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/xml") {
			if _, err := caldav.ParseElement(w.Body.Bytes(), caldav.Limits{Depth: 100}); err != nil {
				t.Fatalf("%s %s with %q answers what is no XML: %v\n%s", r.Method, path, body, err, w.Body)
			}
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

// endless is a body that never ends and counts what was taken of it.
type endless struct{ taken int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.taken += len(p)
	return len(p), nil
}

func TestHugeBodiesAreNotRead(t *testing.T) {
	h := open(t, "ann")
	for _, c := range []struct {
		what, method, path, contentType string
		length                          int64
		status, taken                   int
	}{
		{"an object that says its length", "PUT", ann + "1.ics", "text/calendar", 100 << 20, 403, 0},
		{"an object that does not", "PUT", ann + "1.ics", "text/calendar", -1, 403, 300_000},
		{"properties that say their length", "PROPFIND", ann, "application/xml", 100 << 20, 413, 0},
		{"properties that do not", "PROPFIND", ann, "application/xml", -1, 413, 11 << 20},
		{"a report", "REPORT", ann, "application/xml", -1, 413, 11 << 20},
		{"a message", "POST", "/dav/calendars/ann/outbox/", "text/calendar", -1, 403, 300_000},
		{"an object by one who has not signed in", "PUT", ann + "1.ics", "text/calendar", -1, 401, 0},
	} {
		e := &endless{}
		r := httptest.NewRequest(c.method, c.path, e)
		r.ContentLength = c.length
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Depth", "0")
		if c.status != 401 {
			r.SetBasicAuth("ann", password)
		}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != c.status || e.taken > c.taken {
			t.Errorf("%s: status %d after %d octets, want %d after at most %d", c.what, w.Code, e.taken, c.status, c.taken)
		}
	}
	h.as("ann", "REPORT", ann, "", multiget("", strings.Split(strings.Repeat(ann+"1.ics ", 1_000_000), " ")...)).is(413)
	h.as("ann", "REPORT", ann, "", multiget("", strings.Split(strings.Repeat("/dav/1 ", 200_000), " ")...)).is(507)
}

func TestOneOfManyWins(t *testing.T) { // RFC 9110 13
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	tag := h.etag("ann", ann+"1.ics")
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			r := httptest.NewRequest("PUT", ann+"1.ics", strings.NewReader(event("1", one+fmt.Sprint("\nX-TRY:", i))))
			r.Header.Set("Content-Type", "text/calendar")
			r.Header.Set("If-Match", tag)
			r.SetBasicAuth("ann", password)
			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, r)
			switch w.Code {
			case 204:
				won.Add(1)
			case 412:
				lost.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("%d won and %d lost, want 1 and 15", won.Load(), lost.Load())
	}
}

func TestOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := openOn(t, s, davserver.Limits{}, "ann", "bob")
		h.as("ann", "MKCALENDAR", "/dav/calendars/ann/work/", "", "").is(201)
		h.put("ann", "/dav/calendars/ann/work/1.ics", event("1", one+"\nRRULE:FREQ=DAILY"))
		h.put("ann", ann+"m.ics", meeting("DTSTART:20260310T100000Z\nDTEND:20260310T110000Z"))
		h.as("bob", "GET", h.only("bob", bob), "", "").is(200).has("UID:m1")
		h.as("ann", "REPORT", "/dav/calendars/ann/work/", "Depth: 1", query(`<C:time-range start="20300310T000000Z" end="20300311T000000Z"/>`)).is(207).has("1.ics")
		first := h.as("ann", "REPORT", "/dav/calendars/ann/work/", "", syncBody("", "")).is(207).find(`<d:sync-token>([^<]*)</d:sync-token></d:multistatus>`)
		h.as("ann", "MOVE", "/dav/calendars/ann/work/1.ics", "Destination: "+ann+"1.ics", "").is(201)
		h.as("ann", "REPORT", "/dav/calendars/ann/work/", "", syncBody(first, "")).is(207).has("404")
		h.as("ann", "PROPPATCH", ann+"1.ics", "", "<propertyupdate"+ns+"><set><prop><x:y xmlns:x='u:x'>z</x:y></prop></set></propertyupdate>").is(207).has("200 OK")
		h.as("ann", "DELETE", "/dav/calendars/ann/work/", "", "").is(204)
		h.as("ann", "REPORT", "/dav/calendars/ann/", "", syncBody("", "")).is(207).lacks("work")
	})
}

// Over a real connection: a body in chunks, a question before a body, several
// requests on one line.
func TestOverTheWire(t *testing.T) {
	h := open(t, "ann")
	srv := httptest.NewServer(h.handler)
	defer srv.Close()
	send := func(method, path string, body io.Reader, head ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequest(method, srv.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		r.SetBasicAuth("ann", password)
		res, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res
	}
	for range 3 {
		if res := send("PUT", ann+"1.ics", io.MultiReader(strings.NewReader(event("1", one))), "Content-Type", "text/calendar", "Expect", "100-continue"); res.StatusCode/100 != 2 {
			t.Errorf("PUT in chunks: %s", res.Status)
		}
		if res := send("PROPFIND", ann, nil, "Depth", "1"); res.StatusCode != 207 {
			t.Errorf("PROPFIND: %s", res.Status)
		}
	}
	if res := send("HEAD", ann+"1.ics", nil); res.StatusCode != 200 || res.ContentLength != int64(len(event("1", one))) {
		t.Errorf("HEAD: %s, %d octets", res.Status, res.ContentLength)
	}
	if res := send("GET", "/dav/calendars/ann/tasks/", nil); res.StatusCode != 200 {
		t.Errorf("GET of an empty calendar: %s", res.Status)
	}
}

// Bodies that come in other ways than most send them.
func TestBodiesAsOddClientsSendThem(t *testing.T) {
	h := open(t, "ann")
	h.put("ann", ann+"1.ics", event("1", one))
	latin := "<propertyupdate" + ns + "><set><prop><displayname>Fr\xfch</displayname></prop></set></propertyupdate>"
	h.as("ann", "PROPPATCH", ann, "Content-Type: application/xml", latin).is(400)
	h.as("ann", "PROPPATCH", ann, "Content-Type: application/xml; charset=ISO-8859-1", latin).is(207)
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("displayname")).is(207).has("<d:displayname>Früh</d:displayname>")
	h.as("ann", "PROPPATCH", ann, "Content-Type: application/xml; charset=ISO-8859-1", strings.ReplaceAll(latin, "\xfc", "ü")).is(207) // mislabelled
	h.as("ann", "PROPFIND", ann, "Depth: 0", props("displayname")).is(207).has("<d:displayname>Früh</d:displayname>")
	h.as("ann", "PROPFIND", ann, "Depth: 0\nContent-Encoding: gzip", "\x1f\x8b").is(415).head("Accept-Encoding", "identity")
	h.as("ann", "PUT", ann+"2.ics", calendarHead+"\nContent-Encoding: br", event("2", one)).is(415).head("Accept-Encoding", "identity")
	h.as("ann", "REPORT", ann, "", `<sync-collection`+ns+`><sync-token/><sync-level>1</sync-level><limit><nresults>99999999999999999999</nresults></limit><prop/></sync-collection>`).is(207)
	h.as("ann", "LOCK", ann+"1.ics", "If: (<urn:uuid:gone>)", "").is(412).has("<d:lock-token-matches-request-uri/>")
	h.as("ann", "REPORT", ann, "", multiget("", "/etc/passwd")).is(207).has("<d:href>/etc/passwd</d:href>", "nothing at this address")
}
