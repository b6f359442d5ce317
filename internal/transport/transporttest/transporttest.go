// Package transporttest checks that a transport keeps the promises of
// [journal.Transport]. Every transport's tests call [Run].
package transporttest

import (
	"context"
	"slices"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// Rig is a transport with its surroundings, made anew for each check. Fields
// that are nil leave out what the transport cannot be made to do; Transport,
// Accepted, Entry and Arrived are required.
type Rig struct {
	Transport journal.Transport
	Accepted  ical.Address // an address there is a way to
	Foreign   ical.Address // one there is no way to; "" when the transport takes every address
	// Entry gives a row, on disk and due, with a message that nobody has had
	// yet, for the accepted address. Each call gives another message.
	Entry func(t *testing.T) *store.Entry
	// Reload gives the row as the store has it now, as after a restart.
	Reload func(t *testing.T, e *store.Entry) *store.Entry
	// Arrived lists what the recipient has had, each message once however
	// often it was seen as the same, by Entry.UID in order.
	Arrived func(t *testing.T) []string
	// Break makes every attempt fail for the time being; Mend ends it.
	Break, Mend func(t *testing.T)
	// Hopeless gives a row that can never be delivered.
	Hopeless func(t *testing.T) *store.Entry
}

// statuses a transport may report with a state (RFC 6638 3.2.9).
var statuses = map[string][]string{
	journal.Delivered: {"", "1.2", "2.0"},
	journal.Sent:      {"", "1.1"},
	journal.Retry:     {"", "1.0", "5.1"},
	journal.Failed:    {"", "3.7", "3.8", "5.1", "5.2", "5.3"},
}

// Run checks a transport. The factory is called for each check.
func Run(t *testing.T, factory func(t *testing.T) Rig) {
	ctx := func(t *testing.T) context.Context { return t.Context() }

	t.Run("accepts what it has a way to", func(t *testing.T) {
		r := factory(t)
		if r.Transport.Name() == "" {
			t.Error("the transport has no name")
		}
		if !r.Transport.Accepts(ctx(t), r.Accepted) {
			t.Errorf("does not accept %s", r.Accepted)
		}
		if r.Foreign != "" && r.Transport.Accepts(ctx(t), r.Foreign) {
			t.Errorf("accepts %s", r.Foreign)
		}
		if r.Transport.Accepts(ctx(t), "") {
			t.Error("accepts an empty address")
		}
	})

	t.Run("delivers a batch in order with an outcome for each", func(t *testing.T) {
		r := factory(t)
		var batch []*store.Entry
		var want []string
		for range 5 {
			e := r.Entry(t)
			batch, want = append(batch, e), append(want, e.UID)
		}
		for i, o := range send(t, r, batch) {
			if o.State != journal.Delivered && o.State != journal.Sent {
				t.Errorf("entry %d: %s %s: %s", i, o.State, o.Status, o.Sentence)
			}
		}
		if got := r.Arrived(t); !slices.Equal(got, want) {
			t.Errorf("arrived %q, want %q", got, want)
		}
		if out := r.Transport.Send(ctx(t), nil); len(out) != 0 {
			t.Errorf("an empty batch has %d outcomes", len(out))
		}
	})

	t.Run("sending again does not make a second message", func(t *testing.T) {
		r := factory(t)
		e := r.Entry(t)
		send(t, r, []*store.Entry{e})
		// The process died before the outcome was written: the courier of the
		// next one has the row from the store.
		again := e
		if r.Reload != nil {
			again = r.Reload(t, e)
		}
		for _, o := range send(t, r, []*store.Entry{again}) {
			if o.State == journal.Failed {
				t.Errorf("the second time: failed %s: %s", o.Status, o.Sentence)
			}
		}
		if got := r.Arrived(t); !slices.Equal(got, []string{e.UID}) {
			t.Errorf("arrived %q, want %q once", got, e.UID)
		}
	})

	t.Run("trouble that passes", func(t *testing.T) {
		r := factory(t)
		if r.Break == nil {
			return // nothing lies between us and the recipient
		}
		e := r.Entry(t)
		r.Break(t)
		if o := send(t, r, []*store.Entry{e})[0]; o.State != journal.Retry || o.Sentence == "" {
			t.Errorf("while broken: %s, %q; want retry with a sentence", o.State, o.Sentence)
		}
		r.Mend(t)
		if r.Reload != nil {
			e = r.Reload(t, e)
		}
		if o := send(t, r, []*store.Entry{e})[0]; o.State != journal.Delivered && o.State != journal.Sent {
			t.Errorf("when mended: %s: %s", o.State, o.Sentence)
		}
		if got := r.Arrived(t); !slices.Equal(got, []string{e.UID}) {
			t.Errorf("arrived %q, want %q once", got, e.UID)
		}
	})

	t.Run("a hopeless entry fails and does not stop the others", func(t *testing.T) {
		r := factory(t)
		if r.Hopeless == nil {
			return // every entry that it accepts can be delivered
		}
		before, bad, after := r.Entry(t), r.Hopeless(t), r.Entry(t)
		out := send(t, r, []*store.Entry{before, bad, after})
		if out[1].State != journal.Failed || out[1].Sentence == "" {
			t.Errorf("hopeless: %s, %q; want failed with a sentence", out[1].State, out[1].Sentence)
		}
		if got, want := r.Arrived(t), []string{before.UID, after.UID}; !slices.Equal(got, want) {
			t.Errorf("arrived %q, want %q", got, want)
		}
	})

	t.Run("stops when told to, losing nothing", func(t *testing.T) {
		r := factory(t)
		e := r.Entry(t)
		ended, cancel := context.WithCancel(ctx(t))
		cancel()
		out := r.Transport.Send(ended, []*store.Entry{e})
		if len(out) != 1 {
			t.Fatalf("%d outcomes for one entry", len(out))
		}
		if out[0].State == journal.Failed {
			t.Errorf("an interrupted attempt counts as failed: %s", out[0].Sentence)
		}
		if out[0].State == journal.Retry {
			send(t, r, []*store.Entry{e})
		}
		if got := r.Arrived(t); !slices.Equal(got, []string{e.UID}) {
			t.Errorf("arrived %q, want %q once", got, e.UID)
		}
	})
}

// send checks the form of the outcomes.
func send(t *testing.T, r Rig, batch []*store.Entry) []journal.Outcome {
	t.Helper()
	out := r.Transport.Send(t.Context(), batch)
	if len(out) != len(batch) {
		t.Fatalf("%d outcomes for %d entries", len(out), len(batch))
	}
	for i, o := range out {
		allowed, ok := statuses[o.State]
		if !ok {
			t.Fatalf("entry %d: unknown state %q", i, o.State)
		}
		if !slices.Contains(allowed, o.Status) {
			t.Errorf("entry %d: status %q does not go with %s", i, o.Status, o.State)
		}
	}
	return out
}
