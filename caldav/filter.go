package caldav

import (
	"strings"
	"time"
)

// Filter is a CALDAV:filter: what an object must be to be in the answer
// (RFC 4791 9.7). Its root is always VCALENDAR.
type Filter struct{ Root CompFilter }

// CompFilter matches a component (RFC 4791 9.7.1).
type CompFilter struct {
	Name         string // upper case
	IsNotDefined bool
	Range        *TimeRange
	Props        []PropFilter
	Comps        []CompFilter
}

// PropFilter matches a property of a component (RFC 4791 9.7.2).
type PropFilter struct {
	Name         string // upper case
	IsNotDefined bool
	Range        *TimeRange
	Text         *TextMatch
	Params       []ParamFilter
}

// ParamFilter matches a parameter of a property (RFC 4791 9.7.3).
type ParamFilter struct {
	Name         string // upper case
	IsNotDefined bool
	Text         *TextMatch
}

// TimeRange has an inclusive start and an exclusive end, both UTC; a zero time
// is an open end (RFC 4791 9.9). 00010101T000000Z, which some programs send for
// "from the beginning", is the zero time and so means just that.
type TimeRange struct{ Start, End time.Time }

// maxFilterNodes bounds a filter: each node is tried on each component.
const maxFilterNodes = 256

// maxFilterDepth of comp-filters in each other; iCalendar nests three deep.
const maxFilterDepth = 8

// Window is what a time index can use of the filter: the one kind of component
// that can match ("" when several can, or when the absence of one matches) and
// the time range asked of it, zero when there is none. It never excludes an
// object that the filter matches.
func (f *Filter) Window() (component string, r TimeRange) {
	if f.Root.IsNotDefined {
		return "", TimeRange{}
	}
	for _, c := range f.Root.Comps {
		if c.IsNotDefined || c.Name == "VTIMEZONE" {
			continue
		}
		if component != "" { // all of them must match: the first narrows enough
			break
		}
		component = c.Name
		if c.Range != nil {
			r = *c.Range
		}
	}
	return component, r
}

// nesting says which components may stand in which (RFC 5545 3.6, RFC 7953 3.1,
// RFC 9073 7); the inside of others is not judged.
var nesting = map[string][]string{
	"VEVENT":        {"VALARM", "PARTICIPANT", "VLOCATION", "VRESOURCE"},
	"VTODO":         {"VALARM", "PARTICIPANT", "VLOCATION", "VRESOURCE"},
	"VJOURNAL":      {"PARTICIPANT", "VLOCATION", "VRESOURCE"},
	"VFREEBUSY":     {"PARTICIPANT", "VLOCATION", "VRESOURCE"},
	"VTIMEZONE":     {"STANDARD", "DAYLIGHT"},
	"VAVAILABILITY": {"AVAILABLE"},
	"VALARM":        {},
	"STANDARD":      {},
	"DAYLIGHT":      {},
	"AVAILABLE":     {},
}

// topLevel components do not stand within each other.
var topLevel = map[string]bool{
	"VEVENT": true, "VTODO": true, "VJOURNAL": true, "VFREEBUSY": true, "VTIMEZONE": true, "VAVAILABILITY": true,
}

// timed are the components that time-range is defined for (RFC 4791 9.9, RFC 7953 7.2.2).
var timed = map[string]bool{
	"VEVENT": true, "VTODO": true, "VJOURNAL": true, "VFREEBUSY": true, "VALARM": true, "VAVAILABILITY": true,
}

// timedProps are the properties that time-range is defined for (RFC 4791 9.9).
var timedProps = map[string]bool{
	"COMPLETED": true, "CREATED": true, "DTEND": true, "DTSTAMP": true, "DTSTART": true, "DUE": true, "LAST-MODIFIED": true,
}

func parseFilter(e *Element) (*Filter, error) {
	var root *CompFilter
	p := filterParser{}
	for c := range e.Elements() {
		if !c.Is(C("comp-filter")) {
			continue
		}
		if root != nil {
			return nil, refuse("valid-filter", c.Line, "A filter holds exactly one comp-filter, for VCALENDAR.")
		}
		f, err := p.comp(c, "", 1)
		if err != nil {
			return nil, err
		}
		root = &f
	}
	if root == nil {
		return nil, refuse("valid-filter", e.Line, "The filter holds no comp-filter; it must begin with one for VCALENDAR.")
	}
	return &Filter{Root: *root}, nil
}

type filterParser struct{ nodes int }

func (p *filterParser) name(e *Element) (string, error) {
	p.nodes++
	if p.nodes > maxFilterNodes {
		return "", refuse("supported-filter", e.Line, "The filter has more than %d conditions.", maxFilterNodes)
	}
	n := strings.ToUpper(e.Attr("name"))
	if n == "" {
		return "", refuse("valid-filter", e.Line, "A %s has no name.", e.Name.Local)
	}
	return n, nil
}

