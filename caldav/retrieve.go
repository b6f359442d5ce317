package caldav

import (
	"errors"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// ErrTooManyInstances says that an expansion has more instances than allowed
// (RFC 4791 7.8: DAV:number-of-matches-within-limits).
var ErrTooManyInstances = errors.New("caldav: the expansion has more instances than one answer may hold")

// Select makes of an object what the request asks for, at most limit instances
// when it is expanded (0 = no limit). The object itself is left as it is.
func (d *DataRequest) Select(cal *ical.Calendar, z recur.Zones, limit int) (*ical.Calendar, error) {
	if d.Whole() {
		return cal, nil
	}
	out := cal.Clone()
	m := newMatcher(out, z)
	switch {
	case d.Expand != nil:
		if err := m.expand(*d.Expand, limit); err != nil {
			return nil, err
		}
	case d.LimitRecurrence != nil:
		m.limitRecurrence(*d.LimitRecurrence)
	}
	if d.LimitFreeBusy != nil {
		m.limitFreeBusy(*d.LimitFreeBusy)
	}
	if d.Comp != nil {
		pick(d.Comp, &out.Component)
	}
	return out, nil
}

// pick leaves in c what r names (RFC 4791 9.6.1). A comp that names nothing
// wants all of the component, as the example in RFC 4791 7.8.1 has it for
// VTIMEZONE: an empty component would be of no use, nor valid.
func pick(r *CompRequest, c *ical.Component) {
	if !r.AllProps && !r.AllComps && len(r.Props) == 0 && len(r.Comps) == 0 {
		return
	}
	if !r.AllProps {
		kept := c.Properties[:0]
		for _, p := range c.Properties {
			for _, w := range r.Props {
				if w.Name == p.Name() {
					if w.NoValue {
						p.SetValue("")
					}
					kept = append(kept, p)
					break
				}
			}
		}
		c.Properties = kept
	}
	if r.AllComps {
		return
	}
	kept := c.Components[:0]
	for _, sub := range c.Components {
		for i := range r.Comps {
			if r.Comps[i].Name == sub.Name {
				pick(&r.Comps[i], sub)
				kept = append(kept, sub)
				break
			}
		}
	}
	c.Components = kept
}

// expand puts one component for each instance in the place of the recurring
// ones and says every time in UTC (RFC 4791 9.6.5).
func (m *matcher) expand(r TimeRange, limit int) error {
	var out []*ical.Component
	expanded := map[string]bool{}
	for _, c := range m.cal.Component.Components {
		switch {
		case c.Name == "VTIMEZONE" || expanded[c.Name]:
		case m.recurs(c.Name):
			expanded[c.Name] = true
			set := m.recurrence()
			if set == nil {
				return m.err
			}
			for o := range set.Between(r.Start.Add(-time.Second), r.End.Add(time.Second)) {
				if !m.overlaps(o.Component, span{From: o.From, To: o.To, start: true, end: o.To.After(o.From)}, r) {
					continue
				}
				if limit > 0 && len(out) >= limit {
					return ErrTooManyInstances
				}
				out = append(out, m.instance(o))
			}
			if err := set.Err(); err != nil {
				return errors.Join(ErrTooManyInstances, err)
			}
		case !timed[c.Name] || m.overlaps(c, m.span(c), r):
			m.inUTC(c)
			out = append(out, c)
		}
	}
	m.cal.Component.Components = out
	return nil
}

// instance is the component of one occurrence, standing alone.
func (m *matcher) instance(o recur.Occurrence) *ical.Component {
	c := o.Component.Clone()
	c.Remove("RRULE", "RDATE", "EXDATE", "EXRULE")
	utc := func(t ical.Time, at time.Time) ical.Time {
		if t.Kind == ical.Zoned || t.Kind == ical.UTC {
			return ical.UTCTime(at)
		}
		return t // dates and floating times name no zone
	}
	set := func(name string, t ical.Time) {
		p := c.Prop(name)
		if p == nil {
			p = ical.NewProperty(name, "")
			c.Add(p)
		}
		p.RemoveParam("RANGE", "TZID")
		p.SetTime(t)
	}
	set("RECURRENCE-ID", utc(o.ID, m.instant(o.ID)))
	set("DTSTART", utc(o.Start, o.From))
	for _, name := range [2]string{"DTEND", "DUE"} {
		if c.Prop(name) != nil {
			set(name, utc(o.End, o.To))
		}
	}
	if p := c.Prop("DURATION"); p != nil && o.Start.Kind == ical.Zoned {
		// A day of the zone's clock need not have 24 hours in UTC.
		if d, err := p.Duration(); err == nil && d.Days != 0 {
			p.SetValue(ical.Duration{Exact: o.To.Sub(o.From)}.String())
		}
	}
	m.inUTC(c)
	return c
}

// inUTC rewrites every time that refers to a VTIMEZONE.
func (m *matcher) inUTC(c *ical.Component) {
	for _, p := range c.Properties {
		if !p.HasParam("TZID") {
			continue
		}
		t, err := p.Time()
		p.RemoveParam("TZID")
		if err == nil && t.Kind == ical.Zoned {
			p.SetTime(ical.UTCTime(m.instant(t)))
		}
	}
	for _, sub := range c.Components {
		m.inUTC(sub)
	}
}

// limitRecurrence drops the overrides that neither take place in the range nor
// would have without being overridden (RFC 4791 9.6.6).
func (m *matcher) limitRecurrence(r TimeRange) {
	length := time.Duration(0)
	if master := m.cal.Master(); master != nil {
		if s := m.span(master); s.start && s.end {
			length = s.To.Sub(s.From)
		}
	}
	kept := m.cal.Component.Components[:0]
	for _, c := range m.cal.Component.Components {
		if p := c.Prop("RECURRENCE-ID"); p != nil && c.Name != "VTIMEZONE" {
			t, err := p.Time()
			from := m.instant(t)
			original := span{From: from, To: from.Add(length), start: true, end: length > 0}
			future := p.HasParam("RANGE") && from.Before(r.End)
			if err == nil && !future && !during(original, r) && !m.overlaps(c, m.span(c), r) {
				continue
			}
		}
		kept = append(kept, c)
	}
	m.cal.Component.Components = kept
}

// limitFreeBusy drops the FREEBUSY values outside of the range (RFC 4791 9.6.7).
func (m *matcher) limitFreeBusy(r TimeRange) {
	for c := range m.cal.Component.Children("VFREEBUSY") {
		c.RemoveFunc(func(p *ical.Property) bool {
			if p.Name() != "FREEBUSY" {
				return false
			}
			periods, err := p.Periods()
			if err != nil {
				return false
			}
			value := ""
			kept := 0
			for i, text := range strings.Split(p.Value(), ",") {
				if i >= len(periods) {
					break
				}
				if from, to := m.period(periods[i]); beforeEnd(r.Start, to) && afterStart(r.End, from) {
					if kept++; kept > 1 {
						value += ","
					}
					value += text
				}
			}
			if kept > 0 && kept < len(periods) {
				p.SetValue(value)
			}
			return kept == 0
		})
	}
}
