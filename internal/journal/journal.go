package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/store"
)

// States of a row that the courier reads or writes ([store.Entry.State]).
const (
	Due        = "due"        // to be sent at NextAttempt, or being sent while leased
	Sent       = "sent"       // handed on; whether it arrived is not known (1.1)
	Delivered  = "delivered"  // it is in the recipient's calendar or mailbox (1.2)
	Failed     = "failed"     // given up; Status and Sentence say why
	Superseded = "superseded" // a newer message took its place before it went out

	// Retry is an [Outcome.State] only: the row stays [Due] and is sent again.
	Retry = "retry"
	// Pass is an [Outcome.State] only: this transport does not carry the message,
	// or not any more, and the next one that accepts the recipient has it at once.
	// Where there is none, a Status of "1.0" is a [Retry] and any other a failure.
	Pass = "pass"
)

// Directions of a row.
const (
	In  = "in"
	Out = "out"
)

// Local is the name of the transport that delivers within this service.
const Local = "local"

// Transport carries messages to calendar users in one way: within the
// service, by mail, by CIP. transporttest.Run checks the promises made here.
type Transport interface {
	// Name is written to the row: "local", "mail".
	Name() string
	// Accepts reports whether this transport has a way to the address. It is
	// asked before each attempt and does not change anything.
	Accepts(ctx context.Context, to ical.Address) bool
	// Send carries a batch, in order, and answers with one outcome for each
	// entry at the same index. It may be called again with the same entry after
	// a temporary failure or a crash, and then does not make a second message
	// of it in the eyes of the recipient. One entry that fails does not stop
	// the others. When ctx ends, what is not sent yet answers [Retry].
	Send(ctx context.Context, batch []*store.Entry) []Outcome
}

// Outcome is what became of one entry in one attempt.
type Outcome struct {
	State    string        // Delivered, Sent, Retry, Pass or Failed
	Status   string        // SCHEDULE-STATUS code, RFC 6638 3.2.9; "" = the usual one for State
	Sentence string        // for the sender and the administrator
	Reason   string        // a short machine word
	After    time.Duration // Retry: not before this; 0 = the transport's back-off
	// Next are rows that this delivery itself wrote and that can be delivered
	// at once: a room's answer, the refreshed copies of the other attendees.
	Next []*store.Entry
}

// Settled is a row with what became of it.
type Settled struct {
	Entry   *store.Entry
	Outcome Outcome
}

// Patience is how long and how often a transport is tried.
type Patience struct {
	First  time.Duration // pause after the first failure; doubles with each further one
	Most   time.Duration // the longest pause
	GiveUp time.Duration // from the row's Created; then the message has failed (5.1)
}

// patience by transport. Mail: RFC 5321 4.5.4.1 asks for 4–5 days before
// giving up and for pauses of half an hour and more after the first tries.
var patience = map[string]Patience{
	Local:  {First: time.Second, Most: 5 * time.Minute, GiveUp: 5 * 24 * time.Hour},
	"cip":  {First: time.Minute, Most: 4 * time.Hour, GiveUp: 72 * time.Hour},
	"mail": {First: time.Minute, Most: 4 * time.Hour, GiveUp: 5 * 24 * time.Hour},
	"":     {First: 30 * time.Second, Most: time.Hour, GiveUp: 72 * time.Hour},
}

// Options of a journal. Store is required.
type Options struct {
	Store      *store.Store
	Transports []Transport // asked in order; see also [Journal.Use]
	Now        func() time.Time
	Log        *slog.Logger
	// Node names this process in leases; "" = made up. A name that stays the
	// same over restarts, and that no other process has, lets the courier take
	// back at once what a crash left in its hands.
	Node string

	Lease         time.Duration       // how long a row belongs to the courier that claimed it; default 10 minutes
	Poll          time.Duration       // how often rows of other processes are looked for; default 1 s
	LocalDeadline time.Duration       // most time a saving request waits for local deliveries; default 5 s
	Patience      map[string]Patience // by transport name, instead of the defaults
	Jitter        func() float64      // in [0,1); default random

	// OnOutcome is told of each settled row after the commit.
	OnOutcome func(ctx context.Context, e *store.Entry, o Outcome)
}

// Journal writes rows and carries them. Its methods may be called from
// several goroutines.
type Journal struct {
	o     Options
	named bool // Node was given
	wake  chan struct{}

	mu         sync.RWMutex
	transports []Transport
	onSettle   func(tx *store.Tx, done []Settled) error
}

// New makes a journal. Nothing runs until [Journal.Run].
func New(o Options) *Journal {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	named := o.Node != ""
	if !named {
		var b [8]byte
		rand.Read(b[:]) // never fails, crypto/rand.Read
		o.Node = hex.EncodeToString(b[:])
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Minute
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.LocalDeadline <= 0 {
		o.LocalDeadline = 5 * time.Second
	}
	if o.Jitter == nil {
		o.Jitter = mathrand.Float64
	}
	return &Journal{o: o, named: named, transports: o.Transports, wake: make(chan struct{}, 1)}
}

// Use adds transports behind those there are. Transports need the calendar
// service, which needs the journal, so they come last.
func (j *Journal) Use(t ...Transport) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.transports = append(j.transports[:len(j.transports):len(j.transports)], t...)
}

// OnSettle sets what happens in the transaction that writes outcomes to rows:
// the calendar service sets SCHEDULE-STATUS there. The function may run twice
// for the same rows, and touches its tx and nothing else.
func (j *Journal) OnSettle(fn func(tx *store.Tx, done []Settled) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.onSettle = fn
}

// Wake makes the courier look for due rows now. It never blocks.
func (j *Journal) Wake() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *Journal) ways() []Transport {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.transports
}

// wayTo is the transport for a row: the one its writer knew or another handed
// it on to, the one that has tried it, else the first that accepts the
// recipient, else nil. A row without a method is a mail in words, which no other
// transport could carry.
func (j *Journal) wayTo(ctx context.Context, e *store.Entry) Transport {
	ways := j.ways()
	for _, t := range ways {
		if t.Name() != e.Transport {
			continue
		}
		tried := len(e.Attempts) > 0 && e.Attempts[len(e.Attempts)-1].Transport == e.Transport
		if !tried || e.Method == "" || t.Accepts(ctx, ical.Address(e.To)) {
			return t
		}
	}
	for _, t := range ways {
		if t.Accepts(ctx, ical.Address(e.To)) {
			return t
		}
	}
	return nil
}

// wayAfter is the next transport in order that accepts the recipient, "" when
// there is none.
func (j *Journal) wayAfter(ctx context.Context, transport string, to ical.Address) string {
	past := false
	for _, t := range j.ways() {
		if past && t.Accepts(ctx, to) {
			return t.Name()
		}
		past = past || t.Name() == transport
	}
	return ""
}

func (j *Journal) patience(transport string) Patience {
	if p, ok := j.o.Patience[transport]; ok {
		return p
	}
	if p, ok := patience[transport]; ok {
		return p
	}
	return patience[""]
}

// pause before the next attempt after n failures: doubling, with a jitter of
// a fifth so that rows that failed together do not come back together.
func (j *Journal) pause(transport string, n int) time.Duration {
	p := j.patience(transport)
	d := p.First
	for i := 1; i < n && d < p.Most; i++ {
		d *= 2
	}
	d = min(d, p.Most)
	return d + time.Duration((j.o.Jitter()-0.5)*0.4*float64(d))
}
