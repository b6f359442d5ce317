package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// listen serves until the test ends, and gives the address.
func (x *site) listen(t *testing.T, lmtp bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		if lmtp {
			done <- x.mail.ServeLMTP(ctx, l)
		} else {
			done <- x.mail.ServeSMTP(ctx, l)
		}
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// dial connects as a mail server does.
func dial(t *testing.T, address string, lmtp bool) *smtp.Client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	if lmtp {
		c = smtp.NewClientLMTP(conn)
	}
	if err := c.Hello("mx.two.test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// deliver hands a mail in and gives the error for each recipient, nil for 250.
func deliver(t *testing.T, c *smtp.Client, lmtp bool, from string, raw []byte, to ...string) map[string]error {
	t.Helper()
	answers := map[string]error{}
	if err := c.Mail(from, nil); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, r := range to {
		if answers[r] = c.Rcpt(r, nil); answers[r] == nil {
			accepted++
		}
	}
	if accepted == 0 {
		c.Reset()
		return answers
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	err = w.Close()
	var each smtp.LMTPDataError
	for r, before := range answers {
		switch {
		case before != nil:
		case errors.As(err, &each):
			if e, ok := each[r]; ok {
				answers[r] = e
			}
		default:
			answers[r] = err
		}
	}
	return answers
}

func code(err error) string {
	var reply *smtp.SMTPError
	if errors.As(err, &reply) {
		return fmt.Sprintf("%d %d.%d.%d", reply.Code, reply.EnhancedCode[0], reply.EnhancedCode[1], reply.EnhancedCode[2])
	}
	return fmt.Sprint(err)
}

// invitation is a mail that invites ann and rob.
func invitation(method, uid string, lines ...string) []byte {
	return []byte("From: Ben <ben@two.test>\r\nTo: ann@one.test\r\nSubject: Planning\r\nMessage-ID: <" + uid + "-" + method + "@two.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; charset=UTF-8; method=" + method + "\r\n\r\n" +
		string(object(method, uid, append([]string{"ORGANIZER:mailto:ben@two.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@one.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:rob@one.test"}, lines...)...)))
}

// rows of an account that came in, oldest first.
func (x *site) rows(t *testing.T, account store.AccountID) []store.Entry {
	t.Helper()
	var rows []store.Entry
	err := x.store.View(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(store.EntryFilter{Account: account, Direction: journal.In})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows
}

// states sums rows up: "REQUEST:applied".
func states(rows []store.Entry) string {
	var s []string
	for _, r := range rows {
		one := r.Method + ":" + r.State
		if r.State != "applied" && r.State != "received" {
			one += "!" + r.Reason
		}
		s = append(s, one)
	}
	return strings.Join(s, " ")
}

func (x *site) objects(t *testing.T, account store.AccountID, uid string) int {
	t.Helper()
	n := 0
	if err := x.store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.ObjectsByUID(account, uid)
		n = len(list)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLMTPInvitationToApplied(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newSite(t, s, "", nil)
		address := x.listen(t, true)
		answers := deliver(t, dial(t, address, true), true, "ben@two.test", invitation("REQUEST", "u1"), "ann@one.test", "nobody@one.test", "rob+meetings@one.test", "eve@three.test")
		for to, want := range map[string]string{"ann@one.test": "<nil>", "rob+meetings@one.test": "<nil>", "nobody@one.test": "550 5.1.1", "eve@three.test": "550 5.7.1"} {
			if got := code(answers[to]); got != want {
				t.Errorf("%s: %s, want %s", to, got, want)
			}
		}
		for _, a := range []store.Account{x.ann, x.rob} {
			rows := x.rows(t, a.ID)
			if states(rows) != "REQUEST:applied" || rows[0].Sentence == "" || x.objects(t, a.ID, "u1") != 1 {
				t.Errorf("%s: %s, %q, %d objects", a.Name, states(rows), rows[0].Sentence, x.objects(t, a.ID, "u1"))
			}
		}
		// The same mail again, and then the cancellation.
		deliver(t, dial(t, address, true), true, "ben@two.test", invitation("REQUEST", "u1"), "ann@one.test")
		if got := states(x.rows(t, x.ann.ID)); got != "REQUEST:applied" {
			t.Errorf("delivered twice: %s", got)
		}
		deliver(t, dial(t, address, true), true, "ben@two.test", invitation("CANCEL", "u1", "SEQUENCE:1", "STATUS:CANCELLED"), "ann@one.test")
		if got := states(x.rows(t, x.ann.ID)); got != "REQUEST:applied CANCEL:applied" {
			t.Errorf("cancelled: %s", got)
		}
	})
}

func TestSMTPTakesOnlyOurs(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	c := dial(t, x.listen(t, false), false)
	if got := code(deliver(t, c, false, "ben@two.test", nil, "eve@three.test")["eve@three.test"]); got != "550 5.7.1" {
		t.Errorf("relaying: %s", got)
	}
	if got := code(deliver(t, c, false, "ben@two.test", nil, "nobody@one.test")["nobody@one.test"]); got != "550 5.1.1" {
		t.Errorf("unknown user: %s", got)
	}
	if got := code(deliver(t, c, false, "ben@two.test", invitation("REQUEST", "u1"), "ann@one.test")["ann@one.test"]); got != "<nil>" {
		t.Errorf("ours: %s", got)
	}
	if got := states(x.rows(t, x.ann.ID)); got != "REQUEST:applied" {
		t.Error(got)
	}
	if raw := string(x.row(t, x.ann.ID, x.rows(t, x.ann.ID)[0].ID).Raw); !strings.HasPrefix(raw, "Received: from mx.two.test (127.0.0.1") {
		t.Errorf("no trace field: %.100q", raw)
	}
}

func TestSMTPLimits(t *testing.T) {
	x := newSite(t, sqlite(t), "", func(o *Options) { o.MaxMessageSize, o.MaxRecipients, o.MaxConnections = 10_000, 1, 2 })
	address := x.listen(t, false)
	c := dial(t, address, false)
	if err := c.Mail("ben@two.test", &smtp.MailOptions{Size: 20_000}); code(err) != "552 5.3.4" {
		t.Errorf("announced size: %v", err)
	}
	c.Reset()
	if got := code(deliver(t, c, false, "ben@two.test", append(invitation("REQUEST", "u1"), make([]byte, 20_000)...), "ann@one.test")["ann@one.test"]); got != "552 5.3.4" {
		t.Errorf("size: %s", got)
	}
	loop := append([]byte(strings.Repeat("Received: from a by b; x\r\n", 60)), invitation("REQUEST", "u1")...)
	if got := code(deliver(t, c, false, "ben@two.test", loop, "ann@one.test")["ann@one.test"]); got != "554 5.4.6" {
		t.Errorf("loop: %s", got)
	}
	if got := deliver(t, c, false, "ben@two.test", invitation("REQUEST", "u1"), "ann@one.test", "rob@one.test"); got["rob@one.test"] == nil {
		t.Error("more recipients than allowed")
	}
	dial(t, address, false)
	third, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	greeting, _ := io.ReadAll(third)
	if !strings.HasPrefix(string(greeting), "421 4.3.2") {
		t.Errorf("the third connection is greeted %q", greeting)
	}
}

// 250 means on disk: when the store cannot take the mail, the answer is 451.
func TestStoreFailureIsTemporary(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Durability: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	x := newSite(t, s, "", nil)
	c := dial(t, x.listen(t, true), true)
	if err := c.Mail("ben@two.test", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("ann@one.test", nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	w.Write(invitation("REQUEST", "u1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err = w.Close()
	var each smtp.LMTPDataError
	if !errors.As(err, &each) || code(each["ann@one.test"]) != "451 4.3.0" {
		t.Errorf("answer %v, want 451 4.3.0", err)
	}
}

// A connection that breaks inside DATA leaves nothing behind.
func TestCutOffMailLeavesNothing(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	conn, err := net.Dial("tcp", x.listen(t, true))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "LHLO x\r\nMAIL FROM:<ben@two.test>\r\nRCPT TO:<ann@one.test>\r\nDATA\r\nFrom: ben@two.test\r\n\r\nhalf")
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
	if rows := x.rows(t, x.ann.ID); len(rows) != 0 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestHeldAndIgnoredMail(t *testing.T) {
	spoofed := strings.Replace(string(invitation("REQUEST", "u9")), "From: Ben <ben@two.test>", "From: Eve <eve@evil.test>", 1)
	for _, c := range []struct {
		name, raw, want, sentence string
		policy                    trust.Policy
	}{
		{"someone else in the organizer's name", spoofed, "REQUEST:held!wrong-sender", "eve@evil.test", trust.Policy{Inbound: trust.Accept}},
		{"no evidence", string(invitation("REQUEST", "u9")), "REQUEST:held!unverified", "authserv-ids", trust.Policy{Inbound: trust.Verify}},
		{"forged results", "Authentication-Results: mx.evil.test; dmarc=pass header.from=two.test\r\n" + string(invitation("REQUEST", "u9")), "REQUEST:held!unverified", "mx.one.test", trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.one.test"}}},
		{"good results", "Authentication-Results: mx.one.test; dmarc=pass header.from=two.test\r\n" + string(invitation("REQUEST", "u9")), "REQUEST:applied", "", trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.one.test"}}},
		{"methods differ", strings.Replace(string(invitation("REQUEST", "u9")), "method=REQUEST", "method=CANCEL", 1), "REQUEST:held!inconsistent-method", "neither is believed", trust.Policy{Inbound: trust.Accept}},
		{"no METHOD", strings.Replace(strings.Replace(string(invitation("REQUEST", "u9")), "; method=REQUEST", "", 1), "METHOD:REQUEST\r\n", "", 1), "PUBLISH:held!no-method", "asks for nothing", trust.Policy{Inbound: trust.Accept}},
		{"a person writes back", "From: Ben <ben@two.test>\r\nMessage-ID: <x@two.test>\r\n\r\nSorry, I cannot come.\r\n", ":ignored!no-calendar", "Sorry, I cannot come.", trust.Policy{Inbound: trust.Accept}},
		{"an encrypted mail", "From: Ben <ben@two.test>\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA", ":ignored!encrypted", "encrypted", trust.Policy{Inbound: trust.Accept}},
		{"a forged delivery report", report("bounce+1-1-00000000000000000000000000000000@one.test", "ann@one.test", "failed", "5.1.1"), ":ignored!unmatched-report", "cannot be matched", trust.Policy{Inbound: trust.Accept}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newSite(t, sqlite(t), "", func(o *Options) { o.Trust = c.policy })
			rows, err := x.mail.Intake(t.Context(), []byte(c.raw), Envelope{From: "ben@three.test", To: []string{"ann@one.test"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := states(rows); got != c.want || !strings.Contains(rows[0].Sentence, c.sentence) || rows[0].Sentence == "" {
				t.Errorf("got %s %q, want %s with %q", got, rows[0].Sentence, c.want, c.sentence)
			}
			if held := x.objects(t, x.ann.ID, "u9"); (held == 1) != (c.want == "REQUEST:applied") {
				t.Errorf("%d objects in the calendar", held)
			}
			if !strings.Contains(string(rows[0].Evidence), `"envelope-from":"mailto:ben@three.test"`) {
				t.Errorf("evidence %s", rows[0].Evidence)
			}
		})
	}
}

func TestSeveralObjectsAreSeveralRows(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	two := strings.Replace(string(invitation("REQUEST", "u1")), "END:VEVENT\r\n", "END:VEVENT\r\n"+strings.TrimSuffix(strings.SplitAfter(string(object("REQUEST", "u2", "ORGANIZER:mailto:ben@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), "METHOD:REQUEST\r\n")[1], "END:VCALENDAR\r\n"), 1)
	rows, err := x.mail.Intake(t.Context(), []byte(two), Envelope{From: "ben@two.test", To: []string{"ann@one.test"}})
	if err != nil || states(rows) != "REQUEST:applied REQUEST:applied" {
		t.Fatalf("%s, %v", states(rows), err)
	}
	if x.objects(t, x.ann.ID, "u1") != 1 || x.objects(t, x.ann.ID, "u2") != 1 {
		t.Error("not both events are in the calendar")
	}
}

// What a crash leaves between "on disk" and "processed" is processed later,
// once.
func TestResume(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	raw := invitation("REQUEST", "u1")
	e := store.Entry{Account: x.ann.ID, Direction: journal.In, Transport: Name, State: stateReceived, From: "mailto:ben@two.test", To: "mailto:ann@one.test", Raw: raw, Digest: "mail-x", Created: now, Evidence: envelopeEvidence(Envelope{From: "ben@two.test"}, target{})}
	if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return tx.AddEntry(&e) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := x.mail.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := states(x.rows(t, x.ann.ID)); got != "REQUEST:applied" || x.objects(t, x.ann.ID, "u1") != 1 {
			t.Errorf("%s, %d objects", got, x.objects(t, x.ann.ID, "u1"))
		}
	}
}

func TestPipeFindsItsRecipients(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	rows, err := x.mail.Intake(t.Context(), invitation("REQUEST", "u1"), Envelope{From: "ben@two.test"})
	if err != nil || len(rows) != 1 || rows[0].Account != x.ann.ID {
		t.Errorf("%s, %v", states(rows), err)
	}
	// The same with a pipe's line ends, and another trace.
	again := append([]byte("Received: by x; y\nDelivered-To: ann@one.test\n"), bytes.ReplaceAll(invitation("REQUEST", "u1"), []byte("\r\n"), []byte("\n"))...)
	if twice, err := x.mail.Intake(t.Context(), again, Envelope{From: "ben@two.test"}); err != nil || len(twice) != 1 || twice[0].ID != rows[0].ID {
		t.Errorf("again: %s, %v", states(twice), err)
	}
	if _, err := x.mail.Intake(t.Context(), invitation("REQUEST", "u1"), Envelope{To: []string{"nobody@one.test"}}); err == nil {
		t.Error("an unknown recipient is no error")
	}
}

// report is a delivery status notification on a mail of ours.
func report(envid, recipient, action, status string) string {
	return "From: MAILER-DAEMON@two.test\r\nMessage-ID: <dsn@two.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.two.test\r\nOriginal-Envelope-Id: " + envid +
		"\r\n\r\nFinal-Recipient: rfc822; " + recipient + "\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; 550 no such user here\r\n--b--\r\n"
}

func TestDeliveryReport(t *testing.T) {
	for _, c := range []struct {
		action, status, want, state string
	}{
		{"failed", "5.1.1", "3.7", journal.Failed},
		{"failed", "5.4.7", "5.1", journal.Failed},
		{"failed", "5.7.1", "5.3", journal.Failed},
		{"delivered", "2.0.0", "1.2", journal.Delivered},
		{"delayed", "4.4.1", "1.1", journal.Sent},
		{"relayed", "2.0.0", "1.1", journal.Sent},
	} {
		t.Run(c.action+" "+c.status, func(t *testing.T) {
			relay := startRelay(t, nil)
			x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
			e := x.due(t, "u1", "ben@two.test")
			o := x.one(t, e)
			row := x.row(t, e.Account, e.ID)
			row.State, row.Status = o.State, o.Status
			if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateEntry(row) }); err != nil {
				t.Fatal(err)
			}
			back := relay.got()[0].from
			smtp := dial(t, x.listen(t, false), false)
			if got := code(deliver(t, smtp, false, "", []byte(report("x", "ben@two.test", c.action, c.status)), back)[back]); got != "<nil>" {
				t.Fatal(got)
			}
			if row := x.row(t, e.Account, e.ID); row.State != c.state || row.Status != c.want {
				t.Errorf("row is %s %s (%s), want %s %s", row.State, row.Status, row.Sentence, c.state, c.want)
			}
			// A return path that was not given is no address.
			if got := code(deliver(t, smtp, false, "", nil, "bounce+1-1-00@one.test")["bounce+1-1-00@one.test"]); got != "550 5.1.1" {
				t.Errorf("guessed return path: %s", got)
			}
		})
	}
}

// What was held can be applied by hand.
func TestHeldMailIsApproved(t *testing.T) {
	for name, raw := range map[string][]byte{
		"unverified":   invitation("REQUEST", "u1"),
		"wrong sender": []byte(strings.Replace(string(invitation("REQUEST", "u1")), "From: Ben <ben@two.test>", "From: Eve <eve@evil.test>", 1)),
		"sent by":      []byte(strings.Replace(strings.Replace(string(invitation("REQUEST", "u1")), "From: Ben <ben@two.test>", "From: Sam <sam@two.test>", 1), "ORGANIZER:", `ORGANIZER;SENT-BY="mailto:sam@two.test":`, 1)),
		"no method":    []byte(strings.Replace(strings.Replace(string(invitation("REQUEST", "u1")), "; method=REQUEST", "", 1), "METHOD:REQUEST\r\n", "", 1)),
		"attached":     []byte(strings.Replace(string(invitation("REQUEST", "u1")), "text/calendar; charset=UTF-8; method=REQUEST", "application/octet-stream; name=invite.ics", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			x := newSite(t, sqlite(t), "", func(o *Options) { o.Trust.Inbound = trust.Verify })
			rows, err := x.mail.Intake(t.Context(), raw, Envelope{From: "ben@two.test", To: []string{"ann@one.test"}})
			if err != nil || len(rows) != 1 || rows[0].State != stateHeld {
				t.Fatalf("%s, %v", states(rows), err)
			}
			row, err := x.calendar.Approve(t.Context(), account.Actor{Account: x.ann.ID, Name: x.ann.Name}, x.ann.ID, rows[0].ID)
			if err != nil || row.State != stateApplied || x.objects(t, x.ann.ID, "u1") != 1 {
				t.Errorf("row is %s %q, %v", row.State, row.Sentence, err)
			}
		})
	}
}

func TestUnknownSendersAreHeld(t *testing.T) {
	x := newSite(t, sqlite(t), "", func(o *Options) { o.Trust.UnknownSenders = "hold" })
	take := func(raw []byte) string {
		t.Helper()
		rows, err := x.mail.Intake(t.Context(), raw, Envelope{From: "ben@two.test", To: []string{"ann@one.test"}})
		if err != nil {
			t.Fatal(err)
		}
		return states(rows)
	}
	if got := take(invitation("REQUEST", "u1")); got != "REQUEST:held!unknown-sender" {
		t.Error(got)
	}
	e := x.due(t, "u2", "ben@two.test") // she writes to him
	e.State = journal.Sent
	if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateEntry(*e) }); err != nil {
		t.Fatal(err)
	}
	if got := take(invitation("REQUEST", "u3")); got != "REQUEST:applied" {
		t.Error(got)
	}
}

// A mail that comes straight from outside brings its own words only.
func TestResultsFromOutsideAreNoEvidence(t *testing.T) {
	x := newSite(t, sqlite(t), "", func(o *Options) {
		o.Trust = trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.one.test"}}
	})
	raw := []byte("Authentication-Results: mx.one.test; dmarc=pass header.from=two.test\r\n" + string(invitation("REQUEST", "u1")))
	rows, err := x.mail.Intake(t.Context(), raw, Envelope{From: "ben@two.test", To: []string{"ann@one.test"}, Border: true})
	if err != nil || states(rows) != "REQUEST:held!unverified" {
		t.Errorf("%s, %v", states(rows), err)
	}
	for remote, want := range map[string]bool{"127.0.0.1:25": true, "[::1]:25": true, "10.1.2.3:25": true, "203.0.113.9:25": false, "@": true} {
		if got := isInside(remote); got != want {
			t.Errorf("%s inside: %v", remote, got)
		}
	}
}

func TestPostmaster(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	if _, err := x.mail.resolve(t.Context(), "postmaster@one.test"); err == nil {
		t.Error("nobody administrates, and postmaster is found")
	}
	if err := x.accounts.Edit(t.Context(), x.rob.ID, func(a *store.Account) error { a.Admin = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"postmaster", "Postmaster@one.test"} {
		if got, err := x.mail.resolve(t.Context(), address); err != nil || got.account != x.rob.ID {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	if _, err := x.mail.resolve(t.Context(), "postmaster@three.test"); err == nil {
		t.Error("postmaster of another domain is taken")
	}
}

// Our own mail that a list sends back is no message from anyone.
func TestOwnMailComesBack(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr, nil)
	x.one(t, x.due(t, "u1", "list@two.test"))
	rows, err := x.mail.Intake(t.Context(), relay.got()[0].raw, Envelope{From: "list-bounces@two.test", To: []string{"ann@one.test"}})
	if err != nil || states(rows) != "REQUEST:ignored!own-message" && states(rows) != ":ignored!own-message" {
		t.Errorf("%s, %v", states(rows), err)
	}
}

// The same mail over many connections at once is one message.
func TestManyAtOnce(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	address := x.listen(t, true)
	var wg sync.WaitGroup
	const people, times = 8, 3
	for i := range people * times {
		c := dial(t, address, true)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := c.SendMail("ben@two.test", []string{"ann@one.test"}, bytes.NewReader(invitation("REQUEST", fmt.Sprintf("u%d", i%people)))); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	rows := x.rows(t, x.ann.ID)
	if len(rows) != people {
		t.Errorf("%d rows for %d messages: %s", len(rows), people, states(rows))
	}
	for _, r := range rows {
		if r.State != stateApplied {
			t.Errorf("row %d is %s: %s", r.ID, r.State, r.Sentence)
		}
	}
}

// Servers stop when told to, although a client sits idle.
func TestServeStops(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.mail.ServeSMTP(ctx, l) }()
	c := dial(t, l.Addr().String(), false)
	c.Noop()
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("still serving")
	}
}
