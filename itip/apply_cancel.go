package itip

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// cancel applies a CANCEL (RFC 5546 3.2.5), or what somebody sent in its
// place (CAN-07, CAN-08, CAN-09, SEQ-15).
func (p *applying) cancel() {
	name := title(p.msg)
	switch {
	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a message from outside does not cancel it.", title(p.stored))
		return
	case p.stored.empty() && p.a.Deleted && maxSequence(p.msg) <= p.mem.Versions[""].Sequence+1:
		// A higher one cancels an invitation that is still on its way.
		p.end(Ignored, ReasonDeleted, "%s was cancelled; you had deleted it already.", name)
		return
	case p.stored.empty():
		switch ok, designate := p.organizerActs(); {
		case designate && !p.a.Approved:
			p.end(Held, ReasonDesignate, "%s cancelled %s, which is not here, in the name of %s.", p.sender(), name, organizerName(p.msg))
			return
		case !ok && !designate:
			p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and cannot cancel it.", p.sender(), name)
			return
		}
		p.end(Held, ReasonWaiting, "A cancellation of %s came for an event that is not here. It waits for the invitation.", name)
		return
	}
	if p.ownWithoutGuests() {
		return
	}
	if was, is := p.stored.organizer(nil), p.msg.organizer(nil); was != nil && is != nil && was.Address().Key() != is.Address().Key() && !sameEmail(was, is) {
		p.end(Rejected, ReasonNotOrganizer, "%s is organized by %s; %s cannot cancel it.", title(p.stored), nameOf(person(was)), nameOf(person(is)))
		return
	}
	switch ok, designate := p.organizerActs(); {
	case designate && !p.a.Approved:
		p.end(Held, ReasonDesignate, "%s cancelled %s in the name of %s. It waits for your consent.", p.sender(), title(p.stored), organizerName(p.stored))
		return
	case !ok && !designate:
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and cannot cancel it.", p.sender(), title(p.stored))
		return
	}
	c := &cancelling{p: p, new: newObject(p.stored.cal.Clone(), p.a.Zone)}
	for i, comp := range p.a.Message.Main() {
		if i == maxInstances {
			break
		}
		c.one(comp)
	}
	if c.changed && !c.whole {
		c.emptied(maxSequence(p.msg))
	}
	c.finish()
}

type cancelling struct {
	p                            *applying
	new                          *object
	whole, changed, removed      bool
	outdated, waiting, review    bool
	known, unknown, rosterChange bool
	diffs                        []Difference
}

// one cancels what one component of the message says (CAN-04, SEQ-04).
func (c *cancelling) one(msg *ical.Component) {
	p := c.p
	key := ""
	if q := msg.Prop("RECURRENCE-ID"); q != nil {
		t, err := q.Time()
		if err != nil {
			c.unknown = true
			return
		}
		key = c.new.key(t, p.msg.zones)
	}
	is := version(msg, p.a.Received)
	was := c.stored(key)
	switch {
	case is.Sequence < was.Sequence && is.Stamp.After(was.Stamp):
		c.review = true // the organizer may have miscounted: a person decides
		if !p.a.Approved {
			return
		}
	case is.Sequence < was.Sequence:
		c.outdated = true
		switch {
		case key == "" && dead(msg):
			c.calledOffBefore(is.Sequence)
		case key == "":
			c.formerAddress(msg, is)
		}
		return
	case was.Cancelled && is.Sequence == was.Sequence:
		c.known = true
		return
	}
	if m := c.new.master; key != "" && !dead(m) && p.ourKind() && p.msg.allDay != c.new.allDay {
		// Of a series that became all-day, or timed, and is on its way; or was.
		if is.Sequence > sequence(m) {
			c.waiting = true
		} else {
			c.outdated = true
		}
		return
	}
	if key != "" && c.leaveOccurrence(key, msg, is) {
		return
	}
	have := c.new.component(key)
	if have == nil && c.new.inSeries(key) {
		have = c.new.master
	}
	if have != nil && !dead(have) && p.ourKind() && c.forMe(msg) {
		if gone, stays := p.parting(have, msg); stays && !gone {
			c.waiting = true // that they were invited under this address as well may still come
			return
		}
	}
	future := key != "" && strings.EqualFold(msg.Prop("RECURRENCE-ID").Param("RANGE"), "THISANDFUTURE")
	switch {
	case !c.forMe(msg):
		c.strike(key, msg, is)
	case future:
		c.tail(key, is)
	case key == "":
		c.all(is, msg)
	default:
		c.occurrence(key, is, msg)
	}
}

// calledOffBefore: what is here was called off and made anew since, and the
// cancellation comes only now. What the user answered to single occurrences
// before that, nobody has on record any more: it is told again.
func (c *cancelling) calledOffBefore(n int) {
	p := c.p
	m := &merging{p: p, new: c.new}
	for _, k := range c.new.order {
		answer, given := p.mem.Answers[k]
		if !given || answer.Sequence > n || p.mem.Versions[k].Sequence > n || dead(c.new.overrides[k]) {
			continue
		}
		if decided(m.ownAnswer(c.new.overrides[k])) {
			m.resend = append(m.resend, k)
		}
	}
	p.resend(m)
}

