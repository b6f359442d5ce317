package tz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// Resolver finds the zones of one calendar object. TZIDs mean nothing outside
// of their object: two messages may use one name for different rules. It
// implements recur.Zones and is safe for concurrent use; the calendar must not
// change meanwhile.
type Resolver struct {
	cal        *ical.Calendar
	floating   *Zone
	own        *Own
	components map[string]*ical.Component // VTIMEZONEs by TZID in lower case

	mu      sync.Mutex
	zones   map[string]*Zone // by TZID in lower case
	notes   []string
	unknown []string
	local   *Zone // what Floating gives
}

// NewResolver prepares the zones of cal. floating is the zone of the person
// who looks, in which floating times and dates are read; nil is UTC.
func NewResolver(cal *ical.Calendar, floating *Zone) *Resolver {
	r := &Resolver{cal: cal, floating: cmp.Or(floating, UTC), zones: map[string]*Zone{}, components: map[string]*ical.Component{}}
	if cal != nil {
		for c := range cal.Children("VTIMEZONE") {
			key := zoneKey(c.Text("TZID"))
			if _, ok := r.components[key]; !ok {
				r.components[key] = c
			}
		}
	}
	return r
}

// zoneKey: TZIDs are compared without case (TZ-02).
func zoneKey(tzid string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(tzid), `"`))
}

// Zone finds the zone of a TZID, in this order: a name of the IANA database or
// one that contains it; X-LIC-LOCATION; a Windows or display name; the rules of
// the VTIMEZONE; X-WR-TIMEZONE; the floating zone. Where a VTIMEZONE and the
// zone of its name differ at times that the object uses, the VTIMEZONE counts
// as far as it reaches. The error is always nil: what could not be resolved is
// in Unresolved, and what was guessed or contradictory in Notes.
func (r *Resolver) Zone(tzid string) (recur.Zone, error) { return r.Find(tzid), nil }

// Find is Zone with our own type.
func (r *Resolver) Find(tzid string) *Zone {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(tzid)
}

func (r *Resolver) find(tzid string) *Zone {
	key := zoneKey(tzid)
	if z, ok := r.zones[key]; ok {
		return z
	}
	z := r.resolve(tzid, key)
	r.zones[key] = z
	return z
}

func (r *Resolver) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// resolve goes through the steps of TZ-01; see Zone.
func (r *Resolver) resolve(tzid, key string) *Zone {
	named, guessed, err := r.load(tzid)
	component := r.components[key]
	if component == nil {
		switch {
		case err != nil:
			return r.lastResort(tzid)
		case guessed:
			r.note("TZID %q has no VTIMEZONE and is taken for %s", tzid, named.Name())
		}
		return named
	}
	if location := component.Text("X-LIC-LOCATION"); location != "" && (err != nil || guessed) {
		if z, g, e := r.load(location); e == nil && !g {
			named, guessed, err = z, false, nil
		}
	}
	if err == nil && !guessed {
		// The usual case, without working out more of the VTIMEZONE than is used.
		from, to := r.used(key)
		if from <= to {
			narrow, broken := fromComponent(component, from-yearSeconds, to+yearSeconds)
			if broken == nil {
				if _, differ := narrow.differs(named, from, min(to, narrow.reach())); !differ {
					return named
				}
			}
		}
	}
	custom, broken := FromComponent(component)
	switch {
	case broken != nil && err == nil:
		// TZ-03: with a known name the content does not matter.
		r.note("the VTIMEZONE of TZID %q cannot be used (%v); it is taken for %s", tzid, broken, named.Name())
		return named
	case broken != nil:
		r.note("the VTIMEZONE of TZID %q cannot be used: %v", tzid, broken)
		return r.lastResort(tzid)
	case err != nil || guessed:
		return custom
	}
	from, to := r.used(key)
	until := custom.reach()
	at, differ := custom.differs(named, from, min(to, until))
	if !differ {
		return named
	}
	r.note("the VTIMEZONE of TZID %q says %s at %s, %s has %s; the VTIMEZONE counts", tzid,
		offsetText(int(custom.periodAt(at).offset)), time.Unix(at, 0).UTC().Format(time.RFC3339),
		named.Name(), offsetText(int(named.periodAt(at).offset)))
	if until == always {
		return custom
	}
	return custom.followedBy(named, until)
}

// load finds a zone by a name of the person's own or one that is known.
func (r *Resolver) load(name string) (z *Zone, guessed bool, err error) {
	if z := r.own.Find(name); z != nil {
		return z, false, nil
	}
	return load(name)
}

