package itip

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// publish applies a PUBLISH (RFC 5546 3.2.1): information, never an
// invitation, and never added unasked.
func (p *applying) publish() {
	name := title(p.msg)
	if !p.stored.empty() {
		was, is := p.stored.organizer(nil), p.msg.organizer(nil)
		switch {
		case roleIn(p.stored, p.me) == OrganizerRole:
			p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a publication does not change it.", title(p.stored))
			return
		case was != nil && (is == nil || was.Address().Key() != is.Address().Key()):
			p.end(Held, ReasonOrganizer, "%s is published by somebody else than %s, from whom you have it. Nothing was changed.", name, nameOf(person(was)))
			return
		case p.ownWithoutGuests():
			return
		case roleIn(p.stored, p.me) == AttendeeRole:
			p.end(Held, ReasonPublished, "%s was published as well as sent to you as an invitation; the invitation stays as it is.", name)
			return
		}
		if ok, _ := p.organizerActs(); !ok {
			p.end(Rejected, ReasonNotOrganizer, "%s is not the publisher of %s.", p.sender(), name)
			return
		}
		old := true
		for _, k := range p.msg.keys() {
			old = old && p.judge(k, p.msg.component(k)) != newer
		}
		if old {
			p.end(Unchanged, ReasonOutdated, "This version of %s, or a newer one, is already here.", name)
			return
		}
	} else if !p.a.Approved {
		p.end(Held, ReasonPublished, "%s was published to you. You may import it.", name)
		p.res.Notify = true
		return
	}
	cal := p.received()
	for _, c := range cal.Main() {
		c.Remove("ATTENDEE") // nobody is asked anything
	}
	o := newObject(cal, p.a.Zone)
	p.mem.Versions = nil
	for _, k := range o.keys() {
		put(&p.mem.Versions, k, version(o.component(k), p.a.Received))
	}
	p.res.Object, p.res.Created, p.res.TagChanged, p.res.Notify = cal, p.stored.empty(), true, true
	p.end(Applied, ReasonUpdated, "%s was published.", name)
}

// addition applies an ADD (RFC 5546 3.2.4): an occurrence more, in the series'
// RDATE, with an override that says what it is like.
func (p *applying) addition() {
	switch {
	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a message from outside does not change it.", p.known())
		return
	case p.stored.empty():
		p.end(Held, ReasonWaiting, "%s adds an occurrence to an event that is not here.", organizerName(p.msg))
		return
	case p.otherOrganizer():
		return
	}
	switch ok, designate := p.organizerActs(); {
	case designate && !p.a.Approved:
		p.end(Held, ReasonDesignate, "%s adds an occurrence to %s in the name of %s. It waits for your consent.", p.sender(), title(p.stored), organizerName(p.stored))
		return
	case !ok && !designate:
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and cannot add to it.", p.sender(), title(p.stored))
		return
	case p.stored.master == nil || dead(p.stored.master) || p.mine() == nil:
		p.end(Held, ReasonAddition, "%s adds an occurrence to %s, of which you do not have the series. Ask the organizer for the whole event to have it in your calendar.",
			organizerName(p.stored), title(p.stored))
		p.res.RequestStatus, p.res.Notify = "3.14", true
		return
	}
	m := &merging{p: p, old: p.stored, new: newObject(p.stored.cal.Clone(), p.a.Zone), moved: map[string]bool{}}
	m.zones()
	added, old := 0, 0
	for i, c := range p.a.Message.Main() {
		if i == maxInstances {
			break
		}
		switch m.added(c) {
		case newer:
			added++
		case outdated:
			old++
		}
	}
	switch {
	case added > 0:
		m.new.index()
		tz.Complete(m.new.cal, tz.NewResolver(m.new.cal, p.a.Zone))
		m.finish()
	case old > 0:
		p.end(Ignored, ReasonOutdated, "A newer version of %s is already here.", title(p.stored))
	default:
		p.end(Unchanged, ReasonDuplicate, "%s has that occurrence already.", title(p.stored))
	}
}

