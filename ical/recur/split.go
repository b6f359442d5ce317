package recur

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// ErrNoOccurrence is wrapped by the error for a recurrence id that names no
// occurrence of the object.
var ErrNoOccurrence = errors.New("no such occurrence")

// recurring are the properties that make a component recur.
var recurring = []string{"RRULE", "EXRULE", "RDATE", "EXDATE"}

// Instance gives one occurrence as a component that stands by itself: the
// override when there is one, else the master with the times of the occurrence,
// RECURRENCE-ID in the master's form and zone, and nothing that makes it recur.
// It is a copy.
func Instance(cal *ical.Calendar, id ical.Time, z Zones) (*ical.Component, error) {
	s, err := New(cal, z, Options{})
	if err != nil {
		return nil, err
	}
	o, ok := s.Find(id)
	if !ok {
		return nil, fmt.Errorf("recur: %w: %s", ErrNoOccurrence, id)
	}
	c := o.Component.Clone()
	if own := c.Prop("RECURRENCE-ID"); own != nil {
		at, _ := s.key(o.ID)
		if exact := s.overrideAt(at); exact != nil && exact.component == o.Component {
			return c, nil
		}
		own.RemoveParam("RANGE") // an earlier one that governs this and all later
	}
	setOccurrence(c, &o)
	setTime(c, "RECURRENCE-ID", o.ID)
	return c, nil
}

// setOccurrence writes the times of an occurrence into a copy of the component
// that governs it.
func setOccurrence(c *ical.Component, o *Occurrence) {
	c.Remove(recurring...)
	end := "DTEND"
	if c.Name == "VTODO" {
		end = "DUE"
	}
	exact := int64(o.To.Sub(o.From) / time.Second)
	if c.Prop("DTSTART") != nil {
		setTime(c, "DTSTART", o.Start)
	}
	switch {
	case c.Prop(end) != nil:
		setTime(c, end, o.End)
	case c.Prop("DURATION") != nil && !o.Start.IsDate():
		// An RDATE PERIOD has a length of its own.
		d, err := c.Prop("DURATION").Duration()
		if err == nil && d.Days == 0 && int64(d.Exact/time.Second) != exact {
			c.Remove("DURATION")
			setTime(c, end, o.End)
		}
	case exact > 0 && !o.Start.IsDate() && c.Name != "VJOURNAL":
		setTime(c, end, o.End)
	}
}

func setTime(c *ical.Component, name string, t ical.Time) {
	p := c.Prop(name)
	if p == nil {
		p = ical.NewProperty(name, "")
		c.Add(p)
	}
	p.SetTime(t)
}

// SplitAt cuts a series before the occurrence with the given recurrence id (or
// the first one after that time): head has what comes before, tail begins with
// it. Rules, dates, exceptions and overrides go where they belong; COUNT in the
// head becomes UNTIL, and the tail counts what is left. Both keep UID and
// SEQUENCE, which are for the caller to change. head is nil when nothing comes
// before, tail when nothing is left.
func SplitAt(cal *ical.Calendar, id ical.Time, z Zones) (head, tail *ical.Calendar, err error) {
	s, err := New(cal, z, Options{})
	if err != nil {
		return nil, nil, err
	}
	if s.master == nil || s.master.timeless || s.err != nil {
		return nil, nil, fmt.Errorf("recur: %w: there is no series to split", ErrNoOccurrence)
	}
	at, wall := s.key(id)
	before, after := false, false
	var w walk
	w.begin(s, -1<<62)
	w.stop = wall
	if m, ok := w.next(); ok && m.at < at {
		before = true
	}
	w = walk{}
	w.begin(s, wall-2*secondsPerDay)
	for m, ok := w.next(); ok && !after; m, ok = w.next() {
		after = m.at >= at
	}
	for i := range s.overrides {
		before = before || s.overrides[i].idAt < at
		after = after || s.overrides[i].idAt >= at
	}
	if before {
		head = cal.Clone()
		if after {
			s.cutHead(head, at, wall)
		}
	}
	if after {
		tail = cal.Clone()
		if before {
			if err := s.cutTail(tail, at, wall); err != nil {
				return nil, nil, err
			}
		}
	}
	return head, tail, nil
}

