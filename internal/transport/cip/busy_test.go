package cip

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

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

// A group with members on three services is busy when any of them is, whoever
// asks; a group that leads back is opened once, and what is not known is told.
func TestBusyGroup(t *testing.T) {
	for _, form := range []cip.Form{cip.Bare, cip.ICal20} {
		t.Run(string(form), func(t *testing.T) { busyGroup(t, form) })
	}
}

func busyGroup(t *testing.T, form cip.Form) {
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"ben", "bea"}, nil)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, form)
	join(b, c, form)
	group := func(s *side, name string, members ...ical.Address) store.AccountID {
		t.Helper()
		g, err := s.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(name), Kind: store.Group})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Accounts.AddMembers(t.Context(), g.ID, members); err != nil {
			t.Fatal(err)
		}
		return g.ID
	}
	inner := group(b, "inner@b.test", "mailto:bea@b.test", "mailto:ben@b.test")
	team := group(b, "team@b.test", "mailto:ben@b.test", "mailto:inner@b.test", "mailto:crew@c.test")
	if err := b.Accounts.AddMembers(t.Context(), inner, []ical.Address{"mailto:team@b.test"}); err == nil {
		t.Errorf("group %d is within itself", team)
	}
	group(b, "odd@b.test", "mailto:ben@b.test", "mailto:eve@e.test")
	group(c, "crew@c.test", "mailto:carol@c.test", "mailto:team@b.test")
	busy := func(s *side, who, hours string) {
		from, to, _ := strings.Cut(hours, "-")
		s.put(who, "1.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20290601T"+from+"00Z\nDTEND:20290601T"+to+"00Z\nEND:VEVENT\nEND:VCALENDAR\n")
	}
	busy(b, "ben", "1000-1100")
	busy(b, "bea", "1030-1200")
	busy(c, "carol", "1500-1600")
	day := time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC)
	hours := func(list []freebusy.Period) (text string) {
		for _, p := range list {
			text += p.From.Format("15:04-") + p.To.Format("15:04 ")
		}
		return text
	}

	// A user of the group's own service.
	got, err := b.Calendar.FreeBusy(t.Context(), b.actor("ben"), []ical.Address{"mailto:team@b.test", "mailto:odd@b.test", "mailto:bea@b.test"}, day, day.AddDate(0, 0, 1), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"10:00-12:00 15:00-16:00 ", "10:00-11:00 ", "10:30-12:00 "} {
		if got[i].Status != statusAnswered || hours(got[i].Periods) != want || got[i].For != "" {
			t.Errorf("%s: %q, want %q: %+v", got[i].Address, hours(got[i].Periods), want, got[i])
		}
	}
	if got[0].Unknown != 0 || got[1].Unknown != 1 {
		t.Errorf("unknown: %d of the team, %d of the odd", got[0].Unknown, got[1].Unknown)
	}

	// A user of another service, whose server asks the group's, which asks the
	// server of the group in the group.
	got, err = a.Calendar.FreeBusy(t.Context(), a.actor("ann"), []ical.Address{"mailto:team@b.test"}, day, day.AddDate(0, 0, 1), "")
	if err != nil || hours(got[0].Periods) != "10:00-12:00 15:00-16:00 " {
		t.Errorf("from elsewhere: %+v, %v", got, err)
	}

	l, err := a.cip.connect(t.Context(), "b.test")
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	for _, tt := range []struct{ trace, who, want string }{
		{"", "team@b.test", "OK 000"},
		{"", "odd@b.test", "OK 003 Not all members"},
		{"a.test", "team@b.test", "OK 000"},
		{"a.test,b.test", "team@b.test", "NO 000"}, // it is being opened
		{"a.test,b.test", "ben@b.test", "OK 000"},
		{"1.test,2.test,3.test,4.test,5.test,a.test", "team@b.test", "NO 000"},
		{"1.test,2.test,3.test,4.test,a.test", "team@b.test", "OK 003 Not all members"}, // too far to ask on
	} {
		q := cip.Query{Form: form, From: day, To: day.AddDate(0, 0, 1), Attendees: []cip.Person{person(ical.Mailto(tt.who))}}
		if tt.trace != "" {
			q.Trace = strings.Split(tt.trace, ",")
		}
		r, err := l.FreeBusy(q.Encode(time.Now()))
		word := "NO"
		if r.OK {
			word = "OK"
		}
		if got := fmt.Sprintf("%s %03d %s", word, r.Code, r.Text); err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s through %q: %q, %v; want %q", tt.who, tt.trace, got, err, tt.want)
		}
	}

	// Who may not be asked about: neither by name, nor in a group.
	r, err := anonymous(t, b).FreeBusy([]byte("DTSTART:20290601T000000Z\r\nDTEND:20290602T000000Z\r\nATTENDEE:team@b.test\r\n"))
	if err != nil || r.OK || len(r.Data) > 0 {
		t.Errorf("nobody asks: %+v, %v", r, err)
	}
}

func anonymous(t *testing.T, s *side) *cip.Client {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c, err := cip.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
