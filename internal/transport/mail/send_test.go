package mail

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

func TestSendHandsTheMailToTheRelay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		relay := startRelay(t, nil)
		x := newSite(t, s, "smtp://"+relay.addr, nil)
		first, second := x.due(t, "u1", "ben@two.test"), x.due(t, "u1", "cat@two.test")
		for i, o := range x.mail.Send(t.Context(), []*store.Entry{first, second}) {
			if o.State != journal.Sent || o.Status != "1.1" || o.Sentence == "" {
				t.Errorf("outcome %d: %+v", i, o)
			}
		}
		mails := relay.got()
		if len(mails) != 2 || relay.connections != 1 {
			t.Fatalf("%d mails over %d connections", len(mails), relay.connections)
		}
		m := mails[0]
		if m.to != "ben@two.test" || !strings.HasPrefix(m.from, "bounce+") || !strings.HasSuffix(m.from, "@one.test") {
			t.Errorf("envelope %s -> %s", m.from, m.to)
		}
		if m.options.Return != smtp.DSNReturnHeaders || m.options.EnvelopeID == "" || len(m.rcpt.Notify) != 2 {
			t.Errorf("DSN parameters %+v %+v", m.options, m.rcpt)
		}
		p, err := imip.Parse(m.raw, imip.Limits{})
		if err != nil || len(p.Found) != 1 || p.From != "mailto:ann@one.test" || !p.AutoSubmitted {
			t.Errorf("mail %+v (%v)", p, err)
		}
		row := x.row(t, first.Account, first.ID)
		if !bytes.Equal(row.Raw, m.raw) || row.MessageID != p.MessageID {
			t.Error("the row does not keep what was sent")
		}
		// A second attempt after a crash is the same message.
		again := x.row(t, first.Account, first.ID)
		if o := x.one(t, &again); o.State != journal.Sent {
			t.Fatalf("%+v", o)
		}
		if got := relay.got(); !bytes.Equal(got[2].raw, m.raw) || got[2].from != m.from {
			t.Error("the second attempt is another message")
		}
	})
}

func TestUpdateFollowsTheInvitation(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
	first := x.due(t, "u1", "ben@two.test")
	x.one(t, first)
	row := x.row(t, first.Account, first.ID)
	row.State = journal.Sent
	if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateEntry(row) }); err != nil {
		t.Fatal(err)
	}
	second := x.due(t, "u1", "ben@two.test")
	second.Calendar = bytes.Replace(second.Calendar, []byte("SEQUENCE:0"), []byte("SEQUENCE:1"), 1)
	second.Sequence = 1
	second.Changes = []byte(`[{"property":"LOCATION","old":"Green","new":"Blue"}]`)
	x.one(t, second)
	p, err := imip.Parse(relay.got()[1].raw, imip.Limits{})
	if err != nil || len(p.References) != 1 || p.References[0] != row.MessageID || !strings.HasPrefix(p.Subject, "Updated invitation") {
		t.Errorf("references %q, subject %q (%v)", p.References, p.Subject, err)
	}
}

func TestRelayRefusals(t *testing.T) {
	for _, c := range []struct {
		name          string
		set           func(*fakeRelay)
		state, status string
	}{
		{"mailbox full for now", func(f *fakeRelay) { f.rcpt = func(string) error { return errFull } }, journal.Retry, "1.0"},
		{"greylisted", func(f *fakeRelay) { f.rcpt = refuse(450, smtp.EnhancedCode{4, 7, 1}, "come back later") }, journal.Retry, "1.0"},
		{"no such user", func(f *fakeRelay) { f.rcpt = refuse(550, smtp.EnhancedCode{5, 1, 1}, "no such user") }, journal.Failed, "3.7"},
		{"no such user, without an enhanced code", func(f *fakeRelay) { f.rcpt = refuse(550, smtp.NoEnhancedCode, "no such user") }, journal.Failed, "3.7"},
		{"null MX", func(f *fakeRelay) { f.rcpt = refuse(556, smtp.EnhancedCode{5, 1, 10}, "takes no mail") }, journal.Failed, "3.7"},
		{"no such domain", func(f *fakeRelay) { f.rcpt = refuse(550, smtp.EnhancedCode{5, 1, 2}, "no such host") }, journal.Failed, "5.2"},
		{"no route", func(f *fakeRelay) { f.rcpt = refuse(550, smtp.EnhancedCode{5, 4, 4}, "no route") }, journal.Failed, "5.2"},
		{"mailbox disabled", func(f *fakeRelay) { f.rcpt = refuse(550, smtp.EnhancedCode{5, 2, 1}, "disabled") }, journal.Failed, "5.1"},
		{"sign in first", func(f *fakeRelay) { f.mail = refuse(530, smtp.EnhancedCode{5, 7, 0}, "authentication required") }, journal.Retry, "1.0"},
		{"policy", func(f *fakeRelay) { f.mail = refuse(550, smtp.EnhancedCode{5, 7, 1}, "not you") }, journal.Failed, "5.3"},
		{"spam", func(f *fakeRelay) {
			f.data = func(_ *smtp.Conn, r io.Reader) error {
				io.Copy(io.Discard, r)
				return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam"}
			}
		}, journal.Failed, "5.3"},
		{"closing in the middle of DATA", func(f *fakeRelay) {
			f.data = func(c *smtp.Conn, r io.Reader) error { c.Conn().Close(); return io.ErrUnexpectedEOF }
		}, journal.Retry, "1.0"},
		{"shutting down", func(f *fakeRelay) { f.mail = refuse(421, smtp.EnhancedCode{4, 3, 2}, "going down") }, journal.Retry, "1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay := startRelay(t, nil)
			c.set(relay)
			x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
			o := x.one(t, x.due(t, "u1", "ben@two.test"))
			if o.State != c.state || o.Status != c.status || o.Sentence == "" || strings.Contains(o.Sentence, "\n") {
				t.Errorf("got %+v, want %s %s", o, c.state, c.status)
			}
			if len(relay.got()) != 0 {
				t.Error("the mail was taken all the same")
			}
		})
	}
}

