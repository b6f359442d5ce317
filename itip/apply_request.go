package itip

import (
	"bytes"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// request applies a REQUEST (RFC 5546 3.2.2).
func (p *applying) request() {
	switch {
	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:
		// Our own mail on its way back, or somebody who speaks in our name.
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a message from outside does not change it.", title(p.msg))
		return
	case allCancelled(p.msg):
		// Some say METHOD:REQUEST with STATUS:CANCELLED and mean CANCEL.
		p.cancel()
		return
	case p.stored.empty():
		p.invitation()
		return
	}
	if p.otherOrganizer() {
		return
	}
	ok, designate := p.organizerActs()
	if p.handedOver() {
		ok, designate = p.acts(p.msg.organizer(nil)) // the user has agreed to the new one
	}
	switch {
	case designate && !p.a.Approved:
		p.end(Held, ReasonDesignate, "%s sent a change of %s in the name of %s. It waits for your consent.", p.sender(), title(p.stored), organizerName(p.stored))
		return
	case !ok && !designate:
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and cannot change it.", p.sender(), title(p.stored))
		return
	}
	p.update()
}

func allCancelled(o *object) bool {
	for _, c := range o.cal.Main() {
		if !dead(c) {
			return false
		}
	}
	return true
}

// otherOrganizer holds a message that claims another organizer than the stored
// one: only the user can say whether the event was handed over (RFC 5546
// 6.1.3).
func (p *applying) otherOrganizer() bool {
	was, is := p.stored.organizer(nil), p.msg.organizer(nil)
	if was == nil || is == nil || was.Address().Key() == is.Address().Key() || sameEmail(was, is) && len(p.from) == 0 || p.handedOver() {
		return false
	}
	p.end(Held, ReasonOrganizer, "%s is organized by %s; this message names %s instead. Nothing was changed.", title(p.stored), nameOf(person(was)), nameOf(person(is)))
	return true
}

// handedOver: the user has approved a REQUEST of another organizer.
func (p *applying) handedOver() bool {
	was, is := p.stored.organizer(nil), p.msg.organizer(nil)
	return p.a.Approved && p.method == Request && was != nil && is != nil && was.Address().Key() != is.Address().Key()
}

// invitation is a REQUEST for an event we do not have.
func (p *applying) invitation() {
	ok, designate := p.organizerActs()
	org := organizerName(p.msg)
	name := title(p.msg)
	if p.a.Deleted && p.knownVersion() {
		p.end(Ignored, ReasonDeleted, "You have deleted %s; this message brings nothing new.", name)
		return
	}
	if line := p.mine(); p.a.Deleted && line != nil && partStat(line) == partStatDeclined {
		p.end(Ignored, ReasonDeleted, "You have declined and deleted %s; it changed, and you are not asked again.", name)
		return
	}
	if !p.a.Approved {
		switch {
		case p.a.Deleted && ok && len(p.mem.Versions) == 0:
			// What was deleted is not known any more: this may be the same once more.
			p.end(Held, ReasonDeleted, "You have deleted %s; %s sends it again.", name, org)
		case designate:
			p.end(Held, ReasonDesignate, "%s invites you to %s in the name of %s.", p.sender(), name, org)
		case !ok:
			p.end(Held, ReasonForwarded, "%s sent you an invitation to %s organized by %s.", p.sender(), name, org)
		case p.mine() == nil:
			p.end(Held, ReasonNotInvited, "%s by %s came to you, but you are not among those invited.", name, org)
		case !p.a.AutoAdd:
			p.end(Held, ReasonNotAdded, "%s invites you to %s.", org, name)
		}
		if p.res.Decision == Held {
			p.res.Notify = true
			return
		}
	}
	cal := p.received()
	p.mem.Versions, p.mem.Hidden = nil, nil
	o := newObject(cal, p.a.Zone)
	for _, k := range o.keys() {
		put(&p.mem.Versions, k, version(o.component(k), p.a.Received))
	}
	p.mem.Piecewise = o.master == nil
	if o.master != nil {
		p.mem.Base = sequence(o.master)
	}
	if line := p.mine(); line != nil {
		p.mem.InvitedAs = line.Address()
	}
	p.res.Object, p.res.Created, p.res.TagChanged, p.res.Notify = cal, true, true, true
	p.end(Applied, ReasonAdded, "%s invites you to %s.", org, name)
}

// knownVersion reports whether the message is no newer than what the user
// deleted.
func (p *applying) knownVersion() bool {
	if len(p.mem.Versions) == 0 {
		return false
	}
	for _, k := range p.msg.keys() {
		seen, ok := p.mem.Versions[k]
		if !ok {
			seen = p.mem.Versions[""]
		}
		if sequence(p.msg.component(k)) > seen.Sequence {
			return false
		}
	}
	return true
}

// mine is our line in the message.
func (p *applying) mine() *ical.Property {
	for _, c := range p.a.Message.Main() {
		if line := p.me.line(c); line != nil {
			return line
		}
	}
	return nil
}

// received is the message as it is stored: without METHOD, without what a
// stranger has no say in.
func (p *applying) received() *ical.Calendar {
	cal := p.a.Message.Clone()
	cal.Remove("METHOD", "X-LIC-ERROR")
	for _, c := range cal.Main() {
		p.receive(c)
	}
	return cal
}

func (p *applying) receive(c *ical.Component) {
	c.Remove("REQUEST-STATUS", "X-LIC-ERROR")
	if c.Prop("RECURRENCE-ID") != nil {
		c.Remove("RRULE", "EXRULE", "RDATE", "EXDATE") // LEN: left there by mistake
	}
	// Alarms are the user's own: a stranger does not ring here.
	c.Components = slices.DeleteFunc(c.Components, func(s *ical.Component) bool { return s.Name == "VALARM" })
	for _, name := range [...]string{"ATTENDEE", "ORGANIZER"} {
		for q := range c.Props(name) {
			for _, param := range [...]string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"} {
				if q.HasParam(param) {
					q.RemoveParam(param)
				}
			}
		}
	}
}

