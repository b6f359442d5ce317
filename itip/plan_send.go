package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// party is one other person and what becomes of them.
type party struct {
	who        string
	line       *ical.Property // as they are listed now, or were
	listed     []string       // components of the new object that name them, served by us
	uninvited  []string       // occurrences they lose
	cancelled  bool           // they lose everything
	asked      []string       // components they get a REQUEST about
	refresh    bool           // something they can see changed, nothing they must be told
	fresh      bool           // not on the event before
	everything bool           // on every component there was before
	without    []string       // overridden occurrences of the series that are not for them
	view       string         // the same as part of a draft's name
}

// about answers whether somebody is asked about a component.
func (one *party) about() func(k string) bool {
	switch {
	case len(one.asked) == len(one.listed):
		return func(string) bool { return true }
	case len(one.asked) < crowded:
		return func(k string) bool { return slices.Contains(one.asked, k) }
	}
	set := make(map[string]bool, len(one.asked))
	for _, k := range one.asked {
		set[k] = true
	}
	return func(k string) bool { return set[k] }
}

// send makes the messages: for each attendee in the order of the object,
// first what they lose, then what they are asked (RFC 6638 3.2.1.2) (CAL-12).
func (p *organizing) send() {
	parties := p.parties()
	if len(parties) == 0 {
		return
	}
	org := p.new.organizer(nil)
	if org == nil {
		org = p.old.organizer(nil)
	}
	p.from = org.Address()
	if p.uid = p.new.cal.UID(); p.uid == "" {
		p.uid = p.old.cal.UID()
	}
	before := p.out.Memory.Stamp
	p.letter = letter{stamp: p.out.Memory.nextStamp(p.c.Now), sentBy: p.c.By, zone: p.c.Zone}
	if p.by = p.c.By; p.by.Equal(p.from) {
		p.by = ""
	}
	room := 0
	for _, one := range parties {
		room += len(one.asked)
	}
	p.out.Send = make([]Message, 0, min(room, maxInstances*10)) // as far as it can be foretold
	for _, one := range parties {
		n := len(p.out.Send)
		p.tell(one)
		p.notice(one, n)
	}
	if room > 0 {
		p.remember(parties)
	}
	if len(p.out.Send) == 0 {
		p.out.Memory.Stamp = before
	}
}

// remember notes which SEQUENCE everyone has of each component: a new one only
// counts when all who are on it were sent it.
func (p *organizing) remember(parties []*party) {
	asked, missed := map[string]bool{}, map[string]bool{}
	var whole *string // a list of which somebody was sent all
	for _, one := range parties {
		if len(one.asked) > 0 && len(one.asked) == len(one.listed) {
			if whole == &one.asked[0] {
				continue // the same list once more
			}
			whole = &one.asked[0]
		}
		told := one.about()
		for _, k := range one.listed {
			if told(k) {
				if !asked[k] {
					asked[k] = true
				}
				continue
			}
			at, came := p.out.Memory.Invited[one.who+" "+k]
			switch {
			case came && at >= p.numberOf(k): // they joined with this one
			case p.bumped[k] || slices.Contains(one.listed, ""):
				missed[k] = true
			case !came: // it is all they ever got, and they have it as it was
				if had, sent := p.out.Memory.Sent[k]; sent && had >= 0 && had < p.numberOf(k) {
					put(&p.out.Memory.Invited, one.who+" "+k, had)
				}
			}
		}
	}
	for k := range asked {
		_, before := p.out.Memory.Sent[k]
		switch {
		case !missed[k]:
			put(&p.out.Memory.Sent, k, p.numberOf(k))
		case !before:
			put(&p.out.Memory.Sent, k, -1) // some have it as part of the series only
		}
	}
}

// parties are all people of either version but the organizer.
func (p *organizing) parties() []*party {
	p.lived, p.lives = p.old.living(), p.new.living()
	p.livedOn, p.livesOn = rostersOf(p.lived, p.was), rostersOf(p.lives, p.is)
	var out []*party
	seen := map[string]*party{}
	org := p.new.organizer(nil)
	collect := func(rosters map[string]*roster, order []string) {
		var last *string
		for _, k := range order {
			if list := rosters[k].order; len(list) == 0 || last == &list[0] {
				continue // the same people once more
			}
			last = &rosters[k].order[0]
			for _, who := range rosters[k].order {
				line := rosters[k].line(who)
				if seen[who] != nil || p.me.is(line) || org != nil && org.Address().Key() == who {
					continue // RFC 6638 3.2.1: never to the organizer
				}
				one := &party{who: who, line: line}
				seen[who] = one
				out = append(out, one)
			}
		}
	}
	collect(p.is, p.new.keys())
	collect(p.was, p.old.keys())
	for _, one := range out {
		p.judge(one)
	}
	return out
}

