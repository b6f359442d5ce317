package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// reopen asks a delegator again whose delegate declined: to come, or to send
// somebody else (RFC 5546 4.2.7) (DEL-04).
func (r *replying) reopen(delegate *ical.Property, key string) {
	c := r.new.component(key)
	above := person(delegate).DelegatedFrom
	for _, from := range above[:min(len(above), maxDelegates)] {
		line := people{from.Key(): true}.line(c)
		if line == nil || partStat(line) != partStatDelegated || !names(line, "DELEGATED-TO", delegate.Address()) {
			continue
		}
		line.SetParam("PARTSTAT", partStatNeeds)
		line.SetParam("RSVP", "TRUE")
		line.RemoveParam("DELEGATED-TO")
		r.reopened = true
		put(&r.notes, line.Address().Key(), nameOf(person(delegate))+" was to come in your place, and declined.")
		r.sendAgain(line, key)
	}
}

// rejoin gives a component that somebody joins by an answer a SEQUENCE that no
// cancellation had: they may have been taken off before (RFC 5546 4.2.9).
func (r *replying) rejoin(o *object, key string, who ical.Address) bool {
	n := -1
	for who, at := range r.p.mem.Uninvited {
		if _, part, one := strings.Cut(who, " "); at >= sequence(o.component(key)) && (!one || key == "" || sameMoment(part, key)) {
			n = max(n, at+1)
		}
	}
	if n < 0 {
		return false
	}
	put(&r.p.mem.Invited, strings.TrimSpace(who.Key()+" "+key), n) // what they answered before does not count
	for _, k := range o.keys() {
		if c := o.component(k); (k == key || key == "") && sequence(c) < n {
			setSequence(c, n)
		}
	}
	return true
}

func (r *replying) sendAgain(line *ical.Property, key string) {
	if agent(line) == "SERVER" && !r.p.me.is(line) {
		if d, delegate := r.p.mem.Delegates[line.Address().Key()]; delegate {
			d.Sent = true
			put(&r.p.mem.Delegates, line.Address().Key(), d)
		}
		put(&r.again, line.Address().Key(), append(r.again[line.Address().Key()], key))
	}
}

// requests writes what sendAgain asked for.
func (r *replying) requests() {
	p := r.p
	org := r.new.organizer(nil)
	if len(r.again) == 0 || org == nil {
		return
	}
	cache, rosters := keys{}, map[string]*roster{}
	for _, k := range r.new.keys() {
		rosters[k] = rosterOf(r.new.component(k), cache)
	}
	l := letter{o: r.new, stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}
	for who, list := range sorted(r.again) {
		for _, k := range r.alongside(who, list, rosters) {
			if r.new.component(k) == nil {
				k = ""
			}
			line := rosters[k].line(who)
			if line == nil {
				continue
			}
			to := reachable(line, p.a.Local)
			if to == "" {
				continue
			}
			cal := l.requestFor(r.new, []string{k}, uninvitedTo(r.new, rosters, who), who)
			if note := r.notes[who]; note != "" { // as RFC 5546 4.2.7 does
				for _, c := range cal.Main() {
					c.Add(ical.NewText("COMMENT", note))
				}
			}
			m := l.message(Request, org.Address(), to, k, cal)
			m.Changes = p.res.Changes
			p.res.Send = append(p.res.Send, m.under(p.mem.uidFor(who, m.UID)))
		}
	}
}

