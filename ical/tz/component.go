package tz

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// weekdays as in BYDAY.
var weekdays = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// onset is a change as a sub-component of a VTIMEZONE says it.
type onset struct {
	change
	before   int32 // offset before
	daylight bool
	wall     time.Time // clock reading with the offset before
}

func (o *onset) like(p *onset) bool {
	return o.before == p.before && o.offset == p.offset && o.daylight == p.daylight && o.name == p.name &&
		o.wall.Weekday() == p.wall.Weekday() && secondsOf(o.wall) == secondsOf(p.wall)
}

func secondsOf(t time.Time) int { return t.Hour()*3600 + t.Minute()*60 + t.Second() }

// run is a series of like onsets, one a year, that one rule gives.
type run struct {
	onsets []onset
	nth    int  // the nth weekday of the month in every year, 0 = not so
	last   bool // the last one in every year
	lo, hi int  // least and greatest day of the month
	// Least and greatest number of days to the end of the year, when the month
	// is not always the same ("the day after the last Thursday of October").
	months    bool
	near, far int
}

const (
	yearSeconds = 366 * day
	// aside is how far beyond the span onsets are looked at to see the rule
	// behind those within.
	aside = 12 * yearSeconds
	// ahead is how far rules of an open span are tried before they count as
	// being without an end: 28 years have every combination of weekday and leap
	// year that a century has.
	ahead = 40 * yearSeconds
)

