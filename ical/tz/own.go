package tz

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Own are names to which a site or a person gives a meaning: the TZIDs of an old
// program, an office that is called "HQ", a ship. It must not change while a
// Resolver uses it; nil has no names.
type Own struct {
	zones map[string]*Zone // by zoneKey
}

// maxOwn bounds the names of one Own.
const maxOwn = 10_000

// Define gives a name a meaning. It replaces an earlier one, and where an object
// brings no VTIMEZONE of that name, also that of the IANA database.
func (o *Own) Define(name string, z *Zone) {
	if o.zones == nil {
		o.zones = map[string]*Zone{}
	}
	o.zones[zoneKey(name)] = z
}

// Find is the zone of a name, nil when it is none of these.
func (o *Own) Find(name string) *Zone {
	if o == nil {
		return nil
	}
	return o.zones[zoneKey(name)]
}

// ReadOwn reads names and their meanings from a file of one of two kinds: an
// iCalendar object with VTIMEZONEs, each under its TZID; or lines of text
//
//	# what follows is a comment
//	HQ = Europe/Berlin
//	Ship 3 = UTC-03:30
//
// where what is right of the sign is anything that Load knows. The error names
// the line.
func ReadOwn(data []byte) (*Own, error) {
	o := &Own{}
	if text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff"))); len(text) >= 6 && strings.EqualFold(string(text[:6]), "BEGIN:") {
		cals, err := ical.ParseAll(data)
		if err != nil {
			return nil, fmt.Errorf("tz: %w", err)
		}
		for _, cal := range cals {
			for c := range cal.Children("VTIMEZONE") {
				name := c.Text("TZID")
				z, err := FromComponent(c)
				switch {
				case name == "":
					return nil, fmt.Errorf("tz: line %d: a VTIMEZONE without a TZID", c.Line())
				case err != nil:
					return nil, fmt.Errorf("line %d: %w", c.Line(), err)
				case len(o.zones) == maxOwn:
					return nil, fmt.Errorf("tz: line %d: more than %d names", c.Line(), maxOwn)
				}
				o.Define(name, z)
			}
		}
		if len(o.zones) == 0 {
			return nil, fmt.Errorf("tz: no VTIMEZONE in the calendar")
		}
		return o, nil
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		name, known, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("tz: line %d: not \"name = zone\"", n)
		}
		z, err := Load(strings.TrimSpace(known))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if len(o.zones) == maxOwn {
			return nil, fmt.Errorf("tz: line %d: more than %d names", n, maxOwn)
		}
		o.Define(name, z)
	}
	return o, nil
}

// ReadOwnFiles reads several files, in the order of their names: where two give a
// name a meaning, the later counts. The error names the file.
func ReadOwnFiles(files map[string][]byte) (*Own, error) {
	all := &Own{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		o, err := ReadOwn(files[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if all.zones == nil {
			all.zones = map[string]*Zone{}
		}
		maps.Copy(all.zones, o.zones)
	}
	return all, nil
}

// Len is the number of names.
func (o *Own) Len() int {
	if o == nil {
		return 0
	}
	return len(o.zones)
}

// Lacks tells whether an object uses names of o without a VTIMEZONE.
func (o *Own) Lacks(cal *ical.Calendar) bool {
	if o.Len() == 0 {
		return false
	}
	for tzid := range cal.TZIDs() {
		if o.Find(tzid) != nil && !defines(cal, tzid) {
			return true
		}
	}
	return false
}

func defines(cal *ical.Calendar, tzid string) bool {
	for z := range cal.Children("VTIMEZONE") {
		if zoneKey(z.Text("TZID")) == zoneKey(tzid) {
			return true
		}
	}
	return false
}

// Complete gives an object the VTIMEZONEs of the names of o that it uses without
// (RFC 5545 3.2.19), so that everybody reads them alike. Everything else of it
// stays.
func (o *Own) Complete(cal *ical.Calendar) {
	if o.Len() == 0 {
		return
	}
	var add []*ical.Component
	seen := map[string]bool{}
	for tzid := range cal.TZIDs() {
		key := zoneKey(tzid)
		z := o.Find(tzid)
		if z == nil || seen[key] || defines(cal, tzid) {
			continue
		}
		seen[key] = true
		from, to := span(cal, key)
		add = append(add, z.Component(tzid, from, to))
	}
	cal.Components = slices.Insert(cal.Components, 0, add...)
}

// Resolver prepares the zones of cal as NewResolver does; a name of o means what
// o says, unless a VTIMEZONE in cal says otherwise (see Resolver.Zone).
func (o *Own) Resolver(cal *ical.Calendar, floating *Zone) *Resolver {
	r := NewResolver(cal, floating)
	r.own = o
	return r
}
