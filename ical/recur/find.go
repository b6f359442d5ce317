package recur

import (
	"iter"
	"time"

	"github.com/convene-cal/convene/ical"
)

// All gives the occurrences in the order of their original start. An endless
// series goes on to the year 9999, or until MaxIterations.
func (s *Set) All() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		if s.master != nil && s.master.timeless {
			var o Occurrence
			s.master.place(0, 0, &o)
			if !yield(o) {
				return
			}
		}
		overrides := s.overrides
		var o Occurrence
		if s.master != nil && !s.master.timeless {
			var w walk
			w.begin(s, -1<<62)
			for {
				m, ok := w.next()
				if !ok {
					break
				}
				// Overrides of what is no member of the rule come in their place.
				replaced := false
				for len(overrides) > 0 && overrides[0].idAt <= m.at {
					replaced = overrides[0].idAt == m.at
					if !yield(overrides[0].occurrence(s)) {
						return
					}
					overrides = overrides[1:]
				}
				if replaced {
					continue
				}
				if w.occurrence(m, &o); !yield(o) {
					return
				}
			}
		}
		for i := range overrides {
			if !yield(overrides[i].occurrence(s)) {
				return
			}
		}
	}
}

// Contains tells whether the object has an occurrence with this recurrence id,
// compared as an instant or, in an all-day series, as a day.
func (s *Set) Contains(id ical.Time) bool {
	_, ok := s.Find(id)
	return ok
}

// Find gives the occurrence with this recurrence id, whatever the zone or form
// in which the id is written (RFC 5545 3.8.4.4).
func (s *Set) Find(id ical.Time) (Occurrence, bool) {
	if s.master != nil && s.master.timeless && len(s.overrides) == 0 {
		return Occurrence{}, false
	}
	at, wall := s.key(id)
	if o, ok := s.findAt(at, wall); ok {
		return o, true
	}
	if m := s.master; m != nil && !m.timeless {
		switch {
		case m.start.IsDate() && !id.IsDate() && id.Kind != ical.Floating:
			// The day's midnight in some zone, written in UTC: read it here.
			if z, err := s.zoneOf(id); err == nil {
				day := floorDiv(wallOf(s.ids, instantOf(z, id.Wall.Unix())), secondsPerDay) * secondsPerDay
				return s.findAt(instantOf(s.ids, day), day)
			}
		case !m.start.IsDate() && id.IsDate():
			// The one occurrence of that day, at whatever time.
			day := id.Wall.Unix()
			var w walk
			w.begin(s, day)
			w.stop = day + secondsPerDay
			first, ok := w.next()
			if !ok || first.wall >= day+secondsPerDay {
				break
			}
			if second, ok := w.next(); ok && second.wall < day+secondsPerDay {
				break
			}
			return s.findAt(first.at, first.wall)
		}
	}
	return Occurrence{}, false
}

func (s *Set) findAt(at, wall int64) (Occurrence, bool) {
	if o := s.overrideAt(at); o != nil {
		return o.occurrence(s), true
	}
	if s.master == nil || s.master.timeless {
		return Occurrence{}, false
	}
	from := wall
	// Just after the clocks went forward, a reading in the gap is the same
	// instant under an earlier name.
	_, before := s.ids.Wall(reading(at - secondsPerDay))
	if _, offset := s.ids.Wall(reading(at)); offset > before {
		from -= int64(offset - before)
	}
	var w walk
	w.begin(s, from)
	w.stop = wall
	for {
		m, ok := w.next()
		if !ok {
			return Occurrence{}, false
		}
		if m.at == at {
			var o Occurrence
			w.occurrence(m, &o)
			return o, true
		}
	}
}

// Bounds gives the span of all occurrences: the start of the first and the end
// of the last. endless means that a rule has no end, and last is then the end
// of the year 9999. The span may be wider than needed where exceptions or
// RANGE=THISANDFUTURE change the end; times that do not exist (a to-do without any) give zeros.
func (s *Set) Bounds() (first, last time.Time, endless bool) {
	extend := func(o *Occurrence) {
		if o.From.IsZero() {
			return
		}
		if first.IsZero() || o.From.Before(first) {
			first = o.From
		}
		if last.IsZero() || o.To.After(last) {
			last = o.To
		}
	}
	var o Occurrence
	if s.master != nil && !s.master.timeless {
		var w walk
		w.begin(s, -1<<62)
		if m, ok := w.next(); ok {
			w.occurrence(m, &o)
			extend(&o)
		}
		for _, m := range s.rdates {
			w.occurrence(m, &o)
			extend(&o)
		}
		for _, src := range s.rules {
			if src.plan.count < 0 && src.until > maxReading && src.plan.until >= maxReading {
				if c := src.plan.cursor(); !c.never {
					if _, ok := c.next(); ok {
						endless = true
					}
				}
				continue
			}
			wall, ok, _ := src.closed().final()
			if !ok {
				continue
			}
			w.occurrence(member{wall, instantOf(s.ids, wall), -1}, &o)
			extend(&o)
		}
		longest := s.master.longest()
		for _, i := range s.ranged {
			// What was moved can end before what comes just before it.
			g := &s.overrides[i]
			if t := reading(g.idAt + longest); t.After(last) {
				last = t
			}
			longest = g.longest()
		}
		if own := (member{s.master.wall, s.master.at, -1}); s.hasStart && !s.excluded(own) {
			w.occurrence(own, &o) // an RDATE can come before it
			extend(&o)
		}
	}
	for i := range s.overrides {
		o = s.overrides[i].occurrence(s)
		extend(&o)
	}
	if endless {
		last = reading(maxReading)
	}
	return first, last, endless
}
