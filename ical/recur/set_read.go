package recur

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/ical"
)

// shape is what a component says of its own times.
type shape struct {
	component *ical.Component
	kind      string // component name
	start     ical.Time
	wall      int64 // start as a clock reading
	at        int64 // start as an instant
	zone      Zone
	end       ical.Time // DTEND or DUE
	endZone   Zone
	endAlike  bool         // the end has the start's form and zone
	exact     int64        // length in seconds, unless nominal
	nominal   bool         // length is days on the calendar and exact
	days      int64        //
	timeless  bool         // neither start nor due
	due       bool         // DUE and no DTSTART
	hasEnd    bool         // DTEND, DUE or DURATION
	completed [2]time.Time // CREATED, COMPLETED of a to-do
}

// source is a rule with its end as an instant.
type source struct {
	plan    *plan
	until   int64 // instant, inclusive
	once    sync.Once
	ended   *plan       // the plan with COUNT turned into UNTIL
	limited atomic.Bool // COUNT was not counted to its end
}

func (s *Set) zoneOf(t ical.Time) (Zone, error) {
	switch t.Kind {
	case ical.UTC:
		return utcZone{}, nil
	case ical.Zoned:
		return s.zones.Zone(t.TZID)
	}
	return s.zones.Floating(), nil
}

// alike tells whether two values have the same form and zone.
func alike(a, b ical.Time) bool { return a.Kind == b.Kind && a.TZID == b.TZID }

// read takes what a component says of its start, end and length (RFC 5545 3.6.1,
// 3.6.2). Of times that it lacks the shape says so.
func (s *Set) read(c *ical.Component) (*shape, error) {
	sh := &shape{component: c, kind: c.Name}
	start, end := c.Prop("DTSTART"), c.Prop("DTEND")
	if c.Name == "VTODO" {
		end = c.Prop("DUE")
	}
	var err error
	if start == nil {
		if c.Name != "VTODO" || end == nil {
			sh.timeless = true
			for i, name := range []string{"CREATED", "COMPLETED"} {
				if p := c.Prop(name); p != nil {
					if t, err := p.Time(); err == nil {
						if z, err := s.zoneOf(t); err == nil {
							sh.completed[i] = z.Instant(t.Wall)
						}
					}
				}
			}
			return sh, nil
		}
		sh.due = true
		start = end
	}
	if sh.start, err = start.Time(); err != nil {
		return nil, err
	}
	if sh.zone, err = s.zoneOf(sh.start); err != nil {
		return nil, err
	}
	sh.wall = sh.start.Wall.Unix()
	sh.at = instantOf(sh.zone, sh.wall)
	sh.end, sh.endZone, sh.endAlike = sh.start, sh.zone, true
	switch {
	case sh.due:
	case end != nil && c.Name != "VJOURNAL":
		t, err := end.Time()
		if err != nil {
			return nil, err
		}
		z, err := s.zoneOf(t)
		if err != nil {
			return nil, err
		}
		sh.hasEnd = true
		if sh.start.IsDate() && t.IsDate() {
			sh.nominal, sh.days = true, (t.Wall.Unix()-sh.wall)/secondsPerDay
			if sh.days < 1 && c.Name == "VEVENT" {
				sh.days = 1 // RFC 5545 3.6.1: later than DTSTART; equal is a common mistake (LEN-04)
			}
			sh.days = max(0, sh.days)
			break
		}
		if !sh.start.IsDate() && t.IsDate() {
			// Forms mixed: a date is its midnight; the end keeps the start's form.
			sh.end, sh.endZone = sh.start, sh.zone
		} else {
			sh.end, sh.endZone, sh.endAlike = t, z, alike(t, sh.start)
		}
		// RFC 5545 3.8.5.3: with DTEND or DUE the same exact duration; an end
		// before the start is none (LEN-04).
		sh.exact = max(0, instantOf(z, t.Wall.Unix())-sh.at)
	case c.Prop("DURATION") != nil && c.Name != "VJOURNAL":
		d, err := c.Prop("DURATION").Duration()
		if err != nil {
			return nil, err
		}
		sh.hasEnd = true
		// The same nominal duration: days end at the same clock reading.
		sh.nominal, sh.days, sh.exact = true, int64(d.Days), int64(d.Exact/time.Second)
		if sh.days < 0 || sh.exact < 0 {
			sh.days, sh.exact = 0, 0
		}
	case sh.start.IsDate() && c.Name != "VTODO":
		sh.nominal, sh.days = true, 1
	}
	return sh, nil
}

