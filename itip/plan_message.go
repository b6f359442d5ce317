package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// tell queues the messages of one party.
func (p *organizing) tell(one *party) {
	line := one.line
	local := p.c.Local != nil && p.c.Local(line.Address())
	needed := one.cancelled || len(one.uninvited) > 0 || len(one.asked) > 0
	if !needed && !(local && one.refresh) {
		return
	}
	to := reachable(line, p.c.Local)
	if to == "" {
		if needed {
			p.status(one, statusNoSuchUser)
		}
		return
	}
	sent := len(p.out.Send)
	anew := !one.cancelled && p.renews(one)
	if anew {
		p.renew(one, to)
		sent = len(p.out.Send) // that had the former name
	}
	if one.cancelled {
		if p.expands(one, p.old) && !bounced(p.was[""].line(one.who)) {
			p.takeBack(one, to, nil) // their program knows the occurrences only
		}
		p.cancelAll(one, to)
		delete(p.out.Memory.Expanded, one.who)
	}
	if len(one.uninvited) > 0 {
		p.cancelSome(one, to, local)
	}
	switch {
	case len(one.asked) > 0 && local:
		p.request(one, to, one.listed, false)
	case len(one.asked) > 0:
		row := p.rowFor(one.asked)
		for i, k := range one.asked {
			if k == "" {
				whole := !p.expands(one, p.new)
				if !whole {
					p.expand(one, to)
					put(&p.out.Memory.Expanded, one.who, true)
					continue
				}
				delete(p.out.Memory.Expanded, one.who)
			}
			p.requestPart(one, to, k, &row[i])
		}
	case local && one.refresh && len(one.listed) > 0:
		p.request(one, to, one.listed, true)
	}
	if uid := p.out.Memory.Renewed[one.who]; uid != "" {
		for i := sent; i < len(p.out.Send); i++ {
			m := p.out.Send[i].under(uid)
			m.First = m.First || anew && m.Method == Request
			p.out.Send[i] = m
		}
	}
	if len(one.asked) > 0 {
		p.status(one, statusPending)
		if one.everything && p.allBefore() {
			return
		}
		for _, k := range one.asked {
			was, known := p.before(k)
			if !p.old.empty() && (!known || was.served(one.who) == nil) {
				put(&p.out.Memory.Invited, strings.TrimSpace(one.who+" "+k), sequence(p.new.component(k)))
			}
		}
	}
}

// CAL-03: see docs/interoperability.md.
func (p *organizing) status(one *party, code string) {
	about := one.listed
	if code == statusPending {
		about = one.asked
	}
	raw, state := "", ""
	var people *string // of the roster looked at last, and where the person stands there
	at := 0
	for _, k := range about {
		r := p.is[k]
		if &r.order[0] != people {
			people, at = &r.order[0], r.find(one.who)
		}
		line := r.props[at]
		if now := line.Raw(); now == "" || now != raw { // mostly they are the same in all components
			raw, state = now, p.state(line)
		}
		if state != code {
			line.SetParam("SCHEDULE-STATUS", code)
		}
	}
}

// state is the delivery state of a line. The components of a series repeat them.
func (p *organizing) state(line *ical.Property) string {
	raw := line.Raw()
	if raw == "" {
		return line.Param("SCHEDULE-STATUS")
	}
	s, known := p.states[raw]
	if !known {
		s = line.Param("SCHEDULE-STATUS")
		put(&p.states, raw, s)
	}
	return s
}

// bounced people are not told of a cancellation: nothing ever reached them (SIG-10).
func bounced(line *ical.Property) bool {
	switch line.Param("SCHEDULE-STATUS") {
	case statusNoSuchUser, "5.2", "5.3":
		return true
	}
	return false
}

