package itip

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Answer is the attendee's copy with the answer in it, for the whole event
// (recurrenceID "") or one occurrence; [Plan] then tells the organizer. It is
// an edited copy: stored stays as it is. The answer to the whole also answers
// the occurrences that were answered with it before, or not at all. Who is not
// on the list but has the event (forwarded, or to a mailing list they read) is
// put there: the organizer decides about them (RFC 5546 3.2.2.6, 3.7.2).
func Answer(stored *ical.Calendar, m Memory, user []ical.Address, partstat, comment, recurrenceID string, now time.Time) (*ical.Calendar, error) {
	if stored == nil {
		return nil, fmt.Errorf("itip: nothing to answer")
	}
	partstat = strings.ToUpper(partstat)
	if !decided(partstat) && partstat != partStatNeeds || partstat == partStatDelegated {
		return nil, fmt.Errorf("itip: %q is no answer; ACCEPTED, TENTATIVE, DECLINED and NEEDS-ACTION are", partstat)
	}
	o := newObject(stored.Clone(), nil)
	me := peopleOf(user)
	if m.InvitedAs != "" {
		me[m.InvitedAs.Key()] = true
	}
	joinList(o, user, me)
	var targets []*ical.Component
	if recurrenceID != "" {
		key := o.keyText(recurrenceID)
		c := o.overrides[key]
		if c == nil {
			if c = o.derive(key); c == nil {
				return nil, refuse(conditionByGuest, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time.", title(o))
			}
			o.add(c)
		}
		targets = append(targets, c)
	} else {
		was := partStatNeeds
		if line := me.line(o.master); line != nil {
			was = partStat(line)
		}
		for _, c := range o.cal.Main() {
			line := me.line(c)
			if line == nil || dead(c) {
				continue
			}
			if c == o.master || o.master == nil || partStat(line) == partStatNeeds || partStat(line) == was {
				targets = append(targets, c)
			}
		}
	}
	if len(targets) == 0 {
		return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(o))
	}
	for _, c := range targets {
		line := me.line(c)
		if line == nil || dead(c) {
			return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(o))
		}
		if partStat(line) != partstat {
			line.SetParam("PARTSTAT", partstat)
		}
		if partstat != partStatNeeds && line.HasParam("RSVP") {
			line.RemoveParam("RSVP")
		}
		if comment == "" {
			if line.HasParam("X-RESPONSE-COMMENT") {
				line.RemoveParam("X-RESPONSE-COMMENT")
			}
		} else if line.Param("X-RESPONSE-COMMENT") != comment {
			line.SetParam("X-RESPONSE-COMMENT", comment)
			if org := c.Prop("ORGANIZER"); org != nil {
				org.SetParam("SCHEDULE-FORCE-SEND", string(Reply)) // a new note is worth a message of its own
			}
		}
	}
	return o.cal, nil
}

// joinList puts somebody on the copy that they have without being listed.
func joinList(o *object, user []ical.Address, me people) {
	org := o.organizer(nil)
	if org == nil || me.is(org) || len(user) == 0 {
		return
	}
	for _, c := range o.cal.Main() {
		if me.line(c) != nil {
			return
		}
	}
	for _, c := range o.cal.Main() {
		if dead(c) {
			continue
		}
		line := ical.NewProperty("ATTENDEE", string(user[0]))
		line.SetParam("PARTSTAT", partStatNeeds)
		var lists []string
		for p := range c.Props("ATTENDEE") {
			if upperOr(p.Param("CUTYPE"), "") == "GROUP" {
				lists = append(lists, string(p.Address()))
			}
		}
		if len(lists) == 1 { // it came by that list, since nothing else names us (RFC 5546 3.7.2)
			line.SetParam("CUTYPE", "INDIVIDUAL")
			line.SetParam("MEMBER", lists...)
		}
		c.Add(line)
	}
}

// Delegate is the attendee's copy with the invitation passed on to another
// calendar user (RFC 5546 3.2.2.3), for the whole event or one occurrence;
// [Plan] then tells the organizer and asks the delegate, or refuses a circle.
// keepMe asks for further updates. It is an edited copy: stored stays as it is.
func Delegate(stored *ical.Calendar, m Memory, user []ical.Address, to ical.Address, keepMe bool, recurrenceID string) (*ical.Calendar, error) {
	if stored == nil {
		return nil, fmt.Errorf("itip: nothing to delegate")
	}
	o := newObject(stored.Clone(), nil)
	me := peopleOf(user)
	if m.InvitedAs != "" {
		me[m.InvitedAs.Key()] = true
	}
	if to.Email() == "" && to.Key() == "" {
		return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "Say to whom the invitation is to be passed on.")
	}
	if me[to.Key()] {
		return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You cannot pass an invitation on to yourself.")
	}
	targets := o.cal.Main()
	if recurrenceID != "" {
		key := o.keyText(recurrenceID)
		c := o.overrides[key]
		if c == nil {
			if c = o.derive(key); c == nil {
				return nil, refuse(conditionByGuest, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time.", title(o))
			}
			o.add(c)
		}
		targets = []*ical.Component{c}
	}
	found := false
	for _, c := range targets {
		line := me.line(c)
		if line == nil || dead(c) {
			continue
		}
		found = true
		line.SetParam("PARTSTAT", partStatDelegated)
		line.SetParam("DELEGATED-TO", string(to))
		if keepMe { // both signals of RFC 5546: 4.2.5 shows RSVP, 3.2.2.3 says the role
			line.SetParam("RSVP", "TRUE")
			line.SetParam("ROLE", "NON-PARTICIPANT")
		} else {
			line.RemoveParam("RSVP")
		}
	}
	if !found {
		return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(o))
	}
	return o.cal, nil
}