func (p *filterParser) comp(e *Element, parent string, depth int) (f CompFilter, err error) {
	if f.Name, err = p.name(e); err != nil {
		return f, err
	}
	switch {
	case parent == "" && f.Name != "VCALENDAR":
		return f, refuse("valid-filter", e.Line, "A filter begins with VCALENDAR, not with %s.", f.Name)
	case parent != "" && f.Name == "VCALENDAR",
		parent != "" && parent != "VCALENDAR" && topLevel[f.Name],
		parent == "VCALENDAR" && !topLevel[f.Name] && nesting[f.Name] != nil,
		!allowedWithin(parent, f.Name):
		return f, refuse("valid-filter", e.Line, "%s does not occur directly within %s.", f.Name, parent)
	case depth > maxFilterDepth:
		return f, refuse("supported-filter", e.Line, "The filter nests more than %d comp-filters.", maxFilterDepth)
	}
	others := 0
	for c := range e.Elements() {
		others++
		switch c.Name {
		case C("is-not-defined"):
			f.IsNotDefined = true
		case C("time-range"):
			if f.Range, err = p.timeRange(c, f.Range, timed[f.Name], f.Name); err != nil {
				return f, err
			}
		case C("prop-filter"):
			q, err := p.prop(c)
			if err != nil {
				return f, err
			}
			f.Props = append(f.Props, q)
		case C("comp-filter"):
			q, err := p.comp(c, f.Name, depth+1)
			if err != nil {
				return f, err
			}
			f.Comps = append(f.Comps, q)
		default: // RFC 4918 17: unknown elements are as if they were not there
			others--
		}
	}
	if f.IsNotDefined && others > 1 {
		return f, refuse("valid-filter", e.Line, "is-not-defined stands alone within the comp-filter for %s.", f.Name)
	}
	return f, nil
}

func allowedWithin(parent, name string) bool {
	allowed, known := nesting[parent]
	if !known || nesting[name] == nil { // VCALENDAR, extensions
		return true
	}
	for _, a := range allowed {
		if a == name {
			return true
		}
	}
	return false
}

func (p *filterParser) timeRange(e *Element, had *TimeRange, defined bool, of string) (*TimeRange, error) {
	if had != nil {
		return nil, refuse("valid-filter", e.Line, "%s has two time ranges.", of)
	}
	if !defined {
		return nil, refuse("supported-filter", e.Line, "A time range is not defined for %s.", of)
	}
	r, err := parseTimeRange(e, "valid-filter", false)
	return &r, err
}

func (p *filterParser) prop(e *Element) (f PropFilter, err error) {
	if f.Name, err = p.name(e); err != nil {
		return f, err
	}
	others := 0
	for c := range e.Elements() {
		others++
		switch c.Name {
		case C("is-not-defined"):
			f.IsNotDefined = true
		case C("time-range"):
			if f.Range, err = p.timeRange(c, f.Range, timedProps[f.Name], f.Name); err != nil {
				return f, err
			}
		case C("text-match"):
			if f.Text, err = parseTextMatch(c, f.Text); err != nil {
				return f, err
			}
		case C("param-filter"):
			q, err := p.param(c)
			if err != nil {
				return f, err
			}
			f.Params = append(f.Params, q)
		default:
			others--
		}
	}
	if f.IsNotDefined && others > 1 || f.Range != nil && f.Text != nil {
		return f, refuse("valid-filter", e.Line, "The prop-filter for %s combines conditions that exclude each other.", f.Name)
	}
	return f, nil
}

func (p *filterParser) param(e *Element) (f ParamFilter, err error) {
	if f.Name, err = p.name(e); err != nil {
		return f, err
	}
	for c := range e.Elements() {
		switch c.Name {
		case C("is-not-defined"):
			f.IsNotDefined = true
		case C("text-match"):
			if f.Text, err = parseTextMatch(c, f.Text); err != nil {
				return f, err
			}
		}
	}
	if f.IsNotDefined && f.Text != nil {
		return f, refuse("valid-filter", e.Line, "The param-filter for %s combines conditions that exclude each other.", f.Name)
	}
	return f, nil
}

// parseTimeRange reads start and end; both are wanted where the element says so.
func parseTimeRange(e *Element, condition string, both bool) (TimeRange, error) {
	var r TimeRange
	given := 0
	for _, f := range []struct {
		attr string
		to   *time.Time
	}{{"start", &r.Start}, {"end", &r.End}} {
		v, ok := e.LookupAttr(f.attr)
		if !ok {
			continue
		}
		given++
		// RFC 4791 9.9: "date with UTC time"
		t, err := time.Parse("20060102T150405Z", v)
		if err != nil {
			return r, refuse(condition, e.Line, "The %s of %s is %q; it must be a UTC time such as 20260102T030405Z.", f.attr, e.Name.Local, v)
		}
		*f.to = t
	}
	switch {
	case given == 0 || both && given < 2:
		return r, refuse(condition, e.Line, "%s lacks its start or end.", e.Name.Local)
	case given == 2 && !r.End.After(r.Start):
		return r, refuse(condition, e.Line, "The end of %s is not after its start.", e.Name.Local)
	}
	return r, nil
}

// OnlyComponent reports whether the filter asks for nothing but that the
// object's kind is this component, so that its text need not be read.
func (f *Filter) OnlyComponent(component string) bool {
	r := &f.Root
	if r.IsNotDefined || r.Range != nil || len(r.Props) > 0 || len(r.Comps) > 1 {
		return false
	}
	if len(r.Comps) == 0 {
		return true
	}
	c := &r.Comps[0]
	return c.Name == component && !c.IsNotDefined && c.Range == nil && len(c.Props) == 0 && len(c.Comps) == 0
}

// OnlyTime reports whether the filter asks for nothing but when a component
// takes place: the one of Window, in the range of Window.
func (f *Filter) OnlyTime() bool {
	r := &f.Root
	if r.IsNotDefined || r.Range != nil || len(r.Props) > 0 || len(r.Comps) != 1 {
		return false
	}
	c := &r.Comps[0]
	return c.Name != "VTIMEZONE" && !c.IsNotDefined && c.Range != nil && len(c.Props) == 0 && len(c.Comps) == 0
}
