package davserver_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

// house is a server with people, and a clock that tests move.
type house struct {
	t       testing.TB
	handler http.Handler
	options davserver.Options
	svc     *calendar.Service
	people  map[string]store.Account
	who     *account.Service
	logged  lines

	mu  sync.Mutex
	now time.Time
}

// morning is when every story begins: a Monday.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const password = "correct horse battery"

func open(t testing.TB, names ...string) *house {
	t.Helper()
	return openWith(t, davserver.Limits{}, names...)
}

func openWith(t testing.TB, limits davserver.Limits, names ...string) *house {
	t.Helper()
	return openOn(t, storetest.SQLite(t), limits, names...)
}

func openOn(t testing.TB, s *store.Store, limits davserver.Limits, names ...string) *house {
	t.Helper()
	return openSized(t, s, limits, 100_000, names...)
}

func openSized(t testing.TB, s *store.Store, limits davserver.Limits, size int, names ...string) *house {
	t.Helper()
	return openLimited(t, s, limits, calendar.Limits{ResourceSize: size}, names...)
}

func openLimited(t testing.TB, s *store.Store, limits davserver.Limits, door calendar.Limits, names ...string) *house {
	t.Helper()
	h := &house{t: t, now: morning, people: map[string]store.Account{}}
	log := slog.New(slog.NewTextHandler(&h.logged, nil))
	t.Cleanup(func() {
		for line := range strings.Lines(h.logged.String()) {
			if strings.Contains(line, "level=ERROR") {
				t.Log(line)
			}
		}
	})
	services := servicetest.New(s, servicetest.Options{Now: h.clock, Log: log, Calendar: func(o *calendar.Options) { o.Limits = door }})
	services.Deliver()
	accounts := services.Accounts
	h.svc, h.who = services.Calendar, accounts
	for _, n := range names {
		a, err := accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(n + "@example.test"), DisplayName: strings.ToUpper(n[:1]) + n[1:] + " Example", Password: password})
		if err != nil {
			t.Fatalf("add %s: %v", n, err)
		}
		h.people[n] = a
	}
	h.options = davserver.Options{Calendar: h.svc, Accounts: accounts, ACL: services.ACL, Log: log, Now: h.clock, Limits: limits, PublicURL: "https://cal.example.test"}
	h.handler = davserver.New(h.options)
	return h
}

// lines of a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// actor is somebody as the services know them.
func (h *house) actor(name string) account.Actor { return h.who.ActorOf(h.people[name]) }

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// as sends a request; head is lines of "Name: value". An empty name sends no credentials.
func (h *house) as(name, method, path, head, body string) *answer {
	h.t.Helper()
	r := httptest.NewRequest(method, "http://cal.example.test"+path, strings.NewReader(body))
	for line := range strings.Lines(head) {
		if n, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			r.Header.Add(n, strings.TrimSpace(v))
		}
	}
	if name != "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(name+":"+password)))
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	res := w.Result()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := &answer{t: h.t, what: fmt.Sprintf("%s %s %s", name, method, path), status: res.StatusCode, header: res.Header, body: string(data)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/xml") {
		if _, err := caldav.ParseElement(data, caldav.Limits{}); err != nil {
			h.t.Errorf("%s: the answer is no XML: %v\n%s", a.what, err, data)
		}
	}
	if l := res.Header.Get("Content-Length"); l != "" && method != "HEAD" && res.StatusCode != 304 && l != fmt.Sprint(len(data)) {
		h.t.Errorf("%s: Content-Length is %s, the body has %d octets", a.what, l, len(data))
	}
	return a
}

// is checks the status.
func (a *answer) is(status ...int) *answer {
	a.t.Helper()
	if !slices.Contains(status, a.status) {
		a.t.Errorf("%s: status %d, want %v\n%s", a.what, a.status, status, clip(a.body))
	}
	return a
}

// has checks that the body contains every text.
func (a *answer) has(texts ...string) *answer {
	a.t.Helper()
	for _, s := range texts {
		if !strings.Contains(a.body, s) {
			a.t.Errorf("%s: the answer lacks %s\n%s", a.what, s, clip(a.body))
		}
	}
	return a
}

// lacks checks that the body contains none of the texts.
func (a *answer) lacks(texts ...string) *answer {
	a.t.Helper()
	for _, s := range texts {
		if strings.Contains(a.body, s) {
			a.t.Errorf("%s: the answer has %s\n%s", a.what, s, clip(a.body))
		}
	}
	return a
}

// head checks a header.
func (a *answer) head(name, want string) *answer {
	a.t.Helper()
	if got := a.header.Get(name); got != want {
		a.t.Errorf("%s: %s is %q, want %q", a.what, name, got, want)
	}
	return a
}

// find gives the first group of a pattern in the body.
func (a *answer) find(pattern string) string {
	a.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(a.body)
	if m == nil {
		a.t.Fatalf("%s: nothing in the answer matches %s\n%s", a.what, pattern, clip(a.body))
	}
	return m[1]
}

func clip(s string) string {
	if len(s) > 3000 {
		return s[:3000] + "…"
	}
	return s
}

const ns = ` xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"`

// props is a PROPFIND body.
func props(names ...string) string {
	return `<propfind` + ns + `><prop><` + strings.Join(names, "/><") + `/></prop></propfind>`
}

// crlf makes calendar text of lines.
func crlf(s string) string {
	return strings.ReplaceAll(strings.TrimSpace(s)+"\n", "\n", "\r\n")
}

// event is a calendar object with one event.
func event(uid, lines string) string {
	return crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Test//EN\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20260302T080000Z\n" + lines + "\nEND:VEVENT\nEND:VCALENDAR")
}

const calendarHead = "Content-Type: text/calendar; charset=utf-8"

// put stores an event and expects that it is new.
func (h *house) put(name, path, data string) *answer {
	h.t.Helper()
	return h.as(name, "PUT", path, calendarHead, data).is(201)
}

// etag of what is stored.
func (h *house) etag(name, path string) string {
	h.t.Helper()
	return h.as(name, "GET", path, "", "").is(200).header.Get("ETag")
}

func davErr(name string) string { return "<d:error" + nsOut + "><d:" + name + "/>" }
func calErr(name string) string { return "<d:error" + nsOut + "><c:" + name + "/>" }

const nsOut = ` xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/" xmlns:ical="http://apple.com/ns/ical/"`
