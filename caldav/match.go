package caldav

import (
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// maxOccurrences tried for one filter on one object. Between the bounds of a
// time range there are seldom more than a few; the rest is explosive rules.
const maxOccurrences = 10_000

// Match reports whether the object is one the filter means. Zones resolve the
// object's TZIDs; floating times and dates are those of z.Floating
// (RFC 4791 7.3). An error means a recurrence that is too costly to follow to
// its end: nothing matched as far as it was followed.
func (f *Filter) Match(cal *ical.Calendar, z recur.Zones) (bool, error) {
	m := newMatcher(cal, z)
	ok := !f.Root.IsNotDefined && m.properties(&f.Root, &cal.Component) && m.components(&f.Root, &cal.Component)
	return ok, m.err
}

// matcher tests one object.
type matcher struct {
	clock
	cal *ical.Calendar
	set *recur.Set // of the object, when it recurs; made on first use
	err error
}

func newMatcher(cal *ical.Calendar, z recur.Zones) *matcher {
	return &matcher{cal: cal, clock: clock{z}}
}

// properties tests the prop-filters of f on c.
func (m *matcher) properties(f *CompFilter, c *ical.Component) bool {
	for i := range f.Props {
		if !m.property(&f.Props[i], c) {
			return false
		}
	}
	return true
}

// components tests the comp-filters of f within c.
func (m *matcher) components(f *CompFilter, c *ical.Component) bool {
	for i := range f.Comps {
		if !m.within(&f.Comps[i], c) {
			return false
		}
	}
	return true
}

// within reports whether some component in parent matches f.
func (m *matcher) within(f *CompFilter, parent *ical.Component) bool {
	if f.IsNotDefined {
		for range parent.Children(f.Name) {
			return false
		}
		return true
	}
	if parent == &m.cal.Component && f.timed() && m.recurs(f.Name) {
		return m.recurring(f)
	}
	for c := range parent.Children(f.Name) {
		if m.properties(f, c) && m.at(f, c, m.span(c)) {
			return true
		}
	}
	return false
}

// timed reports whether it matters when a component of the filter takes place.
func (f *CompFilter) timed() bool {
	if f.Range != nil {
		return true
	}
	for i := range f.Comps {
		if f.Comps[i].Name == "VALARM" && f.Comps[i].Range != nil && !f.Comps[i].IsNotDefined {
			return true
		}
	}
	return false
}

// at tests everything of f but its properties on c as it takes place at s.
func (m *matcher) at(f *CompFilter, c *ical.Component, s span) bool {
	if f.Range != nil && !m.overlaps(c, s, *f.Range) {
		return false
	}
	for i := range f.Comps {
		g := &f.Comps[i]
		if g.Name != "VALARM" || g.Range == nil || g.IsNotDefined {
			if !m.within(g, c) {
				return false
			}
			continue
		}
		found := false
		for a := range c.Children("VALARM") {
			if m.properties(g, a) && m.components(g, a) && m.rings(a, s, *g.Range) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// recurs reports whether the components of the name are a recurrence set
// rather than one component that takes place once.
func (m *matcher) recurs(name string) bool {
	if name != "VEVENT" && name != "VTODO" && name != "VJOURNAL" {
		return false
	}
	for c := range m.cal.Component.Children(name) {
		if recurs(c) {
			return true
		}
	}
	return false
}

func recurs(c *ical.Component) bool {
	for _, p := range c.Properties {
		switch p.Name() {
		case "RRULE", "RDATE", "RECURRENCE-ID":
			return true
		}
	}
	return false
}

func (m *matcher) recurrence() *recur.Set {
	if m.set == nil && m.err == nil {
		m.set, m.err = recur.New(m.cal, m.z, recur.Options{MaxIterations: 100 * maxOccurrences})
	}
	return m.set
}

// recurring tests f on every occurrence that could match: RFC 4791 9.9 asks
// that each be considered, with its overrides.
func (m *matcher) recurring(f *CompFilter) bool {
	// The properties are those of the master or an override: each is asked once.
	passes := map[*ical.Component]bool{}
	any := false
	for c := range m.cal.Component.Children(f.Name) {
		passes[c] = m.properties(f, c)
		any = any || passes[c]
	}
	if !any {
		return false
	}
	set := m.recurrence()
	if set == nil {
		return false
	}
	r := m.window(f)
	n := 0
	for o := range set.Between(r.Start, r.End) {
		if n++; n > maxOccurrences {
			break
		}
		if passes[o.Component] && m.at(f, o.Component, span{From: o.From, To: o.To, start: true, end: o.To.After(o.From)}) {
			return true
		}
	}
	if err := set.Err(); err != nil {
		m.err = err
	}
	return false
}

// window bounds the occurrences that recurring has to look at. It is wider by
// a second than the time range: the tables of RFC 4791 9.9 count some ends in
// and some not, and they are applied to each occurrence afterwards.
func (m *matcher) window(f *CompFilter) TimeRange {
	widen := func(r TimeRange, before, after time.Duration) TimeRange {
		if !r.Start.IsZero() {
			r.Start = r.Start.Add(-before - time.Second)
		}
		if !r.End.IsZero() {
			r.End = r.End.Add(after + time.Second)
		}
		return r
	}
	if f.Range != nil {
		return widen(*f.Range, 0, 0)
	}
	for i := range f.Comps {
		g := &f.Comps[i]
		if g.Name != "VALARM" || g.Range == nil || g.IsNotDefined {
			continue
		}
		// How long before and after its occurrence does any alarm ring?
		var before, after time.Duration
		for c := range m.cal.Component.Children(f.Name) {
			for a := range c.Children("VALARM") {
				t := m.trigger(a)
				if !t.absolute.IsZero() {
					return TimeRange{} // it rings whatever the occurrence
				}
				before = max(before, -t.offset)
				after = max(after, t.offset+t.last())
			}
		}
		return widen(*g.Range, after, before)
	}
	return TimeRange{}
}

// property reports whether some property of c matches f.
func (m *matcher) property(f *PropFilter, c *ical.Component) bool {
	found := false
	for p := range c.Props(f.Name) {
		if f.IsNotDefined {
			return false
		}
		found = true
		if m.value(f, c, p) && parameters(f, p) {
			return true
		}
	}
	if f.IsNotDefined {
		return true
	}
	if !found && f.Range != nil && len(f.Params) == 0 && (f.Name == "DTEND" || f.Name == "DUE") {
		// RFC 4791 9.9: the effective DTEND and DUE count.
		if s := m.span(c); s.start && s.end && c.Prop("DURATION") != nil {
			return f.Range.contains(s.To)
		}
	}
	return false
}

func (m *matcher) value(f *PropFilter, c *ical.Component, p *ical.Property) bool {
	if f.Range != nil {
		t, err := p.Time()
		return err == nil && f.Range.contains(m.instant(t))
	}
	return f.Text == nil || f.Text.Match(p.Text())
}

func parameters(f *PropFilter, p *ical.Property) bool {
	for i := range f.Params {
		q := &f.Params[i]
		has := p.HasParam(q.Name)
		switch {
		case q.IsNotDefined:
			if has {
				return false
			}
		case !has:
			return false
		case q.Text != nil:
			positive := TextMatch{Text: q.Text.Text, Collation: q.Text.Collation, folded: q.Text.folded}
			hit := false
			for _, v := range p.ParamValues(q.Name) {
				hit = hit || positive.Match(v)
			}
			if hit == q.Text.Negate {
				return false
			}
		}
	}
	return true
}

// contains is the rule for moments (RFC 4791 9.9): start <= t and end > t.
func (r TimeRange) contains(t time.Time) bool {
	return (r.Start.IsZero() || !t.Before(r.Start)) && (r.End.IsZero() || r.End.After(t))
}
