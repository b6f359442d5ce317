package itip

import (
	"time"

	"github.com/convene-cal/convene/ical"
)

// request applies a REQUEST (RFC 5546 3.2.2) (REQ-09, REQ-11).
func (p *applying) request() {
	switch {
	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:
		// Our own mail on its way back, or somebody who speaks in our name.
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a message from outside does not change it.", p.known())
		return
	case allCancelled(p.msg):
		// Some say METHOD:REQUEST with STATUS:CANCELLED and mean CANCEL.
		p.cancel()
		return
	case p.stored.empty():
		p.invitation()
		return
	}
	if p.ownWithoutGuests() || p.otherOrganizer() {
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
	case !ok && !designate && p.delegator() != nil:
		if p.fresh() {
			p.end(Held, ReasonForwarded, "%s passes on to you a part of %s that you do not have.", p.sender(), title(p.stored))
			p.res.Notify = true
		} else {
			p.end(Unchanged, ReasonDuplicate, "%s passes %s on to you; it is here already.", p.sender(), title(p.stored))
		}
		return
	case !ok && !designate:
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and cannot change it.", p.sender(), title(p.stored))
		return
	}
	p.update()
}

// fresh reports whether any component of the message is newer than what is here.
func (p *applying) fresh() bool {
	for _, k := range p.msg.keys() {
		switch p.judge(k, p.msg.component(k)) {
		case newer:
			return true
		case duplicate:
			if p.joining(k) != nil {
				return true
			}
		}
	}
	return false
}

// joining is our line of a component that was passed on to an address of ours
// under which the copy does not have us yet; nil when there is none.
func (p *applying) joining(k string) *ical.Property {
	by, have := p.delegator(), p.stored.component(k)
	if by == nil || have == nil || dead(have) {
		return nil
	}
	listed := listedIn(have)
	for line := range p.msg.component(k).Props("ATTENDEE") {
		if p.me.is(line) && names(line, "DELEGATED-FROM", by.Address()) && !listed[line.Address().Key()] {
			return line
		}
	}
	return nil
}

// join puts us on the copy under another address, in the place of who passed the
// invitation on; what the event is they do not say (RFC 5546 3.2.2.3).
func (m *merging) join(k string, line *ical.Property) {
	c, by := m.new.component(k), m.p.delegator()
	if c == nil {
		return // a newer series left it out
	}
	q := line.Clone()
	unscheduled(q)
	c.Add(q)
	if from := (people{by.Address().Key(): true}).line(c); from != nil && partStat(from) != partStatDelegated {
		from.SetParam("PARTSTAT", partStatDelegated)
		from.SetParam("DELEGATED-TO", string(line.Address()))
	}
	m.diffs = append(m.diffs, Difference{Property: "ATTENDEE", New: nameOf(person(q)), Attendee: string(q.Address()), RecurrenceID: k})
	m.p.res.Notify = true
}

func allCancelled(o *object) bool {
	for _, c := range o.cal.Main() {
		if !dead(c) {
			return false
		}
	}
	return true
}

// ownWithoutGuests holds a message about an event that the user keeps for
// themselves: it has no organizer, so nobody else has a say in it, whoever
// knows its UID (RFC 5546 6.1.1) (REQ-15).
func (p *applying) ownWithoutGuests() bool {
	if p.stored.organizer(nil) != nil || p.a.Approved {
		return false
	}
	p.end(Held, ReasonOrganizer, "%s has the same identifier as an event that you made for yourself. Nothing was changed.", p.fromOrganizer())
	p.res.Notify = true
	return true
}

// fromOrganizer names the message.
func (p *applying) fromOrganizer() string {
	return title(p.msg) + " by " + organizerName(p.msg)
}

// otherOrganizer holds a message that claims another organizer than the stored
// one: only the user can say whether the event was handed over (RFC 5546
// 6.1.3) (REQ-08, REQ-15).
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

// invitation is a REQUEST for an event we do not have (REQ-01, REQ-10, DEL-11).
func (p *applying) invitation() {
	ok, designate := p.organizerActs()
	org := organizerName(p.msg)
	name := title(p.msg)
	by := p.delegator()
	if by != nil && !ok && !designate {
		ok = true // RFC 5546 3.2.2.3: who delegates forwards the invitation
	}
	if p.a.Deleted && p.knownVersion() {
		p.end(Ignored, ReasonDeleted, "You have deleted %s; this message brings nothing new.", name)
		return
	}
	if p.a.Deleted && p.declined() {
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
		put(&p.mem.Versions, k, p.version(o.component(k)))
	}
	p.mem.Piecewise = o.master == nil
	if o.master != nil {
		p.mem.Base = sequence(o.master)
	}
	if line := p.mine(); line != nil {
		p.mem.InvitedAs = line.Address()
	}
	p.res.Object, p.res.Created, p.res.TagChanged, p.res.Notify = cal, true, true, true
	if by != nil {
		p.end(Applied, ReasonAdded, "%s asks you to come in their place to %s of %s.", nameOf(person(by)), name, org)
		return
	}
	p.end(Applied, ReasonAdded, "%s invites you to %s.%s", org, name, p.floatingNote())
}

