package ical

import (
	"slices"
	"strings"
)

// Calendar is one iCalendar object (VCALENDAR, RFC 5545 3.4). It remembers
// every octet it was read from.
type Calendar struct {
	Component
	Repairs []Repair // what lenient reading put right, in line order

	prefix, trailer string // text before BEGIN:VCALENDAR (a BOM, a mail header) and after its END
	eol             string // line end of new lines; "" is CRLF
}

// Repair is one thing that lenient reading put right.
type Repair struct {
	Line int    // 1-based
	Rule string // of the lenient reading table (LEN-01 …)
	What string // a sentence for a log
}

// New gives a calendar with VERSION and PRODID.
func New(prodid string) *Calendar {
	c := &Calendar{Component: Component{Name: "VCALENDAR"}}
	c.Add(NewProperty("VERSION", "2.0"), NewText("PRODID", prodid))
	return c
}

// Clone gives an independent deep copy that serializes as the same octets.
func (c *Calendar) Clone() *Calendar {
	d := *c
	d.Component = *c.Component.Clone()
	d.Repairs = slices.Clone(c.Repairs)
	return &d
}

// Prefix is the text before BEGIN:VCALENDAR: a byte order mark, blank lines,
// a mail header.
func (c *Calendar) Prefix() string { return c.prefix }

// Trailer is the text after END:VCALENDAR.
func (c *Calendar) Trailer() string { return c.trailer }

// Method is the iTIP method in upper case, "" when there is none.
func (c *Calendar) Method() string { return strings.ToUpper(strings.TrimSpace(c.Value("METHOD"))) }

// UID is the UID of the first component that is not a VTIMEZONE.
func (c *Calendar) UID() string {
	for _, s := range c.Components {
		if s.Name != "VTIMEZONE" {
			return s.Text("UID")
		}
	}
	return ""
}

// kinds are the components a calendar object resource can be of (RFC 4791
// 4.1, RFC 7953 4).
var kinds = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

// Kind is the component name of the calendar object resource, "" if none.
func (c *Calendar) Kind() string {
	for _, s := range c.Components {
		if slices.Contains(kinds, s.Name) {
			return s.Name
		}
	}
	return ""
}

// Master is the first VEVENT, VTODO or VJOURNAL without RECURRENCE-ID, nil if
// there are only overrides.
func (c *Calendar) Master() *Component {
	for _, s := range c.Components {
		if recurs(s) && s.Prop("RECURRENCE-ID") == nil {
			return s
		}
	}
	return nil
}

// Overrides are the components with a RECURRENCE-ID.
func (c *Calendar) Overrides() []*Component {
	var list []*Component
	for _, s := range c.Components {
		if recurs(s) && s.Prop("RECURRENCE-ID") != nil {
			list = append(list, s)
		}
	}
	return list
}

func recurs(c *Component) bool {
	return c.Name == "VEVENT" || c.Name == "VTODO" || c.Name == "VJOURNAL"
}

// Main are all components but VTIMEZONE.
func (c *Calendar) Main() []*Component {
	var list []*Component
	for _, s := range c.Components {
		if s.Name != "VTIMEZONE" {
			list = append(list, s)
		}
	}
	return list
}

// Normalize makes all repairs permanent: lines that were repaired are written
// anew when serialized, missing BEGIN and END lines are written, text before
// and after the calendar is left out.
func (c *Calendar) Normalize() {
	c.prefix, c.trailer = "", ""
	for s := range c.all() {
		s.open, s.begin, s.end = 0, "", ""
		for _, p := range s.Properties {
			if p.flags&inherited != 0 {
				p.flags &^= inherited
				p.flags |= changed
			}
			if p.flags&repaired != 0 || p.lead > 0 {
				text := p.text()
				p.own = &text
				p.flags |= changed
				p.raw, p.lead, p.eol = "", 0, 0
			}
		}
	}
}
