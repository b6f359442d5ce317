package itip

import (
	"bytes"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Plan says what a user's change to an object of their own calendar means: how
// the object is to be stored and who must be told what. It changes nothing it
// is given. The error, if any, is an [*Error]: the change is forbidden.
//
// Asking is free: Plan does not send, so it also answers "what would happen" (CAL-10).
func Plan(c Change) (*Outcome, error) {
	out := &Outcome{Memory: c.Memory.clone()}
	me := peopleOf(c.User)
	if c.Memory.InvitedAs != "" {
		me[c.Memory.InvitedAs.Key()] = true
	}
	old := newObject(c.Old, c.Zone)
	work := newObject(nil, nil)
	if c.New != nil {
		if c.New.Method() != "" && !c.Import {
			// RFC 4791 4.1: an object at rest has no METHOD.
			return nil, refuse(conditionObject, "", "METHOD", "This is a scheduling message (METHOD:%s), not a calendar object. Store it without METHOD.", c.New.Method())
		}
		work = newObject(c.New.Clone(), c.Zone)
		work.cal.Remove("METHOD")
		if err := sameOrganizer(work); err != nil {
			return nil, err
		}
		if err := oneUID(work); err != nil && !c.Import {
			return nil, err
		}
	}
	role := roleIn(old, me)
	if c.HandsOver {
		role = roleIn(work, me)
	} else if role == None || work.empty() {
		if role == None {
			role = roleIn(work, me)
		}
	} else if err := keepsOrganizer(old, work, me, role); err != nil {
		return nil, err
	}
	out.Role = role
	if c.New != nil {
		out.Object = work.cal
		out.Scheduling = scheduled(work, me)
		out.TagChanged = out.Scheduling || scheduled(old, me)
	}
	var err error
	switch {
	case c.Import:
		// Nothing is sent about what came from another calendar; what it says
		// about answers is believed.
	case c.HandsOver && role != OrganizerRole:
		// Who gets it tells everybody.
	case role == OrganizerRole:
		err = planOrganizer(c, out, me, old, work)
	case role == AttendeeRole:
		err = planAttendee(c, out, me, old, work)
	}
	if err != nil {
		return nil, err
	}
	out.complete(c, me, old, work)
	if out.Object != nil {
		same, sure := untouched(&out.Object.Component, &c.New.Component)
		out.Rewritten = !same && (sure || !bytes.Equal(out.Object.Bytes(), c.New.Bytes()))
	}
	return out, nil
}

// complete adds those to the preview of whom nothing was said yet.
func (out *Outcome) complete(c Change, me people, old, work *object) {
	done := map[string]bool{}
	for _, n := range out.People {
		done[n.Attendee.Key()] = true
	}
	reason := NoticeUnconcerned
	switch {
	case out.Role == OrganizerRole && !c.Import:
		// Of all others something was said; the owner may be on the list, or not.
		for _, o := range [...]*object{work, old} {
			if org := o.organizer(nil); org != nil {
				out.People = append(out.People, noticeOf(org, NoticeOwner))
				return
			}
		}
	case c.Import:
		reason = NoticeImported
	case out.Role == None:
		reason = NoticeNobodys
	}
	for _, o := range [...]*object{work, old} {
		out.others(o, me, done, reason)
	}
}

// untouched reports that a copy has the very lines of its original: quicker to
// see than to write both. sure: no need to write them to know.
func untouched(a, b *ical.Component) (same, sure bool) {
	if len(a.Properties) != len(b.Properties) || len(a.Components) != len(b.Components) || a.Name != b.Name {
		return false, true
	}
	same = true
	for i, p := range a.Properties {
		q := b.Properties[i]
		if raw := p.Raw(); raw != "" && raw == q.Raw() {
			continue
		}
		if p.Name() != q.Name() || p.Value() != q.Value() || !sameParams(p, q) {
			return false, true
		}
		same = false // it says the same, perhaps in other octets
	}
	for i, c := range a.Components {
		s, sure := untouched(c, b.Components[i])
		if !s && sure {
			return false, true
		}
		same = same && s
	}
	return same, same
}

// roleIn says what the owner is in an object: who organizes is the organizer,
// also of an event they attend (RFC 6638 3.1) (CAL-12).
func roleIn(o *object, me people) Role {
	org := o.organizer(nil)
	if kind := o.cal.Kind(); org == nil || kind != "VEVENT" && kind != "VTODO" || !scheduledBy(o) || o.cal.UID() == "" {
		return None // journals and free/busy invite nobody (RFC 5546 1.4)
	}
	if me.is(org) {
		return OrganizerRole
	}
	for c := range o.main {
		if me.line(c) != nil {
			return AttendeeRole
		}
	}
	return None
}

// scheduledBy reports whether anybody is invited.
func scheduledBy(o *object) bool {
	for c := range o.main {
		if c.Prop("ATTENDEE") != nil {
			return true
		}
	}
	return false
}

func scheduled(o *object, me people) bool { return roleIn(o, me) != None }

// sameOrganizer is RFC 6638 3.2.4.2: one organizer in all components that name
// one, spelled as it may be (CAL-07).
func sameOrganizer(o *object) error {
	var first *ical.Property
	for c := range o.main {
		n := 0
		for p := range c.Props("ORGANIZER") {
			n++
			if first == nil {
				first = p
			}
			if p.Value() != first.Value() && p.Address().Key() != first.Address().Key() || n > 1 {
				return refuse(conditionOrganizer, o.keyOf(c), "ORGANIZER",
					"The event names two organizers, %s and %s. All its parts must have the same one.", first.Address(), p.Address())
			}
		}
	}
	return nil
}

// oneUID is RFC 4791 4.1: what is stored under one name has one UID, and one
// kind of component.
func oneUID(o *object) error {
	uid := o.cal.UID()
	for c := range o.main {
		if kind := o.cal.Kind(); c.Name != kind && scheduledBy(o) {
			return refuse(conditionObject, "", "", "There is a %s beside a %s; an event with guests is stored by itself.", c.Name, kind)
		}
		if have := strings.TrimSpace(c.Value("UID")); have == "" || have != uid {
			return refuse(conditionObject, o.keyOf(c), "UID", "All parts of an event must have the same UID; there is %q beside %q.", have, uid)
		}
	}
	return nil
}

// keepsOrganizer refuses to hand an event with guests to another organizer by
// an edit: nobody would know whom to answer (RFC 5546 3.2.2.1) (CAL-13).
func keepsOrganizer(old, work *object, me people, role Role) error {
	was, is := old.organizer(nil), work.organizer(nil)
	if is == nil && !scheduledBy(work) {
		if role == OrganizerRole {
			return nil // everything is taken back: the event becomes a plain one
		}
		return refuse(conditionByGuest, "", "ORGANIZER", "You are a guest of this event: its organizer and guests cannot be removed. Decline it, or delete it.")
	}
	same := is != nil && (is.Address().Key() == was.Address().Key() || role == OrganizerRole && me.is(is) || sameEmail(was, is))
	switch {
	case same:
		return nil
	case role == OrganizerRole && is == nil:
		return refuse(conditionByOwner, "", "ORGANIZER", "The event still has guests but no organizer. Keep ORGANIZER, or remove the guests as well to call the meeting off.")
	case role == OrganizerRole:
		return refuse(conditionByOwner, "", "ORGANIZER", "You organize this event; it cannot be handed to %s by an edit. Cancel it and let %s invite instead.", is.Address(), is.Address())
	}
	return refuse(conditionByGuest, "", "ORGANIZER", "Only the organizer %s may change who organizes this event.", was.Address())
}

func sameEmail(p, q *ical.Property) bool {
	e, f := p.Param("EMAIL"), q.Param("EMAIL")
	return e != "" && strings.EqualFold(e, f)
}
