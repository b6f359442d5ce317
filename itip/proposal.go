package itip

import (
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// TakeUp is the organizer's copy with what an attendee's COUNTER proposes in it
// (RFC 5546 3.2.7): time, place and rule. [Plan] then tells everyone. It is an
// edited copy: stored stays as it is. Title and text are not taken over, since
// programs write remarks there (OTH-03).
func TakeUp(stored, proposal *ical.Calendar, z *tz.Zone) (*ical.Calendar, error) {
	o := newObject(stored.Clone(), z)
	msg := newObject(proposal, z)
	for _, from := range proposal.Main() {
		key := ""
		if q := from.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				return nil, refuse(conditionByOwner, "", "RECURRENCE-ID", "The proposal is about an occurrence at %q, which is no time.", q.Value())
			}
			key = o.key(t, msg.zones)
		}
		c := o.component(key)
		if c == nil {
			if c = o.derive(key); c == nil {
				return nil, refuse(conditionByOwner, key, "RECURRENCE-ID", "%s has no occurrence at that time.", title(o))
			}
			o.add(c)
		}
		o.adopt(c, msg, from)
	}
	o.index()
	tz.Complete(o.cal, o.zones)
	return o.cal, nil
}

// adopt gives c the time, place and rule of a proposal, in the zone c has.
func (o *object) adopt(c *ical.Component, msg *object, from *ical.Component) {
	end, timed := msg.end(from)
	has := from.Prop("DTEND") != nil || from.Prop("DURATION") != nil
	like := ical.UTCTime(time.Time{})
	if p := c.Prop("DTSTART"); p != nil {
		if t, err := p.Time(); err == nil {
			like = t
		}
	}
	if start := from.Prop("DTSTART"); start != nil {
		if t, err := start.Time(); err == nil && (startOf(o, c, "DTSTART") != startOf(msg, from, "DTSTART")) {
			was, known := o.end(c)
			key := msg.when(t)
			if known && !has && !t.IsDate() && !like.IsDate() {
				// It lasts as long as it did.
				lasts := o.zones.Instant(was).Sub(o.zones.Instant(like))
				end, timed, has = ical.UTCTime(msg.zones.Instant(t).Add(lasts)), true, true
			}
			o.setTime(c, "DTSTART", key, like)
		}
	}
	if has && timed && c.Name == "VEVENT" {
		c.Remove("DURATION")
		o.setTime(c, "DTEND", msg.when(end), like)
	}
	if due := from.Prop("DUE"); due != nil && c.Name == "VTODO" {
		if t, err := due.Time(); err == nil {
			c.Remove("DURATION")
			o.setTime(c, "DUE", msg.when(t), like)
		}
	}
	if q := from.Prop("LOCATION"); q != nil && textOf(o, c, "LOCATION") != textOf(msg, from, "LOCATION") {
		c.Remove("LOCATION")
		c.Add(q.Clone())
	}
	if c.Prop("RECURRENCE-ID") == nil && from.Prop("RRULE") != nil && rulesOf(c) != rulesOf(from) {
		restore(c, from, "RRULE")
	}
}

// setTime writes a moment into a property the way another time is written; a
// date in the place of a time, and the other way round, as it is.
func (o *object) setTime(c *ical.Component, name, key string, like ical.Time) {
	t, ok := o.inForm(key, like)
	if !ok {
		var err error
		if t, err = ical.ParseTime(key, "", len(key) == len("20060102")); err != nil {
			return
		}
	}
	p := c.Prop(name)
	if p == nil {
		p = ical.NewProperty(name, "")
		c.Add(p)
	}
	p.SetTime(t)
}

// proposed are the changes that a COUNTER asks for; nil when they cannot be
// told.
func (p *applying) proposed() []Difference {
	cal, err := TakeUp(p.stored.cal, p.a.Message, p.a.Zone)
	if err != nil {
		return nil
	}
	o := newObject(cal, p.a.Zone)
	var out []Difference
	for _, k := range o.keys() {
		before := p.stored.component(k)
		if before == nil {
			before = p.stored.derive(k)
		}
		if before != nil {
			out = append(out, compare(p.stored, before, o, o.component(k)).diffs...)
		}
	}
	return out
}

// DeclineProposal is the message that tells an attendee that a COUNTER is not
// taken up (RFC 5546 3.2.8), and the memory to keep; false when there is nobody
// to tell.
func DeclineProposal(stored *ical.Calendar, m Memory, proposal *ical.Calendar, to ical.Address, now time.Time, z *tz.Zone) (Message, Memory, bool) {
	m = m.clone()
	o := newObject(stored, z)
	org := o.organizer(nil)
	if org == nil || len(proposal.Main()) == 0 {
		return Message{}, m, false
	}
	from := proposal.Main()[0]
	key := ""
	if q := from.Prop("RECURRENCE-ID"); q != nil {
		if t, err := q.Time(); err == nil {
			key = o.key(t, newObject(proposal, z).zones)
		}
	}
	c := o.component(key)
	if c == nil {
		c = o.derive(key)
	}
	if c == nil {
		c = o.cal.Main()[0]
	}
	line := people{to.Key(): true}.line(c)
	if line == nil {
		return Message{}, m, false
	}
	l := letter{o: o, stamp: m.nextStamp(now), zone: z}
	// SEQUENCE is the proposal's: the table of 3.2.8 has it echoed.
	cal := l.calendar(DeclineCounter, l.cancel(c, sequence(from), false, line))
	return l.message(DeclineCounter, org.Address(), reachable(line, nil), key, cal).under(m.uidFor(to.Key(), o.cal.UID())), m, true
}
