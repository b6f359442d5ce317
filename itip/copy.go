package itip

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Copy is somebody's copy of an object. Its methods write the messages that no
// change of the object causes: questions, proposals, publications. They change
// nothing; the Memory they return is to be kept beside the object. The error,
// if any, is an [*Error] with a sentence for the user.
type Copy struct {
	Object *ical.Calendar
	Memory Memory
	User   []ical.Address // all addresses of the calendar's owner, preferred first
	By     ical.Address   // as in [Change]
	Now    time.Time
	Local  func(ical.Address) bool // as in [Change]
	Zone   *tz.Zone                // as in [Change]
}

// writing is a Copy being written about.
type writing struct {
	letter
	c   Copy
	me  people
	mem Memory
	org *ical.Property // nil = the object has no organizer
}

func (c Copy) write() *writing {
	w := &writing{c: c, me: peopleOf(c.User), mem: c.Memory.clone()}
	if c.Memory.InvitedAs != "" {
		w.me[c.Memory.InvitedAs.Key()] = true
	}
	o := newObject(c.Object, c.Zone)
	w.org = o.organizer(nil)
	w.letter = letter{o: o, stamp: w.mem.nextStamp(c.Now), sentBy: c.By, zone: c.Zone}
	return w
}

// component finds what a recurrence id (as in [Message]) means: the series or
// single event for "", an override, or a new component made of the series.
func (w *writing) component(recurrenceID string) (*ical.Component, string, error) {
	if recurrenceID == "" {
		if w.o.master != nil {
			return w.o.master, "", nil
		}
		for _, k := range w.o.order {
			return w.o.overrides[k], k, nil
		}
		return nil, "", refuse(conditionObject, "", "", "There is no event to write about.")
	}
	key := w.o.keyText(recurrenceID)
	c := w.o.overrides[key]
	if c == nil {
		c = w.o.derive(key)
	}
	if c == nil {
		return nil, "", refuse(conditionObject, recurrenceID, "RECURRENCE-ID", "%s has no occurrence at that time.", title(w.o))
	}
	return c, key, nil
}

// keyText is the key of a recurrence id given as text: an instant in UTC or a
// date.
func (o *object) keyText(recurrenceID string) string {
	if t, err := ical.ParseTime(recurrenceID, "", len(recurrenceID) == len("20060102")); err == nil {
		return o.key(t, o.zones)
	}
	return recurrenceID
}

// toOrganizer checks that the owner is a guest and the organizer can be
// reached.
func (w *writing) toOrganizer(c *ical.Component) (line *ical.Property, to ical.Address, err error) {
	line = w.me.line(c)
	switch {
	case w.org == nil:
		return nil, "", refuse(conditionByGuest, "", "ORGANIZER", "%s has no organizer to write to.", title(w.o))
	case w.me.is(w.org):
		return nil, "", refuse(conditionByOwner, "", "ORGANIZER", "You organize %s yourself.", title(w.o))
	case line == nil:
		return nil, "", refuse(conditionByGuest, "", "ATTENDEE", "You are not among the guests of %s.", title(w.o))
	}
	if to = reachable(w.org, w.c.Local); to == "" {
		return nil, "", refuse(conditionByGuest, "", "ORGANIZER", "The organizer %s has no address that messages reach.", nameOf(person(w.org)))
	}
	return line, to, nil
}

// identify is a component that says only which event or occurrence is meant.
func (w *writing) identify(c *ical.Component) *ical.Component {
	out := w.base(c, func(name string) bool { return name == "UID" || name == "RECURRENCE-ID" })
	if q := out.Prop("RECURRENCE-ID"); q != nil {
		q.RemoveParam("RANGE")
	}
	return out
}

// bare is a line with nothing but whose it is.
func bare(name string, p *ical.Property) *ical.Property {
	q := ical.NewProperty(name, p.Value())
	if cn := p.Param("CN"); cn != "" {
		q.SetParam("CN", cn)
	}
	return q
}

// actingFor adds SENT-BY where a designate writes (RFC 5546 3.2.2.5).
func (w *writing) actingFor(line *ical.Property) {
	if w.sentBy != "" && !w.sentBy.Equal(line.Address()) {
		line.SetParam("SENT-BY", string(w.sentBy))
	}
}

// Refresh asks the organizer for the present state of the whole event or
// to-do, or of one occurrence (RFC 5546 3.2.6, 3.4.6). Object may be a message
// about an event that is not here. Few programs answer; do not depend on it.
func (c Copy) Refresh(recurrenceID string) (Message, Memory, error) {
	w := c.write()
	comp, key, err := w.component(recurrenceID)
	if err != nil {
		return Message{}, c.Memory, err
	}
	line, to, err := w.toOrganizer(comp)
	if err != nil {
		return Message{}, c.Memory, err
	}
	return w.refresh(comp, key, line, to), w.mem, nil
}

