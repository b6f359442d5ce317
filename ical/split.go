package ical

import (
	"iter"
	"strings"
)

// maxTaken is how many properties of the calendar each object of it takes
// over; several times what programs write. All others stay with the first,
// or a small file of many properties and many components without UID would
// become one of the square of its size.
const maxTaken = 100

// zoneGrowth bounds how many times the size of the calendar all copies of its
// VTIMEZONEs may have: a zone of 15 KB for each event of 300 octets. A small
// file with one huge zone and thousands of tiny events would become gigabytes;
// its later objects go without, and their TZIDs by their names.
const zoneGrowth = 64

// SplitByUID gives one calendar object for each UID, as an import stores them
// (RFC 4791 4.1): its components, the VTIMEZONEs it uses and the properties
// of the calendar but METHOD, UID and SEQUENCE. Components without UID each
// get an object of their own. Nothing is shared with c.
func (c *Calendar) SplitByUID() []*Calendar {
	zones := map[string]*Component{}
	for z := range c.Children("VTIMEZONE") {
		if id := z.Text("TZID"); zones[id] == nil {
			zones[id] = z
		}
	}
	var list []*Calendar
	byUID := map[string]*Calendar{}
	for _, s := range c.Components {
		if s.Name == "VTIMEZONE" {
			continue
		}
		uid := s.Text("UID")
		one := byUID[uid]
		if one == nil || uid == "" {
			one = &Calendar{eol: c.eol}
			one.Name, one.begin, one.end, one.open = c.Name, lineOnly(c.begin, c.eol), lineOnly(c.end, c.eol), 0
			properties := c.Properties
			if len(list) > 0 && len(properties) > maxTaken {
				properties = properties[:maxTaken]
			}
			for _, p := range properties {
				if !p.is("METHOD") && !p.is("UID") && !p.is("SEQUENCE") {
					q := p.Clone()
					q.flags &^= trailing
					one.Properties = append(one.Properties, q)
				}
			}
			list = append(list, one)
			byUID[uid] = one
		}
		one.Components = append(one.Components, s.Clone())
	}
	sizes := map[string]int{}
	room := zoneGrowth * len(c.Bytes())
	for _, one := range list {
		var used []*Component
		seen := map[string]bool{}
		for id := range one.TZIDs() {
			if z := zones[id]; z != nil && !seen[id] {
				if sizes[id] == 0 {
					sizes[id] = len(z.Bytes())
				}
				if room -= sizes[id]; room >= 0 {
					used = append(used, z.Clone())
				}
			}
			seen[id] = true
		}
		one.Components = append(used, one.Components...)
	}
	return list
}

// lineOnly is a BEGIN or END line without what lay before it and with a line
// end.
func lineOnly(s, eol string) string {
	if i := strings.LastIndexAny(strings.TrimRight(s, "\r\n"), "\r\n"); i >= 0 {
		s = s[i+1:]
	}
	if s != "" && !strings.HasSuffix(s, "\n") && !strings.HasSuffix(s, "\r") {
		if eol == "" {
			eol = "\r\n"
		}
		s += eol
	}
	return s
}

// TZIDs are the TZID parameters used outside VTIMEZONEs, with repetitions.
func (c *Calendar) TZIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, top := range c.Components {
			if top.Name == "VTIMEZONE" {
				continue
			}
			for s := range top.all() {
				for _, p := range s.Properties {
					if id := p.tzid(); id != "" && !yield(id) {
						return
					}
				}
			}
		}
	}
}