// stored is the version a cancellation must not be older than.
func (c *cancelling) stored(key string) Version {
	if v, ok := c.p.mem.Versions[key]; ok && (key == "" || c.new.master == nil || v.Sequence >= c.p.base()) {
		return v // else the series has replaced it since
	}
	if have := c.new.component(key); have != nil {
		return Version{Sequence: sequence(have), Stamp: stamp(have, c.p.a.Received), Cancelled: dead(have)}
	}
	return Version{Sequence: c.p.base(), Stamp: c.p.mem.Versions[""].Stamp}
}

// forMe reports whether a cancelled component concerns the owner: the event
// dies, or the owner is taken off it. Without STATUS and without us in the
// list only others are removed (CAN-02).
func (c *cancelling) forMe(msg *ical.Component) bool {
	return dead(msg) || msg.Prop("ATTENDEE") == nil || c.p.me.line(msg) != nil
}

// strike takes removed people off the guest list (CAN-11).
func (c *cancelling) strike(key string, msg *ical.Component, is Version) {
	var names []ical.Address
	for q := range msg.Props("ATTENDEE") {
		names = append(names, q.Address())
	}
	struck := peopleOf(names)
	for _, k := range c.new.keys() {
		if key != "" && k != key {
			continue
		}
		c.new.component(k).RemoveFunc(func(line *ical.Property) bool {
			if line.Name() != "ATTENDEE" || !struck.is(line) {
				return false
			}
			c.rosterChange = true
			c.diffs = append(c.diffs, Difference{Property: "ATTENDEE", Old: nameOf(person(line)), Attendee: string(line.Address()), RecurrenceID: k})
			return true
		})
	}
	if !c.rosterChange {
		c.known = true
	}
}

// leaveOccurrence takes one of the owner's addresses off an occurrence to which
// they are invited under another as well; false when they are not.
func (c *cancelling) leaveOccurrence(key string, msg *ical.Component, is Version) bool {
	have := c.new.overrides[key]
	if have == nil && c.new.master != nil && !dead(c.new.master) && c.new.inSeries(key) {
		if gone, stays := c.p.parting(c.new.master, msg); gone && stays {
			have = c.new.derive(key)
		}
	}
	if !c.p.leave(have, msg) {
		return false
	}
	if c.new.overrides[key] == nil {
		c.new.add(have)
	}
	c.rosterChange = true
	put(&c.p.mem.Versions, key, is)
	return true
}

// all cancels the event for the owner. It stays visible, silent and free (CAN-01).
func (c *cancelling) all(is Version, msg *ical.Component) {
	p := c.p
	dies := Version{Sequence: is.Sequence, Stamp: is.Stamp, Cancelled: true}
	c.whole = true
	for _, k := range c.new.keys() {
		if v := p.mem.Versions[k]; v.Sequence > is.Sequence {
			c.whole = false // sent again after this cancellation
			continue
		}
		if _, stays := p.parting(c.new.component(k), msg); stays {
			c.whole, c.rosterChange = false, p.leave(c.new.component(k), msg) || c.rosterChange
			continue // to this they are invited under another address
		}
		p.kill(c.new.component(k), is.Sequence)
		put(&p.mem.Versions, k, dies)
		c.changed = true
	}
	if c.new.master == nil || dead(c.new.master) {
		put(&p.mem.Versions, "", dies)
	}
	// Should any of it take place again, everyone is asked anew.
	for k := range p.mem.Hidden {
		if p.mem.Versions[k].Sequence <= is.Sequence {
			delete(p.mem.Hidden, k)
			delete(p.mem.Dropped, k)
		}
	}
	c.new.leaveSeries()
	c.known = !c.changed
	if c.known {
		return
	}
	c.removed = c.removed || !dead(msg) && msg.Prop("ATTENDEE") != nil
	c.diffs = append(c.diffs, Difference{Property: "STATUS", New: stateCancelled})
}

// kill marks a component as cancelled; nothing rings for it any more (CAN-06).
func (p *applying) kill(comp *ical.Component, n int) {
	if !dead(comp) {
		comp.Set("STATUS", stateCancelled)
	}
	if sequence(comp) < n { // the sender's count, not our own (RFC 5546 2.1.4)
		comp.Set("SEQUENCE", strconv.Itoa(n))
	}
	kept := comp.Components[:0:0]
	for _, s := range comp.Components {
		if s.Name != "VALARM" {
			kept = append(kept, s)
		}
	}
	comp.Components = kept
}