// added puts one occurrence into the series.
func (m *merging) added(c *ical.Component) verdict {
	p := m.p
	start := c.Prop("DTSTART")
	first := m.new.master.Prop("DTSTART")
	if start == nil || first == nil {
		return outdated
	}
	t, err := start.Time()
	like, err2 := first.Time()
	if err != nil || err2 != nil || t.IsDate() != like.IsDate() {
		return outdated
	}
	key := m.new.key(t, p.msg.zones)
	is := version(c, p.a.Received)
	switch was, known := p.mem.Versions[key]; {
	case is.Sequence < p.mem.Versions[""].Sequence, known && is.compare(was) < 0:
		return outdated
	case known && !was.Cancelled, m.new.occurs(key):
		return duplicate
	}
	at, ok := m.new.inForm(key, like)
	if !ok {
		return outdated
	}
	got := c.Clone()
	p.receive(got)
	got.Remove("RRULE", "RDATE", "EXDATE")
	id, date := ical.NewProperty("RECURRENCE-ID", ""), ical.NewProperty("RDATE", "")
	id.SetTime(at)
	date.SetTime(at)
	got.Add(id)
	if got.Prop("ORGANIZER") == nil {
		if org := m.old.organizer(nil); org != nil {
			got.Add(org.Clone())
		}
	}
	m.own(got, m.new.master, true)
	unexclude(m.new, key)
	m.new.master.Add(date)
	m.new.index()
	m.new.add(got)
	put(&p.mem.Versions, key, is)
	delete(p.mem.Hidden, key)
	p.mem.Piecewise = true
	m.class |= details
	m.diffs = append(m.diffs, Difference{Property: "RDATE", New: key})
	return newer
}

// counter holds a COUNTER (RFC 5546 3.2.7): a proposal is for a person.
func (p *applying) counter() {
	name := title(p.msg)
	who := p.replier()
	switch {
	case p.stored.empty():
		p.end(Ignored, ReasonUnknownUID, "%s proposes a change of an event that is not here.", p.replierName(who))
		return
	case roleIn(p.stored, p.me) != OrganizerRole:
		p.end(Ignored, ReasonNotOurs, "You do not organize %s; the proposal is not for you.", name)
		return
	case who == nil:
		p.end(Held, ReasonAmbiguous, "A proposal for %s came, but it does not say whose it is.", name)
		return
	}
	p.res.Attendee = who.Address()
	switch ok, designate := p.acts(who); {
	case designate:
		p.end(Held, ReasonDesignate, "%s proposes a change of %s in the name of %s.", p.sender(), name, nameOf(person(who)))
		return
	case !ok && !p.alias(who):
		p.end(Rejected, ReasonNotAttendee, "%s cannot propose anything for %s.", p.sender(), nameOf(person(who)))
		return
	}
	r := &replying{p: p, who: who, self: people{who.Address().Key(): true}}
	if !r.listed() {
		p.end(Held, ReasonPartyCrasher, "%s was not invited to %s and proposes a change of it.", nameOf(person(who)), name)
		return
	}
	c := p.msg.cal.Main()[0]
	p.res.PartStat = partStat(who)
	p.res.Notify = true
	version := ""
	switch n, have := sequence(c), maxSequence(p.stored); {
	case n < have:
		version = " It answers an older version of the event."
	case n > have:
		version = " It answers a version of the event that is not known here."
	}
	note := ""
	if s := commentOf(c, who); s != "" {
		note = " Note: " + s
	}
	p.res.Changes = p.proposed()
	p.end(Held, ReasonCounter, "%s proposes a change of %s.%s%s%s", nameOf(person(who)), title(p.stored), sentences(p.res.Changes, p.a.Zone), version, note)
}

// declineCounter tells the attendee that a proposal was not taken (RFC 5546
// 3.2.8). The event stays as it is.
func (p *applying) declineCounter() {
	if p.stored.empty() {
		p.end(Ignored, ReasonUnknownUID, "A declined proposal for an event that is not here.")
		return
	}
	if ok, designate := p.organizerActs(); !ok && !designate {
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s.", p.sender(), title(p.stored))
		return
	}
	p.res.Notify = true
	p.end(Ignored, ReasonDeclined, "%s declined your proposal for %s; the event stays as it is.", organizerName(p.stored), title(p.stored))
}

// refreshEvery is how often one attendee is answered.
const refreshEvery = time.Hour

