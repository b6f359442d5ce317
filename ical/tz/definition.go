package tz

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// definition is a VTIMEZONE (RFC 5545 3.6.5): the sub-components that have
// rules without an end, for what lies beyond the table.
type definition struct {
	endless []observance
}

// observance is a STANDARD or DAYLIGHT sub-component.
type observance struct {
	period
	from  int64       // TZOFFSETFROM in seconds
	start int64       // DTSTART as a clock reading, in seconds
	rule  *recur.Rule // without end, nil when there is none
	line  int
}

const (
	maxObservances = 1000  // real zones have up to 200
	maxOnsets      = 20000 // of all observances together, in the table
	maxEndless     = 32    // rules without an end; real zones have two
)

// Rules without an end are worked out for these years, or as far as other onsets
// go; Windows zones begin in 1601 and need not be walked from there. Other years
// are computed when asked for.
var (
	tableBegin = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	tableEnd   = time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// FromComponent makes a zone of a VTIMEZONE. Its rules are evaluated for any
// year; before its first onset the clocks stand as TZOFFSETFROM there says.
// The name of the zone is the TZID.
func FromComponent(c *ical.Component) (*Zone, error) {
	return fromComponent(c, tableBegin, tableEnd)
}

// fromComponent works rules without an end out from begin to end at least.
func fromComponent(c *ical.Component, begin, end int64) (*Zone, error) {
	tzid := c.Text("TZID")
	fail := func(format string, args ...any) (*Zone, error) {
		return nil, fmt.Errorf("tz: VTIMEZONE %.80q: %w", tzid, fmt.Errorf(format, args...))
	}
	var changes []change
	def := &definition{}
	// What the clocks show before the first onset.
	first, firstOnset := period{}, int64(1)<<62
	subs := 0
	for _, sub := range c.Components {
		if sub.Name != "STANDARD" && sub.Name != "DAYLIGHT" {
			continue
		}
		if subs++; subs > maxObservances {
			return fail("more than %d sub-components", maxObservances)
		}
		o, onsets, err := readObservance(sub, maxOnsets-len(changes))
		if err != nil {
			return fail("line %d: %s: %w", sub.Line(), sub.Name, err)
		}
		for i, at := range onsets {
			changes = append(changes, change{at, o.period})
			end = max(end, at+2*yearSeconds)
			if i > 0 || o.rule == nil { // a rule without end may begin in 1601
				begin = min(begin, at-yearSeconds)
			}
		}
		if o.rule != nil && len(def.endless) == maxEndless {
			return fail("more than %d rules without an end", maxEndless)
		}
		if o.rule != nil {
			def.endless = append(def.endless, o)
		}
		if at := o.start - o.from; at < firstOnset {
			firstOnset, first = at, period{offset: int32(o.from), name: o.name}
		}
	}
	if subs == 0 {
		return fail("neither STANDARD nor DAYLIGHT inside")
	}
	steady := def.endless[:0]
	for _, o := range def.endless {
		last, n, seldom := max(begin-nearby, o.start-o.from), 0, false
		for w := range o.rule.From(time.Unix(o.start, 0).UTC(), time.Unix(begin-nearby, 0).UTC()) {
			at := w.Unix() - o.from
			if seldom = seldom || at-last > nearby; at >= end+day && !seldom {
				break
			}
			if len(changes) > maxOnsets {
				return fail("more than %d onsets", maxOnsets)
			}
			changes = append(changes, change{at, o.period})
			last = at
			n++
		}
		if seldom || last < end-nearby {
			// All its onsets are in the table: nothing tells them from near by.
			continue
		}
		if int64(n) > (end+day-begin+nearby)/(2*nearby)*maxAround {
			return fail("line %d: clocks that change every few days", o.line)
		}
		steady = append(steady, o)
	}
	def.endless = steady
	// The same moment twice: the one written last counts.
	slices.SortStableFunc(changes, func(a, b change) int { return int(min(1, max(-1, a.at-b.at))) })
	kept := changes[:0]
	for i, c := range changes {
		if i+1 == len(changes) || changes[i+1].at != c.at {
			kept = append(kept, c)
		}
	}
	changes = kept
	if subs == 1 && len(changes) == 1 && first.offset == changes[0].offset {
		first, changes = changes[0].period, nil // one offset for ever
	}
	var after tail
	if len(def.endless) > 0 {
		after = def
	}
	z := newZone(tzid, first, changes, after)
	z.begin, z.end = begin, end
	z.lastOnset = firstOnset
	if len(changes) > 0 {
		z.lastOnset = changes[len(changes)-1].at
	}
	return z, nil
}

// readObservance gives a sub-component and its onsets: DTSTART first, RDATEs and
// those of rules that end. A rule without end is in o.rule.
func readObservance(c *ical.Component, limit int) (observance, []int64, error) {
	var o observance
	var err error
	if o.from, err = readOffset(c.Value("TZOFFSETFROM")); err != nil {
		return o, nil, fmt.Errorf("TZOFFSETFROM: %w", err)
	}
	to, err := readOffset(c.Value("TZOFFSETTO"))
	if err != nil {
		return o, nil, fmt.Errorf("TZOFFSETTO: %w", err)
	}
	o.line = c.Line()
	o.period = period{offset: int32(to), daylight: c.Name == "DAYLIGHT", name: c.Text("TZNAME")}
	start := c.Prop("DTSTART")
	if start == nil {
		return o, nil, fmt.Errorf("no DTSTART")
	}
	at, err := start.Time()
	if err != nil {
		return o, nil, err
	}
	o.start = o.reading(at)
	onsets := []int64{o.start - o.from}
	for p := range c.Props("RDATE") {
		if strings.EqualFold(p.Param("VALUE"), "PERIOD") {
			continue // RFC 5545 3.6.5 has no periods here
		}
		times, err := p.Times()
		if err != nil {
			return o, nil, err
		}
		for _, t := range times {
			r := o.reading(t)
			if t.IsDate() { // a day alone: at the time of DTSTART
				r += o.start - o.start/day*day
			}
			onsets = append(onsets, r-o.from)
		}
	}
	for p := range c.Props("RRULE") {
		rule, err := recur.ParseRule(p.Value())
		if err != nil {
			return o, nil, err
		}
		if err := rule.Err(); err != nil || rule.RScale != "" && rule.RScale != "GREGORIAN" {
			return o, nil, fmt.Errorf("clocks that change by the calendar %s", rule.RScale)
		}
		if rule.Freq < recur.Daily {
			return o, nil, fmt.Errorf("clocks that change by FREQ=%s", rule.Freq)
		}
		if rule.HasUntil && rule.Until.Kind == ical.UTC {
			// RFC 5545 3.6.5: UNTIL is UTC here; readings are compared.
			rule.Until.Wall = rule.Until.Wall.Add(time.Duration(o.from) * time.Second)
			rule.Until.Kind = ical.Floating
		}
		if !rule.HasUntil && rule.Count == 0 {
			o.rule = rule
			continue
		}
		for t := range rule.All(time.Unix(o.start, 0).UTC()) {
			if len(onsets) > limit {
				return o, nil, fmt.Errorf("more than %d onsets", maxOnsets)
			}
			onsets = append(onsets, t.Unix()-o.from)
		}
	}
	if len(onsets) > limit {
		return o, nil, fmt.Errorf("more than %d onsets", maxOnsets)
	}
	return o, onsets, nil
}

// reading is a time of a sub-component as its clock reading: times in UTC, as
// some write them, are moved by TZOFFSETFROM.
func (o *observance) reading(t ical.Time) int64 {
	if t.Kind == ical.UTC {
		return t.Wall.Unix() + o.from
	}
	return t.Wall.Unix()
}

// readOffset reads a UTC-OFFSET (RFC 5545 3.3.14), also without minutes, with
// a colon, or without a sign.
func readOffset(s string) (int64, error) {
	digits := strings.ReplaceAll(strings.TrimSpace(s), ":", "")
	sign := int64(1)
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		if digits[0] == '-' {
			sign = -1
		}
		digits = digits[1:]
	}
	var n [3]int64
	ok := len(digits) == 2 || len(digits) == 4 || len(digits) == 6
	for i := 0; ok && i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			ok = false
			break
		}
		n[i/2] = n[i/2]*10 + int64(digits[i]-'0')
	}
	// RFC 5545 3.3.14 ends at 23:59:59; a whole day is taken too.
	seconds := n[0]*3600 + n[1]*60 + n[2]
	if !ok || seconds > day || n[1] > 59 || n[2] > 59 {
		return 0, fmt.Errorf("%.20q is not an offset", s)
	}
	return sign * seconds, nil
}

// nearby is for how long before and after an instant onsets are worked out, and
// maxAround how many of a rule.
const (
	nearby    = 400 * day
	maxAround = 64
)

// around works out the onsets within two years of an instant. The rules have
// one in each nearby at least.
func (d *definition) around(t int64) []change {
	var list []change
	for _, o := range d.endless {
		n := 0
		for w := range o.rule.From(time.Unix(o.start, 0).UTC(), time.Unix(t-nearby, 0).UTC()) {
			at := w.Unix() - o.from
			if at > t+nearby || n > maxAround {
				break
			}
			n++
			list = append(list, change{at, o.period})
		}
	}
	slices.SortStableFunc(list, func(a, b change) int { return int(min(1, max(-1, a.at-b.at))) })
	return list
}