// listed are the living components that name the person and that we send for.
// living is from [object.living], rosters are theirs.
func listed(living []string, rosters []*roster, who string) []string {
	seek := seeker{who: who}
	for i := range living {
		if seek.on(rosters[i]) {
			continue
		}
		out := append(make([]string, 0, len(living)), living[:i]...)
		for j := i + 1; j < len(living); j++ {
			if seek.on(rosters[j]) {
				out = append(out, living[j])
			}
		}
		return out
	}
	return slices.Clip(living) // all: the usual case of a long series
}

// rostersOf are the rosters of components, in their order.
func rostersOf(list []string, rosters map[string]*roster) []*roster {
	out := make([]*roster, len(list))
	for i, k := range list {
		out[i] = rosters[k]
	}
	return out
}

// living are the components that are not cancelled. A cancelled series has
// none.
func (o *object) living() []string {
	if o.master != nil && dead(o.master) {
		return nil
	}
	var out []string
	for _, k := range o.keys() {
		if !dead(o.component(k)) {
			out = append(out, k)
		}
	}
	return out
}

// judge decides what the change means to one person: newly invited, still
// invited, no longer so, or for some occurrences only (CAL-01, REC-03).
func (p *organizing) judge(one *party) {
	had := listed(p.lived, p.livedOn, one.who)
	one.listed = listed(p.lives, p.livesOn, one.who)
	one.everything = len(had) > 0 && len(had) == len(p.lived)
	one.fresh = true
	for _, r := range p.was {
		if r.line(one.who) != nil {
			one.fresh = false
			break
		}
	}
	hadAll := slices.Contains(had, "")
	hasAll := slices.Contains(one.listed, "")
	switch {
	case len(had) == 0 && len(one.listed) == 0:
		return
	case len(one.listed) == 0 && hadAll, hadAll && !hasAll:
		one.cancelled = true
	case len(one.listed) == 0:
		one.uninvited = had
	default:
		one.uninvited = p.losses(one.who)
	}
	for _, k := range p.altered() {
		if p.is[k].served(one.who) != nil && p.mustAsk(one, k, hadAll) {
			one.asked = append(one.asked, k)
		}
	}
	if (one.cancelled || len(had) == 0) && !delegatedAway(one.line) {
		one.asked = one.listed // what they keep must be newer than the cancellation; what takes place again is new
	}
	if one.cancelled {
		p.forgetAnswers(one)
	}
	if hadAll && slices.Contains(one.asked, "") && p.expands(one, p.new) && !p.expands(one, p.old) {
		one.cancelled = true // the series they have goes, its occurrences come
	}
	// A master with a new SEQUENCE goes out with all its overrides: theirs is
	// new as well, and a receiver may take the master for the whole (RFC 5546
	// 4.4.7).
	if slices.Contains(one.asked, "") {
		switch {
		case p.bumped[""]:
			one.asked = one.listed
		case !hadAll:
			one.asked = slices.DeleteFunc(slices.Clone(one.listed), func(k string) bool { return p.has(one, k) })
		default:
			for _, l := range p.lagging() {
				if p.is[l.key].served(one.who) == nil || slices.Contains(one.asked, l.key) {
					continue
				}
				at, came := p.out.Memory.Invited[one.who+" "+l.key] // with that they got it, whatever the others have
				if l.sent && max(l.had, at) < l.sequence || l.keeps && !came {
					one.asked = append(one.asked, l.key)
				}
			}
		}
	}
	for _, k := range p.altered() {
		one.refresh = one.refresh || !p.hidden && p.is[k].served(one.who) != nil && p.visible(k)
	}
}

// allBefore reports whether every living component was there, and alive, before.
func (p *organizing) allBefore() bool {
	if !p.beforeAsked {
		p.beforeAsked, p.beforeAll = true, true
		for _, k := range p.lives {
			if p.was[k] == nil || dead(p.old.component(k)) {
				p.beforeAll = false
				break
			}
		}
	}
	return p.beforeAll
}

// forgetAnswers asks somebody anew about the occurrences they keep of a series
// that they lose: to their program the event was over.
func (p *organizing) forgetAnswers(one *party) {
	for _, k := range one.listed {
		if line := p.is[k].line(one.who); decided(partStat(line)) && partStat(line) != partStatDelegated {
			line.SetParam("PARTSTAT", partStatNeeds)
			line.SetParam("RSVP", "TRUE")
		}
	}
}

// has reports whether somebody who is new to the series has an occurrence of it
// already, as it is, and keeps it when the series comes (REQ-07).
func (p *organizing) has(one *party, k string) bool {
	if k == "" || slices.Contains(one.asked, k) || p.was[k] == nil || p.was[k].served(one.who) == nil {
		return false
	}
	n := sequence(p.new.component(k))
	had, sent := p.out.Memory.Sent[k]
	if at, came := p.out.Memory.Invited[one.who+" "+k]; came {
		had, sent = at, true // more may have been sent to them since: then it is sent once more
	}
	return sent && had >= n && n >= sequence(p.new.master)
}

