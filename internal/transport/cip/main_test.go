package cip

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/transporttest"
	"github.com/convene-cal/convene/internal/trust"
)

func TestMain(m *testing.M) { pg.Main(m) }

// side is one service with its listener.
type side struct {
	t      testing.TB
	domain string
	*servicetest.Services
	cip     *CIP
	address string
	people  map[string]store.Account
}

// start makes a service of a domain with people in it.
func start(t testing.TB, domain string, people []string, configure func(*Options), others ...journal.Transport) *side {
	t.Helper()
	return startOn(t, storetest.SQLite(t), domain, people, configure, others...)
}

func startOn(t testing.TB, db *store.Store, domain string, people []string, configure func(*Options), others ...journal.Transport) *side {
	t.Helper()
	s := &side{t: t, domain: domain, people: map[string]store.Account{}}
	s.Services = servicetest.New(db, servicetest.Options{Domain: domain, Journal: func(o *journal.Options) {
		o.Patience = map[string]journal.Patience{Name: {First: 10 * time.Millisecond, Most: 50 * time.Millisecond, GiveUp: time.Hour}}
		o.Poll = 20 * time.Millisecond
	}})
	for _, n := range people {
		a, err := s.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(n + "@" + domain), Password: n})
		if err != nil {
			t.Fatal(err)
		}
		s.people[n] = a
	}
	o := Options{Domains: []string{domain}, FallbackAfter: time.Hour, Accounts: s.Accounts, Store: s.Store, Calendar: s.Calendar, Journal: s.Journal}
	if configure != nil {
		configure(&o)
	}
	s.cip = New(o)
	s.Calendar.SetElsewhere(s.cip.Elsewhere)
	s.Deliver(append([]journal.Transport{s.cip}, others...)...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.run("listener", func(ctx context.Context) error { return s.cip.Serve(ctx, l) })
	return s
}

// run something until the test ends.
func (s *side) run(what string, do func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			s.t.Errorf("%s of %s: %v", what, s.domain, err)
		}
	})
}

func (s *side) courier() { s.run("courier", s.Journal.Run) }

// to makes the side a peer of this one.
func (s *side) to(other *side, form cip.Form) {
	s.cip.peers[other.domain] = &Peer{ServerID: other.domain, Address: other.address, Identity: s.domain, Password: "between us", Body: form}
}

// join makes two sides peers of each other.
func join(a, b *side, form cip.Form) { a.to(b, form); b.to(a, form) }

func (s *side) actor(who string) account.Actor { return s.Accounts.ActorOf(s.people[who]) }

func (s *side) put(who, name, text string) {
	s.t.Helper()
	a := s.people[who]
	_, err := s.Calendar.Put(s.t.Context(), calendar.PutRequest{By: s.actor(who), Ref: calendar.Ref{Owner: a.ID, Collection: "default", Name: name}, Data: []byte(strings.ReplaceAll(text, "\n", "\r\n"))})
	if err != nil {
		s.t.Fatalf("put %s: %v", name, err)
	}
}

// object is the text of a person's object with a UID, "" when there is none.
func (s *side) object(who, uid string) (text string) {
	s.t.Helper()
	err := s.Store.View(s.t.Context(), func(tx *store.Tx) error {
		text = ""
		list, err := tx.ObjectsByUID(s.people[who].ID, uid)
		if err != nil || len(list) == 0 {
			return err
		}
		if len(list) > 1 {
			s.t.Errorf("%s has %d objects of %s", who, len(list), uid)
		}
		body, err := tx.Body(list[0].Account, list[0].ID)
		text = strings.ReplaceAll(string(body), "\r\n ", "")
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func (s *side) respond(who, uid, partstat string) {
	s.t.Helper()
	_, err := s.Calendar.Respond(s.t.Context(), calendar.RespondRequest{By: s.actor(who), Owner: s.people[who].ID, UID: uid, PartStat: partstat})
	if err != nil {
		s.t.Fatalf("%s answers %s: %v", who, uid, err)
	}
}

func (s *side) rows(f store.EntryFilter) []store.Entry {
	s.t.Helper()
	rows, err := s.Journal.List(context.Background(), f)
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func eventually(t testing.TB, what string, is func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		ok, said := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so after a minute: %s", what, said)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// has waits until the object has a line of all parts.
func (s *side) has(who, uid string, parts ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s's %s has %q", who, uid, parts), func() (bool, string) {
		text := s.object(who, uid)
		for line := range strings.Lines(text) {
			if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) }) {
				return true, ""
			}
		}
		return false, text + fmt.Sprint(s.journal(uid))
	})
}

