package calendar

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// MoveRequest moves an object to another name or calendar.
type MoveRequest struct {
	By        account.Actor
	From, To  Ref
	Overwrite bool         // may take the place of an object that is there
	If        Precondition // on From
}

// CopyRequest copies an object.
type CopyRequest MoveRequest

// MoveResult is what a Move or Copy did.
type MoveResult struct {
	Created           bool // there was nothing at the destination
	ETag, ScheduleTag string
}

// Move moves an object within a home. It keeps its octets, UID and tags, and
// nobody is told (RFC 6638 3.2.3.4). An object that stands in the way and may
// be overwritten is deleted as by Delete. Between homes only objects that
// involve nobody else can be moved.
func (s *Service) Move(ctx context.Context, req MoveRequest) (MoveResult, error) {
	var res MoveResult
	var rows []*store.Entry
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		res, rows = MoveResult{}, nil
		src, from, to, dest, err := s.ends(tx, req, acl.Write)
		if err != nil {
			return err
		}
		if req.From == req.To {
			return problem.New(problem.Forbidden, "Source and destination are the same.").At(req.From.String())
		}
		if err := s.fits(tx, src, to, req.To.Name, dest, from.Account == to.Account); err != nil {
			return err
		}
		if from.Account != to.Account {
			if src.Scheduling {
				return problem.New(problem.Forbidden, "A meeting stays in the calendars of the person it belongs to. Move it within those, or invite the other person.").At(req.From.String())
			}
			if res, rows, err = s.copyTo(tx, req, src, to, dest); err != nil {
				return err
			}
			return tx.DeleteObject(src.Account, src.ID)
		}
		if dest != nil {
			if rows, err = s.remove(tx, change{by: req.By, coll: to, old: dest, name: dest.Name}); err != nil {
				return err
			}
		}
		if err := tx.MoveObject(src.Account, src.ID, to.ID, req.To.Name); err != nil {
			return fmt.Errorf("move %s to %s: %w", req.From, req.To, err)
		}
		res = MoveResult{Created: dest == nil, ETag: src.ETag, ScheduleTag: src.ScheduleTag}
		return nil
	})
	if err != nil {
		return MoveResult{}, err
	}
	s.deliver(ctx, rows)
	return res, nil
}

// Copy copies an object. A scheduling object resource is unique in its home,
// so it cannot be copied within it (RFC 6638 3.2.3.3, 3.2.4.1).
func (s *Service) Copy(ctx context.Context, req CopyRequest) (MoveResult, error) {
	var res MoveResult
	var rows []*store.Entry
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		res, rows = MoveResult{}, nil
		src, _, to, dest, err := s.ends(tx, MoveRequest(req), acl.Read)
		if err != nil {
			return err
		}
		if req.From == req.To {
			return problem.New(problem.Forbidden, "Source and destination are the same.").At(req.From.String())
		}
		if err := s.fits(tx, src, to, req.To.Name, dest, false); err != nil {
			return err
		}
		res, rows, err = s.copyTo(tx, MoveRequest(req), src, to, dest)
		return err
	})
	if err != nil {
		return MoveResult{}, err
	}
	s.deliver(ctx, rows)
	return res, nil
}

// ends finds source and destination and checks rights and preconditions.
func (s *Service) ends(tx *store.Tx, req MoveRequest, need acl.Access) (src *store.Object, from, to store.Collection, dest *store.Object, err error) {
	if err = checkName(req.To.Name); err != nil {
		return
	}
	var have acl.Access
	if from, have, err = s.collection(tx, req.By, req.From.Owner, req.From.Collection, need); err != nil {
		return
	}
	if src, err = object(tx, from, req.From.Name); err != nil {
		return
	}
	if src == nil {
		err = notFound(req.From.String())
		return
	}
	if err = s.checkView(tx, req.By, from, have, src, req.If); err != nil {
		return
	}
	if err = s.checkClass(tx, have, src); err != nil {
		return
	}
	if to, have, err = s.collection(tx, req.By, req.To.Owner, req.To.Collection, acl.Write); err != nil {
		if problem.Has(err, problem.NotFound) {
			// RFC 4918 9.8.5, 9.9.4: a missing parent is 409.
			err = problem.New(problem.ParentMissing, "There is no calendar %s to put it into.", req.To.Collection).At(req.To.Collection + "/").Because(err)
		}
		return
	}
	if from.Kind != store.Calendar && from.Kind != store.Subscribed || to.Kind != store.Calendar {
		err = problem.New(problem.InvalidDestination, "Messages of the scheduling inbox cannot be copied or moved; events go from calendar to calendar.").At(req.To.String())
		return
	}
	if dest, err = object(tx, to, req.To.Name); err != nil {
		return
	}
	if err = s.checkClass(tx, have, dest); err != nil {
		return
	}
	if dest != nil && !req.Overwrite {
		err = problem.New(problem.PreconditionFailed, "There is already an object at %s (Overwrite: F).", req.To).At(req.To.String())
	}
	return
}

