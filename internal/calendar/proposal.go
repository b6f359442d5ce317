package calendar

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// proposal is an attendee's COUNTER to an event of this home, with the event.
type proposal struct {
	message, event *ical.Calendar
	object         *store.Object
	coll           store.Collection
}

// proposalOf finds what a held COUNTER is about.
func (s *Service) proposalOf(tx *store.Tx, by account.Actor, e store.Entry) (proposal, error) {
	var p proposal
	var err error
	if p.message, err = ical.ParseLimits(e.Calendar, s.parseLimits()); err != nil {
		return p, problem.New(problem.BadInput, "Message %d holds no calendar data that could be applied.", e.ID).Because(err)
	}
	if p.object, err = s.byUID(tx, e.Account, e.UID); err != nil {
		return p, err
	}
	if p.object == nil {
		return p, problem.New(problem.NotFound, "The event that message %d proposes to change is not in the calendars of this account any more.", e.ID)
	}
	if p.coll, err = tx.Collection(p.object.Account, p.object.Collection); err != nil {
		return p, fmt.Errorf("calendar of %s: %w", p.object.Name, err)
	}
	have, err := s.accessTo(tx, by, p.coll, acl.Write)
	if err != nil {
		return p, err
	}
	if err := permit(p.coll, have, acl.Write); err != nil {
		return p, err
	}
	p.event, _, err = s.parse(tx, p.object)
	return p, err
}

// takeUp changes the event as an attendee proposed (RFC 5546 3.2.7): as if its
// organizer had done so, everyone is asked anew.
func (s *Service) takeUp(ctx context.Context, by account.Actor, e store.Entry) (store.Entry, error) {
	var done effect
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		p, err := s.proposalOf(tx, by, e)
		if err != nil {
			return err
		}
		zone, err := s.zoneOf(tx, p.coll)
		if err != nil {
			return err
		}
		cal, err := itip.TakeUp(p.event, p.message, zone)
		if err != nil {
			return forbidden(err)
		}
		d := &draft{cal: cal, data: cal.Bytes(), kind: p.object.Component, uid: p.object.UID, schedules: true}
		d.etag = etag(d.data)
		if d.index, err = s.timeIndex(cal, tz.NewResolver(cal, nil)); err != nil {
			return err
		}
		if done, err = s.apply(tx, change{by: by, coll: p.coll, old: p.object, name: p.object.Name, new: d, reply: itip.ReplySend}); err != nil {
			return err
		}
		e.State, e.Reason, e.Updated, e.Object = string(itip.Applied), itip.ReasonAccepted, s.now(), p.object.ID
		e.Sentence = fmt.Sprintf("You took up the proposal of %s.", bare(e.From))
		return tx.UpdateEntry(e)
	})
	if err != nil {
		return e, err
	}
	s.deliver(ctx, done.rows)
	return e, nil
}

// decline puts a proposal aside and tells who made it (RFC 5546 3.2.8).
func (s *Service) decline(tx *store.Tx, by account.Actor, e *store.Entry) ([]*store.Entry, error) {
	p, err := s.proposalOf(tx, by, *e)
	if problem.Has(err, problem.NotFound) || problem.Has(err, problem.BadInput) {
		return nil, nil // there is nothing left to stay as it is
	}
	if err != nil {
		return nil, err
	}
	m, err := memoryOf(p.object)
	if err != nil {
		return nil, err
	}
	zone, err := s.zoneOf(tx, p.coll)
	if err != nil {
		return nil, err
	}
	message, m, ok := itip.DeclineProposal(p.event, m, p.message, ical.Address(e.From), s.now(), zone)
	if !ok || message.To == "" {
		return nil, nil
	}
	memory, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("remember scheduling state: %w", err)
	}
	if err := tx.UpdateMemory(p.object.Account, p.object.ID, memory); err != nil {
		return nil, fmt.Errorf("remember scheduling state: %w", err)
	}
	e.Sentence = fmt.Sprintf("You declined the proposal; %s is told.", bare(e.From))
	return s.send(tx, e.Account, p.object.ID, []itip.Message{message}, s.directory(tx))
}

// bare is an address as people write it.
func bare(address string) string {
	if mail := ical.Address(address).Email(); mail != "" {
		return mail
	}
	return address
}