// One refusal does not stop the others, on the same connection.
func TestBatchGoesOnAfterARefusal(t *testing.T) {
	relay := startRelay(t, nil)
	relay.rcpt = func(to string) error {
		if to == "bad@two.test" {
			return refuse(550, smtp.EnhancedCode{5, 1, 1}, "no such user")(to)
		}
		return nil
	}
	x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
	var batch []*store.Entry
	for _, to := range []string{"a@two.test", "bad@two.test", "b@two.test"} {
		batch = append(batch, x.due(t, "u-"+to, to))
	}
	var states []string
	for _, o := range x.mail.Send(t.Context(), batch) {
		states = append(states, o.State)
	}
	if strings.Join(states, " ") != "sent failed sent" || relay.connections != 1 {
		t.Errorf("states %v over %d connections", states, relay.connections)
	}
}

func TestRelayDownAndSlow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := l.Addr().String()
	l.Close()
	x := newSite(t, sqlite(t), "smtp://"+down, nil)
	batch := []*store.Entry{x.due(t, "u1", "a@two.test"), x.due(t, "u2", "b@two.test"), x.due(t, "u3", "c@two.test"), x.due(t, "u4", "d@two.test")}
	for i, o := range x.mail.Send(t.Context(), batch) {
		if o.State != journal.Retry || o.Sentence == "" {
			t.Errorf("relay down, %d: %+v", i, o)
		}
	}

	// One that accepts connections and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	x = newSite(t, sqlite(t), "smtp://"+silent.Addr().String(), func(o *Options) { o.Timeout = 50 * time.Millisecond })
	if o := x.one(t, x.due(t, "u1", "a@two.test")); o.State != journal.Retry {
		t.Errorf("silent relay: %+v", o)
	}
	// The server stops: nothing waits for the relay.
	x = newSite(t, sqlite(t), "smtp://"+silent.Addr().String(), func(o *Options) { o.Timeout = time.Hour })
	e := x.due(t, "u1", "a@two.test")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if o := x.mail.Send(ctx, []*store.Entry{e})[0]; o.State != journal.Retry {
		t.Errorf("stopped: %+v", o)
	}
}

func TestFromIsAnAddressOfOurs(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
	if err := x.accounts.SetAddresses(t.Context(), x.ann.ID, []ical.Address{"mailto:ann@one.test", "mailto:ann@elsewhere.test"}); err != nil {
		t.Fatal(err)
	}
	e := x.due(t, "u1", "ben@two.test")
	e.From = "mailto:ann@elsewhere.test"
	e.Calendar = bytes.ReplaceAll(e.Calendar, []byte("ann@one.test"), []byte("ann@elsewhere.test"))
	x.one(t, e)
	p, err := imip.Parse(relay.got()[0].raw, imip.Limits{})
	if err != nil || p.From != "mailto:ann@one.test" || !strings.Contains(strings.Join(p.Header("Reply-To"), ""), "ann@elsewhere.test") {
		t.Errorf("From %s, Reply-To %q (%v)", p.From, p.Header("Reply-To"), err)
	}
}