// alongside adds to what somebody is sent the overrides that they would take for
// older than the series that goes to them.
func (r *replying) alongside(who string, list []string, rosters map[string]*roster) []string {
	if !slices.Contains(list, "") {
		return list
	}
	for _, k := range r.new.order {
		had, sent := r.p.mem.Sent[k]
		if at, came := r.p.mem.Invited[who+" "+k]; came {
			had, sent = max(had, at), true
		}
		if c := r.new.overrides[k]; sent && had < sequence(c) && !dead(c) && rosters[k].served(who) != nil && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

// maxDelegation is how often one invitation is passed on (DEL-05): more is a
// mistake, or somebody who wants the list to grow.
const maxDelegation = 5

// names reports whether a parameter of a line lists the address.
func names(line *ical.Property, param string, a ical.Address) bool {
	return slices.ContainsFunc(addresses(line.ParamValues(param)), func(b ical.Address) bool { return b.Equal(a) })
}

// inCircle reports whether an invitation is passed back to somebody it came
// from (DEL-05).
func (r *replying) inCircle(c *ical.Component, line *ical.Property) bool {
	target := r.find(c)
	if target == nil || partStat(line) != partStatDelegated {
		return false
	}
	above := people{target.Address().Key(): true}
	for next := person(target).DelegatedFrom; len(next) > 0 && len(above) <= maxDelegates; {
		from := next[0]
		next = next[1:]
		if above[from.Key()] {
			continue
		}
		above[from.Key()] = true
		if q := (people{from.Key(): true}).line(c); q != nil {
			next = append(next, person(q).DelegatedFrom...)
		}
	}
	return len(above) > maxDelegation || slices.ContainsFunc(person(line).DelegatedTo, func(d ical.Address) bool { return above[d.Key()] })
}

// delegate notes to whom an attendee passed the invitation on, and lists that
// person (RFC 5546 3.2.2.3): also where the reply forgets the second line (DEL-02).
func (r *replying) delegate(c *ical.Component, line *ical.Property) {
	if partStat(line) != partStatDelegated {
		return
	}
	target := r.find(c)
	to := person(line).DelegatedTo
	if target == nil || len(to) == 0 || len(to) > maxDelegates {
		return
	}
	target.SetParam("DELEGATED-TO", line.ParamValues("DELEGATED-TO")...)
	if strings.EqualFold(line.Param("RSVP"), "TRUE") || strings.EqualFold(line.Param("ROLE"), "NON-PARTICIPANT") {
		target.SetParam("RSVP", "TRUE") // keep me informed: 4.2.5 says it with RSVP, 3.2.2.3 with the role
	} else if target.HasParam("RSVP") {
		target.RemoveParam("RSVP")
	}
	for _, d := range to {
		if q := (people{d.Key(): true}).line(c); q != nil {
			// Known already, if only for information: now in the delegator's place.
			if !names(q, "DELEGATED-FROM", target.Address()) {
				q.SetParam("DELEGATED-FROM", append(slices.Clone(q.ParamValues("DELEGATED-FROM")), string(target.Address()))...)
			}
			if person(q).Role == "NON-PARTICIPANT" {
				q.SetParam("ROLE", person(target).Role)
			}
			if !decided(partStat(q)) {
				q.SetParam("RSVP", "TRUE")
			}
			continue
		}
		q := ical.NewProperty("ATTENDEE", string(d))
		q.SetParam("ROLE", person(target).Role)
		q.SetParam("PARTSTAT", partStatNeeds)
		q.SetParam("RSVP", "TRUE")
		q.SetParam("DELEGATED-FROM", string(target.Address()))
		if !slices.ContainsFunc(r.p.stored.cal.Main(), func(was *ical.Component) bool { return (people{d.Key(): true}).line(was) != nil }) {
			put(&r.p.mem.Delegates, d.Key(), Delegated{At: r.all, Sent: r.p.mem.Delegates[d.Key()].Sent})
		}
		c.Add(q)
		if uid := r.p.mem.Renewed[target.Address().Key()]; uid != "" {
			put(&r.p.mem.Renewed, d.Key(), uid) // so they have it from who delegated
		}
		key := r.new.keyOf(c)
		without := key != "" && r.p.stored.master != nil && (people{d.Key(): true}).line(r.p.stored.master) != nil // they have the series, but for this
		if r.rejoin(r.new, key, d) || without || r.behind || r.p.a.Local != nil && r.p.a.Local(d) {
			r.sendAgain(q, key) // who delegated passed on what they had
		}
		r.p.res.Changes = append(r.p.res.Changes, Difference{Property: "ATTENDEE", New: nameOf(person(q)), Attendee: string(d), RecurrenceID: r.new.keyOf(c)})
	}
}

// keep: who passed on the series had answered this occurrence by itself before,
// which is heard of only now. Who comes in their place was not sent it by them;
// if they have it from the organizer, they are told.
func (r *replying) keep(target *ical.Property, a Answered, key string) {
	if a.PartStat == partStatDelegated || !decided(a.PartStat) {
		return
	}
	comp := r.new.overrides[key]
	var gone []string
	comp.RemoveFunc(func(q *ical.Property) bool {
		from := person(q).DelegatedFrom
		if q.Name() != "ATTENDEE" || len(from) != 1 || !from[0].Equal(target.Address()) {
			return false
		}
		d, delegate := r.p.mem.Delegates[q.Address().Key()]
		_, answered := r.p.mem.reply(q.Address().Key(), key) // so they have it
		if !delegate || answered || !a.Stamp.Before(d.At) {
			return false
		}
		if d.Sent || q.HasParam("SCHEDULE-STATUS") {
			gone = append(gone, string(q.Address()))
		}
		return true
	})
	if len(gone) > 0 {
		line := target.Clone()
		line.SetParam("DELEGATED-TO", gone...)
		r.turnAway(line, comp, key, false)
	}
}

// early reports whether a delegate answers before the delegator said so (RFC
// 5546 5.2.2): the answer waits, unless the one named has sent somebody else (DEL-03).
func (r *replying) early() bool {
	from := person(r.who).DelegatedFrom
	if len(from) == 0 || len(from) > maxDelegates || r.p.a.Approved {
		return false
	}
	for _, d := range from {
		if d.Equal(r.who.Address()) {
			return false
		}
		for _, c := range r.p.stored.cal.Main() {
			if line := (people{d.Key(): true}).line(c); line != nil && partStat(line) == partStatDelegated {
				return false
			}
		}
	}
	return true
}

// group is the listed attendee as whose member somebody answers (RFC 5546
// 3.7.2), nil when there is none.
func (r *replying) group() *ical.Property {
	for _, a := range addresses(r.who.ParamValues("MEMBER")) {
		for _, c := range r.p.stored.cal.Main() {
			if line := (people{a.Key(): true}).line(c); line != nil {
				return line
			}
		}
	}
	return nil
}

// byGroup reports whether who answers is known to belong to a group that is
// invited: they are listed beside it, as the RFC wants it (3.7.2) (ADR-08).
func (r *replying) byGroup() bool {
	g := r.group()
	return g != nil && r.p.a.Member != nil && r.p.a.Member(g.Address(), r.who.Address())
}

// refuseDelegation leaves the invitation with who wants to pass it on: they are
// asked again, and who was to come in their place is told that they are not
// (RFC 5546 3.2.2.3 lets one restrict it).
func (r *replying) refuseDelegation(c *ical.Component, line *ical.Property, key string) {
	p := r.p
	who := r.memoryKey(r.new.component(key))
	a := Answered{Sequence: sequence(c), Stamp: stamp(c, p.a.Received)}
	if last, ok := p.mem.reply(who, key); ok && !a.Stamp.After(last.Stamp) {
		r.outdated = true
		return
	}
	a.PartStat = partStatNeeds
	p.mem.setReply(who, key, a)
	r.refused = true
	k := key
	if r.new.component(k) == nil {
		k = ""
	}
	target := r.find(r.new.component(k))
	if target == nil {
		return
	}
	if partStat(target) != partStatNeeds {
		target.SetParam("PARTSTAT", partStatNeeds)
		r.changed = true
	}
	if !target.HasParam("RSVP") {
		target.SetParam("RSVP", "TRUE")
		r.changed = true
	}
	r.sendAgain(target, k)
	r.turnAway(line, r.new.component(k), k, false)
}

// crowds reports whether an attendee names more people to come in their place than
// may be, at once or one after the other: the list is the organizer's.
func (r *replying) crowds(c *ical.Component, line *ical.Property) bool {
	target := r.find(c)
	if target == nil || partStat(line) != partStatDelegated {
		return false
	}
	fresh := 0
	for _, d := range person(line).DelegatedTo {
		if (people{d.Key(): true}).line(c) == nil {
			fresh++
		}
	}
	if fresh == 0 {
		return false
	}
	listed, theirs := 0, 0
	for q := range c.Props("ATTENDEE") {
		if listed++; names(q, "DELEGATED-FROM", target.Address()) {
			theirs++
		}
	}
	return theirs+fresh > maxDelegates || r.p.a.MaxAttendees > 0 && listed+fresh > r.p.a.MaxAttendees
}

// uninvite tells those whom a reply names as delegates that they are not
// invited, or that it does not take place at all, and gives back who was told.
func (r *replying) uninvite(line *ical.Property, comp *ical.Component, k string, n int, dies bool) (told []ical.Address) {
	p := r.p
	org := r.new.organizer(nil)
	to := person(line).DelegatedTo
	for _, d := range to[:min(len(to), maxDelegates)] {
		if (people{d.Key(): true}).line(comp) != nil || p.me[d.Key()] {
			continue // invited in their own right
		}
		q := ical.NewProperty("ATTENDEE", string(d))
		at := reachable(q, p.a.Local)
		if at == "" {
			continue
		}
		q.SetParam("DELEGATED-FROM", string(line.Address()))
		l := letter{o: r.new, stamp: p.mem.nextStamp(p.a.Received), zone: p.a.Zone}
		p.res.Send = append(p.res.Send, l.message(Cancel, org.Address(), at, k, l.calendar(Cancel, l.cancel(comp, n, dies, q))))
		told = append(told, d)
	}
	return told
}

// partedAndPassedOn: somebody who was taken off passed on what they had before
// they heard of that. It is not theirs to give any more: who was to come in their
// place is told, whom nobody else tells.
func (r *replying) partedAndPassedOn() bool {
	p := r.p
	who := r.who.Address().Key()
	if len(p.mem.Uninvited) == 0 {
		return false
	}
	r.new = newObject(p.stored.cal.Clone(), p.a.Zone)
	done := false
	for _, c := range p.a.Message.Main() {
		line := (people{who: true}).line(c)
		if line == nil || partStat(line) != partStatDelegated {
			continue
		}
		key := ""
		if q := c.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				continue
			}
			key = p.stored.key(t, p.msg.zones)
		}
		a := Answered{Sequence: sequence(c), Stamp: stamp(c, p.a.Received), PartStat: partStatDelegated, Stale: true}
		at, gone := p.mem.Uninvited[who]
		if one, lost := p.mem.Uninvited[who+" "+key]; key != "" && lost { // they had that occurrence alone
			at, gone = max(at, one), true
		}
		if !gone || a.Sequence >= at {
			continue
		}
		done = true
		if last, ok := p.mem.reply(who, key); ok && !a.Stamp.After(last.Stamp) {
			continue // it came twice
		}
		p.mem.setReply(who, key, a)
		r.turnBack(c, line, key)
	}
	if done {
		r.requests()
		if r.changed {
			p.res.Object = r.new.cal
			p.end(Applied, ReasonPreviousTime, "%s was taken off %s and had passed it on before; who was to come in their place is told, and keeps what they are invited to themselves.", nameOf(person(r.who)), title(p.stored))
			return done
		}
		p.end(Ignored, ReasonPreviousTime, "%s was taken off %s and had passed it on before; who was to come in their place is told.", nameOf(person(r.who)), title(p.stored))
	}
	return done
}

