package journal

import (
	"encoding/json"
	"fmt"
	"slices"
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
	waiting := map[thread][]store.Entry{}
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
		rows, known := waiting[th]
		if !known {
			var err error
			if rows, err = tx.EntriesWaiting(e.Account, e.UID); err != nil {
				return fmt.Errorf("look for unsent messages about %s: %w", e.UID, err)
			}
			waiting[th] = rows
		}
		for i := range rows {
			w := &rows[i]
			if w.Direction != Out || w.State != Due || !ical.Address(w.To).Equal(ical.Address(e.To)) {
				continue
			}
			effect := keep
			if !w.LeaseUntil.After(now) { // else it is under way: it goes first, and e after it
				var err error
				if effect, err = coalesce(tx, w, e); err != nil {
					return err
				}
			}
			if effect == keep {
				if w.LeaseOwner != e.LeaseOwner || e.Created.Sub(w.Created) > oneSave {
					e.LeaseOwner, e.LeaseUntil = "", time.Time{} // the courier keeps the order
				}
				continue
			}
			w.State, w.Updated = Superseded, e.Created
			w.Reason, w.Sentence = "superseded", "A newer message about this event took its place before it was sent."
			if effect == supersede && w.Method == e.Method && w.RecurrenceID == e.RecurrenceID {
				if err := inherit(tx, w, e); err != nil {
					return err
				}
			}
			if effect == annihilate {
				w.Reason, w.Sentence = "annihilated", "The event was cancelled before this invitation was sent; neither went out."
				e.State, e.Reason, e.Sentence = Superseded, w.Reason, w.Sentence
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

type effect uint8

const (
	keep       effect = iota // both go out, in order
	supersede                // only the newer goes out
	annihilate               // neither goes out
)

// coalesce says what a new message does to one that waits for the same
// recipient and UID.
func coalesce(tx *store.Tx, old, new *store.Entry) (effect, error) {
	whole := new.RecurrenceID == "" // about the whole event: covers each of its occurrences
	covers := whole || new.RecurrenceID == old.RecurrenceID
	oldMethod, newMethod := strings.ToUpper(old.Method), strings.ToUpper(new.Method)
	switch newMethod {
	case "REQUEST":
		// An invitation to one occurrence that was never sent is not part of a
		// piecewise REQUEST for the series, so only the same part is covered,
		// except by a refresh, which is always the complete copy.
		if oldMethod == "REQUEST" && (old.RecurrenceID == new.RecurrenceID || whole && new.Refresh && old.Refresh) {
			if new.Refresh && !old.Refresh {
				new.Refresh = false // the recipient has not been told of the older change yet
			}
			return supersede, nil
		}
		if oldMethod == "CANCEL" && old.RecurrenceID == new.RecurrenceID && old.RecurrenceID == "" {
			return supersede, nil // re-invited before the cancellation went out
		}
	case "PUBLISH", "REPLY", "REFRESH", "DECLINECOUNTER", "COUNTER":
		if oldMethod == newMethod && old.RecurrenceID == new.RecurrenceID {
			return supersede, nil
		}
	case "CANCEL":
		if !covers || oldMethod != "REQUEST" && oldMethod != "ADD" && oldMethod != "CANCEL" {
			return keep, nil
		}
		if oldMethod == "CANCEL" {
			return supersede, nil
		}
		if len(old.Attempts) > 0 || old.RecurrenceID != new.RecurrenceID {
			// It may have arrived although the attempt failed, so the CANCEL goes.
			return supersede, nil
		}
		seen, err := hasSeen(tx, new)
		if err != nil {
			return keep, err
		}
		if seen {
			return supersede, nil
		}
		return annihilate, nil
	}
	return keep, nil
}

// inherit makes the new message tell what the recipient does not know yet: the
// differences of the one that did not go out and its own, or none when this is
// the first the recipient hears of the event.
func inherit(tx *store.Tx, old, new *store.Entry) error {
	seen, err := hasSeen(tx, new)
	if err != nil {
		return err
	}
	if !seen {
		new.Changes = nil
		return nil
	}
	var before, after []itip.Difference
	if json.Unmarshal(old.Changes, &before) != nil || len(before) == 0 {
		return nil
	}
	if len(new.Changes) > 0 && json.Unmarshal(new.Changes, &after) != nil {
		return nil
	}
	for _, d := range after {
		i := slices.IndexFunc(before, func(b itip.Difference) bool {
			return b.Property == d.Property && b.RecurrenceID == d.RecurrenceID && b.Attendee == d.Attendee
		})
		if i < 0 {
			before = append(before, d)
		} else {
			before[i].New = d.New
		}
	}
	before = slices.DeleteFunc(before, func(d itip.Difference) bool { return d.Old == d.New }) // there and back
	if new.Changes, err = json.Marshal(before); err != nil {
		return fmt.Errorf("changes for %s: %w", new.To, err)
	}
	return nil
}

// hasSeen reports whether any message about the event may have reached the recipient.
func hasSeen(tx *store.Tx, e *store.Entry) (bool, error) {
	rows, err := tx.Entries(store.EntryFilter{Account: e.Account, UID: e.UID, Direction: Out})
	if err != nil {
		return false, fmt.Errorf("look for messages about %s: %w", e.UID, err)
	}
	for _, r := range rows {
		if !ical.Address(r.To).Equal(ical.Address(e.To)) {
			continue
		}
		if r.State == Sent || r.State == Delivered || r.LeaseUntil.After(e.Created) || r.State == Due && len(r.Attempts) > 0 {
			return true, nil
		}
	}
	return false, nil
}
