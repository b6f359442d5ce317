package davserver

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Limits of one request beyond those of the door. A zero field means the
// value in [DefaultLimits].
type Limits struct {
	XML           caldav.Limits
	PerMinute     int // requests of one account, on average; 0 = no limit
	Instances     int // instances in one expanded answer
	SearchResults int // principals in the answer to one search
}

// DefaultLimits are those of a service whose administrator set none.
var DefaultLimits = Limits{XML: caldav.DefaultLimits, Instances: 100_000, SearchResults: 100}

// Options of a handler. Calendar, Accounts and ACL are required.
type Options struct {
	Calendar  *calendar.Service
	Accounts  *account.Service
	ACL       *acl.ACL
	Limits    Limits
	Push      Push   // nil: nobody is told of changes, and nothing is said of it
	PublicURL string // as clients see us, "https://cal.example.org"; "" = as the request says
	Log       *slog.Logger
	Now       func() time.Time
}

// server is the handler; it is safe for concurrent use.
type server struct {
	calendar *calendar.Service
	accounts *account.Service
	acl      *acl.ACL
	limits   Limits
	push     Push
	public   string // PublicURL without a slash at its end
	host     string // of PublicURL, "" when unknown
	log      *slog.Logger
	now      func() time.Time
	rate     rate
	flight   flight
	gzip     sync.Pool // of *gzip.Writer
	origins  *http.CrossOriginProtection

	pieceTime time.Duration // for a client to take a piece of an answer; 0 is pieceTime
}

// New makes the handler for /dav/, /.well-known/caldav, /freebusy/, /feeds/, and
// PROPFIND and OPTIONS on /.
func New(o Options) http.Handler {
	s := &server{calendar: o.Calendar, accounts: o.Accounts, acl: o.ACL, limits: o.Limits, push: o.Push, log: o.Log, now: o.Now, origins: http.NewCrossOriginProtection()}
	s.rate.perMinute = o.Limits.PerMinute
	if s.limits.Instances <= 0 {
		s.limits.Instances = DefaultLimits.Instances
	}
	if s.limits.SearchResults <= 0 {
		s.limits.SearchResults = DefaultLimits.SearchResults
	}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if s.now == nil {
		s.now = time.Now
	}
	if u, err := url.Parse(o.PublicURL); err == nil {
		s.host, s.public = u.Host, strings.TrimSuffix(o.PublicURL, "/")
	}
	return s
}

// request is one request on its way.
type request struct {
	s      *server
	ctx    context.Context
	w      http.ResponseWriter
	r      *http.Request
	at     place
	by     account.Actor
	prefer preferences
	owners map[string]store.Account // looked up before, by URL segment
	locked map[store.AccountID][]store.Lock
	mounts map[string]calendar.CollectionView // of one's own home, by URL segment
	sent   *[]byte                            // the body, once it was read
	unsent error                              // or why it could not be

	held      []func()     // gives back what the request has of the room for large things
	waiting   atomic.Int64 // since when the client has a piece to give or to take, in Unix nanoseconds; 0 while it has none
	cutOff    atomic.Bool  // others need the room of this request, whose client is slow
	converted bool         // it came in another syntax than it is stored in
}

// methods are those that some resource here has.
var methods = map[string]func(*request) error{
	"OPTIONS": (*request).options, "GET": (*request).get, "HEAD": (*request).get,
	"PUT": (*request).put, "DELETE": (*request).delete, "POST": (*request).post,
	"PROPFIND": (*request).propfind, "PROPPATCH": (*request).proppatch, "REPORT": (*request).report,
	"MKCALENDAR": (*request).mkcalendar, "MKCOL": (*request).mkcol,
	"COPY": (*request).copymove, "MOVE": (*request).copymove, "ACL": (*request).setACL,
	"LOCK": (*request).lock, "UNLOCK": (*request).unlock,
}

// known methods that nothing here has answer 405; any other is 501 (RFC 9110 15.6.2).
var known = map[string]bool{
	"PATCH": true, "TRACE": true, "CONNECT": true, "SEARCH": true, "BIND": true, "UNBIND": true, "REBIND": true,
	"VERSION-CONTROL": true, "CHECKOUT": true, "CHECKIN": true, "UNCHECKOUT": true, "LABEL": true, "UPDATE": true, "MERGE": true,
	"MKWORKSPACE": true, "MKACTIVITY": true, "BASELINE-CONTROL": true, "ORDERPATCH": true, "MKREDIRECTREF": true, "UPDATEREDIRECTREF": true,
}