func TestAcceptsMailAddresses(t *testing.T) {
	x := newSite(t, sqlite(t), "smtp://127.0.0.1:1", nil)
	for address, want := range map[ical.Address]bool{"mailto:ben@two.test": true, "mailto:mailbox@one.test": true, "urn:uuid:1": false, "invalid:nomail": false} {
		if got := x.mail.Accepts(t.Context(), address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	x = newSite(t, sqlite(t), "", nil)
	if x.mail.Accepts(t.Context(), "mailto:ben@two.test") {
		t.Error("accepted without a relay")
	}
}

func TestInternationalRecipient(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
	if o := x.one(t, x.due(t, "u1", "jörg@two.test")); o.State != journal.Failed || o.Status != "5.2" {
		t.Errorf("relay without SMTPUTF8: %+v", o)
	}
	if o := x.one(t, x.due(t, "u2", "ben@bücher.test")); o.State != journal.Sent || relay.got()[0].to != "ben@xn--bcher-kva.test" {
		t.Errorf("international domain: %+v", o)
	}
	able := startRelay(t, func(s *smtp.Server) { s.EnableSMTPUTF8 = true })
	x = newSite(t, sqlite(t), "smtp://"+able.addr, nil)
	if o := x.one(t, x.due(t, "u1", "jörg@two.test")); o.State != journal.Sent || !able.got()[0].options.UTF8 {
		t.Errorf("relay with SMTPUTF8: %+v", o)
	}
}

// The invitation links to a page of its recipient's own, found by its token alone.
func TestInvitationLinksToItsPage(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) { o.PublicURL = "https://cal.one.test/" })
	e := x.due(t, "u1", "dan@two.test")
	if o := x.one(t, e); o.State != journal.Sent {
		t.Fatalf("%+v", o)
	}
	p, err := imip.Parse(relay.got()[0].raw, imip.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, token, found := strings.Cut(p.Text, "https://cal.one.test/rsvp/")
	if !found {
		t.Fatalf("no page in %q", p.Text)
	}
	token, _, _ = strings.Cut(token, "\n")
	token = strings.TrimSpace(token)
	if got, _, err := x.mail.Invitation(t.Context(), token); err != nil || got.ID != e.ID {
		t.Errorf("the token finds %d, %v", got.ID, err)
	}
	path := returnPathOf(&[]store.Entry{x.row(t, e.Account, e.ID)}[0])
	for _, wrong := range []string{"", "1", "1-1-", token[:len(token)-1] + "x", token + "0", strings.TrimPrefix(strings.Split(path, "@")[0], bouncePrefix)} {
		if _, _, err := x.mail.Invitation(t.Context(), wrong); !problem.Has(err, problem.NotFound) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// A REFRESH carries no SUMMARY; its mail has the title of the sender's copy.
func TestRefreshMailHasATitle(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", nil)
	rows, err := x.mail.Intake(t.Context(), spoof("dan@two.test", "REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"), Envelope{From: "dan@two.test", To: []string{"ann@one.test"}})
	if err != nil || states(rows) != "REQUEST:applied" {
		t.Fatalf("%s, %v", states(rows), err)
	}
	ann := account.Actor{Account: x.ann.ID, Name: x.ann.Name}
	if _, err := x.calendar.Refresh(t.Context(), calendar.RefreshRequest{By: ann, Owner: x.ann.ID, UID: "theirs"}); err != nil {
		t.Fatal(err)
	}
	var due []store.Entry
	if err := x.store.View(t.Context(), func(tx *store.Tx) (err error) {
		due, err = tx.Entries(store.EntryFilter{Account: x.ann.ID, UID: "theirs", Direction: journal.Out})
		return err
	}); err != nil || len(due) != 1 {
		t.Fatalf("%d messages, %v", len(due), err)
	}
	if o := x.one(t, &due[0]); o.State != journal.Sent {
		t.Fatalf("%+v", o)
	}
	if p, err := imip.Parse(relay.got()[0].raw, imip.Limits{}); err != nil || p.Subject != "Update asked for: Planning" {
		t.Errorf("subject %q, %v", p.Subject, err)
	}
}

// Where the site wants it, nobody is mailed about what is long over; a series
// and what is to come are no past.
func TestQuietAboutThePast(t *testing.T) {
	for _, c := range []struct {
		name       string
		quiet      time.Duration
		start, end string
		more       string
		mails      int
	}{
		{"over, and the site is quiet", 24 * time.Hour, "20260529T080000Z", "20260529T090000Z", "LOCATION:Room 1", 0},
		{"over, and the site is not", 0, "20260529T080000Z", "20260529T090000Z", "LOCATION:Room 1", 1},
		{"over since an hour", 24 * time.Hour, "20260601T080000Z", "20260601T090000Z", "LOCATION:Room 1", 1},
		{"to come", 24 * time.Hour, "20260702T080000Z", "20260702T090000Z", "LOCATION:Room 1", 1},
		{"a series that began then", 24 * time.Hour, "20260529T080000Z", "20260529T090000Z", "RRULE:FREQ=WEEKLY", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay := startRelay(t, nil)
			x := newSiteWith(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *calendar.Options) { o.QuietAfter = c.quiet })
			x.journal.Use(x.mail)
			text := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:own", "DTSTAMP:20260520T090000Z", "DTSTART:" + c.start, "DTEND:" + c.end, "SUMMARY:Planning", annOrganizes, benAsked, c.more, "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
			by := account.Actor{Account: x.ann.ID, Name: x.ann.Name}
			if _, err := x.calendar.Put(t.Context(), calendar.PutRequest{By: by, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: "own.ics"}, Data: []byte(text)}); err != nil {
				t.Fatal(err)
			}
			if got := x.out(t, relay); len(got) != c.mails {
				t.Errorf("%d mails", len(got))
			}
			rows, err := x.journal.List(t.Context(), store.EntryFilter{Account: x.ann.ID, Direction: journal.Out})
			if err != nil || len(rows) != 1 || (rows[0].State == journal.Superseded) != (c.mails == 0) {
				t.Errorf("%+v %v", rows, err)
			}
		})
	}
}
