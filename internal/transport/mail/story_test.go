package mail

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// organisation is a whole service with one person, a courier and an SMTP
// listener; its relay is the other organisation.
type organisation struct {
	person  account.Actor
	service *calendar.Service
	store   *store.Store
	settled chan string
}

// found makes two organisations that send to each other.
func found(t *testing.T) (alice, dave *organisation) {
	t.Helper()
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = l
	}
	build := func(domain, name string, own, other net.Listener) *organisation {
		s := storetest.SQLite(t)
		clock := func() time.Time { return now }
		o := &organisation{store: s, settled: make(chan string, 20)}
		services := servicetest.New(s, servicetest.Options{Domain: domain, Now: clock, Journal: func(jo *journal.Options) {
			jo.Poll = 10 * time.Millisecond
			jo.OnOutcome = func(_ context.Context, e *store.Entry, out journal.Outcome) {
				o.settled <- e.Method + " " + out.State + " " + out.Sentence
			}
		}})
		accounts, j := services.Accounts, services.Journal
		o.service = services.Calendar
		a, err := accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(name + "@" + domain), DisplayName: name})
		if err != nil {
			t.Fatal(err)
		}
		o.person = accounts.ActorOf(a)
		m, err := New(Options{Relay: "smtp://" + other.Addr().String() + "?tls=none", Domains: []string{domain}, Hostname: "cal." + domain, Accounts: accounts, Store: s, Calendar: o.service, Journal: j,
			Trust: trust.Policy{Inbound: trust.Accept}, Now: clock, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		services.Deliver(m)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{}, 2)
		go func() { j.Run(ctx); done <- struct{}{} }()
		go func() { m.ServeSMTP(ctx, own); done <- struct{}{} }()
		t.Cleanup(func() { stop(); <-done; <-done })
		return o
	}
	return build("one.test", "alice", listeners[0], listeners[1]), build("two.test", "dave", listeners[1], listeners[0])
}

// sent waits until the courier has handed a message over; the other side has
// processed it then, because 250 comes after that.
func (o *organisation) sent(t *testing.T, method string) {
	t.Helper()
	select {
	case got := <-o.settled:
		if !strings.HasPrefix(got, method+" sent ") {
			t.Fatalf("%s, want %s sent", got, method)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no %s was sent", method)
	}
}

// event is the text of the object with the UID in the person's calendar, "" if none.
func (o *organisation) event(t *testing.T, uid string) string {
	t.Helper()
	var text string
	if err := o.store.View(t.Context(), func(tx *store.Tx) error {
		text = ""
		list, err := tx.ObjectsByUID(o.person.Account, uid)
		if err != nil || len(list) == 0 {
			return err
		}
		body, err := tx.Body(o.person.Account, list[0].ID)
		text = strings.ReplaceAll(string(body), "\r\n ", "")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// received is the latest row that came in.
func (o *organisation) received(t *testing.T) store.Entry {
	t.Helper()
	var rows []store.Entry
	if err := o.store.View(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(store.EntryFilter{Account: o.person.Account, Direction: journal.In, Limit: 1})
		return err
	}); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return rows[0]
}

// Two organisations, one meeting: invited, accepted, moved, answered again,
// cancelled, by mail alone.
func TestTwoOrganisationsOneMeeting(t *testing.T) {
	alice, dave := found(t)
	put := func(start string) {
		t.Helper()
		text := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:m1", "DTSTAMP:20260601T090000Z", "DTSTART:" + start, "DURATION:PT1H", "SUMMARY:Planning",
			"ORGANIZER:mailto:alice@one.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@one.test", "ATTENDEE;RSVP=TRUE:mailto:dave@two.test", "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
		_, err := alice.service.Put(t.Context(), calendar.PutRequest{By: alice.person, Ref: calendar.Ref{Owner: alice.person.Account, Collection: "default", Name: "m1.ics"}, Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
	}
	answer := func(partstat string) {
		t.Helper()
		if _, err := dave.service.Respond(t.Context(), calendar.RespondRequest{By: dave.person, Owner: dave.person.Account, UID: "m1", PartStat: partstat}); err != nil {
			t.Fatal(err)
		}
	}
	has := func(o *organisation, parts ...string) {
		t.Helper()
		text := o.event(t, "m1")
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Fatalf("%s lacks %q:\n%s", o.person.Name, p, text)
			}
		}
	}
	put("20260702T080000Z")
	alice.sent(t, "REQUEST")
	has(dave, "DTSTART:20260702T080000Z", "PARTSTAT=NEEDS-ACTION")
	has(alice, "SCHEDULE-STATUS=1.1")
	answer("ACCEPTED")
	dave.sent(t, "REPLY")
	has(alice, "PARTSTAT=ACCEPTED", "mailto:dave@two.test")
	if invited, answered := dave.received(t), alice.received(t); answered.References != invited.MessageID || invited.MessageID == "" {
		t.Errorf("the answer refers to %q, the invitation is %q", answered.References, invited.MessageID)
	}
	put("20260702T100000Z")
	alice.sent(t, "REQUEST")
	has(dave, "DTSTART:20260702T100000Z", "SEQUENCE:1")
	answer("DECLINED")
	dave.sent(t, "REPLY")
	has(alice, "PARTSTAT=DECLINED")
	if err := alice.service.Delete(t.Context(), calendar.DeleteRequest{By: alice.person, Ref: calendar.Ref{Owner: alice.person.Account, Collection: "default", Name: "m1.ics"}, Reply: itip.ReplyDefault}); err != nil {
		t.Fatal(err)
	}
	alice.sent(t, "CANCEL")
	if text := dave.event(t, "m1"); text != "" && !strings.Contains(text, "STATUS:CANCELLED") {
		t.Errorf("not cancelled:\n%s", text)
	}
}
