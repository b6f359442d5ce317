package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/harness/shared"
)

// peer is a [[cip.peer]] of the configuration.
func peer(server, address string, more ...string) string {
	t := "\n[[cip.peer]]\nserver-id = \"" + server + "\"\n"
	if address != "" {
		t += "address = \"" + address + "\"\n"
	}
	for i := 0; i+1 < len(more); i += 2 {
		t += fmt.Sprintf("%s = %q\n", more[i], more[i+1])
	}
	return t
}

// cipService is a service with a CIP listener and settings of its own.
func cipService(t testing.TB, domain string, accounts []string, listen, toml string, args ...string) *service {
	t.Helper()
	s := newService(t, domain, accounts, append([]string{"--cip-listen", listen}, args...)...)
	if err := os.WriteFile(filepath.Join(s.data, "convene.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// wire is a client with a keyboard.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dialCIP(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &wire{t, conn, bufio.NewReader(conn)}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return w
}

func (w *wire) line() string {
	w.t.Helper()
	s, err := w.in.ReadString('\n')
	if err != nil {
		w.t.Fatalf("read: %v after %q", err, s)
	}
	if !strings.HasSuffix(s, "\r\n") {
		w.t.Errorf("the line %q does not end with CRLF", s)
	}
	return strings.TrimRight(s, "\r\n")
}

// say sends lines and reads up to the completion, of which the word and the
// code count.
func (w *wire) say(lines ...string) []string {
	w.t.Helper()
	w.conn.SetDeadline(time.Now().Add(30 * time.Second))
	text := strings.Join(lines, "\n")
	if _, err := io.WriteString(w.conn, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n"); err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for {
		l := w.line()
		if strings.HasPrefix(l, "OK ") || strings.HasPrefix(l, "NO ") {
			return append(got, l[:6])
		}
		got = append(got, l)
	}
}

func (w *wire) expect(want string, lines ...string) {
	w.t.Helper()
	if got := strings.Join(w.say(lines...), "\n"); got != strings.TrimSpace(want) {
		w.t.Errorf("C: %s\ngot\n%s\nwant\n%s", strings.Join(lines, "\nC: "), got, strings.TrimSpace(want))
	}
}

func (w *wire) closed() {
	w.t.Helper()
	if s, err := w.in.ReadString('\n'); err == nil {
		w.t.Errorf("the connection is open and says %q", s)
	}
}

// The exchanges that define the protocol, at a server b.test whose peer a.test
// has a password.
func TestCIPExchanges(t *testing.T) {
	s := cipService(t, "b.test", []string{"ben", "bea", "carol"}, "127.0.0.1:0", "[cip]\nallow-anonymous = \"verify\"\n"+
		peer("a.test", "127.0.0.1:1", "password", "secret of a")+peer("c.test", "192.0.2.1:1", "password", "secret of c")).start()
	s.cli("", "account", "rename", "carol@b.test", "carol@new.test")
	hello := func(login ...string) *wire {
		w := dialCIP(t, s.cip)
		if got := w.line(); got != "OK CIP 1.0 b.test" {
			t.Errorf("greeting %q", got)
		}
		if len(login) > 0 {
			w.expect("OK 000", "AUTHENTICATE LOGIN "+strings.Join(login, " "))
		}
		return w
	}
	ev := func(lines ...string) string {
		return "SENDEVENT +\nDTSTART:20270110T150000Z\nDTEND:20270110T160000Z\n" + strings.Join(lines, "\n") + "\n."
	}

	t.Run("signing in", func(t *testing.T) {
		w := hello()
		w.expect("OK 000", "AUTHENTICATE LOGIN a.test secret of a")
		w.expect("OK 000", "authenticate login ben ben")
		w.expect("OK 000", "AUTHENTICATE LOGIN ben@b.test ben")
		w.expect("NO 001", "AUTHENTICATE KERBEROS ticket")
		w.expect("NO 000", "AUTHENTICATE X-STARTTLS")
		w.expect("NO 000", "AUTHENTICATE LOGIN a.test secret of c")
		w.expect("NO 000", "AUTHENTICATE LOGIN unknown.test x")
		w.expect("NO 000", "AUTHENTICATE LOGIN nobody x")
		w.closed()
	})

	t.Run("an event as the draft writes them", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND pete@a.test\n* NOTFOUND ghost@b.test\n* TENTATIVE ben@b.test\nOK 003",
			"SENDEVENT +", "DTSTART: 20271231T2000-0500", "DTEND: 20280101T0600-0500", "DESCRIPTION: New year's eve in New York. The Big", "2000 and more!",
			"ATTENDEE; ROLE=OWNER: Pete O'Leary", "<pete@a.test>", "ATTENDEE: <ghost@b.test>", "ATTENDEE: Ben Two <ben@b.test>", "SEQUENCE: 1", "UID: 234@a.test", ".")
		_, text := s.has("ben", "234@a.test", "DTSTART:20280101T010000Z")
		for _, want := range []string{"DTEND:20280101T110000Z", "SUMMARY:New year's eve in New York. The Big 2000 and more!", "ORGANIZER;CN=Pete O'Leary:mailto:pete@a.test"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	})

	t.Run("nobody of this server", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND pete@a.test\n* NOTFOUND x@x.test\nNO 000", ev("UID:n@a.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:pete@a.test", "ATTENDEE:x@x.test"))
	})

	t.Run("versions", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		of := func(version, summary string, more ...string) string {
			return ev(append([]string{"UID:v@a.test", "SEQUENCE:" + version, "SUMMARY:" + summary, "ATTENDEE;ROLE=OWNER:pete@a.test", "ATTENDEE:bea@b.test"}, more...)...)
		}
		const taken = "* NOTFOUND pete@a.test\n* TENTATIVE bea@b.test\nOK 000"
		w.expect(taken, of("1", "one"))
		w.expect(taken, of("2", "two"))
		s.has("bea", "v@a.test", "SUMMARY:two")
		w.expect("NO 001", of("1", "one"))
		w.expect(taken, of("2", "two"))
		s.has("bea", "v@a.test", "SUMMARY:two")
		w.expect(taken, of("3", "three", "STATUS: CANCELLED"))
		s.has("bea", "v@a.test", "STATUS:CANCELLED")
		if n := strings.Count(s.do("bea", "PROPFIND", "/dav/calendars/bea/default/", "", "Depth", "1").body, ".ics</"); n != 1 {
			t.Errorf("%d objects, want 1", n)
		}
	})

	t.Run("what is no event", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		ok := []string{"UID:bad@a.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:pete@a.test", "ATTENDEE:bea@b.test"}
		for name, text := range map[string]string{
			"no owner":       ev(ok[0], ok[1], ok[3]),
			"two owners":     ev(append(slices.Clone(ok), "ATTENDEE;ROLE=OWNER:ann@a.test")...),
			"SEQUENCE -1":    ev(ok[0], "SEQUENCE:-1", ok[2], ok[3]),
			"over 2^31":      ev(ok[0], "SEQUENCE:2147483649", ok[2], ok[3]),
			"no DTSTART":     strings.Replace(ev(ok...), "DTSTART:20270110T150000Z\n", "", 1),
			"no UID":         ev(ok[1:]...),
			"nothing":        "SENDEVENT +\n.",
			"no data":        "SENDEVENT",
			"unknown":        "FOO +\nx\n.",
			"QUIT":           "QUIT",
			"a line of 8 K":  ev(append(slices.Clone(ok), "X-LONG:"+strings.Repeat("x", 8300))...),
			"more than 1 M":  ev(append(slices.Clone(ok), strings.Repeat("X-A:"+strings.Repeat("y", 1000)+"\n", 1100))...),
			"100,000 guests": ev(append(slices.Clone(ok), strings.Repeat("ATTENDEE:a@b\n", 60_000))...),
		} {
			if got := w.say(text); strings.Join(got, " ") != "NO 001" {
				t.Errorf("%s: %q", name, got)
			}
		}
	})

	t.Run("a forged owner", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND cy@c.test\n* PERMDENIED bea@b.test\nNO 002", ev("UID:f@c.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:cy@c.test", "ATTENDEE:bea@b.test"))
		// A UID that is somebody else's event already.
		w.expect("* NOTFOUND eve@a.test\n* TENTATIVE bea@b.test\nOK 000", ev("UID:u@a.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:eve@a.test", "ATTENDEE:bea@b.test"))
		w = hello("c.test", "secret of c")
		w.expect("* NOTFOUND cy@c.test\n* PERMDENIED bea@b.test\nNO 002", ev("UID:u@a.test", "SEQUENCE:2", "ATTENDEE;ROLE=OWNER:cy@c.test", "ATTENDEE:bea@b.test"))
		s.has("bea", "u@a.test", "ORGANIZER:mailto:eve@a.test")
	})

	t.Run("anonymous", func(t *testing.T) {
		w := hello() // 127.0.0.1 is the address of a.test, and not of c.test
		w.expect("* NOTFOUND cy@c.test\n* PERMDENIED bea@b.test\nNO 002", ev("UID:a1@c.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:cy@c.test", "ATTENDEE:bea@b.test"))
		w.expect("* NOTFOUND ann@a.test\n* TENTATIVE bea@b.test\nOK 000", ev("UID:a2@a.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:ann@a.test", "ATTENDEE:bea@b.test"))
		s.has("bea", "a2@a.test", "ORGANIZER:mailto:ann@a.test")
		if m := s.messages("--uid", "a2@a.test"); len(m) != 1 || m[0].Transport != "cip" {
			t.Errorf("journal: %+v", m)
		}
	})

	t.Run("somebody moved", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND pete@a.test\n* REDIRECT USER carol@b.test IS NOW carol@new.test\nNO 000", ev("UID:m@a.test", "SEQUENCE:1", "ATTENDEE;ROLE=OWNER:pete@a.test", "ATTENDEE:carol@b.test"))
		w.expect("* REDIRECT USER carol@b.test IS NOW carol@new.test\nNO 000", "FREEBUSY +", "DTSTART:20270110T000000Z", "DTEND:20270111T000000Z", "ATTENDEE:carol@b.test", ".")
	})

	t.Run("text", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND pete@a.test\n* TENTATIVE ben@b.test\nOK 000", ev("UID:t@a.test", "SEQUENCE:1", "SUBJECT: Caf\xe9", "DESCRIPTION;ENCODING=QUOTED-PRINTABLE:dots=0D=0A=", "..", "X-DOTS;ENCODING=QUOTED-PRINTABLE:=", "...", "ATTENDEE;ROLE=OWNER:pete@a.test", "ATTENDEE:ben@b.test"))
		_, text := s.has("ben", "t@a.test", "SUMMARY:Café")
		if !strings.Contains(text, `DESCRIPTION:dots\n.`+"\r\n") || !strings.Contains(text, "X-DOTS:..\r\n") {
			t.Errorf("%s", text)
		}
	})

	t.Run("to-dos", func(t *testing.T) {
		w := hello("a.test", "secret of a")
		w.expect("* NOTFOUND pete@a.test\n* TENTATIVE ben@b.test\nOK 000", "SENDEVENT +\nBEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VTODO\nUID:todo@a.test\nSEQUENCE:1\nDUE:20270120T120000Z\nSUMMARY:Report\nATTENDEE;ROLE=OWNER:pete@a.test\nATTENDEE:ben@b.test\nEND:VTODO\nEND:VCALENDAR\n.")
		if r := s.do("ben", "PROPFIND", "/dav/calendars/ben/tasks/", "", "Depth", "1"); !strings.Contains(r.body, ".ics") {
			t.Errorf("no to-do: %s", r.body)
		}
	})

	t.Run("when people are busy", func(t *testing.T) {
		s.expect(201, s.do("ben", "PUT", "/dav/calendars/ben/default/busy.ics", event("busy", "DTSTART:20290110T100000Z\nDTEND:20290110T110000Z"), "Content-Type", "text/calendar"))
		ask := "FREEBUSY +\nDTSTART:20290110T000000Z\nDTEND:20290111T000000Z\nATTENDEE:ben@b.test\nATTENDEE:ghost@b.test\n."
		hello("a.test", "secret of a").expect("+\nATTENDEE:ben@b.test\nDTSTART:20290110T000000Z\nDTEND:20290111T000000Z\nFREEBUSY:20290110T100000Z/20290110T110000Z\n.\n* NOTFOUND ghost@b.test\nOK 003", ask)
		hello().expect("* NOTFOUND ben@b.test\n* NOTFOUND ghost@b.test\nNO 000", ask)
		w := hello("a.test", "secret of a")
		w.expect("NO 001", "FREEBUSY +\nDTSTART:20290110T000000Z\nATTENDEE:ben@b.test\n.")
		got := strings.Join(w.say("FREEBUSY +\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:q\nDTSTAMP:20260101T000000Z\nDTSTART:20290110T000000Z\nDTEND:20290111T000000Z\nORGANIZER:mailto:pete@a.test\nATTENDEE:mailto:ben@b.test\nEND:VFREEBUSY\nEND:VCALENDAR\n."), "\n")
		for _, want := range []string{"METHOD:REPLY", "FREEBUSY;FBTYPE=BUSY:20290110T100000Z/20290110T110000Z", "UID:q", "OK 000"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
	})

	t.Run("answers", func(t *testing.T) {
		text := event("4711@b.test", "DTSTART:20270301T100000Z\nDTEND:20270301T110000Z\nSUMMARY:x\nORGANIZER:mailto:ben@b.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@b.test\nATTENDEE;RSVP=TRUE:mailto:ann@a.test")
		s.expect(201, s.do("ben", "PUT", "/dav/calendars/ben/default/4711.ics", text, "Content-Type", "text/calendar"))
		w := hello("a.test", "secret of a")
		rsvp := func(id, n, status string) string {
			return "RSVP+\nUID: " + id + "\nSEQUENCE: 1\nRESPONSE-SEQUENCE: " + n + "\nATTENDEE: Ann <ann@a.test>\nSTATUS: " + status + "\n."
		}
		w.expect("* CONFIRMED ann@a.test\nOK 000", rsvp("4711@b.test", "1", "CONFIRMED"))
		s.has("ben", "4711@b.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "ann@a.test")
		w.expect("OK 000", rsvp("4711@b.test", "1", "CONFIRMED"))
		w.expect("OK 000", rsvp("4711@b.test", "2", "DECLINED"))
		s.has("ben", "4711@b.test", "ATTENDEE", "PARTSTAT=DECLINED", "ann@a.test")
		w.expect("OK 000", rsvp("4711@b.test", "1", "CONFIRMED"))
		s.has("ben", "4711@b.test", "ATTENDEE", "PARTSTAT=DECLINED", "ann@a.test")
		w.expect("* NOTFOUND no@b.test\nNO 000", rsvp("no@b.test", "1", "CONFIRMED"))
		w.expect("NO 001", "RSVP +\nATTENDEE;STATUS=ACCEPTED: ann@a.test\n.")
		w.expect("NO 002", strings.ReplaceAll(rsvp("4711@b.test", "9", "CONFIRMED"), "ann@a.test", "cy@c.test"))
		w.expect("NO 001", strings.Replace(rsvp("4711@b.test", "9", "CONFIRMED"), "SEQUENCE: 1", "SEQUENCE: 9", 1))
		hello().expect("NO 002", strings.ReplaceAll(rsvp("4711@b.test", "9", "CONFIRMED"), "ann@a.test", "cy@c.test"))
	})
}

// The draft's own sessions of section 3.0, as it prints them, against two
// services of ours. What the draft leaves to the reader (a UID, times, the dot
// at the end of the last) is filled in.
func TestCIPDraftSessions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shared.Dir(t), "specs", "draft-ietf-calsch-cip-00.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, began := strings.Cut(string(text), "\n3.0 Example Session\n")
	section, _, ended := strings.Cut(section, "\n4.0 Formal Grammar")
	if !began || !ended {
		t.Fatal("section 3.0 is not found")
	}
	sessions := draftSessions(section)
	if len(sessions) != 5 {
		t.Fatalf("%d sessions found, want 5", len(sessions))
	}
	run := func(domain string, accounts []string, peers string) *service {
		return cipService(t, domain, accounts, "127.0.0.1:0", peers).start()
	}
	b := run("b.com", []string{"bob"}, peer("a.com", "127.0.0.1:1", "password", "PASSWORD_A"))
	a := run("a.com", []string{"poleary", "alex"}, peer("b.com", "127.0.0.1:1", "password", "PASSWORD_B"))
	abc := run("abc.com", []string{"bill"}, peer("xyz.com", "127.0.0.1:1"))
	abc.cli("aardvark", "account", "set-password", "bill@abc.com", "--password-stdin")
	xyz := run("xyz.com", []string{"mary"}, peer("abc.com", "127.0.0.1:1"))

	own := event("4711@a.com", "DTSTART:20270110T150000Z\nDTEND:20270110T160000Z\nSUMMARY:Project X review meeting\nORGANIZER:mailto:poleary@a.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:poleary@a.com\nATTENDEE;RSVP=TRUE:mailto:alex@a.com\nATTENDEE;RSVP=TRUE:mailto:bob@b.com")
	a.expect(201, a.do("poleary", "PUT", "/dav/calendars/poleary/default/4711.ics", own, "Content-Type", "text/calendar"))
	// What we say where the draft's servers say less, or in another order: a line
	// for each attendee, in the order of the ATTENDEE lines, which section 2.2 lets
	// a server do; and the last, unknown to us, is not told of another guest.
	ours := map[string]string{
		"1.2": "* NOTFOUND poleary@a.com\n* NOTFOUND alex@a.com\n* TENTATIVE bob@b.com\nOK 000",
		"2.2": "* CONFIRMED bob@b.com\nOK 000",
		"4.1": "* NOTFOUND bill@abc.com\n* TENTATIVE mary@xyz.com\nOK 000",
		"5.1": "* CONFIRMED mary@xyz.com\nOK 000",
	}
	for i, s := range []*service{b, a, abc, xyz, abc} {
		t.Run(fmt.Sprint("session ", i+1), func(t *testing.T) {
			sessions[i].play(t, s.cip, func(n int) string { return ours[fmt.Sprintf("%d.%d", i+1, n+1)] })
		})
	}
	abc.cli("bill", "account", "set-password", "bill@abc.com", "--password-stdin")
	b.has("bob", "4711@a.com", "SUMMARY:Project X review meeting")
	a.has("poleary", "4711@a.com", "ATTENDEE", "PARTSTAT=ACCEPTED", "bob@b.com")
	for _, where := range []struct {
		s    *service
		user string
	}{{abc, "bill"}, {xyz, "mary"}} {
		_, text := where.s.has(where.user, "0289AF8G7DD@abc.com", "SUMMARY:Important Meeting")
		for _, want := range []string{"DTSTART:19961126T203000Z", "CLASS:PRIVATE", "CATEGORIES:Meeting"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", where.user, want, text)
			}
		}
	}
	abc.has("bill", "0289AF8G7DD@abc.com", "ATTENDEE", "PARTSTAT=ACCEPTED", "mary@xyz.com")
}

