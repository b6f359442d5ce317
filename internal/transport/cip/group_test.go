package cip

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

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

// A group with members on three services, one of which has a group that leads
// back: each member has the event once, from its owner, and what follows from
// it; who has no CIP, or does not take the word of the group's server, has mail.
func TestGroupOverServices(t *testing.T) {
	mail := &elsewhere{}
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"ben"}, nil, mail)
	c := start(t, "c.test", []string{"carol"}, nil)
	d := start(t, "d.test", []string{"dan"}, nil)
	join(a, b, cip.VCal10)
	join(b, c, cip.Bare)
	join(b, d, cip.VCal10)
	join(a, c, cip.VCal10)
	c.cip.peers["b.test"].Forwards = true
	b.cip.peers["c.test"].Forwards = true
	for _, s := range []*side{a, b, c, d} {
		s.courier()
	}
	group := func(s *side, name string, members ...ical.Address) {
		t.Helper()
		g, err := s.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto(name), Kind: store.Group})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Accounts.AddMembers(t.Context(), g.ID, members); err != nil {
			t.Fatal(err)
		}
	}
	group(b, "team@b.test", "mailto:ben@b.test", "mailto:carol@c.test", "mailto:crew@c.test", "mailto:dan@d.test", "mailto:eve@e.test")
	group(b, "loop@b.test", "mailto:crew@c.test", "mailto:ben@b.test")
	group(c, "crew@c.test", "mailto:loop@b.test", "mailto:carol@c.test")

	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "team@b.test")
	a.put("ann", "1.ics", text)
	b.has("ben", "1@a.test", "ATTENDEE", "MEMBER=", "ben@b.test")
	c.has("carol", "1@a.test", "ATTENDEE", "carol@c.test")
	c.has("carol", "1@a.test", "ORGANIZER", "ann@a.test")
	if text := c.object("carol", "1@a.test"); strings.Contains(text, "ben@b.test") || strings.Contains(text, "dan@d.test") {
		t.Errorf("carol is told of members of other services:\n%s", text)
	}
	done := func() {
		t.Helper()
		eventually(t, "nothing is under way", func() (bool, string) {
			for _, s := range []*side{a, b, c, d} {
				if due := s.rows(store.EntryFilter{States: []string{journal.Due}}); len(due) > 0 {
					return false, fmt.Sprint(s.journal("1@a.test"))
				}
			}
			return true, ""
		})
	}
	done()
	if got := mail.letters(); !slices.Equal(got, []string{"REQUEST 1@a.test", "REQUEST 1@a.test"}) { // dan's server takes nobody's word for ann; eve has no CIP
		t.Errorf("by mail: %q", got)
	}
	// What b.test forwarded to crew@c.test came back, and was refused there.
	back := c.rows(store.EntryFilter{Direction: journal.Out, To: "mailto:loop@b.test"})
	if len(back) != 1 || back[0].Status != "3.7" {
		t.Errorf("the way back: %+v", back)
	}
	if n := len(c.rows(store.EntryFilter{Account: c.people["carol"].ID, Direction: journal.In})); n > 2 {
		t.Errorf("carol had %d messages", n)
	}

	// The same version again changes nothing; a new one, and the end, follow.
	sent := len(b.rows(store.EntryFilter{Direction: journal.Out}))
	a.put("ann", "1.ics", strings.Replace(text, "first", "second", 1))
	c.has("carol", "1@a.test", "SUMMARY:second")
	done()
	if n := len(b.rows(store.EntryFilter{Direction: journal.Out})); n != 2*sent {
		t.Errorf("%d messages went out with the second version, %d with the first", n-sent, sent)
	}
	c.respond("carol", "1@a.test", "ACCEPTED") // goes to the owner's server, who did not invite her by name
	eventually(t, "ann's calendar has the answer", func() (bool, string) {
		rows := a.rows(store.EntryFilter{Direction: journal.In, UID: "1@a.test"})
		return len(rows) > 0 && ical.Address(rows[0].From).Email() == "carol@c.test" && rows[0].State == calendar.StateHeld, fmt.Sprint(a.journal("1@a.test"), c.journal("1@a.test"))
	})
	if err := a.Calendar.Delete(t.Context(), calendar.DeleteRequest{By: a.actor("ann"), Ref: calendar.Ref{Owner: a.people["ann"].ID, Collection: "default", Name: "1.ics"}}); err != nil {
		t.Fatal(err)
	}
	c.has("carol", "1@a.test", "STATUS:CANCELLED")
	done()
}

