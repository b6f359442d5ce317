package calendar

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// ReasonApproval marks the row by which somebody who decides about a room is
// asked: a held REQUEST for the room, in the approver's own journal.
const ReasonApproval = "room-approval"

// REQUEST-STATUS of a room's refusals (RFC 5546 3.6).
var roomStatus = map[string]string{
	"4.0": "4.0;Event conflict. Date/time is busy.",
	"3.8": "3.8;No authority",
}

// refuseWith puts the reason into the answers that decline (POL-07).
func refuseWith(messages []itip.Message, status string) {
	text, ok := roomStatus[status]
	if !ok {
		return
	}
	for _, m := range messages {
		if m.Method != itip.Reply {
			continue
		}
		for _, c := range m.Calendar.Main() {
			if slices.ContainsFunc(itip.Attendees(c), func(a itip.Attendee) bool { return a.PartStat == "DECLINED" }) {
				c.Set("REQUEST-STATUS", text)
			}
		}
	}
}

// askApprovers shows a request to those who decide about a room. The room holds
// the place meanwhile.
func (s *Service) askApprovers(tx *store.Tx, r roomRequest, policy itip.RoomPolicy, recurrenceID string, ruling itip.Ruling) error {
	dir := s.directory(tx)
	organizer := ""
	for _, c := range r.cal.Main() {
		if o, ok := itip.Organizer(c); ok {
			organizer = string(o.Address)
			break
		}
	}
	message := r.cal.Clone()
	message.Set("METHOD", string(itip.Request))
	asked := false
	var outside []ical.Address
	for _, mail := range policy.Approvers {
		who, ok := dir.account(ical.Mailto(mail))
		if dir.err != nil {
			return fmt.Errorf("look up %s: %w", mail, dir.err)
		}
		if !ok {
			outside = append(outside, ical.Mailto(mail)) // without an account there is nothing to decide with
			continue
		}
		asked = true
		e := &store.Entry{
			Account: who.ID, Direction: journal.In, Transport: journal.Local, State: StateHeld, Reason: ReasonApproval, Status: "1.0",
			Method: string(itip.Request), UID: r.object.UID, RecurrenceID: recurrenceID, Sequence: sequenceOf(r.cal),
			From: organizer, To: string(r.user[0]), Calendar: message.Bytes(), Created: s.now(),
			Sentence: fmt.Sprintf("%s asks for %s. It is held for them until you approve or reject.", bare(organizer), r.name),
		}
		if err := tx.AddEntry(e); err != nil {
			return fmt.Errorf("ask %s for approval: %w", mail, err)
		}
	}
	if len(outside) == 0 {
		return nil
	}
	return s.tellOutside(tx, r, organizer, asked, outside, dir)
}

// tellOutside writes to approvers who have no account here that a room is asked
// for, and how to decide: as something published by the room, which no program
// takes for an invitation.
func (s *Service) tellOutside(tx *store.Tx, r roomRequest, organizer string, others bool, to []ical.Address, dir *Directory) error {
	how := "You are named as somebody who decides about it, but have no account here to do so with: an administrator can decide (convene message list, convene message approve), or give you one."
	if others {
		how = "Others who decide about it are asked as well."
	}
	cal := r.cal.Clone()
	for _, c := range cal.Main() {
		what := c.Text("SUMMARY")
		c.Remove("ATTENDEE", "ORGANIZER", "STATUS", "COMMENT", "SEQUENCE", "REQUEST-STATUS")
		c.Components = nil
		c.Set("UID", "approval-"+strings.Trim(tagOf("approval", r.object.UID, strconv.FormatInt(r.object.Seq, 10)), `"`))
		c.Set("ORGANIZER", string(r.user[0]))
		c.SetText("SUMMARY", fmt.Sprintf("%s is asked for: %s", r.name, what))
		c.SetText("DESCRIPTION", fmt.Sprintf("%s asks for %s, which is held for them until somebody decides. %s", bare(organizer), r.name, how))
	}
	messages, _, err := itip.Copy{Object: cal, User: r.user, Now: s.now(), Local: dir.local, Zone: r.zone}.Publish(to...)
	if err != nil {
		s.log.Warn("nobody can be told that a room waits for a decision", "room", r.room.Name, "reason", err)
		return nil
	}
	if _, err := s.send(tx, r.room.ID, 0, messages, dir); err != nil {
		return fmt.Errorf("tell approvers outside: %w", err)
	}
	return nil
}

func sequenceOf(cal *ical.Calendar) int {
	n := 0
	for _, c := range cal.Main() {
		n = max(n, version(c).sequence)
	}
	return n
}

// withdrawApprovals takes back what approvers were asked about an event.
func (s *Service) withdrawApprovals(tx *store.Tx, r roomRequest, why string) error {
	return s.withdrawAll(tx, r.room, r.object.UID, why)
}

func (s *Service) withdrawAll(tx *store.Tx, room store.Account, uid, why string) error {
	return s.settleApprovals(tx, room, uid, nil, 0, journal.Superseded, why)
}