// cancelAll takes the whole event from a person.
func (p *organizing) cancelAll(one *party, to ical.Address) {
	if bounced(p.was[""].line(one.who)) {
		return
	}
	dies := p.c.New == nil || p.new.empty() || dead(p.new.master)
	id := "cancel"
	c := p.old.master
	attendees := p.living("")
	if !dies {
		id += " " + one.who
		attendees = []*ical.Property{p.was[""].line(one.who)}
	}
	if p.hidden && dies {
		id += " only " + one.who
		attendees = []*ical.Property{p.was[""].line(one.who)}
	}
	n := p.sequence
	if p.new.master != nil {
		n = max(sequence(p.new.master), n)
	}
	if p.swap {
		n = p.farewell
	}
	cal := p.draft(id, func() *ical.Calendar {
		p.letter.o = p.old
		return p.letter.calendar(Cancel, p.letter.cancel(c, n, dies, attendees...))
	})
	m := p.letter.message(Cancel, p.from, to, "", cal)
	put(&p.out.Memory.Uninvited, one.who, n)
	delete(p.out.Memory.Delegates, one.who)
	if dies {
		m.Changes = []Difference{{Property: "STATUS", Old: statusOf(nil, c, ""), New: stateCancelled}}
	} else {
		m.Changes = []Difference{{Property: "ATTENDEE", Old: nameOf(person(one.line)), Attendee: string(one.line.Address())}}
	}
	p.out.Send = append(p.out.Send, m)
	// What they keep of it must be newer than the cancellation.
	for _, k := range one.asked {
		if c := p.new.component(k); sequence(c) <= n {
			setSequence(c, n+1)
			p.numbers[k] = n + 1
			clear(p.drafts)
			clear(p.parts)
			p.row, p.rowOf = nil, nil
			p.letter.mould = nil
		}
		put(&p.out.Memory.Invited, one.who+" "+k, sequence(p.new.component(k)))
	}
}

// living are the people of a component that we send for, the organizer apart.
func (p *organizing) living(k string) []*ical.Property {
	var out []*ical.Property
	for _, who := range p.was[k].order {
		if line := p.was[k].line(who); agent(line) == "SERVER" && !p.me.is(line) {
			out = append(out, line)
		}
	}
	return out
}

// cancelSome takes single occurrences from a person (CAN-10).
func (p *organizing) cancelSome(one *party, to ical.Address, local bool) {
	var comps []*ical.Component
	var changes []Difference
	p.letter.o = p.old
	for _, k := range one.uninvited {
		dies := !p.takesPlace(k)
		c := p.old.component(k)
		line := p.was[k].line(one.who)
		if c == nil {
			c, line = p.old.derive(k), p.was[""].line(one.who)
		}
		if c == nil || line == nil || bounced(line) {
			continue
		}
		n := p.sequence
		if now := p.new.component(k); now != nil {
			if n = sequence(now); p.swap {
				n = p.farewell
			}
		} else if p.bumped[""] {
			n = sequence(p.new.master)
		}
		comps = append(comps, p.letter.cancel(c, n, dies, line))
		put(&p.out.Memory.Uninvited, one.who+" "+k, n)
		changes = append(changes, Difference{Property: "STATUS", Old: statusOf(nil, c, ""), New: stateCancelled, RecurrenceID: k})
		if !local {
			p.cancelled(to, comps, changes)
			comps, changes = nil, nil
		}
	}
	if len(comps) > 0 {
		p.cancelled(to, comps, changes)
	}
}

func (p *organizing) cancelled(to ical.Address, comps []*ical.Component, changes []Difference) {
	key := ""
	if len(comps) == 1 {
		key = p.old.keyOf(comps[0])
	}
	m := p.letter.message(Cancel, p.from, to, key, p.letter.calendar(Cancel, comps...))
	m.Changes = changes
	p.out.Send = append(p.out.Send, m)
}

// takesPlace reports whether an occurrence still happens, for whomever.
func (p *organizing) takesPlace(k string) bool {
	if c := p.new.overrides[k]; c != nil {
		return !dead(c)
	}
	return p.new.master != nil && !dead(p.new.master) && p.new.inSeries(k)
}

