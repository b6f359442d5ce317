package davserver

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// flight bounds what requests under way hold in memory for their clients: large
// bodies on their way in, and texts and pieces of answers until the client has
// taken them. No account gets more than what is then still free for the others,
// so that a few clients that take their time leave as much as each of them has:
// of one account at most a third, of two greedy ones a third each, of nine a
// tenth. Where room is short all the same, the answer that has waited longest
// for its client ends.
type flight struct {
	mu    sync.Mutex
	used  int
	by    map[store.AccountID]int
	holds map[*hold]struct{}
	freed chan struct{}    // closed when something is given back, nil while nobody waits
	wait  time.Duration    // how long a request waits for room before it is refused; 0 is flightWait
	now   func() time.Time // nil is time.Now
}

// hold is room that somebody has.
type hold struct {
	who    store.AccountID
	octets int
	taker  taker
}

// taker is what holds room and can be asked how its client does. Both are
// called while the room is held, and never afterwards.
type taker interface {
	// waits is since when the client has to give or to take a piece, zero while
	// nothing waits for it.
	waits() time.Time
	// cut ends the request.
	cut()
}

const (
	// flightTotal is all of it, and flightShare what one account may have.
	flightTotal = 192 << 20
	flightShare = flightTotal / 3
	// flightReserve is kept for accounts that have at most flightLeast.
	flightReserve = flightTotal / 4
	flightLeast   = 4 << 20
	flightWait    = 5 * time.Second
	// flightPatience is how long a client may take for one piece of its body or
	// of the answer while others wait for room. On a line of 1 Mbit/s a piece
	// takes two seconds.
	flightPatience = 4 * time.Second
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
func (f *flight) take(ctx context.Context, who store.AccountID, n int, t taker) (give func(), err error) {
	h := &hold{who, min(n, flightShare), t}
	wait := cmp.Or(f.wait, flightWait)
	var patience *time.Timer
	var look *time.Ticker // whether clients that were prompt a moment ago have become slow
	for {
		f.mu.Lock()
		if f.fits(h) {
			f.add(h)
			f.mu.Unlock()
			return sync.OnceFunc(func() { f.give(h) }), nil
		}
		f.press(h)
		if f.freed == nil {
			f.freed = make(chan struct{})
		}
		freed := f.freed
		f.mu.Unlock()
		if patience == nil {
			patience, look = time.NewTimer(wait), time.NewTicker(max(wait/10, time.Nanosecond))
			defer patience.Stop()
			defer look.Stop()
		}
		select {
		case <-freed:
		case <-look.C:
		case <-patience.C:
			return nil, problem.New(problem.Unavailable, "Too many large requests are under way. Come again in a moment.")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fits reports whether there is room.
func (f *flight) fits(h *hold) bool {
	mine, free := f.by[h.who], flightTotal-f.used
	if mine+h.octets <= flightLeast {
		return h.octets <= free
	}
	free -= flightReserve
	return mine+h.octets <= min(flightShare, free) || mine <= flightShare/8 && h.octets <= free
}

func (f *flight) add(h *hold) {
	if f.by == nil {
		f.by, f.holds = map[store.AccountID]int{}, map[*hold]struct{}{}
	}
	f.used += h.octets
	f.by[h.who] += h.octets
	f.holds[h] = struct{}{}
}

// press cuts requests whose clients let us wait until there would be room for
// h: first those that have waited longest, and only of accounts that hold more
// than the one who asks, who else could end the requests of others by asking.
func (f *flight) press(h *hold) {
	now := time.Now
	if f.now != nil {
		now = f.now
	}
	type waiting struct {
		*hold
		since time.Time
	}
	var slow []waiting
	mine := f.by[h.who] + h.octets
	for o := range f.holds {
		if o.taker == nil || f.by[o.who] <= mine {
			continue
		}
		if since := o.taker.waits(); !since.IsZero() && now().Sub(since) >= flightPatience {
			slow = append(slow, waiting{o, since})
		}
	}
	slices.SortFunc(slow, func(a, b waiting) int { return a.since.Compare(b.since) })
	missing := mine - (flightTotal - f.used)
	if mine > flightLeast {
		missing += flightReserve
	}
	for _, w := range slow {
		if missing <= 0 {
			return
		}
		w.taker.cut()
		missing -= w.octets
	}
}

func (f *flight) give(h *hold) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used -= h.octets
	if f.by[h.who] -= h.octets; f.by[h.who] <= 0 {
		delete(f.by, h.who)
	}
	delete(f.holds, h)
	if f.freed != nil {
		close(f.freed)
		f.freed = nil
	}
}

// hold takes room until the request is done.
func (q *request) hold(n int) error {
	give, err := q.s.flight.take(q.ctx, q.by.Account, n, q)
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

// waits implements [taker].
func (q *request) waits() time.Time {
	if since := q.waiting.Load(); since != 0 {
		return time.Unix(0, since)
	}
	return time.Time{}
}

// cut implements [taker]: what waits for the client fails, and so does what
// would come after it.
func (q *request) cut() {
	if q.cutOff.CompareAndSwap(false, true) {
		c := http.NewResponseController(q.w)
		_ = c.SetWriteDeadline(time.Unix(1, 0))
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}