// settleApprovals ends the open questions to approvers about an event, or one
// occurrence of it, all but one.
func (s *Service) settleApprovals(tx *store.Tx, room store.Account, uid string, recurrenceID *string, but int64, state, why string) error {
	policy, err := policyOf(tx, room.ID)
	if err != nil {
		return err
	}
	mine, err := addresses(tx, room.ID)
	if err != nil {
		return err
	}
	dir := s.directory(tx)
	for _, mail := range policy.Approvers {
		who, ok := dir.account(ical.Mailto(mail))
		if dir.err != nil {
			return fmt.Errorf("look up %s: %w", mail, dir.err)
		}
		if !ok {
			continue
		}
		rows, err := tx.EntriesWaiting(who.ID, uid)
		if err != nil {
			return fmt.Errorf("look for open questions about %s: %w", room.Name, err)
		}
		for _, e := range rows {
			if e.ID == but || e.Reason != ReasonApproval || e.State != StateHeld || !containsAddress(mine, ical.Address(e.To)) || recurrenceID != nil && e.RecurrenceID != *recurrenceID {
				continue
			}
			e.State, e.Reason, e.Sentence, e.Updated = state, "settled", why, s.now()
			if err := tx.UpdateEntry(e); err != nil {
				return fmt.Errorf("settle message %d: %w", e.ID, err)
			}
		}
	}
	return nil
}

// decideBooking is an approver's answer for a room: what is said goes to the
// organizer as the room's own answer. Whether it is still free is looked at in
// the same transaction.
func (s *Service) decideBooking(ctx context.Context, by account.Actor, e store.Entry, accept bool) (store.Entry, error) {
	var rows []*store.Entry
	was := e
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		e, rows = was, nil
		dir := s.directory(tx)
		room, ok := dir.account(ical.Address(e.To))
		if dir.err != nil {
			return fmt.Errorf("look up %s: %w", e.To, dir.err)
		}
		if !ok {
			return problem.New(problem.NotFound, "The room %s is not here any more.", bare(e.To))
		}
		if err := s.mayApprove(tx, by, room); err != nil {
			return err
		}
		o, err := s.byUID(tx, room.ID, e.UID)
		if err != nil {
			return err
		}
		if o == nil {
			return problem.New(problem.NotFound, "The booking of %s is not there any more.", nameFor(room))
		}
		r, err := s.roomRequest(tx, room, o)
		if err != nil {
			return err
		}
		p, err := r.pending(e.RecurrenceID)
		if err != nil {
			return err
		}
		partstat, comment, status := "DECLINED", fmt.Sprintf("%s is not for you this time, says %s.", r.name, by.Name), "3.8"
		if accept {
			partstat, comment, status = "ACCEPTED", "", ""
			b, err := s.booking(tx, r, p)
			if err != nil {
				return err
			}
			policy, err := policyOf(tx, room.ID)
			if err != nil {
				return err
			}
			// A person decides; only that there is room for it is not theirs to say.
			free := itip.RoomPolicy{Overlapping: policy.Overlapping, Conflicts: policy.Conflicts, Tentative: true}
			if ruling := free.Rule(b); ruling.PartStat == "DECLINED" {
				return problem.New(problem.Forbidden, "%s Reject this request, or make room first.", ruling.Sentence)
			}
		}
		answered, err := itip.Answer(r.cal, r.memory, r.user, partstat, comment, e.RecurrenceID, s.now())
		if err != nil {
			return forbidden(err)
		}
		done, err := s.answerRoom(tx, r, answered, status)
		if err != nil {
			return err
		}
		rows = done.rows
		e.State, e.Reason, e.Object, e.Updated = string(itip.Applied), itip.ReasonAccepted, 0, s.now()
		e.Sentence = fmt.Sprintf("You gave %s to %s.", r.name, bare(e.From))
		word := "approved"
		if !accept {
			e.State, e.Reason, word = StateRejected, ReasonApproval, "rejected"
			e.Sentence = fmt.Sprintf("You did not give %s to %s.", r.name, bare(e.From))
		}
		if err := tx.UpdateEntry(e); err != nil {
			return err
		}
		return s.settleApprovals(tx, room, e.UID, &e.RecurrenceID, e.ID, journal.Superseded, fmt.Sprintf("%s has %s it.", by.Name, word))
	})
	if err != nil {
		return was, err
	}
	s.deliver(ctx, rows)
	return e, nil
}

// mayApprove: those whom the policy names now, administrators, and the room.
func (s *Service) mayApprove(tx *store.Tx, by account.Actor, room store.Account) error {
	if by.Admin || by.Account == room.ID {
		return nil
	}
	policy, err := policyOf(tx, room.ID)
	if err != nil {
		return err
	}
	mine, err := addresses(tx, by.Account)
	if err != nil {
		return err
	}
	for _, a := range policy.Approvers {
		if containsAddress(mine, ical.Mailto(a)) {
			return nil
		}
	}
	return problem.New(problem.NeedPrivileges, "You are not among those who decide about %s any more.", nameFor(room))
}

// pending finds the part of a booking that waits for an approver.
func (r roomRequest) pending(recurrenceID string) (part, error) {
	for _, p := range partsAnswered(r.cal, r.user, r.zone, "TENTATIVE", "NEEDS-ACTION", "", "ACCEPTED", "DECLINED") {
		if strings.EqualFold(p.id, recurrenceID) {
			return p, nil
		}
	}
	return part{}, problem.New(problem.NotFound, "This booking of %s was cancelled or changed meanwhile.", r.name)
}
