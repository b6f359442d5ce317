package journal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Add writes one outgoing message in the caller's transaction; see [Journal.AddAll].
func (j *Journal) Add(tx *store.Tx, e *store.Entry) error {
	return j.AddAll(tx, []*store.Entry{e})
}

// AddAll writes outgoing messages in the caller's transaction and coalesces
// them with those to the same recipient about the same UID that have not gone
// out. The rows get their ID; State becomes [Superseded] for a message that
// need not go out at all. Created, NextAttempt and Updated are filled in when
// zero. Rows of one call belong together: they are sent in this order.
func (j *Journal) AddAll(tx *store.Tx, entries []*store.Entry) error {
	type thread struct {
		account store.AccountID
		uid     string
	}
	waiting := map[thread]map[string][]store.Entry{} // by recipient: a meeting may have thousands
	now := j.o.Now().UTC()
	for _, e := range entries {
		e.Direction = Out
		if e.State == "" {
			e.State = Due
		}
		if e.Created.IsZero() {
			e.Created = now
		}
		if e.NextAttempt.IsZero() {
			e.NextAttempt = e.Created
		}
		e.Updated = e.Created
		th := thread{e.Account, e.UID}
		if waiting[th] == nil {
			list, err := tx.EntriesWaiting(e.Account, e.UID)
			if err != nil {
				return fmt.Errorf("look for unsent messages about %s: %w", e.UID, err)
			}
			waiting[th] = map[string][]store.Entry{}
			for _, w := range list {
				key := ical.Address(w.To).Key()
				waiting[th][key] = append(waiting[th][key], w)
			}
		}
		rows := waiting[th][ical.Address(e.To).Key()]
		for i := range rows {
			w := &rows[i]
			if w.Direction != Out || w.State != Due {
				continue
			}
			taken := e
			if e.State == Superseded { // with an earlier one; what else it takes the place of goes with that
				rest := *e
				rest.State = Due
				taken = &rest
			}
			if w.LeaseUntil.After(now) || taken.State != Due || !coalesce(w, taken) { // under way it goes first, and e after it
				if w.LeaseOwner != e.LeaseOwner || e.Created.Sub(w.Created) > oneSave {
					e.LeaseOwner, e.LeaseUntil = "", time.Time{} // the courier keeps the order
				}
				continue
			}
			w.State, w.Updated = Superseded, e.Created
			w.Reason, w.Sentence = "superseded", "A newer message about this event took its place before it was sent."
			if e.State == Superseded {
				w.Reason, w.Sentence = e.Reason, e.Sentence
			}
			if err := tx.UpdateEntry(*w); err != nil {
				return fmt.Errorf("supersede message %d: %w", w.ID, err)
			}
		}
		if err := tx.AddEntry(e); err != nil {
			return fmt.Errorf("journal %s to %s: %w", e.Method, e.To, err)
		}
	}
	return nil
}

// oneSave: rows with the same lease that were written so shortly one after the
// other come of one transaction, which delivers them itself in their order.
const oneSave = time.Second

// coalesce joins a message with one that waits for the same recipient
// (decisions of package itip): false leaves both. Else the older one need not
// go out, and the newer one says it all, or, superseded itself, nothing.
func coalesce(old, new *store.Entry) bool {
	earlier, ok := message(old)
	later, ok2 := message(new)
	if !ok || !ok2 {
		return false
	}
	// An attempt that failed, and one that a crash cut off and that left its
	// lease behind, may have arrived all the same.
	tried := len(old.Attempts) > 0 || old.LeaseOwner != ""
	if tried {
		earlier.First = false
	}
	out := itip.Coalesce(earlier, later)
	if len(out) == 0 && tried {
		out = []itip.Message{later}
	}
	switch len(out) {
	case 0:
		new.State, new.Reason, new.Sentence = Superseded, "taken-back", "The change was taken back before its message was sent; nothing went out."
		if earlier.First && later.Method == itip.Cancel {
			new.Reason, new.Sentence = "annihilated", "The event was cancelled before this invitation was sent; neither went out."
		}
		return true
	case 1:
		m := out[0]
		new.Opens, new.Asks, new.Refresh = m.First, m.Asks, m.Refresh
		new.Changes = nil
		if len(m.Changes) > 0 {
			var err error
			if new.Changes, err = json.Marshal(m.Changes); err != nil {
				return false // plain strings: it cannot fail
			}
		}
		return true
	}
	return false
}

// message is a row as package itip knows it.
func message(e *store.Entry) (itip.Message, bool) {
	cal, err := ical.Parse(e.Calendar)
	if err != nil {
		return itip.Message{}, false
	}
	m := itip.Message{
		Method: itip.Method(strings.ToUpper(e.Method)), From: ical.Address(e.From), To: ical.Address(e.To), UID: e.UID, RecurrenceID: e.RecurrenceID,
		Sequence: e.Sequence, Calendar: cal, Refresh: e.Refresh, First: e.Opens, Asks: e.Asks,
	}
	if len(e.Changes) > 0 && json.Unmarshal(e.Changes, &m.Changes) != nil {
		return m, false
	}
	return m, true
}
