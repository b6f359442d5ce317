package cip

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

// Somebody moved to a third server: the message follows, and the next goes
// there at once; a chain that is too long ends.
func TestFollowsMoves(t *testing.T) {
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"carol", "dan"}, nil)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, cip.VCal10)
	join(a, c, cip.VCal10)
	a.courier()
	c.courier()
	for _, m := range [][2]string{{"carol@b.test", "carol@c.test"}, {"dan@b.test", "dan2@c.test"}} {
		if err := b.Accounts.Rename(t.Context(), ical.Mailto(m[0]), ical.Mailto(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test", "dan@b.test"))
	c.has("carol", "1@a.test", "ATTENDEE", "carol@c.test")
	c.respond("carol", "1@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "carol@b.test")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=3.7", "dan@b.test")
	if err := a.Store.View(t.Context(), func(tx *store.Tx) error {
		if m, err := tx.CIPMovedTo(a.people["ann"].ID, ical.Mailto("dan@b.test").Key()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a move that led nowhere is remembered: %v, %v", m, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b.cip.Pause(true) // nobody needs it any more
	a.put("ann", "2.ics", meetingText("2@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test"))
	c.has("carol", "2@a.test", "SUMMARY:x")
}

// Three redirects are followed and not a fourth, nor one back to where the
// message has been (D-44).
func TestFollowsMovesSoFar(t *testing.T) {
	a := start(t, "a.test", []string{"ann"}, nil)
	a.courier()
	var all []*side
	for _, domain := range []string{"b.test", "c.test", "d.test", "e.test", "f.test"} {
		s := start(t, domain, []string{"far", "near", "round"}, nil)
		join(a, s, cip.VCal10)
		all = append(all, s)
	}
	for i, s := range all[:4] {
		next := all[i+1].domain
		moves := [][2]string{{"far", "far@" + next}}
		if i < 3 {
			moves = append(moves, [2]string{"near", "near@" + next})
		}
		if i == 0 {
			moves = append(moves, [2]string{"round", "round@" + next})
		} else if i == 1 {
			moves = append(moves, [2]string{"round", "round@" + all[0].domain})
		}
		for _, m := range moves {
			if err := s.Accounts.Rename(t.Context(), ical.Mailto(m[0]+"@"+s.domain), ical.Mailto(m[1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "far@b.test", "near@b.test", "round@b.test"))
	all[3].has("near", "1@a.test", "SUMMARY:x")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=1.2", "near@b.test")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=3.7", "far@b.test")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=3.7", "round@b.test")
	if text := all[4].object("far", "1@a.test"); text != "" {
		t.Errorf("a fourth redirect was followed:\n%s", text)
	}
}

// A server that changed its id answers under both, and leads from the old to
// the new.
func TestOldServerID(t *testing.T) {
	b := start(t, "abc.test", []string{"bill"}, func(o *Options) {
		o.Domains = append(o.Domains, "old.test")
		o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1", Password: "x"}}
	})
	if _, err := b.Accounts.Add(t.Context(), account.NewAccount{Address: "mailto:joe@old.test", Password: "joe"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.Rename(t.Context(), "mailto:joe@old.test", "mailto:joe@abc.test"); err != nil {
		t.Fatal(err)
	}
	c := anonymous(t, b)
	if err := c.Login("a.test", "x"); err != nil {
		t.Fatal(err)
	}
	const text = "UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:joe@old.test\r\nATTENDEE:bill@abc.test\r\nATTENDEE:ghost@old.test\r\n"
	r, err := c.SendEvent([]byte(text))
	if want := "[* NOTFOUND ann@a.test * REDIRECT USER joe@old.test IS NOW joe@abc.test * TENTATIVE bill@abc.test * NOTFOUND ghost@old.test]"; err != nil || !r.OK || r.Code != cip.CodePartial || fmt.Sprint(r.Infos) != want {
		t.Errorf("%+v, %v; want %s", r, err, want)
	}
	r, err = c.FreeBusy([]byte("DTSTART:20290601T000000Z\r\nDTEND:20290602T000000Z\r\nATTENDEE:joe@old.test\r\n"))
	if want := "[* REDIRECT USER joe@old.test IS NOW joe@abc.test]"; err != nil || r.OK || fmt.Sprint(r.Infos) != want {
		t.Errorf("%+v, %v; want %s", r, err, want)
	}
}

// holding passes connections on to an address, and keeps what is answered to an
// event back until release is closed.
func holding(t *testing.T, address string, release <-chan struct{}) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", address)
			if err != nil {
				from.Close()
				continue
			}
			var sent atomic.Bool // the event as a whole
			go func() {
				defer to.Close()
				var said []byte
				for b := make([]byte, 4096); ; {
					n, err := from.Read(b)
					said = append(said, b[:n]...)
					if bytes.Contains(said, []byte("\r\n.\r\n")) {
						sent.Store(true)
					}
					if _, failed := to.Write(b[:n]); err != nil || failed != nil {
						return
					}
				}
			}()
			go func() {
				defer from.Close()
				for b := make([]byte, 4096); ; {
					n, err := to.Read(b)
					if sent.Load() {
						<-release
					}
					if _, failed := from.Write(b[:n]); err != nil || failed != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// Who moved may answer before their server has said that it took the event.
func TestAnswerOvertakesMove(t *testing.T) {
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"carol"}, nil)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, cip.VCal10)
	c.to(a, cip.VCal10)
	release := make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	t.Cleanup(let)
	c.address = holding(t, c.address, release)
	a.to(c, cip.VCal10)
	a.courier()
	c.courier()
	if err := b.Accounts.Rename(t.Context(), "mailto:carol@b.test", "mailto:carol@c.test"); err != nil {
		t.Fatal(err)
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test"))
	c.has("carol", "1@a.test", "ATTENDEE", "carol@c.test")
	c.respond("carol", "1@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "carol@b.test")
	let()
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=1.2", "carol@b.test")
}
