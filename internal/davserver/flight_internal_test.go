package davserver

import (
	"context"
	"errors"
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
		give, err := f.take(ctx, store.AccountID(who), n)
		if err != nil {
			t.Fatalf("account %d, %d octets: %v", who, n, err)
		}
		return give
	}
	refused := func(who, n int) {
		t.Helper()
		if _, err := f.take(ctx, store.AccountID(who), n); !problem.Has(err, problem.Unavailable) {
			t.Fatalf("account %d, %d octets: %v, want a refusal", who, n, err)
		}
	}
	small := take(1, weightOfReport)
	all := take(1, 10*flightTotal) // more than there is: the whole share
	refused(1, 1)
	second := take(2, flightShare)
	refused(3, flightShare) // the first has a little more than its share
	take(3, flightShare/2)()
	small()
	refused(1, flightShare/2)
	third := take(3, flightShare)
	refused(4, 1)

	f.wait = time.Minute
	got := make(chan error)
	go func() {
		give, err := f.take(ctx, 4, flightShare)
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
	refill := take(2, flightShare)
	if _, err := f.take(gone, 4, flightShare); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has left: %v", err)
	}
	for _, give := range []func(){all, refill, third, third} { // giving back twice is giving back once
		give()
	}
	if f.used != 0 || len(f.by) != 0 {
		t.Errorf("%d octets are still held by %d accounts", f.used, len(f.by))
	}
}
