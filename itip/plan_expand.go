package itip

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// Some calendar programs, Outlook first among them, take only series that
// their own dialogue could have made, and show the rest wrongly or not at all
// (REC-08). Who uses one gets such a series as single occurrences.

// maxExpanded bounds the occurrences sent one by one; later ones go out with
// the next change.
const maxExpanded = 60

// Simple reports whether Outlook's dialogue could have made the series: one
// rule, no additional dates, one time of day, one day a month or year by
// number or by "the nth weekday", and occurrences that do not overlap (REC-08).
func Simple(cal *ical.Calendar) bool {
	o := newObject(cal, nil)
	return o.master == nil || simple(o)
}

func simple(o *object) bool {
	c := o.master
	if c.Prop("RDATE") != nil || c.Prop("EXRULE") != nil || count(c, "RRULE") > 1 {
		return false
	}
	p := c.Prop("RRULE")
	if p == nil {
		return true
	}
	r, err := recur.ParseRule(p.Value())
	if err != nil || r.RScale != "" && r.RScale != "GREGORIAN" || len(r.Extra) > 0 {
		return false
	}
	if len(r.BySecond)+len(r.ByMinute)+len(r.ByHour) > 0 || len(r.ByYearDay)+len(r.ByWeekNo)+len(r.ByLeapMonth) > 0 {
		return false
	}
	oneDay := len(r.ByMonthDay) <= 1 && len(r.ByDay) == 0 && len(r.BySetPos) == 0 ||
		len(r.ByMonthDay) == 0 && nthWeekday(r)
	fits := false
	switch r.Freq {
	case recur.Daily:
		fits = len(r.ByDay)+len(r.ByMonthDay)+len(r.ByMonth)+len(r.BySetPos) == 0
	case recur.Weekly:
		fits = len(r.ByMonthDay)+len(r.ByMonth)+len(r.BySetPos) == 0
	case recur.Monthly:
		fits = oneDay && len(r.ByMonth) == 0
	case recur.Yearly:
		fits = oneDay && len(r.ByMonth) <= 1 && (len(r.ByDay) == 0 || len(r.ByMonth) == 1)
	}
	return fits && !overlaps(o)
}

// nthWeekday: "the second Tuesday", or "the last weekday" as a position in a
// list of days.
func nthWeekday(r *recur.Rule) bool {
	if len(r.ByDay) == 1 && len(r.BySetPos) <= 1 {
		return r.ByDay[0].Ordinal == 0 && len(r.BySetPos) == 1 || r.ByDay[0].Ordinal >= -1 && r.ByDay[0].Ordinal != 0 && r.ByDay[0].Ordinal <= 5
	}
	if len(r.ByDay) < 2 || len(r.BySetPos) != 1 {
		return false
	}
	for _, d := range r.ByDay {
		if d.Ordinal != 0 {
			return false
		}
	}
	return r.BySetPos[0] >= -1 && r.BySetPos[0] <= 4
}

// overlaps reports whether one of the first occurrences lasts into the next, or
// is on the same day.
func overlaps(o *object) bool {
	s := o.bare()
	if s == nil {
		return true
	}
	var before recur.Occurrence
	n := 0
	for occ := range s.All() {
		if n > 0 && (before.To.After(occ.From) || before.Start.Wall.Format("20060102") == occ.Start.Wall.Format("20060102")) {
			return true
		}
		before = occ
		if n++; n == 20 {
			break
		}
	}
	return false
}

// plainProgram tells programs that take simple series only by what their
// messages say of themselves (PRODID) (REC-08).
func plainProgram(cal *ical.Calendar) bool {
	id := strings.ToLower(cal.Value("PRODID"))
	return strings.Contains(id, "microsoft") && (strings.Contains(id, "outlook") || strings.Contains(id, "exchange"))
}

// expands reports whether a person gets the series of an object one by one, or,
// of the old one, has it so.
func (p *organizing) expands(one *party, o *object) bool {
	if o == p.old {
		return p.out.Memory.Expanded[one.who] && o.master != nil
	}
	if o.master == nil || !p.out.Memory.Plain[one.who] && (p.c.Plain == nil || !p.c.Plain(one.line.Address())) || p.c.Local != nil && p.c.Local(one.line.Address()) {
		return false
	}
	v, known := p.takes[o]
	if !known {
		v = !simple(o)
		if p.takes == nil {
			p.takes = map[*object]bool{}
		}
		p.takes[o] = v
	}
	return v
}

// upcoming are the occurrences from now on, with or without those that have an
// override and go out as that anyway.
func upcoming(o *object, now time.Time, overrides bool) []string {
	s := o.set()
	if s == nil {
		return nil
	}
	var out []string
	for occ := range s.Between(now, time.Time{}) {
		if len(out) == maxExpanded {
			break
		}
		if overrides || !occ.Override {
			out = append(out, o.key(occ.ID, o.zones))
		}
	}
	return out
}

// expand sends the series occurrence by occurrence, and takes back those that
// the person had and the series has no longer.
func (p *organizing) expand(one *party, to ical.Address) {
	next := upcoming(p.new, p.c.Now, false)
	if hadAll := slices.Contains(listed(p.lived, p.livedOn, one.who), ""); hadAll && p.expands(one, p.old) {
		p.takeBack(one, to, next)
	}
	n := sequence(p.new.master)
	for _, k := range next {
		cal := p.draft("expanded "+k+one.who, func() *ical.Calendar {
			c := p.new.derive(k)
			setSequence(c, n)
			p.letter.o = p.new
			out := p.letter.request(c, nil)
			if p.hidden {
				onlyGuest(out, one.who)
			}
			return p.letter.calendar(Request, out)
		})
		m := p.letter.message(Request, p.from, to, k, cal)
		m.First, m.Asks = one.fresh, p.asked[""]
		if !one.fresh && p.deltas[""] != nil {
			m.Changes = p.deltas[""].diffs
		}
		p.out.Send = append(p.out.Send, m)
	}
}

// takeBack cancels occurrences of the old series that are not in a list.
func (p *organizing) takeBack(one *party, to ical.Address, kept []string) {
	line := p.was[""].line(one.who)
	n := p.sequence
	if p.new.master != nil {
		n = max(sequence(p.new.master), n)
	}
	for _, k := range upcoming(p.old, p.c.Now, true) {
		if slices.Contains(kept, k) || slices.Contains(one.uninvited, k) || p.new.overrides[k] != nil {
			continue
		}
		p.letter.o = p.old
		was := p.old.overrides[k]
		if was == nil {
			was = p.old.derive(k)
		}
		if was == nil {
			continue
		}
		c := p.letter.cancel(was, n, !p.takesPlace(k), line)
		p.cancelled(to, []*ical.Component{c}, []Difference{{Property: "STATUS", Old: statusOf(nil, p.old.master, ""), New: stateCancelled, RecurrenceID: k}})
	}
}