// cutHead ends a copy of the series before an instant.
func (s *Set) cutHead(cal *ical.Calendar, at, wall int64) {
	master := cal.Master()
	for _, p := range slices.Collect(master.Props("RRULE")) {
		r, err := ParseRule(p.Value())
		if err != nil {
			continue
		}
		src := s.source(r, s.master, s.master.start.IsDate())
		if last, ok, _ := src.plan.final(); r.Count+boolInt(r.HasUntil) > 0 && ok && last < wall {
			continue // ends earlier by itself
		}
		r.Count, r.HasUntil = 0, true
		r.Until = s.idOf(wall)
		switch r.Until.Kind {
		case ical.Date:
			r.Until.Wall = r.Until.Wall.AddDate(0, 0, -1)
		case ical.Floating:
			r.Until.Wall = r.Until.Wall.Add(-time.Second)
		default: // RFC 5545 3.3.10: UTC where DTSTART has a zone
			r.Until = ical.UTCTime(reading(at - 1))
		}
		p.SetValue(r.String())
	}
	s.filterDates(master, func(t int64) bool { return t < at })
	s.filterOverrides(cal, func(t int64) bool { return t < at })
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cutTail lets a copy of the series begin with its first member not before an
// instant.
func (s *Set) cutTail(cal *ical.Calendar, at, wall int64) error {
	master := cal.Master()
	date := s.master.start.IsDate()
	begin := int64(1 << 62)
	props := slices.Collect(master.Props("RRULE"))
	for i, p := range props {
		r, err := ParseRule(p.Value())
		if err != nil || i >= len(s.rules) {
			continue
		}
		plan := s.rules[i].plan
		c := plan.cursor()
		c.seek(wall)
		if plan.eachDay {
			c = plan.cursor()
			c.seek(wall / secondsPerDay * secondsPerDay)
		}
		left := c.left
		first, ok := c.next()
		if !ok {
			master.RemoveFunc(func(q *ical.Property) bool { return q == p })
			continue
		}
		begin = min(begin, first)
		changed := false
		if r.Count > 0 && left >= 0 {
			r.Count, changed = int(left), true
		}
		if r.Skip != "" && r.Skip != "OMIT" && len(r.ByMonthDay)+len(r.ByDay)+len(r.ByYearDay)+len(r.ByWeekNo) == 0 && r.Freq >= Monthly {
			// The new start may be a day to which SKIP moved: say which day is meant.
			_, m, d := civil(plan.startDay)
			var leap bool
			if f := plan.foreign; f != nil {
				var year, index int
				year, index, d = systemDate(f, plan.startDay)
				m, leap = f.monthLabel(year, index)
			}
			r.ByMonthDay, changed = []int{d}, true
			if r.Freq == Yearly && len(r.ByMonth)+len(r.ByLeapMonth) == 0 {
				if r.ByMonth = []int{m}; leap {
					r.ByMonth, r.ByLeapMonth = nil, []int{m}
				}
			}
		}
		if changed {
			p.SetValue(r.String())
		}
	}
	for _, d := range s.rdates {
		if d.at >= at && begin == 1<<62 {
			begin = d.wall
		}
	}
	if begin == 1<<62 { // only overrides are left
		cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c == master })
	} else {
		if date {
			begin = begin / secondsPerDay * secondsPerDay
		}
		var o Occurrence
		s.master.place(begin, instantOf(s.ids, begin), &o)
		o.Start = s.idOf(begin)
		setTime(master, "DTSTART", o.Start)
		for _, name := range []string{"DTEND", "DUE"} {
			if master.Prop(name) != nil {
				setTime(master, name, o.End)
			}
		}
		s.filterDates(master, func(t int64) bool { return t >= at })
	}
	if g := s.governing(at); g != nil && g.idAt < at {
		// What changed this and all later ones goes on from here.
		var o Occurrence
		var w walk
		w.begin(s, wall)
		w.occurrence(member{begin, instantOf(s.ids, begin), -1}, &o)
		c := g.component.Clone()
		setOccurrence(c, &o)
		id := c.Prop("RECURRENCE-ID")
		id.SetTime(o.ID)
		id.SetParam("RANGE", "THISANDFUTURE")
		if s.overrideAt(at) == nil {
			cal.Components = append(cal.Components, c)
		}
		at = min(at, instantOf(s.ids, begin))
	}
	s.filterOverrides(cal, func(t int64) bool { return t >= at })
	return nil
}

// filterDates keeps those RDATEs and EXDATEs whose start passes.
func (s *Set) filterDates(c *ical.Component, keep func(at int64) bool) {
	for _, name := range []string{"RDATE", "EXDATE"} {
		for _, p := range slices.Collect(c.Props(name)) {
			var kept []string
			all := strings.Split(p.Value(), ",")
			for _, value := range all {
				one := p.Clone()
				one.SetValue(value)
				start := ical.Time{}
				if periods, err := one.Periods(); err == nil && len(periods) == 1 {
					start = periods[0].Start
				} else if times, err := one.Times(); err == nil && len(times) == 1 {
					start = times[0]
				} else {
					kept = append(kept, value)
					continue
				}
				if t, _ := s.key(start); keep(t) {
					kept = append(kept, value)
				}
			}
			switch len(kept) {
			case len(all):
			case 0:
				c.RemoveFunc(func(q *ical.Property) bool { return q == p })
			default:
				p.SetValue(strings.Join(kept, ","))
			}
		}
	}
}

// filterOverrides keeps those overrides whose recurrence id passes.
func (s *Set) filterOverrides(cal *ical.Calendar, keep func(at int64) bool) {
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool {
		p := c.Prop("RECURRENCE-ID")
		if p == nil {
			return false
		}
		id, err := p.Time()
		if err != nil {
			return false
		}
		t, _ := s.key(id)
		return !keep(t)
	})
}
