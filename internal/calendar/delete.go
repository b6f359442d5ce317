package calendar

import (
	"context"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// DeleteRequest removes an object.
type DeleteRequest struct {
	By account.Actor
	Ref
	If    Precondition
	Reply itip.ReplyPolicy // Schedule-Reply, RFC 6638 8.1
}

// Delete removes an object. The organizer's deletion cancels the event for
// everyone, an attendee's declines it (RFC 6638 3.2.1.3, 3.2.2.4).
func (s *Service) Delete(ctx context.Context, req DeleteRequest) error {
	var rows []*store.Entry
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		rows = nil
		ch, err := s.removal(tx, req)
		if err != nil {
			return err
		}
		rows, err = s.remove(tx, ch)
		return err
	})
	if err != nil {
		return err
	}
	s.deliver(ctx, rows)
	return nil
}

// removal checks rights and preconditions of a Delete.
func (s *Service) removal(tx *store.Tx, req DeleteRequest) (change, error) {
	c, have, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Write)
	if err != nil {
		return change{}, err
	}
	o, err := object(tx, c, req.Name)
	if err != nil {
		return change{}, err
	}
	if err := s.checkView(tx, req.By, c, have, o, req.If); err != nil {
		return change{}, err
	}
	if o == nil {
		return change{}, notFound(req.Ref.String())
	}
	if err := s.checkClass(tx, have, o); err != nil {
		return change{}, err
	}
	return change{by: req.By, coll: c, old: o, name: o.Name, reply: req.Reply}, nil
}

// remove deletes one object with what that means for others.
func (s *Service) remove(tx *store.Tx, ch change) ([]*store.Entry, error) {
	var p planned
	if ch.coll.Kind == store.Calendar && ch.old.Scheduling {
		var err error
		if p, err = s.plan(tx, ch); err != nil {
			return nil, err
		}
	}
	if err := tx.DeleteObject(ch.old.Account, ch.old.ID); err != nil {
		return nil, fmt.Errorf("delete %s/%s: %w", ch.coll.Name, ch.name, err)
	}
	if p.out == nil {
		return nil, nil
	}
	return s.sendChange(tx, ch.coll.Account, ch.old.ID, ch.base(), p.out.Send, p.dir)
}

// DeleteCollectionRequest removes a calendar with all it holds.
type DeleteCollectionRequest struct {
	By         account.Actor
	Owner      store.AccountID
	Collection string
	Reply      itip.ReplyPolicy
}

// DeleteCollection removes a calendar; for each scheduling object in it the
// same happens as when it is deleted alone (RFC 6638 3.2.3.2). The calendar
// that receives invitations, and inbox and outbox, stay.
func (s *Service) DeleteCollection(ctx context.Context, req DeleteCollectionRequest) error {
	var rows []*store.Entry
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		rows = nil
		c, _, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Own)
		if err != nil {
			return err
		}
		switch c.Kind {
		case store.Calendar:
		case store.Subscribed:
			return tx.DeleteCollection(c.Account, c.ID)
		default:
			return problem.New(problem.Forbidden, "The scheduling %s cannot be deleted.", c.Kind).At(c.Name + "/")
		}
		def, err := s.defaultCalendar(tx, req.Owner, "VEVENT")
		if err != nil {
			return err
		}
		if def.ID == c.ID {
			// RFC 6638 4.3.1
			return problem.New(problem.DefaultCalendarNeeded, "New invitations go to the calendar %s. Choose another calendar for them first, then delete it.", title(c)).At(c.Name + "/")
		}
		for o, err := range tx.ListObjects(c.Account, c.ID) {
			if err != nil {
				return fmt.Errorf("list calendar %s: %w", c.Name, err)
			}
			if !o.Scheduling {
				continue
			}
			full, err := tx.ObjectByID(o.Account, o.ID) // with its memory
			if err != nil {
				return err
			}
			p, err := s.plan(tx, change{by: req.By, coll: c, old: &full, name: o.Name, reply: req.Reply})
			if err != nil {
				return err
			}
			more, err := s.send(tx, c.Account, o.ID, p.out.Send, p.dir)
			if err != nil {
				return err
			}
			rows = append(rows, more...)
		}
		if err := tx.DeleteCollection(c.Account, c.ID); err != nil {
			return fmt.Errorf("delete calendar %s: %w", c.Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.deliver(ctx, rows)
	return nil
}