func (w *writing) refresh(comp *ical.Component, key string, line *ical.Property, to ical.Address) Message {
	out := w.identify(comp)
	q := bare("ATTENDEE", line)
	w.actingFor(q)
	out.Add(q)
	return w.message(Refresh, line.Address(), to, key, w.calendar(Refresh, out))
}

// AskStatus asks an attendee of an assigned to-do how far it is: the REFRESH
// that RFC 5546 3.4.6 lets the organizer send. Events have no such question.
func (c Copy) AskStatus(attendee ical.Address) (Message, Memory, error) {
	w := c.write()
	comp, _, err := w.component("")
	if err != nil {
		return Message{}, c.Memory, err
	}
	line := people{attendee.Key(): true}.line(comp)
	switch {
	case w.org == nil || !w.me.is(w.org):
		return Message{}, c.Memory, refuse(conditionByGuest, "", "ORGANIZER", "Only the organizer of %s asks how far it is.", title(w.o))
	case comp.Name != "VTODO":
		return Message{}, c.Memory, refuse(conditionByOwner, "", "", "%s is no task; of guests one asks for an answer by inviting them again.", title(w.o))
	case line == nil:
		return Message{}, c.Memory, refuse(conditionByOwner, "", "ATTENDEE", "%s is not assigned to %s.", title(w.o), attendee)
	}
	to := reachable(line, c.Local)
	if to == "" {
		return Message{}, c.Memory, unreachable(line)
	}
	out := w.identify(comp)
	out.Add(bare("ATTENDEE", line))
	return w.message(Refresh, w.org.Address(), to, "", w.calendar(Refresh, out)), w.mem, nil
}

func unreachable(line *ical.Property) *Error {
	return refuse(conditionByOwner, "", "ATTENDEE", "%s has no address that messages reach.", nameOf(person(line)))
}

// State is the present state for one attendee, whole and as far as it is
// theirs: what answers a REFRESH, and what "send it again" means (RFC 5546
// 3.2.2.2). It is a REQUEST, or a CANCEL when nothing is left for them.
func (c Copy) State(attendee ical.Address) (Message, Memory, error) {
	w := c.write()
	if w.org == nil || !w.me.is(w.org) {
		return Message{}, c.Memory, refuse(conditionByGuest, "", "ORGANIZER", "Only the organizer of %s can tell its state.", title(w.o))
	}
	w.o = w.o.whole(c.Memory, c.Zone)
	m, line := w.state(w.org, attendee.Key(), c.Local)
	switch {
	case line == nil:
		return Message{}, c.Memory, refuse(conditionByOwner, "", "ATTENDEE", "%s is not among the guests of %s.", attendee, title(w.o))
	case m.To == "":
		return Message{}, c.Memory, unreachable(line)
	}
	return m.under(w.mem.uidFor(attendee.Key(), m.UID)), w.mem, nil
}

// whole is the object with what [apart] names in it: all that people have of it.
func (o *object) whole(m Memory, z *tz.Zone) *object {
	list := apart(o, m)
	if len(list) == 0 {
		return o
	}
	out := newObject(o.cal.Clone(), z)
	for _, k := range list {
		if c := out.derive(k); c != nil {
			out.add(c)
		}
	}
	return out
}

// state writes what one attendee should have of the object; nil when they are
// not listed, no address when there is no way to them.
func (l *letter) state(org *ical.Property, who string, local func(ical.Address) bool) (Message, *ical.Property) {
	cache := keys{}
	rosters := map[string]*roster{}
	var line *ical.Property
	for _, k := range l.o.keys() {
		rosters[k] = rosterOf(l.o.component(k), cache)
		if line == nil {
			line = rosters[k].line(who)
		}
	}
	if line == nil {
		return Message{}, nil
	}
	to := reachable(line, local)
	if to == "" {
		return Message{}, line
	}
	living := l.o.living()
	list := listed(living, rostersOf(living, rosters), who)
	if len(list) == 0 {
		c := l.o.cal.Main()[0]
		return l.message(Cancel, org.Address(), to, "", l.calendar(Cancel, l.cancel(c, sequence(c), true, line))), line
	}
	id := ""
	if len(list) == 1 {
		id = list[0]
	}
	return l.message(Request, org.Address(), to, id, l.requestFor(l.o, list, uninvitedTo(l.o, rosters, who), who)), line
}

