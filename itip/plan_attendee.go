package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// attending is one run of [Plan] for an attendee (RFC 6638 3.2.2).
type attending struct {
	c        Change
	out      *Outcome
	me       people
	old, new *object
	answers  []answer
}

// answer is one thing to tell the organizer.
type answer struct {
	key      string
	comp     *ical.Component // what is answered
	line     *ical.Property
	partstat string
	was      string
	comments []string
}

// CAL-02: see docs/interoperability.md.
func planAttendee(c Change, out *Outcome, me people, old, work *object) error {
	p := &attending{c: c, out: out, me: me, old: old, new: work}
	if c.New == nil {
		p.remove()
		p.send(p.old)
		p.notices()
		return nil
	}
	if org := work.organizer(nil); org != nil && agent(org) != "SERVER" {
		// RFC 6638 3.2.2.2: somebody else takes care of this one.
		p.notices()
		return nil
	}
	if old.empty() || roleIn(old, me) != AttendeeRole {
		p.create()
	} else if err := p.modify(); err != nil {
		return err
	}
	p.send(p.new)
	p.notices()
	p.tidy()
	return nil
}

// create: an invitation that came to the client by another way is stored with
// the answer already in it (SIG-05).
func (p *attending) create() {
	for _, k := range p.new.keys() {
		c := p.new.component(k)
		line := p.me.line(c)
		if line == nil || dead(c) {
			continue
		}
		if p.out.Memory.InvitedAs == "" {
			p.out.Memory.InvitedAs = line.Address()
		}
		if line.HasParam("SCHEDULE-STATUS") {
			line.RemoveParam("SCHEDULE-STATUS") // of somebody else's copy
		}
		if s := partStat(line); s != partStatNeeds || p.forced(c) || privateOf(c) != "" {
			p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: s, was: partStatNeeds, comments: p.comments(k, c)})
		}
	}
}

// remove: deleting an event is declining it (RFC 6638 3.2.2.4, 8.1) (SIG-09).
func (p *attending) remove() {
	org := p.old.organizer(nil)
	if p.c.Reply == ReplySuppress || org == nil || agent(org) != "SERVER" {
		return
	}
	if p.old.master != nil && dead(p.old.master) {
		return
	}
	for _, k := range p.old.keys() {
		c := p.old.component(k)
		line := p.me.line(c)
		if line == nil || dead(c) {
			continue
		}
		switch s := partStat(line); s {
		case partStatDeclined, partStatDelegated:
		default:
			p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: partStatDeclined, was: s})
		}
	}
}

// modify compares with what was stored: what belongs to the organizer is put
// back or refused, what belongs to the attendee is told (RFC 6638 3.2.2.1,
// 3.2.2.3).
func (p *attending) modify() error {
	if p.old.master != nil && p.new.master == nil {
		return refuse(conditionByGuest, "", "RECURRENCE-ID", "The series itself is missing. Send the whole event; to leave single occurrences, decline them.")
	}
	if p.old.master == nil && p.new.master != nil {
		return refuse(conditionByGuest, "", "", "You are invited to single occurrences only; the series cannot be added.")
	}
	for _, k := range p.new.keys() {
		if err := p.allowed(k); err != nil {
			return err
		}
	}
	p.keepOccurrences()
	p.answerWhole()
	for _, k := range p.new.keys() {
		p.compareAnswer(k)
	}
	p.answerApart()
	p.compareHidden()
	return nil
}

// hard are the properties that a guest may not touch; where a client leaves
// one of the soft ones out because it does not know it, it is put back.
var soft = set("CONFERENCE", "GEO", "CONTACT", "RESOURCES", "ATTACH", "URL", "PRIORITY", "CLASS")

