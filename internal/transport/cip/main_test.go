package cip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
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
	o := Options{Domains: []string{domain}, FallbackAfter: time.Hour}
	if configure != nil {
		configure(&o)
	}
	s := &side{t: t, domain: domain, people: map[string]store.Account{}}
	s.Services = servicetest.New(db, servicetest.Options{Domain: domain, Former: o.Domains[1:], Journal: func(o *journal.Options) {
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
	o.Accounts, o.Store, o.Calendar, o.Journal = s.Accounts, s.Store, s.Calendar, s.Journal
	s.cip = New(o)
	s.Calendar.SetElsewhere(s.cip.Elsewhere)
	s.Calendar.SetSpread(Name, s.cip.Spread)
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