// refresh answers a REFRESH (RFC 5546 3.2.6) with the present state, whole,
// and only to who is invited (6.1.6), at the address stored.
func (p *applying) refresh() {
	name := title(p.stored)
	var who *ical.Property
	for _, c := range p.a.Message.Main() {
		for q := range c.Props("ATTENDEE") {
			if len(p.from) == 0 && who == nil || p.from.is(q) {
				who = q
			}
		}
	}
	switch {
	case p.stored.empty():
		p.end(Ignored, ReasonUnknownUID, "%s asks for an event that is not here.", p.sender())
		return
	case roleIn(p.stored, p.me) != OrganizerRole:
		p.end(Ignored, ReasonNotOurs, "You do not organize %s; you cannot tell its state.", name)
		return
	case who == nil:
		p.end(Rejected, ReasonNotAttendee, "%s asks for %s, which only the guests may see.", p.sender(), name)
		return
	}
	p.res.Attendee = who.Address()
	key := who.Address().Key()
	cache := keys{}
	rosters := map[string]*roster{}
	var line *ical.Property
	for _, k := range p.stored.keys() {
		rosters[k] = rosterOf(p.stored.component(k), cache)
		if line == nil {
			line = rosters[k].line(key)
		}
	}
	if line == nil {
		p.end(Held, ReasonPartyCrasher, "%s asks for %s without being invited. Nothing was sent.", nameOf(person(who)), name)
		return
	}
	if last := p.mem.Refreshed[key]; !last.IsZero() && p.a.Received.Sub(last) < refreshEvery {
		p.end(Unchanged, ReasonDuplicate, "%s asked for %s within the hour and was answered.", nameOf(person(who)), name)
		return
	}
	to := reachable(line, p.a.Local)
	if to == "" {
		p.end(Ignored, ReasonNotAttendee, "%s cannot be reached.", nameOf(person(who)))
		return
	}
	put(&p.mem.Refreshed, key, p.a.Received.UTC())
	l := letter{o: p.stored, stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}
	org := p.stored.organizer(nil).Address()
	list := listed(p.stored.living(), rosters, key)
	var m Message
	if len(list) == 0 {
		c := p.stored.cal.Main()[0]
		m = l.message(Cancel, org, to, "", l.calendar(Cancel, l.cancel(c, sequence(c), true, line)))
	} else {
		id := ""
		if len(list) == 1 {
			id = list[0]
		}
		m = l.message(Request, org, to, id, l.requestFor(p.stored, list, uninvitedTo(p.stored, rosters, key)))
	}
	p.res.Send = append(p.res.Send, m)
	p.end(Unchanged, ReasonRefreshed, "%s asked for the present state of %s and gets it.", nameOf(person(who)), name)
}

// Answer is the attendee's copy with the answer in it, for the whole event
// (recurrenceID "") or one occurrence; [Plan] then tells the organizer. It is
// an edited copy: stored stays as it is. The answer to the whole also answers
// the occurrences that were answered with it before, or not at all.
func Answer(stored *ical.Calendar, m Memory, user []ical.Address, partstat, comment, recurrenceID string, now time.Time) (*ical.Calendar, error) {
	if stored == nil {
		return nil, fmt.Errorf("itip: nothing to answer")
	}
	partstat = strings.ToUpper(partstat)
	if !decided(partstat) && partstat != partStatNeeds || partstat == partStatDelegated {
		return nil, fmt.Errorf("itip: %q is no answer; ACCEPTED, TENTATIVE, DECLINED and NEEDS-ACTION are", partstat)
	}
	o := newObject(stored.Clone(), nil)
	me := peopleOf(user)
	if m.InvitedAs != "" {
		me[m.InvitedAs.Key()] = true
	}
	var targets []*ical.Component
	if recurrenceID != "" {
		key := recurrenceID
		if t, err := ical.ParseTime(recurrenceID, "", len(recurrenceID) == len("20060102")); err == nil {
			key = o.key(t, o.zones)
		}
		c := o.overrides[key]
		if c == nil {
			if c = o.derive(key); c == nil {
				return nil, refuse(conditionByGuest, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time.", title(o))
			}
			o.add(c)
		}
		targets = append(targets, c)
	} else {
		was := partStatNeeds
		if line := me.line(o.master); line != nil {
			was = partStat(line)
		}
		for _, c := range o.cal.Main() {
			line := me.line(c)
			if line == nil || dead(c) {
				continue
			}
			if c == o.master || o.master == nil || partStat(line) == partStatNeeds || partStat(line) == was {
				targets = append(targets, c)
			}
		}
	}
	if len(targets) == 0 {
		return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(o))
	}
	for _, c := range targets {
		line := me.line(c)
		if line == nil || dead(c) {
			return nil, refuse(conditionByGuest, recurrenceID, "ATTENDEE", "You are not among the guests of %s, or it is cancelled.", title(o))
		}
		if partStat(line) != partstat {
			line.SetParam("PARTSTAT", partstat)
		}
		if partstat != partStatNeeds && line.HasParam("RSVP") {
			line.RemoveParam("RSVP")
		}
		if comment == "" {
			if line.HasParam("X-RESPONSE-COMMENT") {
				line.RemoveParam("X-RESPONSE-COMMENT")
			}
		} else if line.Param("X-RESPONSE-COMMENT") != comment {
			line.SetParam("X-RESPONSE-COMMENT", comment)
			if org := c.Prop("ORGANIZER"); org != nil {
				org.SetParam("SCHEDULE-FORCE-SEND", string(Reply)) // a new note is worth a message of its own
			}
		}
	}
	return o.cal, nil
}
