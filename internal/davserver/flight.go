package davserver

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// flight bounds what requests under way hold in memory for their clients: large
// bodies on their way in, and texts and pieces of answers until the client has
// taken them. One account has a share of it, so that a client that takes its
// time, or many of one person, leaves room for the others.
type flight struct {
	mu    sync.Mutex
	used  int
	by    map[store.AccountID]int
	freed chan struct{} // closed when something is given back, nil while nobody waits
	wait  time.Duration // how long a request waits for room before it is refused; 0 is flightWait
}

const (
	// flightTotal is all of it, and flightShare what one account may have.
	flightTotal = 192 << 20
	flightShare = flightTotal / 3
	flightWait  = 5 * time.Second
	// weighty is from where on octets are counted: what is smaller passes with
	// the buffers every connection has anyway.
	weighty = 64 << 10
	// weightOfReport is what an answer of many resources holds: a portion of
	// texts, its spool and what the writer has not passed on.
	weightOfReport = 2 << 20
	// weightOfExport is more than that, since an export keeps a snapshot open
	// while the client reads, and those are few.
	weightOfExport = 16 << 20
	// weightOfParsed is how many times its text an object takes that is read as
	// a calendar, changed and written again.
	weightOfParsed = 5
)

// take makes room for n octets; give must be called once they are no longer
// held. One that is larger than the share gets all of it when its account has
// little else, so that nothing is impossible.
func (f *flight) take(ctx context.Context, who store.AccountID, n int) (give func(), err error) {
	n = min(n, flightShare)
	var patience <-chan time.Time
	for {
		f.mu.Lock()
		mine := f.by[who]
		if f.used+n <= flightTotal && (mine+n <= flightShare || mine <= flightShare/8) {
			if f.by == nil {
				f.by = map[store.AccountID]int{}
			}
			f.used += n
			f.by[who] = mine + n
			f.mu.Unlock()
			return sync.OnceFunc(func() { f.give(who, n) }), nil
		}
		if f.freed == nil {
			f.freed = make(chan struct{})
		}
		freed := f.freed
		f.mu.Unlock()
		if patience == nil {
			timer := time.NewTimer(cmp.Or(f.wait, flightWait))
			defer timer.Stop()
			patience = timer.C
		}
		select {
		case <-freed:
		case <-patience:
			return nil, problem.New(problem.Unavailable, "Too many large requests are under way. Come again in a moment.")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *flight) give(who store.AccountID, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= n
	if f.by[who] -= n; f.by[who] <= 0 {
		delete(f.by, who)
	}
	if f.freed != nil {
		close(f.freed)
		f.freed = nil
	}
}

// hold takes room until the request is done.
func (q *request) hold(n int) error {
	give, err := q.s.flight.take(q.ctx, q.by.Account, n)
	if err == nil {
		q.held = append(q.held, give)
	}
	return err
}

// letGo gives back what the request held.
func (q *request) letGo() {
	for _, give := range q.held {
		give()
	}
	q.held = nil
}
