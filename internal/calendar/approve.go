package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Approve applies a held message, as its owner's decision: who sent it is not
// asked any more.
func (s *Service) Approve(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	e, err := s.heldEntry(ctx, by, owner, id)
	if err != nil {
		return e, err
	}
	if e.Reason == ReasonApproval {
		return s.decideBooking(ctx, by, e, true)
	}
	if e.Method == string(itip.Counter) && (e.Reason == itip.ReasonCounter || e.Reason == reasonRejected) {
		return s.takeUp(ctx, by, e)
	}
	cal, err := ical.ParseLimits(e.Calendar, s.parseLimits())
	if err != nil {
		return e, problem.New(problem.BadInput, "Message %d holds no calendar data that could be applied.", id).Because(err)
	}
	var away []*store.Entry
	out, err := s.ReceiveMade(ctx, nil, func(tx *store.Tx, dir *Directory) (list []Arrival, err error) {
		a := Arrival{To: owner, Recipient: ical.Address(e.To), Message: cal, Method: itip.Method(e.Method), Transport: e.Transport, Received: e.Created, Entry: &e, Approved: true, Invited: invitedBy(&e)}
		if spread := s.spread[e.Transport]; spread != nil {
			list, away, err = spread(tx, dir, &a)
		}
		return append([]Arrival{a}, list...), err
	})
	if err != nil {
		return e, err
	}
	for _, r := range out {
		away = append(away, r.Next...)
	}
	s.deliver(ctx, away)
	return out[0].Entry, out[0].Err
}

// Spread brings a message that is applied to an account to those for whom the
// account stands, the members of a group: messages for homes of this service,
// and journal rows of those for others. It may replace the message by one that says
// who they are, and leaves the one given as it is.
type Spread func(tx *store.Tx, dir *Directory, a *Arrival) (here []Arrival, away []*store.Entry, err error)

// SetSpread sets what is done with a message that came by a transport and was
// held, once it is approved. Call it before the first request.
func (s *Service) SetSpread(transport string, spread Spread) {
	if s.spread == nil {
		s.spread = map[string]Spread{}
	}
	s.spread[transport] = spread
}

// invitedBy is [Arrival.Invited] as a transport noted it in a row's evidence.
func invitedBy(e *store.Entry) ical.Address {
	var noted struct {
		Invited string `json:"invited"`
	}
	if json.Unmarshal(e.Evidence, &noted) != nil || noted.Invited == "" {
		return ""
	}
	return ical.ParseAddress(noted.Invited)
}

// Reject puts a held message aside for good. Its sender is not told, but of a
// proposal that is declined, and that they cannot come who were not invited.
func (s *Service) Reject(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	e, err := s.heldEntry(ctx, by, owner, id)
	if err != nil {
		return e, err
	}
	if e.Reason == ReasonApproval {
		return s.decideBooking(ctx, by, e, false)
	}
	was := e
	var rows []*store.Entry
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		e = was
		e.State, e.Reason, e.Sentence, e.Updated = StateRejected, reasonRejected, "Rejected by the owner of the calendar.", s.now()
		if was.Method == string(itip.Counter) && was.Reason == itip.ReasonCounter {
			var err error
			if rows, err = s.decline(tx, by, &e); err != nil {
				return err
			}
		}
		if was.Method == string(itip.Reply) && was.Reason == itip.ReasonPartyCrasher {
			var err error
			if rows, err = s.turnAway(tx, by, &e); err != nil {
				return err
			}
		}
		return tx.UpdateEntry(e)
	})
	if err != nil {
		return e, err
	}
	s.deliver(ctx, rows)
	return e, nil
}

// turnAway tells somebody who answered without being invited that they are not
// (RFC 5546 3.2.2.6).
func (s *Service) turnAway(tx *store.Tx, by account.Actor, e *store.Entry) ([]*store.Entry, error) {
	t, err := s.telling(tx, by, e.Account, e.UID)
	if problem.Has(err, problem.NotFound) {
		return nil, nil // nothing is left to be kept from
	}
	if err != nil {
		return nil, err
	}
	message, err := ical.ParseLimits(e.Calendar, s.parseLimits())
	if err != nil {
		return nil, nil
	}
	who, rid := ical.Address(e.From), e.RecurrenceID
	for _, c := range message.Main() {
		for _, a := range itip.Attendees(c) {
			who = a.Address
			break
		}
	}
	m, memory, err := t.copy(s).TurnAway(who, rid)
	if err != nil {
		return nil, nil // they were invited meanwhile, or cannot be reached
	}
	text, err := json.Marshal(memory)
	if err != nil {
		return nil, fmt.Errorf("remember scheduling state: %w", err)
	}
	if err := tx.UpdateMemory(t.object.Account, t.object.ID, text); err != nil {
		return nil, fmt.Errorf("remember scheduling state: %w", err)
	}
	e.Sentence = fmt.Sprintf("You did not let %s in; they are told.", bare(string(who)))
	return s.send(tx, e.Account, t.object.ID, []itip.Message{m}, t.dir)
}

func (s *Service) heldEntry(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	var e store.Entry
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Entry(owner, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && by.Account != owner && !by.Admin:
		return store.Entry{}, problem.New(problem.NotFound, "There is no message %d in this account.", id).Because(err)
	case err != nil:
		return e, fmt.Errorf("message %d: %w", id, err)
	case e.Direction != journal.In || e.State != StateHeld && e.State != StateRejected:
		return e, problem.New(problem.BadInput, "Message %d is %s; only a message that is held or was rejected can be decided about.", id, e.State)
	}
	return e, nil
}
