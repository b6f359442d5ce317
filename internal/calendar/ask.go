package calendar

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// ProposeRequest proposes another time or place to the organizer of an event
// one is invited to.
type ProposeRequest struct {
	By    account.Actor
	Owner store.AccountID // whose invitation it is
	UID   string
	itip.Proposal
}

// maxComment is what a person may write beside an answer or a proposal, in octets.
const maxComment = 10_000

// Propose sends a COUNTER (RFC 5546 3.2.7). The event stays as it is until its
// organizer takes the proposal up.
func (s *Service) Propose(ctx context.Context, req ProposeRequest) ([]Sent, error) {
	n := len(req.Comment)
	if req.Location != nil {
		n += len(*req.Location)
	}
	if n > maxComment {
		return nil, problem.New(problem.TooLarge, "The proposal is %d octets long; %d are allowed.", n, maxComment)
	}
	return s.tell(ctx, req.By, req.Owner, req.UID, func(t telling) ([]itip.Message, itip.Memory, error) {
		m, mem, err := t.copy(s).Propose(req.Proposal)
		return []itip.Message{m}, mem, err
	})
}

// RefreshRequest asks the organizer for the present state of an event.
type RefreshRequest struct {
	By           account.Actor
	Owner        store.AccountID
	UID          string
	RecurrenceID string // as in itip.Message; "" = the whole
}

// Refresh sends a REFRESH (RFC 5546 3.2.6): what the organizer has comes back
// as if it had just been sent.
func (s *Service) Refresh(ctx context.Context, req RefreshRequest) ([]Sent, error) {
	return s.tell(ctx, req.By, req.Owner, req.UID, func(t telling) ([]itip.Message, itip.Memory, error) {
		m, mem, err := t.copy(s).Refresh(req.RecurrenceID)
		return []itip.Message{m}, mem, err
	})
}

// PublishRequest sends an object to people to know of it, not to answer.
type PublishRequest struct {
	By    account.Actor
	Owner store.AccountID
	UID   string
	To    []ical.Address
}

// Publish sends a PUBLISH (RFC 5546 3.2.1) of one's own event, to-do or
// journal entry to each address.
func (s *Service) Publish(ctx context.Context, req PublishRequest) ([]Sent, error) {
	if len(req.To) == 0 {
		return nil, problem.New(problem.BadInput, "Say to whom it is to be published.")
	}
	for _, to := range req.To {
		if to.Email() == "" {
			return nil, problem.New(problem.BadInput, "%q is not a mail address.", clip(string(to)))
		}
	}
	return s.tell(ctx, req.By, req.Owner, req.UID, func(t telling) ([]itip.Message, itip.Memory, error) {
		if t.coll.Account != req.By.Account && classified(t.cal) {
			return nil, t.memory, problem.New(problem.NeedPrivileges, "This event is private; only the owner of the calendar can publish it.")
		}
		return t.copy(s).Publish(req.To...)
	})
}

// telling is a stored object that its owner writes a message about.
type telling struct {
	object *store.Object
	coll   store.Collection
	cal    *ical.Calendar
	memory itip.Memory
	owner  store.Account
	user   []ical.Address
	by     ical.Address // the designate who writes, "" = the owner
	dir    *Directory
}

func (t telling) copy(s *Service) itip.Copy {
	return itip.Copy{Object: t.cal, Memory: t.memory, User: t.user, By: t.by, Now: s.now(), Local: t.dir.local, Zone: accountZone(t.owner)}
}

func containsAddress(list []ical.Address, a ical.Address) bool {
	for _, x := range list {
		if x.Equal(a) {
			return true
		}
	}
	return false
}

// tell sends messages about an object that stays as it is.
func (s *Service) tell(ctx context.Context, by account.Actor, owner store.AccountID, uid string, write func(telling) ([]itip.Message, itip.Memory, error)) ([]Sent, error) {
	var rows []*store.Entry
	var sent []Sent
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.telling(tx, by, owner, uid)
		if err != nil {
			return err
		}
		messages, memory, err := write(t)
		if err != nil {
			if p := problem.Of(err); p.Condition != problem.Internal {
				return err
			}
			return forbidden(err)
		}
		external := 0
		for _, m := range messages {
			if !t.dir.local(m.To) {
				external++
			}
		}
		if external > s.limits.ExternalAttendees {
			return problem.New(problem.TooManyAttendees, "This would send %d messages to people outside; %d are allowed at once.", external, s.limits.ExternalAttendees)
		}
		if t.object.Scheduling {
			text, err := json.Marshal(memory)
			if err != nil {
				return fmt.Errorf("remember scheduling state: %w", err)
			}
			if err := tx.UpdateMemory(t.object.Account, t.object.ID, text); err != nil {
				return fmt.Errorf("remember scheduling state: %w", err)
			}
		}
		if rows, err = s.send(tx, owner, t.object.ID, messages, t.dir); err != nil {
			return err
		}
		sent = sentOf(messages, rows, t.dir)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.deliver(ctx, rows)
	return sent, nil
}

func (s *Service) telling(tx *store.Tx, by account.Actor, owner store.AccountID, uid string) (telling, error) {
	t := telling{dir: s.directory(tx)}
	var err error
	if t.object, err = s.byUID(tx, owner, uid); err != nil {
		return t, err
	}
	if t.object == nil {
		return t, problem.New(problem.NotFound, "There is no event with the UID %s in the calendars of this account.", clip(uid))
	}
	if t.coll, err = tx.Collection(t.object.Account, t.object.Collection); err != nil {
		return t, fmt.Errorf("calendar of %s: %w", t.object.Name, err)
	}
	have, err := s.accessTo(tx, by, t.coll, acl.Write)
	if err != nil {
		return t, err
	}
	if err := permit(t.coll, have, acl.Write); err != nil {
		return t, err
	}
	if t.cal, _, err = s.parse(tx, t.object); err != nil {
		return t, err
	}
	if t.memory, err = memoryOf(t.object); err != nil {
		return t, err
	}
	if t.owner, err = tx.Account(owner); err != nil {
		return t, fmt.Errorf("account %d: %w", owner, err)
	}
	if t.user, err = addresses(tx, owner); err != nil {
		return t, err
	}
	if by.Account != owner {
		theirs, err := addresses(tx, by.Account)
		if err != nil {
			return t, err
		}
		if len(theirs) > 0 {
			t.by = theirs[0]
		}
	}
	return t, nil
}
