package calendar

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// takeBack recognises a change that restores what was there before the latest
// ones, of which nobody has heard yet: it is told to nobody either. What was
// remembered then, and the answers of then, are good again. Where colleagues
// know, since their calendars are right at once, they alone are told.
func (s *Service) takeBack(tx *store.Tx, ch change, p *planned) error {
	if ch.new == nil || ch.imp || len(p.out.Send) == 0 || p.out.Role != itip.OrganizerRole {
		return nil
	}
	owner, err := tx.Account(ch.coll.Account)
	if err != nil {
		return fmt.Errorf("account %d: %w", ch.coll.Account, err)
	}
	if s.undoWindow(owner) == 0 {
		return nil
	}
	if ch.old != nil {
		if done, err := s.takeBackAll(tx, ch, p, owner); done || err != nil {
			return err
		}
	}
	return s.spare(tx, ch, p, owner)
}

// takeBackAll makes a change none when nobody at all knows of the one before.
func (s *Service) takeBackAll(tx *store.Tx, ch change, p *planned, owner store.Account) (bool, error) {
	o, err := s.lastChange(tx, owner.ID, ch.old.UID)
	if err != nil || len(o.rows) == 0 || o.known || o.rows[0].Object != ch.old.ID {
		return false, err
	}
	c, err := s.changed(tx, ch.by, owner.ID, o)
	if err != nil || c == nil || c.was == nil || !c.untouched {
		return false, internalOnly(err) // the state before is not there to compare with
	}
	out, _, err := s.asIfBefore(p, c.body, c.memory)
	if err != nil || out == nil || len(out.Send) > 0 {
		return false, err
	}
	if _, err := s.withdraw(tx, o); err != nil {
		return false, err
	}
	p.out = out
	return true, nil
}

// internalOnly drops refusals: they are reasons not to go on, no more.
func internalOnly(err error) error {
	if err != nil && problem.Of(err).Condition == problem.Internal {
		return err
	}
	return nil
}

// asIfBefore is what a change would mean had it been made on an earlier state;
// nil when that cannot be said.
func (s *Service) asIfBefore(p *planned, body, memory []byte) (*itip.Outcome, itip.Change, error) {
	before := p.asked
	before.MergePartstat = true // answers that the change had opened
	before.Memory = itip.Memory{}
	var err error
	if before.Old, err = ical.ParseLimits(body, s.parseLimits()); err != nil {
		return nil, before, nil
	}
	if len(memory) > 0 {
		if err := json.Unmarshal(memory, &before.Memory); err != nil {
			return nil, before, fmt.Errorf("remembered scheduling state: %w", err)
		}
	}
	out, err := itip.Plan(before)
	if err != nil {
		return nil, before, nil
	}
	return out, before, p.dir.err
}

// spare keeps a change from those outside to whom it brings back what they have
// all the time: the messages about the changes before have not left yet.
func (s *Service) spare(tx *store.Tx, ch change, p *planned, owner store.Account) error {
	outside := func(to string) bool { return !p.dir.local(ical.Address(to)) }
	if !slices.ContainsFunc(p.out.Send, func(m itip.Message) bool { return outside(string(m.To)) }) {
		return p.dir.err
	}
	unsent, err := s.unsent(tx, store.EntryFilter{Account: owner.ID, UID: ch.new.uid}, outside)
	if err != nil {
		return err
	}
	for _, from := range unsent {
		if from.base <= 0 {
			continue // nothing they have: it was made then
		}
		body, memory, err := s.stateAt(tx, owner.ID, from)
		if err != nil {
			return err
		}
		if body == nil {
			continue
		}
		kept, before, err := s.asIfBefore(p, body, memory)
		if err != nil {
			return err
		}
		if kept == nil {
			continue
		}
		out, ok := itip.Spare(p.out, kept, before, func(a ical.Address) bool { return p.dir.local(a) })
		if !ok {
			continue
		}
		if err := s.withdrawFrom(tx, unsent, from.at); err != nil {
			return err
		}
		p.out = out
		break
	}
	return p.dir.err
}

// unsentChange is a change whose messages to people outside have not left.
type unsentChange struct {
	at     time.Time
	base   int64 // of the state before it
	object int64
	rows   []store.Entry
}

// unsent are those changes of an event that came after the last one which
// somebody outside knows of, or may know of; oldest first.
func (s *Service) unsent(tx *store.Tx, f store.EntryFilter, outside func(string) bool) ([]unsentChange, error) {
	f.Direction = journal.Out
	all, err := tx.Entries(f)
	if err != nil {
		return nil, fmt.Errorf("messages about %s: %w", clip(f.UID), err)
	}
	now := s.now()
	slices.SortStableFunc(all, func(a, b store.Entry) int { return a.Created.Compare(b.Created) })
	var out []unsentChange
	var known time.Time // somebody knows of what was said then, and so of all before
	for _, e := range all {
		if e.Method != string(itip.Request) && e.Method != string(itip.Cancel) || !outside(e.To) {
			continue
		}
		waits := len(e.Attempts) == 0 && e.LeaseOwner == "" && !e.LeaseUntil.After(now) && (e.State == journal.Due || e.State == journal.Superseded)
		switch {
		case !waits || e.Base == noBase:
			known = e.Created
		case e.Reason == reasonUndone:
		case len(out) > 0 && out[len(out)-1].at.Equal(e.Created):
			out[len(out)-1].rows = append(out[len(out)-1].rows, e)
		default:
			out = append(out, unsentChange{at: e.Created, base: e.Base, object: e.Object, rows: []store.Entry{e}})
		}
	}
	return slices.DeleteFunc(out, func(c unsentChange) bool { return !c.at.After(known) }), nil
}

// stateAt is an object as it was before a change; nil when the history has it
// no more.
func (s *Service) stateAt(tx *store.Tx, owner store.AccountID, c unsentChange) (body, memory []byte, err error) {
	if body, err = tx.VersionBody(owner, c.object, c.base); err == nil {
		memory, err = tx.VersionMemory(owner, c.object, c.base)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("earlier state of object %d: %w", c.object, err)
	}
	return body, memory, nil
}

// withdrawFrom ends the messages of the changes from a moment on, and lets those
// wait again that these had taken the place of.
func (s *Service) withdrawFrom(tx *store.Tx, list []unsentChange, at time.Time) error {
	now := s.now()
	for _, c := range list {
		for _, e := range c.rows {
			switch {
			case !c.at.Before(at):
				e.State, e.Reason, e.Sentence = journal.Superseded, reasonUndone, "Taken back before it was sent."
			case e.State == journal.Superseded && e.Reason == "superseded" && !e.Updated.Before(at):
				e.State, e.Reason, e.Sentence = journal.Due, "", ""
			default:
				continue
			}
			e.Updated = now
			if err := tx.UpdateEntry(e); err != nil {
				return fmt.Errorf("withdraw message %d: %w", e.ID, err)
			}
		}
	}
	return nil
}
