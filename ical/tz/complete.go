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
	used := map[string]bool{}
	var tzids []string
	for tzid := range cal.TZIDs() {
		key := zoneKey(tzid)
		if key != "" && !used[key] {
			used[key] = true
			tzids = append(tzids, tzid)
		}
	}
	if name := cal.Text("X-WR-TIMEZONE"); name != "" {
		used[zoneKey(name)] = true
	}
	present := map[string]bool{}
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool {
		if c.Name != "VTIMEZONE" {
			return false
		}
		key := zoneKey(c.Text("TZID"))
		if !used[key] || present[key] {
			return true
		}
		present[key] = true
		return false
	})
	at := 0
	for at < len(cal.Components) && cal.Components[at].Name == "VTIMEZONE" {
		at++
	}
	for _, tzid := range tzids {
		key := zoneKey(tzid)
		if present[key] {
			continue
		}
		z := r.Find(tzid)
		if slices.ContainsFunc(r.Unresolved(), func(u string) bool { return zoneKey(u) == key }) {
			continue
		}
		from, to := span(cal, key)
		cal.Components = slices.Insert(cal.Components, at, z.Component(tzid, from, to))
		at++
	}
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