// allowed checks and repairs one component (SEQ-08, CAL-05).
func (p *attending) allowed(k string) error {
	c := p.new.component(k)
	before := p.old.component(k)
	if before == nil {
		if before = p.old.derive(k); before == nil {
			return refuse(conditionByGuest, k, "RECURRENCE-ID", "The event has no occurrence at that time, and a guest cannot add one.")
		}
	}
	d := compare(p.old, before, p.new, c)
	for _, x := range d.diffs {
		switch {
		case x.Property == "CLASS": // how the own copy is shown to others is the owner's affair
		case x.Property == "EXDATE": // leaving an occurrence, or coming back to it
		case x.Property == "STATUS" && c.Name == "VTODO" && !dead(c) && !dead(before): // how far one is
			progress(p.me.line(c), c)
		case soft[x.Property] && x.New == "":
			restore(c, before, x.Property)
		default:
			return refuse(conditionByGuest, k, x.Property, "Only the organizer can change %s. Your answer, alarms and notes are yours to change.", propertyWord(x.Property))
		}
	}
	// SEQUENCE is the organizer's: were it raised here, the next update would
	// look old.
	if sequence(c) != sequence(before) || c.Prop("SEQUENCE") == nil && before.Prop("SEQUENCE") != nil {
		restore(c, before, "SEQUENCE")
	}
	if p.new.organizer(c) == nil {
		restore(c, before, "ORGANIZER")
	}
	if err := p.delegate(k, c, before); err != nil {
		return err
	}
	return p.keepRoster(k, c, before)
}

// keepRoster puts back the lines of the others, and refuses to add or remove
// any (DEL-06, CAL-05).
func (p *attending) keepRoster(k string, c, before *ical.Component) error {
	was, is := rosterOf(before, keys{}), rosterOf(c, keys{})
	invited := p.me.line(before) != nil
	for _, who := range is.order {
		line := is.line(who)
		switch stored := was.line(who); {
		case p.me.is(line):
			if line.HasParam("SCHEDULE-STATUS") {
				line.RemoveParam("SCHEDULE-STATUS")
			}
		case stored == nil && p.delegated(c, line):
		case stored == nil:
			return refuse(conditionByGuest, k, "ATTENDEE", "Only the organizer can invite %s.", nameOf(person(line)))
		case !sameLine(line, stored):
			*line = *stored.Clone()
		}
	}
	for _, who := range was.order {
		if is.line(who) != nil {
			continue
		}
		line := was.line(who)
		if p.me.is(line) {
			if invited && p.me.line(c) == nil {
				return refuse(conditionByGuest, k, "ATTENDEE", "You cannot take yourself off the list of guests. Decline the event, or delete it.")
			}
			continue
		}
		return refuse(conditionByGuest, k, "ATTENDEE", "Only the organizer can remove %s from the guests.", nameOf(person(line)))
	}
	return nil
}

// restore gives c the lines of a property that the other component has.
func restore(c, from *ical.Component, name string) {
	at := slices.IndexFunc(c.Properties, func(p *ical.Property) bool { return p.Name() == name })
	c.Remove(name)
	if at < 0 || at > len(c.Properties) {
		at = len(c.Properties)
	}
	var lines []*ical.Property
	for p := range from.Props(name) {
		lines = append(lines, p.Clone())
	}
	c.Properties = slices.Insert(c.Properties, at, lines...)
}

// keepOccurrences puts back overrides that the client lost without leaving the
// occurrence, and EXDATEs of the organizer.
func (p *attending) keepOccurrences() {
	if p.new.master != nil && p.old.master != nil {
		out := p.new.times(p.new.master, "EXDATE")
		for k := range sorted(p.old.times(p.old.master, "EXDATE")) {
			if !out[k] && !p.out.Memory.Hidden[k] {
				p.new.exclude(k)
			}
		}
		p.new.index()
	}
	out := map[string]bool{}
	if p.new.master != nil {
		out = p.new.times(p.new.master, "EXDATE")
	}
	for _, k := range p.old.order {
		if p.new.overrides[k] == nil && !out[k] {
			p.new.add(p.old.overrides[k].Clone())
		}
	}
}

// answerWhole: who answers the series answers its unanswered occurrences with
// it; so the organizer reads it as well.
func (p *attending) answerWhole() {
	is, was := p.me.line(p.new.master), p.me.line(p.old.master)
	if is == nil || was == nil || partStat(is) == partStat(was) || !decided(partStat(is)) {
		return
	}
	for _, k := range p.new.order {
		line := p.me.line(p.new.overrides[k])
		if line == nil || partStat(line) != partStatNeeds || dead(p.new.overrides[k]) {
			continue
		}
		if before := p.me.line(p.old.overrides[k]); before == nil || partStat(before) == partStatNeeds {
			line.SetParam("PARTSTAT", partStat(is))
			if to := is.ParamValues("DELEGATED-TO"); len(to) > 0 && partStat(is) == partStatDelegated {
				line.SetParam("DELEGATED-TO", to...)
				p.listDelegates(p.new.overrides[k], line)
			}
		}
	}
}

