package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/store"
)

const (
	claimSize  = 100 // rows leased at once
	underWay   = 4   // batches that may be with their transports at the same time: a slow relay holds up nobody else
	localBatch = 200 // recipients in one local transaction
	rounds     = 6   // request → answer → refreshed copies, and some; the rest is the courier's
)

// Run is the courier: it sends due rows until ctx ends, then waits for what is
// under way and returns. Any number may run on one store. The error is
// ctx.Err(): trouble with the store is logged and tried again.
func (j *Journal) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	defer busy.Wait()
	if j.named {
		if err := j.release(ctx); err != nil && ctx.Err() == nil {
			j.o.Log.Error("courier cannot take back what it held before", "error", err)
		}
	}
	slots := make(chan struct{}, underWay)
	for ctx.Err() == nil {
		batches, err := j.claim(ctx)
		if err != nil && ctx.Err() == nil {
			j.o.Log.Error("courier cannot read the journal", "error", err)
		}
		for _, b := range batches {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err() // the lease runs out and another courier takes it
			}
			busy.Add(1)
			go func() {
				defer busy.Done()
				defer func() { <-slots; j.Wake() }()
				j.carry(ctx, b)
			}()
		}
		if len(batches) == 0 {
			j.rest(ctx)
		}
	}
	return ctx.Err()
}

// Step sends the rows that are due now, one after the other, and says how many
// there were: one round of [Journal.Run], for callers that decide themselves when.
func (j *Journal) Step(ctx context.Context) (int, error) {
	batches, err := j.claim(ctx)
	n := 0
	for _, b := range batches {
		j.carry(ctx, b)
		n += len(b.entries)
	}
	return n, err
}

// release ends the leases of this node: a courier of its name that held them
// is gone, or it would not be starting now.
func (j *Journal) release(ctx context.Context) error {
	return j.o.Store.Update(ctx, func(tx *store.Tx) error {
		f := store.EntryFilter{Direction: Out, States: []string{Due}, Limit: claimSize}
		for {
			rows, err := tx.Entries(f)
			if err != nil {
				return fmt.Errorf("look for leases: %w", err)
			}
			for _, e := range rows {
				if f.Before = e.ID; e.LeaseOwner != j.o.Node {
					continue
				}
				e.LeaseOwner, e.LeaseUntil = "", time.Time{}
				if err := tx.UpdateEntry(e); err != nil {
					return fmt.Errorf("release message %d: %w", e.ID, err)
				}
			}
			if len(rows) < f.Limit {
				return nil
			}
		}
	})
}

// rest waits until a row is due, somebody wakes the courier, or the next poll.
func (j *Journal) rest(ctx context.Context) {
	wait := j.o.Poll
	// Between polls only the time of the next row is read, never a write lock.
	for {
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-j.wake:
			t.Stop()
			return
		case <-t.C:
		}
		due, ok, err := j.nextDue(ctx)
		if err != nil {
			if ctx.Err() == nil {
				j.o.Log.Error("courier cannot read the journal", "error", err)
			}
			continue
		}
		if ok && !due.After(j.o.Now()) {
			return
		}
	}
}

func (j *Journal) nextDue(ctx context.Context) (due time.Time, ok bool, err error) {
	err = j.o.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		due, ok, err = tx.NextDue()
		return err
	})
	return due, ok, err
}

type batch struct {
	way     Transport // nil: nobody accepts the recipients
	entries []*store.Entry
}