// longest is an upper bound of the length of an occurrence in seconds.
func (sh *shape) longest() int64 {
	if sh.nominal {
		return sh.days*secondsPerDay + sh.exact + secondsPerDay
	}
	return sh.exact
}

// maxRules is how many RRULEs, and how many EXRULEs, of one component are
// evaluated. RFC 5545 3.8.5.3 says SHOULD NOT to a second one; real data has two
// or three.
const maxRules = 16

// readRecurrence takes RRULE, EXRULE, RDATE and EXDATE of the master.
func (s *Set) readRecurrence(c *ical.Component, sh *shape, opt Options) error {
	if sh.timeless {
		return nil
	}
	date := sh.start.IsDate()
	s.hasStart = true
	for _, name := range []string{"RRULE", "EXRULE"} {
		n := 0
		for range c.Props(name) {
			n++
		}
		s.sources += min(n, maxRules)
	}
	var counts bool
	for p := range c.Props("RRULE") {
		if strings.TrimSpace(p.Value()) == "" {
			continue // some write every property they know
		}
		r, err := ParseRule(p.Value())
		if err != nil {
			return fmt.Errorf("line %d: %w", p.Line(), err)
		}
		if err := r.Err(); err != nil {
			s.err = err
			continue
		}
		if len(s.rules) == maxRules {
			s.err = fmt.Errorf("recur: line %d: %w: more than %d RRULEs", p.Line(), ErrLimit, maxRules)
			break
		}
		src := s.source(r, sh, date)
		matches := false
		c := src.plan.cursor()
		if t, ok := c.next(); ok && t == sh.wall {
			matches = true
		}
		counts = counts || matches
		if matches && sh.at <= src.until {
			s.hasStart = false // the rule gives it
		}
		if !matches && !opt.StrictStart && src.plan.count > 0 {
			// RFC 5545 3.3.10: DTSTART counts as the first occurrence.
			src.plan.count--
		}
		s.rules = append(s.rules, src)
	}
	if len(s.rules) > 0 && !counts {
		s.oddStart = true
		s.hasStart = !opt.StrictStart
		// "Delete this and all later ones" of the first leaves an UNTIL before
		// DTSTART with some clients: then there is nothing.
		if !slices.ContainsFunc(s.rules, func(r *source) bool { return r.until >= sh.at }) {
			s.hasStart = false
		}
	}
	for p := range c.Props("EXRULE") {
		if strings.TrimSpace(p.Value()) == "" {
			continue
		}
		r, err := ParseRule(p.Value())
		if err != nil {
			return fmt.Errorf("line %d: %w", p.Line(), err)
		}
		if err := r.Err(); err != nil {
			s.err = err
			continue
		}
		if len(s.exclusion) == maxRules {
			s.err = fmt.Errorf("recur: line %d: %w: more than %d EXRULEs", p.Line(), ErrLimit, maxRules)
			break
		}
		s.exclusion = append(s.exclusion, s.source(r, sh, date))
	}
	for p := range c.Props("RDATE") {
		if err := s.readRDate(p, date); err != nil {
			return err
		}
	}
	slices.SortFunc(s.rdates, func(a, b member) int { return cmp.Or(cmp.Compare(a.wall, b.wall), cmp.Compare(b.length, a.length)) })
	s.rdates = slices.CompactFunc(s.rdates, func(a, b member) bool { return a.at == b.at })
	for p := range c.Props("EXDATE") {
		times, err := p.Times()
		if err != nil {
			return err
		}
		for _, t := range times {
			switch {
			case t.IsDate():
				s.exDates = append(s.exDates, t.Wall.Unix()/secondsPerDay)
			case date: // a time in an all-day series means its day
				s.exDates = append(s.exDates, floorDiv(t.Wall.Unix(), secondsPerDay))
			default:
				z, err := s.zoneOf(t)
				if err != nil {
					return err
				}
				s.exInstant = append(s.exInstant, instantOf(z, t.Wall.Unix()))
			}
		}
	}
	slices.Sort(s.exDates)
	slices.Sort(s.exInstant)
	return nil
}

