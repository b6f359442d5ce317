package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Undone is what taking a change back did.
type Undone struct {
	Withdrawn int    // messages that will not go out
	Sent      []Sent // messages that had to, because somebody knew already
	Sentence  string
}

// openRows are the messages of the latest change of an event, while it can be
// taken back.
type openRows struct {
	rows   []store.Entry // of the latest change
	before []store.Entry // that these took the place of
	known  bool          // somebody has one of them, or may have
	until  time.Time     // when the first of them leaves
}

// lastChange finds the latest change of an event that has messages waiting.
func (s *Service) lastChange(tx *store.Tx, owner store.AccountID, uid string) (openRows, error) {
	var o openRows
	all, err := tx.Entries(store.EntryFilter{Account: owner, Direction: journal.Out, UID: uid})
	if err != nil {
		return o, fmt.Errorf("messages about %s: %w", clip(uid), err)
	}
	now := s.now()
	waits := func(e store.Entry) bool {
		return len(e.Attempts) == 0 && e.NextAttempt.After(now) && !e.LeaseUntil.After(now) && (e.State == journal.Due || e.State == journal.Superseded && e.Reason != reasonUndone)
	}
	var at time.Time
	for _, e := range all {
		if waits(e) && e.Created.After(at) {
			at = e.Created
		}
	}
	if at.IsZero() {
		return o, nil
	}
	for _, e := range all {
		switch {
		case e.Created.Equal(at):
			o.rows = append(o.rows, e)
			switch {
			case !waits(e):
				o.known = true
			case o.until.IsZero() || e.NextAttempt.Before(o.until):
				o.until = e.NextAttempt
			}
		case e.State == journal.Superseded && e.Updated.Equal(at) && len(e.Attempts) == 0 && e.Reason != reasonUndone:
			o.before = append(o.before, e)
		}
	}
	return o, nil
}

const reasonUndone = "undone"

// Undoable says until when the latest change of an event can be taken back
// before its messages leave; false when there is none.
func (s *Service) Undoable(ctx context.Context, by account.Actor, owner store.AccountID, uid string) (until time.Time, ok bool, err error) {
	if err := ownAffair(by, owner); err != nil {
		return until, false, problem.New(problem.NeedPrivileges, "Only the owner of a calendar can take a change in it back.")
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		o, err := s.lastChange(tx, owner, uid)
		until, ok = o.until, len(o.rows) > 0
		return err
	})
	return until, ok, err
}

// Undo takes the latest change of an event back while its messages wait (the
// undo window). When nobody has heard of it, everything is as it was before:
// the object, what scheduling remembers, and messages that were waiting
// already. Where colleagues know, since their calendars are right at once, the
// earlier state is stored as a change of its own: they are told, and for the
// others change and change back become one message, or none.
func (s *Service) Undo(ctx context.Context, by account.Actor, owner store.AccountID, uid string) (Undone, error) {
	var done Undone
	var rows []*store.Entry
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		done, rows = Undone{}, nil
		o, err := s.lastChange(tx, owner, uid)
		if err != nil {
			return err
		}
		if len(o.rows) == 0 {
			return problem.New(problem.NotFound, "No message about this event is waiting, so there is nothing to take back. What has left cannot be recalled: change the event again.")
		}
		c, err := s.changed(tx, by, owner, o)
		if err != nil {
			return err
		}
		if c == nil { // a proposal, a publication: it changed nothing
			done.Withdrawn, err = s.withdraw(tx, o)
			return err
		}
		if !o.known && c.untouched {
			if err := s.rollBack(tx, c); err != nil {
				return err
			}
			done.Withdrawn, err = s.withdraw(tx, o)
			return err
		}
		e, err := s.putBack(tx, by, c)
		rows, done.Sent = e.rows, e.sent
		return err
	})
	if err != nil {
		return done, err
	}
	s.deliver(ctx, rows)
	switch {
	case len(done.Sent) > 0:
		done.Sentence = "The event is as it was before; who knew of the change is told."
	case done.Withdrawn == 1:
		done.Sentence = "Taken back: one message was not sent."
	default:
		done.Sentence = fmt.Sprintf("Taken back: %d messages were not sent.", done.Withdrawn)
	}
	return done, nil
}

// withdraw ends the waiting messages of a change, and lets those wait again
// that they had taken the place of.
func (s *Service) withdraw(tx *store.Tx, o openRows) (n int, err error) {
	now := s.now()
	for _, e := range o.rows {
		if e.State != journal.Due && e.State != journal.Superseded || len(e.Attempts) > 0 || e.LeaseUntil.After(now) {
			continue
		}
		if e.State == journal.Due {
			n++
		}
		e.State, e.Reason, e.Sentence, e.Updated = journal.Superseded, reasonUndone, "Taken back before it was sent.", now
		if err := tx.UpdateEntry(e); err != nil {
			return n, fmt.Errorf("withdraw message %d: %w", e.ID, err)
		}
	}
	for _, e := range o.before {
		e.State, e.Reason, e.Sentence, e.Updated = journal.Due, "", "", now
		if err := tx.UpdateEntry(e); err != nil {
			return n, fmt.Errorf("let message %d wait again: %w", e.ID, err)
		}
	}
	return n, nil
}

