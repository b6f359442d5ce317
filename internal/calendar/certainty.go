package calendar

import (
	"hash/fnv"
	"math"
	"sync"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// Of most events the time index can know all that a query for a time range and
// for free/busy time asks, so that nobody reads their text: when they take
// place, and whether that is busy time. A certainty is that knowledge. What it leaves
// open is in the pattern, the few lines of the text that matter for either, and
// what has neither is read and parsed.
type certainty struct {
	pattern bool
	form    form
	busy    int    // place in busyTypes; 0: it depends on whose time it is, or is not known
	zones   uint32 // version of the time zone data it was derived by, 0 where that does not matter
	within  int64  // days: from its start on, no stretch of time so long is without an occurrence; 0: not known
}

// form says how the span of the index is to be read.
type form int

const (
	unclear     form = iota // as bounds
	once                    // takes place once, from first+1 to last-1
	oncePerZone             // the same as clock readings, each of them widened
	repeated                // its occurrences are those of the pattern
)

// busyTypes are what an event does to the time of anybody (RFC 5545 3.2.9).
var busyTypes = [...]string{"", freebusy.Free, freebusy.Tentative, freebusy.BusyTime, freebusy.Unavailable}

// maxPattern bounds what is kept of one text: a few people, some exceptions.
const maxPattern = 1024

// zoneData numbers the version of the time zone data. Where another one is in
// use, what was derived with zones counts for nothing until it is derived anew.
var zoneData = sync.OnceValue(func() uint32 {
	h := fnv.New32a()
	h.Write([]byte(tz.Version()))
	return max(1, h.Sum32()&0xff_ffff)
})

// pack makes the number that the store keeps.
func (k certainty) pack() int64 {
	n := int64(k.form)<<1 | int64(k.busy)<<3 | int64(k.zones)<<6 | k.within<<30
	if k.pattern {
		n |= store.HasPattern
	}
	return n
}

// certaintyOf reads such a number.
func certaintyOf(n int64) certainty {
	k := certainty{
		pattern: n&store.HasPattern != 0, form: form(n >> 1 & 3), busy: int(n >> 3 & 7), zones: uint32(n >> 6 & 0xff_ffff), within: n >> 30,
	}
	if k.zones != 0 && k.zones != zoneData() || k.busy >= len(busyTypes) {
		return certainty{}
	}
	return k
}

// patternProperties decide when a component takes place and whose time that is.
var patternProperties = map[string]bool{
	"UID": true, "RECURRENCE-ID": true, "DTSTART": true, "DTEND": true, "DURATION": true, "RRULE": true, "EXRULE": true, "RDATE": true, "EXDATE": true,
	"STATUS": true, "TRANSP": true, "X-MICROSOFT-CDO-BUSYSTATUS": true, "ATTENDEE": true,
}

// patternParams are the parameters among theirs that do.
var patternParams = map[string]bool{"TZID": true, "VALUE": true, "RANGE": true, "PARTSTAT": true}

// derive says what can be known of an object with an index for certain.
func derive(cal *ical.Calendar, zones *tz.Resolver, ix store.Index) (k certainty, pattern string) {
	switch cal.Kind() {
	case "VTODO", "VJOURNAL":
		return certainty{busy: 1}, "" // RFC 4791 7.10: events count
	case "VEVENT":
	default:
		return certainty{}, ""
	}
	// A message may say in which zone its floating times are (TZ-05).
	if cal.Method() != "" || ix.Timeless {
		return certainty{}, ""
	}
	main, master := cal.Main(), cal.Master()
	var of traits
	for _, c := range main {
		if c.Name != "VEVENT" || !of.add(c, master, zones) {
			return certainty{}, ""
		}
	}
	if of.zoned {
		k.zones = zoneData()
	}
	if of.kinds == 1 && !of.attended {
		k.busy = of.busy
	}
	if len(main) == 1 && of.recurring == 0 && of.exceptions == 0 {
		k.form = formOf(main[0])
	} else if of.recurring > 0 {
		k.form = repeated
	}
	if k.form == once || k.form == oncePerZone {
		if k.busy != 0 {
			return k, ""
		}
	}
	if pattern = patternOf(main); len(pattern) > maxPattern {
		if k.form == repeated {
			k.form = unclear
		}
		return k, ""
	}
	k.pattern = true
	if len(main) == 1 && of.recurring == 1 && of.exceptions == 0 && ix.Last == math.MaxInt64 {
		k.within = stretch(main[0])
	}
	return k, pattern
}

// traits are what derive has to know of the components of an object.
type traits struct {
	zoned, attended bool
	busy            int // of the component looked at last
	kinds           int // how many differ in what they do to one's time
	recurring       int // properties that make a series of it
	exceptions      int // properties that take something from it, or add single dates
}

// add looks at one more component. It is false where a zone is not simply the
// one of its name: then the rest of the text is needed to tell the times.
func (t *traits) add(c, master *ical.Component, zones *tz.Resolver) bool {
	for _, p := range c.Properties {
		name := p.Name()
		switch name {
		case "RRULE":
			t.recurring++
		case "RECURRENCE-ID", "RDATE":
			t.recurring++
			t.exceptions++
		case "EXDATE", "EXRULE":
			t.exceptions++
		case "ATTENDEE":
			t.attended = true
		}
		if !patternProperties[name] || !p.HasParam("TZID") {
			continue
		}
		id := p.Param("TZID")
		z, err := tz.Load(id)
		if err != nil || zones.Find(id) != z {
			return false
		}
		t.zoned = true
	}
	kind := freebusy.Of(c, master, nil)
	for i := range busyTypes {
		if busyTypes[i] == kind && (t.kinds == 0 || t.busy != i) {
			t.busy = i
			t.kinds++
		}
	}
	return true
}

// formOf a component that takes place once: whether its span is exactly that of
// the index, for RFC 4791 9.9 and for what is busy alike.
func formOf(c *ical.Component) form {
	var start, end, length *ical.Property
	for _, p := range c.Properties {
		var to **ical.Property
		switch p.Name() {
		case "DTSTART":
			to = &start
		case "DTEND":
			to = &end
		case "DURATION":
			to = &length
		default:
			continue
		}
		if *to != nil {
			return unclear
		}
		*to = p
	}
	if start == nil {
		return unclear
	}
	from, err := start.Time()
	if err != nil {
		return unclear
	}
	exact := from.Kind == ical.UTC || from.Kind == ical.Zoned
	switch {
	case end != nil:
		to, err := end.Time()
		if err != nil || exact != (to.Kind == ical.UTC || to.Kind == ical.Zoned) || from.IsDate() != to.IsDate() {
			return unclear
		}
		if !exact && !to.Wall.After(from.Wall) {
			return unclear // LEN-04
		}
	case length != nil:
		d, err := length.Duration()
		if err != nil || d.Days < 0 || d.Exact < 0 || d.Exact%time.Second != 0 {
			return unclear
		}
		if !exact && d.Exact > 0 || from.IsDate() && d.Days == 0 {
			return unclear // hours from a clock reading are not one
		}
	}
	if exact {
		return once
	}
	return oncePerZone
}

// stretch is how many days at most lie between two occurrences of a series
// without end, and some more, for the ways in which clocks are changed and for
// a start that does not fit the rule. 0 where that is not simple.
func stretch(c *ical.Component) int64 {
	p := c.Prop("RRULE")
	if p == nil {
		return 0
	}
	r, err := recur.ParseRule(p.Value())
	if err != nil || r.Count != 0 || r.HasUntil || r.RScale != "" || r.Skip != "" || len(r.Extra) > 0 ||
		len(r.BySecond)+len(r.ByMinute)+len(r.ByHour)+len(r.ByMonthDay)+len(r.ByYearDay)+len(r.ByWeekNo)+len(r.ByMonth)+len(r.ByLeapMonth)+len(r.BySetPos) > 0 {
		return 0
	}
	for _, d := range r.ByDay {
		if d.Ordinal != 0 {
			return 0
		}
	}
	const more = 8 // a week and a day
	switch {
	case r.Interval > 1000:
	case r.Freq == recur.Daily && (len(r.ByDay) == 0 || r.Interval == 1):
		return int64(r.Interval) + more
	case r.Freq == recur.Weekly:
		return 7*int64(r.Interval) + more
	}
	return 0
}

// patternOf writes the pattern of an object: iCalendar, so that whatever reads
// objects reads it. It stops where the pattern is too long.
func patternOf(main []*ical.Component) string {
	var cal ical.Calendar
	cal.Name = "VCALENDAR"
	octets := 0
	for _, c := range main {
		event := ical.NewComponent("VEVENT")
		cal.Components = append(cal.Components, event)
		for _, p := range c.Properties {
			name := p.Name()
			if !patternProperties[name] || name == "UID" && len(main) == 1 {
				continue
			}
			q := ical.NewProperty(name, p.Value())
			for param, values := range p.Params() {
				if patternParams[param] {
					q.SetParam(param, values...)
				}
			}
			event.Add(q)
			if octets += len(name) + len(p.Value()); octets > maxPattern {
				break
			}
		}
	}
	return string(cal.Bytes())
}

// verdict is what is known of an object and a range of time.
type verdict int

const (
	perhaps verdict = iota // its text tells
	asPattern
	surely
	never
)

// span gives when an object that takes place once does, in seconds, with
// floating times in a zone. ok is false where that is not known.
func (k certainty) span(o store.Occupant, zone *tz.Zone) (from, to int64, ok bool) {
	switch {
	case k.form == once:
		return o.First + 1, o.Last - 1, true
	case k.form == oncePerZone && zone != nil:
		const w = int64(widen / time.Second)
		at := func(reading int64) int64 { return zone.Instant(time.Unix(reading, 0).UTC()).Unix() }
		return at(o.First + 1 + w), at(o.Last - 1 - w), true
	}
	return 0, 0, false
}

// meets tells whether an event takes place in a range of time (RFC 4791 9.9);
// its ends are math.MinInt64 and math.MaxInt64 where it is open.
func (k certainty) meets(o store.Occupant, zone *tz.Zone, start, end int64) verdict {
	if from, to, ok := k.span(o, zone); ok {
		if overlaps(from, to, start, end) {
			return surely
		}
		return never
	}
	if k.form != repeated || zone == nil {
		return perhaps
	}
	if k.within > 0 {
		const day, w = 86400, int64(widen / time.Second)
		// Bounds of floating times are widened, on the other side, too.
		if first := o.First + 1 + 2*w; max(start, first) <= end-k.within*day {
			return surely
		}
	}
	return asPattern
}

// overlaps is the table of RFC 4791 9.9 for VEVENT: something without length
// counts where it starts.
func overlaps(from, to, start, end int64) bool {
	if to > from {
		return start < to && end > from
	}
	return start <= from && from < end
}

// patternMeets is meets by the pattern.
func patternMeets(text []byte, zone *tz.Zone, start, end int64) verdict {
	cal, err := ical.Parse(text)
	if err != nil {
		return perhaps
	}
	set, err := recur.New(cal, tz.NewResolver(cal, zone), recur.Options{MaxIterations: patternSteps})
	if err != nil {
		return perhaps
	}
	var from, to time.Time // a second more: an end may count that Between leaves out
	if start != math.MinInt64 {
		from = time.Unix(start-1, 0).UTC()
	}
	if end != math.MaxInt64 {
		to = time.Unix(end+1, 0).UTC()
	}
	for o := range set.Between(from, to) {
		if overlaps(o.From.Unix(), o.To.Unix(), start, end) {
			return surely
		}
	}
	if set.Err() != nil {
		return perhaps
	}
	return never
}

// patternSteps bounds the search for an occurrence. Who needs more is read in
// full, where the search has its own bounds.
const patternSteps = 10_000
