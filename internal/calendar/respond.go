package calendar

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/journal"
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
	Percent      *int // of a to-do: how far it is, 0 to 100 (RFC 5546 3.4.3); nil = say nothing of it
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
	if req.Percent != nil && (*req.Percent < 0 || *req.Percent > 100) {
		return PutResult{}, problem.New(problem.BadInput, "A task is 0 to 100 per cent done, not %d.", *req.Percent)
	}
	if len(req.Comment) > maxComment {
		return PutResult{}, problem.New(problem.TooLarge, "The note is %d octets long; %d are allowed.", len(req.Comment), maxComment)
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
	return s.edit(tx, req.By, req.Owner, req.UID, func(t telling) (*ical.Calendar, error) {
		todo := t.object.Component == "VTODO"
		if !todo && (req.PartStat == "COMPLETED" || req.PartStat == "IN-PROCESS" || req.Percent != nil) {
			return nil, problem.New(problem.BadInput, "Only a task is in process, completed, or some per cent done; this is an event.") // RFC 5545 3.2.12
		}
		cal, err := itip.Answer(t.cal, t.memory, t.user, req.PartStat, req.Comment, req.RecurrenceID, s.now())
		if err == nil && todo {
			s.progress(cal, req)
		}
		return cal, err
	})
}

// progress writes how far a to-do is into the attendee's own copy, from where
// the answer takes it (RFC 5546 3.4.3).
func (s *Service) progress(cal *ical.Calendar, req RespondRequest) {
	zones := tz.NewResolver(cal, nil)
	for _, c := range cal.Main() {
		if id := c.Prop("RECURRENCE-ID"); req.RecurrenceID != "" {
			t, err := ical.Time{}, error(nil)
			if id == nil {
				continue
			}
			if t, err = id.Time(); err != nil || idOf(t, zones) != req.RecurrenceID {
				continue
			}
		}
		percent := -1
		switch {
		case req.Percent != nil:
			percent = *req.Percent
		case req.PartStat == "COMPLETED":
			percent = 100
		}
		if percent >= 0 {
			c.Set("PERCENT-COMPLETE", strconv.Itoa(percent))
		}
		if req.PartStat == "COMPLETED" && c.Prop("COMPLETED") == nil {
			c.Set("COMPLETED", ical.UTCTime(s.now()).String())
		}
	}
}

// edit changes a stored object by a function of itip, as if its owner had done
// so in a client.
func (s *Service) edit(tx *store.Tx, by account.Actor, owner store.AccountID, uid string, how func(telling) (*ical.Calendar, error)) (effect, error) {
	t, err := s.telling(tx, by, owner, uid)
	if err != nil {
		return effect{}, err
	}
	edited, err := how(t)
	if err != nil {
		if problem.Of(err).Condition != problem.Internal {
			return effect{}, err
		}
		return effect{}, forbidden(err)
	}
	d := &draft{cal: edited, data: edited.Bytes(), kind: t.object.Component, uid: t.object.UID, schedules: true}
	d.etag = etag(d.data)
	if d.index, err = s.timeIndex(edited, tz.NewResolver(edited, nil)); err != nil {
		return effect{}, err
	}
	return s.apply(tx, change{by: by, coll: t.coll, old: t.object, name: t.object.Name, new: d, reply: itip.ReplySend})
}

// DelegateRequest passes an invitation on to somebody else (RFC 5546 3.2.2.3).
type DelegateRequest struct {
	By           account.Actor
	Owner        store.AccountID
	UID          string
	RecurrenceID string // "" = the whole
	To           ical.Address
	KeepInformed bool // hear of later changes all the same
}

// Delegate tells the organizer, and asks the delegate.
func (s *Service) Delegate(ctx context.Context, req DelegateRequest) (PutResult, error) {
	if req.To.Email() == "" {
		return PutResult{}, problem.New(problem.BadInput, "%q is not a mail address.", clip(string(req.To)))
	}
	var e effect
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		e, err = s.edit(tx, req.By, req.Owner, req.UID, func(t telling) (*ical.Calendar, error) {
			if organizedBy(t.cal, t.user) {
				return nil, problem.New(problem.Forbidden, "You organize this event yourself: invite whom you like, there is nobody to ask.")
			}
			return itip.Delegate(t.cal, t.memory, t.user, req.To, req.KeepInformed, req.RecurrenceID)
		})
		return err
	})
	if err != nil {
		return PutResult{}, err
	}
	s.deliver(ctx, e.rows)
	return s.putResult(ctx, e, e.object.ETag)
}

// ForwardRequest passes the invitation itself on to people who are not invited.
type ForwardRequest struct {
	By    account.Actor
	Owner store.AccountID
	UID   string
	To    []ical.Address
}

// Forward sends the invitation on as it came (RFC 5546 3.2.2.6): whether the
// new ones may come is the organizer's to say when they answer.
func (s *Service) Forward(ctx context.Context, req ForwardRequest) ([]Sent, error) {
	if len(req.To) == 0 {
		return nil, problem.New(problem.BadInput, "Say to whom the invitation goes.")
	}
	return s.tell(ctx, req.By, req.Owner, req.UID, func(t telling) ([]itip.Message, itip.Memory, error) {
		invitation, err := s.invitation(t)
		if err != nil {
			return nil, t.memory, err
		}
		if t.coll.Account != req.By.Account && classified(t.cal) {
			return nil, t.memory, problem.New(problem.NeedPrivileges, "This event is private; only the owner of the calendar can pass it on.")
		}
		if len(t.user) == 0 {
			return nil, t.memory, problem.New(problem.Forbidden, "This account has no address to write from.")
		}
		var out []itip.Message
		for _, to := range req.To {
			m, err := itip.Forward(invitation, t.user[0], to)
			if err != nil {
				return nil, t.memory, err
			}
			out = append(out, m)
		}
		return out, t.memory, nil
	})
}

// invitation is the REQUEST that an event came with, as it came.
func (s *Service) invitation(t telling) (*ical.Calendar, error) {
	rows, err := t.dir.tx.Entries(store.EntryFilter{Account: t.object.Account, UID: t.object.UID, Direction: journal.In})
	if err != nil {
		return nil, fmt.Errorf("look for the invitation: %w", err)
	}
	for _, e := range rows { // the newest first
		if e.Method != string(itip.Request) || e.Refresh || e.State != string(itip.Applied) || e.RecurrenceID != "" {
			continue
		}
		if cal, err := ical.ParseLimits(e.Calendar, s.parseLimits()); err == nil {
			return cal, nil
		}
	}
	return nil, problem.New(problem.NotFound, "The invitation to this event is not in the journal, so it cannot be passed on as it came. If you organize it, invite them.")
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
