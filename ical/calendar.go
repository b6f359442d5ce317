package ical

import (
	"slices"
	"strings"
	"unicode/utf8"
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
	Rule string // the row of docs/interoperability.md: "LEN-01" …
	What string // a sentence for a log
}

// RepairLineEnds is the What of the Repair for lines that end without CRLF.
const RepairLineEnds = "lines end without CRLF"

// RepairNoEnd is the What of the Repair for an object that does not end: it
// may be the beginning of one that did not arrive whole.
const RepairNoEnd = "END:VCALENDAR missing"

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
func (c *Calendar) Method() string { return upper(strings.TrimSpace(c.Value("METHOD"))) }

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

// Normalize makes all repairs permanent and the spelling canonical: what is
// not already a strict line (folded at 75 octets, ended by CRLF, UTF-8 without
// controls) is written anew, missing BEGIN and END lines are written, text
// before and after the calendar is left out. Order stays.
func (c *Calendar) Normalize() {
	c.prefix, c.trailer, c.eol = "", "", ""
	for s := range c.all() {
		if s.open&partial == 0 {
			s.open = 0
		}
		s.begin, s.end = "", ""
		s.Name = componentName(s.Name)
		// A property with one of these names would read as something else.
		s.Remove("BEGIN", "END")
		for _, p := range s.Properties {
			p.flags &^= inherited
			t := p.text()
			params := canonicalParams(t[p.name : p.value-1])
			if p.own == nil && p.flags == p.flags&trailing && p.lead == 0 && strings.HasSuffix(p.raw, "\r\n") && p.eol == 2 &&
				len(p.raw) <= maxLine+2 && params == t[p.name:p.value-1] && clean(t) {
				continue
			}
			p.build(upper(t[:p.name]), params, dropControls(t[p.value:]))
		}
	}
}

// maxComponentName keeps BEGIN and END on one line (RFC 5545 3.1), which many
// readers do not unfold; no name that is registered has half of it.
const maxComponentName = 75 - len("BEGIN:")

// componentName leaves out what no name may have (RFC 5545 3.6 iana-token): a
// long one with a semicolon or colon would be folded into what reads as a
// property. What is left must not become the name of a component that means
// something where it stands: the whole, or an event inside an event.
func componentName(s string) string {
	s = s[:min(len(s), maxComponentName)]
	if onlyName(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && nameChar[r] {
			return r
		}
		return -1
	}, s)
	if r := roleOf(s); s == "" || r >= roleTop && r <= roleCalendar {
		return "X-UNNAMED"
	}
	return s
}

// canonicalParams quotes and encodes parameters as they should be, and leaves
// out those that have no name or no value.
func canonicalParams(section string) string {
	if section == "" {
		return ""
	}
	var b strings.Builder
	for s := (params{rest: section}); s.next(); {
		if !s.bare && s.name != "" && strictName(s.name) {
			writeParam(&b, upper(s.name), paramList(s.value))
		}
	}
	return b.String()
}

// strictName tells a name of letters, digits and hyphens (RFC 5545 3.1).
func strictName(s string) bool {
	return onlyName(s) && !strings.ContainsAny(s, "_./")
}

// clean tells whether s is UTF-8 without controls but HTAB (RFC 5545 3.1).
func clean(s string) bool { return !hasControls(s) && utf8.ValidString(s) }

func hasControls(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

func dropControls(s string) string {
	if clean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, validText(s))
}