// Only a server whose word is taken may forward, and only as the last of those
// that the event came through.
func TestForwardedByWhom(t *testing.T) {
	b := start(t, "b.test", []string{"ben"}, func(o *Options) {
		o.Peers = []Peer{{ServerID: "a.test", Password: "x", Forwards: true}, {ServerID: "c.test", Password: "x"}}
	})
	n := 0
	for _, tt := range []struct {
		as, trace, want string
	}{
		{"a.test", "a.test", cip.Tentative},
		{"a.test", "d.test,a.test", cip.Tentative},
		{"a.test", "a.test,d.test", cip.PermDenied},
		{"a.test", "", cip.PermDenied},
		{"c.test", "c.test", cip.PermDenied},
		{"c.test", "a.test", cip.PermDenied},
		{"a.test", "b.test,a.test", cip.NotFound},
		{"a.test", "1.test,2.test,3.test,4.test,5.test,a.test", cip.NotFound},
	} {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		l, err := cip.NewClient(conn)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Login(tt.as, "x"); err != nil {
			t.Fatal(err)
		}
		n++
		body := fmt.Sprintf("UID:%d@o.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:own@o.test\r\nATTENDEE:ben@b.test\r\n", n)
		if tt.trace != "" {
			body += "X-CIP-TRACE: " + tt.trace + "\r\n"
		}
		r, err := l.SendEvent([]byte(body))
		if err != nil || len(r.Infos) != 2 || r.Infos[1].Code != tt.want {
			t.Errorf("%s with %q: %+v, %v; want %s", tt.as, tt.trace, r, err, tt.want)
		}
		conn.Close()
	}
}

// What a group's service holds reaches the members, here and elsewhere, when it
// is approved, and once; an older version that is approved late does not.
func TestHeldForAGroup(t *testing.T) {
	mail := &elsewhere{}
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.Trust.Inbound = trust.Quarantine }, mail)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, cip.VCal10)
	join(b, c, cip.VCal10)
	c.cip.peers["b.test"].Forwards = true
	for _, s := range []*side{a, b, c} {
		s.courier()
	}
	team, err := b.Accounts.Add(t.Context(), account.NewAccount{Address: "mailto:team@b.test", Kind: store.Group})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.AddMembers(t.Context(), team.ID, []ical.Address{"mailto:ben@b.test", "mailto:carol@c.test", "mailto:eve@e.test"}); err != nil {
		t.Fatal(err)
	}
	text := meetingText("1@a.test", "ann@a.test", "SUMMARY:first\n", "team@b.test")
	held := func(n int) []store.Entry {
		t.Helper()
		var rows []store.Entry
		eventually(t, fmt.Sprintf("%d messages are held", n), func() (bool, string) {
			rows = b.rows(store.EntryFilter{Account: team.ID, States: []string{calendar.StateHeld}})
			return len(rows) == n, fmt.Sprint(b.journal("1@a.test"))
		})
		return rows // newest first
	}
	a.put("ann", "1.ics", text)
	held(1)
	if b.object("ben", "1@a.test") != "" || c.object("carol", "1@a.test") != "" {
		t.Error("what is held has reached a member")
	}
	a.put("ann", "1.ics", strings.Replace(text, "first", "second", 1))
	rows := held(2)
	approve := func(id int64) {
		t.Helper()
		if _, err := b.Calendar.Approve(t.Context(), b.Accounts.ActorOf(team), team.ID, id); err != nil {
			t.Fatal(err)
		}
	}
	approve(rows[0].ID)
	b.has("ben", "1@a.test", "ATTENDEE", "MEMBER=", "ben@b.test")
	b.has("ben", "1@a.test", "SUMMARY:second")
	c.has("carol", "1@a.test", "SUMMARY:second")
	letters := func() []string {
		t.Helper()
		eventually(t, "nothing is under way", func() (bool, string) {
			due := b.rows(store.EntryFilter{Direction: journal.Out, States: []string{journal.Due, journal.Retry}})
			return len(due) == 0, fmt.Sprint(b.journal("1@a.test"))
		})
		return mail.letters()
	}
	if got := letters(); !slices.Equal(got, []string{"REQUEST 1@a.test"}) {
		t.Errorf("by mail: %q", got)
	}
	approve(rows[1].ID)
	if got := letters(); len(got) != 1 {
		t.Errorf("the older version went out: %q", got)
	}
	b.has("ben", "1@a.test", "SUMMARY:second")
	c.has("carol", "1@a.test", "SUMMARY:second")
	if n := len(c.rows(store.EntryFilter{Account: c.people["carol"].ID, Direction: journal.In})); n != 1 {
		t.Errorf("carol had %d messages", n)
	}
}
