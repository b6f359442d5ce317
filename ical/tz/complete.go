package tz

import (
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Complete gives a calendar the VTIMEZONEs it needs: one is added for each TZID
// in use that has none (RFC 5545 3.2.19), those that are not used and
// repetitions are dropped, and the others stay as they are. A TZID of which
// nothing is known gets none.
func Complete(cal *ical.Calendar, r *Resolver) {
	var c Completion
	c.Add(cal, r)
	present := map[string]bool{}
	cal.Components = slices.DeleteFunc(cal.Components, func(z *ical.Component) bool { return z.Name == "VTIMEZONE" && !c.keep(z, present) })
	at := 0
	for at < len(cal.Components) && cal.Components[at].Name == "VTIMEZONE" {
		at++
	}
	cal.Components = slices.Insert(cal.Components, at, c.missing(present)...)
}

// Completion is Complete for a calendar that is seen object by object. The
// zero value is ready.
type Completion struct {
	uses  map[string]*use // by zoneKey
	order []*use
}

// use is how a calendar uses a TZID.
type use struct {
	key, tzid string
	zone      *Zone // nil when nothing is known of it, or nothing needs to be
	from, to  time.Time
	spanned   bool
}

// maxUses bounds the TZIDs of one calendar; there are not as many names of
// zones.
const maxUses = 1 << 14

// Add takes an object of the calendar; r resolves its TZIDs.
func (c *Completion) Add(cal *ical.Calendar, r *Resolver) {
	if c.uses == nil {
		c.uses = map[string]*use{}
	}
	seen, defined := map[string]bool{"": true}, map[string]bool{}
	for z := range cal.Children("VTIMEZONE") {
		defined[zoneKey(z.Text("TZID"))] = true
	}
	if key := zoneKey(cal.Text("X-WR-TIMEZONE")); key != "" && c.uses[key] == nil {
		c.uses[key] = &use{}
	}
	for tzid := range cal.TZIDs() {
		key := zoneKey(tzid)
		if seen[key] {
			continue
		}
		seen[key] = true
		u := c.uses[key]
		if u == nil || u.key == "" {
			if len(c.order) >= maxUses {
				continue
			}
			u = &use{key: key, tzid: tzid}
			c.uses[key], c.order = u, append(c.order, u)
		}
		if defined[key] {
			continue // it is not asked for
		}
		if u.zone == nil {
			z := r.Find(tzid)
			if slices.ContainsFunc(r.Unresolved(), func(s string) bool { return zoneKey(s) == key }) {
				continue
			}
			u.zone = z
		}
		from, to := span(cal, key)
		switch {
		case !u.spanned:
			u.from, u.to, u.spanned = from, to, true
		default:
			if from.Before(u.from) {
				u.from = from
			}
			if to.IsZero() || !u.to.IsZero() && to.After(u.to) {
				u.to = to
			}
		}
	}
}

// Zones gives the VTIMEZONEs that the calendar needs: of those that it has the
// ones in use, each once, and one for every other TZID.
func (c *Completion) Zones(has []*ical.Component) []*ical.Component {
	present := map[string]bool{}
	has = slices.DeleteFunc(slices.Clone(has), func(z *ical.Component) bool { return !c.keep(z, present) })
	return append(has, c.missing(present)...)
}

// keep tells whether a VTIMEZONE is the first of a TZID in use.
func (c *Completion) keep(z *ical.Component, present map[string]bool) bool {
	key := zoneKey(z.Text("TZID"))
	if c.uses[key] == nil || present[key] {
		return false
	}
	present[key] = true
	return true
}

// missing makes the VTIMEZONEs that are not present.
func (c *Completion) missing(present map[string]bool) []*ical.Component {
	var list []*ical.Component
	for _, u := range c.order {
		if u.zone != nil && !present[u.key] {
			list = append(list, u.zone.Component(u.tzid, u.from, u.to))
		}
	}
	return list
}

// span is the time in which a calendar uses a TZID; zero to = without end.
func span(cal *ical.Calendar, key string) (from, to time.Time) {
	s := &Resolver{cal: cal}
	lo, hi := s.used(key)
	if lo > hi {
		return time.Time{}, time.Time{}
	}
	for _, c := range cal.Main() {
		for p := range c.Props("RRULE") {
			_ = p
			return time.Unix(lo, 0).UTC(), time.Time{}
		}
	}
	// An event may last; its end has a TZID too, or its duration is short of this.
	return time.Unix(lo, 0).UTC(), time.Unix(hi+31*day, 0).UTC()
}
