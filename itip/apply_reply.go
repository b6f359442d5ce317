package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// maxComment bounds an attendee's note, in bytes.
const maxComment = 4096

// maxInstances bounds the occurrences one REPLY answers or one CANCEL takes
// out, maxDelegates to how many people one attendee delegates.
const (
	maxInstances = 1000
	maxDelegates = 20
)

// CrasherPolicy is what an organizer wants done about answers by people who were
// not invited (RFC 5546 3.2.2.6). A person may decide otherwise in each case.
type CrasherPolicy string

// The policies: they wait for the organizer; who wants to come is listed and
// invited; they are told that they are not invited; nothing is done.
const (
	AskAboutCrashers CrasherPolicy = ""
	AdmitCrashers    CrasherPolicy = "admit"
	RefuseCrashers   CrasherPolicy = "refuse"
	IgnoreCrashers   CrasherPolicy = "ignore"
)

// reply applies a REPLY (RFC 5546 3.2.3). It changes the lines of who answers,
// and nothing else, whatever else the message says (REP-01, REP-02, REP-16, ADR-05).
func (p *applying) reply() {
	name := title(p.stored)
	who := p.replier()
	if who != nil {
		p.res.Attendee = who.Address()
	}
	switch {
	case p.stored.empty() && p.a.Deleted:
		p.end(Ignored, ReasonDeleted, "%s answered an event that you have deleted.", p.replierName(who))
		p.res.Notify = true
		p.deletedAndPassedOn(who)
		return
	case p.stored.empty():
		p.end(Ignored, ReasonUnknownUID, "%s answered an event that is not here.", p.replierName(who))
		return
	case roleIn(p.stored, p.me) != OrganizerRole:
		p.end(Ignored, ReasonNotOurs, "You do not organize %s; the answer is not for you.", name)
		return
	case who == nil:
		p.end(Held, ReasonAmbiguous, "An answer to %s came, but it does not say who answers.", name)
		return
	}
	self := people{who.Address().Key(): true}
	ok, designate := p.acts(who)
	if e := emailKey(who); e != "" && (len(p.from) == 0 && byEmail(who) || p.from[e]) {
		// EMAIL says who it is only where the mail came from there.
		self[e] = true
		if !ok && !designate {
			delete(self, who.Address().Key())
			ok = true
		}
	}
	if p.a.Invited != "" { // ADR-06: the way it came says whose answer it is
		self, ok, p.res.Attendee = people{p.a.Invited.Key(): true}, true, p.a.Invited
	}
	switch {
	case p.me.is(who) && !p.a.Approved:
		p.end(Ignored, ReasonOwnEvent, "You organize %s yourself; an answer in your name from outside does not change it.", name)
		return
	case designate && !p.a.Approved:
		p.end(Held, ReasonDesignate, "%s answered %s in the name of %s. It waits for your consent.", p.sender(), name, nameOf(person(who)))
		return
	case !ok && !designate && !p.alias(who):
		p.end(Rejected, ReasonNotAttendee, "%s cannot answer %s for %s.", p.sender(), name, nameOf(person(who)))
		return
	}
	r := &replying{p: p, who: who, self: self}
	if !r.listed() && (p.a.Approved || r.byGroup()) {
		r.admit()
	}
	if !r.listed() && r.partedAndPassedOn() {
		return
	}
	if !r.listed() && r.early() {
		p.end(Held, ReasonWaiting, "%s answers %s in the place of %s, who has not said so. It waits for that.", nameOf(person(who)), name, person(who).DelegatedFrom[0])
		return
	}
	if !r.listed() && r.byPolicy() {
		return
	}
	if group := r.group(); !r.listed() && group != nil {
		p.end(Held, ReasonPartyCrasher, "%s answers %s as a member of %s and %s. Invite them, or leave it.", nameOf(person(who)), name, nameOf(person(group)), answerWord(answerOf(p.msg.cal.Main()[0], who)))
		p.res.PartStat, p.res.Notify = answerOf(p.msg.cal.Main()[0], who), true
		return
	}
	if !r.listed() {
		p.end(Held, ReasonPartyCrasher, "%s was not invited to %s and answers %s.%s Invite them, or leave it.", nameOf(person(who)), name, answerWord(answerOf(p.msg.cal.Main()[0], who)), r.lookalike())
		p.res.PartStat = answerOf(p.msg.cal.Main()[0], who)
		p.res.Notify = true
		return
	}
	r.apply()
}