// request queues a REQUEST with the given components, as the person may see
// them (SIG-06).
func (p *organizing) request(one *party, to ical.Address, list []string, refresh bool) {
	if one.view == "" {
		if len(one.listed) < len(p.new.order)+1 { // else they are on all there is
			one.without = uninvitedTo(p.new, p.is, one.who)
		}
		one.view = " without " + strings.Join(one.without, ",")
	}
	id := "request " + strings.Join(list, ",")
	if len(list) != 1 || list[0] == "" {
		id += one.view
	}
	if p.hidden {
		id += " only " + one.who
	}
	cal := p.draft(id, func() *ical.Calendar { return p.letter.requestFor(p.new, list, one.without, one.who) })
	key := ""
	if len(list) == 1 {
		key = list[0]
	}
	m := p.letter.message(Request, p.from, to, key, cal)
	m.Refresh = refresh
	m.First = !refresh && p.firstTo(one, list) && !alongside(one, list)
	for _, k := range list {
		m.Asks = m.Asks || !refresh && p.asked[k]
	}
	if !one.fresh {
		for _, k := range list {
			if d := p.deltas[k]; d != nil {
				m.Changes = append(m.Changes, d.diffs...)
			}
		}
	}
	p.out.Send = append(p.out.Send, m)
}

// requestPart queues a REQUEST about one component for somebody from outside.
// at is where the list of what this person is asked about has it, once it is made.
func (p *organizing) requestPart(one *party, to ical.Address, k string, at **part) {
	if k == "" || p.hidden {
		p.request(one, to, []string{k}, false)
		return
	}
	x := *at
	if x == nil {
		if x = p.parts[k]; x == nil {
			made := p.letter.part(p.new, k, p.numberOf(k))
			x = &made
			x.asks = p.asked[k]
			if d := p.deltas[k]; d != nil {
				x.changes = d.diffs
			}
			put(&p.parts, k, x)
		}
		*at = x
	}
	n := len(p.out.Send)
	p.out.Send = append(p.out.Send, Message{})
	m := &p.out.Send[n]
	m.Method, m.From, m.To, m.SentBy, m.UID, m.RecurrenceID = Request, p.from, to, p.by, p.uid, k
	m.Sequence, m.Calendar, m.Asks = x.sequence, x.cal, x.asks
	if one.listed[0] != "" { // taken back, it leaves the occurrence to who has the series
		m.First = p.firstTo(one, []string{k})
	}
	if !one.fresh {
		m.Changes = x.changes
	}
}

// rowFor are places for the messages about a list of occurrences: the same as last
// time for the same list, which the guests of a series mostly share.
func (p *organizing) rowFor(list []string) []*part {
	if p.rowOf != &list[0] || len(p.row) != len(list) {
		p.row, p.rowOf = make([]*part, len(list)), &list[0]
	}
	return p.row
}

// firstTo reports whether the person had none of these components before.
func (p *organizing) firstTo(one *party, list []string) bool {
	if one.fresh {
		return true
	}
	for _, k := range list {
		if was, known := p.before(k); known && was.served(one.who) != nil {
			return false
		}
	}
	return true
}

// alongside reports whether a message is about an occurrence of a series that
// the person has, or gets with it: taken back, it leaves the occurrence.
func alongside(one *party, list []string) bool {
	return len(list) == 1 && list[0] != "" && slices.Contains(one.listed, "")
}

// requestFor writes the components of an object that one may see, leaving out
// of the series what one is not invited to (RFC 6638 3.2.6), and other guests
// where the list is hidden.
func (l *letter) requestFor(o *object, list, without []string, who string) *ical.Calendar {
	l.o = o
	hidden := hidesGuests(o)
	comps := make([]*ical.Component, 0, len(list))
	for _, k := range list {
		var gone []string
		if k == "" {
			gone = without
		}
		source := o.component(k)
		if hidden {
			source = l.seenBy(source, who)
		}
		c := l.request(source, gone)
		if hidden {
			onlyGuest(c, who)
		}
		comps = append(comps, c)
	}
	return l.calendar(Request, comps...)
}

// uninvitedTo are the overridden occurrences of the series that the person is
// not part of, or that are cancelled (REC-03).
func uninvitedTo(o *object, rosters map[string]*roster, who string) []string {
	if o.master == nil {
		return nil
	}
	var out []string
	seek := seeker{who: who}
	for _, k := range o.order {
		if (!seek.on(rosters[k]) || dead(o.overrides[k])) && o.inSeries(k) {
			out = append(out, k)
		}
	}
	return out
}

func (p *organizing) draft(id string, write func() *ical.Calendar) *ical.Calendar {
	cal, ok := p.drafts[id]
	if !ok {
		cal = write()
		p.drafts[id] = cal
	}
	return cal
}
