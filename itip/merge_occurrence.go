package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

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

// overrides decides what a new master does to the overrides it came without (REQ-06, REQ-07).
func (m *merging) overrides(master Version) {
	p := m.p
	m.single(master)
	var gone []*ical.Component
	var again, back []string
	for _, k := range m.new.order {
		c := m.new.overrides[k]
		if own := m.ownKey(c, k); p.msg.overrides[k] != nil || own != k && p.mem.Versions[own].Sequence > master.Sequence {
			continue // the latter is of a series yet to come, which is all-day again, or timed
		}
		if m.kept[k] {
			continue
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
		case m.ownAnswer(c) != m.ownAnswer(m.old.master), m.answeredApart(k, c):
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
		if k == "" || !v.Cancelled || m.new.overrides[k] != nil || m.fresh[k] {
			continue
		}
		if (v.Sequence > master.Sequence || p.mem.Piecewise && !m.moved[""] && v.Sequence == master.Sequence) && m.new.inSeries(k) {
			m.new.exclude(k)
			m.new.index()
		}
	}
}

// answeredApart reports whether the user answered an occurrence by itself, at the
// times it still has: an answer to the series does not change that some day.
func (m *merging) answeredApart(k string, c *ical.Component) bool {
	at, told := m.p.mem.Answers[k]
	return told && at.Sequence >= m.p.mem.Base && decided(m.ownAnswer(c))
}

// single leaves one component for each occurrence, beside those of a series yet to
// come: where it became all-day, two may have been at different hours of a day.
func (m *merging) single(master Version) {
	if len(m.new.cal.Main()) == len(m.new.keys()) {
		return
	}
	best := map[string]*ical.Component{}
	var gone []*ical.Component
	for _, c := range m.new.cal.Main() {
		k := m.new.keyOf(c)
		is, have := c, best[k]
		if have != nil && (sequence(have) > sequence(is) || sequence(have) == sequence(is) && otherForm(is, m.new)) {
			is, have = have, is
		}
		if best[k] = is; have != nil && sequence(have) <= master.Sequence {
			gone = append(gone, have)
		}
	}
	if len(gone) > 0 {
		m.new.drop(gone...)
	}
}

// otherForm reports whether a component is of a series that is all-day where o is
// timed, or timed where o is all-day, as its id says.
func otherForm(c *ical.Component, o *object) bool {
	id := c.Prop("RECURRENCE-ID")
	if id == nil {
		return false
	}
	t, err := id.Time()
	return err == nil && t.IsDate() != o.allDay
}

// ownKey is the key of a component in a series of the form that its id has; k
// where the series is of that form.
func (m *merging) ownKey(c *ical.Component, k string) string {
	t, err := c.Prop("RECURRENCE-ID").Time()
	switch {
	case err != nil || !otherForm(c, m.new):
		return k
	case t.IsDate():
		return t.Wall.Format("20060102")
	}
	return instantKey(m.new.zones.Instant(t))
}

// occurrence replaces one override, or makes it (REQ-05, REC-12).
func (m *merging) occurrence(k string) {
	p := m.p
	is := p.msg.overrides[k]
	v := p.version(is)
	if line := p.me.line(is); p.mem.Hidden[k] && line != nil && !p.mem.Versions[k].Cancelled {
		d, known := p.mem.Dropped[k]
		o := m.view(is)
		if partStat(line) == partStatDeclined || known && d.Start == startOf(o, is, "DTSTART") && d.End == endOf(o, is, "") {
			put(&p.mem.Versions, k, v) // the user took it out, and the organizer knows, or will
			if at, told := p.mem.Answers[k]; told && v.Sequence > at.Sequence && asksAgain(line) {
				m.declineAgain(k, is) // it moved there and back, say, and the organizer opened the answer
			}
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
		if was, answer := p.mem.Versions[k], p.mem.Answers[k]; dead(base) || was.Cancelled && answer.Sequence <= was.Sequence {
			d.class |= reschedule // it takes place again, and we have not said so already to its series
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
			all := p.me.line(m.new.master)
			passed := all != nil && partStat(all) == partStatDelegated && p.mem.Answers[""].Stamp.After(p.mem.Answers[k].Stamp)
			switch {
			case passed: // with the series, since that answer
				copyParams(line, all, "PARTSTAT", "DELEGATED-TO")
			case partStat(line) != d.PartStat:
				line.SetParam("PARTSTAT", d.PartStat)
			}
			if !passed && asksAgain(p.me.line(is)) && !slices.Contains(m.resend, k) {
				m.resend = append(m.resend, k)
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

// declineAgain answers for an occurrence that is not in the copy any more.
func (m *merging) declineAgain(k string, is *ical.Component) {
	c := is.Clone()
	m.p.receive(c)
	if line := m.p.me.line(c); line != nil {
		line.SetParam("PARTSTAT", partStatDeclined)
		put(&m.absent, k, c)
		m.resend = append(m.resend, k)
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
		if !recurs(m.new.master) && m.p.mem.Versions[k].Sequence > sequence(m.new.master) {
			continue // it was taken out of a series yet to come
		}
		if m.new.inSeries(k) {
			if c := m.new.overrides[k]; c != nil {
				m.new.drop(c)
			}
			m.new.exclude(k)
			m.new.index()
		}
	}
}
