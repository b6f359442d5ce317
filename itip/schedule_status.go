package itip

import (
	"github.com/convene-cal/convene/ical"
)

// Statuses writes delivery and reply statuses (RFC 6638 3.2.9, the code alone)
// into an object: of as many people as there are, each of whom is looked for
// once. It is for one goroutine, and the object must not change otherwise
// meanwhile.
type Statuses struct {
	o     *object
	parts []*standing // one a component
}

// standing is where people stand on a component.
type standing struct {
	c     *ical.Component
	key   string
	lines map[string][]*ical.Property // of the attendees, by address; nil until asked for
}

// StatusesOf prepares to write into an object.
func StatusesOf(cal *ical.Calendar) *Statuses {
	s := &Statuses{o: newObject(cal, nil)}
	for _, c := range s.o.cal.Main() {
		s.parts = append(s.parts, &standing{c: c, key: s.o.keyOf(c)})
	}
	return s
}

// Set writes a status on the attendee's lines, or on ORGANIZER when the address is
// the organizer's. recurrenceID is as in [Message]; "" means every component. It
// reports whether anything was there to change.
func (s *Statuses) Set(attendee ical.Address, recurrenceID, status string) bool {
	who := attendee.Key()
	me := people{who: true}
	done := false
	for _, part := range s.parts {
		if recurrenceID != "" && part.key != recurrenceID {
			continue
		}
		// The organizer's status is on ORGANIZER, even of one who also attends.
		if p := part.c.Prop("ORGANIZER"); me.is(p) {
			for q := range part.c.Props("ORGANIZER") {
				done = me.is(q) && note(q, status) || done
			}
			continue
		}
		for _, q := range part.of(who) {
			done = note(q, status) || done
		}
	}
	return done
}

// note writes a status where the server schedules.
func note(p *ical.Property, status string) bool {
	if agent(p) != "SERVER" || p.Param("SCHEDULE-STATUS") == status {
		return false
	}
	p.SetParam("SCHEDULE-STATUS", status)
	return true
}

// of are the lines of a person, by value or EMAIL (see [people.is]).
func (part *standing) of(who string) []*ical.Property {
	if part.lines == nil {
		part.lines = map[string][]*ical.Property{}
		for p := range part.c.Props("ATTENDEE") {
			k := p.Address().Key()
			part.lines[k] = append(part.lines[k], p)
			if byEmail(p) {
				if mail := ical.Mailto(p.Param("EMAIL")).Key(); mail != k {
					part.lines[mail] = append(part.lines[mail], p)
				}
			}
		}
	}
	return part.lines[who]
}