// verdict on one component of an update.
type verdict int

const (
	outdated verdict = iota
	duplicate
	newer
)

// judge orders a component of the message against what was received before
// (RFC 5546 2.1.5).
func (p *applying) judge(k string, c *ical.Component) verdict {
	is := version(c, p.a.Received)
	was, known := p.mem.Versions[k]
	have := p.stored.component(k)
	if all := p.mem.Versions[""]; all.Cancelled && is.Sequence <= all.Sequence {
		return outdated
	}
	if k != "" && p.stored.master != nil && is.Sequence < p.base() {
		// An occurrence must not be older than the times the series has now (RFC
		// 5546 4.7.2).
		return outdated
	}
	if !known {
		switch {
		case have != nil && (k == "" || !p.derived(k)):
			was = Version{Sequence: sequence(have), Stamp: stamp(have, p.a.Received)}
		default:
			return newer
		}
	}
	if was.Cancelled && is.Sequence <= was.Sequence {
		return outdated // RFC 5546 4.2.9: only a higher SEQUENCE revives
	}
	switch n := is.compare(was); {
	case n > 0:
		return newer
	case n == 0:
		return duplicate
	case is.Sequence == was.Sequence:
		return duplicate
	}
	return outdated
}

// base is the least SEQUENCE an occurrence of the series may have.
func (p *applying) base() int {
	switch {
	case len(p.mem.Versions) == 0 && p.stored.master != nil:
		return sequence(p.stored.master)
	case p.ourKind():
		return p.mem.Versions[""].Sequence
	}
	return p.mem.Base
}

// ourKind: Convene sends every override again when the series gets a new
// SEQUENCE, so none with a lower one is to be kept. Others leave their
// overrides as they are.
func (p *applying) ourKind() bool { return p.a.Message.Value("PRODID") == ProductID }

// derived reports whether an override exists only because we answered for that
// occurrence: the organizer never sent it.
func (p *applying) derived(k string) bool {
	if len(p.mem.Versions) == 0 {
		return false
	}
	_, sent := p.mem.Versions[k]
	return !sent
}

