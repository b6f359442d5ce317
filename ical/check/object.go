package check

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// object judges what a component directly in a VCALENDAR says as a whole, and
// notes what is compared with the others at the end.
func (k *checker) object(c *ical.Component) error {
	if c.Name == "VTIMEZONE" {
		return k.noteZone(c)
	}
	if !slices.Contains([]string{"VEVENT", "VTODO", "VJOURNAL"}, c.Name) {
		return nil
	}
	rid := c.Prop("RECURRENCE-ID")
	if c.Prop("ATTENDEE") != nil && c.Prop("ORGANIZER") == nil {
		k.add(Error, c.Prop("ATTENDEE").Line(), 1, "organizer-missing", "RFC 5545 3.8.4.3", "a %s with ATTENDEE must have ORGANIZER", c.Name)
	}
	if rid != nil && (c.Prop("RRULE") != nil || c.Prop("RDATE") != nil) {
		k.add(Warning, rid.Line(), 1, "override-recurs", "RFC 5545 3.8.4.4", "a %s with RECURRENCE-ID is one instance and should not have RRULE or RDATE", c.Name)
	}
	return k.noteObject(c, rid)
}

// message is what of a scheduling message was seen.
type message struct {
	kind, uid string
	count     int
	zones     []int // lines of the VTIMEZONEs, up to as many as can be reported
	noZones   *ical.Restrictions
}

// scheduling judges a component of a message by RFC 5546's tables (3.2 to 3.5).
func (k *checker) scheduling(c *ical.Component) {
	if k.methodAt == 0 || !ical.SchedulingMethod(k.method) || isX(c.Name) {
		return
	}
	m := &k.message
	if c.Name == "VTIMEZONE" {
		if len(m.zones) < k.max() {
			m.zones = append(m.zones, c.Line())
		}
		return
	}
	if m.kind != "" && c.Name != m.kind {
		k.add(Error, c.Line(), 1, "itip-mixed", "RFC 5546 3.1.1", "a scheduling message has components of one type: %s and %s", m.kind, c.Name)
		return
	}
	r, ok := ical.RestrictionsOf(k.method, c.Name)
	if !ok {
		k.add(Error, c.Line(), 1, "itip-method", "RFC 5546 1.4", "METHOD %s is not defined for %s", k.method, c.Name)
		m.kind = c.Name
		return
	}
	if m.count++; m.count == 1 {
		m.kind, m.uid = c.Name, c.Value("UID")
		if r.NoZones {
			m.noZones = &r
		}
	} else if r.Single && m.count == 2 {
		k.add(Error, c.Line(), 1, "itip-single", r.Section, "%s has exactly one %s", r.Method, r.Component)
	} else if r.SameUID && c.Value("UID") != m.uid {
		k.add(Error, c.Line(), 1, "itip-uid", r.Section, "all components of a %s have one UID", r.Method)
	}
	k.restrictions(c, &r)
}

// messageEnd judges the message as a whole.
func (k *checker) messageEnd() {
	m := &k.message
	switch {
	case k.methodAt == 0:
	case !ical.SchedulingMethod(k.method):
		k.add(Warning, k.methodAt, 1, "method", "RFC 5546 1.4", "METHOD %s is not one of RFC 5546", clip(k.method))
	case m.kind == "":
		k.add(Error, k.methodAt, 1, "itip-empty", "RFC 5546 1.4", "the message has no component to schedule")
	case m.noZones != nil:
		for _, line := range m.zones {
			k.add(Error, line, 1, "itip-forbidden", m.noZones.Section, "%s of a %s must not have a VTIMEZONE", m.noZones.Method, m.noZones.Component)
		}
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
