package itip

import (
	"bytes"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// merging puts a newer REQUEST and the stored copy together.
type merging struct {
	p        *applying
	old, new *object
	moved    map[string]bool // components whose time changed
	resend   []string        // components whose answer the organizer does not have
	class    class
	roster   bool
	diffs    []Difference
}

func (m *merging) merge(fresh map[string]bool) {
	m.moved = map[string]bool{}
	m.zones()
	if fresh[""] {
		m.series()
	}
	for _, k := range m.p.msg.order {
		if fresh[k] {
			m.occurrence(k)
		}
	}
	if fresh[""] {
		m.hide()
	}
	m.spread()
	m.new.leaveSeries()
	if m.p.handedOver() {
		is := m.p.msg.organizer(nil)
		m.class |= details
		m.diffs = append(m.diffs, Difference{Property: "ORGANIZER", Old: organizerName(m.old), New: organizerName(m.p.msg)})
		for _, c := range m.new.cal.Main() {
			if org := c.Prop("ORGANIZER"); org != nil && org.Address().Key() != is.Address().Key() {
				*org = *is.Clone()
			}
		}
	}
	m.new.index()
	tz.Complete(m.new.cal, tz.NewResolver(m.new.cal, m.p.a.Zone))
}

// zones: the message's definitions replace those of the same name (each object
// has its own zones; RFC 5545 3.6.5) (REQ-14).
func (m *merging) zones() {
	for _, z := range m.p.a.Message.Components {
		if z.Name != "VTIMEZONE" {
			continue
		}
		id := z.Value("TZID")
		at := slices.IndexFunc(m.new.cal.Components, func(c *ical.Component) bool {
			return c.Name == "VTIMEZONE" && c.Value("TZID") == id
		})
		switch {
		case at < 0:
			m.new.cal.Components = slices.Insert(m.new.cal.Components, 0, z.Clone())
		case !bytes.Equal(m.new.cal.Components[at].Bytes(), z.Bytes()):
			m.new.cal.Components[at] = z.Clone()
		}
	}
	m.new.zones = tz.NewResolver(m.new.cal, m.p.a.Zone)
}

// series replaces the master, and decides about the overrides the message does
// not mention (RFC 5546 4.4.7) (REC-02).
func (m *merging) series() {
	p := m.p
	is := p.msg.master
	was := m.old.master
	seen := version(is, p.a.Received)
	got := is.Clone()
	p.receive(got)
	if was != nil {
		if sequence(is) == m.sequenceOf("") {
			keepTimes(got, was)
		}
		o := m.without(got)
		d := compare(o, o.master, m.view(got), got)
		m.note("", d, was, got)
		m.own(got, was, m.moved[""])
		m.replace(was, got)
	} else {
		// Occurrences came first, the series now.
		m.new.add(got)
		m.class |= details
	}
	if m.moved[""] || was == nil {
		if m.moved[""] {
			for k := range p.mem.Hidden {
				delete(p.mem.Dropped, k)
			}
			p.mem.Hidden = nil
		}
		p.mem.Base = seen.Sequence
	}
	put(&p.mem.Versions, "", seen)
	m.new.index()
	m.overrides(seen)
	m.new.index()
}

// without is the stored copy as the organizer may know it: without the EXDATEs
// that stand for what the user hid and for cancellations that are newer than
// this master.
func (m *merging) without(got *ical.Component) *object {
	p := m.p
	back := map[string]bool{}
	for k := range p.mem.Hidden {
		back[k] = true
	}
	for k, v := range p.mem.Versions {
		if k != "" && v.Cancelled && v.Sequence >= sequence(got) {
			back[k] = true
		}
	}
	if len(back) == 0 {
		return m.old
	}
	kept := m.view(got).times(got, "EXDATE")
	o := newObject(m.old.cal.Clone(), p.a.Zone)
	for k := range sorted(back) {
		if !kept[k] {
			unexclude(o, k)
		}
	}
	return o
}

// view is an object to read a component of the message in.
func (m *merging) view(c *ical.Component) *object {
	cal := without(m.p.a.Message, func(d *ical.Component) bool { return d.Name == c.Name })
	cal.Components = append(cal.Components, c)
	return newObject(cal, m.p.a.Zone)
}

func (m *merging) sequenceOf(k string) int {
	if v, ok := m.p.mem.Versions[k]; ok {
		return v.Sequence
	}
	return sequence(m.old.component(k))
}

// overrides decides what a new master does to the overrides it came without (REQ-06, REQ-07).
func (m *merging) overrides(master Version) {
	p := m.p
	var gone []*ical.Component
	var again, back []string
	for _, k := range m.new.order {
		c := m.new.overrides[k]
		if p.msg.overrides[k] != nil || p.mem.Versions[dayKey(c, k)].Sequence > master.Sequence && dayKey(c, k) != k {
			continue // the latter is of an all-day series yet to come
		}
		if !m.new.inSeries(k) {
			switch v := m.versionOf(k); {
			case v.compare(master) <= 0:
				gone = append(gone, c)
			case v.Sequence == master.Sequence: // we were asked to it later
				back = append(back, k)
			} // else it is of a series yet to come
			continue
		}
		v, sent := p.mem.Versions[k]
		switch {
		case sent && v.Sequence > master.Sequence, // sent after this master
			sent && v.Sequence == master.Sequence && p.mem.Piecewise && !dead(c): // or with it
			if dead(c) {
				gone = append(gone, c)
			}
		case m.moved[""]:
			gone = append(gone, c)
		case sent && p.mem.Piecewise && m.old.master != nil && !p.ourKind():
		case sent && p.ourKind() && m.old.master != nil && decided(m.ownAnswer(c)):
			gone = append(gone, c)
			again = append(again, k) // until it comes again
			put(&p.mem.Dropped, k, Dropped{PartStat: m.ownAnswer(c), Start: startOf(m.old, c, "DTSTART"), End: endOf(m.old, c, "")})
		case sent && m.old.master == nil && v.Sequence >= master.Sequence: // came before its series
		case m.old.master == nil:
			gone = append(gone, c)
			if decided(m.ownAnswer(c)) {
				again = append(again, k) // if it is at the same time
				put(&p.mem.Dropped, k, Dropped{PartStat: m.ownAnswer(c), Start: startOf(m.old, c, "DTSTART"), End: endOf(m.old, c, "")})
			}
		case m.ownAnswer(c) != m.ownAnswer(m.old.master):
			gone = append(gone, c)
			again = append(again, k) // our answer to that occurrence stands
		default:
			gone = append(gone, c)
		}
	}
	for _, k := range back {
		unexclude(m.new, k)
	}
	before := m.new.overrides
	kept := map[string]*ical.Component{}
	for _, k := range again {
		kept[k] = before[k]
	}
	for _, c := range gone {
		if dead(c) {
			kept[m.new.keyOf(c)] = nil
		}
	}
	if len(gone) > 0 {
		m.new.drop(gone...)
	}
	for k, c := range sorted(kept) {
		if c == nil {
			if v := p.mem.Versions[k]; v.Cancelled && v.Sequence > master.Sequence {
				m.new.exclude(k)
				m.new.index()
			}
			continue
		}
		d := m.new.derive(k)
		if _, dropped := p.mem.Dropped[k]; d == nil || dropped && compare(m.old, c, m.new, d).class&reschedule != 0 {
			continue
		}
		n := len(m.resend)
		m.own(d, c, false)
		m.resend = m.resend[:n] // nobody asked about this one
		m.new.add(d)
	}
	// Occurrences cancelled after this master was written stay cancelled.
	for k, v := range sorted(p.mem.Versions) {
		if k == "" || !v.Cancelled || m.new.overrides[k] != nil || p.msg.overrides[k] != nil {
			continue
		}
		if (v.Sequence > master.Sequence || p.mem.Piecewise && !m.moved[""] && v.Sequence == master.Sequence) && m.new.inSeries(k) {
			m.new.exclude(k)
			m.new.index()
		}
	}
}

// dayKey is the key a component has in an all-day series, where its id is a day;
// k otherwise.
func dayKey(c *ical.Component, k string) string {
	if t, err := c.Prop("RECURRENCE-ID").Time(); err == nil && t.IsDate() {
		return t.Wall.Format("20060102")
	}
	return k
}

func (m *merging) versionOf(k string) Version {
	if v, ok := m.p.mem.Versions[k]; ok {
		return v
	}
	return Version{Sequence: sequence(m.new.component(k))}
}

func (m *merging) ownAnswer(c *ical.Component) string {
	if c == nil {
		return ""
	}
	if line := m.p.me.line(c); line != nil {
		return partStat(line)
	}
	return ""
}

// occurrence replaces one override, or makes it (REQ-05, REC-12).
func (m *merging) occurrence(k string) {
	p := m.p
	is := p.msg.overrides[k]
	v := version(is, p.a.Received)
	if line := p.me.line(is); p.mem.Hidden[k] && line != nil && !p.mem.Versions[k].Cancelled {
		d, known := p.mem.Dropped[k]
		o := m.view(is)
		if partStat(line) == partStatDeclined || known && d.Start == startOf(o, is, "DTSTART") && d.End == endOf(o, is, "") {
			put(&p.mem.Versions, k, v) // the user took it out, and the organizer knows, or will
			return
		}
	}
	got := is.Clone()
	p.receive(got)
	if got.Prop("ORGANIZER") == nil {
		if org := m.old.organizer(nil); org != nil {
			got.Add(org.Clone()) // RFC 5546 4.4.8 forgets it
		}
	}
	was := m.old.overrides[k]
	base := was
	if base == nil {
		base = m.old.derive(k)
	}
	switch {
	case base != nil:
		if was != nil && sequence(is) == m.sequenceOf(k) {
			keepTimes(got, was)
		}
		d := compare(m.old, base, m.view(got), got)
		if dead(base) || p.mem.Versions[k].Cancelled {
			d.class |= reschedule // it takes place again
		}
		m.note(k, d, base, got)
		m.own(got, base, m.moved[k])
	default:
		// One the series did not have, or no longer.
		m.class |= details
		m.diffs = append(m.diffs, Difference{Property: "RDATE", New: k})
		if m.old.master != nil {
			if m.new.master != nil && !m.new.inSeries(k) {
				p.incomplete(p.stored) // RFC 5546 4.7.2: there is a version of the series we have not seen
			}
			m.moved[k] = true
			m.own(got, m.old.master, true)
		}
	}
	if d, ok := p.mem.Dropped[k]; ok {
		delete(p.mem.Dropped, k)
		o := m.view(got)
		if line := p.me.line(got); line != nil && d.Start == startOf(o, got, "DTSTART") && d.End == endOf(o, got, "") {
			delete(m.moved, k)
			if partStat(line) != d.PartStat {
				line.SetParam("PARTSTAT", d.PartStat)
			}
		}
	}
	if dead(got) {
		m.diffs = append(m.diffs, Difference{Property: "STATUS", New: stateCancelled, RecurrenceID: k})
	}
	if have := m.new.overrides[k]; have != nil {
		m.replace(have, got)
	} else {
		m.new.add(got)
	}
	line := p.me.line(got)
	if m.moved[k] && line != nil && decided(m.ownAnswer(m.new.master)) && m.misread(k, v) {
		m.resend = append(m.resend, k)
	}
	put(&p.mem.Versions, k, v)
	delete(p.mem.Hidden, k)
	if m.new.master != nil {
		unexclude(m.new, k)
	}
}

// misread reports whether the organizer may take our answer to the series for
// one to an occurrence that we did not know to have moved: we wrote it after
// this version of the occurrence, or it names a newer series than the version
// we had, and the move may lie between the two.
func (m *merging) misread(k string, v Version) bool {
	answer, given := m.p.mem.Answers[""]
	if !given {
		return false
	}
	had, known := m.p.mem.Versions[k]
	if !known { // it had moved before the version of the series that we answered
		return !answer.Stamp.Before(v.Stamp) || answer.Sequence >= v.Sequence && m.p.ourKind()
	}
	return !answer.Stamp.Before(v.Stamp) || answer.Sequence > had.Sequence
}

// unexclude takes an occurrence out of the master's EXDATEs.
func unexclude(o *object, k string) {
	if !o.times(o.master, "EXDATE")[k] {
		return
	}
	o.master.RemoveFunc(func(p *ical.Property) bool {
		if p.Name() != "EXDATE" {
			return false
		}
		list, err := p.Times()
		if err != nil {
			return false
		}
		left := slices.DeleteFunc(list, func(t ical.Time) bool { return o.key(t, o.zones) == k })
		if len(left) == 0 {
			return true
		}
		var values []string
		for _, t := range left {
			values = append(values, t.String())
		}
		p.SetValue(strings.Join(values, ","))
		return false
	})
	o.index()
}

// hide keeps out of the own copy what the user took out of it.
func (m *merging) hide() {
	if m.new.master == nil {
		return
	}
	for k := range sorted(m.p.mem.Hidden) {
		if m.new.inSeries(k) {
			if c := m.new.overrides[k]; c != nil {
				m.new.drop(c)
			}
			m.new.exclude(k)
			m.new.index()
		}
	}
}

// personal is what an attendee keeps of the own copy through every update.
var personal = set("TRANSP", "COLOR", "CATEGORIES", "CLASS", "COMPLETED", "PERCENT-COMPLETE", "COMMENT")

// finish says what became of it (REQ-12).
func (m *merging) finish() {
	p := m.p
	name := title(m.new)
	p.res.Changes = m.diffs
	p.resend(m)
	if sameContent(m.new.cal, p.stored.cal) {
		p.end(Unchanged, ReasonDuplicate, "%s is already as this message says.", name)
		return
	}
	m.new.cal.Normalize()
	p.res.Object = m.new.cal
	if m.class&significant == 0 {
		// RFC 6638 3.2.10: an inconsequential change.
		p.end(Applied, ReasonStatus, "The guest list of %s was brought up to date.", name)
		for _, d := range m.diffs {
			p.res.TagChanged = p.res.TagChanged || d.Property == "ATTENDEE"
		}
		return
	}
	p.res.TagChanged, p.res.Notify = true, true
	p.end(Applied, ReasonUpdated, "%s changed %s.%s%s", organizerName(m.new), name, sentences(m.diffs, p.a.Zone), p.incompleteNote())
}

// spread writes a change of all later occurrences out, where they have an end (REC-05).
func (m *merging) spread() {
	c := m.new.hasRange()
	if c == nil {
		return
	}
	first := m.new.keyOf(c)
	from := m.p.mem.Versions[first]
	var gone []*ical.Component
	for _, k := range m.new.order {
		if k > first && m.p.mem.Spread[k] { // written out of an earlier range, which this one replaces
			gone = append(gone, m.new.overrides[k])
		}
	}
	if len(gone) > 0 {
		m.new.drop(gone...)
	}
	made, _ := m.new.spread()
	if slices.Contains(m.resend, first) {
		m.resend = append(m.resend, made...)
	}
	for _, k := range append(made, first) {
		put(&m.p.mem.Versions, k, from)
		put(&m.p.mem.Spread, k, true)
		delete(m.p.mem.Hidden, k)
	}
}

// resend answers again where the organizer lost our answer (REQ-04).
func (p *applying) resend(m *merging) {
	if len(m.resend) == 0 {
		return
	}
	org := m.new.organizer(nil)
	if org == nil || agent(org) != "SERVER" {
		return
	}
	to := reachable(org, p.a.Local)
	if to == "" {
		return
	}
	l := letter{o: m.new, stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}
	if slices.Contains(m.resend, "") {
		// The answer to the series must not be read as one to occurrences that
		// the user has yet to answer.
		for _, k := range m.new.order {
			c := m.new.overrides[k]
			if line := p.me.line(c); line != nil && !dead(c) && partStat(line) == partStatNeeds && !slices.Contains(m.resend, k) {
				m.resend = append(m.resend, k)
			}
		}
	}
	var together []*ical.Component // answers to what came as one change
	var from ical.Address
	flush := func() {
		if len(together) == 0 {
			return
		}
		key := ""
		if len(together) == 1 {
			key = m.new.keyOf(together[0])
		}
		p.res.Send = append(p.res.Send, l.message(Reply, from, to, key, l.calendar(Reply, together...)))
		together = nil
	}
	for _, k := range m.resend {
		c := m.new.component(k)
		if c == nil {
			continue
		}
		if !p.mem.Spread[k] {
			flush()
		}
		line := p.me.line(c)
		from = line.Address()
		r := l.reply(c, line, sequence(c), partStat(line), nil)
		if partStat(line) == partStatDelegated {
			for _, d := range person(line).DelegatedTo {
				if q := (people{d.Key(): true}).line(c); q != nil {
					r.Add(outwardAttendee(q))
				}
			}
		}
		together = append(together, r)
		put(&p.mem.Answers, k, Version{Sequence: sequence(c), Stamp: l.stamp})
		if !p.mem.Spread[k] {
			flush()
		}
	}
	flush()
}