// update is a REQUEST for an event we have.
func (p *applying) update() {
	fresh := map[string]bool{}
	old, dup := 0, 0
	for _, k := range p.msg.keys() {
		switch p.judge(k, p.msg.component(k)) {
		case newer:
			fresh[k] = true
		case duplicate:
			dup++
		default:
			old++
		}
	}
	if p.stored.master == nil && p.msg.master == nil && len(fresh) > 0 || p.msg.master == nil {
		p.mem.Piecewise = true
	}
	if len(fresh) == 0 {
		if old > 0 {
			p.end(Ignored, ReasonOutdated, "A newer version of %s is already here.", title(p.stored))
		} else {
			p.end(Unchanged, ReasonDuplicate, "%s is already as this message says.", title(p.stored))
		}
		return
	}
	m := &merging{p: p, old: p.stored, new: newObject(p.stored.cal.Clone(), p.a.Zone)}
	m.merge(fresh)
	m.finish()
}

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
// has its own zones; RFC 5545 3.6.5).
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
// not mention (RFC 5546 4.4.7).
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

// overrides decides what a new master does to the overrides it came without.
func (m *merging) overrides(master Version) {
	p := m.p
	var gone []*ical.Component
	var again []string
	for _, k := range m.new.order {
		c := m.new.overrides[k]
		if p.msg.overrides[k] != nil {
			continue
		}
		if !m.new.inSeries(k) {
			if m.versionOf(k).Sequence <= master.Sequence { // else it is of a series yet to come
				gone = append(gone, c)
			}
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

// occurrence replaces one override, or makes it.
func (m *merging) occurrence(k string) {
	p := m.p
	is := p.msg.overrides[k]
	v := version(is, p.a.Received)
	if line := p.me.line(is); p.mem.Hidden[k] && line != nil && partStat(line) == partStatDeclined {
		put(&p.mem.Versions, k, v) // the user took it out, and the organizer knows
		return
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
	put(&p.mem.Versions, k, v)
	line := p.me.line(got)
	if m.moved[k] && line != nil && !p.mem.Stamp.Before(v.Stamp) && decided(m.ownAnswer(m.new.master)) {
		// We answered the series after this was written: the organizer takes
		// that for an answer to this occurrence, which it is not.
		m.resend = append(m.resend, k)
	}
	delete(p.mem.Hidden, k)
	if m.new.master != nil {
		unexclude(m.new, k)
	}
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

func (m *merging) replace(was, got *ical.Component) {
	for i, c := range m.new.cal.Components {
		if m.new.keyOf(c) == m.old.keyOf(was) && c.Name == was.Name {
			m.new.cal.Components[i] = got
		}
	}
	m.new.index()
}

// note keeps what changed for the sentence and the inbox.
func (m *merging) note(k string, d delta, was, got *ical.Component) {
	m.class |= d.class
	m.diffs = append(m.diffs, d.diffs...)
	if d.class&reschedule != 0 || dead(was) && !dead(got) {
		m.moved[k] = true
		m.class |= reschedule
	}
	a, b := rosterOf(was, nil), rosterOf(got, nil)
	for _, who := range b.order {
		if a.line(who) == nil {
			m.roster = true
			m.diffs = append(m.diffs, Difference{Property: "ATTENDEE", New: nameOf(person(b.line(who))), Attendee: string(b.line(who).Address()), RecurrenceID: k})
		} else if compareLines(a.line(who), b.line(who)) != 0 {
			m.roster = true
			if m.p.me.is(b.line(who)) && compareLines(a.line(who), b.line(who))&roleChanged != 0 {
				m.class |= details
			}
		}
	}
	for _, who := range a.order {
		if b.line(who) == nil {
			m.roster = true
			m.diffs = append(m.diffs, Difference{Property: "ATTENDEE", Old: nameOf(person(a.line(who))), Attendee: string(a.line(who).Address()), RecurrenceID: k})
		}
	}
}

// keepTimes: a REQUEST without a new SEQUENCE changes no time by leaving it
// out (RFC 5546 3.2.2.2).
func keepTimes(got, was *ical.Component) {
	if got.Prop("DTEND") == nil && got.Prop("DURATION") == nil && got.Prop("DUE") == nil {
		for _, name := range [...]string{"DTEND", "DURATION", "DUE"} {
			if q := was.Prop(name); q != nil {
				got.Add(q.Clone())
			}
		}
	}
	if got.Prop("RECURRENCE-ID") == nil && got.Prop("RRULE") == nil && was.Prop("RRULE") != nil {
		for q := range was.Props("RRULE") {
			got.Add(q.Clone())
		}
		for _, name := range [...]string{"RDATE", "EXDATE"} {
			if got.Prop(name) == nil {
				for q := range was.Props(name) {
					got.Add(q.Clone())
				}
			}
		}
	}
}

// personal is what an attendee keeps of the own copy through every update.
var personal = set("TRANSP", "COLOR", "CATEGORIES", "CLASS", "COMPLETED", "PERCENT-COMPLETE", "COMMENT")

// own carries the user's data from the stored component into the received one:
// alarms, colours, notes, and the answer unless the time changed.
func (m *merging) own(got, was *ical.Component, moved bool) {
	mine := map[string]bool{}
	for _, q := range was.Properties {
		if name := q.Name(); personal[name] || strings.HasPrefix(name, "X-") && got.Prop(name) == nil {
			mine[name] = true
		}
	}
	got.RemoveFunc(func(q *ical.Property) bool { return mine[q.Name()] })
	for _, q := range was.Properties {
		if mine[q.Name()] {
			got.Add(q.Clone())
		}
	}
	if !dead(got) {
		for _, s := range was.Components {
			if s.Name == "VALARM" {
				got.Components = append(got.Components, s.Clone())
			}
		}
	}
	if org, stored := got.Prop("ORGANIZER"), was.Prop("ORGANIZER"); org != nil && stored != nil {
		for _, name := range [...]string{"SCHEDULE-STATUS", "SCHEDULE-AGENT"} {
			if v := stored.Param(name); v != "" {
				org.SetParam(name, v)
			}
		}
	}
	line, stored := m.p.me.line(got), m.p.me.line(was)
	if line == nil || stored == nil {
		return
	}
	answer := partStat(stored)
	if moved {
		// Everyone is asked anew, whatever the organizer's copy says of us.
		if partStat(line) != partStatNeeds {
			line.SetParam("PARTSTAT", partStatNeeds)
		}
		return
	}
	if partStat(line) == answer {
		return
	}
	// RFC 5546 3.2.2.7: the organizer asks for our status again.
	if partStat(line) == partStatNeeds && decided(answer) && strings.EqualFold(line.Param("RSVP"), "TRUE") {
		m.resend = append(m.resend, m.old.keyOf(was))
	}
	line.SetParam("PARTSTAT", answer)
}

// finish says what became of it.
func (m *merging) finish() {
	p := m.p
	name := title(m.new)
	p.res.Changes = m.diffs
	p.resend(m)
	if sameContent(m.new.cal, p.stored.cal) {
		p.end(Unchanged, ReasonDuplicate, "%s is already as this message says.", name)
		return
	}
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
	p.end(Applied, ReasonUpdated, "%s changed %s.%s", organizerName(m.new), name, sentences(m.diffs, p.a.Zone))
}

// resend answers again where the organizer lost our answer.
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
	for _, k := range m.resend {
		c := m.new.component(k)
		if c == nil {
			continue
		}
		line := p.me.line(c)
		r := l.reply(c, line, sequence(c), partStat(line), nil)
		p.res.Send = append(p.res.Send, l.message(Reply, line.Address(), to, k, l.calendar(Reply, r)))
	}
}

// sameContent compares two versions of an object but for their time stamps and
// the order of lines.
func sameContent(a, b *ical.Calendar) bool {
	x, y := a.Main(), b.Main()
	return slices.EqualFunc(x, y, func(c, d *ical.Component) bool {
		return len(c.Components) == len(d.Components) && slices.Equal(contentLines(c), contentLines(d))
	})
}

func contentLines(c *ical.Component) []string {
	var out []string
	for _, p := range c.Properties {
		switch name := p.Name(); name {
		case "DTSTAMP", "LAST-MODIFIED", "CREATED":
		default:
			line := name
			for n, v := range p.Params() {
				line += ";" + n + "=" + strings.Join(v, ",")
			}
			out = append(out, line+":"+p.Value())
		}
	}
	slices.Sort(out)
	return out
}
