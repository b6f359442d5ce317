package gate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Limits of messages within an hour; 0 = not counted.
type Limits struct {
	Sender    int // of one address
	Domain    int // new invitations from one domain
	Recipient int // new invitations to one account
}

// Kinds of floods.
const (
	BySender    = "sender"
	ByDomain    = "domain"
	ToRecipient = "recipient"
)

var kinds = [...]string{BySender, ByDomain, ToRecipient}

// States of an outbreak.
const (
	Open     = "open"
	Released = "released" // the administrator says that it is none
	Rejected = "rejected"
)

// DeferAbove is how many times a limit is passed before mail is not taken any
// more for the time being (451): held messages need room too.
const DeferAbove = 4

// span over which messages are counted.
const span = time.Hour

// maxCounted bounds the senders that are counted at a time. Beyond it new ones
// are not: their domain and their recipients are.
const maxCounted = 100_000

// window counts by key over the last hour, in two halves of which the older
// weighs less the older it is: a key costs one number, and looking one costs the
// same for any number of keys.
type window struct {
	most int

	mu        sync.Mutex
	begin     time.Time // of now
	now, past map[string]int
}

// add counts one message and gives how many there were within the hour.
func (w *window) add(key string, at time.Time, n int) int {
	if w.most <= 0 || key == "" {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch since := at.Sub(w.begin); {
	case w.now == nil || since >= 2*span || since < 0:
		w.begin, w.now, w.past = at.Truncate(span), map[string]int{}, nil
	case since >= span:
		w.begin, w.now, w.past = w.begin.Add(span), map[string]int{}, w.now
	}
	if _, counted := w.now[key]; counted || len(w.now) < maxCounted {
		if n > 0 {
			w.now[key] += n
		}
	}
	left := float64(span-at.Sub(w.begin)) / float64(span)
	return w.now[key] + int(left*float64(w.past[key]))
}

func (w *window) forget(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.now, key)
	delete(w.past, key)
}

// Arrived is a message that is counted.
type Arrived struct {
	Sender, Domain, Recipient string // lower case; "" is not counted
	New                       bool   // about an event that is not known: an invitation, a publication
}

// Exceeded names the limit that a message passes.
type Exceeded struct {
	Kind, Subject string
	Count, Limit  int
	First         bool // it is the one that passes it
}

// Count counts a message and gives the limit that it passes, nil for none.
func (g *Gate) Count(a Arrived) *Exceeded {
	now := g.now()
	keys := [...]string{a.Sender, a.Domain, a.Recipient}
	var out *Exceeded
	for i := range g.counts {
		if i > 0 && !a.New {
			break // answers to what somebody organizes come in hundreds, and are welcome
		}
		w := &g.counts[i]
		if n := w.add(keys[i], now, 1); w.most > 0 && n > w.most && out == nil {
			out = &Exceeded{kinds[i], keys[i], n, w.most, n == w.most+1}
		}
	}
	return out
}

// Crowded tells whether so much comes from, or for, somebody that no more should
// be taken for now.
func (g *Gate) Crowded(a Arrived) bool {
	now := g.now()
	keys := [...]string{a.Sender, a.Domain, a.Recipient}
	for i := range g.counts {
		w := &g.counts[i]
		if w.most > 0 && w.add(keys[i], now, 0) > DeferAbove*w.most {
			return true
		}
	}
	return false
}

// quiet is how long an outbreak lasts without a message before the next one is
// another, and how long a released one is left alone.
const quiet = 24 * time.Hour

// Note writes down that a message was held or put off. Released says that the
// administrator has said it is no flood: then it is none. fresh is a new
// outbreak, which somebody should be told of.
func (g *Gate) Note(ctx context.Context, x Exceeded) (released, fresh bool, err error) {
	now := g.now()
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		released, fresh = false, true
		f := store.Flood{Kind: x.Kind, Subject: x.Subject, Began: now, Last: now, Seen: 1, State: Open}
		list, err := tx.FloodsOf(x.Kind, x.Subject, 1)
		if err != nil {
			return fmt.Errorf("earlier floods of %s: %w", x.Subject, err)
		}
		for _, last := range list {
			if now.Sub(last.Last) > quiet {
				continue
			}
			if last.State == Released {
				released, fresh = true, false
				return nil
			}
			f.Began, fresh = last.Began, false
		}
		return tx.SetFlood(f)
	})
	return released, fresh, err
}

// Flood is one outbreak, as administrators see it.
type Flood struct {
	Kind    string    `json:"kind"` // sender, domain or recipient
	Subject string    `json:"subject"`
	Began   time.Time `json:"began"`
	Last    time.Time `json:"last"`
	Seen    int64     `json:"seen"`  // messages that were held or put off
	State   string    `json:"state"` // open, released or rejected
}

// Floods lists the latest outbreaks, for administrators.
func (g *Gate) Floods(ctx context.Context, by account.Actor, limit int) (out []Flood, err error) {
	if err := MayFlood(by); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		list, err := tx.Floods(limit)
		for _, f := range list {
			out = append(out, Flood(f))
		}
		return err
	})
	return out, err
}

// Settle writes what an administrator made of an outbreak.
func (g *Gate) Settle(tx *store.Tx, kind, subject, state string) error {
	for i, k := range kinds {
		if k == kind {
			g.counts[i].forget(subject)
		}
	}
	return tx.SettleFloods(kind, subject, state)
}

// MayFlood refuses those who are no administrators.
func MayFlood(by account.Actor) error {
	if !by.Admin {
		return problem.New(problem.NeedPrivileges, "What is held for a flood of mail is the administrators' to decide.")
	}
	return nil
}
