package web

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
)

// times are the start and end an edit asks for.
type times struct{ start, end ical.Time }

// readTimes reads and checks the times of an edit. A zone is one we know, or
// the one the object has already.
func readTimes(f fields, has string) (times, error) {
	var t times
	read := func(text, what string) (ical.Time, error) {
		if f.AllDay {
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return ical.Time{}, problem.New(problem.BadInput, "The %s %q is not a date.", what, text)
			}
			return ical.Time{Wall: day, Kind: ical.Date}, nil
		}
		wall, err := time.Parse(wallFormat, text)
		if err != nil {
			return ical.Time{}, problem.New(problem.BadInput, "The %s %q is not a date with a time.", what, text)
		}
		switch f.Zone {
		case "":
			return ical.Time{Wall: wall, Kind: ical.Floating}, nil
		case "UTC":
			return ical.Time{Wall: wall, Kind: ical.UTC}, nil
		}
		id := f.Zone
		if id != has {
			z, err := tz.Load(f.Zone)
			if err != nil {
				return ical.Time{}, problem.New(problem.BadInput, "The time zone %q is not known. Use a name like Europe/Stockholm.", f.Zone).Because(err)
			}
			id = z.Name()
		}
		return ical.Time{Wall: wall, Kind: ical.Zoned, TZID: id}, nil
	}
	var err error
	if t.start, err = read(f.Start, "start"); err != nil {
		return t, err
	}
	if t.end, err = read(f.End, "end"); err != nil {
		return t, err
	}
	if t.end.Wall.Before(t.start.Wall) || f.AllDay && !t.end.Wall.After(t.start.Wall) {
		return t, problem.New(problem.BadInput, "The end is before the start.")
	}
	return t, nil
}

// retime sets start and end where the edit moved them.
func (e *event) retime(c *ical.Component, was, f fields, t times) {
	startMoved := was.Start != f.Start || was.Zone != f.Zone || was.AllDay != f.AllDay
	if startMoved {
		setTime(c, "DTSTART", t.start)
	}
	if startMoved || was.End != f.End {
		c.Remove("DURATION")
		setTime(c, "DTEND", t.end)
	}
}

// setTime changes a time and keeps the property's other parameters.
func setTime(c *ical.Component, name string, t ical.Time) {
	p := c.Prop(name)
	if p == nil {
		p = c.Set(name, "")
	}
	p.SetTime(t)
}

// shift moves what hangs on the times of a series with its start: exceptions,
// further dates, and the names of overrides. An override that still took
// place at its own time moves along; one that had been moved stays there.
func (e *event) shift(from, to ical.Time) {
	delta := to.Wall.Sub(from.Wall)
	if from.IsDate() != to.IsDate() {
		delta = dayOf(to.Wall).Sub(dayOf(from.Wall))
	}
	move := func(t ical.Time) ical.Time {
		t = e.wallIn(t, from)
		out := ical.Time{Kind: to.Kind, TZID: to.TZID}
		switch {
		case to.IsDate():
			out.Wall = dayOf(t.Wall).Add(delta)
		case t.IsDate():
			out.Wall = t.Wall.Add(delta).Add(to.Wall.Sub(dayOf(to.Wall)))
		default:
			out.Wall = t.Wall.Add(delta)
		}
		return out
	}
	for _, o := range e.cal.Overrides() {
		p := o.Prop("RECURRENCE-ID")
		id, err := p.Time()
		if err != nil {
			continue
		}
		start, end, err := e.bounds(o)
		if err == nil && e.same(start, id) {
			setTime(o, "DTSTART", move(start))
			if o.Prop("DTEND") != nil || start.IsDate() != to.IsDate() {
				o.Remove("DURATION")
				setTime(o, "DTEND", e.lengthen(move(start), start, end))
			}
		}
		p.SetTime(move(id))
	}
	m := e.cal.Master()
	for _, name := range []string{"EXDATE", "RDATE"} {
		var moved []*ical.Property
		for p := range m.Props(name) {
			list, err := p.Times()
			if err != nil { // RDATE with periods, or what nobody can read: left as it is
				moved = append(moved, p)
				continue
			}
			for _, t := range list {
				q := ical.NewProperty(name, "")
				q.SetTime(move(t))
				moved = append(moved, q)
			}
		}
		m.Remove(name)
		m.Add(moved...)
	}
}

