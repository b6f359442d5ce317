package e2e

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"
)

// relay is a mail server on loopback that remembers what it took.
type relay struct {
	addr   string
	answer func(n int) error // what DATA number n is answered; nil error = 250
	mu     sync.Mutex
	mails  []string
	tries  atomic.Int64
	server *smtp.Server
}

func startRelay(t testing.TB, addr string, answer func(n int) error) *relay {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String(), answer: answer}
	r.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &relaySession{r}, nil }))
	r.server.Domain = "relay.test"
	go r.server.Serve(l)
	t.Cleanup(func() { r.server.Close() })
	return r
}

func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.mails)
}

type relaySession struct{ r *relay }

func (s *relaySession) Reset()                               {}
func (s *relaySession) Logout() error                        { return nil }
func (s *relaySession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *relaySession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *relaySession) Data(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	n := int(s.r.tries.Add(1))
	if s.r.answer != nil {
		if err := s.r.answer(n); err != nil {
			return err
		}
	}
	s.r.mu.Lock()
	s.r.mails = append(s.r.mails, string(text))
	s.r.mu.Unlock()
	return nil
}

var messageIDPattern = regexp.MustCompile(`(?im)^Message-ID:\s*(<[^>]+>)`)

// Everything acknowledged is there after kill -9, every message goes out, and
// a message that goes out twice has the same Message-ID, so that a receiver
// sees one.
func TestKilledUnderLoad(t *testing.T) {
	out := startRelay(t, "127.0.0.1:0", nil)
	s := newService(t, "example.test", []string{"alice"}, "--mail-relay", "smtp://"+out.addr+"?tls=none").start()
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	const rounds, clients = 3, 6
	for round := range rounds {
		if round > 0 {
			s.start()
		}
		var wg sync.WaitGroup
		var enough sync.WaitGroup
		enough.Add(clients)
		for c := range clients {
			wg.Go(func() {
				for n := 0; ; n++ {
					if n == 20 {
						enough.Done()
					}
					uid := fmt.Sprintf("crash-%d-%d-%d", round, c, n)
					text := event(uid, "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:"+uid+"\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:guest@outside.test")
					r, err := s.try("alice", "PUT", "/dav/calendars/alice/default/"+uid+".ics", text, "Content-Type", "text/calendar")
					if err != nil {
						if n < 20 {
							t.Errorf("client %d ended after %d: %v", c, n, err)
							for ; n < 20; n++ {
								if n == 19 {
									enough.Done()
								}
							}
						}
						return
					}
					if r.status == 201 {
						mu.Lock()
						acknowledged[uid] = true
						mu.Unlock()
					}
				}
			})
		}
		enough.Wait()
		s.kill()
		wg.Wait()
	}
	s.start()
	for uid := range acknowledged {
		if r := s.do("alice", "GET", "/dav/calendars/alice/default/"+uid+".ics", ""); r.status != 200 {
			t.Fatalf("%s was acknowledged and is %d after the crash", uid, r.status)
		}
	}
	eventually(t, "every queued message went out", func() (bool, string) {
		due := s.messages("--state", "due")
		return len(due) == 0, fmt.Sprintf("%d due", len(due))
	})
	ids, uids := map[string]string{}, map[string]map[string]bool{}
	out.mu.Lock()
	defer out.mu.Unlock()
	for _, mail := range out.mails {
		m := messageIDPattern.FindStringSubmatch(mail)
		uid := regexp.MustCompile(`crash-\d+-\d+-\d+`).FindString(mail)
		if m == nil || uid == "" {
			t.Fatalf("a mail without Message-ID or subject:\n%.600s", mail)
		}
		if other, seen := ids[m[1]]; seen && other != mail {
			t.Errorf("two different mails have the Message-ID %s", m[1])
		}
		ids[m[1]] = mail
		if uids[uid] == nil {
			uids[uid] = map[string]bool{}
		}
		uids[uid][m[1]] = true
	}
	for uid := range acknowledged {
		if len(uids[uid]) != 1 {
			t.Errorf("the invitation to %s went out as %d different messages", uid, len(uids[uid]))
		}
	}
	if len(acknowledged) < rounds*clients*20 {
		t.Errorf("only %d events were acknowledged: this was no load", len(acknowledged))
	}
}

func TestRelayDownThenUp(t *testing.T) {
	addr := freePort(t)
	s := newService(t, "example.test", []string{"alice"}, "--mail-relay", "smtp://"+addr+"?tls=none").start()
	text := event("down-1", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:x\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:guest@outside.test")
	s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/down.ics", text, "Content-Type", "text/calendar"))
	eventually(t, "a failed attempt is in the journal", func() (bool, string) {
		out := s.cli("", "message", "list", "--json")
		return strings.Contains(out, `"attempts":[{`), out
	})
	if m := s.messages(); len(m) != 1 || m[0].State != "due" {
		t.Fatalf("journal: %+v", m)
	}
	out := startRelay(t, addr, nil)
	s.cli("", "message", "retry", s.messages()[0].ID)
	eventually(t, "the message went out", func() (bool, string) {
		m := s.messages()
		return m[0].State == "sent", m[0].State
	})
	if out.count() != 1 {
		t.Errorf("the relay has %d mails", out.count())
	}
	s.has("alice", "down-1", "ATTENDEE", `SCHEDULE-STATUS=1.1`)
}

func TestRelayRefuses(t *testing.T) {
	for _, tt := range []struct {
		name      string
		answer    *smtp.SMTPError
		state     string
		statusHas string
	}{
		{"for good", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}, "failed", `SCHEDULE-STATUS=3.7`},
		{"for now", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}, "due", `SCHEDULE-STATUS=1.0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := startRelay(t, "127.0.0.1:0", func(int) error { return tt.answer })
			s := newService(t, "example.test", []string{"alice"}, "--mail-relay", "smtp://"+out.addr+"?tls=none").start()
			text := event("refused-1", "DTSTART:20270401T100000Z\nDTEND:20270401T110000Z\nSUMMARY:x\nORGANIZER:mailto:alice@example.test\nATTENDEE;RSVP=TRUE:mailto:guest@outside.test")
			s.expect(201, s.do("alice", "PUT", "/dav/calendars/alice/default/r.ics", text, "Content-Type", "text/calendar"))
			eventually(t, "the relay's words are in the journal", func() (bool, string) {
				said := s.cli("", "message", "list", "--json")
				return strings.Contains(said, tt.answer.Message), said
			})
			if m := s.messages(); m[0].State != tt.state {
				t.Errorf("state %q, want %q", m[0].State, tt.state)
			}
			s.has("alice", "refused-1", "ATTENDEE", tt.statusHas)
		})
	}
}
