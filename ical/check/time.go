package check

import (
	"strings"

	"github.com/convene-cal/convene/ical"
)

// moment is a strictly written DATE or DATE-TIME.
type moment struct {
	ical.Time
	line *line
}

// momentOf reads the single time of a line; ok is false where there is none
// or its form was already reported.
func momentOf(l *line) (m moment, ok bool) {
	if l == nil {
		return m, false
	}
	return momentIn(l, l.value)
}

func momentIn(l *line, item string) (m moment, ok bool) {
	kind := ical.DateTime
	if v, ok := l.param("VALUE"); ok {
		kind = strings.ToUpper(v.text)
	}
	if item, _, ok = strings.Cut(item, "/"); ok && kind != ical.PeriodType {
		return m, false
	}
	if kind == ical.DateType && date(item) != "" || kind != ical.DateType && dateTime(item) != "" {
		return m, false
	}
	tzid := ""
	if v, ok := l.param("TZID"); ok {
		tzid = v.text
	}
	t, err := ical.ParseTime(item, tzid, kind == ical.DateType)
	return moment{t, l}, err == nil
}

func (m moment) floating() bool { return m.Kind == ical.Floating }

// describe names the form of a time for a message.
func (m moment) describe() string {
	switch m.Kind {
	case ical.Date:
		return "a date"
	case ical.UTC:
		return "a time in UTC"
	case ical.Zoned:
		return "a time in a zone"
	}
	return "a floating time"
}

// comparable tells whether two clock readings may be compared as they are.
func comparable(a, b moment) bool { return a.Kind == b.Kind && a.TZID == b.TZID }

// times judges how the times of a component go together.
func (k *checker) times(c *ical.Component, ls *lines) {
	k.tzids(c, ls)
	start, hasStart := momentOf(ls.first["DTSTART"])
	for _, name := range [...]string{"DTEND", "DUE"} {
		k.end(c, ls, name, start, hasStart)
	}
	if d := ls.first["DURATION"]; d != nil && c.Name != "VALARM" {
		if ls.first["DTSTART"] == nil && (c.Name == "VTODO" || c.Name == "VAVAILABILITY") {
			k.at(Error, d, 0, "duration-without-start", "RFC 5545 3.6.2", "a %s with DURATION must have DTSTART", c.Name)
		}
		if hasStart && start.IsDate() && strings.Contains(strings.ToUpper(d.value), "T") {
			k.at(Error, d, d.valueAt, "duration", "RFC 5545 3.8.2.5", "DTSTART is a date: DURATION must be in days or weeks")
		}
	}
	if !hasStart {
		if c.Name == "VTODO" && ls.first["RRULE"] != nil && ls.first["DTSTART"] == nil {
			k.at(Error, ls.first["RRULE"], 0, "rule-without-start", "RFC 5545 3.8.2.4", "a %s with RRULE must have DTSTART", c.Name)
		}
		return
	}
	for _, l := range ls.all {
		switch l.name {
		case "RRULE", "EXRULE":
			k.until(c, l, start)
			k.followed(c, l, start)
		case "EXDATE", "RDATE":
			k.dates(l, start)
		}
	}
}

// end judges DTEND and DUE beside DTSTART (RFC 5545 3.8.2.2, 3.8.2.3).
func (k *checker) end(c *ical.Component, ls *lines, name string, start moment, hasStart bool) {
	l := ls.first[name]
	if l == nil {
		return
	}
	def, _ := ical.LookupProperty(name)
	if ls.first["DURATION"] != nil {
		k.at(Error, l, 0, "end-and-duration", "RFC 5545 3.6.1", "%s and DURATION must not be in the same %s", name, c.Name)
	}
	end, ok := momentOf(l)
	if !ok || !hasStart {
		return
	}
	switch {
	case end.IsDate() != start.IsDate():
		k.at(Error, l, l.valueAt, "end-type", def.Section, "%s is %s and DTSTART is %s: they must be of one type", name, end.describe(), start.describe())
	case end.floating() != start.floating():
		k.at(Error, l, l.valueAt, "end-type", def.Section, "%s is %s and DTSTART is %s: both or none must be floating", name, end.describe(), start.describe())
	case comparable(start, end) && !end.Wall.After(start.Wall):
		k.at(Error, l, l.valueAt, "end-before-start", def.Section, "%s must be later than DTSTART", name)
	}
}