// fits checks component and UID at the destination. moved says that the source
// leaves its place in the same home.
func (s *Service) fits(tx *store.Tx, src *store.Object, to store.Collection, name string, dest *store.Object, moved bool) error {
	if err := s.componentAllowed(change{coll: to, new: &draft{kind: src.Component}}); err != nil {
		return err
	}
	all, err := tx.ObjectsByUID(to.Account, src.UID)
	if err != nil {
		return fmt.Errorf("look for UID %s: %w", src.UID, err)
	}
	for _, o := range all {
		if o.ID == src.ID && moved || dest != nil && o.ID == dest.ID {
			continue
		}
		if o.Collection == to.ID {
			return problem.New(problem.UIDConflict, "This event is already in the calendar %s, under the name %s.", title(to), o.Name).At(to.Name + "/" + o.Name)
		}
		if o.Scheduling && src.Scheduling {
			c, err := tx.Collection(o.Account, o.Collection)
			if err != nil {
				return err
			}
			return problem.New(problem.UniqueSchedulingObject, "This meeting is already in the calendar %s, and a meeting is in one calendar only.", title(c)).At(c.Name + "/" + o.Name)
		}
	}
	return nil
}

// copyTo stores the octets of an object in another place, by the rules of Put.
func (s *Service) copyTo(tx *store.Tx, req MoveRequest, src *store.Object, to store.Collection, dest *store.Object) (MoveResult, []*store.Entry, error) {
	body, err := tx.Body(src.Account, src.ID)
	if err != nil {
		return MoveResult{}, nil, fmt.Errorf("read %s: %w", req.From, err)
	}
	if req.By.Account != src.Account { // who copies another's event copies what they see
		c, err := tx.Collection(src.Account, src.Collection)
		if err != nil {
			return MoveResult{}, nil, err
		}
		have, err := s.access(tx, req.By, c)
		if err != nil {
			return MoveResult{}, nil, err
		}
		v, err := s.reader(tx, req.By, c, have)
		if err != nil {
			return MoveResult{}, nil, err
		}
		if !v.sees(body) {
			return MoveResult{}, nil, notFound(req.From.String())
		}
		body = v.body(*src, body)
	}
	d, err := s.read(body, true)
	if err != nil {
		return MoveResult{}, nil, err
	}
	var rows []*store.Entry
	if dest != nil && dest.UID != src.UID {
		if rows, err = s.remove(tx, change{by: req.By, coll: to, old: dest, name: dest.Name}); err != nil {
			return MoveResult{}, nil, err
		}
	}
	ch := change{by: req.By, coll: to, name: req.To.Name, new: d, imp: true} // RFC 6638 3.2.3.3: COPY sends nothing
	if dest != nil && dest.UID == src.UID {
		ch.old = dest
	}
	e, err := s.apply(tx, ch)
	if err != nil {
		return MoveResult{}, nil, err
	}
	if len(src.Properties) > 0 || len(e.object.Properties) > 0 {
		// RFC 4918 9.8.2: dead properties are duplicated.
		if err := tx.SetObjectProperties(e.object.Account, e.object.ID, src.Properties); err != nil {
			return MoveResult{}, nil, fmt.Errorf("copy properties of %s: %w", req.From, err)
		}
	}
	return MoveResult{Created: dest == nil, ETag: e.object.ETag, ScheduleTag: e.object.ScheduleTag}, append(rows, e.rows...), nil
}

// parse reads a stored object's octets; they were read before, so an error is ours.
func (s *Service) parse(tx *store.Tx, o *store.Object) (*ical.Calendar, []byte, error) {
	body, err := tx.Body(o.Account, o.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, notFound(o.Name).Because(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read object %d: %w", o.ID, err)
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return nil, nil, fmt.Errorf("stored object %d cannot be read: %w", o.ID, err)
	}
	return cal, body, nil
}