func (s *side) journal(uid string) (list []string) {
	for _, r := range s.rows(store.EntryFilter{UID: uid}) {
		list = append(list, fmt.Sprintf("\n%s %s %s %s->%s %s %s %s", s.domain, r.Direction, r.Method, r.From, r.To, r.State, r.Transport, r.Sentence))
	}
	return list
}

func meetingText(uid, organizer string, more string, guests ...string) string {
	t := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//EN\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20260101T000000Z\nDTSTART:20290601T100000Z\nDTEND:20290601T110000Z\n" + more +
		"ORGANIZER:mailto:" + organizer + "\nATTENDEE;PARTSTAT=ACCEPTED:mailto:" + organizer + "\n"
	for _, g := range guests {
		t += "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:" + g + "\n"
	}
	return t + "END:VEVENT\nEND:VCALENDAR\n"
}

func TestKeepsThePromisesOfATransport(t *testing.T) { transporttest.Run(t, rig) }

func rig(t *testing.T) transporttest.Rig {
	var broken atomic.Bool
	b := start(t, "b.test", []string{"ben"}, nil)
	a := start(t, "a.test", []string{"ann"}, func(o *Options) {
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if broken.Load() {
				return nil, errors.New("no route")
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	join(a, b, cip.VCal10)
	n := 0
	entry := func(t *testing.T, to string) *store.Entry {
		t.Helper()
		n++
		uid := fmt.Sprintf("%d@a.test", n)
		text := strings.Replace(meetingText(uid, "ann@a.test", "SUMMARY:x\n", to), "VERSION:2.0", "VERSION:2.0\nMETHOD:REQUEST", 1)
		e := &store.Entry{Account: a.people["ann"].ID, Method: "REQUEST", UID: uid, From: "mailto:ann@a.test", To: "mailto:" + to, Calendar: []byte(strings.ReplaceAll(text, "\n", "\r\n"))}
		if err := a.Store.Update(t.Context(), func(tx *store.Tx) error { return a.Journal.Add(tx, e) }); err != nil {
			t.Fatal(err)
		}
		return e
	}
	return transporttest.Rig{
		Transport: a.cip, Accepted: "mailto:Ben@b.test", Foreign: "mailto:bea@a.test",
		Entry: func(t *testing.T) *store.Entry { return entry(t, "ben@b.test") },
		Reload: func(t *testing.T, e *store.Entry) *store.Entry {
			got, err := a.Journal.Show(t.Context(), e.Account, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return &got
		},
		Arrived: func(t *testing.T) []string {
			var out []string
			for _, coll := range []string{"inbox", "default"} {
				var list []store.Object
				if err := b.Calendar.List(t.Context(), b.actor("ben"), b.people["ben"].ID, coll, func(o store.Object) error { list = append(list, o); return nil }); err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(list, func(x, y store.Object) int { return int(x.ID - y.ID) })
				uids := []string{}
				for _, o := range list {
					uids = append(uids, o.UID)
				}
				if coll == "default" && !slices.Equal(uids, out) {
					t.Errorf("inbox %q, calendar %q", out, uids)
				}
				out = uids
			}
			return out
		},
		Break:    func(*testing.T) { broken.Store(true); a.cip.pool.close() },
		Mend:     func(*testing.T) { broken.Store(false) },
		Hopeless: func(t *testing.T) *store.Entry { return entry(t, "ghost@b.test") },
	}
}

// A meeting from the first invitation to its end, in each form.
func TestStory(t *testing.T) {
	for _, form := range []cip.Form{cip.VCal10, cip.Bare, cip.ICal20} {
		t.Run(string(form), func(t *testing.T) { story(t, form, storetest.SQLite(t), storetest.SQLite(t)) })
	}
	t.Run("PostgreSQL", func(t *testing.T) { story(t, cip.VCal10, storetest.Postgres(t), storetest.Postgres(t)) })
}

func story(t *testing.T, form cip.Form, here, there *store.Store) {
	a, b := startOn(t, here, "a.test", []string{"ann"}, nil), startOn(t, there, "b.test", []string{"ben", "bea"}, nil)
	join(a, b, form)
	a.courier()
	b.courier()
	const uid = "a UID/of some client"
	guests := []string{"ben@b.test", "bea@b.test"}
	a.put("ann", "1.ics", meetingText(uid, "ann@a.test", "SUMMARY:Ωne\n", guests...))
	b.has("ben", uid, "SUMMARY:Ωne")
	b.has("bea", uid, "SUMMARY:Ωne")
	b.respond("ben", uid, "ACCEPTED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "ben@b.test")
	b.respond("bea", uid, "TENTATIVE")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=TENTATIVE", "bea@b.test")
	b.respond("bea", uid, "DECLINED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=DECLINED", "bea@b.test")

	moved := strings.ReplaceAll(a.object("ann", uid), "20290601T1", "20290602T1")
	a.put("ann", "1.ics", strings.ReplaceAll(moved, "\r\n", "\n"))
	b.has("ben", uid, "DTSTART", "20290602T100000Z")
	b.has("ben", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "ben@b.test")
	b.respond("ben", uid, "ACCEPTED")
	a.has("ann", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "ben@b.test")
	a.has("ann", uid, "SCHEDULE-STATUS", "ben@b.test")

	// One of the guests is taken off, then all is called off.
	without := strings.ReplaceAll(a.object("ann", uid), "\r\n", "\n")
	kept := ""
	for line := range strings.Lines(without) {
		if !strings.Contains(line, "bea@b.test") {
			kept += line
		}
	}
	a.put("ann", "1.ics", kept)
	b.has("bea", uid, "STATUS:CANCELLED")
	if err := a.Calendar.Delete(t.Context(), calendar.DeleteRequest{By: a.actor("ann"), Ref: calendar.Ref{Owner: a.people["ann"].ID, Collection: "default", Name: "1.ics"}}); err != nil {
		t.Fatal(err)
	}
	b.has("ben", uid, "STATUS:CANCELLED")
	for _, s := range []*side{a, b} {
		eventually(t, "all outcomes are written", func() (bool, string) {
			due := s.rows(store.EntryFilter{States: []string{journal.Due}})
			return len(due) == 0, fmt.Sprint(len(due))
		})
		for _, r := range s.rows(store.EntryFilter{}) {
			if r.Transport != Name && r.Transport != journal.Local || r.State == journal.Failed || r.State == calendar.StateHeld || r.State == calendar.StateRejected {
				t.Errorf("%s: %s %s %s->%s: %s: %s", s.domain, r.Direction, r.Method, r.From, r.To, r.State, r.Sentence)
			}
		}
	}
}

// cutter makes connections that end at any octet.
type cutter struct {
	mu   sync.Mutex
	r    *rand.Rand
	cuts atomic.Int64
	off  atomic.Bool
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil || c.off.Load() {
		return conn, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cutConn{Conn: conn, c: c, in: c.r.IntN(1500), out: c.r.IntN(15000)}, nil
}

type cutConn struct {
	net.Conn
	c       *cutter
	in, out int // octets that still pass
}

var errCut = errors.New("the connection was cut")

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.in -= n; c.in < 0 {
		c.c.cuts.Add(1)
		c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if n := min(len(b), max(c.out, 0)); n < len(b) {
		c.c.cuts.Add(1)
		c.Conn.Write(b[:n])
		c.Conn.Close()
		return n, errCut
	}
	c.out -= len(b)
	return c.Conn.Write(b)
}

// A thousand meetings between two services whose connections are cut at any
// octet: each arrives, each answer comes back, and none is there twice.
func TestThousandMeetingsOverCutConnections(t *testing.T) {
	meetings := 1000
	if testing.Short() {
		meetings = 100
	}
	cut := &cutter{r: rand.New(rand.NewPCG(1, 2))}
	dial := func(o *Options) { o.Dial = cut.dial }
	a, b := start(t, "a.test", []string{"ann"}, dial), start(t, "b.test", []string{"ben"}, dial)
	join(a, b, cip.VCal10)
	a.courier()
	b.courier()
	for i := range meetings {
		a.put("ann", fmt.Sprintf("%d.ics", i), meetingText(fmt.Sprintf("m%d@a.test", i), "ann@a.test", "SUMMARY:x\n", "ben@b.test"))
	}
	objects := func(s *side, who, coll string) (list []store.Object) {
		if err := s.Calendar.List(t.Context(), s.actor(who), s.people[who].ID, coll, func(o store.Object) error { list = append(list, o); return nil }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	eventually(t, "ben has them all", func() (bool, string) {
		n := len(objects(b, "ben", "default"))
		return n >= meetings, fmt.Sprint(n)
	})
	for i := range meetings {
		b.respond("ben", fmt.Sprintf("m%d@a.test", i), "ACCEPTED")
	}
	eventually(t, "ann has all answers", func() (bool, string) {
		n := 0
		for _, s := range []*side{a, b} {
			n += len(s.rows(store.EntryFilter{States: []string{journal.Due}}))
		}
		return n == 0, fmt.Sprint(n, " messages are under way")
	})
	for i := range meetings {
		a.has("ann", fmt.Sprintf("m%d@a.test", i), "PARTSTAT=ACCEPTED", "ben@b.test")
	}
	for _, coll := range []string{"default", "inbox"} {
		seen := map[string]int{}
		for _, o := range objects(b, "ben", coll) {
			seen[o.UID]++
		}
		for uid, n := range seen {
			if n != 1 {
				t.Errorf("%s: %d times in ben's %s", uid, n, coll)
			}
		}
		if len(seen) != meetings {
			t.Errorf("%d meetings in ben's %s, want %d", len(seen), coll, meetings)
		}
	}
	if got := len(objects(a, "ann", "inbox")); got != meetings {
		t.Errorf("%d answers in ann's inbox, want %d", got, meetings)
	}
	if n := cut.cuts.Load(); n < int64(meetings)/20 {
		t.Errorf("only %d connections were cut: the test tests nothing", n)
	} else {
		t.Logf("%d connections cut", n)
	}
}

// elsewhere is a transport of another kind, like mail.
type elsewhere struct {
	mu  sync.Mutex
	got []string
}

func (*elsewhere) Name() string                                    { return "mail" }
func (*elsewhere) Accepts(_ context.Context, to ical.Address) bool { return to.Email() != "" }
func (e *elsewhere) Send(_ context.Context, batch []*store.Entry) (out []journal.Outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range batch {
		e.got = append(e.got, m.Method+" "+m.UID)
		out = append(out, journal.Outcome{State: journal.Sent})
	}
	return out
}

func TestFallsBackToMail(t *testing.T) {
	noDNS := &names{}
	for _, tt := range []struct {
		name, to  string
		configure func(*Options)
		more      string
		attempts  string // transports of the attempts
	}{
		{"three failures", "ben@b.test", func(o *Options) { o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}} }, "", "cip cip cip mail"},
		{"long enough", "ben@b.test", func(o *Options) {
			o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}}
			o.FallbackAfter = time.Nanosecond
		}, "", "cip mail"},
		{"no CIP there", "ben@b.test", func(o *Options) { o.Discover = true }, "", "cip mail"},
		{"not looked for", "ben@b.test", nil, "", "mail"},
		{"said to have none", "ben@none.test", func(o *Options) { o.Discover = true }, "", "cip mail"},
		{"a changed occurrence", "ben@b.test", func(o *Options) { o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}} },
			"RRULE:FREQ=DAILY;COUNT=3\n", "cip mail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mail := &elsewhere{}
			a := start(t, "a.test", []string{"ann"}, func(o *Options) {
				o.Resolver = noDNS
				if tt.configure != nil {
					tt.configure(o)
				}
			}, mail)
			a.courier()
			text := meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n"+tt.more, tt.to)
			if tt.more != "" {
				override := strings.ReplaceAll(text[strings.Index(text, "BEGIN:VEVENT"):strings.Index(text, "END:VCALENDAR")], tt.more, "RECURRENCE-ID:20290602T100000Z\n")
				text = strings.Replace(text, "END:VCALENDAR", strings.ReplaceAll(override, "20290601T", "20290602T")+"END:VCALENDAR", 1)
			}
			a.put("ann", "1.ics", text)
			var row store.Entry
			eventually(t, "it has gone by mail", func() (bool, string) {
				rows := a.rows(store.EntryFilter{})
				row = rows[0]
				return row.State == journal.Sent, fmt.Sprintf("%+v", rows)
			})
			var got []string
			for _, at := range row.Attempts {
				got = append(got, at.Transport)
			}
			if s := strings.Join(got, " "); s != tt.attempts {
				t.Errorf("attempts by %s, want %s: %+v", s, tt.attempts, row.Attempts)
			}
			if len(mail.got) == 0 || tt.more == "" && len(mail.got) != 1 {
				t.Errorf("mail carried %q", mail.got)
			}
		})
	}
}

// names is a resolver.
type names struct {
	mu    sync.Mutex
	srv   map[string][]*net.SRV
	hosts map[string][]string
	fail  bool
	asked []string
}

func (n *names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if service != "" {
		name = "_" + service + "._" + proto + "." + name
	}
	n.asked = append(n.asked, name)
	switch {
	case n.fail:
		return "", nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case name == "_cip._tcp.none.test":
		return "", []*net.SRV{{Target: "."}}, nil
	case n.srv[name] != nil:
		return name, n.srv[name], nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n *names) LookupHost(_ context.Context, host string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, host)
	if a := n.hosts[host]; a != nil {
		return a, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// Servers are found by SRV, by the old form of its name, by the host for those
// that are configured, and at each connection anew (section 1.9).
func TestDiscovery(t *testing.T) {
	b := start(t, "b.test", []string{"ben"}, nil)
	host, port, _ := net.SplitHostPort(b.address)
	var p uint16
	fmt.Sscan(port, &p)
	good := &net.SRV{Target: host, Port: p}
	for _, tt := range []struct {
		name  string
		dns   *names
		peers []Peer
		asked string
	}{
		{"SRV", &names{srv: map[string][]*net.SRV{"_cip._tcp.b.test": {good}}}, nil, "_cip._tcp.b.test"},
		{"the first does not answer", &names{srv: map[string][]*net.SRV{"_cip._tcp.b.test": {{Target: "127.0.0.1", Port: 1}, good}}}, nil, "_cip._tcp.b.test"},
		{"the name of RFC 2052", &names{srv: map[string][]*net.SRV{"cip.tcp.b.test": {good}}}, nil, "_cip._tcp.b.test cip.tcp.b.test"},
		{"the host", &names{hosts: map[string][]string{"b.test": {"127.0.0.1"}}}, []Peer{{ServerID: "b.test"}}, "_cip._tcp.b.test cip.tcp.b.test b.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, "a.test", []string{"ann"}, func(o *Options) {
				o.Resolver, o.Discover, o.Peers = tt.dns, true, tt.peers
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					if address == "b.test:10996" {
						address = b.address
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				}
			})
			l, err := a.cip.connect(t.Context(), "b.test")
			if err != nil {
				t.Fatal(err)
			}
			l.conn.Close()
			if got := strings.Join(tt.dns.asked, " "); got != tt.asked {
				t.Errorf("asked for %s, want %s", got, tt.asked)
			}
			l, err = a.cip.connect(t.Context(), "b.test")
			if err != nil || len(tt.dns.asked) != 2*len(strings.Fields(tt.asked)) {
				t.Errorf("the second connection asked for %q (%v)", tt.dns.asked, err)
			} else {
				l.conn.Close()
			}
		})
	}
	for name, dns := range map[string]*names{"temporary failure": {fail: true}, "none": {}} {
		a := start(t, "a.test", []string{"ann"}, func(o *Options) { o.Resolver, o.Discover = dns, true })
		if _, err := a.cip.connect(t.Context(), "b.test"); err == nil || errors.Is(err, errNoService) != (name == "none") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Somebody moved to a third server: the message follows, and the next goes
// there at once; a chain that is too long ends.
func TestFollowsMoves(t *testing.T) {
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"carol", "dan"}, nil)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, cip.VCal10)
	join(a, c, cip.VCal10)
	a.courier()
	c.courier()
	for _, m := range [][2]string{{"carol@b.test", "carol@c.test"}, {"dan@b.test", "dan2@c.test"}} {
		if err := b.Accounts.Rename(t.Context(), ical.Mailto(m[0]), ical.Mailto(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test", "dan@b.test"))
	c.has("carol", "1@a.test", "ATTENDEE", "carol@c.test")
	c.respond("carol", "1@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "carol@b.test")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=3.7", "dan@b.test")
	b.cip.Pause(true) // nobody needs it any more
	a.put("ann", "2.ics", meetingText("2@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test"))
	c.has("carol", "2@a.test", "SUMMARY:x")
}

// Section 1.8: where the count of versions ends the event is cancelled and goes
// on as a new one.
func TestVersionsRunOut(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	b.courier()
	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "ben@b.test")
	a.put("ann", "1.ics", text)
	b.has("ben", "1@a.test", "SUMMARY:first")
	err := a.Store.Update(t.Context(), func(tx *store.Tx) error {
		e, err := tx.CIPEvent(a.people["ann"].ID, "1@a.test")
		if err != nil {
			return err
		}
		e.Version = cip.MaxVersion
		return tx.PutCIPEvent(e)
	})
	if err != nil {
		t.Fatal(err)
	}
	a.put("ann", "1.ics", strings.Replace(text, "first", "second", 1))
	b.has("ben", "1@a.test", "STATUS:CANCELLED")
	b.has("ben", "1.2@a.test", "SUMMARY:second")
	b.respond("ben", "1.2@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "PARTSTAT=ACCEPTED", "ben@b.test")

	// Who answers the former id is told the new one.
	l, err := b.cip.connect(t.Context(), "a.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	r, err := l.Answer([]byte("UID:1@a.test\r\nATTENDEE;STATUS=DECLINED:ben@b.test\r\n"))
	if err != nil || r.OK || len(r.Infos) != 1 || r.Infos[0].String() != "* REDIRECT EVENT 1@a.test IS NOW 1.2@a.test" {
		t.Errorf("%+v, %v", r, err)
	}
}

// An answer to a version before the last is refused, the present one sent.
func TestStaleAnswer(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "ben@b.test")
	a.put("ann", "1.ics", text)
	b.has("ben", "1@a.test", "SUMMARY:first")
	a.put("ann", "1.ics", strings.ReplaceAll(strings.Replace(text, "first", "second", 1), "20290601", "20290608"))
	b.has("ben", "1@a.test", "SUMMARY:second")
	l, err := b.cip.connect(t.Context(), "a.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	r, err := l.Answer([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nATTENDEE;STATUS=ACCEPTED:ben@b.test\r\n"))
	if err != nil || r.OK || r.Code != cip.CodePartial {
		t.Errorf("%+v, %v", r, err)
	}
	if n := len(a.rows(store.EntryFilter{UID: "1@a.test", Direction: journal.Out})); n != 3 {
		t.Errorf("%d messages went out, want 3", n)
	}
	if text := a.object("ann", "1@a.test"); strings.Count(text, "PARTSTAT=ACCEPTED") != 1 {
		t.Errorf("the stale answer counts:\n%s", text)
	}
}

func TestGroup(t *testing.T) {
	a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben", "bea"}, nil)
	join(a, b, cip.VCal10)
	a.courier()
	team, err := b.Accounts.Add(t.Context(), account.NewAccount{Address: "mailto:team@b.test", Kind: store.Group})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.AddMembers(t.Context(), team.ID, []ical.Address{"mailto:ben@b.test", "mailto:bea@b.test"}); err != nil {
		t.Fatal(err)
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "team@b.test"))
	for _, who := range []string{"ben", "bea"} {
		b.has(who, "1@a.test", "ATTENDEE", "MEMBER=", who+"@b.test")
	}
	l, err := a.cip.connect(t.Context(), "b.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	loop := "UID:2@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nX-CIP-TRACE:c.test,b.test\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:team@b.test\r\n"
	if r, err := l.SendEvent([]byte(loop)); err != nil || r.OK || len(r.Infos) != 2 || r.Infos[1].Code != cip.NotFound {
		t.Errorf("a loop: %+v, %v", r, err)
	}
}

// What comes by CIP is judged as mail is: refused domains, held senders, a
// policy that asks for signatures.
func TestPolicy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy trust.Policy
		info   string
		state  string
	}{
		{"verify", trust.Policy{}, cip.Tentative, "applied"},
		{"a refused domain", trust.Policy{Inbound: trust.Accept, DenyDomains: []string{"a.test"}}, cip.PermDenied, calendar.StateRejected},
		{"unknown senders are held", trust.Policy{Inbound: trust.Accept, UnknownSenders: "hold"}, cip.Tentative, calendar.StateHeld},
		{"only what is signed", trust.Policy{Inbound: trust.Quarantine}, cip.Tentative, calendar.StateHeld},
		{"only what is signed by that domain", trust.Policy{SignedDomains: []string{"a.test"}}, cip.Tentative, calendar.StateHeld},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, "b.test", []string{"ben"}, func(o *Options) {
				o.Trust = tt.policy
				o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1", Password: "x"}}
			})
			conn, err := net.Dial("tcp", b.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			c, err := cip.NewClient(conn)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Login("a.test", "x"); err != nil {
				t.Fatal(err)
			}
			const text = "UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:ben@b.test\r\n"
			for range 2 { // the second time it is known
				r, err := c.SendEvent([]byte(text))
				if err != nil || len(r.Infos) != 2 || r.Infos[1].Code != tt.info || r.OK != (tt.info == cip.Tentative) {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			rows := b.rows(store.EntryFilter{Account: b.people["ben"].ID})
			first := rows[len(rows)-1]
			if first.State != tt.state || first.Sentence == "" || !strings.Contains(string(first.Evidence), `"peers":["a.test"]`) {
				t.Errorf("%+v", first)
			}
		})
	}
}