// lengthen gives a moved override the length it had.
func (e *event) lengthen(start, oldStart, oldEnd ical.Time) ical.Time {
	end := start
	length := e.wallIn(oldEnd, oldStart).Wall.Sub(oldStart.Wall)
	if start.IsDate() {
		length = max(dayOf(oldStart.Wall.Add(length-time.Nanosecond)).Sub(dayOf(oldStart.Wall))+24*time.Hour, 24*time.Hour)
	}
	end.Wall = end.Wall.Add(length)
	return end
}

func dayOf(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

// same reports whether two times mean the same moment or date.
func (e *event) same(a, b ical.Time) bool {
	if a.IsDate() || b.IsDate() {
		return a.IsDate() == b.IsDate() && a.Wall.Equal(b.Wall)
	}
	return e.resolver.Instant(a).Equal(e.resolver.Instant(b))
}

// setRule sets the recurrence rule. The form gives a date for UNTIL; RFC 5545
// 3.3.10 wants it in the form of DTSTART, as UTC where that has a zone.
func (e *event) setRule(c *ical.Component, text string, start ical.Time) error {
	r, err := recur.ParseRule(text)
	if err != nil {
		return problem.New(problem.BadInput, "The rule by which the event repeats cannot be read: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
	}
	parts := strings.Split(text, ";")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(name, "UNTIL") {
			continue
		}
		until, err := untilFor(value, start)
		if err != nil {
			return err
		}
		parts[i] = "UNTIL=" + until
	}
	if r.HasUntil && r.Until.Wall.Before(dayOf(start.Wall)) {
		return problem.New(problem.BadInput, "The event stops repeating before it begins.")
	}
	c.Set("RRULE", strings.Join(parts, ";"))
	return nil
}

// untilFor brings the end of a rule into the form of the start it belongs to.
// A date takes in the whole of that day.
func untilFor(value string, start ical.Time) (string, error) {
	t, err := ical.ParseTime(value, "", len(value) == len("20060102"))
	if err != nil {
		return "", problem.New(problem.BadInput, "The last day of the series, %q, is not a date.", value).Because(err)
	}
	switch {
	case start.IsDate():
		return ical.Time{Wall: dayOf(t.Wall), Kind: ical.Date}.String(), nil
	case !t.IsDate():
		return t.String(), nil
	}
	end := t.Wall.Add(24*time.Hour - time.Second)
	switch start.Kind {
	case ical.Zoned:
		z, err := tz.Load(start.TZID)
		if err != nil { // a zone of the object's own: a day late at most is never too early
			z = tz.UTC
			end = end.Add(14 * time.Hour)
		}
		return ical.UTCTime(z.Instant(end)).String(), nil
	case ical.UTC:
		return ical.Time{Wall: end, Kind: ical.UTC}.String(), nil
	}
	return ical.Time{Wall: end, Kind: ical.Floating}.String(), nil
}

// dropStrays removes overrides of occurrences that a new rule no longer has;
// left in, they would be further occurrences that nobody asked for.
func (e *event) dropStrays() error {
	bare := e.cal.Clone()
	bare.Components = nil
	for _, c := range e.cal.Components {
		if c.Prop("RECURRENCE-ID") == nil {
			bare.Components = append(bare.Components, c)
		}
	}
	set, err := recur.New(bare, tz.NewResolver(bare, e.view), recur.Options{MaxIterations: maxOccurrences})
	if err != nil {
		return problem.New(problem.BadInput, "The series cannot be read with this rule: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
	}
	kept := e.cal.Components[:0:0]
	for _, c := range e.cal.Components {
		if p := c.Prop("RECURRENCE-ID"); p != nil {
			if id, err := p.Time(); err == nil && !set.Contains(id) {
				continue
			}
		}
		kept = append(kept, c)
	}
	e.cal.Components = kept
	return nil
}
