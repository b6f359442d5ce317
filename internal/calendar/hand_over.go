package calendar

import (
	"context"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// HandOverRequest makes a colleague the organizer of an event.
type HandOverRequest struct {
	By    account.Actor // the command line of the service
	Owner store.AccountID
	UID   string
	To    ical.Address
}

// HandOver gives an event with guests to another organizer of this service, with
// the answers so far; who had it becomes a guest. The new organizer tells
// everybody (RFC 5546 3.2.2.4). Colleagues have the change at once; programs of
// people elsewhere ask them whether it is right (REQ-08). It takes who runs the
// service, since an edit by one side would make somebody responsible unasked.
func (s *Service) HandOver(ctx context.Context, req HandOverRequest) (PutResult, error) {
	if req.By.Via != account.ViaOperator {
		return PutResult{}, problem.New(problem.NeedPrivileges, "An event is handed over by those who run the service, on the word of both.")
	}
	var e effect
	var to ical.Address
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.telling(tx, req.By, req.Owner, req.UID)
		if err != nil {
			return err
		}
		next, ok := t.dir.account(req.To)
		if t.dir.err != nil {
			return fmt.Errorf("look up %s: %w", req.To, t.dir.err)
		}
		if !ok || next.Kind != store.Individual {
			return problem.New(problem.BadInput, "%s is nobody with an account here. To somebody elsewhere an event goes by cancelling it, and their invitation.", clip(string(req.To)))
		}
		theirs, err := addresses(tx, next.ID)
		if err != nil {
			return err
		}
		if len(theirs) == 0 {
			return problem.New(problem.BadInput, "%s has no address.", next.Name)
		}
		to = theirs[0]
		cal, err := itip.HandOver(t.cal, t.user, to, next.DisplayName)
		if err != nil {
			return forbidden(err)
		}
		if _, err = s.handed(tx, req.By, t.coll, t.object, t.object.Name, cal); err != nil {
			return err
		}
		copied, err := s.byUID(tx, next.ID, req.UID)
		if err != nil {
			return err
		}
		var c store.Collection
		name := ""
		if copied != nil {
			name = copied.Name
			c, err = tx.Collection(next.ID, copied.Collection)
		} else if c, err = s.defaultCalendar(tx, next.ID, t.object.Component); err == nil {
			name, err = freeName(tx, c, req.UID)
		}
		if err != nil {
			return fmt.Errorf("calendar of %s: %w", next.Name, err)
		}
		e, err = s.handed(tx, s.o.Accounts.ActorOf(next), c, copied, name, cal)
		return err
	})
	if err != nil {
		return PutResult{}, err
	}
	s.deliver(ctx, e.rows)
	if err := s.agree(ctx, req, to); err != nil {
		return PutResult{}, err
	}
	return s.putResult(ctx, e, e.object.ETag)
}

// handed stores an event that was handed over, for one of the two.
func (s *Service) handed(tx *store.Tx, by account.Actor, c store.Collection, old *store.Object, name string, cal *ical.Calendar) (effect, error) {
	d := &draft{cal: cal, data: cal.Bytes(), kind: cal.Kind(), uid: cal.UID(), schedules: true}
	d.etag = etag(d.data)
	var err error
	if d.index, err = s.timeIndex(cal, tz.NewResolver(cal, nil)); err != nil {
		return effect{}, err
	}
	return s.apply(tx, change{by: by, coll: c, old: old, name: name, new: d, reply: itip.ReplySend, hands: true})
}

// agree takes the new organizer's messages up in the calendars of colleagues:
// what they would be asked was decided.
func (s *Service) agree(ctx context.Context, req HandOverRequest, to ical.Address) error {
	var held []store.Entry
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.Entries(store.EntryFilter{UID: req.UID, Direction: journal.In, States: []string{StateHeld}, Bare: true})
		return err
	})
	if err != nil {
		return err
	}
	operator := account.Actor{Name: req.By.Name, Admin: true, Via: account.ViaOperator}
	for _, e := range held {
		if e.Reason != itip.ReasonOrganizer || e.Transport != journal.Local || !ical.Address(e.From).Equal(to) {
			continue
		}
		if _, err := s.Approve(ctx, operator, e.Account, e.ID); err != nil {
			return fmt.Errorf("tell account %d who organizes the event: %w", e.Account, err)
		}
	}
	return nil
}