// replying is one answer being applied.
type replying struct {
	p    *applying
	who  *ical.Property
	self people
	new  *object

	changed, outdated, stale, future, unknown, dead, failed, circular, refused bool

	reopened bool      // a delegator is asked again
	all      time.Time // DTSTAMP of an answer to everything, while that is applied
	behind   bool      // the component being applied answers a version that is older in some way

	// again are the components to send once more, by person: to a delegator whose
	// delegate declined, to a delegate who answered an older time.
	again map[string][]string
	notes map[string]string // what they are told beside
}

// find is the attendee's line in a component.
func (r *replying) find(c *ical.Component) *ical.Property {
	if c == nil {
		return nil
	}
	want := r.who.Value()
	if r.self[r.who.Address().Key()] {
		for line := range c.Props("ATTENDEE") {
			if strings.EqualFold(line.Value(), want) {
				return line
			}
		}
	}
	return r.self.line(c)
}

// lookalike names the guest whom somebody unknown may be under another address:
// a hint for a person, never a reason to believe it.
func (r *replying) lookalike() string {
	local := func(a ical.Address) string { l, _, _ := strings.Cut(a.Key(), "@"); return l }
	mine := person(r.who)
	for _, c := range r.p.stored.cal.Main() {
		for line := range c.Props("ATTENDEE") {
			b := person(line)
			if r.p.me.is(line) {
				continue
			}
			if mine.CN != "" && strings.EqualFold(mine.CN, b.CN) || local(mine.Address) != "" && local(mine.Address) == local(b.Address) {
				return " It may be " + nameOf(b) + " under another address."
			}
		}
	}
	return ""
}

// stored is the address of who answers as the event has it.
func (r *replying) stored() ical.Address {
	for _, c := range r.p.stored.cal.Main() {
		if line := r.find(c); line != nil {
			return line.Address()
		}
	}
	return r.who.Address()
}

func (r *replying) listed() bool {
	for _, c := range r.p.stored.cal.Main() {
		if r.find(c) != nil {
			return true
		}
	}
	return false
}

// byPolicy does what the organizer wants done with all who answer without being
// invited; false where that is to be asked, or where who wants to come is listed
// now and the answer has yet to be applied (REP-06).
func (r *replying) byPolicy() bool {
	p := r.p
	c := p.msg.cal.Main()[0]
	name, who, says := title(p.stored), nameOf(person(r.who)), answerOf(c, r.who)
	switch p.a.Crashers {
	case AdmitCrashers:
		if (says == partStatAccepted || says == partStatTentative) && !r.full() {
			r.admit()
		}
		return false
	case RefuseCrashers:
		key, id := "", ""
		if q := c.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				return false
			}
			if key = p.stored.key(t, p.msg.zones); !p.stored.occurs(key) {
				return false
			}
			id = key
		}
		comp := p.stored.component(key)
		if comp == nil {
			comp = p.stored.master
		}
		mark := strings.TrimSpace(r.who.Address().Key() + " " + key)
		if at, told := p.mem.Uninvited[mark]; comp != nil && !dead(comp) && (!told || at < sequence(comp)) && p.mem.TurnedAway[""] < maxTurnedAway {
			own := Copy{Object: p.stored.cal, Memory: p.mem, User: p.a.User, Now: p.a.Received, Zone: p.a.Zone, Local: p.a.Local}
			if m, mem, err := own.TurnAway(r.who.Address(), id); err == nil {
				p.mem = mem
				put(&p.mem.Uninvited, mark, m.Sequence)
				put(&p.mem.TurnedAway, "", p.mem.TurnedAway[""]+1)
				p.res.Send = append(p.res.Send, m)
			}
		}
		p.end(Ignored, ReasonPartyCrasher, "%s was not invited to %s and %s; they are told so.", who, name, answerWord(says))
	case IgnoreCrashers:
		p.end(Ignored, ReasonPartyCrasher, "%s was not invited to %s and %s; nothing was done.", who, name, answerWord(says))
	default:
		return false
	}
	p.res.PartStat = says
	return true
}

// maxTurnedAway bounds who is told by policy that they are not invited to one event:
// whoever has its UID can answer, from as many addresses as they have.
const maxTurnedAway = 100

// full reports whether one more attendee would be too many.
func (r *replying) full() bool {
	for _, c := range r.p.stored.cal.Main() {
		if r.p.a.MaxAttendees > 0 && count(c, "ATTENDEE") >= r.p.a.MaxAttendees {
			return true
		}
	}
	return false
}

