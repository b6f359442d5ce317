package caldav

import (
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// clock turns what an object says into instants.
type clock struct{ z recur.Zones }

func (k clock) instant(t ical.Time) time.Time {
	switch t.Kind {
	case ical.UTC:
		return t.Wall
	case ical.Zoned:
		if z, err := k.z.Zone(t.TZID); err == nil && z != nil {
			return z.Instant(t.Wall)
		}
	}
	return k.z.Floating().Instant(t.Wall)
}

// after is t and then d: days on the calendar, hours on the clock (RFC 5545 3.3.6).
func (k clock) after(t ical.Time, d ical.Duration) time.Time {
	t.Wall = t.Wall.AddDate(0, 0, d.Days)
	return k.instant(t).Add(d.Exact)
}

// span is when a component takes place once: From is its DTSTART, To its
// effective end. start and end say which of the two there is.
type span struct {
	From, To   time.Time
	start, end bool
}

// span reads DTSTART and DTEND, DUE or DURATION of a component.
func (k clock) span(c *ical.Component) span {
	var s span
	var from ical.Time
	if p := c.Prop("DTSTART"); p != nil {
		if t, err := p.Time(); err == nil {
			from, s.From, s.start = t, k.instant(t), true
		}
	}
	for _, name := range [2]string{"DTEND", "DUE"} {
		if p := c.Prop(name); p != nil {
			if t, err := p.Time(); err == nil {
				s.To, s.end = k.instant(t), true
				return s
			}
		}
	}
	if !s.start {
		return s
	}
	s.To = s.From
	if p := c.Prop("DURATION"); p != nil {
		if d, err := p.Duration(); err == nil {
			s.To, s.end = k.after(from, d), true
			return s
		}
	}
	if from.IsDate() && c.Name != "VTODO" { // RFC 5545 3.6.1: a date alone lasts its day
		s.To, s.end = k.after(from, ical.Duration{Days: 1}), true
	}
	return s
}

// overlaps applies the tables of RFC 4791 9.9 to a component that takes place at s.
func (k clock) overlaps(c *ical.Component, s span, r TimeRange) bool {
	switch c.Name {
	case "VEVENT":
		if !s.start { // RFC 6638 2.3: scheduling messages need not have one, and match always
			return true
		}
		return during(s, r)
	case "VJOURNAL":
		return s.start && during(s, r)
	case "VTODO":
		return k.todo(c, s, r)
	case "VFREEBUSY":
		return k.freeBusy(c, s, r)
	case "VAVAILABILITY": // RFC 7953 7.2.2: an end that is missing is open
		return (!s.end || beforeEnd(r.Start, s.To)) && (!s.start || r.End.IsZero() || r.End.After(s.From))
	case "VALARM":
		return k.rings(c, s, r)
	}
	return false
}

// beforeEnd is start < t.
func beforeEnd(start, t time.Time) bool { return start.IsZero() || start.Before(t) }

// untilEnd is start <= t.
func untilEnd(start, t time.Time) bool { return start.IsZero() || !start.After(t) }

// afterStart is end > t.
func afterStart(end, t time.Time) bool { return end.IsZero() || end.After(t) }

// fromStart is end >= t.
func fromStart(end, t time.Time) bool { return end.IsZero() || !end.Before(t) }

// during is the table for VEVENT: something without length counts where it starts.
func during(s span, r TimeRange) bool {
	if s.To.After(s.From) {
		return beforeEnd(r.Start, s.To) && afterStart(r.End, s.From)
	}
	return r.contains(s.From)
}

func (k clock) todo(c *ical.Component, s span, r TimeRange) bool {
	has := func(name string) bool { return c.Prop(name) != nil }
	start, end := r.Start, r.End
	switch {
	case s.start && has("DURATION") && !has("DUE"):
		return untilEnd(start, s.To) && (afterStart(end, s.From) || fromStart(end, s.To))
	case s.start && has("DUE"):
		return (beforeEnd(start, s.To) || untilEnd(start, s.From)) && (afterStart(end, s.From) || fromStart(end, s.To))
	case s.start:
		return r.contains(s.From)
	case s.end:
		return beforeEnd(start, s.To) && fromStart(end, s.To)
	}
	completed, isCompleted := k.moment(c, "COMPLETED")
	created, isCreated := k.moment(c, "CREATED")
	switch {
	case isCompleted && isCreated:
		return (untilEnd(start, created) || untilEnd(start, completed)) && (fromStart(end, created) || fromStart(end, completed))
	case isCompleted:
		return untilEnd(start, completed) && fromStart(end, completed)
	case isCreated:
		return afterStart(end, created)
	}
	return true
}

func (k clock) moment(c *ical.Component, name string) (time.Time, bool) {
	p := c.Prop(name)
	if p == nil {
		return time.Time{}, false
	}
	t, err := p.Time()
	return k.instant(t), err == nil
}

func (k clock) freeBusy(c *ical.Component, s span, r TimeRange) bool {
	// RFC 4791 9.9: a DURATION has another meaning here and does not count.
	if s.start && c.Prop("DTEND") != nil && s.end {
		return untilEnd(r.Start, s.To) && afterStart(r.End, s.From)
	}
	for p := range c.Props("FREEBUSY") {
		periods, err := p.Periods()
		if err != nil {
			continue
		}
		for _, q := range periods {
			if from, to := k.period(q); beforeEnd(r.Start, to) && afterStart(r.End, from) {
				return true
			}
		}
	}
	return false
}

func (k clock) period(p ical.Period) (from, to time.Time) {
	if p.HasDuration {
		return k.instant(p.Start), k.after(p.Start, p.Duration)
	}
	return k.instant(p.Start), k.instant(p.End)
}

// trigger is when an alarm rings: at an instant, or at an offset from the start
// or end of what it belongs to; and again `repeat` times every `pause`.
type trigger struct {
	absolute time.Time
	offset   time.Duration
	fromEnd  bool
	repeat   int
	pause    time.Duration
	none     bool
}

// last is how long after the first ring the last one is.
func (t trigger) last() time.Duration { return time.Duration(t.repeat) * t.pause }

// maxRepeat bounds REPEAT: more would not fit into a time.Duration of any use.
const maxRepeat = 100_000

func (k clock) trigger(a *ical.Component) (t trigger) {
	p := a.Prop("TRIGGER")
	if p == nil {
		return trigger{none: true}
	}
	if d, err := p.Duration(); err == nil {
		t.offset = time.Duration(d.Days)*24*time.Hour + d.Exact
		t.fromEnd = p.Param("RELATED") == "END"
	} else if at, err := p.Time(); err == nil {
		t.absolute = k.instant(at)
	} else {
		return trigger{none: true}
	}
	if rp, dp := a.Prop("REPEAT"), a.Prop("DURATION"); rp != nil && dp != nil {
		n, err := rp.Int()
		d, err2 := dp.Duration()
		if pause := time.Duration(d.Days)*24*time.Hour + d.Exact; err == nil && err2 == nil && n > 0 && pause > 0 {
			t.repeat, t.pause = min(n, maxRepeat), pause
			if t.last()/t.pause != time.Duration(t.repeat) { // overflow
				t.repeat = 1
			}
		}
	}
	return t
}

// rings reports whether the alarm rings in the range for an occurrence at s.
func (k clock) rings(a *ical.Component, s span, r TimeRange) bool {
	t := k.trigger(a)
	if t.none {
		return false
	}
	first := t.absolute
	if first.IsZero() {
		base := s.From
		if t.fromEnd || !s.start {
			base = s.To
		}
		if base.IsZero() {
			return false
		}
		first = base.Add(t.offset)
	}
	if t.repeat == 0 || r.Start.IsZero() || !first.Before(r.Start) {
		return r.contains(first)
	}
	// The first repetition at or after the start of the range, by arithmetic.
	n := (r.Start.Sub(first) + t.pause - 1) / t.pause
	return n <= time.Duration(t.repeat) && r.contains(first.Add(n*t.pause))
}