// delegator is the attendee who sends an invitation to us that they passed on,
// as both lines say; nil when nobody did.
func (p *applying) delegator() *ical.Property {
	if p.passedOn == nil {
		by := p.findDelegator()
		p.passedOn = &by
	}
	return *p.passedOn
}

func (p *applying) findDelegator() *ical.Property {
	senders := p.from
	if p.a.Approved {
		senders = peopleOf([]ical.Address{p.a.Sender, p.a.From})
	}
	for _, c := range p.a.Message.Main() {
		mine := p.me.line(c)
		if mine == nil {
			continue
		}
		for line := range c.Props("ATTENDEE") {
			if senders.is(line) && partStat(line) == partStatDelegated && names(line, "DELEGATED-TO", mine.Address()) && names(mine, "DELEGATED-FROM", line.Address()) {
				return line
			}
		}
	}
	return nil
}

// declined reports whether the message asks us nothing that we have not declined.
func (p *applying) declined() bool {
	listed := false
	for _, c := range p.a.Message.Main() {
		if line := p.me.line(c); line != nil && !dead(c) {
			if listed = true; partStat(line) != partStatDeclined {
				return false
			}
		}
	}
	return listed
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
			if seen, ok = p.mem.Versions[""]; !ok {
				return false // another occurrence than those that were deleted
			}
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

// verdict on one component of an update.
type verdict int

const (
	outdated verdict = iota
	duplicate
	newer
)

// version is the place of a component of the message. Who passes an invitation on
// sends what they have, by a clock of their own: whatever the organizer wrote
// with the same SEQUENCE counts as newer (RFC 5546 2.1.5, 3.2.2.3).
func (p *applying) version(c *ical.Component) Version {
	v := version(c, p.a.Received)
	if p.delegator() != nil {
		v.Stamp = time.Time{}
	}
	return v
}

// judge orders a component of the message against what was received before
// (RFC 5546 2.1.5) (SEQ-02, SEQ-03, SEQ-14).
func (p *applying) judge(k string, c *ical.Component) verdict {
	is := p.version(c)
	was, known := p.mem.Versions[k]
	have := p.stored.component(k)
	if have != nil && is.Sequence < sequence(have) && otherForm(have, p.stored) {
		return outdated // here is one of a later series, which is all-day, or timed
	}
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

// update is a REQUEST for an event we have (REQ-13).
func (p *applying) update() {
	fresh := map[string]bool{}
	joined := map[string]*ical.Property{}
	old, dup := 0, 0
	for _, k := range p.msg.keys() {
		switch p.judge(k, p.msg.component(k)) {
		case newer:
			fresh[k] = true
		case duplicate:
			if line := p.joining(k); line != nil {
				joined[k] = line
			}
			dup++
		default:
			old++
		}
	}
	if p.stored.master == nil && p.msg.master == nil && len(fresh) > 0 || p.msg.master == nil {
		p.mem.Piecewise = true
	}
	if len(fresh)+len(joined) == 0 {
		if old > 0 {
			p.end(Ignored, ReasonOutdated, "A newer version of %s is already here.", title(p.stored))
		} else {
			p.end(Unchanged, ReasonDuplicate, "%s is already as this message says.", title(p.stored))
		}
		return
	}
	if p.msg.master == nil && !dead(p.stored.master) && p.msg.allDay != p.stored.allDay && p.ourKind() {
		// Convene writes a RECURRENCE-ID in the form of its series (RFC 5545 3.8.4.4),
		// so this one is of a series that became all-day, or timed, and is on its way.
		p.end(Held, ReasonWaiting, "An occurrence of %s came before the version of the series that it belongs to. It waits for that.", title(p.stored))
		return
	}
	m := &merging{p: p, old: p.stored, new: newObject(p.stored.cal.Clone(), p.a.Zone)}
	if p.otherForm() {
		if maxSequence(p.msg) <= maxSequence(p.stored) {
			p.end(Ignored, ReasonOutdated, "A newer version of %s is already here.", title(p.stored))
			return
		}
		m.new.drop(m.new.cal.Main()...)
	}
	m.merge(fresh)
	for k, line := range sorted(joined) {
		m.join(k, line)
	}
	m.finish()
}

// otherForm reports whether here and in the message are single occurrences of a
// series that became all-day, or timed, between the two. Convene asks anew about
// all of them when that happens, so those of the older form are no more.
func (p *applying) otherForm() bool {
	return p.stored.master == nil && p.msg.master == nil && p.msg.allDay != p.stored.allDay && p.ourKind()
}