// takenBack is a change that is to be taken back.
type takenBack struct {
	coll      store.Collection
	now       *store.Object  // nil: it was deleted
	was       *store.Version // nil: it was made
	body      []byte         // of was
	memory    []byte
	untouched bool // nothing has happened to the object since
}

// changed finds what the change was; nil when its messages came of none.
func (s *Service) changed(tx *store.Tx, by account.Actor, owner store.AccountID, o openRows) (*takenBack, error) {
	base, id := o.rows[0].Base, o.rows[0].Object
	c := &takenBack{}
	coll := int64(0)
	found, err := tx.ObjectByID(owner, id)
	switch {
	case err == nil:
		c.now, coll = &found, found.Collection
	case !errors.Is(err, store.ErrNotFound):
		return nil, fmt.Errorf("object %d: %w", id, err)
	}
	versions, err := tx.Versions(owner, store.VersionFilter{Object: id})
	if err != nil {
		return nil, fmt.Errorf("history of object %d: %w", id, err)
	}
	if base > 0 {
		i := slices.IndexFunc(versions, func(v store.Version) bool { return v.Seq == base })
		if i < 0 {
			return nil, problem.New(problem.NotFound, "The state before this change is not in the history any more.")
		}
		c.was = &versions[i]
		if c.body, err = tx.VersionBody(owner, id, base); err != nil {
			return nil, err
		}
		if c.memory, err = tx.VersionMemory(owner, id, base); err != nil {
			return nil, err
		}
		if coll == 0 {
			coll = c.was.Collection
		}
	}
	if c.was == nil && c.now == nil { // made, changed and deleted meanwhile
		return nil, problem.New(problem.NotFound, "The event is not there any more.")
	}
	newest := slices.MaxFunc(append([]store.Version{{}}, versions...), func(a, b store.Version) int { return int(a.Seq - b.Seq) })
	c.untouched = newest.Seq == max(base, 0)
	if c.coll, err = tx.Collection(owner, coll); err != nil {
		return nil, problem.New(problem.NotFound, "The calendar of this event is not there any more.").Because(err)
	}
	have, err := s.accessTo(tx, by, c.coll, acl.Write)
	if err != nil {
		return nil, err
	}
	if err := permit(c.coll, have, acl.Write); err != nil {
		return nil, err
	}
	if err := s.checkClass(tx, have, c.now); err != nil {
		return nil, err
	}
	if base == noBase {
		return nil, nil
	}
	return c, nil
}

// rollBack makes the object what it was.
func (s *Service) rollBack(tx *store.Tx, c *takenBack) error {
	if c.was == nil {
		if err := tx.DeleteObject(c.now.Account, c.now.ID); err != nil {
			return fmt.Errorf("take back an event: %w", err)
		}
		return nil
	}
	cal, err := ical.ParseLimits(c.body, s.parseLimits())
	if err != nil {
		return fmt.Errorf("earlier state of %s cannot be read: %w", c.was.UID, err)
	}
	ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
	if err != nil {
		return err
	}
	o := store.Object{Account: c.was.Account, Collection: c.coll.ID}
	if c.now != nil {
		o = *c.now
	} else if o.Name, err = s.oldName(tx, c); err != nil {
		return err
	}
	tag := etag(c.body)
	s.describe(&o, cal, tag, len(c.memory) > 0)
	o.Memory, o.Modified = c.memory, s.now()
	if o.Scheduling {
		o.ScheduleTag = scheduleTag(o.ScheduleTag, tag, s.now())
	} else {
		o.ScheduleTag = ""
	}
	if err := tx.PutObject(&o, c.body, ix); err != nil {
		return fmt.Errorf("take back a change of %s: %w", o.Name, err)
	}
	return nil
}

// oldName is the name of a deleted object, if nothing has taken its place.
func (s *Service) oldName(tx *store.Tx, c *takenBack) (string, error) {
	same, err := tx.ObjectsByUID(c.was.Account, c.was.UID)
	if err != nil {
		return "", fmt.Errorf("look for UID %s: %w", c.was.UID, err)
	}
	o, err := object(tx, c.coll, c.was.Name)
	if err != nil {
		return "", err
	}
	if o != nil || slices.ContainsFunc(same, func(x store.Object) bool { return x.Collection == c.coll.ID || x.Scheduling }) {
		return "", problem.New(problem.Exists, "Another event has taken the place of the deleted one.")
	}
	return c.was.Name, nil
}

// putBack stores the earlier state as a change of its own.
func (s *Service) putBack(tx *store.Tx, by account.Actor, c *takenBack) (effect, error) {
	ch := change{by: by, coll: c.coll, old: c.now, merge: true}
	if c.was == nil {
		ch.name, ch.merge = c.now.Name, false
		rows, err := s.remove(tx, ch)
		e := effect{rows: rows}
		if err == nil {
			e.sent = make([]Sent, len(rows))
			for i, r := range rows {
				e.sent[i] = Sent{To: ical.Address(r.To), Entry: r.ID, Local: r.Transport == journal.Local, Refresh: r.Refresh}
			}
		}
		return e, err
	}
	d, err := s.read(c.body, false)
	if err != nil {
		return effect{}, err
	}
	ch.new, ch.name = d, c.was.Name
	if c.now == nil {
		if ch.name, err = s.oldName(tx, c); err != nil {
			return effect{}, err
		}
		ch.merge = false
	}
	return s.apply(tx, ch)
}