// exchange is what the client says and what the draft's server answers.
type exchange struct{ say, answer []string }
type draftSession []exchange

// draftSessions reads "C:" and "S:" lines. A line without either goes on with
// the one before; one that follows an empty "C:" was broken to fit the page.
func draftSessions(section string) []draftSession {
	var all []draftSession
	var cur draftSession
	side, broken := "", false
	flush := func() {
		if len(cur) > 0 {
			all = append(all, cur)
		}
		cur, side = nil, ""
	}
	for line := range strings.Lines(section) {
		line = strings.TrimRight(line, "\r\n ")
		switch {
		case line == "":
		case strings.HasPrefix(line, "S:"):
			text := strings.TrimSpace(line[2:])
			if strings.HasPrefix(text, "OK CIP") {
				flush()
				continue // the greeting
			}
			if side == "S" || len(cur) > 0 {
				last := &cur[len(cur)-1]
				last.answer = append(last.answer, text)
			}
			side = "S"
		case strings.HasPrefix(line, "C:"):
			text := strings.TrimSpace(line[2:])
			if side != "C" {
				cur = append(cur, exchange{})
			}
			side, broken = "C", text == ""
			last := &cur[len(cur)-1]
			last.say = append(last.say, text)
		case strings.HasPrefix(line, "Disconnect"), strings.HasPrefix(line, "Now, from"), strings.HasPrefix(line, "Scenario"), strings.Contains(line, "closes connection"), strings.HasPrefix(line, "The scenario"):
			flush()
		case side == "C":
			last := &cur[len(cur)-1]
			if broken {
				last.say[len(last.say)-1] += line
			} else {
				last.say = append(last.say, line)
			}
		}
	}
	flush()
	return all
}

