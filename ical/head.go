package ical

import "fmt"

// Head is what the components of a calendar share, for those who take a
// calendar in parts (Reader.NextPart).
type Head struct {
	Properties []*Property  // of the VCALENDAR
	Zones      []*Component // its VTIMEZONEs, one for each TZID
	Limit      int          // octets that Zones may have, 0 for any number

	byTZID  map[string]*Component
	size    int
	objects int
}

// Zone takes a VTIMEZONE, which may come after the times that need it; of
// several with one TZID the first. The error is a *ParseError.
func (h *Head) Zone(z *Component) error {
	id := z.Text("TZID")
	if h.byTZID[id] != nil {
		return nil
	}
	if h.size += len(z.Bytes()); h.Limit > 0 && h.size > h.Limit {
		return &ParseError{Line: z.Line(), Column: 1, What: fmt.Sprintf("the VTIMEZONEs of this calendar have more than %d octets", h.Limit), Err: ErrLimit}
	}
	if h.byTZID == nil {
		h.byTZID = map[string]*Component{}
	}
	h.Zones, h.byTZID[id] = append(h.Zones, z), z
	return nil
}

// Adopt gives a component what some write once for the whole calendar
// (LEN-05).
func (h *Head) Adopt(c *Component) {
	if c.Name == "VTIMEZONE" {
		return
	}
	for _, p := range h.Properties {
		if (p.is("UID") || p.is("SEQUENCE")) && c.Prop(p.Name()) == nil {
			c.Add(NewProperty(p.Name(), p.Value()))
		}
	}
}

// Object makes a calendar object of components, which have been adopted, with
// the zones they use. What is not theirs is shared with other objects and must
// not be changed.
func (h *Head) Object(components ...*Component) *Calendar {
	cal := &Calendar{Component: Component{Name: "VCALENDAR", Components: components}}
	properties := h.Properties
	if h.objects++; h.objects > 1 && len(properties) > maxTaken {
		properties = properties[:maxTaken]
	}
	for _, p := range properties {
		if !p.is("UID") && !p.is("SEQUENCE") {
			cal.Properties = append(cal.Properties, p)
		}
	}
	var used []*Component
	seen := map[string]bool{}
	for id := range cal.TZIDs() {
		if z := h.byTZID[id]; z != nil && !seen[id] {
			used = append(used, z)
		}
		seen[id] = true
	}
	cal.Components = append(components[:len(components):len(components)], used...)
	return cal
}

// ParseComponent reads the octets of one component, as Component.Bytes gives
// them; line is where they begin in a file. The error is a *ParseError.
func ParseComponent(data []byte, line int) (*Component, error) {
	p, err := newParser(data, DefaultLimits)
	if err != nil {
		return nil, err
	}
	p.line, p.part, p.inside = line, true, true
	cal, err := p.calendar()
	if err != nil {
		return nil, err
	}
	if len(cal.Components) != 1 {
		return nil, &ParseError{Line: line, Column: 1, What: fmt.Sprintf("%d components where one is expected", len(cal.Components))}
	}
	return cal.Components[0], nil
}