// lastResort is for a TZID that says nothing: the last two steps of TZ-01.
func (r *Resolver) lastResort(tzid string) *Zone {
	if z := r.calendarZone(); z != nil {
		r.note("TZID %q is not known; times are read in %s, the calendar's X-WR-TIMEZONE", tzid, z.Name())
		return z
	}
	r.unknown = append(r.unknown, tzid)
	r.note("TZID %q is not known and has no VTIMEZONE; times are read in %s", tzid, r.floating.Name())
	return r.floating
}

// calendarZone is that of X-WR-TIMEZONE, nil when there is none to use.
func (r *Resolver) calendarZone() *Zone {
	if r.cal == nil {
		return nil
	}
	name := r.cal.Text("X-WR-TIMEZONE")
	if name == "" {
		return nil
	}
	if c := r.components[zoneKey(name)]; c != nil {
		if z, err := FromComponent(c); err == nil {
			if named, guessed, err := r.load(name); err == nil && !guessed {
				return named
			}
			return z
		}
	}
	z, _, err := r.load(name)
	if err != nil {
		return nil
	}
	return z
}

// reach is the end of the time of which a VTIMEZONE speaks: for ever with a
// rule that has no end, else a year from its last onset.
func (z *Zone) reach() int64 {
	if z.after != nil {
		return always
	}
	return z.lastOnset + 366*day
}

// differs looks for an instant from from to to at which two zones have
// different offsets.
func (z *Zone) differs(other *Zone, from, to int64) (at int64, differ bool) {
	if from > to {
		return 0, false
	}
	unequal := func(t int64) bool { return z.periodAt(t).offset != other.periodAt(t).offset }
	if unequal(from) {
		return from, true
	}
	changes := append(z.changesIn(from, to), other.changesIn(from, to)...)
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	for _, c := range changes {
		if unequal(c.at) {
			return c.at, true
		}
	}
	return 0, false
}

// followedBy is z up to an instant and other from then on.
func (z *Zone) followedBy(other *Zone, until int64) *Zone {
	changes := z.changesIn(-always, until-1)
	changes = append(changes, change{until, other.periodAt(until)})
	changes = append(changes, other.changesIn(until, horizon)...)
	joined := newZone(z.name, z.periods[0], changes, other.after)
	return joined
}

// usedAhead is how far an endless series is looked at when a VTIMEZONE is
// compared with the zone of its name (TZ-04).
const usedAhead = 5 * 366 * day

// used is the span of the times in the object that have a TZID.
func (r *Resolver) used(key string) (from, to int64) {
	from, to = always, -always
	for _, c := range r.cal.Main() {
		var last int64 = -always
		for _, p := range c.Properties {
			if zoneKey(p.Param("TZID")) != key {
				continue
			}
			times, err := p.Times()
			if err != nil {
				if periods, err := p.Periods(); err == nil {
					for _, q := range periods {
						times = append(times, q.Start)
					}
				}
			}
			for _, t := range times {
				// A day on either side makes any zone's instants fall inside.
				from = min(from, t.Wall.Unix()-day)
				last = max(last, t.Wall.Unix()+day)
			}
		}
		if last == -always {
			continue
		}
		for p := range c.Props("RRULE") {
			end := last + usedAhead
			if rule, err := recur.ParseRule(p.Value()); err == nil && rule.HasUntil {
				end = min(end, rule.Until.Wall.Unix()+day)
			}
			last = max(last, end)
		}
		to = max(to, last)
	}
	return from, to
}

// Floating is the zone in which floating times and dates are read. In a
// message (an object with a METHOD) that is X-WR-TIMEZONE or the one VTIMEZONE
// inside when there is such (TZ-05), else the zone given to NewResolver.
func (r *Resolver) Floating() recur.Zone { return r.FindFloating() }

// FindFloating is Floating with our own type.
func (r *Resolver) FindFloating() *Zone {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.local == nil {
		r.local = r.floating
		if r.cal != nil && r.cal.Method() != "" {
			if z := r.calendarZone(); z != nil {
				r.local = z
			} else if len(r.components) == 1 {
				for key := range r.components {
					r.local = r.find(key)
				}
			}
		}
	}
	return r.local
}

// Instant places a value: a date at the midnight of the floating zone.
func (r *Resolver) Instant(t ical.Time) time.Time {
	switch t.Kind {
	case ical.UTC:
		return t.Wall
	case ical.Zoned:
		return r.Find(t.TZID).Instant(t.Wall)
	}
	return r.FindFloating().Instant(t.Wall)
}

// Notes are sentences about guesses and contradictions met so far.
func (r *Resolver) Notes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// Unresolved are the TZIDs met so far of which nothing is known, so that the
// times were read in the floating zone (RFC 5546 3.6: request status 3.5).
func (r *Resolver) Unresolved() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.unknown)
}
