package mail

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// meeting is a site where ann has invited ben, and eve knows about it.
type meeting struct {
	*site
	relay *fakeRelay
	sent  sentMail // the invitation
	token string   // address that ben's answers go to
}

func (x *site) put(t *testing.T, uid string, lines ...string) {
	t.Helper()
	text := strings.Replace(string(object("X", uid, lines...)), "METHOD:X\r\n", "", 1)
	by := account.Actor{Account: x.ann.ID, Name: x.ann.Name}
	if _, err := x.calendar.Put(t.Context(), calendar.PutRequest{By: by, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: uid + ".ics"}, Data: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}

// out sends what is due and gives the mails of one round.
func (x *site) out(t *testing.T, relay *fakeRelay) []sentMail {
	t.Helper()
	before := len(relay.got())
	for range 5 {
		if _, err := x.journal.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return relay.got()[before:]
}

const (
	annOrganizes = "ORGANIZER;CN=Ann Example:mailto:ann@one.test"
	benAsked     = "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ben@two.test"
)

func invite(t *testing.T, change func(*Options)) *meeting {
	t.Helper()
	relay := startRelay(t, nil)
	m := &meeting{relay: relay}
	m.site = newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) {
		o.Trust = trust.Policy{Inbound: trust.Verify}
		change(o)
	})
	m.journal.Use(m.mail)
	m.put(t, "own", annOrganizes, benAsked)
	got := m.out(t, relay)
	if len(got) != 1 {
		t.Fatalf("%d mails went out", len(got))
	}
	m.sent = got[0]
	m.token = tokenIn(string(m.sent.raw))
	return m
}

func agents(o *Options)   { o.AgentDomains = []string{"*"} }
func replyTos(o *Options) { o.ReplyTo = true }

func tokenIn(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n ", ""), "\r\n", "\n")
	return regexp.MustCompile(`(cal\+|ann\+cal-)[0-9a-f]+-[a-z2-7]{34}@one\.test`).FindString(text)
}

// answer is a mail that nobody vouches for.
func answer(from, method, uid string, lines ...string) []byte {
	return []byte("From: " + from + "\r\nTo: somebody@one.test\r\nMessage-ID: <" + from + uid + method + "@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=" + method + "\r\n\r\n" + string(object(method, uid, lines...)))
}