// admit lists somebody who answered without being invited, because the
// organizer wants them (RFC 5546 3.2.2.6); they get the event as all others do (REP-06).
func (r *replying) admit() {
	p := r.p
	o := newObject(p.stored.cal.Clone(), p.a.Zone)
	list := func(key string) {
		c := o.component(key)
		if c == nil || dead(c) || r.find(c) != nil {
			return
		}
		q := ical.NewProperty("ATTENDEE", string(r.who.Address()))
		q.SetParam("PARTSTAT", partStatNeeds)
		q.SetParam("RSVP", "TRUE")
		for _, name := range [...]string{"CN", "CUTYPE", "MEMBER"} {
			if v := r.who.ParamValues(name); len(v) > 0 {
				q.SetParam(name, v...)
			}
		}
		c.Add(q)
		r.rejoin(o, key, q.Address())
		if p.a.Approved || p.a.Crashers == AdmitCrashers { // members of a group have the invitation already
			r.sendAgain(q, key)
		}
		p.res.Changes = append(p.res.Changes, Difference{Property: "ATTENDEE", New: nameOf(person(q)), Attendee: string(q.Address()), RecurrenceID: key})
	}
	for _, c := range p.a.Message.Main() {
		if q := c.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				continue
			}
			key := o.key(t, p.msg.zones)
			if o.component(key) == nil {
				if made := o.derive(key); made != nil {
					o.add(made)
				}
			}
			list(key)
			continue
		}
		for _, k := range o.keys() {
			list(k)
		}
	}
	p.stored = o
}

func (r *replying) finish() {
	p := r.p
	name := title(p.stored)
	who := nameOf(person(r.who))
	if line := r.find(p.stored.cal.Main()[0]); line != nil {
		who = nameOf(person(line))
	}
	r.requests()
	switch {
	case r.changed:
		p.res.Object = r.new.cal
		p.res.Notify = len(p.res.Changes) > 0
		if p.a.Local != nil && len(p.res.Changes) > 0 {
			but := r.who.Address()
			if r.reopened {
				but = "" // more than that answer changed
			}
			p.res.Send = append(p.res.Send, p.refreshCopies(r.new, but)...)
		}
		note := ""
		if p.a.Invited != "" && !r.self[r.who.Address().Key()] {
			note = " Answered as " + string(r.who.Address().Key()) + "."
		}
		if c := commentOf(p.a.Message.Main()[0], r.who); c != "" {
			note += " Note: " + c
		}
		switch {
		case r.refused:
			p.end(Applied, ReasonNoDelegation, "%s may not pass %s on; both are told.", who, name)
		case r.failed:
			p.end(Applied, ReasonFailed, "The calendar of %s could not take %s.%s", who, name, note)
		case r.future:
			p.end(Applied, ReasonFuture, "%s %s %s, answering a version that is not known here.%s", who, answerWord(p.res.PartStat), name, note)
		default:
			p.end(Applied, ReasonAnswered, "%s %s.%s", who, r.answers(name), note)
		}
	case r.refused:
		p.end(Unchanged, ReasonNoDelegation, "%s may not pass %s on; both are told.", who, name)
	case r.circular:
		p.end(Ignored, ReasonCircle, "%s passes %s back to somebody it came from; nothing was changed.", who, name)
	case r.stale:
		p.res.Notify = true
		p.end(Ignored, ReasonPreviousTime, "%s %s %s at its previous time; the present one is not answered yet.", who, answerWord(p.res.PartStat), name)
	case r.outdated:
		p.end(Unchanged, ReasonDuplicate, "This answer of %s to %s is known, or older than the one here.", who, name)
	case r.dead:
		p.end(Ignored, ReasonCancelled, "%s answered %s, which is cancelled.", who, name)
	default:
		p.end(Ignored, ReasonUnknownInstance, "%s answered an occurrence that %s does not have.", who, name)
	}
}

// answers says what was answered: the whole, or which occurrences.
func (r *replying) answers(name string) string {
	var parts []string
	for i, c := range r.p.a.Message.Main() {
		line := r.find(c)
		if line == nil || i == maxInstances {
			continue
		}
		what := name
		if q := c.Prop("RECURRENCE-ID"); q != nil {
			t, err := q.Time()
			if err != nil {
				continue
			}
			what = "the occurrence of " + moment(r.new.key(t, r.p.msg.zones), r.p.a.Zone)
			if len(parts) == 0 {
				what += " of " + name
			}
		}
		parts = append(parts, answerWord(answerOf(c, line))+" "+what)
	}
	if n := len(parts); n > maxSentences {
		parts = append(parts[:maxSentences], "and more")
	}
	if len(parts) == 0 {
		return answerWord(r.p.res.PartStat) + " " + name
	}
	return strings.Join(parts, "; ")
}