// ServeHTTP never redirects below /dav/.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if path == wellKnown || path == wellKnown+"/" {
		redirect(w, r)
		return
	}
	if path == zonesWellKnown || path == zonesWellKnown+"/" { // RFC 7808 4.2.1.3
		w.Header().Set("Location", zonesPath)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	q := &request{s: s, ctx: r.Context(), w: w, r: r, prefer: parsePrefer(r.Header)}
	w.Header().Set("DAV", davHeader)
	if s.push != nil {
		w.Header().Set("DAV", davHeader+", webdav-push")
	}
	// Answers depend on who asks and are worth nothing to anyone else (RFC 9111 5.2.2).
	w.Header().Set("Cache-Control", "private, no-cache")
	serve := func() error { return q.serve(path) }
	if segment, ok := strings.CutPrefix(path, freeBusyPath); ok {
		serve = func() error { return q.freeBusyURL(segment) }
	}
	if rest, ok := strings.CutPrefix(path, zonesPath); ok && (rest == "" || rest[0] == '/') {
		serve = func() error { return q.timeZones(rest) }
	}
	if rest, ok := strings.CutPrefix(path, attachmentPath); ok {
		serve = func() error { return q.attachment(rest) }
	}
	if token, ok := strings.CutPrefix(path, pushPath); ok && s.push != nil {
		serve = func() error { return q.pushRegistration(token) }
	}
	if segment, ok := strings.CutPrefix(path, feedPath); ok {
		serve = func() error { return q.feed(segment) }
	}
	defer q.letGo()
	if err := serve(); err != nil {
		q.refuse(err)
	}
}

// redirect leads from the well-known address to the context path (RFC 6764 5).
// Clients follow 301 with the methods that discovery uses; for any other, 308
// says that it must stay what it is.
func redirect(w http.ResponseWriter, r *http.Request) {
	status := http.StatusPermanentRedirect
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT":
		status = http.StatusMovedPermanently
	}
	w.Header().Set("Location", rootPath)
	w.Header().Set("Cache-Control", "max-age=3600") // it tells nothing about anyone
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

func (q *request) serve(path string) error {
	var err error
	if q.r.Method == "OPTIONS" && path == "*" {
		q.at.kind = root
	} else if q.at, err = parsePlace(path); err != nil {
		return err
	}
	do := methods[q.r.Method]
	if q.r.Method == "OPTIONS" && q.r.Header.Get("Authorization") == "" {
		// Some clients ask before they sign in; the answer depends on the URL's form alone.
		return q.options()
	}
	if err := q.once(); err != nil {
		return err
	}
	if err := q.authenticate(); err != nil {
		return err
	}
	// Browsers add remembered Basic credentials to what foreign pages send;
	// calendar programs say nothing of origins.
	if err := q.s.origins.Check(q.r); err != nil {
		return problem.New(problem.Forbidden, "This request comes from a page of another site.").Because(err)
	}
	switch {
	case do == nil && !known[q.r.Method]:
		return problem.New(unknownMethod, "The method %q is not known here.", q.r.Method)
	case do == nil || !allows(q.at.kind, q.r.Method):
		if q.r.Method == "MKCALENDAR" {
			return q.noPlaceForCalendar()
		}
		if q.at.kind == nowhere {
			if q.r.Method == "PUT" || q.r.Method == "MKCOL" { // RFC 4918 9.3.1
				return problem.New(problem.Forbidden, "Nothing can be made at this address.")
			}
			return problem.New(problem.NotFound, "There is nothing at this address.")
		}
		return q.asPlain(problem.New(problem.MethodNotAllowed, "%s is not possible here.", q.r.Method))
	}
	if err = q.mayWrite(); err == nil {
		err = q.quietly(do)
	}
	if err != nil && q.at.kind&(calendarColl|object|beyond) != 0 && problemOf(err).Condition != problem.Internal {
		return q.asPlain(err)
	}
	return err
}

