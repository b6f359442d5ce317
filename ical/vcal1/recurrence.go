package vcal1

import (
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// recurrence converts rules, dates and exceptions.
func (c *converting) recurrence() {
	if c.master != "" {
		l := c.b.prop("X-ICAL-RECURRENCE-ID")
		if t, ok := c.read(l, c.master); ok {
			p := ical.NewProperty("RECURRENCE-ID", "")
			if t.Kind != ical.Date {
				timed := c.placer
				timed.allDay = false
				t = timed.place(t)
			}
			p.SetTime(t)
			if strings.EqualFold(l.param("RANGE"), "THISANDFUTURE") {
				p.SetParam("RANGE", "THISANDFUTURE")
			}
			c.c.Add(p)
		}
		return
	}
	var own *recur.Rule // X-ICAL-RRULE
	for _, l := range c.b.lines {
		switch l.name {
		case "X-ICAL-RRULE":
			r, err := recur.ParseRule(l.value)
			if err != nil || c.start.IsZero() {
				c.losses.add(l.number, "X-ICAL-RRULE cannot be taken back")
				continue
			}
			c.until(r)
			own = r
			c.c.Add(ical.NewProperty("RRULE", r.String()))
		case "RRULE":
			if own == nil && c.b.prop("X-ICAL-RRULE") == nil {
				c.rule(l)
			}
		case "EXRULE", "XRULE":
			c.exceptions(l)
		case "EXDATE", "RDATE":
			c.dates(l, own)
		}
	}
}

// start of the series, by the clock of the component.
func (c *converting) rule(l *line) {
	keep := func(format string, args ...any) {
		c.c.Add(ical.NewText("X-VCAL-RRULE", l.value))
		c.losses.add(l.number, "the rule "+strconv.Quote(clip(l.value))+" is kept as X-VCAL-RRULE: "+format, args...)
	}
	if c.start.IsZero() {
		keep("there is no DTSTART")
		return
	}
	r, err := parseRule(l.value, c.start.Wall)
	if err != nil {
		keep("%v", err)
		return
	}
	c.until(r)
	if r.HasUntil && r.Count > 0 { // policy 3: whichever comes first
		counted := *r
		counted.HasUntil = false
		n := 0
		for t := range counted.All(c.start.Wall) {
			if n++; n == r.Count || t.After(r.Until.Wall.Add(24*time.Hour)) {
				break
			}
		}
		limited := *r
		limited.Count = 0
		m := 0
		for range limited.All(c.start.Wall) {
			if m++; m > r.Count {
				break
			}
		}
		if m > r.Count || n < m {
			r.HasUntil = false
		} else {
			r.Count = 0
		}
	}
	for first := range r.All(c.start.Wall) {
		if !first.Equal(c.start.Wall) {
			c.losses.add(l.number, "DTSTART does not match the rule %q; it counts as the first occurrence", clip(l.value))
		}
		break
	}
	c.c.Add(ical.NewProperty("RRULE", r.String()))
}

// until gives the end date of a rule the form that DTSTART demands (RFC 5545
// 3.3.10): a date for a date, UTC for a time in a zone.
func (c *converting) until(r *recur.Rule) {
	if !r.HasUntil {
		return
	}
	u := r.Until
	h, m, s := u.Wall.Clock()
	// Local midnight is the end of that day to the writers who use it.
	if u.Kind != ical.UTC && h+m+s == 0 && !c.allDay {
		u.Wall = u.Wall.Add(24*time.Hour - time.Second)
		u.Kind = ical.Floating
	}
	switch {
	case c.allDay:
		u = ical.DateOf(u.Wall.Date())
	case c.start.Kind == ical.Floating:
		u.Kind = ical.Floating
	case u.Kind == ical.UTC:
	case c.start.Kind == ical.UTC:
		u = ical.UTCTime(u.Wall)
	default:
		u = ical.UTCTime(c.instant(ical.Time{Wall: u.Wall, Kind: ical.Zoned, TZID: c.start.TZID}))
	}
	if u.Wall.Year() > 9999 || u.Wall.Year() < 1 {
		r.HasUntil = false
		return
	}
	r.Until = u
}

// exceptions writes out an EXRULE, which iCalendar no longer has.
func (c *converting) exceptions(l *line) {
	r, err := parseRule(l.value, c.start.Wall)
	c.c.Add(ical.NewText("X-VCAL-EXRULE", l.value))
	if err != nil || c.start.IsZero() {
		c.losses.add(l.number, "EXRULE %q is kept as X-VCAL-EXRULE and excludes nothing: %v", clip(l.value), err)
		return
	}
	c.until(r)
	if r.Count == 0 && !r.HasUntil || r.Count > maxExRule {
		c.losses.add(l.number, "EXRULE %q excludes the first %d occurrences of %d years only", clip(l.value), maxExRule, exRuleYears)
	}
	n := 0
	for t := range r.All(c.start.Wall) {
		if n++; n > maxExRule || t.After(c.start.Wall.AddDate(exRuleYears, 0, 0)) {
			break
		}
		at := c.start
		at.Wall = t
		c.c.Add(timeProperty("EXDATE", at))
	}
}

// dates converts EXDATE and RDATE. What a rule that was taken back gives by
// itself is not said again.
func (c *converting) dates(l *line, own *recur.Rule) {
	for _, item := range items(l.value) {
		t, ok := c.read(l, item)
		if !ok {
			continue
		}
		if t.Kind == ical.Date && !c.allDay && !c.start.IsZero() {
			// A day among times of day is the occurrence of that day.
			y, m, d := t.Wall.Date()
			at := c.start
			hh, mm, ss := at.Wall.Clock()
			at.Wall = time.Date(y, m, d, hh, mm, ss, 0, time.UTC)
			t = at
		} else {
			t = c.place(t)
		}
		if c.start.IsZero() {
			c.losses.add(l.number, "%s without DTSTART is left out", l.name)
			return
		}
		if l.name == "RDATE" && own != nil && gives(own, c.start, t) {
			continue
		}
		c.c.Add(timeProperty(l.name, t))
	}
}

// gives tells whether a rule has an occurrence at t.
func gives(r *recur.Rule, start, t ical.Time) bool {
	if t.Kind != start.Kind || t.TZID != start.TZID {
		return false
	}
	endless := *r
	if r.Count == 0 { // an end in UTC is no clock reading; Marshal lists no date after it
		endless.HasUntil = false
	}
	for at := range endless.From(start.Wall, t.Wall) {
		return at.Equal(t.Wall)
	}
	return false
}
