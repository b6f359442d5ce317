package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// received is the message as it is stored: without METHOD, without what a
// stranger has no say in.
func (p *applying) received() *ical.Calendar {
	cal := p.a.Message.Clone()
	cal.Remove("METHOD", "X-LIC-ERROR")
	cal.Normalize() // calendar programs read it next, and most are strict
	for _, c := range cal.Main() {
		p.receive(c)
	}
	tz.Complete(cal, p.msg.zones) // RFC 5545 3.2.19: programs that read it know no other names
	return cal
}

func (p *applying) receive(c *ical.Component) {
	c.Remove("REQUEST-STATUS", "X-LIC-ERROR")
	dropBadEnd(c)
	wholeDays(c)
	p.anchor(c)
	if c.Prop("RECURRENCE-ID") != nil {
		c.Remove("RRULE", "EXRULE", "RDATE", "EXDATE") // LEN-07: left there by mistake
	}
	// Alarms are the user's own: a stranger does not ring here.
	c.Components = slices.DeleteFunc(c.Components, func(s *ical.Component) bool { return s.Name == "VALARM" })
	for _, name := range [...]string{"ATTENDEE", "ORGANIZER"} {
		for q := range c.Props(name) {
			unscheduled(q)
		}
	}
}

// unscheduled takes from a line what is between a server and its own clients (RFC
// 6638 7).
func unscheduled(q *ical.Property) {
	for _, param := range [...]string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"} {
		if q.HasParam(param) {
			q.RemoveParam(param)
		}
	}
}

// dropBadEnd takes out an end that is no time, or lies before the start: the
// event is worth more than its end (RFC 5546 4.1.4 shows such a one).
func dropBadEnd(c *ical.Component) {
	start := c.Prop("DTSTART")
	if start == nil {
		return
	}
	from, err := start.Time()
	if err != nil {
		return
	}
	for _, name := range [...]string{"DTEND", "DUE"} {
		p := c.Prop(name)
		if p == nil {
			continue
		}
		to, err := p.Time()
		// Times of one zone compare by their clock; other pairs are left alone.
		before := err == nil && to.Kind == from.Kind && to.TZID == from.TZID && to.Wall.Before(from.Wall)
		if err != nil || before || to.IsDate() != from.IsDate() {
			c.Remove(name)
		}
	}
}

// wholeDays makes dates of midnights in a single event that Exchange calls
// all-day: to readers in other zones it would shift.
func wholeDays(c *ical.Component) {
	if !strings.EqualFold(c.Value("X-MICROSOFT-CDO-ALLDAYEVENT"), "TRUE") || recurs(c) || c.Prop("RECURRENCE-ID") != nil {
		return
	}
	start, end := c.Prop("DTSTART"), c.Prop("DTEND")
	if start == nil || end == nil {
		return
	}
	from, err1 := start.Time()
	to, err2 := end.Time()
	midnight := func(t ical.Time) bool {
		return t.Kind != ical.UTC && !t.IsDate() && t.Wall.Hour() == 0 && t.Wall.Minute() == 0 && t.Wall.Second() == 0
	}
	if err1 != nil || err2 != nil || !midnight(from) || !midnight(to) || !to.Wall.After(from.Wall) {
		return
	}
	start.SetTime(ical.DateOf(from.Wall.Date()))
	end.SetTime(ical.DateOf(to.Wall.Date()))
}

// anchor writes the zone to floating times that the message means for them: the
// object at rest does not say any more that it came from somebody else.
func (p *applying) anchor(c *ical.Component) {
	tzid := p.floatingZone()
	if tzid == "" {
		return
	}
	for name := range timed {
		for q := range c.Props(name) {
			if list, err := q.Times(); err == nil && len(list) > 0 && list[0].Kind == ical.Floating {
				q.SetParam("TZID", tzid)
			}
		}
	}
}

// Floating reports whether a message has times that name no zone: in whose they
// stand is for its recipient to find out ([Arrival.OrganizerZone]).
func Floating(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		for _, q := range c.Properties {
			if !timed[q.Name()] {
				continue
			}
			if list, err := q.Times(); err == nil && len(list) > 0 && list[0].Kind == ical.Floating {
				return true
			}
		}
	}
	return false
}

// floatingNote tells the user where times that name no zone were read (TZ-05).
func (p *applying) floatingNote() string {
	if !Floating(p.a.Message) || p.hintedZone() != "" {
		return ""
	}
	if name := p.organizersZone(); name != "" {
		return " Its times name no time zone; they are read in " + name + ", where the organizer was last."
	}
	return " Its times name no time zone; they are read in yours."
}

// floatingZone is the TZID that floating times of the message stand in: what the
// message says, else the zone its organizer was last in; "" when there is none.
// It is the same for every component, so it is looked for once.
func (p *applying) floatingZone() string {
	if p.floating == nil {
		name := p.findFloatingZone()
		p.floating = &name
	}
	return *p.floating
}

func (p *applying) findFloatingZone() string {
	if name := p.hintedZone(); name != "" {
		return name
	}
	if p.method != Request && p.method != Publish || !Floating(p.a.Message) {
		return ""
	}
	return p.organizersZone()
}

// organizersZone is where the times of the event were so far, else those of
// other events of its organizer.
func (p *applying) organizersZone() string {
	if !p.stored.empty() {
		for _, k := range p.stored.keys() {
			if start := p.stored.component(k).Prop("DTSTART"); start != nil {
				if z, err := tz.Load(start.Param("TZID")); err == nil && start.Param("TZID") != "" {
					return z.Name()
				}
			}
		}
	}
	if org := p.msg.organizer(nil); org != nil && p.a.OrganizerZone != nil {
		if z := p.a.OrganizerZone(org.Address()); z != nil {
			return z.Name()
		}
	}
	return ""
}

// hintedZone is the zone that the message gives for its floating times: the
// calendar's, else that of the only zone it defines. "" when it does not say.
func (p *applying) hintedZone() string {
	var defined []string
	for _, z := range p.a.Message.Components {
		if z.Name == "VTIMEZONE" {
			defined = append(defined, z.Text("TZID"))
		}
	}
	if name := p.a.Message.Text("X-WR-TIMEZONE"); name != "" {
		if slices.Contains(defined, name) {
			return name
		}
		if z, err := tz.Load(name); err == nil {
			return z.Name()
		}
	}
	if len(defined) == 1 {
		return defined[0]
	}
	return ""
}
