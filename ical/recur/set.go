package recur

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Occurrence is one time at which a component takes place.
type Occurrence struct {
	// ID is the recurrence id: the original start, in the form and zone of the
	// master's DTSTART. A component that does not recur has its start here.
	ID ical.Time
	// Start and End are as it takes place, overrides applied, each in the form
	// and zone of the governing component. Both are zero for a to-do without
	// times.
	Start, End ical.Time
	// From and To are the same as instants in UTC; dates and floating times are
	// read in Zones.Floating. To is not before From.
	From, To  time.Time
	Component *ical.Component // the master, or the override that governs
	Override  bool
}

// Options say how a Set is made. The zero value is right for calendars.
type Options struct {
	// StrictStart leaves out a DTSTART that does not match the rule. RFC 5545
	// 3.8.5.3 calls that case undefined; RFC 5546 and most programs count
	// DTSTART as the first occurrence, which is the default.
	StrictStart bool
	// MaxIterations bounds how many members one iteration looks at, excluded
	// ones among them; after that many it ends and Err tells. 0 = 1,000,000.
	MaxIterations int
}

const defaultIterations = 1_000_000

// ErrNothing is wrapped by New for a calendar without a component that could
// take place.
var ErrNothing = errors.New("recur: no event, to-do or journal entry")

// Set is the recurrence set of a calendar object: a master and its overrides,
// or overrides alone (RFC 4791 4.1). It is safe for concurrent use; the
// calendar must not change meanwhile.
type Set struct {
	zones     Zones
	limit     int
	sources   int    // rules that share the steps of a search
	master    *shape // nil when there are only overrides
	rules     []*source
	exclusion []*source
	hasStart  bool // DTSTART is a member
	oddStart  bool // DTSTART is no member of its rules
	rdates    []member
	exInstant []int64 // sorted
	exDates   []int64 // sorted days
	overrides []override
	ranged    []int // overrides with RANGE=THISANDFUTURE, by id
	ids       Zone  // zone of the ids
	limited   atomic.Bool
	err       error // why a rule is not evaluated
}

// member is a start that is listed, not computed.
type member struct {
	wall, at int64
	length   int64 // of an RDATE PERIOD in seconds, -1 = as the master
}

type override struct {
	shape
	id     ical.Time
	idWall int64 // in the master's zone
	idAt   int64
	ranged bool
	shift  int64 // of the clock reading, for RANGE=THISANDFUTURE
}

// New reads the recurrence set of the first UID in cal: its master, recurrence
// properties and overrides. An error names the component and property that
// cannot be read; a rule in an unknown calendar system is not one (see Err).
func New(cal *ical.Calendar, z Zones, opt Options) (*Set, error) {
	s := &Set{zones: z, limit: cmp.Or(opt.MaxIterations, defaultIterations), ids: z.Floating()}
	uid, found := "", false
	for _, c := range cal.Main() {
		switch c.Name {
		case "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "VPOLL":
		default:
			continue
		}
		if !found {
			uid, found = c.Value("UID"), true
		} else if c.Value("UID") != uid {
			continue
		}
		if err := s.add(c, opt); err != nil {
			return nil, fmt.Errorf("recur: %s at line %d: %w", c.Name, c.Line(), err)
		}
	}
	if !found {
		return nil, ErrNothing
	}
	s.placeOverrides()
	return s, nil
}

func (s *Set) add(c *ical.Component, opt Options) error {
	id := c.Prop("RECURRENCE-ID")
	if id == nil && s.master != nil {
		return nil // a second master says nothing that could be relied on
	}
	sh, err := s.read(c)
	if err != nil {
		return err
	}
	if id == nil {
		s.master = sh
		if sh.zone != nil {
			s.ids = sh.zone
		}
		return s.readRecurrence(c, sh, opt)
	}
	o := override{shape: *sh}
	if o.id, err = id.Time(); err != nil {
		return err
	}
	o.ranged = strings.EqualFold(id.Param("RANGE"), "THISANDFUTURE")
	if sh.timeless && !sh.due { // an override without times keeps the original ones
		o.shape.start = o.id
	}
	s.overrides = append(s.overrides, o)
	return nil
}

