package itip

import "github.com/convene-cal/convene/ical"

// HandOver is the organizer's object as it is once somebody else organizes the
// event (RFC 5546 3.2.2.4): the same for both of them, with a higher SEQUENCE,
// the answers as they are, and both among the guests. [Plan] with
// [Change.HandsOver] then makes the one a guest and has the other tell
// everybody. It is an edited copy: stored stays as it is.
func HandOver(stored *ical.Calendar, user []ical.Address, to ical.Address, name string) (*ical.Calendar, error) {
	o := newObject(stored.Clone(), nil)
	me, org := peopleOf(user), o.organizer(nil)
	switch {
	case org == nil || !me.is(org):
		return nil, refuse(conditionByGuest, "", "ORGANIZER", "Only the organizer can hand %s over.", title(o))
	case me[to.Key()]:
		return nil, refuse(conditionByOwner, "", "ORGANIZER", "You organize %s already.", title(o))
	case o.master != nil && dead(o.master):
		return nil, refuse(conditionByOwner, "", "STATUS", "%s is cancelled; there is nothing to hand over.", title(o))
	}
	next := maxSequence(o) + 1
	for _, c := range o.cal.Main() {
		if c.Prop("ATTENDEE") == nil && o.master != c {
			continue
		}
		for line := range c.Props("ATTENDEE") {
			for _, p := range [...]string{"SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"} { // of messages that the other did not send
				if line.HasParam(p) {
					line.RemoveParam(p)
				}
			}
		}
		c.Remove(attendeeComment) // they were told to one person
		comes(c, me.line(c), org.Address(), org.Param("CN"))
		comes(c, people{to.Key(): true}.line(c), to, name)
		q := ical.NewProperty("ORGANIZER", string(to))
		if name != "" {
			q.SetParam("CN", name)
		}
		if is := c.Prop("ORGANIZER"); is != nil {
			*is = *q
		} else {
			c.Add(q)
		}
		setSequence(c, next)
	}
	return o.cal, nil
}

// comes has somebody on the list who is to be there.
func comes(c *ical.Component, line *ical.Property, who ical.Address, name string) {
	if line == nil {
		line = ical.NewProperty("ATTENDEE", string(who))
		if name != "" {
			line.SetParam("CN", name)
		}
		c.Add(line)
	}
	if s := partStat(line); s == partStatNeeds {
		line.SetParam("PARTSTAT", partStatAccepted)
	}
	if line.HasParam("RSVP") {
		line.RemoveParam("RSVP")
	}
}
