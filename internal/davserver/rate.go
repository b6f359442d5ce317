package davserver

import (
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// rate bounds how much one account asks of the service: a bucket for each that
// fills evenly and holds a minute's worth, so that a first synchronisation
// passes at once. Failed sign-ins are slowed elsewhere.
type rate struct {
	perMinute int // 0 = no limit
	mu        sync.Mutex
	buckets   map[store.AccountID]bucket
	swept     time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

// take counts one request, or refuses it and says when to come again.
func (r *rate) take(who store.AccountID, now time.Time) error {
	if r.perMinute <= 0 {
		return nil
	}
	full, each := float64(r.perMinute), float64(r.perMinute)/60
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.buckets == nil || now.Sub(r.swept) > time.Minute { // who was silent for a minute has a full one
		for id, b := range r.buckets {
			if now.Sub(b.at) > time.Minute {
				delete(r.buckets, id)
			}
		}
		if r.buckets == nil {
			r.buckets = map[store.AccountID]bucket{}
		}
		r.swept = now
	}
	b, ok := r.buckets[who]
	if !ok {
		b = bucket{full, now}
	}
	b.left = min(full, b.left+max(now.Sub(b.at), 0).Seconds()*each)
	b.at = now
	if b.left < 1 {
		r.buckets[who] = b
		wait := account.RetryAfter((1 - b.left) / each * float64(time.Second))
		return problem.New(problem.RateLimited, "These are more than %d requests a minute. Come again in a while.", r.perMinute).Because(wait)
	}
	b.left--
	r.buckets[who] = b
	return nil
}
