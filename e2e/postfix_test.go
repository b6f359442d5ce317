package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// organisation is a mail site with Convene beside it, as docs/mail-server.md
// has it.
type organisation struct {
	*service
	mail *mailSite
}

// organisations are two of them that know each other: mail between them goes
// from Postfix to Postfix, and each checks the other's DKIM signatures.
func organisations(t *testing.T) (here, there organisation) {
	t.Helper()
	here.mail = newMailSite(t, "example.test", "alice", "bob", "pat") // pat keeps no calendar here
	there.mail = newMailSite(t, "elsewhere.test", "dave", "full")
	records := map[string]string{"_dmarc.example.test": "v=DMARC1; p=reject", "_dmarc.elsewhere.test": "v=DMARC1; p=reject"}
	dns := nameserver(t, records)
	here.service = here.mail.convene([]string{"alice", "bob"}, "resolver = \""+dns+"\"\n")
	there.service = there.mail.convene([]string{"dave"}, "resolver = \""+dns+"\"\n")
	for _, m := range []*mailSite{here.mail, there.mail} {
		name, text := m.dkimRecord()
		records[name] = text
	}
	full := startRelay(t, "127.0.0.1:0", func(int) error {
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "The mailbox is full"}
	})
	here.mail.append("postfix/convene_transport", `/@elsewhere\.test$/ smtp:[`+ported(there.mail.smtp)+"\n")
	there.mail.append("postfix/convene_transport", `/@example\.test$/ smtp:[`+ported(here.mail.smtp)+"\n/^full@/ smtp:["+ported(full.addr)+"\n")
	here.mail.start()
	there.mail.start()
	return here, there
}

// ported writes host:port as Postfix does, behind the opening bracket.
func ported(addr string) string { return strings.Replace(addr, ":", "]:", 1) }

// A whole meeting between two domains: each Convene submits to its own Postfix
// with password and TLS, the Postfixes speak SMTP, and each gives a copy to its
// Convene by LMTP, which believes the other's DKIM signature.
func TestMeetingThroughPostfix(t *testing.T) {
	t.Parallel()
	here, there := organisations(t)
	here.start()
	there.start()
	const uid = "through-postfix@example.test"
	path := "/dav/calendars/alice/default/planning.ics"
	plan := func(start, end string) string {
		return event(uid, "DTSTART;TZID=Europe/Berlin:"+start+"\nDTEND;TZID=Europe/Berlin:"+end+"\nSUMMARY:Planung für März\nORGANIZER;CN=Alice:mailto:alice@example.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:pat@example.test")
	}
	here.expect(201, here.do("alice", "PUT", path, plan("20270401T100000", "20270401T110000"), "Content-Type", "text/calendar"))
	there.has("dave", uid, "ATTENDEE", "PARTSTAT=NEEDS-ACTION", "dave@")
	there.answer("dave", uid, "ACCEPTED")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@")

	_, text := here.find("alice", uid)
	moved := strings.NewReplacer("20270401T100000", "20270402T140000", "20270401T110000", "20270402T150000").Replace(text)
	here.expect(204, here.do("alice", "PUT", path, moved, "Content-Type", "text/calendar"))
	there.has("dave", uid, "DTSTART", "20270402T140000")
	there.answer("dave", uid, "DECLINED")
	here.has("alice", uid, "ATTENDEE", "PARTSTAT=DECLINED", "dave@")
	here.expect(204, here.do("alice", "DELETE", path, ""))
	there.has("dave", uid, "STATUS:CANCELLED")

	for _, s := range []organisation{here, there} {
		// The other side may have a mail before Postfix has said 250 for it.
		eventually(t, "everything was sent and applied at "+s.mail.domain, func() (bool, string) {
			for _, m := range s.messages("--uid", uid) {
				if m.State != "sent" && m.State != "applied" {
					return false, fmt.Sprintf("%+v", m)
				}
			}
			return true, ""
		})
	}
	// People read the same in their mailboxes, who has no calendar here too.
	for _, box := range []struct {
		site   *mailSite
		person string
	}{{there.mail, "dave"}, {here.mail, "pat"}, {here.mail, "alice"}} {
		want := 3 // two invitations and a cancellation
		if box.person == "alice" {
			want = 2 // answers
		}
		eventually(t, box.person+" has the mails", func() (bool, string) {
			mails := box.site.mailbox(box.person)
			return len(mails) == want && strings.Contains(mails[0], "text/calendar"), fmt.Sprint(len(mails), " mails")
		})
	}
}

