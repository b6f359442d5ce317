package itip

import (
	"strconv"

	"github.com/convene-cal/convene/ical"
)

// A change of a long series sends each of its overrides to each guest from
// outside. These messages say the same but for when; so one is written with
// care, and the others after its mould.

// part is a REQUEST about one occurrence, and what its envelope says.
type part struct {
	cal      *ical.Calendar
	sequence int
	asks     bool
	changes  []Difference
}

// mould is a message that others are like.
type mould struct {
	of   *ical.Component // what it was written from
	cal  *ical.Calendar
	out  *ical.Component     // its one component
	at   [len(placed)]int    // where in out the lines of placed stand
	was  [len(placed)]string // and what they say in of
	asIs [len(placed)]bool   // they go out as they stand
	seq  int                 // and SEQUENCE
}

// sheet is what such a message is written on: one piece of memory, since there are
// so many.
type sheet struct {
	cal   ical.Calendar
	out   ical.Component
	times [len(placed)]ical.Property
}

// placed are the lines in which the occurrences of a series differ; the first
// three are always there.
var placed = [...]string{"DTSTART", "DTEND", "RECURRENCE-ID", "CREATED"}

// years are those in which an occurrence begins, ends and was to begin.
type years [3][len("2006")]byte

// part writes a REQUEST about one occurrence, whose SEQUENCE is n (RFC 5546 3.2.2).
func (l *letter) part(o *object, k string, n int) part {
	c := o.component(k)
	if cal := l.like(o, c, n); cal != nil {
		return part{cal: cal, sequence: n}
	}
	cal := l.requestFor(o, []string{k}, nil, "")
	l.mould = mouldOf(c, cal)
	return part{cal: cal, sequence: n}
}

// mouldOf is nil for messages that others cannot be written after.
func mouldOf(c *ical.Component, cal *ical.Calendar) *mould {
	main := cal.Main()
	if len(main) != 1 || len(c.Components) > 0 || len(main[0].Components) > 0 {
		return nil
	}
	t := &mould{of: c, cal: cal, out: main[0], seq: -1}
	for i := range t.at {
		t.at[i] = -1
	}
	for i, p := range t.out.Properties {
		name := p.Name()
		if name == "SEQUENCE" {
			t.seq = i
		}
		for j, want := range placed {
			if name == want {
				t.at[j] = i
			}
		}
	}
	if t.seq < 0 {
		return nil
	}
	for j, want := range placed[:3] {
		if t.at[j] < 0 || len(c.Value(want)) < len("20060102") { // a DTEND made of a DURATION is not in c
			return nil
		}
	}
	for j, want := range placed {
		t.was[j] = c.Value(want)
		t.asIs[j] = t.at[j] >= 0 && t.out.Properties[t.at[j]].Value() == t.was[j]
	}
	return t
}

// like writes the message about c after the mould; nil where it says more
// than another time.
func (l *letter) like(o *object, c *ical.Component, n int) *ical.Calendar {
	t := l.mould
	if t == nil || len(c.Components) > 0 || c.Name != t.of.Name || len(c.Properties) != len(t.of.Properties) {
		return nil
	}
	var times [len(placed)]string
	for i, p := range c.Properties {
		q := t.of.Properties[i]
		if raw := p.Raw(); raw != "" && raw == q.Raw() {
			continue
		}
		name := p.Name()
		if name != q.Name() {
			return nil
		}
		known := name == "SEQUENCE" || name == "DTSTAMP" || name == "LAST-MODIFIED" // written anew for every message, or not at all
		for j, want := range placed {
			if name == want && times[j] == "" && sameForm(p.Value(), q.Value()) && sameParams(p, q) {
				times[j], known = p.Value(), true
			}
		}
		if !known {
			return nil
		}
	}
	s := new(sheet)
	out := &s.out
	*out = ical.Component{Name: t.out.Name, Properties: append(make([]*ical.Property, 0, len(t.out.Properties)), t.out.Properties...)}
	var in years
	for j, v := range times {
		if v == "" {
			v = t.was[j] // as in the mould
		}
		if j < len(in) {
			copy(in[j][:], v)
		}
		if times[j] == "" {
			continue
		}
		if !t.asIs[j] {
			return nil
		}
		q := &s.times[j]
		*q = *t.out.Properties[t.at[j]]
		q.SetValue(v)
		out.Properties[t.at[j]] = q
	}
	if have := t.out.Properties[t.seq]; number(have.Value()) != n {
		out.Properties[t.seq] = ical.NewProperty("SEQUENCE", strconv.Itoa(n))
	}
	cal := &s.cal
	cal.Name, cal.Properties, cal.Components = t.cal.Name, t.cal.Properties, []*ical.Component{out}
	zones := t.cal.Components[:len(t.cal.Components)-1]
	if len(zones) > 0 {
		if zones = l.spans[in]; zones == nil {
			l.o = o
			if zones = l.zonesOf(cal); zones == nil {
				return nil
			}
			if l.spans == nil {
				l.spans = map[years][]*ical.Component{}
			}
			l.spans[in] = zones
		}
	}
	cal.Components = append(append(make([]*ical.Component, 0, len(zones)+1), zones...), out)
	return cal
}

// sameForm reports whether two times are written alike: both in UTC, or both
// not, digits at the same places.
func sameForm(a, b string) bool {
	if len(a) != len(b) || len(a) < len("20060102") {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if digit := '0' <= x && x <= '9'; digit != ('0' <= y && y <= '9') || !digit && (x != y || x != 'T' && x != 'Z') {
			return false
		}
	}
	return true
}