// altered are the living components that were not saved exactly as they were.
func (p *organizing) altered() []string {
	if p.changed == nil {
		p.changed = []string{}
		for _, k := range p.lives {
			if !p.still[k] {
				p.changed = append(p.changed, k)
			}
		}
	}
	return p.changed
}

// lagging are the overrides that a new master must not go without: those whose
// SEQUENCE rose with its, and those that keep what the series had and has
// changed. The latter, made by somebody's answer, were never sent, so to the
// attendees these occurrences would seem to change with the series.
func (p *organizing) lagging() []lag {
	if p.lags != nil {
		return p.lags
	}
	p.lags = []lag{}
	d := p.deltas[""]
	for _, k := range p.lives {
		if k == "" {
			continue
		}
		c := p.new.overrides[k]
		l := lag{key: k}
		l.had, l.sent = p.out.Memory.Sent[k]
		if l.sent {
			l.sequence = sequence(c)
		}
		if (!l.sent || l.had < 0) && d != nil && d.class&details != 0 && p.old.master != nil { // else everybody has it, and keeps it
			for _, row := range compared {
				if row.class != details {
					continue
				}
				was, is := row.read(p.old, p.old.master, row.name), row.read(p.new, p.new.master, row.name)
				if was != is && row.read(p.new, c, row.name) == was {
					l.keeps = true
					break
				}
			}
		}
		if l.sent && l.had < l.sequence || l.keeps {
			p.lags = append(p.lags, l)
		}
	}
	return p.lags
}

// lag is one such override.
type lag struct {
	key      string
	sent     bool // everybody has it, with the SEQUENCE had; -1: only some
	had      int
	sequence int  // that it has now
	keeps    bool // what the series had
}

// losses are the occurrences the person was invited to and is no longer,
// where the series as such goes on. When the series moved, its REQUEST says
// it all.
func (p *organizing) losses(who string) []string {
	if d := p.deltas[""]; d != nil && d.class&reschedule != 0 {
		return nil
	}
	if p.touched == nil {
		p.touched = p.touchedOccurrences()
	}
	var out []string
	for _, k := range p.touched {
		if invited(p.old, p.was, who, k) && !invited(p.new, p.is, who, k) {
			out = append(out, k)
		}
	}
	return out
}

// touchedOccurrences are those that somebody may have lost.
func (p *organizing) touchedOccurrences() []string {
	set := map[string]bool{}
	for _, list := range [...][]string{p.old.order, p.new.order} {
		for _, k := range list {
			if !p.still[k] {
				set[k] = true
			}
		}
	}
	if d := p.deltas[""]; d != nil {
		for _, k := range d.removed {
			set[k] = true
		}
	}
	out := make([]string, 0, len(set))
	for k := range sorted(set) {
		out = append(out, k)
	}
	return out
}

// invited reports whether the person takes part in an occurrence.
func invited(o *object, rosters map[string]*roster, who, k string) bool {
	if c := o.overrides[k]; c != nil {
		return rosters[k].served(who) != nil && !dead(c)
	}
	return rosters[""].served(who) != nil && o.master != nil && !dead(o.master) && o.inSeries(k)
}

// mustAsk reports whether a component is new to the person, or changed in a
// way they must be told of (SIG-02, SIG-04).
func (p *organizing) mustAsk(one *party, k string, hadAll bool) bool {
	if p.still[k] {
		return false
	}
	line := p.is[k].line(one.who)
	if strings.EqualFold(line.Param("SCHEDULE-FORCE-SEND"), string(Request)) {
		return true // RFC 6638 7.2
	}
	if delegatedAway(line) {
		return false // the delegate is asked
	}
	if p.deltas[k].requests() {
		return true
	}
	if before := p.old.component(k); before != nil && dead(before) {
		return true
	}
	was, known := p.before(k)
	if !known {
		return true
	}
	before := was.line(one.who)
	if before == nil || agent(before) != "SERVER" {
		return true
	}
	if k != "" && p.old.overrides[k] == nil && !hadAll {
		return true
	}
	return compareLines(before, line)&roleChanged != 0
}

// delegatedAway reports whether somebody passed the invitation on and did not
// ask to hear more (RFC 5546 4.2.5, 3.2.2.3).
func delegatedAway(line *ical.Property) bool {
	if partStat(line) != partStatDelegated {
		return false
	}
	a := person(line)
	return !a.RSVP && a.Role != "NON-PARTICIPANT"
}

// visible reports whether anything on the roster of a component changed.
func (p *organizing) visible(k string) bool {
	v, known := p.seen[k]
	if !known {
		v = p.rosterChanged(k)
		p.seen[k] = v
	}
	return v
}

func (p *organizing) rosterChanged(k string) bool {
	if p.still[k] {
		return false
	}
	was, known := p.before(k)
	if !known {
		return true
	}
	is := p.is[k]
	if len(was.order) != len(is.order) {
		return true
	}
	for _, who := range is.order {
		before := was.line(who)
		if before == nil || compareLines(before, is.line(who)) != 0 {
			return true
		}
	}
	return false
}
