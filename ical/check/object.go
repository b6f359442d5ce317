package check

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// objects judges how components of one UID go together.
func (k *checker) objects() {
	type key struct{ name, uid, id string }
	seen := map[key]bool{}
	masters := map[[2]string]*ical.Component{}
	for _, c := range k.cal.Main() {
		if uid := c.Value("UID"); uid != "" && c.Prop("RECURRENCE-ID") == nil && masters[[2]string{c.Name, uid}] == nil {
			masters[[2]string{c.Name, uid}] = c
		}
	}
	for _, c := range k.cal.Main() {
		if !slices.Contains([]string{"VEVENT", "VTODO", "VJOURNAL"}, c.Name) {
			continue
		}
		uid, rid := c.Value("UID"), c.Prop("RECURRENCE-ID")
		id := key{c.Name, uid, ""}
		if rid != nil {
			if t, err := rid.Time(); err == nil {
				id.id = t.String() + t.TZID
			}
		}
		if uid != "" && seen[id] && k.method != "PUBLISH" {
			k.add(Error, c.Line(), 1, "uid-twice", "RFC 5545 3.8.4.7", "there is another %s with this UID and RECURRENCE-ID", c.Name)
		}
		seen[id] = true
		if m := masters[[2]string{c.Name, uid}]; rid != nil && m != nil && uid != "" {
			k.recurrenceID(rid, m)
		}
		if c.Prop("ATTENDEE") != nil && c.Prop("ORGANIZER") == nil {
			k.add(Error, c.Prop("ATTENDEE").Line(), 1, "organizer-missing", "RFC 5545 3.8.4.3", "a %s with ATTENDEE must have ORGANIZER", c.Name)
		}
		if rid != nil && (c.Prop("RRULE") != nil || c.Prop("RDATE") != nil) {
			k.add(Warning, rid.Line(), 1, "override-recurs", "RFC 5545 3.8.4.4", "a %s with RECURRENCE-ID is one instance and should not have RRULE or RDATE", c.Name)
		}
	}
}

// recurrenceID judges its type beside the master's DTSTART (RFC 5545
// 3.8.4.4).
func (k *checker) recurrenceID(p *ical.Property, master *ical.Component) {
	start := master.Prop("DTSTART")
	if start == nil {
		return
	}
	l, s := k.quiet(p), k.quiet(start)
	id, ok := momentOf(l)
	from, ok2 := momentOf(s)
	if !ok || !ok2 {
		return
	}
	if id.IsDate() != from.IsDate() || id.floating() != from.floating() {
		k.at(Error, l, l.valueAt, "recurrence-id-type", "RFC 5545 3.8.4.4", "RECURRENCE-ID is %s and DTSTART of the recurring %s is %s", id.describe(), master.Name, from.describe())
	}
}

// quiet splits a line again without reporting.
func (k *checker) quiet(p *ical.Property) *line {
	q := checker{opt: Options{Max: 1}, cal: k.cal}
	return q.split(p)
}

// scheduling judges a message by RFC 5546's tables (3.2 to 3.5).
func (k *checker) scheduling() {
	if k.cal.Prop("METHOD") == nil {
		return
	}
	line := k.cal.Prop("METHOD").Line()
	if !ical.SchedulingMethod(k.method) {
		k.add(Warning, line, 1, "method", "RFC 5546 1.4", "METHOD %s is not one of RFC 5546", clip(k.method))
		return
	}
	kind, uid, count := "", "", 0
	for _, c := range k.cal.Main() {
		if isX(c.Name) {
			continue
		}
		if kind != "" && c.Name != kind {
			k.add(Error, c.Line(), 1, "itip-mixed", "RFC 5546 3.1.1", "a scheduling message has components of one type: %s and %s", kind, c.Name)
			continue
		}
		r, ok := ical.RestrictionsOf(k.method, c.Name)
		if !ok {
			k.add(Error, c.Line(), 1, "itip-method", "RFC 5546 1.4", "METHOD %s is not defined for %s", k.method, c.Name)
			kind = c.Name
			continue
		}
		if count++; count == 1 {
			kind, uid = c.Name, c.Value("UID")
			if r.NoZones {
				for z := range k.cal.Children("VTIMEZONE") {
					k.add(Error, z.Line(), 1, "itip-forbidden", r.Section, "%s of a %s must not have a VTIMEZONE", r.Method, r.Component)
				}
			}
		} else if r.Single && count == 2 {
			k.add(Error, c.Line(), 1, "itip-single", r.Section, "%s has exactly one %s", r.Method, r.Component)
		} else if r.SameUID && c.Value("UID") != uid {
			k.add(Error, c.Line(), 1, "itip-uid", r.Section, "all components of a %s have one UID", r.Method)
		}
		k.restrictions(c, &r)
	}
	if count == 0 && kind == "" {
		k.add(Error, line, 1, "itip-empty", "RFC 5546 1.4", "the message has no component to schedule")
	}
}

// restrictions compares a component of a message with its row of RFC 5546's tables.
func (k *checker) restrictions(c *ical.Component, r *ical.Restrictions) {
	what := r.Method + " of a " + r.Component
	count := func(name string) (n int, second *ical.Property) {
		for p := range c.Props(name) {
			if n++; n == 2 {
				second = p
			}
		}
		return n, second
	}
	for _, name := range r.One {
		if n, second := count(name); n == 0 {
			k.add(Error, c.Line(), 1, "itip-required", r.Section, "%s must have %s", what, name)
		} else if n > 1 {
			k.add(Error, second.Line(), 1, "itip-once", r.Section, "%s must have exactly one %s", what, name)
		}
	}
	for _, name := range r.Some {
		if n, _ := count(name); n == 0 {
			k.add(Error, c.Line(), 1, "itip-required", r.Section, "%s must have %s", what, name)
		}
	}
	for _, name := range r.Forbidden {
		for p := range c.Props(name) {
			k.add(Error, p.Line(), 1, "itip-forbidden", r.Section, "%s must not have %s", what, name)
		}
		for s := range c.Children(name) {
			k.add(Error, s.Line(), 1, "itip-forbidden", r.Section, "%s must not have %s", what, name)
		}
	}
	if r.Only != nil {
		for _, p := range c.Properties {
			name := p.Name()
			_, registered := ical.LookupProperty(name)
			if registered && !slices.Contains(r.Only, name) && !slices.Contains(r.One, name) {
				k.add(Error, p.Line(), 1, "itip-forbidden", r.Section, "%s must not have %s", what, name)
			}
		}
		for s := range c.Children("VALARM") {
			k.add(Error, s.Line(), 1, "itip-forbidden", r.Section, "%s must not have VALARM", what)
		}
	}
	if p := c.Prop("STATUS"); p != nil && r.Status != nil && !slices.Contains(r.Status, strings.ToUpper(p.Value())) {
		k.add(Error, p.Line(), 1, "itip-status", r.Section, "STATUS in a %s is %s, it must be one of %s", what, clip(p.Value()), strings.Join(r.Status, ", "))
	}
	if r.Method == "ADD" {
		if p := c.Prop("SEQUENCE"); p != nil && strings.Trim(p.Value(), "0") == "" {
			k.add(Error, p.Line(), 1, "itip-sequence", r.Section, "SEQUENCE of an ADD must be greater than 0")
		}
	}
}
