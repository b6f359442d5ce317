package itip

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// when is the comparable and showable form of a time.
func (o *object) when(t ical.Time) string {
	if t.IsDate() {
		return t.Wall.Format("20060102")
	}
	return instantKey(o.zones.Instant(t))
}

func startOf(o *object, c *ical.Component, name string) string {
	p := c.Prop(name)
	if p == nil {
		return ""
	}
	t, err := p.Time()
	if err != nil {
		return p.Value()
	}
	s := o.when(t)
	// A series keeps its clock reading through the year, so its zone is part
	// of its time; for a single event only the instant counts.
	if recurs(c) && !t.IsDate() {
		s += "\x00" + o.zoneName(t)
	}
	return s
}

func recurs(c *ical.Component) bool { return c.Prop("RRULE") != nil || c.Prop("RDATE") != nil }

func (o *object) zoneName(t ical.Time) string {
	switch t.Kind {
	case ical.UTC:
		return "UTC"
	case ical.Floating:
		return ""
	}
	if z, err := o.zones.Zone(t.TZID); err == nil {
		if named, ok := z.(*tz.Zone); ok && named.Name() != "" {
			return named.Name()
		}
	}
	return t.TZID
}

// endOf is the end by whichever property gives it (RFC 5545 3.6.1).
func endOf(o *object, c *ical.Component, _ string) string {
	t, ok := o.end(c)
	if !ok {
		return ""
	}
	return o.when(t)
}

func dueOf(o *object, c *ical.Component, _ string) string {
	if p := c.Prop("DUE"); p != nil {
		if t, err := p.Time(); err == nil {
			return o.when(t)
		}
		return p.Value()
	}
	if c.Prop("DURATION") != nil {
		return endOf(o, c, "")
	}
	return ""
}

// end computes when a component ends: DTEND, DUE, or DTSTART and DURATION, or
// what RFC 5545 3.6.1 puts in their place. It is written like DTSTART.
func (o *object) end(c *ical.Component) (ical.Time, bool) {
	for _, name := range [...]string{"DTEND", "DUE"} {
		if p := c.Prop(name); p != nil {
			if t, err := p.Time(); err == nil {
				return t, true
			}
		}
	}
	p := c.Prop("DTSTART")
	if p == nil {
		return ical.Time{}, false
	}
	t, err := p.Time()
	if err != nil {
		return t, false
	}
	d := ical.Duration{}
	if p := c.Prop("DURATION"); p != nil {
		if d, err = p.Duration(); err != nil {
			return t, false
		}
	} else if t.IsDate() {
		d.Days = 1
	}
	return o.plus(t, d), true
}

// plus adds a duration: days by the calendar, the rest exactly (RFC 5545
// 3.3.6).
func (o *object) plus(t ical.Time, d ical.Duration) ical.Time {
	t.Wall = t.Wall.AddDate(0, 0, d.Days)
	if d.Exact == 0 || t.IsDate() {
		return t
	}
	var z recur.Zone
	switch t.Kind {
	case ical.Zoned:
		z, _ = o.zones.Zone(t.TZID)
	case ical.Floating:
		z = o.zones.Floating()
	}
	if z == nil {
		t.Wall = t.Wall.Add(d.Exact)
		return t
	}
	t.Wall, _ = z.Wall(o.zones.Instant(t).Add(d.Exact))
	return t
}

// statusOf is STATUS with the default of each component, so that a client
// which writes the default changes nothing.
func statusOf(_ *object, c *ical.Component, _ string) string {
	otherwise := "CONFIRMED"
	if c.Name == "VTODO" {
		otherwise = partStatNeeds
	}
	return upperOr(strings.TrimSpace(c.Value("STATUS")), otherwise)
}

// textOf ignores what re-encoding clients change: blanks and line ends.
func textOf(_ *object, c *ical.Component, name string) string {
	return strings.Join(strings.Fields(c.Text(name)), " ")
}

func rawOf(_ *object, c *ical.Component, name string) string { return strings.TrimSpace(c.Value(name)) }

func priorityOf(_ *object, c *ical.Component, name string) string {
	if s := strings.TrimSpace(c.Value(name)); s != "0" { // 0 = undefined (RFC 5545 3.8.1.9)
		return s
	}
	return ""
}

func classOf(_ *object, c *ical.Component, name string) string {
	return upperOr(strings.TrimSpace(c.Value(name)), "PUBLIC")
}

func listOf(_ *object, c *ical.Component, name string) string {
	var list []string
	for p := range c.Props(name) {
		list = append(list, strings.TrimSpace(p.Value()))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// rulesOf is the canonical spelling of all RRULEs.
func rulesOf(c *ical.Component) string {
	var list []string
	for p := range c.Props("RRULE") {
		list = append(list, canonicalRule(p.Value()))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// canonicalRule sorts a rule's parts and lists and drops its defaults (REC-11).
func canonicalRule(rule string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(rule)), ";") {
		if part == "" || part == "INTERVAL=1" || part == "WKST=MO" || part == "RSCALE=GREGORIAN" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		list := strings.Split(value, ",")
		for i := range list {
			list[i] = strings.TrimPrefix(strings.TrimSpace(list[i]), "+")
		}
		slices.Sort(list)
		parts = append(parts, name+"="+strings.Join(list, ","))
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// ruleText says how a component repeats in English; "" for one that does not.
func ruleText(c *ical.Component) string { return Reader{}.rule(c) }

// lineChange is what changed on one attendee's line.
type lineChange uint8

const (
	answerChanged lineChange = 1 << iota // PARTSTAT, name, comments: status for those who keep a copy
	roleChanged                          // ROLE or CUTYPE: the person is told
)

// compareLines compares two lines of one attendee with defaults filled in.
func compareLines(a, b *ical.Property) lineChange {
	if sameLine(a, b) {
		return 0
	}
	x, y := person(a), person(b)
	var c lineChange
	if x.Role != y.Role || x.CUType != y.CUType {
		c |= roleChanged
	}
	if x.PartStat != y.PartStat || x.CN != y.CN || x.Comment != y.Comment || x.Guests != y.Guests ||
		!slices.Equal(x.DelegatedTo, y.DelegatedTo) || !slices.Equal(x.DelegatedFrom, y.DelegatedFrom) {
		c |= answerChanged
	}
	return c
}

// sorted walks a set in order, so that the same question has the same answer.
func sorted[V any](m map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		list := make([]string, 0, len(m))
		for k := range m {
			list = append(list, k)
		}
		slices.Sort(list)
		for _, k := range list {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// keyTime reads a key back.
func keyTime(key string) (t time.Time, isDate, ok bool) {
	v, err := ical.ParseTime(key, "", len(key) == len("20060102"))
	if err != nil {
		return time.Time{}, false, false
	}
	return v.Wall, v.IsDate(), true
}
