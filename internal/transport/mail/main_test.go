package mail

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

func TestMain(m *testing.M) { pg.Main(m) }

// now is when the tests take place.
var now = time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)

// fakeRelay is a mail server that takes mail for everyone and keeps it, or does
// what a test wants instead.
type fakeRelay struct {
	addr string

	mu          sync.Mutex
	mails       []sentMail
	connections int
	mail        func(from string) error
	rcpt        func(to string) error
	data        func(c *smtp.Conn, r io.Reader) error
	login       func(user, password string) error
}

type sentMail struct {
	from, to string
	options  smtp.MailOptions
	rcpt     smtp.RcptOptions
	raw      []byte
}

// startRelay serves on loopback until the test ends.
func startRelay(t *testing.T, configure func(*smtp.Server)) *fakeRelay {
	t.Helper()
	f := &fakeRelay{}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		f.mu.Lock()
		f.connections++
		f.mu.Unlock()
		return &relaySession{f: f, c: c}, nil
	}))
	s.Domain = "relay.test"
	s.EnableDSN = true
	s.ErrorLog = errorLog{bare(t).log}
	if configure != nil {
		configure(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	f.addr = l.Addr().String()
	return f
}

// bare is a transport without anything around it, for its logger.
func bare(t *testing.T) *Mail {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (f *fakeRelay) got() []sentMail {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sentMail(nil), f.mails...)
}

func (f *fakeRelay) setRcpt(answer func(string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rcpt = answer
}

type relaySession struct {
	f    *fakeRelay
	c    *smtp.Conn
	mail sentMail
}

func (s *relaySession) AuthMechanisms() []string {
	if s.f.login == nil {
		return nil
	}
	return []string{"PLAIN"}
}

func (s *relaySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error { return s.f.login(user, password) }), nil
}
func (s *relaySession) Reset()        { s.mail = sentMail{} }
func (s *relaySession) Logout() error { return nil }
func (s *relaySession) Mail(from string, o *smtp.MailOptions) error {
	s.mail.from, s.mail.options = from, *o
	if s.f.mail != nil {
		return s.f.mail(from)
	}
	return nil
}
func (s *relaySession) Rcpt(to string, o *smtp.RcptOptions) error {
	s.mail.to, s.mail.rcpt = to, *o
	s.f.mu.Lock()
	answer := s.f.rcpt
	s.f.mu.Unlock()
	if answer != nil {
		return answer(to)
	}
	return nil
}
func (s *relaySession) Data(r io.Reader) error {
	if s.f.data != nil {
		if err := s.f.data(s.c, r); err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.raw = raw
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.mails = append(s.f.mails, s.mail)
	return nil
}

// site is one organisation: a store with the accounts ann and rob at one.test.
type site struct {
	store    *store.Store
	accounts *account.Service
	ann, rob store.Account
	journal  *journal.Journal
	calendar *calendar.Service
	mail     *Mail
}

func newSite(t testing.TB, s *store.Store, relay string, change func(*Options)) *site {
	t.Helper()
	return newSiteWith(t, s, relay, nil, change)
}

func newSiteWith(t testing.TB, s *store.Store, relay string, service func(*calendar.Options), changes ...func(*Options)) *site {
	t.Helper()
	clock := func() time.Time { return now }
	services := servicetest.New(s, servicetest.Options{Domain: "one.test", Now: clock, Calendar: service})
	x := &site{store: s, accounts: services.Accounts, journal: services.Journal, calendar: services.Calendar}
	for name, to := range map[string]*store.Account{"ann": &x.ann, "rob": &x.rob} {
		a, err := x.accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(name + "@one.test"), DisplayName: strings.ToUpper(name[:1]) + name[1:] + " Example", TimeZone: "Europe/Berlin"})
		if err != nil {
			t.Fatal(err)
		}
		*to = a
	}
	o := Options{Relay: relay, Domains: []string{"one.test"}, Hostname: "cal.one.test", Accounts: x.accounts, Store: s, Journal: x.journal, Calendar: x.calendar,
		Trust: trust.Policy{Inbound: trust.Accept}, Now: clock, Timeout: time.Minute}
	for _, change := range changes {
		if change != nil {
			change(&o)
		}
	}
	var err error
	if x.mail, err = New(o); err != nil {
		t.Fatal(err)
	}
	return x
}

// object is an iTIP message about one meeting.
func object(method, uid string, lines ...string) []byte {
	return []byte(strings.Join(append(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "METHOD:" + method, "BEGIN:VEVENT", "UID:" + uid,
		"DTSTAMP:20260601T090000Z", "DTSTART:20260702T080000Z", "DTEND:20260702T090000Z", "SUMMARY:Planning", "SEQUENCE:0"}, lines...), "END:VEVENT", "END:VCALENDAR", ""), "\r\n"))
}

// due writes an outgoing row to an address, as the calendar service does.
func (x *site) due(t *testing.T, uid, to string) *store.Entry {
	t.Helper()
	e := &store.Entry{Account: x.ann.ID, Method: "REQUEST", UID: uid, From: "mailto:ann@one.test", To: "mailto:" + to, Status: "1.0",
		Calendar: object("REQUEST", uid, "ORGANIZER;CN=Ann Example:mailto:ann@one.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:"+to)}
	if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return x.journal.Add(tx, e) }); err != nil {
		t.Fatal(err)
	}
	return e
}

func (x *site) row(t *testing.T, account store.AccountID, id int64) store.Entry {
	t.Helper()
	e, err := x.mail.entry(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// one sends one row and gives its outcome.
func (x *site) one(t *testing.T, e *store.Entry) journal.Outcome {
	t.Helper()
	return x.mail.Send(t.Context(), []*store.Entry{e})[0]
}

func sqlite(t *testing.T) *store.Store { return storetest.SQLite(t) }

var errFull = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full\nfor now"}

func refuse(code int, enhanced smtp.EnhancedCode, text string) func(string) error {
	return func(string) error { return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text} }
}
