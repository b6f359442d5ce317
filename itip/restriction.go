package itip

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// CheckMessage holds a message against the restriction tables of RFC 5546
// (section 3, kept as data in package ical) and the rules that go with them.
// It is strict: it is for what we send. The error names the first rule broken.
func CheckMessage(cal *ical.Calendar) error {
	fault := func(c *ical.Component, format string, args ...any) error {
		where := "VCALENDAR"
		if c != nil {
			where = c.Name
			if id := c.Prop("RECURRENCE-ID"); id != nil {
				where += " " + id.Value()
			}
		}
		return fmt.Errorf("itip: %s: %s", where, fmt.Sprintf(format, args...))
	}
	if cal == nil {
		return fmt.Errorf("itip: no calendar")
	}
	method := cal.Value("METHOD")
	for _, name := range [...]string{"METHOD", "PRODID", "VERSION"} {
		if n := count(&cal.Component, name); n != 1 {
			return fault(nil, "%s must occur once, not %d times (RFC 5546 3.1.1)", name, n)
		}
	}
	if cal.Value("VERSION") != "2.0" {
		return fault(nil, "VERSION must be 2.0")
	}
	main := cal.Main()
	if len(main) == 0 {
		return fault(nil, "there is no component")
	}
	table, ok := ical.RestrictionsOf(method, main[0].Name)
	if !ok {
		return fault(main[0], "RFC 5546 1.4 has no METHOD:%s for it", method)
	}
	if table.Single && len(main) > 1 {
		return fault(nil, "%s takes one %s (%s)", method, main[0].Name, table.Section)
	}
	zones := map[string]bool{}
	for _, z := range cal.Components {
		if z.Name == "VTIMEZONE" {
			if table.NoZones {
				return fault(z, "must not be there (%s)", table.Section)
			}
			zones[strings.ToLower(z.Text("TZID"))] = true
		}
	}
	uid, organizer := main[0].Value("UID"), ""
	for _, c := range main {
		if c.Name != main[0].Name {
			return fault(c, "one message has one kind of component (RFC 5546 1.4)")
		}
		if table.SameUID && c.Value("UID") != uid {
			return fault(c, "one message has one UID (%s)", table.Section)
		}
		if org := c.Prop("ORGANIZER"); org != nil {
			if organizer != "" && org.Address().Key() != organizer {
				return fault(c, "all components must have one ORGANIZER")
			}
			organizer = org.Address().Key()
		}
		if err := checkComponent(c, method, table, zones); err != nil {
			return fault(c, "%v", err)
		}
	}
	return nil
}

// single are the properties that no component of a message has twice (RFC 5545
// 3.6, and the tables of RFC 5546).
var single = set("DTSTART", "DTEND", "DUE", "DURATION", "SEQUENCE", "STATUS", "RRULE", "RECURRENCE-ID",
	"SUMMARY", "LOCATION", "DESCRIPTION", "ORGANIZER", "UID", "PRIORITY", "TRANSP", "CLASS", "URL", "GEO", "CREATED", "DTSTAMP")

// onlyOnce keeps the first of what a client wrote twice.
func onlyOnce(c *ical.Component) {
	seen := map[string]bool{}
	c.RemoveFunc(func(p *ical.Property) bool {
		name := p.Name()
		again := single[name] && seen[name]
		seen[name] = true
		return again
	})
}

func count(c *ical.Component, name string) int {
	n := 0
	for range c.Props(name) {
		n++
	}
	return n
}

func checkComponent(c *ical.Component, method string, table ical.Restrictions, zones map[string]bool) error {
	for _, name := range table.One {
		if n := count(c, name); n != 1 {
			return fmt.Errorf("%s must occur once, not %d times (%s)", name, n, table.Section)
		}
	}
	for _, name := range table.Some {
		if count(c, name) == 0 {
			return fmt.Errorf("%s is missing (%s)", name, table.Section)
		}
	}
	for _, name := range table.Forbidden {
		if count(c, name) > 0 {
			return fmt.Errorf("%s must not be there (%s)", name, table.Section)
		}
		for range c.Children(name) {
			return fmt.Errorf("%s must not be there (%s)", name, table.Section)
		}
	}
	for _, p := range c.Properties {
		name := p.Name()
		if len(table.Only) > 0 && !strings.HasPrefix(name, "X-") && !slices.Contains(table.Only, name) && !slices.Contains(table.One, name) {
			return fmt.Errorf("%s must not be there (%s)", name, table.Section)
		}
		if err := checkProperty(p, name, zones); err != nil {
			return err
		}
	}
	for name := range sorted(single) {
		if n := count(c, name); n > 1 {
			return fmt.Errorf("%s occurs %d times (RFC 5545 3.6)", name, n)
		}
	}
	if c.Prop("DURATION") != nil && (c.Prop("DTEND") != nil || c.Prop("DUE") != nil) {
		return fmt.Errorf("DURATION and an end exclude each other (RFC 5545 3.6.1)")
	}
	if c.Prop("RECURRENCE-ID") != nil && c.Prop("RRULE") != nil {
		return fmt.Errorf("RRULE beside RECURRENCE-ID")
	}
	if status := c.Value("STATUS"); status != "" && len(table.Status) > 0 && !slices.Contains(table.Status, status) {
		return fmt.Errorf("STATUS:%s is not allowed with METHOD:%s (%s)", status, method, table.Section)
	}
	if method == string(Add) && number(c.Value("SEQUENCE")) == 0 {
		return fmt.Errorf("SEQUENCE must be greater than 0 (%s)", table.Section)
	}
	seen := map[string]bool{}
	for p := range c.Props("ATTENDEE") {
		k := p.Address().Key()
		if seen[k] {
			return fmt.Errorf("ATTENDEE %s twice", p.Address())
		}
		seen[k] = true
	}
	return nil
}

func checkProperty(p *ical.Property, name string, zones map[string]bool) error {
	if p.Repaired() {
		return fmt.Errorf("%s is only readable with a repair", name)
	}
	switch name {
	case "ATTENDEE", "ORGANIZER":
		for param := range p.Params() {
			if strings.HasPrefix(param, "SCHEDULE-") {
				return fmt.Errorf("%s must not leave the server (RFC 6638 7)", param)
			}
		}
	case "DTSTAMP":
		if _, err := p.Time(); err != nil || !strings.HasSuffix(p.Value(), "Z") {
			return fmt.Errorf("DTSTAMP must be UTC (RFC 5545 3.8.7.2)")
		}
	}
	if timed[name] {
		if id := p.Param("TZID"); id != "" && !zones[strings.ToLower(id)] {
			return fmt.Errorf("%s: no VTIMEZONE for TZID %s (RFC 5546 3.1.2)", name, id)
		}
		if list, err := p.Times(); err == nil {
			for _, t := range list {
				if t.Kind == ical.Floating {
					return fmt.Errorf("%s is a floating time, which means another moment to everyone", name)
				}
			}
		}
	}
	return nil
}
