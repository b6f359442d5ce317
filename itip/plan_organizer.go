package itip

import (
	"math"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// organizing is one run of [Plan] for the organizer (RFC 6638 3.2.1).
type organizing struct {
	c            Change
	out          *Outcome
	me           people
	old, new     *object // new is the working copy that will be stored
	cache        keys
	was, is      map[string]*roster // rosters by component
	deltas       map[string]*delta  // by component of new
	none         delta              // of all that were saved exactly as they were; never written to
	bumped       map[string]bool    // components with a new SEQUENCE
	reverted     map[string]bool    // overrides that the client took away and we keep
	swap         bool               // some leave, so those who join do with the next SEQUENCE: they may be the same by another address
	farewell     int                // the SEQUENCE of cancellations then
	asked        map[string]bool    // components everyone is asked anew about
	sequence     int                // the next SEQUENCE
	numbers      map[string]int     // SEQUENCE of the components of new, once they are given
	letter       letter
	from         ical.Address
	still        map[string]bool // components saved exactly as they were
	lived, lives []string        // components not cancelled, of old and new
	livedOn      []*roster       // their rosters
	livesOn      []*roster
	lags         []lag                     // overrides that go out with the series, as far as asked
	changed      []string                  // living components that were not saved exactly as they were
	touched      []string                  // occurrences that changed, as far as asked
	seen         map[string]bool           // components whose roster changed, as far as asked
	takes        map[*object]bool          // which version of the series goes out one by one
	borrowed     []string                  // overrides made only to ask about an occurrence
	hidden       bool                      // the guests do not see each other
	drafts       map[string]*ical.Calendar // messages made so far, shared between recipients of the same view
	parts        map[string]*part          // those about one occurrence
	row          []*part                   // the same, beside the list of occurrences that was sent last
	rowOf        *string                   // the first of that list
	beforeAll    bool                      // see allBefore
	beforeAsked  bool
	uid          string
	full         bool              // SEQUENCE cannot rise any more
	by           ical.Address      // who acts for the organizer; "" = the organizer
	states       map[string]string // delivery states, by the lines that say them
}

func planOrganizer(c Change, out *Outcome, me people, old, work *object) error {
	room := len(work.overrides) + 1
	p := &organizing{c: c, out: out, me: me, old: old, new: work, cache: keys{},
		was: make(map[string]*roster, len(old.overrides)+1), is: make(map[string]*roster, room), deltas: make(map[string]*delta, room),
		bumped: map[string]bool{}, reverted: map[string]bool{}, asked: map[string]bool{}, drafts: map[string]*ical.Calendar{}, seen: map[string]bool{}, still: make(map[string]bool, room),
		numbers: make(map[string]int, room)}
	if !roleIsOrganizer(old, me) {
		p.old = newObject(nil, nil) // it was a plain event until now: everyone is new
	}
	var last *roster
	for _, k := range p.old.keys() {
		c := p.old.component(k)
		r := last.like(c)
		if r == nil {
			r = rosterOf(c, p.cache)
		}
		p.was[k], last = r, r
	}
	p.sequence = maxSequence(p.old)
	for _, v := range p.out.Memory.Moved {
		p.sequence = max(p.sequence, v.Sequence)
	}
	for _, n := range p.out.Memory.Uninvited { // newer than all cancellations: it may have been deleted and saved anew
		p.sequence = max(p.sequence, n)
	}
	p.sequence = max(p.sequence, p.forgotten(p.sequence))
	if p.sequence++; p.sequence > math.MaxInt32 { // the largest INTEGER (RFC 5545 3.3.8)
		p.sequence, p.full = math.MaxInt32, true
	}
	if _, ok := p.new.spread(); !ok {
		return refuse(conditionByOwner, p.new.keyOf(p.new.hasRange()), "RECURRENCE-ID",
			"A change of this and all later occurrences cannot be sent for a series without end. End the series before it, and begin a new one.")
	}
	p.hidden = hidesGuests(p.new) || p.new.empty() && hidesGuests(p.old)
	p.keepReverted()
	p.lend()
	p.compare()
	if err := p.startsSometime(); err != nil {
		return err
	}
	p.dropOrphans()
	p.rosters()
	p.restoreAnswers()
	if err := p.guardComments(); err != nil {
		return err
	}
	p.restoreOccurrences()
	p.number()
	if p.full && len(p.bumped) > 0 { // SEQ-16: nobody could tell it from the version before
		return refuse(conditionByOwner, "", "SEQUENCE", "This event has the largest SEQUENCE there is, so no change of it can be told. Delete it, and make it anew.")
	}
	p.askAnew()
	p.send()
	p.tidy()
	p.summarize()
	return nil
}

// forgetful is how many versions back a backup may be: a SEQUENCE that is
// further ahead is a guest's mistake.
const forgetful = 1000

// forgotten is the highest SEQUENCE that at least two guests have answered and
// that is not known here: then it is this side that forgot, as after a restore
// from a backup, and what goes out next must be newer (SEQ-12). One guest alone
// may have counted on by mistake.
func (p *organizing) forgotten(known int) int {
	first, second := 0, 0
	for _, answers := range p.out.Memory.Replies {
		top := 0
		for _, a := range answers {
			if a.Sequence > known && a.Sequence <= known+forgetful {
				top = max(top, a.Sequence)
			}
		}
		if top > first {
			first, second = top, first
		} else {
			second = max(second, top)
		}
	}
	if second == 0 {
		return 0
	}
	return first
}

// startsSometime refuses events to which nobody could be invited, since they
// never begin (RFC 5545 3.6.1).
func (p *organizing) startsSometime() error {
	known := "" // the zone looked for last
	for _, k := range p.new.keys() {
		if p.still[k] {
			continue
		}
		c := p.new.component(k)
		start := c.Prop("DTSTART")
		if start == nil && c.Name != "VEVENT" {
			continue
		}
		if start == nil {
			return refuse(conditionObject, k, "DTSTART", "The event has guests but no start. Say when it begins.")
		}
		if count(c, "RRULE") > 1 {
			return refuse(conditionObject, k, "RRULE", "The event repeats by two rules, which guests' programs would not understand. Make two events of it.") // RFC 5546 3.2.2: one at most
		}
		if id := start.Param("TZID"); id != "" && id != known {
			if _, err := p.new.zones.Zone(id); err != nil {
				return refuse(conditionObject, k, "DTSTART", "The event begins in the time zone %q, which nobody knows and the event does not define.", id)
			}
			known = id
		}
		if _, err := start.Time(); err != nil {
			return refuse(conditionObject, k, "DTSTART", "The event begins at %q, which is no time.", start.Value())
		}
	}
	return nil
}

func roleIsOrganizer(o *object, me people) bool { return roleIn(o, me) == OrganizerRole }

// lend makes overrides again that went out as messages of their own and were not
// kept here: who has them would keep them through a change of the series.
func (p *organizing) lend() {
	if p.new.master == nil || p.old.master == nil || dead(p.new.master) {
		return
	}
	if d := compare(p.old, p.old.master, p.new, p.new.master); d.class&reschedule != 0 || d.class&significant == 0 {
		return
	}
	for _, k := range apart(p.old, p.out.Memory) {
		if p.new.overrides[k] != nil || !p.new.inSeries(k) {
			continue
		}
		if c := p.new.derive(k); c != nil {
			p.new.add(c)
			p.borrowed = append(p.borrowed, k)
		}
	}
}

// apart are the occurrences that went out as messages of their own and have no
// override here.
func apart(o *object, m Memory) []string {
	var out []string
	for k := range sorted(m.Sent) {
		if k != "" && (len(k) == len("20060102")) == o.allDay && o.overrides[k] == nil && o.inSeries(k) {
			out = append(out, k)
		}
	}
	return out
}

// compare finds what changed in each component. An override that is new is
// compared with the occurrence it was made of (SIG-01, SIG-03).
func (p *organizing) compare() {
	for _, k := range p.new.keys() {
		before := p.old.component(k)
		if before == nil && k != "" {
			before = p.old.derive(k)
		}
		if before != nil && identical(before, p.new.component(k)) {
			p.still[k] = p.old.component(k) != nil
			p.deltas[k] = &p.none
			continue
		}
		d := compare(p.old, before, p.new, p.new.component(k))
		p.deltas[k] = &d
	}
}

// dropOrphans takes out overrides of occurrences that the series no longer
// has: once the series has moved they would override nothing (REC-02).
func (p *organizing) dropOrphans() {
	d := p.deltas[""]
	if d == nil || d.class&(reschedule|pattern) == 0 || p.old.master == nil {
		return
	}
	var gone []*ical.Component
	for _, k := range p.new.order {
		if !p.new.inSeries(k) && p.old.inSeries(k) {
			gone = append(gone, p.new.overrides[k])
			delete(p.deltas, k)
		}
	}
	if len(gone) > 0 {
		p.new.drop(gone...)
	}
}

func (p *organizing) rosters() {
	var last *roster
	for _, k := range p.new.keys() {
		c := p.new.component(k)
		if p.still[k] {
			p.is[k] = p.was[k].on(c)
		}
		if p.is[k] == nil {
			p.is[k] = last.like(c)
		}
		if p.is[k] == nil {
			p.is[k] = rosterOf(c, p.cache)
		}
		last = p.is[k]
	}
}

// before is the roster an occurrence had: its own, or that of the series.
func (p *organizing) before(key string) (*roster, bool) {
	if r, ok := p.was[key]; ok {
		return r, true
	}
	if key != "" && p.old.master != nil && p.old.inSeries(key) {
		return p.was[""], true
	}
	return &roster{}, false
}

// number gives new SEQUENCEs: one more than all before on what was changed,
// and never less on an override than on its series (RFC 5546 2.1.4) (SEQ-07, SEQ-09, SEQ-10).
func (p *organizing) number() {
	if p.old.empty() && len(p.out.Memory.Uninvited) == 0 {
		return // what the client wrote
	}
	left := make(map[string]bool, len(p.was)) // where a CANCEL is due, and that is a new SEQUENCE
	for _, k := range p.new.order {
		if p.was[k] == nil && p.old.inSeries(k) && p.leaves(p.was[""], p.is[k]) {
			left[k] = true
		}
	}
	type pair struct{ was, is *string } // rosters of the same people
	known := map[pair]bool{}
	for k, was := range p.was {
		if left[k] || p.new.component(k) == nil {
			continue
		}
		is := p.is[k]
		if len(was.order) == 0 || len(is.order) == 0 {
			if p.leaves(was, is) {
				left[k] = true
			}
			continue
		}
		both := pair{&was.order[0], &is.order[0]}
		gone, asked := known[both]
		if !asked {
			gone = p.leaves(was, is)
			known[both] = gone
		}
		if gone {
			left[k] = true
		}
	}
	p.farewell = p.sequence
	p.swap = p.swap || len(left) > 0
	floor := 0
	for _, k := range p.new.keys() {
		c := p.new.component(k)
		stands := sequence(c)
		n := stands
		before := p.old.component(k)
		if before == nil {
			before = p.old.master
		}
		if before != nil && !p.still[k] {
			n = max(n, sequence(before))
		}
		if p.deltas[k].class&sequenced != 0 || left[k] || p.returning(k, n) {
			p.bumped[k] = true
			n = max(n, p.sequence)
		}
		if p.swap && p.comes(k) {
			n = max(n, p.farewell+1)
		}
		if k == "" {
			floor = n
		}
		n = max(n, floor)
		if n != stands {
			setSequence(c, n)
		}
		p.numbers[k] = n
		p.sequence = max(p.sequence, n)
	}
}

// numberOf is the SEQUENCE of a component of the new object.
func (p *organizing) numberOf(k string) int {
	if n, given := p.numbers[k]; given {
		return n
	}
	return sequence(p.new.component(k))
}

// leaves reports whether anybody we send for is on the first roster and not on
// the second.
func (p *organizing) leaves(was, is *roster) bool {
	for i, who := range was.order {
		if !was.other[who] && is.served(who) == nil && !p.me.is(was.props[i]) {
			return true
		}
	}
	return false
}

// returning reports whether somebody comes to a component with a SEQUENCE that
// a cancellation had already (RFC 5546 4.2.9). Whose it was does not count: who
// comes may have another address of somebody who went.
func (p *organizing) returning(k string, n int) bool {
	if len(p.out.Memory.Uninvited) == 0 || !p.comes(k) {
		return false
	}
	for who, at := range p.out.Memory.Uninvited {
		if _, part, one := strings.Cut(who, " "); at >= n && (!one || k == "" || sameMoment(part, k)) {
			return true
		}
	}
	return false
}

// sameMoment reports whether two keys may mean one occurrence: the same one, or one
// of before the series became all-day, or timed, and one of after.
func sameMoment(a, b string) bool { return a == b || len(a) != len(b) }

// comes reports whether anybody we send for is new to a component.
func (p *organizing) comes(k string) bool {
	before, _ := p.before(k)
	for i, who := range p.is[k].order {
		if p.is[k].other[who] || p.me.is(p.is[k].props[i]) {
			continue
		}
		if before.served(who) == nil {
			return true
		}
	}
	return false
}

// askAnew resets the answers where the time changed (RFC 6638 3.2.8), or where
// what was cancelled takes place again (SIG-01).
func (p *organizing) askAnew() {
	for _, k := range p.new.keys() {
		if p.still[k] && !p.asked[""] {
			continue // nothing that would ask
		}
		c, before := p.new.component(k), p.old.component(k)
		revived := before != nil && dead(before) && !dead(c)
		// Answers to what was deleted do not count for what is saved anew.
		reborn := p.old.empty() && len(p.out.Memory.Uninvited) > 0
		own := p.deltas[k].class&reschedule != 0 || revived || reborn
		whole := k != "" && p.asked[""] && (p.was[k] != nil || dead(p.old.master))
		if !own && !whole {
			continue
		}
		p.asked[k] = true
		put(&p.out.Memory.Moved, k, Version{Sequence: sequence(c), Stamp: p.c.Now.UTC()})
		if p.old.empty() {
			continue
		}
		for _, who := range p.is[k].order {
			line := p.is[k].line(who)
			if p.me.is(line) || agent(line) != "SERVER" || partStat(line) == partStatDelegated {
				continue
			}
			if partStat(line) != partStatNeeds {
				line.SetParam("PARTSTAT", partStatNeeds)
			}
			if !line.HasParam("RSVP") && !strings.EqualFold(line.Param("ROLE"), "NON-PARTICIPANT") {
				line.SetParam("RSVP", "TRUE")
			}
			if line.HasParam("X-RESPONSE-COMMENT") {
				line.RemoveParam("X-RESPONSE-COMMENT")
			}
		}
	}
}

// tidy removes what is never stored (RFC 6638 7.2) and keeps delivery states
// to those who were sent something (SIG-08, CAL-04).
func (p *organizing) tidy() {
	if p.out.Object == nil {
		return
	}
	p.giveBack()
	for _, k := range p.new.keys() {
		if p.still[k] {
			continue
		}
		for line := range p.new.component(k).Props("ATTENDEE") {
			if v := line.Param("SCHEDULE-FORCE-SEND"); v != "" {
				line.RemoveParam("SCHEDULE-FORCE-SEND")
				if !strings.EqualFold(v, string(Request)) {
					line.SetParam("SCHEDULE-STATUS", statusBadParam)
				}
			}
		}
	}
}

// summarize collects for people what changed in the whole.
func (p *organizing) summarize() {
	if p.old.empty() || p.c.New == nil {
		return
	}
	for _, k := range p.new.keys() {
		if d := p.deltas[k]; d != nil {
			p.out.Changes = append(p.out.Changes, d.diffs...)
		}
	}
	p.out.Changes = append(p.out.Changes, p.rosterChanges()...)
}

// rosterChanges are who came and who went, for the whole and for single
// occurrences.
func (p *organizing) rosterChanges() []Difference {
	var out []Difference
	for _, k := range p.new.keys() {
		if p.still[k] {
			continue
		}
		before, ok := p.before(k)
		if !ok {
			continue
		}
		for _, who := range p.is[k].order {
			if before.line(who) == nil {
				out = append(out, Difference{Property: "ATTENDEE", New: nameOf(person(p.is[k].line(who))), Attendee: string(p.is[k].line(who).Address()), RecurrenceID: k})
			}
		}
		for _, who := range before.order {
			if p.is[k].line(who) == nil {
				out = append(out, Difference{Property: "ATTENDEE", Old: nameOf(person(before.line(who))), Attendee: string(before.line(who).Address()), RecurrenceID: k})
			}
		}
	}
	return out
}