var queueIDs = regexp.MustCompile(`(?m)^[0-9A-Za-z]{6,}[*! ]`)

// What Postfix cannot deliver comes back by itself, later: Convene was told 250
// for the message, and hears of the failure by a report (RFC 3464).
func TestBouncesThroughPostfix(t *testing.T) {
	t.Parallel()
	here, there := organisations(t)
	here.start()
	for _, b := range []struct{ to, scheduling, status, says, reason string }{
		{"nobody@elsewhere.test", "3.7", "5.1.1", "unknown", "bounced"}, // refused to our Postfix, which reports
		{"full@elsewhere.test", "5.1", "5.2.2", "full", "bounced"},      // taken by theirs, which reports across the domains
		{"nobody@example.test", "3.7", "5.1.1", "unknown", "refused"},   // at once: no calendar here, and no mailbox either
	} {
		uid := "bounce-" + b.to
		here.expect(201, here.do("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Lunch\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:"+b.to), "Content-Type", "text/calendar"))
		here.has("alice", uid, "ATTENDEE", b.to, "SCHEDULE-STATUS="+b.scheduling)
		eventually(t, "the report is dealt with", func() (bool, string) {
			n := len(here.messages("--uid", uid, "--state", "applied"))
			return n == 1 || b.reason != "bounced", fmt.Sprint(n)
		})
		states := map[string]message{}
		for _, m := range here.messages("--uid", uid) {
			states[m.Direction] = m
		}
		if m := states["out"]; m.State != "failed" || m.Reason != b.reason {
			t.Errorf("%s: the invitation is %+v", b.to, m)
		}
		if m := states["in"]; b.reason == "bounced" && (m.State != "applied" || m.Reason != "delivery-report") {
			t.Errorf("%s: the report is %+v", b.to, m)
		}
		shown := here.cli("", "message", "show", states["out"].ID)
		if !strings.Contains(shown, b.status) || !strings.Contains(strings.ToLower(shown), b.says) {
			t.Errorf("%s: convene message show says\n%s", b.to, shown)
		}
	}
	// Nobody's mailbox was bothered with the reports.
	if got := append(here.mail.mailbox("alice"), here.mail.mailbox("bounce")...); len(got) > 0 {
		t.Errorf("%d reports in mailboxes:\n%s", len(got), got[0])
	}

	// While Convene is away Postfix keeps what comes for it.
	there.start()
	const uid = "kept@example.test"
	here.expect(201, here.do("alice", "PUT", "/dav/calendars/alice/default/kept.ics", event(uid, "DTSTART:20270401T100000Z\nSUMMARY:Kept\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:dave@elsewhere.test"), "Content-Type", "text/calendar"))
	there.has("dave", uid, "SUMMARY:Kept")
	here.stop()
	there.answer("dave", uid, "ACCEPTED")
	queue := func() string { return command(t, "postqueue", "-c", here.mail.dir+"/postfix", "-p") }
	eventually(t, "the answer waits in the queue", func() (bool, string) {
		said := queue()
		return len(queueIDs.FindAllString(said, -1)) == 1 && strings.Contains(said, "alice+convene@example.test"), said
	})
	here.start()
	eventually(t, "the answer arrives when Postfix tries again", func() (bool, string) {
		command(t, "postqueue", "-c", here.mail.dir+"/postfix", "-f")
		_, text := here.find("alice", uid)
		_, ok := line(text, "ATTENDEE", "PARTSTAT=ACCEPTED", "dave@")
		return ok, text + queue()
	})
}
