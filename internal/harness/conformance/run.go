package conformance

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/caldav"
)

// Domain, people, room and group that the server under test has. Each person's
// password is what [Client] knows.
const (
	Domain = "example.test"
	Room   = "attic"
	Group  = "staff" // of bob and carol
)

// People who can sign in.
var People = []string{"alice", "bob", "carol"}

// Request as it goes to the server; without a user it brings no credentials.
type Request struct {
	User, Method, Path string
	Header             http.Header
	Body               string
}

// Response as it came back; redirects are not followed.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Client sends a request to the server under test.
type Client func(t testing.TB, r Request) Response

// names that texts of the table may hold in braces.
func names(id string) map[string]string {
	id = strings.ToLower(id)
	return map[string]string{
		"id": id, "home": "/dav/calendars/alice/", "def": "/dav/calendars/alice/default/", "tasks": "/dav/calendars/alice/tasks/", "me": "/dav/principals/alice/",
		"inbox": "/dav/calendars/alice/inbox/", "outbox": "/dav/calendars/alice/outbox/",
		"cal": "/dav/calendars/alice/" + id + "/", "cal2": "/dav/calendars/alice/" + id + "-2/",
		"bobhome": "/dav/calendars/bob/", "bobdef": "/dav/calendars/bob/default/", "bobin": "/dav/calendars/bob/inbox/", "bob": "/dav/principals/bob/",
	}
}

// Run tries every row.
func Run(t *testing.T, client Client) {
	for _, s := range sections {
		for _, r := range s.rows {
			if len(r.proof.steps) > 0 {
				t.Run(r.id, func(t *testing.T) { r.run(t, client) })
			}
		}
	}
}

func (r *row) run(t *testing.T, client Client) {
	known := names(r.id)
	fill := func(s string) string {
		for k, v := range known {
			s = strings.ReplaceAll(s, "{"+k+"}", v)
		}
		return s
	}
	for _, name := range []string{"{cal}", "{cal2}"} { // the row's own calendars
		if slices.ContainsFunc(r.proof.steps, func(s step) bool {
			return strings.Contains(s.path+s.body, name) || slices.ContainsFunc(s.head, func(h [2]string) bool { return strings.Contains(h[1], name) })
		}) {
			if a := client(t, Request{User: "alice", Method: "MKCALENDAR", Path: fill(name)}); a.Status != 201 {
				t.Fatalf("MKCALENDAR %s: %d\n%s", fill(name), a.Status, a.Body)
			}
		}
	}
	for i, s := range r.proof.steps {
		req := Request{User: s.user, Method: s.method, Path: fill(s.path), Header: http.Header{}, Body: fill(s.body)}
		for _, h := range s.head {
			req.Header.Set(h[0], fill(h[1]))
		}
		a := client(t, req)
		bad := func(format string, args ...any) {
			t.Helper()
			args = append([]any{r.id, i + 1, req.User, req.Method, req.Path}, args...)
			t.Errorf("%s, step %d: %s %s %s: "+format+"\nsent:\n%.1500s\nanswer: %d %v\n%.3000s", append(args, req.Body, a.Status, a.Header, a.Body)...)
		}
		if !slices.Contains(s.status, a.Status) {
			bad("status %d, want %v", a.Status, s.status)
		}
		wellFormed(a, req, bad)
		for _, text := range s.has {
			if !strings.Contains(a.Body, fill(text)) {
				bad("the answer lacks %q", fill(text))
			}
		}
		for _, text := range s.lacks {
			if strings.Contains(a.Body, fill(text)) {
				bad("the answer has %q", fill(text))
			}
		}
		for text, n := range s.count {
			if got := strings.Count(a.Body, fill(text)); got != n {
				bad("the answer has %q %d times, want %d", fill(text), got, n)
			}
		}
		for _, h := range s.answers {
			got, want := strings.Join(a.Header.Values(h[0]), ", "), fill(h[1])
			part, contains := strings.CutPrefix(want, "~")
			switch {
			case want == "*" && got == "", contains && !strings.Contains(got, part), want != "*" && !contains && got != want:
				bad("%s is %q, want %q", h[0], got, want)
			}
		}
		for _, k := range s.keep {
			m := regexp.MustCompile(fill(k[1])).FindStringSubmatch(a.Body)
			if m == nil {
				bad("nothing in the answer matches %s", fill(k[1]))
				t.FailNow() // what follows needs it
			}
			known[k[0]] = m[1]
		}
		for _, k := range s.keepHead {
			known[k[0]] = a.Header.Get(k[1])
		}
	}
}

// href in an answer: what no URI has is escaped (RFC 4918 8.3).
var href = regexp.MustCompile(`<d:href[^>]*>([^<]*)</d:href>`)
var uri = regexp.MustCompile(`^[!#-;=?-~]*$`)

// wellFormed is what holds of every answer.
func wellFormed(a Response, req Request, bad func(string, ...any)) {
	if strings.Contains(a.Header.Get("Content-Type"), "application/xml") && req.Method != "HEAD" {
		if _, err := caldav.ParseElement([]byte(a.Body), caldav.Limits{}); err != nil {
			bad("the answer is not well-formed: %v", err)
		}
		for _, m := range href.FindAllStringSubmatch(a.Body, -1) {
			if !uri.MatchString(m[1]) && m[1] != "" {
				bad("the href %q is no URI", m[1])
			}
		}
	}
	switch {
	case strings.HasPrefix(req.Path, "/dav/") && !strings.HasPrefix(a.Header.Get("DAV"), "1, "):
		bad("no DAV header")
	case a.Status == 401 && a.Header.Get("WWW-Authenticate") == "":
		bad("401 without a challenge")
	case a.Status == 405 && a.Header.Get("Allow") == "":
		bad("405 without Allow")
	case a.Status == 201 && req.Method == "POST" && strings.HasPrefix(req.Path, "/dav/") && !strings.Contains(req.Path, "?") && a.Header.Get("Location") == "":
		bad("201 to a POST without Location")
	case a.Status >= 500 && a.Status != 501 && a.Status != 502 && a.Status != 507:
		bad("the server failed")
	}
}