// Component writes the zone as a VTIMEZONE with the given TZID that is right
// from from to to, and no larger than that needs: a zone without changes is one
// STANDARD, one with a yearly change is a STANDARD and a DAYLIGHT with a rule
// each; other changes within the span are listed one by one. A sub-component
// has an RRULE or nothing, never RDATE (OUT-07). A zero from means 1970, a zero to no end.
//
// DAYLIGHT is what has the greater offset, also for zones whose data call
// winter the exception (Dublin), since that is how programs show it.
func (z *Zone) Component(tzid string, from, to time.Time) *ical.Component {
	lo, hi, open := int64(0), int64(0), to.IsZero()
	if !from.IsZero() {
		lo = from.Unix()
	}
	if open {
		hi = lo
		if n := len(z.at); n > 0 {
			hi = max(hi, z.lastIrregular())
		}
		hi += ahead
	} else {
		hi = max(lo, to.Unix())
	}
	c := ical.NewComponent("VTIMEZONE")
	c.SetText("TZID", tzid)
	onsets := z.onsets(lo-aside, hi+aside)
	first, end := z.needed(onsets, lo, hi)
	if first == end || onsets[first].at > lo {
		p := z.periodAt(lo)
		// RFC 5545 3.6.5 wants an onset: one before everything.
		begin := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		if lo <= begin.Unix() {
			begin = time.Date(time.Unix(lo, 0).UTC().Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		c.Components = append(c.Components, subComponent(onset{change: change{period: p}, before: p.offset, wall: begin}, ""))
	}
	if first == end {
		return c
	}
	for _, r := range runsOf(onsets) {
		// The part of the run that the span needs.
		var part []onset
		for _, o := range r.onsets {
			if o.at >= onsets[first].at && o.at <= onsets[end-1].at {
				part = append(part, o)
			}
		}
		if len(part) == 0 {
			continue
		}
		final := r.onsets[len(r.onsets)-1].at
		rule := ""
		switch {
		case len(r.onsets) == 1:
		case final > hi || open && final > hi-yearSeconds: // goes on beyond the span
			rule = r.rule()
		case len(part) > 1:
			rule = r.rule() + ";UNTIL=" + ical.UTCTime(time.Unix(part[len(part)-1].at, 0)).String()
		}
		c.Components = append(c.Components, subComponent(part[0], rule))
	}
	slices.SortStableFunc(c.Components, func(a, b *ical.Component) int {
		return strings.Compare(a.Value("DTSTART"), b.Value("DTSTART"))
	})
	return c
}

// lastIrregular is the last change that is listed in the data rather than given
// by a rule for ever, 0 when there is none after 1970.
func (z *Zone) lastIrregular() int64 {
	if z.after == nil {
		if n := len(z.at); n > 0 {
			return z.at[n-1]
		}
		return 0
	}
	// Looking back from the end of the table: where do the rule's changes stop?
	i := len(z.at)
	for i > 0 {
		t := z.at[i-1]
		if !slices.ContainsFunc(z.after.around(t), func(c change) bool { return c.at == t && c.period == z.periods[i] }) {
			return t
		}
		i--
	}
	return 0
}

// onsets are the changes with what is needed to write them.
func (z *Zone) onsets(from, to int64) []onset {
	before := z.periodAt(from)
	var list []onset
	for _, c := range z.changesIn(from, to) {
		o := onset{change: c, before: before.offset, daylight: c.daylight}
		if c.daylight != before.daylight && c.offset != before.offset {
			o.daylight = c.offset > before.offset
		}
		o.wall = time.Unix(c.at+int64(before.offset), 0).UTC()
		list = append(list, o)
		before = c.period
	}
	return list
}

// needed are the onsets [first, end) of a span: those in it, the one in force
// when it begins, and before that the other one of the year when the zone goes
// on changing.
func (z *Zone) needed(onsets []onset, lo, hi int64) (first, end int) {
	for end < len(onsets) && onsets[end].at <= hi {
		end++
	}
	for first < end && onsets[first].at <= lo {
		first++
	}
	near := func(i, j int) bool {
		return i >= 0 && j < len(onsets) && onsets[j].at-onsets[i].at < yearSeconds
	}
	now := first - 1 // in force at lo
	switch {
	case now < 0:
	case first < end: // changes within the span
		first = now
	case near(now, now+1): // none, but the zone goes on changing
		first = now
	default:
		return end, end
	}
	if first == now && near(now-1, now) && near(now, now+1) {
		first = now - 1
	}
	return first, max(end, first)
}

// runsOf sorts onsets into runs.
func runsOf(onsets []onset) []run {
	var runs []run
next:
	for _, o := range onsets {
		for i := len(runs) - 1; i >= 0; i-- {
			r := &runs[i]
			last := &r.onsets[len(r.onsets)-1]
			if last.wall.Year() == o.wall.Year()-1 && last.like(&o) && r.extend(o) {
				continue next
			}
		}
		d := o.wall.Day()
		r := run{onsets: []onset{o}, lo: d, hi: d, last: isLastWeek(o.wall), near: toYearsEnd(o.wall)}
		r.far = r.near
		if n := (d-1)/7 + 1; n < 5 {
			r.nth = n
		}
		runs = append(runs, r)
	}
	return runs
}

// toYearsEnd is BYYEARDAY counted from the end, without its sign: the same every
// year for days after February.
func toYearsEnd(t time.Time) int {
	return time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() + 1 - t.YearDay()
}

func isLastWeek(t time.Time) bool { return t.AddDate(0, 0, 7).Month() != t.Month() }

// extend adds an onset when one rule can still give all.
func (r *run) extend(o onset) bool {
	d := o.wall.Day()
	nth, last := r.nth, r.last && isLastWeek(o.wall)
	if (d-1)/7+1 != nth {
		nth = 0
	}
	lo, hi := min(r.lo, d), max(r.hi, d)
	near, far := min(r.near, toYearsEnd(o.wall)), max(r.far, toYearsEnd(o.wall))
	months := r.months || o.wall.Month() != r.onsets[0].wall.Month()
	switch week := far-near <= 6 && o.wall.Month() > time.February; {
	case months && !week, !months && nth == 0 && !last && hi-lo > 6:
		return false
	}
	r.nth, r.last, r.lo, r.hi, r.months, r.near, r.far = nth, last, lo, hi, months, near, far
	r.onsets = append(r.onsets, o)
	return true
}

// rule is the RRULE of a run.
func (r *run) rule() string {
	o := r.onsets[0].wall
	if r.months {
		lo := min(r.near, r.far-6)
		days := make([]string, 7)
		for i := range days {
			days[i] = fmt.Sprint(-(lo + 6 - i))
		}
		return "FREQ=YEARLY;BYDAY=" + weekdays[o.Weekday()] + ";BYYEARDAY=" + strings.Join(days, ",")
	}
	rule := fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=", o.Month())
	switch day := weekdays[o.Weekday()]; {
	case r.last && (r.nth == 0 || r.nth == 4):
		return rule + "-1" + day
	case r.nth > 0:
		return fmt.Sprintf("%s%d%s", rule, r.nth, day)
	default:
		// "The Saturday after the 8th": one weekday of seven days of the month.
		lo := r.lo
		if r.hi-r.lo < 6 && r.hi > 6 && lo+6 > 28 {
			lo = r.hi - 6
		}
		days := make([]string, 7)
		for i := range days {
			days[i] = fmt.Sprint(lo + i)
		}
		return rule + day + ";BYMONTHDAY=" + strings.Join(days, ",")
	}
}

func subComponent(o onset, rule string) *ical.Component {
	name := "STANDARD"
	if o.daylight {
		name = "DAYLIGHT"
	}
	c := ical.NewComponent(name)
	c.Set("DTSTART", ical.Time{Wall: o.wall}.String())
	c.Set("TZOFFSETFROM", offsetValue(int(o.before)))
	c.Set("TZOFFSETTO", offsetValue(int(o.offset)))
	if o.name != "" {
		c.SetText("TZNAME", o.name)
	}
	if rule != "" {
		c.Set("RRULE", rule)
	}
	return c
}

// offsetValue is a UTC-OFFSET (RFC 5545 3.3.14).
func offsetValue(seconds int) string { return strings.ReplaceAll(offsetText(seconds), ":", "") }