// compareAnswer finds a new answer in one component.
func (p *attending) compareAnswer(k string) {
	c := p.new.component(k)
	line := p.me.line(c)
	if line == nil || dead(c) {
		return
	}
	was := partStatNeeds
	before := p.old.component(k)
	if before == nil {
		before = p.old.master
	}
	if stored := p.me.line(before); stored != nil {
		was = partStat(stored)
	}
	is := partStat(line)
	if is == was && !p.forced(c) && privateOf(c) == privateOf(before) && !(c.Name == "VTODO" && progressed(before, c)) {
		return
	}
	p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: is, was: was, comments: p.comments(k, c)})
}

// answerApart tells the answers to occurrences that stay what they were when the
// answer to the series changes: the organizer would take the new one for them,
// unless they were answered by themselves before.
func (p *attending) answerApart() {
	if !slices.ContainsFunc(p.answers, func(a answer) bool { return a.key == "" }) {
		return
	}
	whole := partStat(p.me.line(p.new.master))
	for _, k := range p.new.order {
		c := p.new.overrides[k]
		line := p.me.line(c)
		if line == nil || dead(c) || !decided(partStat(line)) || partStat(line) == whole || p.old.overrides[k] == nil {
			continue
		}
		if at, told := p.out.Memory.Answers[k]; told && at.Sequence >= p.out.Memory.Versions[k].Sequence {
			continue
		}
		if !slices.ContainsFunc(p.answers, func(a answer) bool { return a.key == k }) {
			p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: partStat(line), was: partStat(line)})
		}
	}
}

// progress says on the attendee's line what a client says of the task alone when
// somebody ticks it off (RFC 5545 3.2.12 has the same words for both).
func progress(line *ical.Property, c *ical.Component) {
	if line == nil {
		return
	}
	switch s := statusOf(nil, c, ""); {
	case s == partStat(line), partStat(line) == partStatDelegated:
	case s == "COMPLETED", s == "IN-PROCESS":
		line.SetParam("PARTSTAT", s)
	case partStat(line) == "COMPLETED" || partStat(line) == "IN-PROCESS": // taken back
		line.SetParam("PARTSTAT", partStatAccepted)
	}
}

// progressed reports whether a to-do went on (RFC 5546 3.4.3).
func progressed(before, c *ical.Component) bool {
	return before.Value("PERCENT-COMPLETE") != c.Value("PERCENT-COMPLETE") || before.Value("COMPLETED") != c.Value("COMPLETED")
}

// compareHidden declines the occurrences that an EXDATE took out of the own
// copy, and answers again for those that came back (RFC 6638 3.2.2.3) (REC-04).
func (p *attending) compareHidden() {
	if p.old.master == nil || p.new.master == nil {
		return
	}
	was, is := p.old.times(p.old.master, "EXDATE"), p.new.times(p.new.master, "EXDATE")
	for k := range sorted(is) {
		if was[k] || !p.old.occurs(k) {
			continue
		}
		put(&p.out.Memory.Hidden, k, true)
		c := p.old.component(k)
		if c == nil {
			c = p.old.derive(k)
		}
		if c == nil || dead(c) {
			continue
		}
		put(&p.out.Memory.Dropped, k, Dropped{PartStat: partStatDeclined, Start: startOf(p.old, c, "DTSTART"), End: endOf(p.old, c, "")})
		line := p.me.line(c)
		if _, told := p.out.Memory.Answers[k]; line == nil || partStat(line) == partStatDeclined && told {
			continue // else an answer to the series could change it some day
		}
		p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: partStatDeclined, was: partStat(line)})
	}
	for k := range sorted(was) {
		if is[k] || !p.out.Memory.Hidden[k] {
			continue
		}
		delete(p.out.Memory.Hidden, k)
		delete(p.out.Memory.Dropped, k)
		c := p.new.component(k)
		if c == nil {
			c = p.new.derive(k)
		}
		line := p.me.line(c)
		if line == nil || slices.ContainsFunc(p.answers, func(a answer) bool { return a.key == k }) {
			continue
		}
		p.answers = append(p.answers, answer{key: k, comp: c, line: line, partstat: partStat(line), was: partStatDeclined})
	}
}

// forced reports SCHEDULE-FORCE-SEND=REPLY (RFC 6638 7.2).
func (p *attending) forced(c *ical.Component) bool {
	org := p.new.organizer(c)
	return org != nil && strings.EqualFold(org.Param("SCHEDULE-FORCE-SEND"), string(Reply))
}