// deletedAndPassedOn: somebody passed on an event that was deleted meanwhile. Its
// cancellation went to those on the list; who was to come in their place was not
// on it.
func (p *applying) deletedAndPassedOn(who *ical.Property) {
	last := newObject(p.a.Last, p.a.Zone)
	if last.empty() || who == nil || roleIn(last, p.me) != OrganizerRole {
		return
	}
	if ok, _ := p.acts(who); !ok {
		return
	}
	self := people{who.Address().Key(): true}
	r := &replying{p: p, who: who, self: self, new: last}
	for _, c := range p.a.Message.Main() {
		line := self.line(c)
		if line == nil || partStat(line) != partStatDelegated {
			continue
		}
		key := ""
		if q := c.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				continue
			}
			key = last.key(t, p.msg.zones)
		}
		comp := last.component(key)
		if comp == nil {
			comp = last.derive(key)
		}
		if comp == nil || self.line(comp) == nil {
			continue
		}
		rest := line.Clone()
		rest.SetParam("DELEGATED-TO", slices.DeleteFunc(slices.Clone(line.ParamValues("DELEGATED-TO")), func(to string) bool {
			return p.a.Told != nil && p.a.Told(who.Address(), ical.ParseAddress(to))
		})...)
		r.uninvite(rest, comp, key, maxSequence(last)+1, true)
	}
}