// readRDate takes starts that are listed, the periods among them with the length
// they state (RFC 5545 3.8.5.2).
func (s *Set) readRDate(p *ical.Property, date bool) error {
	add := func(t ical.Time, length int64) error {
		z, err := s.zoneOf(t)
		if err != nil {
			return err
		}
		m := member{wall: t.Wall.Unix(), length: length}
		switch {
		case date:
			m.wall = floorDiv(m.wall, secondsPerDay) * secondsPerDay
			m.at = instantOf(s.ids, m.wall)
		case t.IsDate():
			// A day alone: at DTSTART's time of day.
			m.wall += floorMod(s.master.wall, secondsPerDay)
			m.at = instantOf(s.ids, m.wall)
		default:
			m.at = instantOf(z, m.wall)
			if !alike(t, s.master.start) {
				m.wall = wallOf(s.ids, m.at)
			}
		}
		s.rdates = append(s.rdates, m)
		return nil
	}
	if periods, err := p.Periods(); err == nil && len(periods) > 0 {
		for _, q := range periods {
			z, err := s.zoneOf(q.Start)
			if err != nil {
				return err
			}
			begin := q.Start.Wall.Unix()
			end := begin
			if q.HasDuration {
				end = instantOf(z, begin+int64(q.Duration.Days)*secondsPerDay) + int64(q.Duration.Exact/time.Second)
			} else {
				ez, err := s.zoneOf(q.End)
				if err != nil {
					return err
				}
				end = instantOf(ez, q.End.Wall.Unix())
			}
			if err := add(q.Start, max(0, end-instantOf(z, begin))); err != nil {
				return err
			}
		}
		return nil
	}
	times, err := p.Times()
	if err != nil {
		return err
	}
	for _, t := range times {
		if err := add(t, -1); err != nil {
			return err
		}
	}
	return nil
}

// source compiles a rule and turns its UNTIL into an instant.
func (s *Set) source(r *Rule, sh *shape, date bool) *source {
	src := &source{plan: compile(r, sh.wall, date), until: math.MaxInt64}
	src.plan.share /= max(1, s.sources)
	if date && src.plan.freq < Daily {
		// RFC 5545 3.3.10: no times with a DATE; each day that is met counts once.
		src.plan.eachDay = true
	}
	if !r.HasUntil {
		return src
	}
	if date || r.Until.IsDate() {
		until := r.Until.Wall.Unix()
		if r.Until.IsDate() {
			until += secondsPerDay - 1
		}
		src.plan.setUntil(until)
		if !date {
			src.until = instantOf(sh.zone, src.plan.until)
		} else {
			src.until = instantOf(sh.zone, src.plan.until/secondsPerDay*secondsPerDay)
		}
		return src
	}
	z := sh.zone
	if r.Until.Kind == ical.UTC {
		z = utcZone{}
	}
	src.until = instantOf(z, r.Until.Wall.Unix())
	// Readings are compared first. Of those that come twice the first counts,
	// so one that is later on the clock can still be before UNTIL.
	_, before := sh.zone.Wall(reading(src.until - secondsPerDay))
	wall, offset := sh.zone.Wall(reading(src.until))
	src.plan.setUntil(wall.Unix() + int64(max(0, before-offset)))
	return src
}

// closed is the plan for jumping: a COUNT is counted once and then known as the
// last reading.
func (src *source) closed() *plan {
	if src.plan.count < 0 {
		return src.plan
	}
	src.once.Do(func() {
		p := *src.plan
		last, ok, limited := p.final()
		src.limited.Store(limited)
		p.count = -1
		p.setUntil(last)
		if !ok {
			p.never = true
		}
		src.ended = &p
	})
	return src.ended
}