// The busy time of somebody elsewhere, as the web form asks for it.
func TestBusyElsewhere(t *testing.T) {
	for _, form := range []cip.Form{cip.Bare, cip.ICal20} {
		a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
		join(a, b, form)
		b.put("ben", "1.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20290601T100000Z\nDTEND:20290601T110000Z\nEND:VEVENT\nEND:VCALENDAR\n")
		day := time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC)
		got, err := a.Calendar.FreeBusy(t.Context(), a.actor("ann"), []ical.Address{"mailto:ann@a.test", "mailto:ben@b.test", "mailto:ghost@b.test", "mailto:x@x.test"}, day, day.AddDate(0, 0, 1), "")
		if err != nil {
			t.Fatal(err)
		}
		if len(got[1].Periods) != 1 || !got[1].Periods[0].From.Equal(day.Add(10*time.Hour)) || got[1].Status != "2.0;Success" {
			t.Errorf("%s: ben: %+v", form, got[1])
		}
		if !strings.HasPrefix(got[2].Status, "3.7") || !strings.HasPrefix(got[3].Status, "5.1") {
			t.Errorf("%s: %+v", form, got[2:])
		}
	}
}

// Passwords are not taken in clear from afar, wrong ones lock a source out, and
// TLS helps.
func TestSignIn(t *testing.T) {
	pair := certificate(t, "b.test")
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{pair.tls}} })
	a := start(t, "a.test", []string{"ann"}, func(o *Options) { o.ClientTLS = &tls.Config{RootCAs: pair.pool} })
	join(a, b, cip.VCal10)
	a.cip.peers["b.test"].StartTLS = true
	l, err := a.cip.connect(t.Context(), "b.test")
	if err != nil {
		t.Fatal(err)
	}
	if _, secured := l.conn.(*tls.Conn); !secured {
		t.Error("the connection is in clear")
	}
	l.conn.Close()

	far := &session{c: b.cip, conn: remote{addr: &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 5}}, id: identity{}}
	far.source = sourceOf(far.conn.RemoteAddr())
	if far.Login(t.Context(), "ben", "ben") {
		t.Error("a password in clear from afar is taken")
	}
	far.id.secure = true
	if !far.Login(t.Context(), "ben", "ben") || far.id.user.Name != "ben" {
		t.Error("a password over TLS is not taken")
	}
	for range freeFailures {
		b.cip.guard.wrong(far.source)
	}
	if far.Login(t.Context(), "ben", "ben") {
		t.Error("a source that is locked out gets in")
	}
	if b.cip.guard.enter(far.source, 10, 10, false) {
		t.Error("a source that is locked out may connect")
	}
}