// claim leases due rows and sorts them by transport, order kept.
func (j *Journal) claim(ctx context.Context) ([]batch, error) {
	now := j.o.Now().UTC()
	if due, ok, err := j.nextDue(ctx); err != nil || !ok || due.After(now) {
		return nil, err
	}
	var rows []store.Entry
	err := j.o.Store.Update(ctx, func(tx *store.Tx) error {
		var err error
		rows, err = tx.ClaimDue(now, j.o.Lease, claimSize, j.o.Node)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim due messages: %w", err)
	}
	var out []batch
	for i := range rows {
		e := &rows[i]
		way := j.wayTo(ctx, e)
		k := slices.IndexFunc(out, func(b batch) bool { return b.way == way })
		if k < 0 {
			out = append(out, batch{way: way})
			k = len(out) - 1
		}
		out[k].entries = append(out[k].entries, e)
	}
	return out, nil
}

// carry sends a batch and writes what became of it.
func (j *Journal) carry(ctx context.Context, b batch) []*store.Entry {
	outs := make([]Outcome, 0, len(b.entries))
	name := ""
	if b.way == nil {
		for range b.entries {
			// RFC 6638 3.2.9: 5.2, no way to deliver the message was found.
			outs = append(outs, Outcome{State: Failed, Status: "5.2", Reason: "no-way", Sentence: "There is no way to send messages to this address: it is not one of ours, and no mail relay is configured."})
		}
	} else {
		name = b.way.Name()
		outs = b.way.Send(ctx, b.entries)
	}
	for len(outs) < len(b.entries) { // a transport that breaks its promise loses nothing
		outs = append(outs, Outcome{State: Retry, Reason: "no-outcome", Sentence: "The transport " + name + " gave no answer for this message."})
	}
	// What was sent is written down even when the process is being stopped.
	wctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := j.settle(wctx, name, b.entries, outs[:len(b.entries)], Due); err != nil {
		j.o.Log.Error("outcomes of messages are not written; they will be sent again", "transport", name, "messages", len(b.entries), "error", err)
	}
	var next []*store.Entry
	for _, o := range outs {
		next = append(next, o.Next...)
	}
	return next
}

// DeliverLocal carries rows that were just committed to the calendar users of
// this service, in few transactions, and returns when that is done or the
// deadline is over; what is not done then is the courier's, as are all other
// rows: those whose writer did not lease them for itself, or that have to wait
// for an earlier message. Answers that the deliveries cause (a room's, refreshed copies) are
// delivered too.
func (j *Journal) DeliverLocal(ctx context.Context, entries []*store.Entry) {
	if len(entries) == 0 {
		return
	}
	// A caller that goes away does not leave a half-informed office behind.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.o.LocalDeadline)
	defer cancel()
	var local Transport
	for _, t := range j.ways() {
		if t.Name() == Local {
			local = t
		}
	}
	others := false
	for round := 0; len(entries) > 0 && ctx.Err() == nil; round++ {
		var now []*store.Entry
		for _, e := range entries {
			switch {
			case e.State != Due:
			case e.Transport == Local && e.LeaseOwner != "" && local != nil && round < rounds:
				now = append(now, e)
			default:
				others = true
			}
		}
		entries = nil
		for part := range slices.Chunk(now, localBatch) {
			entries = append(entries, j.carry(ctx, batch{way: local, entries: part})...)
		}
	}
	if others || len(entries) > 0 {
		j.Wake()
	}
}

// Report writes an outcome that came after the attempt was over: a delivery
// status notification for a row that is sent, say. Rows that have failed, or
// were superseded, stay as they are.
func (j *Journal) Report(ctx context.Context, account store.AccountID, id int64, o Outcome) error {
	var e store.Entry
	err := j.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Entry(account, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("report on message %d: %w", id, err)
	}
	return j.settle(ctx, e.Transport, []*store.Entry{&e}, []Outcome{o}, Due, Sent, Delivered)
}

// settle writes outcomes to rows that are in one of some states, and what
// follows from them, in one transaction.
func (j *Journal) settle(ctx context.Context, transport string, entries []*store.Entry, outs []Outcome, states ...string) error {
	j.mu.RLock()
	hook := j.onSettle
	j.mu.RUnlock()
	// Transports are asked before the transaction: they may look something up.
	passedTo := map[int]string{}
	for i, o := range outs {
		if o.State == Pass {
			passedTo[i] = j.wayAfter(ctx, transport, ical.Address(entries[i].To))
		}
	}
	var done []Settled
	err := j.o.Store.Update(ctx, func(tx *store.Tx) error {
		done = done[:0]
		rows, err := stored(tx, entries)
		if err != nil {
			return err
		}
		for i, e := range entries {
			row, there := rows[e.ID]
			if !there {
				continue // the account is gone, and its messages with it
			}
			if !slices.Contains(states, row.State) {
				continue // another node was quicker
			}
			o := j.record(&row, transport, passedTo[i], outs[i])
			if err := tx.UpdateEntry(row); err != nil {
				return fmt.Errorf("write outcome of message %d: %w", e.ID, err)
			}
			done = append(done, Settled{&row, o})
		}
		if hook == nil || len(done) == 0 {
			return nil
		}
		return hook(tx, done)
	})
	if err != nil {
		return err
	}
	for _, d := range done {
		if d.Outcome.State == Failed {
			j.o.Log.Warn("message failed", "method", d.Entry.Method, "uid", d.Entry.UID, "to", d.Entry.To, "transport", transport, "status", d.Entry.Status, "reason", d.Entry.Reason, "sentence", d.Outcome.Sentence)
		}
		if j.o.OnOutcome != nil {
			j.o.OnOutcome(ctx, d.Entry, d.Outcome)
		}
	}
	return nil
}

// stored reads rows as they are now, by ID.
func stored(tx *store.Tx, entries []*store.Entry) (map[int64]store.Entry, error) {
	ids := map[store.AccountID][]int64{}
	for _, e := range entries {
		ids[e.Account] = append(ids[e.Account], e.ID)
	}
	all := make(map[int64]store.Entry, len(entries))
	for account, list := range ids {
		rows, err := tx.EntriesByID(account, list)
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		maps.Copy(all, rows)
	}
	return all, nil
}

// usualStatus by state, RFC 6638 3.2.9.
var usualStatus = map[string]string{Delivered: "1.2", Sent: "1.1", Retry: "1.0", Failed: "5.1"}

// record puts an outcome into the row: attempt, state, next attempt. next is
// the transport that has the row when this one passes it on.
func (j *Journal) record(row *store.Entry, transport, next string, o Outcome) Outcome {
	now := j.o.Now().UTC()
	if o.State == Pass && next == "" {
		if o.State = Failed; o.Status == "" || o.Status == usualStatus[Retry] {
			o.State = Retry
		}
	}
	passed := o.State == Pass
	if passed {
		o.State, o.Status = Retry, usualStatus[Retry]
	}
	if _, known := usualStatus[o.State]; !known {
		o.State, o.Sentence = Retry, fmt.Sprintf("The transport %s answered with the unknown state %q.", transport, o.State)
	}
	if o.Status == "" {
		o.Status = usualStatus[o.State]
	}
	if len(row.Attempts) < maxAttemptsKept {
		row.Attempts = append(row.Attempts, store.Attempt{Time: now, Transport: transport, Status: o.Status, Sentence: o.Sentence})
	} else { // the first ones and the latest tell the story
		row.Attempts[len(row.Attempts)-1] = store.Attempt{Time: now, Transport: transport, Status: o.Status, Sentence: o.Sentence}
	}
	if transport != "" {
		row.Transport = transport
	}
	if passed {
		row.Transport = next
	}
	row.LeaseOwner, row.LeaseUntil, row.Updated = "", time.Time{}, now
	row.Reason, row.Sentence = o.Reason, o.Sentence
	if passed {
		row.State, row.Status, row.NextAttempt = Due, o.Status, now
		return o
	}
	if o.State == Retry {
		if now.Sub(since(row)) >= j.patience(transport).GiveUp {
			o.State, o.Status = Failed, "5.1"
			row.Sentence = fmt.Sprintf("Given up after %s: %s", days(now.Sub(since(row))), o.Sentence)
		} else {
			after := o.After
			if after <= 0 {
				after = j.pause(transport, len(row.Attempts))
			}
			row.State, row.Status, row.NextAttempt = Due, "1.0", now.Add(after)
			return o
		}
	}
	row.State, row.Status = o.State, o.Status
	return o
}

// since is when the time to give up began: with the row, or when a person
// asked for it to be sent again.
func since(row *store.Entry) time.Time {
	t := row.Created
	for _, a := range row.Attempts {
		if a.Sentence == askedAgain {
			t = a.Time
		}
	}
	return t
}

// maxAttemptsKept in a row. Five days of mail are about 40.
const maxAttemptsKept = 60

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
