package itip

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// class is what a change of a property means for the other people.
type class uint8

const (
	reschedule class = 1 << iota // the time: SEQUENCE+1, everyone is asked again (RFC 6638 3.2.8)
	state                        // STATUS: SEQUENCE+1 (RFC 5546 2.1.4)
	place                        // LOCATION: SEQUENCE+1, answers stay
	details                      // text and the like: told, no new SEQUENCE
	pattern                      // RRULE, RDATE, EXDATE differ: SEQUENCE+1; asked again only if occurrences were added
)

const (
	significant = reschedule | state | place | details | pattern
	sequenced   = reschedule | state | place | pattern // RFC 5546 2.1.4
)

// reader makes the comparable form of a property of a component.
type reader func(o *object, c *ical.Component, name string) string

// compared has a row for each property whose change others are told of. What
// has no row (alarms, TRANSP, COLOR, CATEGORIES, COMMENT, X-, time stamps) is
// the business of the owner alone. ATTENDEE is compared by rosters.
var compared = []struct {
	name  string
	class class
	read  reader
}{
	{"DTSTART", reschedule, startOf},
	{"DTEND", reschedule, endOf}, // DURATION is read as an end
	{"DUE", reschedule, dueOf},
	{"STATUS", state, statusOf},
	{"SUMMARY", details, textOf},
	{"LOCATION", place, textOf},
	{"DESCRIPTION", details, textOf},
	{"URL", details, rawOf},
	{"CONFERENCE", details, listOf},
	{"ATTACH", details, listOf},
	{"GEO", details, rawOf},
	{"PRIORITY", details, priorityOf},
	{"RESOURCES", details, listOf},
	{"CLASS", details, classOf},
	{"CONTACT", details, listOf},
}

// delta is what became of one component.
type delta struct {
	class class
	diffs []Difference
	// of a master whose pattern changed:
	restored []string // occurrences that an EXDATE had taken out
	removed  []string // occurrences that an EXDATE takes out now
	added    bool     // occurrences that were not there before, otherwise than by EXDATE
}

// compare finds what changed from a component of one object to one of another.
// Both forms are normalised first, so that what a client merely writes
// differently (DURATION for DTEND, another name of a zone, the order of a
// rule's parts) is no change.
func compare(old *object, a *ical.Component, new *object, b *ical.Component) delta {
	var d delta
	if a == nil || b == nil || identical(a, b) {
		return d
	}
	key := new.keyOf(b)
	for _, row := range compared {
		if row.name == "DUE" && b.Name != "VTODO" || row.name == "DTEND" && b.Name == "VTODO" {
			continue
		}
		if sameLines(a, b, row.name) && row.name != "DTEND" && row.name != "DUE" {
			continue
		}
		was, is := row.read(old, a, row.name), row.read(new, b, row.name)
		if was == is {
			continue
		}
		d.class |= row.class
		d.diffs = append(d.diffs, Difference{Property: row.name, Old: shown(was), New: shown(is), RecurrenceID: key})
	}
	if key == "" {
		comparePattern(&d, old, a, new, b)
	}
	return d
}

