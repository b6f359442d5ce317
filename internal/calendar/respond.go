package calendar

import (
	"context"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// RespondRequest answers an invitation.
type RespondRequest struct {
	By           account.Actor
	Owner        store.AccountID // whose invitation it is
	UID          string
	RecurrenceID string // "" = the whole; else as in itip.Message
	PartStat     string // ACCEPTED, TENTATIVE, DECLINED or NEEDS-ACTION
	Comment      string
}

// partStats that a person can answer with (RFC 5545 3.2.12).
var partStats = map[string]bool{"ACCEPTED": true, "TENTATIVE": true, "DECLINED": true, "NEEDS-ACTION": true, "COMPLETED": true, "IN-PROCESS": true}

// Respond answers an invitation in the calendar, as if the owner had changed
// PARTSTAT there; the organizer gets the REPLY.
func (s *Service) Respond(ctx context.Context, req RespondRequest) (PutResult, error) {
	req.PartStat = strings.ToUpper(req.PartStat)
	if !partStats[req.PartStat] {
		return PutResult{}, problem.New(problem.BadInput, "An invitation is answered with ACCEPTED, TENTATIVE or DECLINED, not with %q.", clip(req.PartStat))
	}
	var e effect
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		e, err = s.respond(tx, req)
		return err
	})
	if err != nil {
		return PutResult{}, err
	}
	s.deliver(ctx, e.rows)
	return s.putResult(ctx, e, e.object.ETag)
}

// respond stores the answer in the object that has the UID, and leaves to the
// plan what is sent.
func (s *Service) respond(tx *store.Tx, req RespondRequest) (effect, error) {
	o, err := s.byUID(tx, req.Owner, req.UID)
	if err != nil {
		return effect{}, err
	}
	if o == nil {
		return effect{}, problem.New(problem.NotFound, "There is no event with the UID %s in the calendars of this account.", clip(req.UID))
	}
	c, err := tx.Collection(o.Account, o.Collection)
	if err != nil {
		return effect{}, fmt.Errorf("calendar of %s: %w", o.Name, err)
	}
	have, err := s.access(tx, req.By, c)
	if err != nil {
		return effect{}, err
	}
	if err := permit(c, have, acl.Write); err != nil {
		return effect{}, err
	}
	cal, _, err := s.parse(tx, o)
	if err != nil {
		return effect{}, err
	}
	m, err := memoryOf(o)
	if err != nil {
		return effect{}, err
	}
	user, err := addresses(tx, req.Owner)
	if err != nil {
		return effect{}, err
	}
	answered, err := itip.Answer(cal, m, user, req.PartStat, req.Comment, req.RecurrenceID, s.now())
	if err != nil {
		return effect{}, forbidden(err)
	}
	d := &draft{cal: answered, data: answered.Bytes(), kind: o.Component, uid: o.UID, schedules: true}
	d.etag = etag(d.data)
	if d.index, err = s.timeIndex(answered, tz.NewResolver(answered, nil)); err != nil {
		return effect{}, err
	}
	return s.apply(tx, change{by: req.By, coll: c, old: o, name: o.Name, new: d, reply: itip.ReplySend})
}

// byUID finds the object of a UID in a home: the scheduling object resource if
// there is one, else the first. Nil when there is none.
func (s *Service) byUID(tx *store.Tx, owner store.AccountID, uid string) (*store.Object, error) {
	all, err := tx.ObjectsByUID(owner, uid)
	if err != nil {
		return nil, fmt.Errorf("look for UID %s: %w", uid, err)
	}
	for i := range all {
		if all[i].Scheduling {
			return &all[i], nil
		}
	}
	if len(all) > 0 {
		return &all[0], nil
	}
	return nil, nil
}
