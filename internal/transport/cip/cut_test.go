package cip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
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
	eventually(t, "ann has all answers", func() (bool, string) {
		n := 0
		for _, s := range []*side{a, b} {
			n += len(s.rows(store.EntryFilter{States: []string{journal.Due}}))
		}
		return n == 0, fmt.Sprint(n, " messages are under way")
	})
	for i := range meetings {
		a.has("ann", fmt.Sprintf("m%d@a.test", i), "PARTSTAT=ACCEPTED", "ben@b.test")
	}
	for _, coll := range []string{"default", "inbox"} {
		seen := map[string]int{}
		for _, o := range objects(b, "ben", coll) {
			seen[o.UID]++
		}
		for uid, n := range seen {
			if n != 1 {
				t.Errorf("%s: %d times in ben's %s", uid, n, coll)
			}
		}
		if len(seen) != meetings {
			t.Errorf("%d meetings in ben's %s, want %d", len(seen), coll, meetings)
		}
	}
	if got := len(objects(a, "ann", "inbox")); got != meetings {
		t.Errorf("%d answers in ann's inbox, want %d", got, meetings)
	}
	if n := cut.cuts.Load(); n < int64(meetings)/20 {
		t.Errorf("only %d connections were cut: the test tests nothing", n)
	} else {
		t.Logf("%d connections cut", n)
	}
}
