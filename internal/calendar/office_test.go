package calendar_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

// office is a service with people, a clock that tests move, and a post office
// that takes what leaves the house.
type office struct {
	t        testing.TB
	store    *store.Store
	accounts *account.Service
	journal  *journal.Journal
	svc      *calendar.Service
	post     *post
	people   map[string]store.Account

	mu  sync.Mutex
	now time.Time
}

// morning is when every story begins: a Monday.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

type option func(*calendar.Options)

func open(t testing.TB, s *store.Store, options ...option) *office {
	t.Helper()
	o := &office{t: t, store: s, people: map[string]store.Account{}, now: morning, post: &post{}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	services := servicetest.New(s, servicetest.Options{Now: o.clock, Log: log,
		Journal: func(jo *journal.Options) { jo.Poll = 10 * time.Millisecond },
		Calendar: func(co *calendar.Options) {
			for _, f := range options {
				f(co)
			}
		},
	})
	services.Deliver(o.post)
	o.accounts, o.svc, o.journal = services.Accounts, services.Calendar, services.Journal
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// hire makes accounts name@example.test.
func (o *office) hire(names ...string) *office {
	o.t.Helper()
	for _, n := range names {
		o.hireAs(store.Individual, n)
	}
	return o
}

func (o *office) hireAs(kind, name string) {
	o.t.Helper()
	a, err := o.accounts.Add(o.t.Context(), account.NewAccount{Address: ical.Mailto(name + "@example.test"), Kind: kind, DisplayName: strings.ToUpper(name[:1]) + name[1:]})
	if err != nil {
		o.t.Fatalf("add %s: %v", name, err)
	}
	o.people[name] = a
}

func (o *office) actor(name string) account.Actor {
	a := o.people[name]
	return account.Actor{Account: a.ID, Name: a.Name}
}

func (o *office) ref(name, path string) calendar.Ref {
	coll, file, _ := strings.Cut(path, "/")
	return calendar.Ref{Owner: o.people[name].ID, Collection: coll, Name: file}
}

// put stores data in somebody's own calendar and expects it to work.
func (o *office) put(name, path, data string) calendar.PutResult {
	o.t.Helper()
	r, err := o.tryPut(name, path, data, calendar.Precondition{})
	if err != nil {
		o.t.Fatalf("%s puts %s: %v\n%s", name, path, err, data)
	}
	return r
}

func (o *office) tryPut(name, path, data string, p calendar.Precondition) (calendar.PutResult, error) {
	return o.svc.Put(o.t.Context(), calendar.PutRequest{By: o.actor(name), Ref: o.ref(name, path), Data: []byte(data), If: p})
}

// get reads an object; "" when it is not there.
func (o *office) get(name, path string) (store.Object, string) {
	o.t.Helper()
	ob, body, err := o.svc.Get(o.t.Context(), o.actor(name), o.ref(name, path))
	if problem.Has(err, problem.NotFound) {
		return ob, ""
	}
	if err != nil {
		o.t.Fatalf("%s gets %s: %v", name, path, err)
	}
	return ob, string(body)
}

// event finds the object of a UID in somebody's default calendar.
func (o *office) event(name, uid string) (store.Object, string) {
	o.t.Helper()
	for _, coll := range []string{"default", "tasks"} {
		for _, ob := range o.list(name, coll) {
			if ob.UID == uid {
				return o.get(name, coll+"/"+ob.Name)
			}
		}
	}
	return store.Object{}, ""
}

func (o *office) list(name, coll string) []store.Object {
	o.t.Helper()
	var out []store.Object
	err := o.svc.List(o.t.Context(), o.actor(name), o.people[name].ID, coll, func(ob store.Object) error { out = append(out, ob); return nil })
	if err != nil {
		o.t.Fatalf("%s lists %s: %v", name, coll, err)
	}
	return out
}

// line gives the ATTENDEE or other line of data that contains all words,
// unfolded; "" when there is none.
func find(data string, words ...string) string {
	for l := range strings.Lines(strings.NewReplacer("\r\n ", "", "\n ", "").Replace(data)) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(strings.ToLower(l), strings.ToLower(w)) }) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

// expect checks that data has a line with all words.
func (o *office) expect(what, data string, words ...string) {
	o.t.Helper()
	if find(data, words...) == "" {
		o.t.Errorf("%s: no line with %q in\n%s", what, words, data)
	}
}

// expectNot checks that data has no line with all words.
func (o *office) expectNot(what, data string, words ...string) {
	o.t.Helper()
	if l := find(data, words...); l != "" {
		o.t.Errorf("%s: unexpected line %s", what, l)
	}
}

// courier runs until the post office and the journal are quiet.
func (o *office) courier() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- o.journal.Run(ctx) }()
	deadline := time.Now().Add(time.Minute)
	for {
		due, changed := false, o.store.Changed()
		err := o.store.View(ctx, func(tx *store.Tx) error {
			at, ok, err := tx.NextDue()
			due = ok && !at.After(o.clock())
			return err
		})
		if err != nil {
			o.t.Fatal(err)
		}
		if !due && !o.leased() {
			break
		}
		if time.Now().After(deadline) {
			o.t.Error("the courier did not finish within a minute")
			break
		}
		select {
		case <-changed:
		case <-time.After(time.Second):
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		o.t.Errorf("courier ended with %v", err)
	}
}

