package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
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

// requests reports whether a change goes out as a REQUEST about the component.
// Occurrences taken out by EXDATE are cancelled one by one; all other changes of
// the pattern need the new master. So does what an EXDATE no longer takes out.
func (d *delta) requests() bool {
	switch {
	case d.class&(significant&^pattern) != 0:
		return true
	case d.class&pattern == 0:
		return false
	}
	return len(d.removed) == 0 || len(d.restored) > 0 || slices.ContainsFunc(d.diffs, func(x Difference) bool { return x.Property == "RRULE" || x.Property == "RDATE" })
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

// comparePattern compares how two series repeat: rules by what they say, EXDATE
// and RDATE by the occurrences that they take out and put in.
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
	if head := beforeValue(p); head != "" && head == beforeValue(q) {
		return true // as they were read
	}
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

// beforeValue is what was read of a line before its value, "" where it is not in
// one piece.
func beforeValue(p *ical.Property) string {
	head, ok := strings.CutSuffix(strings.TrimRight(p.Raw(), "\r\n"), p.Value())
	if !ok {
		return ""
	}
	return head
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
