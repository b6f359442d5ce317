package davserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Room for large things is shared: one account cannot take that of others, who
// asks for more than there is waits and is told to come again, and what is
// given back goes to who waits.
func TestFlight(t *testing.T) {
	ctx := t.Context()
	f := &flight{wait: time.Nanosecond}
	take := func(who int, n int) func() {
		t.Helper()
		give, err := f.take(ctx, store.AccountID(who), n, nil)
		if err != nil {
			t.Fatalf("account %d, %d octets: %v", who, n, err)
		}
		return give
	}
	refused := func(who, n int) {
		t.Helper()
		if _, err := f.take(ctx, store.AccountID(who), n, nil); !problem.Has(err, problem.Unavailable) {
			t.Fatalf("account %d, %d octets: %v, want a refusal", who, n, err)
		}
	}
	small := take(1, weightOfReport)
	all := take(1, 10*flightTotal) // more than there is: the whole share
	refused(1, 1)
	second := take(2, flightShare)
	refused(3, flightShare)   // the first has a little more than its share
	refused(3, flightShare/4) // what is left is for those who have little
	take(3, flightLeast)()
	small()
	refused(1, flightShare/2)
	var third []func()
	for who := 3; f.used+flightLeast <= flightTotal; who++ {
		third = append(third, take(who, flightLeast))
	}
	refused(100, flightLeast)

	f.wait = time.Minute
	got := make(chan error)
	go func() {
		give, err := f.take(ctx, 100, flightLeast, nil)
		if err == nil {
			give()
		}
		got <- err
	}()
	for waiting := false; !waiting; {
		f.mu.Lock()
		waiting = f.freed != nil
		f.mu.Unlock()
	}
	second()
	if err := <-got; err != nil {
		t.Error(err)
	}
	gone, leave := context.WithCancel(ctx)
	leave()
	refill := take(2, flightTotal-flightReserve-f.used)
	if _, err := f.take(gone, 100, flightShare, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has left: %v", err)
	}
	for _, give := range append([]func(){all, refill, refill}, third...) { // giving back twice is giving back once
		give()
	}
	if f.used != 0 || len(f.by) != 0 {
		t.Errorf("%d octets are still held by %d accounts", f.used, len(f.by))
	}
}

// client of a request that was answered at a time and has a piece to take.
type client struct {
	since time.Time
	gone  func()
}

func (c *client) waits() time.Time { return c.since }
func (c *client) cut() {
	if c.gone != nil {
		go c.gone() // its request ends, and what it held is given back
	}
}

// Where a few accounts take all they can get, there is room for others, and
// when there is none because of clients that do not read, those end.
func TestFlightIsFair(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, greedy := range []int{1, 2, 3, 6} {
		f := &flight{wait: time.Nanosecond, now: func() time.Time { return now }}
		for who := range greedy {
			for {
				if _, err := f.take(t.Context(), store.AccountID(who+1), weightOfReport, nil); err != nil {
					break
				}
			}
		}
		for other := range 8 {
			if _, err := f.take(t.Context(), store.AccountID(1000+other), weightOfReport, nil); err != nil {
				t.Errorf("beside %d accounts that take what they can: %v", greedy, err)
			}
		}
	}

	f := &flight{wait: time.Minute, now: func() time.Time { return now }}
	var cut []string
	slow := func(who, n int, name string, since time.Time) {
		t.Helper()
		c := &client{since: since}
		give, err := f.take(t.Context(), store.AccountID(who), n, c)
		if err != nil {
			t.Fatal(name, err)
		}
		c.gone = func() {
			f.mu.Lock()
			cut = append(cut, name)
			f.mu.Unlock()
			give()
		}
	}
	slow(1, flightShare, "prompt", now.Add(-time.Second))
	slow(2, flightLeast, "slowest", now.Add(-time.Minute))
	slow(2, flightShare/2, "slow", now.Add(-flightPatience))
	for who := 3; f.used < flightTotal; who++ {
		slow(who, flightLeast, "small", time.Time{})
	}
	give, err := f.take(t.Context(), 100, weightOfReport, nil)
	if err != nil {
		t.Fatal(err)
	}
	give()
	if len(cut) != 1 || cut[0] != "slowest" {
		t.Errorf("ended: %q", cut)
	}
	f.wait = time.Nanosecond
	if _, err := f.take(t.Context(), 2, flightShare, nil); err == nil || len(cut) != 1 {
		t.Errorf("who holds most ended others' requests by asking: %v, %q", err, cut)
	}
}

// A client that asks and does not read is left after a while, or at once when
// others need the room; over a real connection, whose buffers are full soon.
func TestClientsThatDoNotReadAreLeft(t *testing.T) {
	for _, tt := range []struct {
		name string
		wait time.Duration
		cut  bool
	}{{"in time", 100 * time.Millisecond, false}, {"when others need the room", time.Hour, true}} {
		t.Run(tt.name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := &request{s: &server{pieceTime: tt.wait}, ctx: r.Context(), w: w, r: r}
				if tt.cut {
					done := make(chan struct{})
					defer func() { <-done }()
					go func() {
						defer close(done)
						for was := (time.Time{}); ; { // until one piece waits for the client
							now := q.waits()
							if !now.IsZero() && now.Equal(was) {
								q.cut()
								return
							}
							was = now
							runtime.Gosched()
						}
					}()
				}
				piece := make([]byte, 1<<20)
				for {
					if _, err := (timed{q}).Write(piece); err != nil {
						ended <- err
						return
					}
				}
			}))
			defer s.Close()
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if err := <-ended; tt.cut != errors.Is(err, errCutOff) {
				t.Errorf("the answer ended with %v", err)
			}
		})
	}
}