// occurrence cancels one occurrence: of a series by EXDATE, so that the state
// is the same whether it had an override or not; of single occurrences by
// STATUS, since there is no series to take it out of (CAN-03).
func (c *cancelling) occurrence(key string, is Version, msg *ical.Component) {
	p := c.p
	override := c.new.overrides[key]
	inSeries := c.new.inSeries(key)
	if override == nil && !inSeries {
		if c.new.master != nil && c.new.times(c.new.master, "EXDATE")[key] {
			c.known = true // not there already
			put(&p.mem.Versions, key, Version{Sequence: is.Sequence, Stamp: is.Stamp, Cancelled: true})
			// Should it take place again, the user is asked anew.
			delete(p.mem.Hidden, key)
			delete(p.mem.Dropped, key)
			return
		}
		if c.new.master == nil || is.Sequence > c.series() {
			c.waiting = true // the version of the series that it is about may still come
			return
		}
		c.unknown = true
		return
	}
	delete(p.mem.Dropped, key)
	switch {
	case c.new.master == nil:
		p.kill(override, is.Sequence)
	default:
		if override != nil {
			c.new.drop(override)
		}
		if inSeries {
			c.new.exclude(key)
		}
	}
	put(&p.mem.Versions, key, Version{Sequence: is.Sequence, Stamp: is.Stamp, Cancelled: true})
	c.changed = true
	c.removed = c.removed || !dead(msg) && msg.Prop("ATTENDEE") != nil
	c.diffs = append(c.diffs, Difference{Property: "STATUS", New: stateCancelled, RecurrenceID: key})
}

// series is the SEQUENCE of the series as it was last sent. What is stored may
// have a higher one: that of the cancellation which took its last occurrence.
func (c *cancelling) series() int {
	if v, ok := c.p.mem.Versions[""]; ok {
		return v.Sequence
	}
	return sequence(c.new.master)
}

// emptied cancels the event as a whole when nothing of it is left (CAN-03, CAN-05).
func (c *cancelling) emptied(n int) {
	c.new.index()
	if c.new.master == nil {
		for _, k := range c.new.order {
			if !dead(c.new.overrides[k]) {
				return
			}
		}
		c.whole = true
		return
	}
	s := c.new.set()
	if s == nil {
		return
	}
	for range s.All() {
		return
	}
	if s.Err() == nil {
		c.p.kill(c.new.master, n)
		c.whole = true
	}
}

// tail cuts the series before an occurrence (RANGE=THISANDFUTURE, RFC 5546
// 3.2.5): rule, dates and overrides from there on go (CAN-04, REC-05).
func (c *cancelling) tail(key string, is Version) {
	p := c.p
	id, ok := c.new.id(key)
	if !ok || c.new.master == nil {
		c.unknown = true
		return
	}
	first := ""
	if s := c.new.bare(); s != nil {
		for occ := range s.All() {
			first = c.new.key(occ.ID, c.new.zones)
			break
		}
	}
	if first == "" || key <= first {
		for _, k := range c.new.keys() {
			p.kill(c.new.component(k), is.Sequence)
		}
		put(&p.mem.Versions, "", Version{Sequence: is.Sequence, Stamp: is.Stamp, Cancelled: true})
		c.whole = true
	} else {
		head, _, err := recur.SplitAt(c.new.cal, id, c.new.zones)
		if err != nil || head == nil {
			c.unknown = true
			return
		}
		if c.same(head) {
			c.known = true
			return
		}
		c.new = newObject(head, p.a.Zone)
		v := c.stored("")
		put(&p.mem.Versions, "", Version{Sequence: max(v.Sequence, is.Sequence), Stamp: is.Stamp})
		setSequence(c.new.master, max(sequence(c.new.master), is.Sequence))
	}
	c.changed = true
	c.diffs = append(c.diffs, Difference{Property: "RRULE", Old: ruleText(p.stored.master), New: ruleText(c.new.master)})
}

func (c *cancelling) same(head *ical.Calendar) bool { return sameContent(head, c.new.cal) }

func (c *cancelling) finish() {
	p := c.p
	name := title(p.stored)
	org := organizerName(p.stored)
	switch {
	case c.changed:
		p.res.Object, p.res.TagChanged, p.res.Notify = c.new.cal, true, true
		p.res.Changes = c.diffs
		switch {
		case c.removed:
			p.end(Applied, ReasonCancelled, "%s has taken you off %s.%s", org, name, occurrencesOf(c.diffs, p.a.Zone))
		case c.whole:
			p.end(Applied, ReasonCancelled, "%s cancelled %s.", org, name)
		default:
			what := occurrencesOf(c.diffs, p.a.Zone)
			if what == "" {
				what = sentences(c.diffs, p.a.Zone)
			}
			p.end(Applied, ReasonCancelled, "%s cancelled part of %s.%s", org, name, what)
		}
	case c.rosterChange:
		p.res.Object, p.res.TagChanged, p.res.Changes = c.new.cal, true, c.diffs
		p.end(Applied, ReasonStatus, "%s took guests off %s.", org, name)
	case c.review:
		p.end(Held, ReasonOutdated, "A cancellation of %s carries an older number than the version here, but was written later. Look whether it still holds.", name)
	case c.waiting:
		p.end(Held, ReasonWaiting, "An occurrence of %s was cancelled that is not here yet. It waits for the invitation.", name)
	case c.known:
		p.end(Unchanged, ReasonDuplicate, "%s was cancelled already.", name)
	case c.outdated:
		p.end(Ignored, ReasonOutdated, "The cancellation is older than the version of %s that is here.", name)
	default:
		p.end(Ignored, ReasonUnknownInstance, "%s has no occurrence at the time that was cancelled.", name)
	}
}
