package cip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// cutter makes connections that end at any octet.
type cutter struct {
	mu   sync.Mutex
	r    *rand.Rand
	cuts atomic.Int64
	off  atomic.Bool
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil || c.off.Load() {
		return conn, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cutConn{Conn: conn, c: c, in: c.r.IntN(1500), out: c.r.IntN(15000)}, nil
}

type cutConn struct {
	net.Conn
	c       *cutter
	in, out int // octets that still pass
}

var errCut = errors.New("the connection was cut")

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.in -= n; c.in < 0 {
		c.c.cuts.Add(1)
		c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if n := min(len(b), max(c.out, 0)); n < len(b) {
		c.c.cuts.Add(1)
		c.Conn.Write(b[:n])
		c.Conn.Close()
		return n, errCut
	}
	c.out -= len(b)
	return c.Conn.Write(b)
}

// A thousand meetings between two services whose connections are cut at any
// octet: each arrives, each answer comes back, and none is there twice.
func TestThousandMeetingsOverCutConnections(t *testing.T) {
	meetings := 1000
	if testing.Short() {
		meetings = 100
	}
	cut := &cutter{r: rand.New(rand.NewPCG(1, 2))}
	dial := func(o *Options) { o.Dial = cut.dial }
	a, b := start(t, "a.test", []string{"ann"}, dial), start(t, "b.test", []string{"ben"}, dial)
	join(a, b, cip.VCal10)
	a.courier()
	b.courier()
	for i := range meetings {
		a.put("ann", fmt.Sprintf("%d.ics", i), meetingText(fmt.Sprintf("m%d@a.test", i), "ann@a.test", "SUMMARY:x\n", "ben@b.test"))
	}
	objects := func(s *side, who, coll string) (list []store.Object) {
		if err := s.Calendar.List(t.Context(), s.actor(who), s.people[who].ID, coll, func(o store.Object) error { list = append(list, o); return nil }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	eventually(t, "ben has them all", func() (bool, string) {
		n := len(objects(b, "ben", "default"))
		return n >= meetings, fmt.Sprint(n)
	})
	for i := range meetings {
		b.respond("ben", fmt.Sprintf("m%d@a.test", i), "ACCEPTED")
	}
	eventually(t, "nothing is under way", func() (bool, string) {
		n := 0
		for _, s := range []*side{a, b} {
			n += len(s.rows(store.EntryFilter{States: []string{journal.Due, journal.Retry}}))
		}
		return n == 0, fmt.Sprint(n, " messages are under way")
	})
	// Nothing comes any more; each is there once on both sides.
	for i := range meetings {
		uid := fmt.Sprintf("m%d@a.test", i)
		for _, text := range []string{a.object("ann", uid), b.object("ben", uid)} {
			if strings.Count(text, "\nATTENDEE") != 2 || strings.Count(text, "PARTSTAT=ACCEPTED") != 2 || !strings.Contains(text, "SUMMARY:x") {
				t.Errorf("not the meeting that was made and accepted:\n%s", text)
			}
		}
	}
	for _, in := range []struct {
		s         *side
		who, coll string
	}{{a, "ann", "default"}, {a, "ann", "inbox"}, {b, "ben", "default"}, {b, "ben", "inbox"}} {
		seen := map[string]int{}
		for _, o := range objects(in.s, in.who, in.coll) {
			if seen[o.UID]++; seen[o.UID] > 1 {
				t.Errorf("%s: %d times in %s's %s", o.UID, seen[o.UID], in.who, in.coll)
			}
		}
		if len(seen) != meetings {
			t.Errorf("%d meetings in %s's %s, want %d", len(seen), in.who, in.coll, meetings)
		}
	}
	again := 0
	for _, to := range []struct {
		s, from *side
		method  string
	}{{b, a, "REQUEST"}, {a, b, "REPLY"}} {
		applied := map[string]int{}
		for _, r := range to.s.rows(store.EntryFilter{Direction: journal.In}) {
			switch {
			case r.Method != to.method:
				t.Errorf("%s came to %s", r.Method, to.s.domain)
			case r.State == "applied":
				applied[r.UID]++
			case r.State == "unchanged": // said again, since the completion was lost
				again++
			default:
				t.Errorf("%s about %s is %s: %s", r.Method, r.UID, r.State, r.Sentence)
			}
		}
		for uid, n := range applied {
			if n != 1 {
				t.Errorf("the %s about %s was applied %d times", to.method, uid, n)
			}
		}
		if len(applied) != meetings {
			t.Errorf("%d times %s applied, want %d", len(applied), to.method, meetings)
		}
		sent := to.from.rows(store.EntryFilter{Direction: journal.Out})
		for _, r := range sent {
			if r.State != "delivered" || r.Transport != Name || r.Method != to.method {
				t.Errorf("%s about %s is %s by %s: %s", r.Method, r.UID, r.State, r.Transport, r.Sentence)
			}
		}
		if len(sent) != meetings {
			t.Errorf("%s sent %d messages, want %d", to.from.domain, len(sent), meetings)
		}
	}
	if meetings == 1000 && again == 0 {
		t.Error("no command was repeated after it had been carried out: the test tests less than it should")
	}
	t.Logf("%d commands were repeated after they had been carried out", again)
	if n := cut.cuts.Load(); n < int64(meetings)/20 {
		t.Errorf("only %d connections were cut: the test tests nothing", n)
	} else {
		t.Logf("%d connections cut", n)
	}
}