// calledOffAndPassedOn: the cancellation went to those on the list, and who was to
// come in somebody's place was not on it, whatever the delegator answered since.
func (r *replying) calledOffAndPassedOn(c *ical.Component, line *ical.Property, key string) {
	comp := r.new.component(key)
	if comp == nil || !dead(comp) {
		comp = r.new.master
	}
	if comp == nil {
		return
	}
	who := r.memoryKey(comp)
	a := Answered{Sequence: sequence(c), Stamp: stamp(c, r.p.a.Received), PartStat: partStatDelegated, Stale: true}
	if last, ok := r.p.mem.reply(who, key); !ok || a.Stamp.After(last.Stamp) {
		r.p.mem.setReply(who, key, a)
	}
	r.turnAway(line, comp, key, true)
}

// goneAndPassedOn: somebody passed on an occurrence that the series has no more.
// Who was to come in their place has it, and nobody else tells them.
func (r *replying) goneAndPassedOn(c *ical.Component, line *ical.Property, key string) {
	if partStat(line) == partStatDelegated && r.find(r.new.master) != nil {
		r.turnAway(line, r.formerly(c), key, true)
	}
}

// formerly is an occurrence as who answers it had it.
func (r *replying) formerly(c *ical.Component) *ical.Component {
	comp := r.new.master.Clone()
	comp.Remove("RRULE", "RDATE", "EXDATE", "EXRULE", "DTSTART", "DTEND", "DURATION", "DUE")
	for _, name := range [...]string{"RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "DUE"} {
		q := c.Prop(name)
		if q == nil {
			continue
		}
		q = q.Clone()
		if t, err := q.Time(); err == nil && !t.IsDate() { // its zone need not be one of ours
			q.SetTime(ical.UTCTime(r.p.msg.zones.Instant(t)))
		}
		comp.Add(q)
	}
	return comp
}

