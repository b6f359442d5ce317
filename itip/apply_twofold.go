package itip

import (
	"github.com/convene-cal/convene/ical"
)

// Somebody may be invited under two of their addresses: as themselves, and in
// somebody's place. To the organizer they are two people with a view of the
// event each; here they share one copy. What ends for one of them does not end
// for the other.

// parting compares the owner's lines of a component with those a message takes
// off: gone says that one of them is, stays that another is not.
func (p *applying) parting(c, msg *ical.Component) (gone, stays bool) {
	if c == nil || dead(msg) || msg.Prop("ATTENDEE") == nil {
		return false, false
	}
	named := listedIn(msg)
	for line := range c.Props("ATTENDEE") {
		if p.me.is(line) {
			off := named[line.Address().Key()]
			gone, stays = gone || off, stays || !off
		}
	}
	return gone, stays
}

// listedIn are the addresses of a component's attendees.
func listedIn(c *ical.Component) map[string]bool {
	out := map[string]bool{}
	for line := range c.Props("ATTENDEE") {
		out[line.Address().Key()] = true
	}
	return out
}

// leave takes the owner's lines that a message names off a component where
// another one stays; false when none does.
func (p *applying) leave(c, msg *ical.Component) bool {
	if gone, stays := p.parting(c, msg); !gone || !stays {
		return false
	}
	named := listedIn(msg)
	c.RemoveFunc(func(line *ical.Property) bool {
		return line.Name() == "ATTENDEE" && named[line.Address().Key()]
	})
	return true
}

// formerAddress: only now is it told that one of the owner's addresses is not
// invited any more. What the copy kept for it of a series that another is
// invited to goes.
func (c *cancelling) formerAddress(msg *ical.Component, is Version) {
	p := c.p
	if len(p.mem.Twofold) == 0 || c.new.master == nil || p.me.line(msg) == nil {
		return
	}
	named := listedIn(msg)
	for line := range c.new.master.Props("ATTENDEE") {
		if p.me.is(line) && named[line.Address().Key()] {
			return // invited again since
		}
	}
	for k := range sorted(p.mem.Twofold) {
		if have := c.new.overrides[k]; have != nil {
			c.new.drop(have)
		}
		if c.new.inSeries(k) {
			c.new.exclude(k)
			c.new.index()
			c.changed, c.removed = true, true
			c.diffs = append(c.diffs, Difference{Property: "STATUS", New: stateCancelled, RecurrenceID: k})
		}
		put(&p.mem.Versions, k, Version{Sequence: is.Sequence, Stamp: is.Stamp, Cancelled: true})
	}
	p.mem.Twofold = nil
}

// twofold are the occurrences that a new version of the series leaves out, while
// it may be only one of the owner's addresses that is not invited to them: what
// ends for both is cancelled by name. Convene's own messages are meant, which
// say so.
func (m *merging) twofold(got *ical.Component) map[string]bool {
	p := m.p
	if !p.ourKind() {
		return nil
	}
	var names []ical.Address
	delegated := false
	for line := range got.Props("ATTENDEE") {
		if p.me.is(line) {
			names = append(names, line.Address())
			delegated = delegated || line.HasParam("DELEGATED-FROM")
		}
	}
	invited := peopleOf(names)
	var out map[string]bool
	for k := range m.view(got).times(got, "EXDATE") {
		if p.mem.Hidden[k] || p.mem.Versions[k].Cancelled || !m.old.occurs(k) {
			continue
		}
		c := m.old.component(k)
		if c == nil {
			c = m.old.master
		}
		// Or it was passed on by somebody who leaves out what they have answered.
		twice := len(invited) > 1 || m.old.master == nil && delegated
		for line := range c.Props("ATTENDEE") {
			twice = twice || p.me.is(line) && !invited[line.Address().Key()]
		}
		if twice && !dead(c) {
			put(&out, k, true)
		}
	}
	return out
}
