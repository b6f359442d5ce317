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
	"github.com/convene-cal/convene/itip"
)

// PutRequest stores calendar data under a name.
type PutRequest struct {
	By account.Actor
	Ref
	Data        []byte
	If          Precondition
	Reply       itip.ReplyPolicy
	ContentType string // media type as given; "" = text/calendar
	Import      bool   // take it as it is and tell nobody
}

// PutResult is what a Put did.
type PutResult struct {
	Created     bool
	Unchanged   bool   // the same octets were there already: nothing was written
	ETag        string // "" when the stored octets are not the client's (RFC 4791 5.3.4)
	ScheduleTag string // "" when it is not a scheduling object resource
	Rewritten   bool   // the stored octets are not the client's
	Object      store.Object
	Sent        []Sent            // messages that the change caused
	Changes     []itip.Difference // what changed, for people
	Silent      []Silent          // of a preview: who hears nothing
}

// Sent is one message that a change caused or would cause.
type Sent struct {
	Method       itip.Method
	To           ical.Address
	RecurrenceID string
	Local        bool   // the recipient's calendar is in this service
	Way          string // of a preview: the transport that is asked first, "" for not known
	Refresh      bool   // brings a colleague's copy up to date, tells nobody
	Entry        int64
	Calendar     *ical.Calendar
	Changes      []itip.Difference
}

// Put creates or replaces an object. Scheduling follows by itself: colleagues
// have the event in their calendars when Put returns, other attendees get
// their messages from the courier.
func (s *Service) Put(ctx context.Context, req PutRequest) (PutResult, error) {
	d, err := s.prepare(req)
	if err != nil {
		return PutResult{}, err
	}
	var e effect
	err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
		e, err = s.put(tx, req, d)
		return err
	})
	if err != nil {
		return PutResult{}, err
	}
	s.deliver(ctx, e.rows)
	return s.putResult(ctx, e, etag(req.Data))
}

// prepare does what needs no transaction.
func (s *Service) prepare(req PutRequest) (*draft, error) {
	if err := checkName(req.Name); err != nil {
		return nil, err
	}
	if err := checkMediaType(req.ContentType); err != nil {
		return nil, err
	}
	return s.read(req.Data, req.Import)
}

func (s *Service) put(tx *store.Tx, req PutRequest, d *draft) (effect, error) {
	ch, err := s.change(tx, req, d)
	if err != nil {
		return effect{}, err
	}
	if err := s.invite(tx, &ch); err != nil {
		return effect{}, err
	}
	return s.apply(tx, ch)
}

// change checks rights and preconditions of a Put.
func (s *Service) change(tx *store.Tx, req PutRequest, d *draft) (change, error) {
	c, have, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Write)
	if err != nil {
		return change{}, err
	}
	if c.Kind != store.Calendar {
		// RFC 6638 2.1, 2.2: the server alone puts things there.
		return change{}, problem.New(problem.MethodNotAllowed, "Nothing can be stored in the scheduling %s; store the event in a calendar.", c.Kind).At(c.Name + "/")
	}
	old, err := object(tx, c, req.Name)
	if err != nil {
		return change{}, err
	}
	if err := s.checkView(tx, req.By, c, have, old, req.If); err != nil {
		return change{}, err
	}
	if err := s.checkClass(tx, have, old); err != nil {
		return change{}, err
	}
	ch := change{by: req.By, coll: c, old: old, name: req.Name, new: d, reply: req.Reply, merge: req.If.IfScheduleTagMatch != "", imp: req.Import}
	return ch, s.part(tx, &ch, have)
}

// CheckPut tells before the data is there what a Put would be refused for
// whatever it is: rights and preconditions. Put asks again.
func (s *Service) CheckPut(ctx context.Context, by account.Actor, ref Ref, cond Precondition) error {
	return s.store.View(ctx, func(tx *store.Tx) error {
		c, have, err := s.collection(tx, by, ref.Owner, ref.Collection, acl.Write)
		if err != nil {
			return err
		}
		old, err := object(tx, c, ref.Name)
		if err != nil {
			return err
		}
		return s.checkView(tx, by, c, have, old, cond)
	})
}

// putResult words an effect, after the deliveries, which may have written
// SCHEDULE-STATUS into the object.
func (s *Service) putResult(ctx context.Context, e effect, given string) (PutResult, error) {
	res := PutResult{Created: e.created, Unchanged: e.unchanged, Object: e.object, Sent: e.sent, Changes: e.changes}
	if len(e.rows) > 0 {
		err := s.store.View(ctx, func(tx *store.Tx) error {
			o, err := tx.ObjectByID(e.object.Account, e.object.ID)
			if errors.Is(err, store.ErrNotFound) {
				return nil // deleted meanwhile; what we stored is still what to report
			}
			if err == nil {
				res.Object = o
			}
			return err
		})
		if err != nil {
			return res, fmt.Errorf("read back %s: %w", e.object.Name, err)
		}
	}
	res.ScheduleTag = res.Object.ScheduleTag
	// Who writes into another's calendar has an entity tag of their own; they ask for it.
	if res.Rewritten = e.others || res.Object.ETag != given; !res.Rewritten {
		res.ETag = res.Object.ETag
	}
	return res, nil
}
