package itip

import (
	"slices"

	"github.com/convene-cal/convene/ical"
)

// delegate checks to whom an attendee passes an invitation on, and lists them
// (RFC 5546 3.2.2.3) (DEL-05).
func (p *attending) delegate(k string, c, before *ical.Component) error {
	line := p.me.line(c)
	if line == nil || partStat(line) != partStatDelegated {
		return nil
	}
	to := person(line).DelegatedTo
	if was := p.me.line(before); was != nil && partStat(was) == partStatDelegated && slices.Equal(to, person(was).DelegatedTo) {
		for _, d := range to { // a client may not know that we listed them
			who := people{d.Key(): true}
			if q := who.line(before); q != nil && who.line(c) == nil {
				c.Add(q.Clone())
			}
		}
		return nil
	}
	switch {
	case len(to) == 0:
		return refuse(conditionByGuest, k, "ATTENDEE", "The invitation is delegated to nobody: name somebody in DELEGATED-TO.")
	case len(to) > maxDelegates:
		return refuse(conditionByGuest, k, "ATTENDEE", "The invitation is delegated to %d people; %d are allowed.", len(to), maxDelegates)
	}
	above := people{line.Address().Key(): true}
	if org := p.new.organizer(c); org != nil {
		above[org.Address().Key()] = true
	}
	for next := person(line).DelegatedFrom; len(next) > 0 && len(above) <= maxDelegates; {
		from := next[0]
		next = next[1:]
		if above[from.Key()] {
			continue
		}
		above[from.Key()] = true
		if q := (people{from.Key(): true}).line(before); q != nil {
			next = append(next, person(q).DelegatedFrom...)
		}
	}
	if len(above)-1 > maxDelegation {
		return refuse(conditionByGuest, k, "ATTENDEE", "The invitation has been passed on %d times already; that is enough.", maxDelegation)
	}
	for _, d := range to {
		if above[d.Key()] {
			return refuse(conditionByGuest, k, "ATTENDEE", "The invitation cannot be delegated to %s, from whom it came.", d)
		}
	}
	p.listDelegates(c, line)
	return nil
}

// listDelegates adds the people that line delegates to, as they are asked (DEL-07).
func (p *attending) listDelegates(c *ical.Component, line *ical.Property) {
	for _, d := range person(line).DelegatedTo {
		q := (people{d.Key(): true}).line(c)
		if q == nil {
			q = ical.NewProperty("ATTENDEE", string(d))
			c.Add(q)
		} else if (people{d.Key(): true}).line(p.old.component(p.new.keyOf(c))) != nil {
			continue // invited already
		}
		role, rsvp := person(line).Role, "TRUE"
		if was := p.me.line(p.old.component(p.new.keyOf(c))); was != nil {
			role = person(was).Role // what they were asked as, whatever they want to be from now on
			if c.Name == "VTODO" && was.HasParam("RSVP") {
				rsvp = upperOr(was.Param("RSVP"), "FALSE") // RFC 5546 3.4.2.3: as it was of the delegator
			}
		}
		q.SetParam("ROLE", role)
		q.SetParam("PARTSTAT", partStatNeeds)
		q.SetParam("RSVP", rsvp)
		q.SetParam("DELEGATED-FROM", string(line.Address()))
	}
}

// delegated reports whether a line stands for somebody the user delegates to.
func (p *attending) delegated(c *ical.Component, line *ical.Property) bool {
	mine := p.me.line(c)
	return mine != nil && partStat(mine) == partStatDelegated && names(mine, "DELEGATED-TO", line.Address())
}

// passOn names the delegates in the reply, and writes them the request: the
// organizer's, with SEQUENCE as it was (RFC 5546 2.1.4, 4.2.5) (DEL-01).
func (p *attending) passOn(l *letter, from ical.Address, a answer, reply *ical.Component) []Message {
	var out []Message
	o := l.o
	org := o.organizer(a.comp)
	var kept []string // occurrences that the user answered by themselves, and so does not pass on with the series
	if a.key == "" {
		for _, k := range o.order {
			if mine := p.me.line(o.overrides[k]); mine != nil && decided(partStat(mine)) && partStat(mine) != partStatDelegated && o.inSeries(k) {
				kept = append(kept, k)
			}
		}
	}
	for _, d := range person(a.line).DelegatedTo {
		line := (people{d.Key(): true}).line(a.comp)
		if line == nil {
			continue
		}
		q := outwardAttendee(line)
		q.SetParam("DELEGATED-FROM", string(a.line.Address()))
		reply.Add(q)
		to := reachable(line, p.c.Local)
		if to == "" || p.c.Local != nil && org != nil && p.c.Local(org.Address()) && p.c.Local(to) {
			continue // who is served beside the organizer gets it from there
		}
		out = append(out, l.message(Request, from, to, a.key, l.calendar(Request, l.request(a.comp, kept))))
	}
	l.o = o
	return out
}

// delegateDeclined reports whether somebody asked in the place of who has
// declined.
func delegateDeclined(c *ical.Component, who ical.Address) bool {
	for q := range c.Props("ATTENDEE") {
		if partStat(q) == partStatDeclined && names(q, "DELEGATED-FROM", who) {
			return true
		}
	}
	return false
}