// TurnAway tells somebody who answered without being invited that they are not
// (RFC 5546 3.2.2.6: a CANCEL). recurrenceID is that of their answer.
func (c Copy) TurnAway(crasher ical.Address, recurrenceID string) (Message, Memory, error) {
	w := c.write()
	comp, key, err := w.component(recurrenceID)
	if err != nil {
		return Message{}, c.Memory, err
	}
	switch {
	case w.org == nil || !w.me.is(w.org):
		return Message{}, c.Memory, refuse(conditionByGuest, "", "ORGANIZER", "Only the organizer of %s decides who comes.", title(w.o))
	case people{crasher.Key(): true}.line(comp) != nil:
		return Message{}, c.Memory, refuse(conditionByOwner, "", "ATTENDEE", "%s is a guest of %s; take them off the list instead.", crasher, title(w.o))
	}
	line := ical.NewProperty("ATTENDEE", string(crasher))
	to := reachable(line, c.Local)
	if to == "" {
		return Message{}, c.Memory, unreachable(line)
	}
	cal := w.calendar(Cancel, w.cancel(comp, sequence(comp), false, line))
	return w.message(Cancel, w.org.Address(), to, key, cal), w.mem, nil
}

// Publish tells people of an event, to-do or journal entry without inviting
// anybody (RFC 5546 3.2.1, 3.4.1, 3.5.1): guests, alarms and what is private
// stay at home. The publisher is the organizer, or the owner where there is
// none.
func (c Copy) Publish(to ...ical.Address) ([]Message, Memory, error) {
	w := c.write()
	if w.o.empty() || !spoken[w.o.cal.Kind()][string(Publish)] {
		return nil, c.Memory, refuse(conditionObject, "", "", "There is nothing to publish.")
	}
	if len(to) == 0 {
		return nil, c.Memory, refuse(conditionObject, "", "", "Say to whom %s should be published.", title(w.o))
	}
	publisher := w.org
	switch {
	case publisher == nil && len(c.User) == 0:
		return nil, c.Memory, refuse(conditionObject, "", "ORGANIZER", "There is nobody in whose name %s could be published.", title(w.o))
	case publisher == nil:
		publisher = ical.NewProperty("ORGANIZER", string(c.User[0]))
	case !w.me.is(publisher):
		return nil, c.Memory, refuse(conditionByGuest, "", "ORGANIZER", "%s is organized by %s; forward the invitation instead.", title(w.o), nameOf(person(publisher)))
	}
	var comps []*ical.Component
	for _, k := range w.o.keys() {
		comps = append(comps, w.publication(w.o.component(k), publisher))
	}
	cal := w.calendar(Publish, comps...)
	var out []Message
	for _, a := range to {
		if a = reachable(ical.NewProperty("ATTENDEE", string(a)), c.Local); a == "" {
			continue
		}
		out = append(out, w.message(Publish, publisher.Address(), a, "", cal))
	}
	if len(out) == 0 {
		return nil, c.Memory, refuse(conditionObject, "", "", "No address given is one that messages reach.")
	}
	return out, w.mem, nil
}

// publication is a component of a PUBLISH.
func (w *writing) publication(c *ical.Component, publisher *ical.Property) *ical.Component {
	out := w.base(c, func(name string) bool {
		if strings.HasPrefix(name, "X-") {
			return outward[name]
		}
		return !private[name] || name == "CATEGORIES" || name == "STATUS"
	})
	w.end(out, c)
	if out.Prop("ORGANIZER") == nil {
		out.Add(w.organizer(publisher))
	}
	out.Add(ical.NewProperty("SEQUENCE", fmt.Sprint(sequence(c))))
	for _, p := range [...]struct{ kind, name, value string }{
		{"VEVENT", "SUMMARY", ""}, {"VTODO", "SUMMARY", ""}, {"VTODO", "PRIORITY", "0"}, {"VJOURNAL", "DESCRIPTION", ""},
	} {
		if c.Name == p.kind && out.Prop(p.name) == nil {
			out.Add(ical.NewProperty(p.name, p.value))
		}
	}
	if out.Prop("DTSTART") == nil {
		w.begin(out)
	}
	return out
}

// Forward passes an invitation on to somebody who was not invited: the very
// object that came, in the forwarder's own name (RFC 5546 3.2.2.6: without any
// change). Whether the new one may come is the organizer's to say (DEL-10).
func Forward(invitation *ical.Calendar, from, to ical.Address) (Message, error) {
	if invitation == nil || Method(invitation.Method()) != Request || len(invitation.Main()) == 0 {
		return Message{}, refuse(conditionObject, "", "METHOD", "Only an invitation can be forwarded.")
	}
	if to.Email() == "" {
		return Message{}, refuse(conditionByGuest, "", "ATTENDEE", "%s is no address that messages reach.", to)
	}
	o := newObject(invitation, nil)
	for _, c := range invitation.Main() {
		if (people{to.Key(): true}).line(c) != nil {
			return Message{}, refuse(conditionByGuest, "", "ATTENDEE", "%s is invited to %s already.", to, title(o))
		}
	}
	l := letter{o: o}
	key := ""
	if len(invitation.Main()) == 1 {
		key = o.keyOf(invitation.Main()[0])
	}
	return l.message(Request, from, to, key, invitation), nil
}
