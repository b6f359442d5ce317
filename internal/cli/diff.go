package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

type icalDiff struct {
	Old    string   `arg:"" help:"A file, a directory, or - for standard input."`
	New    string   `arg:"" help:"What to compare it with."`
	Ignore []string `help:"Properties to leave out, such as DTSTAMP,PRODID." placeholder:"NAME"`
	JSON   bool     `help:"One JSON object a difference."`
}

func (icalDiff) Help() string {
	return "Compares what calendars mean, not how they are written: components are matched by UID and RECURRENCE-ID wherever they " +
		"stand; the order of properties, folding, defaults that are spelled out and the names and definitions of time zones do " +
		"not matter as long as the times are the same. A line begins with + (only in the new), - (only in the old) or ~ (changed)." +
		"\n\nExit status, as diff has it: 0 the same, 1 different, 2 when something could not be read." +
		"\n\nExample: convene ical diff --ignore DTSTAMP,PRODID before.ics after.ics"
}

// exitTrouble is the status of diff when it cannot tell (POSIX diff).
const exitTrouble = 2

func (c icalDiff) Run(e *env) error {
	if c.Old == "-" && c.New == "-" {
		return usagef("only one side can be standard input")
	}
	ignore := map[string]bool{}
	for _, name := range c.Ignore {
		ignore[strings.ToUpper(name)] = true
	}
	var sides [2]*diffSide
	told := e.progress("MB read")
	for i, name := range []string{c.Old, c.New} {
		sides[i] = &diffSide{ignore: ignore, contexts: map[string]int{}}
		defer sides[i].close()
		err := e.eachInput([]string{name}, func(name string, r io.Reader) error {
			if err := eachPart(told.reading(r), sides[i]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
		if err == errFailed {
			err = fmt.Errorf("%s: not all of it could be read", name)
		}
		if err != nil {
			return statusError{exitTrouble, err}
		}
	}
	told.done()
	out := bufio.NewWriter(e.Out)
	encode := json.NewEncoder(out)
	encode.SetEscapeHTML(false)
	different := false
	var unwritten error
	err := compareSorted(sides[0], sides[1], func(d difference) {
		different = true
		var err error
		if c.JSON {
			err = encode.Encode(d)
		} else {
			_, err = fmt.Fprintln(out, d)
		}
		unwritten = cmp.Or(unwritten, err)
	})
	if err := errors.Join(err, unwritten, out.Flush()); err != nil {
		return statusError{exitTrouble, err}
	}
	if different {
		return errFailed
	}
	return nil
}

// difference is a line of output. Old and New are content lines, both empty
// where a whole component is on one side only.
type difference struct {
	Change       string `json:"change"`    // + - ~
	Component    string `json:"component"` // VEVENT, VEVENT/VALARM
	UID          string `json:"uid,omitempty"`
	RecurrenceID string `json:"recurrence-id,omitempty"`
	Property     string `json:"property,omitempty"`
	Old          string `json:"old,omitempty"`
	New          string `json:"new,omitempty"`
}

// String is the line for people; octets that could move a terminal's cursor
// are escaped.
func (d difference) String() string {
	var b strings.Builder
	b.WriteString(d.Change + " " + d.Component)
	for _, s := range []string{d.UID, d.RecurrenceID} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if d.Property != "" {
		b.WriteString(": " + d.Old)
		if d.Change == "~" {
			b.WriteString(" -> ")
		}
		b.WriteString(d.New)
	}
	var safe strings.Builder
	for _, r := range b.String() {
		if unicode.IsControl(r) {
			safe.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		} else {
			safe.WriteRune(r)
		}
	}
	return safe.String()
}

// compared is a component reduced to what it means.
type compared struct {
	path, uid, recurrenceID string
	items                   map[string][]item // by property name
	parts                   map[string][]*compared
	sum                     string // equal where the meaning is
}

// item is a property, or one value of a list that has no order.
type item struct {
	line, sum, pair string // as it stands, what it means, what it is recognised by when it changed
}

// compareSides reports components in the order of their names, UIDs and
// RECURRENCE-IDs.
func compareSides(before, after map[string][]*compared, report func(difference)) {
	for _, key := range sortedKeys(before, after) {
		comparePairs(before[key], after[key], report)
	}
}

// comparePairs compares components of one key: the same ones first, the rest
// in order.
func comparePairs(before, after []*compared, report func(difference)) {
	before, after = unmatched(before, after, func(c *compared) string { return c.sum })
	for len(before) > 0 && len(after) > 0 {
		before[0].compare(after[0], report)
		before, after = before[1:], after[1:]
	}
	for _, c := range before {
		report(c.difference("-"))
	}
	for _, c := range after {
		report(c.difference("+"))
	}
}

// unmatched takes out what has a partner with the same sum.
func unmatched[T any](before, after []T, sum func(T) string) (old, fresh []T) {
	count := map[string]int{}
	for _, b := range after {
		count[sum(b)]++
	}
	for _, a := range before {
		if count[sum(a)] > 0 {
			count[sum(a)]--
		} else {
			old = append(old, a)
		}
	}
	for _, b := range slices.Backward(after) { // of equal ones the last are left
		if count[sum(b)] > 0 {
			count[sum(b)]--
			fresh = append(fresh, b)
		}
	}
	slices.Reverse(fresh)
	return old, fresh
}

func (c *compared) difference(change string) difference {
	return difference{Change: change, Component: c.path, UID: c.uid, RecurrenceID: c.recurrenceID}
}

func (c *compared) compare(d *compared, report func(difference)) {
	for _, name := range sortedKeys(c.items, d.items) {
		before, after := unmatched(c.items[name], d.items[name], func(i item) string { return i.sum })
		tell := func(change string, old, fresh item) {
			t := c.difference(change)
			t.Property, t.Old, t.New = name, old.line, fresh.line
			report(t)
		}
		partners := map[string][]item{}
		for _, b := range after {
			partners[b.pair] = append(partners[b.pair], b)
		}
		for _, a := range before {
			if b := partners[a.pair]; len(b) > 0 {
				partners[a.pair] = b[1:]
				tell("~", a, b[0])
			} else {
				tell("-", a, item{})
			}
		}
		for _, pair := range sortedKeys(partners) {
			for _, b := range partners[pair] {
				tell("+", item{}, b)
			}
		}
	}
	compareSides(c.parts, d.parts, report)
}

func sortedKeys[V any](list ...map[string]V) (keys []string) {
	for _, m := range list {
		keys = slices.AppendSeq(keys, maps.Keys(m))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// meaning reduces the components of one calendar: TZIDs mean nothing outside
// of it.
type meaning struct {
	zones  *tz.Resolver
	ignore map[string]bool
	known  map[zoneYear]string
}

func (m meaning) component(s *ical.Component, within string) *compared {
	c := &compared{path: within + s.Name, uid: s.Text("UID"), recurrenceID: s.Value("RECURRENCE-ID"),
		items: map[string][]item{}, parts: map[string][]*compared{}}
	for _, p := range s.Properties {
		if name := p.Name(); !m.ignore[name] {
			c.items[name] = append(c.items[name], m.items(p)...)
		}
	}
	for _, sub := range s.Components {
		part := m.component(sub, c.path+"/")
		// Alarms have a UID (RFC 9074 4) or are told apart by what they say.
		key := sub.Name + "\x00" + part.uid
		c.parts[key] = append(c.parts[key], part)
	}
	var sums []string
	for name, items := range c.items {
		for _, i := range items {
			if i.sum != "" {
				sums = append(sums, name+i.sum)
			}
		}
	}
	for key, parts := range c.parts {
		for _, p := range parts {
			sums = append(sums, key+p.sum)
		}
	}
	slices.Sort(sums)
	// Quoted, so that two lists never read as one.
	c.sum = fmt.Sprintf("%q", sums)
	return c
}

// identity is the RECURRENCE-ID as a moment, so that an override is found
// whatever zone its id is written in.
func (m meaning) identity(s *ical.Component) string {
	p := s.Prop("RECURRENCE-ID")
	if p == nil {
		return ""
	}
	t, err := p.Time()
	if err != nil {
		return p.Value()
	}
	return m.moment(t)
}

// moment writes a time so that equal moments are equal.
func (m meaning) moment(t ical.Time) string {
	if t.Kind == ical.Zoned {
		t = ical.UTCTime(m.zones.Instant(t))
	}
	return t.String()
}

// when is a moment with the clock reading and the zone's rules: a series in
// UTC and one in a zone part ways when the clocks change.
func (m meaning) when(t ical.Time) string {
	if t.Kind != ical.Zoned {
		return t.String()
	}
	return t.String() + " " + m.moment(t) + " " + m.rules(t.TZID, t.Wall.Year())
}

type zoneYear struct {
	tzid string
	year int
}

// rules tells zones apart by their offsets from UTC in a year and the next,
// whatever their names.
func (m meaning) rules(tzid string, year int) string {
	zone := m.zones.Find(tzid)
	if zone == nil {
		return tzid
	}
	key := zoneYear{tzid, year}
	if known, ok := m.known[key]; ok {
		return known
	}
	var b strings.Builder
	at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	_, offset := zone.Wall(at)
	fmt.Fprint(&b, offset)
	for end := at.AddDate(2, 0, 0); at.Before(end); at = at.Add(24 * time.Hour) {
		_, next := zone.Wall(at.Add(24 * time.Hour))
		if next == offset {
			continue
		}
		second := sort.Search(24*60*60, func(i int) bool {
			_, o := zone.Wall(at.Add(time.Duration(i) * time.Second))
			return o != offset
		})
		fmt.Fprint(&b, " ", at.Unix()+int64(second), " ", next)
		offset = next
	}
	m.known[key] = b.String()
	return b.String()
}

// defaultValues are the values that absence means (RFC 5545 3.8, 3.7.1).
var defaultValues = map[string]string{
	"CALSCALE": "GREGORIAN", "TRANSP": "OPAQUE", "CLASS": "PUBLIC", "PRIORITY": "0", "SEQUENCE": "0",
}

// defaultParams are the parameter values that absence means (RFC 5545 3.2).
var defaultParams = map[string]string{
	"CUTYPE": "INDIVIDUAL", "PARTSTAT": "NEEDS-ACTION", "ROLE": "REQ-PARTICIPANT", "RSVP": "FALSE", "RELATED": "START",
	"RELTYPE": "PARENT", "FBTYPE": "BUSY", "ENCODING": "8BIT", "SCHEDULE-AGENT": "SERVER",
}

// items gives what a property says: one item, one a value where the property
// is a list without order, none where it says what its absence would.
func (m meaning) items(p *ical.Property) []item {
	name := p.Name()
	line := name + rawParams(p) + ":"
	params := m.params(p)
	one := func(sum, pair string) []item { return []item{{line + p.Value(), params + ":" + sum, pair}} }
	def, known := ical.LookupProperty(name)
	kind := strings.ToUpper(p.Param("VALUE"))
	if kind == "" && known {
		kind = def.Default()
	}
	if !known || !def.Allows(kind) {
		return one(p.Value(), "")
	}
	switch kind {
	case ical.DateTime, ical.DateType:
		if times, err := p.Times(); err == nil && len(times) > 0 {
			if name == "RECURRENCE-ID" {
				return one(m.moment(times[0]), "") // names an occurrence, as identity does
			}
			return m.times(times, line, params, def.List)
		}
	case ical.PeriodType:
		if periods, err := p.Periods(); err == nil {
			var list []item
			for _, q := range periods {
				list = append(list, item{line + q.String(), params + ":" + m.when(q.Start) + "/" + strings.TrimPrefix(q.String(), q.Start.String()), q.String()})
			}
			return list
		}
	case ical.Recur:
		if r, err := recur.ParseRule(p.Value()); err == nil {
			return one(canonicalRule(r), "")
		}
	case ical.DurationType:
		if d, err := p.Duration(); err == nil {
			return one(d.String(), "")
		}
	case ical.CalAddress:
		return one(p.Address().Key(), p.Address().Key())
	case ical.Integer:
		if n, err := p.Int(); err == nil && defaultValues[name] != strconv.Itoa(n) {
			return one(strconv.Itoa(n), "")
		} else if err == nil {
			return nil
		}
	case ical.Text:
		if def.List {
			var list []item
			for _, text := range p.TextList() {
				list = append(list, item{line + ical.EscapeText(text), params + ":" + text, text})
			}
			return list
		}
		if text := p.Text(); text != defaultValues[name] || text == "" {
			return one(text, "")
		}
		return nil
	}
	return one(p.Value(), "")
}

// times gives the items of dates and times. An EXDATE or RDATE is known by its
// moment; a property with one time is known by its name.
func (m meaning) times(times []ical.Time, line, params string, list bool) (items []item) {
	for _, t := range times {
		i := item{line: line + t.String(), sum: params + ":" + m.when(t)}
		if list {
			i.pair = m.moment(t)
		}
		items = append(items, i)
	}
	return items
}

// rawParams writes the parameters as a content line has them.
func rawParams(p *ical.Property) string {
	var b strings.Builder
	for name, values := range p.Params() {
		sep := "="
		b.WriteString(";" + name)
		for _, v := range values {
			if strings.ContainsAny(v, ":;,") {
				v = `"` + v + `"`
			}
			b.WriteString(sep + v)
			sep = ","
		}
	}
	return b.String()
}

// params are the parameters in the order of their names, without defaults and
// without TZID, which counts by the zone it names.
func (m meaning) params(p *ical.Property) string {
	def, _ := ical.LookupProperty(p.Name())
	var list []string
	for name, values := range p.Params() {
		value := strings.Join(values, "\x00")
		switch {
		case name == "TZID" && def != nil:
			continue
		case name == "VALUE" && def != nil && strings.EqualFold(value, def.Default()):
			continue
		case name == "VALUE":
			value = strings.ToUpper(value)
		case defaultParams[name] != "" && strings.EqualFold(value, defaultParams[name]):
			continue
		}
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return fmt.Sprintf("%q", list)
}

// canonicalRule writes a rule so that rules with the same parts are equal
// whatever their order.
func canonicalRule(r *recur.Rule) string {
	for _, list := range []*[]int{&r.BySecond, &r.ByMinute, &r.ByHour, &r.ByMonthDay, &r.ByYearDay, &r.ByWeekNo, &r.ByMonth, &r.ByLeapMonth, &r.BySetPos} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortFunc(r.ByDay, func(a, b recur.WeekdayNum) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Ordinal, b.Ordinal))
	})
	r.ByDay = slices.Compact(r.ByDay)
	r.HasWKST = r.WKST != time.Monday
	return r.String()
}