// turnBack: somebody passed on a time that has changed since. They are asked
// about the new one themselves, and who was to come in their place, whom nobody
// else tells, has an event that does not take place (RFC 5546 5.2.2 has the
// organizer clear that up). Should the delegator send them again, they need a
// newer number than that of this cancellation.
func (r *replying) turnBack(c *ical.Component, line *ical.Property, key string) {
	comp := r.new.component(key)
	if comp == nil {
		if comp = r.new.derive(key); comp == nil && r.new.master != nil {
			comp = r.formerly(c) // the series has it no more
		}
		if comp == nil {
			return
		}
	}
	if id := c.Prop("RECURRENCE-ID"); id != nil && r.new.master != nil {
		if t, err := id.Time(); err == nil && t.IsDate() != r.new.allDay {
			comp = r.formerly(c) // the series became all-day, or timed, since
		}
	}
	r.turnAway(line, comp, key, dead(comp))
}

// turnAway tells those whom a reply names as delegates, but for those who were
// told already, that they are not to come, or that it does not take place.
func (r *replying) turnAway(line *ical.Property, comp *ical.Component, key string, dies bool) {
	rest := line.Clone()
	rest.SetParam("DELEGATED-TO", slices.DeleteFunc(slices.Clone(line.ParamValues("DELEGATED-TO")), func(to string) bool {
		n, told := r.p.mem.Uninvited[strings.TrimSpace(ical.ParseAddress(to).Key()+" "+key)]
		return told && n >= sequence(comp)
	})...)
	// An attendee names as many people as delegates may be, and no more in one answer
	// after the other: each is a mail to somebody whom nobody else has invited.
	by := r.who.Address().Key()
	left := max(0, maxDelegates-r.p.mem.TurnedAway[by])
	if to := rest.ParamValues("DELEGATED-TO"); len(to) > left {
		rest.SetParam("DELEGATED-TO", to[:left]...)
	}
	for _, d := range r.uninvite(rest, comp, key, sequence(comp), dies) {
		put(&r.p.mem.TurnedAway, by, r.p.mem.TurnedAway[by]+1)
		put(&r.p.mem.Uninvited, strings.TrimSpace(d.Key()+" "+key), sequence(comp))
		if key == "" && !dies {
			r.leaveWith(d, sequence(comp))
		}
	}
}

// leaveWith sends somebody who was told that the series is not theirs what they
// are invited to of it in their own right: a CANCEL without RECURRENCE-ID ends all
// that they have (RFC 5546 3.2.5), so these occurrences come after it, with a
// higher SEQUENCE (RFC 5546 4.2.9).
func (r *replying) leaveWith(d ical.Address, n int) {
	for _, k := range r.new.order {
		c := r.new.overrides[k]
		line := people{d.Key(): true}.line(c)
		if line == nil || dead(c) || r.p.me.is(line) || agent(line) != "SERVER" {
			continue
		}
		if sequence(c) <= n {
			setSequence(c, n+1)
			r.changed = true
		}
		put(&r.p.mem.Invited, d.Key()+" "+k, sequence(c))
		r.sendAgain(line, k)
	}
}
