package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// letter is a mail with a calendar from outside.
func letter(id, method, calendar string) string {
	calendar = strings.Replace(calendar, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:"+method, 1)
	return "From: Olga <olga@outside.test>\nTo: ann@example.test\nSubject: " + id + "\nDate: Thu, 19 Nov 2026 10:00:00 +0000\nMessage-ID: <" + id + "@outside.test>\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\nSee the calendar.\n--x\nContent-Type: text/calendar; charset=utf-8; method=" + method + "\n\n" +
		strings.ReplaceAll(calendar, "\r\n", "\n") + "--x--\n"
}

func invitation(uid string) string {
	return letter(uid, "REQUEST", event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:From outside\nORGANIZER:mailto:olga@outside.test\nATTENDEE;RSVP=TRUE:mailto:ann@example.test"))
}

const plainLetter = "From: olga@outside.test\nTo: ann@example.test\nSubject: Hello\nMessage-ID: <hello@outside.test>\n\nNo calendar in here.\n"

// Convene fetches scheduling mail from a mailbox that Dovecot keeps: told of it
// by IDLE, without touching what the person sees, also after Dovecot was away.
func TestMailboxAtDovecot(t *testing.T) {
	t.Parallel()
	m := newMailSite(t, "example.test", "ann")
	m.mkdir("queue/private") // Postfix is not here to make it
	stop := m.startDovecot()
	s := m.conveneWith("/var/lib/convene/convene.toml without LMTP", []string{"ann"}, "inbound-policy = \"accept\"\n")
	m.save("ann", plainLetter)
	m.save("ann", invitation("there-before"))
	s.start()
	s.has("ann", "there-before", "SUMMARY:From outside")
	m.save("ann", invitation("told-by-idle"))
	s.has("ann", "told-by-idle", "SUMMARY:From outside")

	// An answer to an event of ann's own.
	mine := event("mine", "DTSTART:20270402T100000Z\nSUMMARY:Mine\nORGANIZER:mailto:ann@example.test\nATTENDEE;RSVP=TRUE:mailto:olga@outside.test")
	s.expect(201, s.do("ann", "PUT", "/dav/calendars/ann/default/mine.ics", mine, "Content-Type", "text/calendar"))
	m.save("ann", letter("answer", "REPLY", event("mine", "DTSTART:20270402T100000Z\nORGANIZER:mailto:ann@example.test\nATTENDEE;PARTSTAT=TENTATIVE:mailto:olga@outside.test")))
	s.has("ann", "mine", "ATTENDEE", "PARTSTAT=TENTATIVE", "olga@")

	eventually(t, "the mails are marked as looked at and still unread", func() (bool, string) {
		flags := m.flags("ann")
		marked := 0
		for _, f := range flags {
			if strings.Contains(f, "$Convene") && !strings.Contains(f, `\Seen`) && !strings.Contains(f, `\Deleted`) {
				marked++
			}
		}
		return marked == 4 && len(flags) == 4, fmt.Sprintf("%q", flags)
	})

	// Dovecot goes, mail arrives meanwhile, Dovecot comes back.
	stop()
	eventually(t, "the service has noticed", func() (bool, string) {
		return strings.Contains(s.log.String(), "a mailbox cannot be watched"), s.log.String()
	})
	m.drop("ann", "meanwhile", invitation("meanwhile"))
	m.startDovecot()
	s.has("ann", "meanwhile", "SUMMARY:From outside")
	m.save("ann", invitation("idle-again"))
	s.has("ann", "idle-again", "SUMMARY:From outside")

	// What was taken is not taken again by the next process, and once only.
	s.stop()
	s.start()
	m.save("ann", invitation("last"))
	s.has("ann", "last", "SUMMARY:From outside")
	in := map[string]int{}
	for _, e := range s.messages() {
		if e.Direction == "in" {
			in[e.UID+" "+e.State]++
		}
	}
	if len(in) != 6 {
		t.Errorf("what came in: %v", in)
	}
	for what, n := range in {
		if n != 1 || !strings.HasSuffix(what, " applied") {
			t.Errorf("%s: %d times", what, n)
		}
	}
}

// A server without IDLE, over STARTTLS, is asked now and then.
func TestMailboxWithoutIDLE(t *testing.T) {
	t.Parallel()
	m := newMailSite(t, "example.test", "ann")
	m.mkdir("queue/private")
	m.append("dovecot/dovecot.conf", "imap_capability = IMAP4rev1 LITERAL+ UIDPLUS\n")
	m.startDovecot()
	s := m.conveneWith("/var/lib/convene/convene.toml without LMTP", []string{"ann"}, "inbound-policy = \"accept\"\n")
	settings := s.data + "/convene.toml"
	file(t, settings, strings.Replace(read(t, settings), "?to=", "?poll=1&to=", 1))
	s.start()
	for i := range 3 {
		uid := fmt.Sprint("asked-for-", i)
		m.save("ann", invitation(uid))
		s.has("ann", uid, "SUMMARY:From outside")
	}
}
