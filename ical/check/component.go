package check

import (
	"cmp"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// lines are the content lines of one component, in order, and by name.
type lines struct {
	all   []*line
	first map[string]*line
	count map[string]int
	line  int // where the component begins
}

func newLines() lines { return lines{first: map[string]*line{}, count: map[string]int{}} }

func (ls *lines) add(l *line) {
	ls.all = append(ls.all, l)
	if ls.count[l.name]++; ls.count[l.name] == 1 {
		ls.first[l.name] = l
	}
}

// calendarLines judges the properties of the VCALENDAR itself, which may come
// in several parts.
func (k *checker) calendarLines(part *ical.Calendar) {
	def, _ := ical.LookupComponent("VCALENDAR")
	here := newLines()
	inside := 0
	if len(part.Components) > 0 {
		inside = part.Components[0].Line()
	}
	for _, p := range part.Properties {
		if p.Raw() == "" || p.Changed() {
			continue
		}
		l := k.split(p)
		here.add(l)
		if _, known := ical.LookupProperty(l.name); known { // others may be without number
			k.head.count[l.name]++
		}
		if k.children > 0 || inside > 0 && p.Line() > inside {
			k.at(Error, l, 0, "order", "RFC 5545 3.6", "%s stands after a component of VCALENDAR: properties come first", l.name)
		}
		k.property(l, &part.Component)
		k.cardinality(l, def, &part.Component, k.head.count[l.name])
		if l.name == "METHOD" && k.methodAt == 0 {
			k.method, k.methodAt = strings.ToUpper(strings.TrimSpace(p.Value())), p.Line()
		}
	}
	k.tzids(&part.Component, &here)
	k.consistency(&part.Component, &here)
}

func (k *checker) component(c, parent *ical.Component) {
	def, known := ical.LookupComponent(c.Name)
	switch {
	case !known && !isX(c.Name):
		k.add(Warning, c.Line(), 1, "unknown-component", "RFC 5545 3.6", "%s is not a registered component", clip(c.Name))
	case known && parent != nil && !hasWord(def.In, parent.Name) && !isX(parent.Name):
		if _, ok := ical.LookupComponent(parent.Name); ok {
			k.add(Error, c.Line(), 1, "component-place", def.Section, "a %s cannot stand in a %s", c.Name, parent.Name)
		}
	}
	ls := newLines()
	inside := 0
	if len(c.Components) > 0 {
		inside = c.Components[0].Line()
	}
	for _, p := range c.Properties {
		if p.Raw() == "" || p.Changed() {
			continue // taken over from the VCALENDAR level (LEN-05): not written here
		}
		l := k.split(p)
		ls.add(l)
		if inside > 0 && p.Line() > inside {
			k.at(Error, l, 0, "order", "RFC 5545 3.6", "%s stands after a component of %s: properties come first", l.name, c.Name)
		}
		k.property(l, c)
		if known {
			k.cardinality(l, def, c, ls.count[l.name])
		}
	}
	if ls.line = c.Line(); known {
		k.missing(c, def, &ls)
	}
	k.times(c, &ls)
	k.consistency(c, &ls)
	switch c.Name {
	case "VALARM":
		k.alarm(c, parent, &ls)
		k.alarmPlace(c, &ls)
	case "VTIMEZONE":
		k.zone(c)
	case "STANDARD", "DAYLIGHT":
		k.observance(c, &ls)
	}
	for _, s := range c.Components {
		k.component(s, c)
	}
}

func (k *checker) cardinality(l *line, def *ical.ComponentDef, c *ical.Component, count int) {
	if isX(l.name) {
		return
	}
	p, known := ical.LookupProperty(l.name)
	if !known {
		return
	}
	switch def.Cardinality(l.name) {
	case ical.Unlisted:
		k.at(Warning, l, 0, "property-place", p.Section, "%s is not defined for %s", l.name, c.Name)
	case ical.ExactlyOnce, ical.AtMostOnce:
		if count == 2 {
			k.at(Error, l, 0, "twice", def.Section, "%s occurs more than once in a %s", l.name, c.Name)
		}
	case ical.ShouldBeOnce:
		if count == 2 {
			k.at(Warning, l, 0, "twice", def.Section, "%s should not occur more than once in a %s", l.name, c.Name)
		}
	}
}

func (k *checker) missing(c *ical.Component, def *ical.ComponentDef, ls *lines) {
	for name := range strings.FieldsSeq(def.One + " " + def.Some) {
		if ls.count[name] == 0 {
			k.add(Error, cmp.Or(c.Line(), ls.line), 1, "missing", def.Section, "a %s must have %s", c.Name, name)
		}
	}
	switch {
	case c.Name == "VEVENT" && ls.count["DTSTART"] == 0 && k.method == "":
		k.add(Error, c.Line(), 1, "missing", def.Section, "a VEVENT must have DTSTART unless the VCALENDAR has a METHOD")
	case c.Name == "VCALENDAR" && k.children == 0:
		k.add(Error, k.head.line, 1, "missing", def.Section, "a VCALENDAR must have at least one component")
	case c.Name == "VTIMEZONE" && len(c.Components) == 0:
		k.add(Error, c.Line(), 1, "missing", def.Section, "a VTIMEZONE must have a STANDARD or DAYLIGHT component")
	}
}

// alarm judges what depends on the ACTION (RFC 5545 3.6.6).
func (k *checker) alarm(c, parent *ical.Component, ls *lines) {
	if action := ls.first["ACTION"]; action != nil {
		if need, ok := ical.LookupAlarm(strings.ToUpper(action.value)); ok {
			for name := range strings.FieldsSeq(need.One + " " + need.Some) {
				if ls.count[name] == 0 {
					k.add(Error, c.Line(), 1, "missing", need.Section, "a %s alarm must have %s", need.Name, name)
				}
			}
			for name := range strings.FieldsSeq(need.Maybe) {
				if ls.count[name] > 1 {
					k.at(Error, ls.first[name], 0, "twice", need.Section, "%s occurs more than once in a %s alarm", name, need.Name)
				}
			}
		}
	}
	if (ls.count["DURATION"] > 0) != (ls.count["REPEAT"] > 0) {
		k.add(Error, c.Line(), 1, "missing", "RFC 5545 3.6.6", "DURATION and REPEAT of an alarm go together")
	}
	trigger := ls.first["TRIGGER"]
	if trigger == nil || parent == nil {
		return
	}
	if v, ok := trigger.param("VALUE"); ok && strings.EqualFold(v.text, ical.DateTime) {
		if r, ok := trigger.param("RELATED"); ok {
			k.at(Error, trigger, r.at, "trigger", "RFC 5545 3.8.6.3", "a TRIGGER with a time must not have RELATED")
		}
		return
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if parent.Prop(n) != nil {
				return true
			}
		}
		return false
	}
	if v, ok := trigger.param("RELATED"); ok && strings.EqualFold(v.text, "END") {
		if !has("DTEND", "DUE") && !(has("DTSTART") && (has("DURATION") || parent.Name == "VEVENT")) {
			k.at(Error, trigger, v.at, "trigger", "RFC 5545 3.8.6.3", "the TRIGGER is relative to the end, which this %s does not have", parent.Name)
		}
	} else if !has("DTSTART") && k.method == "" && (parent.Name == "VEVENT" || parent.Name == "VTODO") && !(parent.Name == "VTODO" && has("DUE")) {
		k.at(Error, trigger, trigger.valueAt, "trigger", "RFC 5545 3.8.6.3", "the TRIGGER is relative to the start, which this %s does not have", parent.Name)
	}
}