// single are the headers that say one thing (RFC 9110 5.3).
var single = []string{"Authorization", "Content-Type", "Depth", "Destination", "Overwrite", "Lock-Token", "If-Schedule-Tag-Match", "If-Modified-Since", "If-Unmodified-Since"}

// once refuses a request that says two things where only one can be meant: what
// stands between us and the client may have gone by the other.
func (q *request) once() error {
	for _, name := range single {
		values := q.r.Header[name]
		for _, v := range values[min(1, len(values)):] {
			if v != values[0] {
				return problem.New(problem.BadInput, "The header %s is there twice and says different things.", name)
			}
		}
	}
	return nil
}

// authenticate finds out who asks, by Basic (RFC 7617).
func (q *request) authenticate() error {
	login, password, ok := q.r.BasicAuth()
	if !ok {
		return problem.New(problem.Unauthenticated, "Sign in with your address and password, or with an app password.")
	}
	source := q.r.RemoteAddr
	if host, _, err := net.SplitHostPort(source); err == nil {
		source = host
	}
	var err error
	if q.by, err = q.s.accounts.Authenticate(q.ctx, login, password, source); err != nil {
		return err
	}
	return q.s.rate.take(q.by.Account, q.s.now())
}

// sameHost reports whether a host, with its port if any, is this server: the
// one of the public address, or the one the client itself speaks to.
func (q *request) sameHost(host string) bool {
	return strings.EqualFold(host, q.s.host) || strings.EqualFold(host, q.r.Host)
}

// davHeader lists what is implemented, and nothing else (RFC 4918 10.1).
const davHeader = "1, 2, 3, access-control, extended-mkcol, calendar-access, calendar-auto-schedule, calendar-availability, " +
	"calendar-managed-attachments, calendar-no-timezone, " +
	"calendar-proxy, calendarserver-principal-search, calendarserver-private-comments, calendarserver-sharing"

// allowed methods by kind of place.
var allowed = []struct {
	kinds   kind
	methods string
}{
	{root | principalSet | homeSet | principal | proxy | notices, "OPTIONS, GET, HEAD, PROPFIND, PROPPATCH, REPORT"},
	{notice, "OPTIONS, GET, HEAD, DELETE, PROPFIND"},
	{home, "OPTIONS, GET, HEAD, POST, PROPFIND, PROPPATCH, REPORT"},
	{calendarColl, "OPTIONS, GET, HEAD, POST, DELETE, PROPFIND, PROPPATCH, REPORT, MKCALENDAR, MKCOL, COPY, MOVE, ACL, LOCK, UNLOCK"},
	{inbox | outbox, "OPTIONS, GET, HEAD, POST, PROPFIND, PROPPATCH, REPORT, ACL"},
	{object, "OPTIONS, GET, HEAD, POST, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, COPY, MOVE, MKCALENDAR, MKCOL, LOCK, UNLOCK"},
	{message, "OPTIONS, GET, HEAD, DELETE, PROPFIND, PROPPATCH, REPORT, PUT"},
	{beyond, "OPTIONS, PUT, PROPFIND, GET, HEAD, DELETE, MKCALENDAR, MKCOL, REPORT, COPY, MOVE"},
	{plain, "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"},
	{nowhere, "OPTIONS"},
}

func allow(k kind) string {
	for _, a := range allowed {
		if a.kinds&k != 0 {
			return a.methods
		}
	}
	return "OPTIONS"
}

func allows(k kind, method string) bool {
	for m := range strings.SplitSeq(allow(k), ", ") {
		if m == method {
			return true
		}
	}
	return false
}

// onlyRead is for what can be read and nothing else; it answers other methods.
func (q *request) onlyRead() (done bool, err error) {
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
		return false, nil
	}
	h := q.w.Header()
	h.Set("Allow", "OPTIONS, GET, HEAD")
	if q.r.Method == http.MethodOptions { // RFC 9110 9.3.7
		h.Set("Content-Length", "0")
		q.w.WriteHeader(http.StatusOK)
		return true, nil
	}
	return false, problem.New(problem.MethodNotAllowed, "%s is not possible here.", q.r.Method)
}

func (q *request) options() error {
	h := q.w.Header()
	h.Set("Allow", allow(q.at.kind))
	h.Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusOK)
	return nil
}