func (x *site) take(t *testing.T, raw []byte, from string, to ...string) store.Entry {
	t.Helper()
	rows, err := x.mail.Intake(t.Context(), raw, Envelope{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

// An answer to the address made for ben is ben's, whatever mailbox it is from
// and whatever it calls him.
func TestAnAnswerToTheAddressMadeForAGuest(t *testing.T) {
	for _, mode := range []struct {
		name   string
		change func(*Options)
	}{{"as ORGANIZER", agents}, {"in Reply-To", replyTos}} {
		t.Run(mode.name, func(t *testing.T) {
			m := invite(t, mode.change)
			if m.token == "" {
				t.Fatalf("no address in\n%s", m.sent.raw)
			}
			msg, err := mail.ReadMessage(strings.NewReader(string(m.sent.raw)))
			if err != nil {
				t.Fatal(err)
			}
			p, err := imip.Parse(m.sent.raw, imip.Limits{})
			if err != nil || len(p.Found) != 1 {
				t.Fatal(err)
			}
			organizer := p.Found[0].Calendar.Main()[0].Prop("ORGANIZER")
			if mode.name == "as ORGANIZER" {
				if organizer.Address() != ical.Mailto(m.token) || organizer.Param("EMAIL") != "ann@one.test" || organizer.Param("CN") != "Ann Example" {
					t.Errorf("ORGANIZER is %s", organizer.Address())
				}
				if p.From != ical.Mailto(m.token) || !strings.Contains(msg.Header.Get("Reply-To"), "ann@one.test") {
					t.Errorf("From %s, Reply-To %s", p.From, msg.Header.Get("Reply-To"))
				}
			} else if organizer.Address() != "mailto:ann@one.test" || p.From != "mailto:ann@one.test" || !strings.Contains(msg.Header.Get("Reply-To"), m.token) {
				t.Errorf("ORGANIZER %s, From %s, Reply-To %s", organizer.Address(), p.From, msg.Header.Get("Reply-To"))
			}
			e := m.take(t, answer("ben@home.test", "REPLY", "own", "ORGANIZER:"+string(organizer.Address()), "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@home.test"), "ben@home.test", m.token)
			if states([]store.Entry{e}) != "REPLY:applied" || !strings.Contains(string(e.Evidence), `"token":true`) || !strings.Contains(e.Sentence, "ben@home.test") {
				t.Fatalf("%s %q %s", e.State, e.Sentence, e.Evidence)
			}
			if body := m.body(t, "own"); !strings.Contains(body, "PARTSTAT=ACCEPTED") || strings.Contains(body, "home.test") || strings.Contains(body, "cal-") || !strings.Contains(body, "ORGANIZER;CN=Ann Example:mailto:ann@one.test") {
				t.Errorf("ann has\n%s", body)
			}
			for _, r := range m.rows(t, m.ann.ID) {
				if strings.Contains(r.To+r.From+string(r.Evidence)+r.Sentence, strings.TrimSuffix(m.token, "@one.test")) {
					t.Errorf("the record tells the secret: %s %s %s", r.From, r.To, r.Evidence)
				}
			}
		})
	}
}

// The address stays the same as long as the guest is invited: another ORGANIZER
// would be another person to their program.
func TestTheAddressOfAGuestStays(t *testing.T) {
	m := invite(t, agents)
	m.put(t, "own", annOrganizes, benAsked, "LOCATION:Room 5")
	got := m.out(t, m.relay)
	if len(got) != 1 || tokenIn(string(got[0].raw)) != m.token {
		t.Fatalf("%d mails, the address is %s and was %s", len(got), tokenIn(string(got[0].raw)), m.token)
	}
	m.put(t, "own", annOrganizes, "ATTENDEE;RSVP=TRUE:mailto:cat@two.test")
	for _, mail := range m.out(t, m.relay) {
		token := tokenIn(string(mail.raw))
		if (mail.to == "ben@two.test") != (token == m.token) || token == "" {
			t.Errorf("%s has %s; ben's is %s", mail.to, token, m.token)
		}
	}
	// Who is taken off has an address that is worth nothing.
	e := m.take(t, answer("ben@home.test", "REPLY", "own", "ORGANIZER:mailto:"+m.token, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@home.test"), "ben@home.test", m.token)
	if e.State == stateApplied || strings.Contains(m.body(t, "own"), "PARTSTAT=ACCEPTED") {
		t.Errorf("%s %q", e.State, e.Sentence)
	}
}

// An invitation that went out without such an address gets none later.
func TestAnOldInvitationKeepsItsOrganizer(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", nil)
	x.journal.Use(x.mail)
	x.put(t, "own", annOrganizes, benAsked)
	x.out(t, relay)
	x.mail.o.AgentDomains = []string{"one.test"}
	x.put(t, "own", annOrganizes, benAsked, "LOCATION:Room 5")
	if got := x.out(t, relay); len(got) != 1 || tokenIn(string(got[0].raw)) != "" {
		t.Errorf("%d mails, %s", len(got), got[len(got)-1].raw)
	}
	x.put(t, "new", annOrganizes, benAsked)
	if got := x.out(t, relay); len(got) != 1 || tokenIn(string(got[0].raw)) == "" {
		t.Errorf("%d mails, %s", len(got), got[len(got)-1].raw)
	}
}

// What an address made for ben does not do.
func TestWhatAReplyAddressDoesNotProve(t *testing.T) {
	m := invite(t, agents)
	m.put(t, "other", annOrganizes, benAsked, "ATTENDEE;RSVP=TRUE:mailto:cat@two.test")
	m.out(t, m.relay)
	before := map[string]string{"own": m.body(t, "own"), "other": m.body(t, "other")}
	const home = "ATTENDEE;PARTSTAT=DECLINED:mailto:eve@evil.test"
	const ben = "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@two.test"
	local := strings.TrimSuffix(m.token, "@one.test")
	letter := "a"
	if strings.HasSuffix(local, "a") {
		letter = "b"
	}
	guessed := local[:len(local)-1] + letter + "@one.test"
	for _, c := range []struct {
		name string
		raw  []byte
		to   string
	}{
		{"another event of ann's", answer("eve@evil.test", "REPLY", "other", annOrganizes, home), m.token},
		{"another event, in ben's name", answer("eve@evil.test", "REPLY", "other", annOrganizes, ben), m.token},
		{"a change of the event", answer("eve@evil.test", "REQUEST", "own", annOrganizes, ben, "LOCATION:elsewhere", "SEQUENCE:9"), m.token},
		{"a cancellation", answer("eve@evil.test", "CANCEL", "own", annOrganizes, ben, "SEQUENCE:9"), m.token},
		{"a cancellation by the address as organizer", answer(m.token, "CANCEL", "own", "ORGANIZER:mailto:"+m.token, ben, "SEQUENCE:9"), "ann@one.test"},
		{"an invitation to something new", answer("eve@evil.test", "REQUEST", "new", "ORGANIZER:mailto:ann@one.test", "ATTENDEE:mailto:rob@one.test"), m.token},
		{"a guessed address in a field", answer("eve@evil.test\r\nCc: "+guessed, "REPLY", "own", annOrganizes, home), "ann@one.test"},
		{"a guessed address as organizer", answer("eve@evil.test", "REPLY", "own", "ORGANIZER:mailto:"+guessed, ben), "ann@one.test"},
		{"the address of another account", answer("eve@evil.test", "REPLY", "own", annOrganizes, home), "rob@one.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := m.take(t, c.raw, "eve@evil.test", c.to)
			if e.State == stateApplied || e.Sentence == "" {
				t.Errorf("%s %q", e.State, e.Sentence)
			}
			for uid, was := range before {
				if now := m.body(t, uid); now != was {
					t.Errorf("%s changed:\n%s", uid, now)
				}
			}
			if m.body(t, "new") != "" {
				t.Error("a new event is in the calendar")
			}
		})
	}
	t.Run("a guessed address is nobody's", func(t *testing.T) {
		c := dial(t, m.listen(t, true), true)
		if err := c.Mail("eve@evil.test", nil); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{guessed, "cal+@one.test", "cal+1-@one.test", "cal+zz-" + local[len(local)-34:] + "@one.test", "cal+-1-" + local[len(local)-34:] + "@one.test"} {
			if err := c.Rcpt(wrong, nil); err == nil || !strings.Contains(err.Error(), "550") && err.(*smtp.SMTPError).Code != 550 {
				t.Errorf("%s: %v", wrong, err)
			}
		}
		if err := c.Rcpt(m.token, nil); err != nil {
			t.Errorf("the right one: %v", err)
		}
	})
	t.Run("taken back", func(t *testing.T) {
		if err := m.mail.RevokeReplyAddress(t.Context(), m.ann.ID, "own", "mailto:ben@two.test"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.mail.Intake(t.Context(), answer("ben@home.test", "REPLY", "own", annOrganizes, home), Envelope{From: "ben@home.test", To: []string{m.token}}); err == nil {
			t.Error("an address that was taken back is still somebody's")
		}
		if err := m.mail.RevokeReplyAddress(t.Context(), m.ann.ID, "own", "mailto:nobody@two.test"); err == nil {
			t.Error("an address that never was is taken back")
		}
	})
}

func TestAReplyAddressEndsAfterTheEvent(t *testing.T) {
	m := invite(t, agents)
	later := now.AddDate(0, 3, 0)
	m.mail.o.Now = func() time.Time { return later }
	if _, err := m.mail.Intake(t.Context(), answer("ben@home.test", "REPLY", "own", annOrganizes, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@home.test"), Envelope{From: "ben@home.test", To: []string{m.token}}); err == nil {
		t.Error("the event was in July, and in September its address is still somebody's")
	}
}

// By whatever way the mail comes, it is known by the address in its fields.
func TestReplyAddressesInFields(t *testing.T) {
	for _, field := range []string{"To", "Cc", "Delivered-To", "X-Original-To"} {
		t.Run(field, func(t *testing.T) {
			m := invite(t, replyTos)
			raw := strings.Replace(string(answer("ben@home.test", "REPLY", "own", annOrganizes, "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ben@home.test")), "To: somebody@one.test", field+": Ann <"+m.token+">", 1)
			// A shared mailbox: the envelope is not known (pipe, IMAP), or is ann's alone.
			for _, to := range [][]string{nil, {"ann@one.test"}} {
				rows, err := m.mail.Intake(t.Context(), []byte(raw), Envelope{From: "ben@home.test", To: to})
				if err != nil {
					t.Fatal(err)
				}
				if rows[0].State != stateApplied && rows[0].State != "unchanged" {
					t.Errorf("to %v: %s %q", to, rows[0].State, rows[0].Sentence)
				}
			}
			if !strings.Contains(m.body(t, "own"), "PARTSTAT=TENTATIVE") {
				t.Errorf("ann has\n%s", m.body(t, "own"))
			}
		})
	}
}

// A mail that names thousands of addresses is not looked through to its end, one
// to many people is.
func TestManyAddressesInFields(t *testing.T) {
	m := invite(t, replyTos)
	find := func(to ...string) int {
		t.Helper()
		p, err := imip.Parse([]byte("From: ben@two.test\r\nTo: "+strings.Join(to, "\r\nTo: ")+"\r\n\r\nyes\r\n"), imip.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		known, err := m.mail.replyAddresses(t.Context(), m.ann.ID, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(known)
	}
	guessed := strings.Repeat("cal+1-"+strings.Repeat("a", selectorSize+secretSize)+"@one.test, ", 60)
	if n := find(guessed+"x@one.test", guessed+"x@one.test", m.token); n != 0 {
		t.Error("all guesses are looked up")
	}
	if n := find(strings.Repeat("somebody@one.test, ", 2*maxNamed) + m.token); n != 1 {
		t.Error("the address behind those of many people is not seen")
	}
}

// One organizer of many occurrences is looked up once.
func TestAnOrganizerOfManyOccurrences(t *testing.T) {
	m := invite(t, agents)
	cal := &ical.Calendar{Component: *ical.NewComponent("VCALENDAR")}
	for range 3 * maxNamed {
		e := ical.NewComponent("VEVENT")
		e.Set("ORGANIZER", "mailto:"+m.token)
		cal.Components = append(cal.Components, e)
	}
	known, rewritten, err := m.mail.fromAgent(t.Context(), m.ann.ID, cal, nil)
	if err != nil || !rewritten || len(known) != 1 {
		t.Fatalf("%+v %v %v", known, rewritten, err)
	}
	for _, c := range cal.Main() {
		if c.Value("ORGANIZER") != "mailto:ann@one.test" {
			t.Fatal(c.Value("ORGANIZER"))
		}
	}
}

// Somebody presses "reply" and writes: the organizer gets it (IN-09). A machine
// that answers gets nothing started.
func TestWordsToAReplyAddress(t *testing.T) {
	m := invite(t, agents)
	text := func(extra string) []byte {
		return []byte("From: Ben <ben@home.test>\r\nTo: " + m.token + "\r\nSubject: Re: Invitation\r\n" + extra + "Message-ID: <w" + fmt.Sprint(len(extra)) + "@home.test>\r\n\r\nI shall be late, sorry.\r\n")
	}
	e := m.take(t, text("Auto-Submitted: auto-replied\r\n"), "", m.token)
	if got := m.out(t, m.relay); e.Reason != "automatic-answer" || len(got) != 0 {
		t.Errorf("%s %q, %d mails", e.Reason, e.Sentence, len(got))
	}
	e = m.take(t, text(""), "ben@home.test", m.token)
	if e.State != stateIgnored || e.Reason != "words" || !strings.Contains(e.Sentence, "I shall be late") || !strings.Contains(e.Sentence, "Planning") {
		t.Errorf("%s %s %q", e.State, e.Reason, e.Sentence)
	}
	got := m.out(t, m.relay)
	if len(got) != 1 || got[0].to != "ann@one.test" || !strings.Contains(string(got[0].raw), "I shall be late") {
		t.Fatalf("%d mails", len(got))
	}
	msg, err := mail.ReadMessage(strings.NewReader(string(got[0].raw)))
	if err != nil || !strings.Contains(msg.Header.Get("Reply-To"), "ben@home.test") || msg.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v %v", msg.Header, err)
	}
	// It comes back here, where ann's mailbox is: that is the end of it.
	e = m.take(t, got[0].raw, got[0].from, "ann@one.test")
	if again := m.out(t, m.relay); e.Reason != "own-message" || len(again) != 0 {
		t.Errorf("%s %q, %d mails", e.Reason, e.Sentence, len(again))
	}
}

// A letter that cannot be sent now is sent again by mail, and by nothing else.
func TestALetterStaysMail(t *testing.T) {
	m := invite(t, agents)
	m.relay.setRcpt(func(string) error { return errFull })
	m.take(t, []byte("From: ben@home.test\r\nSubject: Hello\r\n\r\nWords.\r\n"), "ben@home.test", m.token)
	m.out(t, m.relay)
	rows, err := m.journal.List(t.Context(), store.EntryFilter{Account: m.ann.ID, Direction: journal.Out, States: []string{journal.Due}})
	if err != nil || len(rows) != 1 || rows[0].Transport != Name || len(rows[0].Attempts) != 1 {
		t.Fatalf("%+v %v", rows, err)
	}
}

// Some servers report to the From address, which only this guest was given.
func TestABounceToAReplyAddress(t *testing.T) {
	m := invite(t, agents)
	report := "From: mailer-daemon@two.test\r\nTo: " + m.token + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; two.test\r\n\r\nFinal-Recipient: rfc822; ben@two.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
	e := m.take(t, []byte(report), "", m.token)
	if e.State != stateApplied || e.Reason != "delivery-report" {
		t.Fatalf("%s %s %q", e.State, e.Reason, e.Sentence)
	}
	if body := m.body(t, "own"); !strings.Contains(body, "SCHEDULE-STATUS=3.7") {
		t.Errorf("ann has\n%s", body)
	}
}

// The page on which a guest answers ends with the event, or when it is taken back.
func TestAnswerPagesEnd(t *testing.T) {
	page := func(m *meeting) string {
		t.Helper()
		text := strings.ReplaceAll(string(m.sent.raw), "=\r\n", "")
		found := regexp.MustCompile(`https://cal\.one\.test/rsvp/([0-9a-f-]+)`).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no page in\n%s", m.sent.raw)
		}
		return found[1]
	}
	pages := func(o *Options) { o.PublicURL = "https://cal.one.test" }
	m := invite(t, pages)
	token := page(m)
	clock := now
	m.mail.o.Now = func() time.Time { return clock }
	if _, _, err := m.mail.Invitation(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	clock = now.AddDate(0, 1, 15) // two weeks behind the event
	if _, _, err := m.mail.Invitation(t.Context(), token); err != nil {
		t.Errorf("two weeks behind the event: %v", err)
	}
	clock = now.AddDate(0, 3, 0)
	if _, _, err := m.mail.Invitation(t.Context(), token); !problem.Has(err, problem.NotFound) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("two months behind it: %v", err)
	}
	m = invite(t, pages)
	token = page(m)
	if err := m.mail.RevokeReplyAddress(t.Context(), m.ann.ID, "own", "mailto:ben@two.test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.mail.Invitation(t.Context(), token); !problem.Has(err, problem.NotFound) {
		t.Errorf("taken back: %v", err)
	}
}

// The page of a series ends 30 days after its last occurrence; where there is
// none, 400 days after the mail, and each later mail brings another.
func TestAnswerPagesOfASeriesEnd(t *testing.T) {
	for _, c := range []struct {
		name, rule  string
		last, after time.Time
		says        string
	}{
		{"four weeks", "RRULE:FREQ=WEEKLY;COUNT=4", time.Date(2026, 8, 22, 8, 0, 0, 0, time.UTC), time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC), "the event was over"},
		{"until a day", "RRULE:FREQ=DAILY;UNTIL=20260710T235959Z", time.Date(2026, 8, 9, 8, 0, 0, 0, time.UTC), time.Date(2026, 8, 10, 0, 0, 0, 0, time.UTC), "the event was over"},
		{"for ever", "RRULE:FREQ=WEEKLY", now.Add(399 * 24 * time.Hour), now.Add(401 * 24 * time.Hour), "without an end last 400 days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := invite(t, func(o *Options) { o.PublicURL = "https://cal.one.test"; agents(o) })
			m.put(t, "series", annOrganizes, benAsked, c.rule)
			sent := m.out(t, m.relay)
			if len(sent) != 1 {
				t.Fatalf("%d mails", len(sent))
			}
			page := func(raw []byte) string {
				found := regexp.MustCompile(`https://cal\.one\.test/rsvp/([0-9a-f-]+)`).FindStringSubmatch(strings.ReplaceAll(string(raw), "=\r\n", ""))
				if found == nil {
					t.Fatalf("no page in\n%s", raw)
				}
				return found[1]
			}
			first := page(sent[0].raw)
			clock := now
			m.mail.o.Now = func() time.Time { return clock }
			_, until, err := m.mail.Invitation(t.Context(), first)
			if err != nil || until.Before(c.last) || until.After(c.after) {
				t.Errorf("until %v, %v", until, err)
			}
			clock = c.last
			if _, _, err := m.mail.Invitation(t.Context(), first); err != nil {
				t.Errorf("near its end: %v", err)
			}
			clock = c.after
			if _, _, err := m.mail.Invitation(t.Context(), first); !problem.Has(err, problem.NotFound) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("behind its end: %v", err)
			}
			// A later message about one occurrence leaves the address of the series as it is.
			clock = now
			address := func() (r store.ReplyAddress) {
				if err := m.store.View(t.Context(), func(tx *store.Tx) (err error) {
					r, err = tx.ReplyAddressFor(m.ann.ID, "series", ical.Address("mailto:ben@two.test").Key())
					return err
				}); err != nil {
					t.Fatal(err)
				}
				return r
			}
			before := address()
			one := strings.Replace(string(object("X", "series", annOrganizes, benAsked, c.rule)), "METHOD:X\r\n", "", 1)
			override := strings.Replace(string(object("X", "series", annOrganizes, benAsked, "RECURRENCE-ID:20260702T080000Z", "LOCATION:elsewhere")), "METHOD:X\r\n", "", 1)
			_, event, _ := strings.Cut(override, "BEGIN:VEVENT")
			both := strings.Replace(one, "END:VCALENDAR\r\n", "BEGIN:VEVENT"+event, 1)
			if _, err := m.calendar.Put(t.Context(), calendar.PutRequest{By: account.Actor{Account: m.ann.ID, Name: m.ann.Name}, Ref: calendar.Ref{Owner: m.ann.ID, Collection: "default", Name: "series.ics"}, Data: []byte(both)}); err != nil {
				t.Fatal(err)
			}
			later := m.out(t, m.relay)
			if len(later) != 1 || page(later[0].raw) == first {
				t.Fatalf("%d mails", len(later))
			}
			if after := address(); !after.Expires.Equal(before.Expires) {
				t.Errorf("the address of the series ends %v, before %v", after.Expires, before.Expires)
			}
		})
	}
}
