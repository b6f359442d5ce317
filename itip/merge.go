package itip

import (
	"bytes"
	"slices"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// merging puts a newer REQUEST and the stored copy together.
type merging struct {
	p        *applying
	old, new *object
	fresh    map[string]bool            // components of the message that are newer than what is here
	moved    map[string]bool            // components whose time changed
	kept     map[string]bool            // occurrences left out of the series for another of the owner's addresses only
	absent   map[string]*ical.Component // what is declined and not in the copy
	resend   []string                   // components whose answer the organizer does not have
	class    class
	roster   bool
	diffs    []Difference
}

func (m *merging) merge(fresh map[string]bool) {
	m.fresh, m.moved = fresh, map[string]bool{}
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
	seen := p.version(is)
	got := is.Clone()
	p.receive(got)
	if was != nil {
		if sequence(is) == m.sequenceOf("") {
			keepTimes(got, was)
		}
		o := m.without(got)
		d := compare(o, o.master, m.view(got), got)
		if d.class&reschedule == 0 && len(d.removed) > 0 {
			if m.kept = m.twofold(got); len(m.kept) > 0 {
				m.readmit(got)
				d = compare(o, o.master, m.view(got), got)
			}
		}
		p.mem.Twofold = m.kept
		m.note("", d, was, got)
		m.own(got, was, m.moved[""])
		m.replace(was, got)
	} else {
		// Occurrences came first, the series now.
		m.kept = m.twofold(got)
		m.readmit(got)
		m.new.add(got)
		m.class |= details
	}
	if m.moved[""] || was == nil {
		if m.moved[""] {
			for k := range p.mem.Hidden {
				if v, sent := p.mem.Versions[k]; !sent || v.Cancelled || v.Sequence < seen.Sequence { // else it is taken out of what takes place from now on
					delete(p.mem.Hidden, k)
					delete(p.mem.Dropped, k)
				}
			}
		}
		p.mem.Base = seen.Sequence
	}
	skipped := was != nil && seen.Sequence > m.sequenceOf("")+1 // at least one version has not come
	put(&p.mem.Versions, "", seen)
	m.new.index()
	m.overrides(seen)
	m.new.index()
	if skipped && !m.moved[""] && asksAgain(p.me.line(is)) {
		m.missed(seen)
	}
}

// missed answers again for single occurrences that the user answered by
// themselves: a version of the series in between has not come, with which it may
// have moved, or the user may have been taken off. It is as before, so the
// answers are too; but the organizer opened them.
func (m *merging) missed(series Version) {
	for _, k := range m.new.order {
		at, told := m.p.mem.Answers[k]
		if c := m.new.overrides[k]; told && at.Sequence < series.Sequence && m.p.derived(k) && !m.fresh[k] && !dead(c) && decided(m.ownAnswer(c)) {
			setSequence(c, max(sequence(c), series.Sequence))
			m.resend = append(m.resend, k)
		}
	}
	for k := range sorted(m.p.mem.Hidden) {
		at, told := m.p.mem.Answers[k]
		if !told || at.Sequence >= series.Sequence || m.fresh[k] || m.new.overrides[k] != nil || !m.new.inSeries(k) {
			continue
		}
		if c := m.new.derive(k); c != nil {
			setSequence(c, series.Sequence)
			m.declineAgain(k, c)
		}
	}
}

// readmit takes what is kept out of the EXDATEs of a master.
func (m *merging) readmit(got *ical.Component) {
	o := m.view(got)
	for k := range sorted(m.kept) {
		unexclude(o, k)
	}
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
	p.end(Applied, ReasonUpdated, "%s changed %s.%s%s%s", organizerName(m.new), name, sentences(m.diffs, p.a.Zone), p.incompleteNote(), p.floatingNote())
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
		// the user has yet to answer, or has answered otherwise.
		whole := m.ownAnswer(m.new.master)
		for _, k := range m.new.order {
			c := m.new.overrides[k]
			if line := p.me.line(c); line != nil && !dead(c) && partStat(line) != whole && !slices.Contains(m.resend, k) {
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
			c = m.absent[k]
		}
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
