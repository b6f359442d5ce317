package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// A series with hundreds of overrides goes out as hundreds of messages that
// differ in their times alone. What they share is made once and belongs to all
// of them: messages are read, not changed.

// attendee is a line as it goes out, in the strict form.
func (l *letter) attendee(p *ical.Property) *ical.Property {
	raw := p.Raw()
	if raw == "" {
		return outwardAttendee(p)
	}
	q := l.lines[raw]
	if q == nil {
		q = outwardAttendee(p)
		one := ical.New(ProductID)
		c := ical.NewComponent("VEVENT")
		c.Add(q)
		one.Components = append(one.Components, c)
		one.Normalize()
		put(&l.lines, raw, q)
		if l.strict == nil {
			l.strict = map[*ical.Property]bool{}
		}
		l.strict[q] = true
	}
	return q
}

// setAside takes the shared lines out of a component.
func (l *letter) setAside(c *ical.Component) []*ical.Property {
	if len(l.strict) == 0 {
		return nil
	}
	var out []*ical.Property
	kept := c.Properties[:0:0]
	for _, p := range c.Properties {
		if l.strict[p] {
			out = append(out, p)
		} else {
			kept = append(kept, p)
		}
	}
	c.Properties = kept
	return out
}

// zonesOf are the definitions of the zones that a message about one occurrence
// needs: for the years around it, so that the next message can have the same.
// nil where only the whole message shows what it needs.
func (l *letter) zonesOf(cal *ical.Calendar) []*ical.Component {
	main := cal.Main()
	if len(main) != 1 || recurs(main[0]) {
		return nil
	}
	var from, to time.Time
	var ids []string
	for _, p := range main[0].Properties {
		id := ""
		if timed[p.Name()] {
			id = p.Param("TZID")
		}
		if id == "" {
			if p.HasParam("TZID") || len(main[0].Components) > 0 {
				return nil // zones in other places
			}
			continue
		}
		t, err := p.Time()
		if err != nil || t.Kind != ical.Zoned {
			return nil
		}
		if from.IsZero() || t.Wall.Before(from) {
			from = t.Wall
		}
		if t.Wall.After(to) {
			to = t.Wall
		}
		known := false
		for _, have := range ids {
			known = known || strings.EqualFold(have, id)
		}
		if !known {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	from = time.Date(from.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	to = time.Date(to.Year()+1, time.March, 1, 0, 0, 0, 0, time.UTC) // an event may last
	span := from.Format("2006") + to.Format("2006")
	var out []*ical.Component
	for _, id := range ids {
		key := id + span
		c := l.zoned[key]
		if c == nil {
			z, err := l.o.zones.Zone(id)
			zone, ok := z.(*tz.Zone)
			if err != nil || !ok {
				return nil
			}
			c = zone.Component(id, from, to)
			one := ical.New(ProductID)
			one.Components = append(one.Components, c)
			one.Normalize()
			put(&l.zoned, key, c)
		}
		out = append(out, c)
	}
	return out
}
