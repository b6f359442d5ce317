package itip

import (
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// publish applies a PUBLISH (RFC 5546 3.2.1): information, never an
// invitation, and never added unasked (OTH-09).
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
// RDATE, with an override that says what it is like (OTH-05).
func (p *applying) addition() {
	switch {
	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; a message from outside does not change it.", p.known())
		return
	case p.stored.empty() && p.msg.cal.Kind() == "VJOURNAL":
		p.publish() // RFC 5546 3.5.2: of an entry that is not here it says as much as a PUBLISH
		return
	case p.stored.empty():
		if ok, _ := p.organizerActs(); ok {
			p.incomplete(p.msg)
		}
		p.end(Held, ReasonWaiting, "%s adds an occurrence to an event that is not here.%s", organizerName(p.msg), p.incompleteNote())
		p.res.RequestStatus = "3.14"
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
	case p.stored.master == nil || dead(p.stored.master) || p.mine() == nil && p.stored.cal.Kind() != "VJOURNAL":
		p.incomplete(p.stored)
		p.end(Held, ReasonAddition, "%s adds an occurrence to %s, of which you do not have the series.%s", organizerName(p.stored), title(p.stored), p.incompleteNote())
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

// counter holds a COUNTER (RFC 5546 3.2.7): a proposal is for a person (OTH-01, OTH-02, OTH-04).
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
	case designate && !p.a.Approved:
		p.end(Held, ReasonDesignate, "%s proposes a change of %s in the name of %s.", p.sender(), name, nameOf(person(who)))
		return
	case !ok && !designate && !p.alias(who):
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
	have := p.stored.master
	if have == nil {
		have = p.stored.cal.Main()[0]
	}
	if q := c.Prop("RECURRENCE-ID"); q != nil {
		if t, err := q.Time(); err == nil {
			key := p.stored.key(t, p.msg.zones)
			if !p.stored.occurs(key) {
				p.end(Ignored, ReasonUnknownInstance, "%s proposes a change of an occurrence that %s does not have.", nameOf(person(who)), title(p.stored))
				return
			}
			if o := p.stored.overrides[key]; o != nil {
				have = o
			}
		}
	}
	if noCounters(have) || p.stored.master != nil && noCounters(p.stored.master) {
		p.end(Ignored, ReasonCounterRefused, "%s proposes a change of %s, which takes no proposals.", nameOf(person(who)), title(p.stored))
		p.res.RequestStatus = "3.8"
		if m, mem, ok := DeclineProposal(p.stored.cal, p.mem, p.a.Message, r.stored(), p.a.Received, p.a.Zone); ok && m.To != "" {
			p.mem = mem
			p.res.Send = append(p.res.Send, m)
		}
		return
	}
	p.res.Notify = true
	note := ""
	if s := commentOf(c, who); s != "" {
		note = " Note: " + s
	}
	p.res.Changes = p.proposed()
	version := ""
	switch n, now := sequence(c), maxSequence(p.stored); {
	case n > now:
		p.res.RequestStatus = "3.1"
		p.end(Held, ReasonFuture, "%s proposes a change of %s, but of a version that is not known here; it cannot be taken up.%s", nameOf(person(who)), title(p.stored), note)
		return
	case n < now:
		p.res.Outdated = true // OTH-04
		version = " It answers an older version of the event."
	}
	if c.Prop("X-MS-OLK-ORIGINALSTART") != nil && decided(p.res.PartStat) {
		// OTH-02: Outlook's proposal is an answer as well.
		answer := p.a.Message.Clone()
		for _, d := range answer.Main() { // the time it answers is not the time it proposes
			d.Remove("DTSTART", "DTEND")
		}
		b := p.a
		b.Message, b.Local = answer, nil
		q := &applying{a: b, me: p.me, from: p.from, method: Reply, stored: p.stored, msg: newObject(answer, p.a.Zone), mem: p.mem.clone(), res: &Result{}}
		q.reply()
		if q.res.Decision == Applied {
			p.mem, p.res.Object = q.mem, q.res.Object
		}
	}
	p.end(Held, ReasonCounter, "%s proposes a change of %s.%s%s%s", nameOf(person(who)), title(p.stored), sentences(p.res.Changes, p.a.Zone), version, note)
}

// declineCounter tells the attendee that a proposal was not taken (RFC 5546
// 3.2.8). The event stays as it is (OTH-03).
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
// and only to who is invited (6.1.6), at the address stored (OTH-07).
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
	case p.stored.cal.Kind() == "VTODO" && roleIn(p.stored, p.me) == AttendeeRole:
		p.tellStatus()
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
	if last := p.mem.Refreshed[key]; !last.IsZero() && p.a.Received.Sub(last) < refreshEvery {
		p.end(Unchanged, ReasonDuplicate, "%s asked for %s within the hour and was answered.", nameOf(person(who)), name)
		return
	}
	before := p.mem.Stamp
	l := letter{o: p.stored.whole(p.mem, p.a.Zone), stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}
	m, line := l.state(p.stored.organizer(nil), key, p.a.Local)
	switch {
	case line == nil:
		p.mem.Stamp = before
		p.end(Held, ReasonPartyCrasher, "%s asks for %s without being invited. Nothing was sent.", nameOf(person(who)), name)
		return
	case m.To == "":
		p.mem.Stamp = before
		p.end(Ignored, ReasonNotAttendee, "%s cannot be reached.", nameOf(person(who)))
		return
	}
	put(&p.mem.Refreshed, key, p.a.Received.UTC())
	p.res.Send = append(p.res.Send, m.under(p.mem.uidFor(key, m.UID)))
	p.end(Unchanged, ReasonRefreshed, "%s asked for the present state of %s and gets it.", nameOf(person(who)), name)
}

// tellStatus answers the organizer of an assigned to-do who asks how far it is
// (RFC 5546 3.4.6): with the answer given last, and the progress since.
func (p *applying) tellStatus() {
	name := title(p.stored)
	ok, designate := p.organizerActs()
	if !ok && !designate {
		p.end(Rejected, ReasonNotOrganizer, "%s is not the organizer of %s and is not told how far it is.", p.sender(), name)
		return
	}
	org := p.stored.organizer(nil)
	key := org.Address().Key()
	if last := p.mem.Refreshed[key]; !last.IsZero() && p.a.Received.Sub(last) < refreshEvery {
		p.end(Unchanged, ReasonDuplicate, "%s asked for %s within the hour and was answered.", organizerName(p.stored), name)
		return
	}
	to := reachable(org, p.a.Local)
	if to == "" || agent(org) != "SERVER" {
		p.end(Ignored, ReasonNotOrganizer, "%s cannot be reached.", organizerName(p.stored))
		return
	}
	l := letter{o: p.stored, zone: p.a.Zone}
	for _, k := range p.stored.keys() {
		c := p.stored.component(k)
		line := p.me.line(c)
		if line == nil || dead(c) {
			continue
		}
		if l.stamp.IsZero() {
			l.stamp = p.mem.nextStamp(p.a.Received)
		}
		p.res.Send = append(p.res.Send, l.message(Reply, line.Address(), to, k, l.calendar(Reply, l.reply(c, line, sequence(c), partStat(line), nil))))
	}
	put(&p.mem.Refreshed, key, p.a.Received.UTC())
	p.end(Unchanged, ReasonRefreshed, "%s asked how far %s is and was told.", organizerName(p.stored), name)
}