// utcZone is the zone of times with a Z.
type utcZone struct{}

func (utcZone) Instant(wall time.Time) time.Time        { return wall }
func (utcZone) Wall(instant time.Time) (time.Time, int) { return instant.UTC(), 0 }
func (utcZone) Stretch(int64) (offset, from, to int64)  { return 0, -1 << 62, 1 << 62 }

// instantOf is the instant of a clock reading, in seconds.
func instantOf(z Zone, wall int64) int64 { return z.Instant(reading(wall)).Unix() }

// wallOf is the clock reading of an instant, in seconds.
func wallOf(z Zone, at int64) int64 {
	w, _ := z.Wall(reading(at))
	return w.Unix()
}

// placeOverrides says for each override which member it replaces.
func (s *Set) placeOverrides() {
	for i := range s.overrides {
		o := &s.overrides[i]
		o.idAt, o.idWall = s.key(o.id)
		if o.timeless && !o.due { // inherits its times
			if s.master != nil && !s.master.timeless {
				m := *s.master
				m.component, m.kind = o.component, o.kind
				m.wall, m.at = o.idWall, o.idAt
				m.start = s.idOf(o.idWall)
				o.shape = m
			} else if z, err := s.zoneOf(o.id); err == nil {
				o.timeless, o.zone, o.endZone = false, z, z
				o.start, o.end = o.id, o.id
				o.wall = o.id.Wall.Unix()
				o.at = instantOf(z, o.wall)
			}
		}
		if o.ranged && !o.timeless {
			o.shift = o.wall - wallOf(o.zone, o.idAt)
		}
	}
	// The same id twice: the one written last counts.
	slices.SortStableFunc(s.overrides, func(a, b override) int { return cmp.Compare(a.idAt, b.idAt) })
	kept := s.overrides[:0]
	for i := range s.overrides {
		if n := len(kept); n > 0 && kept[n-1].idAt == s.overrides[i].idAt {
			kept[n-1] = s.overrides[i]
		} else {
			kept = append(kept, s.overrides[i])
		}
	}
	s.overrides = kept
	for i := range kept {
		if kept[i].ranged {
			s.ranged = append(s.ranged, i)
		}
	}
}

// key places a recurrence id, whatever its spelling: the instant and the clock
// reading in the master's zone. In an all-day series that is a day.
func (s *Set) key(id ical.Time) (at, wall int64) {
	w := id.Wall.Unix()
	m := s.master
	switch {
	case m != nil && !m.timeless && m.start.IsDate():
		wall = floorDiv(w, secondsPerDay) * secondsPerDay
		return instantOf(s.ids, wall), wall
	case m != nil && !m.timeless && id.IsDate():
		// A day in a timed series: that day's occurrence.
		wall = w + floorMod(m.wall, secondsPerDay)
		return instantOf(s.ids, wall), wall
	}
	z, err := s.zoneOf(id)
	if err != nil {
		z = s.zones.Floating()
	}
	at = instantOf(z, w)
	if m != nil && alike(id, m.start) {
		return at, w
	}
	return at, wallOf(s.ids, at)
}

// idOf is a clock reading in the form and zone of the master's DTSTART.
func (s *Set) idOf(wall int64) ical.Time {
	t := ical.Time{Wall: reading(wall)}
	if s.master != nil {
		t.Kind, t.TZID = s.master.start.Kind, s.master.start.TZID
	}
	return t
}

// OddStart tells whether the rules of the object do not give its DTSTART, which
// RFC 5545 3.8.5.3 leaves undefined; see [Options.StrictStart].
func (s *Set) OddStart() bool { return s.oddStart }

// Recurring tells whether the object can have more than one occurrence by its
// own account: a rule, dates, or overrides.
func (s *Set) Recurring() bool {
	return len(s.rules)+len(s.rdates)+len(s.overrides) > 0 || s.err != nil
}

// Err tells why occurrences may be missing: an iteration came to its limit
// (wraps ErrLimit), or a rule counts in a calendar system that is not known
// (wraps ErrRScale).
func (s *Set) Err() error {
	if s.limited.Load() {
		return fmt.Errorf("recur: %w: looked at %d members", ErrLimit, s.limit)
	}
	return s.err
}
