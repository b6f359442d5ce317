package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// alter makes a random change and says what it is; "" when it cannot be made.
func (w *World) alter(cal *ical.Calendar, e *event, r *rand.Rand) string {
	if cal.Master() == nil {
		return ""
	}
	for range 4 { // not everything can be done to everything
		try := cal.Clone()
		if what := alterations[r.IntN(len(alterations))](w, try, try.Master(), e, r); what != "" {
			*cal = *try
			return what
		}
	}
	return ""
}

var alterations = []func(w *World, cal *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string{
	alterTitle, alterPlace, alterText, alterTime, alterDay, alterRoster, alterRoster, alterRoster, alterOccurrence, alterOccurrence, alterOccurrence, alterOccurrence,
	alterExclude, alterExclude, alterRestore, alterRevert, alterStatus, alterRule,
}

func alterTitle(_ *World, _ *ical.Calendar, m *ical.Component, _ *event, r *rand.Rand) string {
	m.SetText("SUMMARY", fmt.Sprint("Title ", r.IntN(100)))
	return "renames"
}

func alterPlace(_ *World, _ *ical.Calendar, m *ical.Component, _ *event, r *rand.Rand) string {
	m.SetText("LOCATION", fmt.Sprint("Room ", r.IntN(100)))
	return "places"
}

func alterText(_ *World, _ *ical.Calendar, m *ical.Component, _ *event, r *rand.Rand) string {
	m.SetText("DESCRIPTION", fmt.Sprint("Text ", r.IntN(100)))
	return "describes"
}

// alterTime moves the whole, or gives it another zone; what hung on the old
// times goes, as clients do, or stays, as others do.
func alterTime(_ *World, cal *ical.Calendar, m *ical.Component, _ *event, r *rand.Rand) string {
	t, err := m.Prop("DTSTART").Time()
	if err != nil || r.IntN(2) == 0 {
		return ""
	}
	if r.IntN(3) > 0 {
		bare(cal, m)
	}
	start := time.Date(t.Wall.Year(), t.Wall.Month(), t.Wall.Day(), hours[r.IntN(len(hours))], 30*r.IntN(2), 0, 0, time.UTC)
	zone := zones[r.IntN(len(zones))]
	if t.IsDate() {
		bare(cal, m)
		boundless(m, r)
	}
	setTimes(m, start, start.Add(time.Duration(1+r.IntN(2))*time.Hour), zone)
	return "moves"
}

// alterDay makes whole days of times and back.
func alterDay(_ *World, cal *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string {
	t, err := m.Prop("DTSTART").Time()
	if err != nil || e.todo || r.IntN(3) > 0 {
		return ""
	}
	bare(cal, m)
	boundless(m, r)
	if t.IsDate() {
		start := t.Wall.Add(10 * time.Hour)
		setTimes(m, start, start.Add(time.Hour), zones[r.IntN(len(zones))])
		return "gives a time to"
	}
	start := t.Wall.Truncate(24 * time.Hour)
	setTimes(m, start, start.AddDate(0, 0, 1), "")
	return "makes all-day"
}

// boundless gives another rule to a series whose UNTIL would no longer be of the
// type of DTSTART (RFC 5545 3.3.10).
func boundless(m *ical.Component, r *rand.Rand) {
	if strings.Contains(m.Value("RRULE"), "UNTIL") {
		m.Set("RRULE", rules[r.IntN(len(rules))])
	}
}

// bare takes away what names single occurrences.
func bare(cal *ical.Calendar, m *ical.Component) {
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c.Prop("RECURRENCE-ID") != nil })
	m.Remove("EXDATE", "RDATE")
}