// comments are the notes that are new with this change: those the organizer
// sent are not sent back.
func (p *attending) comments(k string, c *ical.Component) []string {
	old := map[string]bool{}
	if before := p.old.component(k); before != nil {
		for q := range before.Props("COMMENT") {
			old[q.Text()] = true
		}
	} else if p.old.master != nil {
		for q := range p.old.master.Props("COMMENT") {
			old[q.Text()] = true
		}
	}
	var out []string
	for q := range c.Props("COMMENT") {
		if text := strings.TrimSpace(q.Text()); text != "" && !old[q.Text()] && !p.old.empty() {
			out = append(out, text)
		}
	}
	return out
}

// send makes the replies: one for each component, or one for all when the
// organizer is served here.
func (p *attending) send(o *object) {
	org := o.organizer(nil)
	if len(p.answers) == 0 || org == nil {
		return
	}
	to := reachable(org, p.c.Local)
	if to == "" {
		p.status(statusNoSuchUser)
		return
	}
	before := p.out.Memory.Stamp
	l := letter{o: o, stamp: p.out.Memory.nextStamp(p.c.Now), sentBy: p.c.By, zone: p.c.Zone}
	from := p.answers[0].line.Address()
	var comps []*ical.Component
	var changes []Difference
	var requests []Message // to delegates, after what the organizer is told
	flush := func() {
		if len(comps) == 0 {
			return
		}
		key := ""
		if len(comps) == 1 {
			key = o.keyOf(comps[0])
		}
		m := l.message(Reply, from, to, key, l.calendar(Reply, comps...))
		m.Changes = changes
		p.out.Send = append(p.out.Send, m)
		comps, changes = nil, nil
	}
	combine := p.c.Local != nil && p.c.Local(org.Address())
	for i, a := range p.answers {
		n := sequence(a.comp)
		if v, ok := p.out.Memory.Versions[a.key]; ok && !v.Cancelled { // else it came back with its series
			n = max(n, v.Sequence) // the series may have replaced the occurrence since
		}
		reply := l.reply(a.comp, a.line, n, a.partstat, a.comments)
		put(&p.out.Memory.Answers, a.key, Version{Sequence: n, Stamp: l.stamp})
		if a.partstat == partStatDelegated && a.was != partStatDelegated {
			requests = append(requests, p.passOn(&l, from, a, reply)...)
		}
		comps = append(comps, reply)
		d := Difference{Property: "PARTSTAT", Old: a.was, New: a.partstat, RecurrenceID: a.key, Attendee: string(a.line.Address())}
		if a.was != a.partstat {
			changes = append(changes, d)
			p.out.Changes = append(p.out.Changes, d)
		}
		// What came as one change of many occurrences is answered at once.
		more := i+1 < len(p.answers) && p.out.Memory.Spread[a.key] && p.out.Memory.Spread[p.answers[i+1].key]
		if !combine && !more {
			flush()
		}
	}
	flush()
	p.out.Send = append(p.out.Send, requests...)
	if len(p.out.Send) == 0 {
		p.out.Memory.Stamp = before
	}
	p.status(statusPending)
}

// status notes on ORGANIZER what became of the reply (RFC 6638 3.2.2.3) (CAL-03).
func (p *attending) status(code string) {
	for _, a := range p.answers {
		c := p.new.component(a.key)
		if c == nil {
			c = p.new.master
		}
		if c == nil {
			continue
		}
		if org := c.Prop("ORGANIZER"); org != nil && org.Param("SCHEDULE-STATUS") != code {
			org.SetParam("SCHEDULE-STATUS", code)
		}
	}
}

// tidy: SCHEDULE-FORCE-SEND is a request, not a state, and an answer given
// needs no RSVP.
func (p *attending) tidy() {
	for _, c := range p.new.cal.Main() {
		org := c.Prop("ORGANIZER")
		if org == nil {
			continue
		}
		if v := org.Param("SCHEDULE-FORCE-SEND"); v != "" {
			org.RemoveParam("SCHEDULE-FORCE-SEND")
			if !strings.EqualFold(v, string(Reply)) {
				org.SetParam("SCHEDULE-STATUS", statusBadParam)
			}
		}
		for line := range c.Props("ATTENDEE") {
			if line.HasParam("SCHEDULE-FORCE-SEND") {
				line.RemoveParam("SCHEDULE-FORCE-SEND")
			}
		}
	}
}
