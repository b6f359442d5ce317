package itip

import (
	"strconv"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Publication is a calendar object for people who are not invited: to know, not
// to answer (RFC 5546 3.2.1, 3.4.1, 3.5.1).
type Publication struct {
	Object *ical.Calendar
	Memory Memory
	From   ical.Address // of the owner: becomes ORGANIZER where there is none
	By     ical.Address // the designate who publishes, "" = the owner
	To     []ical.Address
	Now    time.Time
	Zone   *tz.Zone // of floating times; nil = UTC
	// Cancelled publishes that it does not take place (3.2.5: a CANCEL is for
	// who is invited).
	Cancelled bool
}

// Messages are the PUBLISHes, one for each recipient, and the memory to keep.
// The error is an [*Error]: free/busy time is published by package freebusy.
func (q Publication) Messages() ([]Message, Memory, error) {
	m := q.Memory.clone()
	kind := q.Object.Kind()
	switch kind {
	case "VEVENT", "VTODO", "VJOURNAL":
	default:
		return nil, m, refuse(conditionObject, "", "", "Events, to-dos and journal entries can be published, not a %s.", kind)
	}
	o := newObject(q.Object, q.Zone)
	l := letter{o: o, stamp: m.nextStamp(q.Now), sentBy: q.By, zone: q.Zone}
	org := o.organizer(nil)
	var list []*ical.Component
	for _, k := range o.keys() {
		list = append(list, l.published(o.component(k), q.From, org, q.Cancelled))
	}
	if len(list) == 0 {
		return nil, m, refuse(conditionObject, "", "", "There is nothing in the object to publish.")
	}
	cal := l.calendar(Publish, list...)
	from := q.From
	if org != nil {
		from = org.Address()
	}
	var out []Message
	seen := people{}
	for _, to := range q.To {
		if !seen[to.Key()] {
			seen[to.Key()] = true
			out = append(out, l.message(Publish, from, to, "", cal))
		}
	}
	return out, m, nil
}

// published is a component as everyone may see it: nobody's name but the
// publisher's.
func (l *letter) published(c *ical.Component, from ical.Address, org *ical.Property, cancelled bool) *ical.Component {
	out := l.request(c, nil)
	out.Remove("ATTENDEE", "STATUS", "SEQUENCE")
	if org == nil {
		p := ical.NewProperty("ORGANIZER", string(from))
		if l.sentBy != "" && !l.sentBy.Equal(from) {
			p.SetParam("SENT-BY", string(l.sentBy))
		}
		out.Add(p)
	}
	switch status := c.Value("STATUS"); {
	case cancelled:
		out.Add(ical.NewProperty("STATUS", stateCancelled))
	case status != "":
		out.Add(ical.NewProperty("STATUS", upperOr(status, status)))
	}
	if c.Name == "VJOURNAL" && out.Prop("DESCRIPTION") == nil {
		out.Add(ical.NewProperty("DESCRIPTION", "")) // RFC 5546 3.5.1: present, may be empty
	}
	if out.Prop("DTSTART") == nil {
		l.begin(out)
	}
	out.Add(ical.NewProperty("SEQUENCE", strconv.Itoa(sequence(c))))
	return out
}