// alterRoster lists somebody or takes them off, everywhere.
func alterRoster(w *World, cal *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string {
	p := w.people[append(slices.Clone(guests), "hall")[r.IntN(len(guests)+1)]]
	if p == e.by || p.room && e.todo {
		return ""
	}
	listed := lineOf(m, p) != nil
	line := invite(p, r)
	for _, c := range cal.Main() {
		c.RemoveFunc(func(q *ical.Property) bool { return q.Name() == "ATTENDEE" && p.is(q.Address()) })
		if !listed {
			c.Add(line.Clone())
		}
	}
	if listed {
		return "takes " + p.name + " off"
	}
	return "invites " + p.name + " to"
}

// alterOccurrence changes one occurrence.
func alterOccurrence(w *World, cal *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string {
	id, ok := anyOccurrence(cal, r)
	if !ok {
		return ""
	}
	z := tz.NewResolver(cal, nil)
	o, err := recur.Instance(cal, id, z)
	if err != nil {
		return ""
	}
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool {
		return c.Prop("RECURRENCE-ID") != nil && c.Value("RECURRENCE-ID") == o.Value("RECURRENCE-ID")
	})
	cal.Components = append(cal.Components, o)
	what := "changes occurrence " + id.String() + " of"
	p := w.people[guests[r.IntN(len(guests))]]
	switch n := r.IntN(5); {
	case n == 0:
		t, err := o.Prop("DTSTART").Time()
		if err != nil {
			return ""
		}
		if t.IsDate() {
			setTimes(o, t.Wall, t.Wall.AddDate(0, 0, 2), "")
		} else {
			start := time.Date(t.Wall.Year(), t.Wall.Month(), t.Wall.Day(), 12+r.IntN(6), 0, 0, 0, time.UTC)
			zone := t.TZID
			if t.Kind == ical.UTC {
				zone = "UTC"
			}
			setTimes(o, start, start.Add(time.Hour), zone)
		}
		return "moves occurrence " + id.String() + " of"
	case n == 1:
		o.SetText("SUMMARY", fmt.Sprint("Special ", r.IntN(100)))
	case n == 2:
		o.RemoveFunc(func(q *ical.Property) bool { return q.Name() == "ATTENDEE" && p.is(q.Address()) })
		what += " without " + p.name
	case n == 3 && lineOf(o, p) == nil && p != e.by:
		o.Add(invite(p, r))
		what += " with " + p.name
	case n == 4 && r.IntN(3) == 0:
		o.Set("STATUS", "CANCELLED")
		what = "cancels occurrence " + id.String() + " of"
	default:
		return ""
	}
	return what
}

// alterExclude takes an occurrence out.
func alterExclude(_ *World, cal *ical.Calendar, m *ical.Component, _ *event, r *rand.Rand) string {
	id, ok := anyOccurrence(cal, r)
	if !ok {
		return ""
	}
	z := tz.NewResolver(cal, nil)
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool {
		q := c.Prop("RECURRENCE-ID")
		if q == nil {
			return false
		}
		t, err := q.Time()
		return err == nil && z.Instant(t).Equal(z.Instant(id))
	})
	p := ical.NewProperty("EXDATE", "")
	p.SetTime(id)
	m.Add(p)
	return "takes out " + id.String() + " of"
}

// alterRestore puts an occurrence back that was taken out.
func alterRestore(_ *World, _ *ical.Calendar, m *ical.Component, _ *event, _ *rand.Rand) string {
	first := m.Prop("EXDATE")
	if first == nil {
		return ""
	}
	m.RemoveFunc(func(p *ical.Property) bool { return p == first })
	return "puts back " + first.Value() + " of"
}

// alterRevert takes back what was special about an occurrence.
func alterRevert(_ *World, cal *ical.Calendar, _ *ical.Component, _ *event, _ *rand.Rand) string {
	o := cal.Overrides()
	if len(o) == 0 {
		return ""
	}
	cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c == o[0] })
	return "makes ordinary again " + o[0].Value("RECURRENCE-ID") + " of"
}

// alterStatus cancels the whole by its status, or revives it.
func alterStatus(_ *World, _ *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string {
	switch {
	case m.Value("STATUS") == "CANCELLED":
		m.Remove("STATUS")
		return "revives"
	case r.IntN(3) == 0:
		m.Set("STATUS", "CANCELLED")
		return "marks as cancelled"
	}
	return ""
}

// alterRule changes how often it repeats.
func alterRule(_ *World, cal *ical.Calendar, m *ical.Component, e *event, r *rand.Rand) string {
	if e.todo || r.IntN(3) > 0 {
		return ""
	}
	if m.Prop("RRULE") == nil || r.IntN(2) == 0 {
		bare(cal, m)
		m.Set("RRULE", rules[r.IntN(len(rules))])
		return "gives another rule to"
	}
	bare(cal, m)
	m.Remove("RRULE")
	return "makes a single one of"
}
