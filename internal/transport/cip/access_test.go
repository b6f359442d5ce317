package cip

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/harness/certs"
)

// Passwords are not taken in clear from afar, wrong ones lock a source out, and
// TLS helps.
func TestSignIn(t *testing.T) {
	who := certified{certs.CA(t, "Test CA"), t}
	b := start(t, "b.test", []string{"ben"}, func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{who.pair("b.test")}} })
	a := start(t, "a.test", []string{"ann"}, func(o *Options) { o.ClientTLS = &tls.Config{RootCAs: who.pool()} })
	join(a, b, cip.VCal10)
	a.cip.peers["b.test"].TLS = TLSStart
	l, err := a.cip.connect(t.Context(), "b.test")
	if err != nil {
		t.Fatal(err)
	}
	if _, secured := l.conn.(*tls.Conn); !secured {
		t.Error("the connection is in clear")
	}
	l.conn.Close()

	far := &session{c: b.cip, conn: remote{addr: &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 5}}, id: identity{}}
	far.source = sourceOf(far.conn.RemoteAddr())
	if far.Login(t.Context(), "ben", "ben") {
		t.Error("a password in clear from afar is taken")
	}
	far.id.secure = true
	if !far.Login(t.Context(), "ben", "ben") || far.id.user.Name != "ben" {
		t.Error("a password over TLS is not taken")
	}
	for range freeFailures {
		b.cip.guard.wrong(far.source)
	}
	if far.Login(t.Context(), "ben", "ben") {
		t.Error("a source that is locked out gets in")
	}
	if b.cip.guard.enter(far.source, 10, 10, false) {
		t.Error("a source that is locked out may connect")
	}
}

type remote struct {
	net.Conn
	addr net.Addr
}

func (r remote) RemoteAddr() net.Addr { return r.addr }

// Who is not let in learns nothing of who is there: people, rooms of another
// domain's name, people who moved and nobody at all have the same answers.
func TestDenialTellsNothing(t *testing.T) {
	b := start(t, "b.test", []string{"ben", "carol"}, func(o *Options) { o.AllowAnonymous = AnonymousNo })
	if err := b.Accounts.Rename(t.Context(), "mailto:carol@b.test", "mailto:carol@new.test"); err != nil {
		t.Fatal(err)
	}
	s := &session{c: b.cip, conn: remote{addr: &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 5}}, stopped: t.Context()}
	commands := map[string]func(who string) cip.Reply{
		"SENDEVENT": func(who string) cip.Reply {
			e, err := cip.ParseEvent([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:"+who+"\r\n"), s.Reading())
			if err != nil {
				t.Fatal(err)
			}
			return s.SendEvent(t.Context(), e)
		},
		"SENDEVENT of one's own": func(who string) cip.Reply {
			e, err := cip.ParseEvent([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:"+who+"\r\n"), s.Reading())
			if err != nil {
				t.Fatal(err)
			}
			return s.SendEvent(t.Context(), e)
		},
		"RSVP": func(who string) cip.Reply {
			a, err := cip.ParseAnswer([]byte("UID:1@b.test\r\nATTENDEE;STATUS=ACCEPTED:"+who+"\r\n"), s.Reading())
			if err != nil {
				t.Fatal(err)
			}
			return s.Answer(t.Context(), a)
		},
		"FREEBUSY": func(who string) cip.Reply {
			q, err := cip.ParseQuery([]byte("DTSTART:20290601T000000Z\r\nDTEND:20290602T000000Z\r\nATTENDEE:"+who+"\r\n"), s.Reading())
			if err != nil {
				t.Fatal(err)
			}
			r, _ := s.FreeBusy(t.Context(), q)
			return r
		},
	}
	for name, command := range commands {
		for domain, people := range map[string][]string{"b.test": {"ben", "carol", "ghost"}, "new.test": {"carol", "ghost"}} {
			var first string
			for i, who := range people {
				answer := strings.ReplaceAll(fmt.Sprintf("%+v", command(who+"@"+domain)), who+"@", "X@")
				if i == 0 {
					first = answer
				}
				if answer != first {
					t.Errorf("%s, %s@%s: %s; %s has %s", name, who, domain, answer, people[0], first)
				}
			}
		}
	}
}

// toTheEnd reads until the other side ends the connection.
func toTheEnd(t testing.TB, conn net.Conn) string {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	said, err := io.ReadAll(conn)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatalf("the connection is open after a minute; it said %q", said)
	}
	return string(said)
}

// Who stops in the middle of a command, or says nothing at all, is left
// without a word.
func TestSilence(t *testing.T) {
	for name, begins := range map[string]string{
		"before a command":        "",
		"in a command line":       "SENDEV",
		"in the data":             "SENDEVENT +\r\nUID:1@a.test\r\n",
		"in a line of data":       "SENDEVENT +\r\nUID:1@a",
		"before the data":         "RSVP +\r\n",
		"in data that are thrown": "FOO +\r\nx\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, "b.test", []string{"ben"}, func(o *Options) {
				o.times = &times{idle: 50 * time.Millisecond, line: 50 * time.Millisecond, data: time.Minute}
			})
			conn, err := net.Dial("tcp", b.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(begins)); err != nil {
				t.Fatal(err)
			}
			if said := toTheEnd(t, conn); said != "OK CIP 1.0 b.test\r\n" {
				t.Errorf("it said %q", said)
			}
		})
	}
	// Lines that come one by one for ever end too.
	b := start(t, "b.test", []string{"ben"}, func(o *Options) {
		o.times = &times{idle: time.Minute, line: time.Minute, data: 100 * time.Millisecond}
	})
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ended := make(chan string, 1)
	go func() { ended <- toTheEnd(t, conn) }()
	conn.Write([]byte("SENDEVENT +\r\n"))
	for {
		select {
		case said := <-ended:
			if said != "OK CIP 1.0 b.test\r\n" {
				t.Errorf("it said %q", said)
			}
			return
		default:
			conn.Write([]byte("X-SLOW:1\r\n")) // fails when it is over
			time.Sleep(5 * time.Millisecond)
		}
	}
}