func (o *office) leased() bool {
	rows, err := o.journal.List(o.t.Context(), store.EntryFilter{States: []string{journal.Due}})
	if err != nil {
		o.t.Fatal(err)
	}
	return slices.ContainsFunc(rows, func(e store.Entry) bool { return e.LeaseUntil.After(o.clock()) })
}

// rows of somebody's journal, oldest first, as "out REQUEST bob@… delivered".
func (o *office) rows(name string) []string {
	o.t.Helper()
	rows, err := o.journal.List(o.t.Context(), store.EntryFilter{Account: o.people[name].ID})
	if err != nil {
		o.t.Fatal(err)
	}
	slices.Reverse(rows)
	var out []string
	for _, e := range rows {
		if !e.Refresh {
			out = append(out, fmt.Sprintf("%s %s %s %s", e.Direction, e.Method, ical.Address(e.To).Email(), e.State))
		}
	}
	return out
}

// mail delivers a message as if it had come by mail.
func (o *office) mail(to, from, data string) calendar.Received {
	o.t.Helper()
	cal, err := ical.Parse([]byte(data))
	if err != nil {
		o.t.Fatalf("message: %v", err)
	}
	r, err := o.svc.Receive(o.t.Context(), calendar.Arrival{
		To: o.people[to].ID, Recipient: ical.Mailto(to + "@example.test"), From: ical.Mailto(from), Message: cal, Transport: "mail", Received: o.clock(),
	})
	if err != nil {
		o.t.Fatalf("receive: %v", err)
	}
	return r
}

// post takes what leaves the house.
type post struct {
	mu   sync.Mutex
	sent []store.Entry
}

func (p *post) Name() string { return "mail" }
func (p *post) Accepts(_ context.Context, to ical.Address) bool {
	return to.Email() != "" && !strings.HasSuffix(to.Key(), "@example.test")
}
func (p *post) Send(_ context.Context, batch []*store.Entry) []journal.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []journal.Outcome
	for _, e := range batch {
		p.sent = append(p.sent, *e)
		out = append(out, journal.Outcome{State: journal.Sent})
	}
	return out
}

// letters lists what was mailed since the last call, as "REQUEST dave@…".
func (p *post) letters() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, e := range p.sent {
		out = append(out, e.Method+" "+ical.Address(e.To).Email())
	}
	p.sent = nil
	return out
}

// vevent is a VCALENDAR with one VEVENT of some lines.
func vevent(uid string, lines ...string) string { return vcalendar(component("VEVENT", uid, lines...)) }

func vcalendar(components ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n" + strings.Join(components, "") + "END:VCALENDAR\r\n"
}

func component(kind, uid string, lines ...string) string {
	text := "BEGIN:" + kind + "\r\nUID:" + uid + "\r\nDTSTAMP:20260301T120000Z\r\n"
	for _, l := range lines {
		text += l + "\r\n"
	}
	return text + "END:" + kind + "\r\n"
}

// meeting of alice with others, on a day of March 2026 at some hour UTC.
func meeting(uid string, day, hour int, attendees ...string) string {
	lines := []string{
		fmt.Sprintf("DTSTART:202603%02dT%02d0000Z", day, hour), fmt.Sprintf("DTEND:202603%02dT%02d0000Z", day, hour+1),
		"SUMMARY:Planning", "ORGANIZER:mailto:alice@example.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test",
	}
	for _, a := range attendees {
		lines = append(lines, "ATTENDEE;RSVP=TRUE:mailto:"+a)
	}
	return vevent(uid, lines...)
}

func parse(t testing.TB, data string) *ical.Calendar {
	t.Helper()
	cal, err := ical.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// arrivalFor is a mail to one of somebody's addresses.
func arrivalFor(o *office, who, recipient, from string, message *ical.Calendar) calendar.Arrival {
	return calendar.Arrival{To: o.people[who].ID, Recipient: ical.Mailto(recipient), From: ical.Mailto(from), Message: message, Transport: "mail", Received: o.clock()}
}
