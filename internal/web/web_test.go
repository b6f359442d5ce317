package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// office is a service with real rooms: a store on disk, people, a journal
// that delivers within the house, and the web application before it.
type office struct {
	t         *testing.T
	url       string
	store     *store.Store
	accounts  *account.Service
	calendar  *calendar.Service
	journal   *journal.Journal
	gate      *gate.Gate
	pageUntil time.Time // of every invitation
	settled   []string  // floods: kind, subject, release
	people    map[string]account.Actor
	invited   map[string]store.Entry // by the token of the page
}

// monday is when the tests take place: 2026-11-16 09:00 in Stockholm.
var monday = time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)

func newOffice(t *testing.T, now func() time.Time) *office {
	t.Helper()
	s := storetest.SQLite(t)
	services := servicetest.New(s, servicetest.Options{Now: now, RealSignIns: true})
	services.Deliver()
	doors := gate.New(s, gate.Limits{}, now)
	o := &office{t: t, gate: doors, store: s, accounts: services.Accounts, calendar: services.Calendar, journal: services.Journal, people: map[string]account.Actor{}, invited: map[string]store.Entry{}}
	done := make(chan struct{})
	server := httptest.NewServer(New(Options{Calendar: o.calendar, Accounts: o.accounts, ACL: services.ACL, Journal: services.Journal, Keys: keyring.New(s, now), Gate: doors, SettleFlood: o.settleFlood, Now: now, Done: done, Invitation: o.invitation}))
	t.Cleanup(func() { close(done); server.Close() })
	o.url = server.URL
	for _, name := range []string{"alice", "bob", "carol"} {
		a, err := o.accounts.Add(t.Context(), account.NewAccount{
			Address: ical.Mailto(name + "@example.test"), DisplayName: strings.ToUpper(name[:1]) + name[1:], Password: name + " password",
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.accounts.Edit(t.Context(), a.ID, func(a *store.Account) error { a.TimeZone = "Europe/Stockholm"; return nil }); err != nil {
			t.Fatal(err)
		}
		o.people[name] = account.Actor{Account: a.ID, Name: a.Name}
	}
	return o
}

func fixed() time.Time { return monday }

func (o *office) invitation(_ context.Context, token string) (store.Entry, time.Time, error) {
	if e, ok := o.invited[token]; ok {
		return e, o.pageUntil, nil
	}
	return store.Entry{}, time.Time{}, problem.New(problem.NotFound, "This address is not that of an invitation.")
}

// browser is one signed-in person.
type browser struct {
	*http.Client
	o *office
}

func (o *office) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, o}
}

func (o *office) signIn(name string) *browser {
	o.t.Helper()
	b := o.browser()
	if r := b.form("/sign-in", url.Values{"login": {name}, "password": {name + " password"}}); r.StatusCode != http.StatusSeeOther {
		o.t.Fatalf("signing in as %s: %s\n%s", name, r.Status, text(o.t, r))
	}
	return b
}

func (b *browser) form(path string, values url.Values) *http.Response {
	b.o.t.Helper()
	r, err := b.PostForm(b.o.url+path, values)
	if err != nil {
		b.o.t.Fatal(err)
	}
	b.o.t.Cleanup(func() { r.Body.Close() })
	return r
}

func (b *browser) get(path string) *http.Response {
	b.o.t.Helper()
	r, err := b.Get(b.o.url + path)
	if err != nil {
		b.o.t.Fatal(err)
	}
	b.o.t.Cleanup(func() { r.Body.Close() })
	return r
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// try sends a request to the JSON interface and gives status and answer.
func (b *browser) try(method, path string, body any, header ...string) (int, string) {
	b.o.t.Helper()
	var content io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(v)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			b.o.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, b.o.url+"/api/"+path, content)
	if err != nil {
		b.o.t.Fatal(err)
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := b.Do(req)
	if err != nil {
		b.o.t.Fatal(err)
	}
	defer r.Body.Close()
	return r.StatusCode, text(b.o.t, r)
}

// ask sends a request that must succeed and reads its answer.
func ask[T any](b *browser, method, path string, body any, header ...string) (out T) {
	b.o.t.Helper()
	status, answer := b.try(method, path, body, header...)
	if status >= 300 {
		b.o.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if status != http.StatusNoContent {
		if err := json.Unmarshal([]byte(answer), &out); err != nil {
			b.o.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return out
}

// put stores an object as a calendar program would.
func (o *office) put(who, name, data string) {
	o.t.Helper()
	_, err := o.calendar.Put(o.t.Context(), calendar.PutRequest{
		By: o.people[who], Ref: calendar.Ref{Owner: o.people[who].Account, Collection: "default", Name: name},
		Data: []byte(strings.ReplaceAll(data, "\n", "\r\n")),
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) stored(who, name string) string {
	o.t.Helper()
	_, body, err := o.calendar.Get(o.t.Context(), o.people[who], calendar.Ref{Owner: o.people[who].Account, Collection: "default", Name: name})
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n ", ""), "\r\n", "\n")
}

func meeting(owner, title, start, end string, guests ...string) edit {
	var e edit
	e.Calendar.Owner, e.Calendar.Name = owner, "default"
	e.Event = fields{Summary: title, Start: start, End: end, Zone: "Europe/Stockholm", Busy: true, Attendees: []person{}}
	for _, g := range guests {
		e.Event.Attendees = append(e.Event.Attendees, person{Address: g})
	}
	return e
}

func (p place) path() string { return fmt.Sprintf("events/%s/%s/%s", p.Owner, p.Calendar, p.Name) }

func addresses(list ...string) (out []ical.Address) {
	for _, a := range list {
		out = append(out, ical.Mailto(a))
	}
	return out
}

// settleFlood stands for the mail transport.
func (o *office) settleFlood(ctx context.Context, by account.Actor, kind, subject string, release bool) (int, error) {
	if err := gate.MayFlood(by); err != nil {
		return 0, err
	}
	state := map[bool]string{true: gate.Released, false: gate.Rejected}[release]
	o.settled = append(o.settled, kind+" "+subject+" "+state)
	return 3, o.store.Update(ctx, func(tx *store.Tx) error { return o.gate.Settle(tx, kind, subject, state) })
}