// play says the client's part and compares every line of the answers, with
// those of the draft or with what is said instead of them. The text after the
// code of a completion is for people, and each server's own.
func (d draftSession) play(t *testing.T, address string, instead func(exchange int) string) {
	w := dialCIP(t, address)
	if got := w.line(); !strings.HasPrefix(got, "OK CIP 1.0 ") {
		t.Errorf("greeting %q", got)
	}
	fill := strings.NewReplacer("UID: unique identifier for event", "UID: 4711@a.com", "UID unique identifier of event", "UID: 4711@a.com",
		"DTSTART: start date and time", "DTSTART: 20270110T150000Z", "DTEND: end date and time", "DTEND: 20270110T160000Z")
	for n, x := range d {
		say := strings.Split(fill.Replace(strings.Join(x.say, "\n")), "\n")
		if strings.HasSuffix(say[0], "+") && say[len(say)-1] != "." {
			say = append(say, ".")
		}
		answer := slices.Clone(x.answer)
		last := &answer[len(answer)-1]
		*last = (*last)[:6]
		want := strings.Join(answer, "\n")
		if other := instead(n); other != "" {
			if other == want || !strings.HasSuffix(other, *last) {
				t.Errorf("exchange %d: %q is no other way to say %q", n+1, other, want)
			}
			want = other
		}
		w.expect(want, say...)
	}
}