// until judges the type of UNTIL (RFC 5545 3.3.10).
func (k *checker) until(c *ical.Component, l *line, start moment) {
	parts := ruleValues(l.value)
	if start.IsDate() && (parts["BYHOUR"] != "" || parts["BYMINUTE"] != "" || parts["BYSECOND"] != "") {
		k.at(Error, l, l.valueAt, "rule", recurSection, "DTSTART is a date: the rule must not have BYHOUR, BYMINUTE, BYSECOND")
	}
	until := parts["UNTIL"]
	if until == "" {
		return
	}
	at := l.valueAt
	for i := range len(l.value) {
		if rest := l.value[i:]; len(rest) > len("UNTIL=") && strings.EqualFold(rest[:len("UNTIL=")], "UNTIL=") {
			at += i
			break
		}
	}
	isDate, utc := date(until) == "", strings.HasSuffix(until, "Z")
	observance := c.Name == "STANDARD" || c.Name == "DAYLIGHT"
	switch {
	case observance && !utc:
		k.at(Error, l, at, "until-type", recurSection, "UNTIL in a %s must be in UTC", c.Name)
	case observance:
	case isDate != start.IsDate():
		k.at(Error, l, at, "until-type", recurSection, "UNTIL must be of the type of DTSTART, which is %s", start.describe())
	case !isDate && start.floating() && utc:
		k.at(Error, l, at, "until-type", recurSection, "DTSTART is floating: UNTIL must be floating too")
	case !isDate && !start.floating() && !utc:
		k.at(Error, l, at, "until-type", recurSection, "DTSTART is %s: UNTIL must be in UTC", start.describe())
	}
}

// dates judges EXDATE and RDATE beside DTSTART: a date among times matches
// nothing.
func (k *checker) dates(l *line, start moment) {
	def, _ := ical.LookupProperty(l.name)
	at := l.valueAt
	for item := range strings.SplitSeq(l.value, ",") {
		m, ok := momentIn(l, item)
		if ok && m.IsDate() != start.IsDate() {
			k.at(Warning, l, at, "date-type", def.Section, "%s is %s and DTSTART is %s", l.name, m.describe(), start.describe())
			return
		}
		at += len(item) + 1
	}
}

// tzids judges TZID parameters: each needs a VTIMEZONE (RFC 5545 3.2.19).
func (k *checker) tzids(c *ical.Component, ls *lines) {
	for _, l := range ls.all {
		v, ok := l.param("TZID")
		if !ok || isX(l.name) {
			continue
		}
		switch {
		case c.Name == "STANDARD" || c.Name == "DAYLIGHT":
			k.at(Error, l, v.at, "tzid", "RFC 5545 3.6.5", "times in a %s are local and must not have a TZID", c.Name)
		case v.text == "":
			k.at(Error, l, v.at, "tzid", "RFC 5545 3.2.19", "the TZID is empty")
		case !k.zones[v.text] && !strings.HasPrefix(v.text, "/") && !k.opt.ZonesByReference:
			k.noteTZID(l, v)
		}
	}
}

// zone judges a VTIMEZONE as a whole (RFC 5545 3.6.5).
func (k *checker) zone(c *ical.Component) {
	for _, s := range c.Components {
		if s.Name == "STANDARD" || s.Name == "DAYLIGHT" {
			return
		}
	}
	if len(c.Components) > 0 {
		k.add(Error, c.Line(), 1, "missing", "RFC 5545 3.6.5", "a VTIMEZONE must have a STANDARD or DAYLIGHT component")
	}
}

func (k *checker) observance(c *ical.Component, ls *lines) {
	if start, ok := momentOf(ls.first["DTSTART"]); ok && !start.floating() && start.Kind != ical.Zoned {
		k.at(Error, start.line, start.line.valueAt, "zone-start", "RFC 5545 3.6.5", "DTSTART of a %s is %s, it must be a local time", c.Name, start.describe())
	}
	if ls.first["RRULE"] != nil && ls.first["RDATE"] != nil {
		// RFC 5546 3.2.1 and the like: "RDATE or RRULE, not both".
		k.at(Warning, ls.first["RDATE"], 0, "zone-rule-and-dates", "RFC 5546 3.2.1", "a %s has RRULE or RDATE, not both", c.Name)
	}
}
