package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// replace puts got where was stood, once.
func (m *merging) replace(was, got *ical.Component) {
	k, stands := m.new.keyOf(was), false
	m.new.cal.Components = slices.DeleteFunc(m.new.cal.Components, func(c *ical.Component) bool {
		if c.Name != was.Name || m.new.keyOf(c) != k {
			return false
		}
		again := stands
		stands = true
		return again
	})
	for i, c := range m.new.cal.Components {
		if c.Name == was.Name && m.new.keyOf(c) == k {
			m.new.cal.Components[i] = got
			break
		}
	}
	m.new.index()
}

// note keeps what changed for the sentence and the inbox.
func (m *merging) note(k string, d delta, was, got *ical.Component) {
	m.class |= d.class
	m.diffs = append(m.diffs, d.diffs...)
	if d.class&reschedule != 0 || dead(was) && !dead(got) {
		m.moved[k] = true
		m.class |= reschedule
	}
	a, b := rosterOf(was, nil), rosterOf(got, nil)
	for _, who := range b.order {
		if a.line(who) == nil {
			m.roster = true
			m.diffs = append(m.diffs, Difference{Property: "ATTENDEE", New: nameOf(person(b.line(who))), Attendee: string(b.line(who).Address()), RecurrenceID: k})
		} else if compareLines(a.line(who), b.line(who)) != 0 {
			m.roster = true
			if m.p.me.is(b.line(who)) && compareLines(a.line(who), b.line(who))&roleChanged != 0 {
				m.class |= details
			}
		}
	}
	for _, who := range a.order {
		if b.line(who) == nil {
			m.roster = true
			m.diffs = append(m.diffs, Difference{Property: "ATTENDEE", Old: nameOf(person(a.line(who))), Attendee: string(a.line(who).Address()), RecurrenceID: k})
		}
	}
}

// keepTimes: a REQUEST without a new SEQUENCE changes no time by leaving it
// out (RFC 5546 3.2.2.2), and does not take back how far the user is with a task (REQ-18).
func keepTimes(got, was *ical.Component) {
	if got.Name == "VTODO" && !dead(got) && !dead(was) && was.Prop("STATUS") != nil {
		restore(got, was, "STATUS")
	}
	if got.Prop("DTEND") == nil && got.Prop("DURATION") == nil && got.Prop("DUE") == nil {
		for _, name := range [...]string{"DTEND", "DURATION", "DUE"} {
			if q := was.Prop(name); q != nil {
				got.Add(q.Clone())
			}
		}
	}
	if got.Prop("RECURRENCE-ID") == nil && got.Prop("RRULE") == nil && was.Prop("RRULE") != nil {
		for q := range was.Props("RRULE") {
			got.Add(q.Clone())
		}
		for _, name := range [...]string{"RDATE", "EXDATE"} {
			if got.Prop(name) == nil {
				for q := range was.Props(name) {
					got.Add(q.Clone())
				}
			}
		}
	}
}

// own carries the user's data from the stored component into the received one:
// alarms, colours, notes, and the answer unless the time changed (REQ-03, REQ-04).
func (m *merging) own(got, was *ical.Component, moved bool) {
	mine := map[string]bool{}
	for _, q := range was.Properties {
		if name := q.Name(); personal[name] || strings.HasPrefix(name, "X-") && got.Prop(name) == nil {
			mine[name] = true
		}
	}
	got.RemoveFunc(func(q *ical.Property) bool { return mine[q.Name()] })
	for _, q := range was.Properties {
		if mine[q.Name()] {
			got.Add(q.Clone())
		}
	}
	if !dead(got) {
		for _, s := range was.Components {
			if s.Name == "VALARM" {
				got.Components = append(got.Components, s.Clone())
			}
		}
	}
	if org, stored := got.Prop("ORGANIZER"), was.Prop("ORGANIZER"); org != nil && stored != nil {
		for _, name := range [...]string{"SCHEDULE-STATUS", "SCHEDULE-AGENT"} {
			if v := stored.Param(name); v != "" {
				org.SetParam(name, v)
			}
		}
	}
	line, stored := m.p.me.line(got), m.p.me.line(was)
	if line == nil || stored == nil {
		return
	}
	answer := partStat(stored)
	if moved {
		// Everyone is asked anew, whatever the organizer's copy says of us.
		if partStat(line) != partStatNeeds {
			line.SetParam("PARTSTAT", partStatNeeds)
		}
		return
	}
	if partStat(line) == answer {
		return
	}
	if answer == partStatDelegated && partStat(line) == partStatNeeds && delegateDeclined(got, line.Address()) {
		m.class |= details // RFC 5546 4.2.7: it is ours again to answer
		return
	}
	if decided(answer) && asksAgain(line) {
		m.resend = append(m.resend, m.old.keyOf(was))
	}
	line.SetParam("PARTSTAT", answer)
	if answer == partStatDelegated {
		copyParams(line, stored, "DELEGATED-TO")
		for _, d := range person(stored).DelegatedTo { // whom the organizer does not list yet
			who := people{d.Key(): true}
			if q := who.line(was); q != nil && who.line(got) == nil {
				got.Add(q.Clone())
			}
		}
	}
}

// asksAgain reports whether the organizer asks for a status that was given
// (RFC 5546 3.2.2.7).
func asksAgain(line *ical.Property) bool {
	return line != nil && partStat(line) == partStatNeeds && strings.EqualFold(line.Param("RSVP"), "TRUE")
}

// sameContent compares two versions of an object but for their time stamps and
// the order of lines.
func sameContent(a, b *ical.Calendar) bool {
	x, y := a.Main(), b.Main()
	return slices.EqualFunc(x, y, func(c, d *ical.Component) bool {
		return len(c.Components) == len(d.Components) && slices.Equal(contentLines(c), contentLines(d))
	})
}

func contentLines(c *ical.Component) []string {
	var out []string
	for _, p := range c.Properties {
		switch name := p.Name(); name {
		case "DTSTAMP", "LAST-MODIFIED", "CREATED":
		default:
			line := name
			for n, v := range p.Params() {
				line += ";" + n + "=" + strings.Join(v, ",")
			}
			out = append(out, line+":"+p.Value())
		}
	}
	slices.Sort(out)
	return out
}
