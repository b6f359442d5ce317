package recur

import (
	"iter"
	"time"
)

// All gives the clock readings of the rule from start on, in order, each once.
// Start fills in what the rule does not say and is given only when it matches
// the rule; an UNTIL in UTC is compared as a clock reading (Set compares
// instants). It ends at UNTIL, at COUNT, at the end of the year 9999, and when
// nothing can match any more, which it notices in bounded time. Readings have
// the location time.UTC and whole seconds.
func (r *Rule) All(start time.Time) iter.Seq[time.Time] {
	return compile(r, start.Unix(), false).seq(0, false)
}

// From gives the readings of All that are not before from. It jumps there: the
// cost does not depend on the distance, but for a COUNT whose periods differ in
// length, where days or periods are counted without being made.
func (r *Rule) From(start, from time.Time) iter.Seq[time.Time] {
	return compile(r, start.Unix(), false).seq(from.Unix(), true)
}

func (p *plan) seq(from int64, jump bool) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		c := p.cursor()
		if jump {
			c.seek(from)
		}
		for {
			t, ok := c.next()
			if !ok || !yield(reading(t)) {
				return
			}
		}
	}
}

// Zone places clock readings in time; *tz.Zone is one.
type Zone interface {
	// Instant gives the instant of a clock reading by RFC 5545 3.3.5.
	Instant(wall time.Time) time.Time
	// Wall gives what the clocks show, in time.UTC, and their offset in seconds
	// east of UTC.
	Wall(instant time.Time) (wall time.Time, offset int)
}

// Zones finds the zones of one calendar object; *tz.Resolver does.
type Zones interface {
	Zone(tzid string) (Zone, error)
	// Floating is the zone in which floating times and dates are read.
	Floating() Zone
}