// shown drops what is only there to compare (the zone of a series' start).
func shown(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

func comparePattern(d *delta, old *object, a *ical.Component, new *object, b *ical.Component) {
	rules := !sameLines(a, b, "RRULE") && rulesOf(a) != rulesOf(b)
	exrules := !sameLines(a, b, "EXRULE") && listOf(old, a, "EXRULE") != listOf(new, b, "EXRULE")
	var outOld, outNew, inOld, inNew map[string]bool
	if !sameLines(a, b, "EXDATE") {
		outOld, outNew = old.times(a, "EXDATE"), new.times(b, "EXDATE")
	}
	if !sameLines(a, b, "RDATE") {
		inOld, inNew = old.times(a, "RDATE"), new.times(b, "RDATE")
	}
	// An EXDATE that hits no occurrence says nothing; neither does one for an
	// occurrence that the rule no longer yields.
	var removed, restored []string
	for k := range outNew {
		if !outOld[k] && old.inSeries(k) {
			removed = append(removed, k)
		}
	}
	for k := range outOld {
		if !outNew[k] && new.inSeries(k) && !old.inSeries(k) {
			restored = append(restored, k)
		}
	}
	slices.Sort(removed)
	slices.Sort(restored)
	dates := false
	for k := range inNew {
		dates = dates || !inOld[k]
	}
	lost := false
	for k := range inOld {
		lost = lost || !inNew[k]
	}
	if !rules && !exrules && !dates && !lost && len(removed) == 0 && len(restored) == 0 {
		return
	}
	grew, shrank := growth(old, new)
	if d.class&reschedule == 0 && !grew && !shrank {
		return // another way to write the same occurrences
	}
	d.class |= pattern
	d.removed, d.restored = removed, restored
	if rules || exrules || dates {
		d.added = grew && !onlyRestored(old, new, restored)
	}
	if d.added {
		d.class |= reschedule
	}
	if rules {
		d.diffs = append(d.diffs, Difference{Property: "RRULE", Old: ruleText(a), New: ruleText(b)})
	}
	for _, k := range removed {
		d.diffs = append(d.diffs, Difference{Property: "EXDATE", New: k})
	}
	for _, k := range restored {
		d.diffs = append(d.diffs, Difference{Property: "EXDATE", Old: k})
	}
	for k := range sorted(inNew) {
		if !inOld[k] {
			d.diffs = append(d.diffs, Difference{Property: "RDATE", New: k})
		}
	}
	for k := range sorted(inOld) {
		if !inNew[k] {
			d.diffs = append(d.diffs, Difference{Property: "RDATE", Old: k})
		}
	}
}

// compareOccurrences bounds how many occurrences of two series are compared;
// beyond them the rules are taken at their word.
const compareOccurrences = 500

// growth says whether the new series has occurrences that the old one had not,
// and the reverse.
func growth(old, new *object) (grew, shrank bool) {
	a, b := old.bare(), new.bare()
	if a == nil || b == nil {
		return true, true
	}
	was, wasAll := starts(a, old)
	is, isAll := starts(b, new)
	// Compare as far as both are known.
	horizon := ""
	if !wasAll {
		horizon = was[len(was)-1]
	}
	if !isAll && (horizon == "" || is[len(is)-1] < horizon) {
		horizon = is[len(is)-1]
	}
	known := func(k string) bool { return horizon == "" || k <= horizon }
	wasSet, isSet := map[string]bool{}, map[string]bool{}
	for _, k := range was {
		wasSet[k] = true
	}
	for _, k := range is {
		isSet[k] = true
		grew = grew || known(k) && !wasSet[k]
	}
	for _, k := range was {
		shrank = shrank || known(k) && !isSet[k]
	}
	return grew || wasAll && !isAll, shrank || isAll && !wasAll
}

// starts are the keys of the first occurrences, and whether these are all.
func starts(s *recur.Set, o *object) (list []string, all bool) {
	for occ := range s.All() {
		if len(list) == compareOccurrences {
			return list, false
		}
		list = append(list, o.key(occ.ID, o.zones))
	}
	return list, s.Err() == nil || len(list) == 0
}

func onlyRestored(old, new *object, restored []string) bool {
	if len(restored) == 0 {
		return false
	}
	was, _ := starts(old.bare(), old)
	is, _ := starts(new.bare(), new)
	for _, k := range is {
		if !slices.Contains(was, k) && !slices.Contains(restored, k) {
			return false
		}
	}
	return true
}

// identical is the quick test: the same lines in the same order.
func identical(a, b *ical.Component) bool {
	if a == b {
		return true
	}
	if len(a.Properties) != len(b.Properties) {
		return false
	}
	for i, p := range a.Properties {
		if !sameLine(p, b.Properties[i]) {
			return false
		}
	}
	return true
}

func sameLine(p, q *ical.Property) bool {
	if p == q {
		return true
	}
	if r := p.Raw(); r != "" && r == q.Raw() {
		return true
	}
	return p.Name() == q.Name() && p.Value() == q.Value() && sameParams(p, q)
}

func sameParams(p, q *ical.Property) bool {
	type param struct {
		name   string
		values []string
	}
	var pool [8]param
	list := pool[:0]
	for n, v := range q.Params() {
		list = append(list, param{n, v})
	}
	i := 0
	for n, v := range p.Params() {
		if i >= len(list) || list[i].name != n || !slices.Equal(list[i].values, v) {
			return false
		}
		i++
	}
	return i == len(list)
}

// sameLines reports whether all lines of a name are the same in both.
func sameLines(a, b *ical.Component, name string) bool {
	var pool [4]*ical.Property
	list := pool[:0]
	for q := range b.Props(name) {
		list = append(list, q)
	}
	i := 0
	for p := range a.Props(name) {
		if i >= len(list) || !sameLine(p, list[i]) {
			return false
		}
		i++
	}
	return i == len(list)
}

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

// canonicalRule sorts a rule's parts and lists and drops its defaults.
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
func ruleText(c *ical.Component) string {
	p := c.Prop("RRULE")
	if p == nil {
		return ""
	}
	r, err := recur.ParseRule(p.Value())
	if err != nil {
		return p.Value()
	}
	return r.Text()
}

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