type remote struct {
	net.Conn
	addr net.Addr
}

func (r remote) RemoteAddr() net.Addr { return r.addr }

// Floods are turned away or slowed down, and the next client is served.
func TestFlood(t *testing.T) {
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.MaxConnections = 20 })
	var open []net.Conn
	refused := 0
	for range 60 {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := cip.NewClient(conn); errors.Is(err, cip.ErrUnavailable) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		} else {
			open = append(open, conn)
		}
	}
	if len(open) != 20 || refused != 40 {
		t.Errorf("%d connections served, %d turned away", len(open), refused)
	}
	for _, c := range open {
		c.Close()
	}
	eventually(t, "somebody is served again", func() (bool, string) {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			return false, err.Error()
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		_, err = cip.NewClient(conn)
		return err == nil, fmt.Sprint(err)
	})
	g := guard{now: func() time.Time { return time.Unix(1000, 0) }}
	key := sourceOf(&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 5})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range anonymousBurst + int(maxWait.Seconds())*anonymousPerSec {
		g.slow(ctx, key)
	}
	if g.slow(context.Background(), key) {
		t.Error("an endless queue of anonymous commands")
	}
	if !bytes.Contains([]byte(sourceOf(&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 5}).String()), []byte("/64")) {
		t.Error("an IPv6 host is one address")
	}
}
