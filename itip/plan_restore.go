package itip

import (
	"slices"

	"github.com/convene-cal/convene/ical"
)

// keepReverted keeps a component for an occurrence whose override the client
// took away, where that says something: the attendees have the override and
// must hear of the way back, and answers given to it stay answers.
func (p *organizing) keepReverted() {
	if p.new.master == nil || p.old.master == nil || dead(p.new.master) {
		return
	}
	if compare(p.old, p.old.master, p.new, p.new.master).class&reschedule != 0 {
		return // asked again as a whole
	}
	for _, k := range p.old.order {
		if p.new.overrides[k] != nil || !p.new.inSeries(k) {
			continue
		}
		c := p.new.derive(k)
		if c == nil {
			continue
		}
		was, is := p.was[k], rosterOf(c, p.cache)
		_, sent := p.out.Memory.Sent[k] // they would keep it through later changes of the series
		says := sent || compare(p.old, p.old.overrides[k], p.new, c).class&significant != 0 || len(was.order) != len(is.order)
		for _, who := range is.order {
			whole := is.line(who)
			if stored := p.was[""].line(who); stored != nil {
				whole = stored // the client may not know the answer to the series
			}
			says = says || was.line(who) == nil || partStat(was.line(who)) != partStat(whole)
		}
		if says {
			p.new.add(c)
			p.reverted[k] = true
		}
	}
}

// restoreAnswers keeps what only others may say: the organizer's client sets
// nobody's answer but the organizer's own (RFC 6638 3.2.1). It may ask again
// by NEEDS-ACTION where a REQUEST goes out (3.2.8), not by being out of date. Delivery states are ours (CAL-04, CAL-06, CAL-08).
func (p *organizing) restoreAnswers() {
	if p.c.HandsOver { // they were given to who organized it before
		return
	}
	for _, k := range p.new.keys() {
		if p.still[k] {
			continue
		}
		before, _ := p.before(k)
		r := p.is[k]
		comp := p.new.component(k)
		for _, who := range r.order {
			line := r.line(who)
			if p.me.is(line) || agent(line) != "SERVER" {
				continue
			}
			stored := before.line(who)
			if stored == nil || agent(stored) != "SERVER" && !decided(partStat(stored)) {
				if decided(partStat(line)) {
					line.SetParam("PARTSTAT", partStatNeeds)
				}
				if line.HasParam("SCHEDULE-STATUS") {
					line.RemoveParam("SCHEDULE-STATUS")
				}
				continue
			}
			asks := partStat(line) == partStatNeeds && (line.HasParam("SCHEDULE-FORCE-SEND") ||
				!p.c.MergePartstat && !p.reverted[k] && p.deltas[k].requests())
			if !asks {
				copyParams(line, stored, "PARTSTAT", "DELEGATED-TO", "X-RESPONSE-COMMENT", "X-NUM-GUESTS")
			}
			copyParams(line, stored, "SCHEDULE-STATUS")
		}
		if !p.c.MergePartstat {
			continue
		}
		// A delegate whom the client has not seen yet (RFC 6638 3.2.10.1).
		for _, who := range before.order {
			line := before.line(who)
			if r.line(who) != nil || !line.HasParam("DELEGATED-FROM") {
				continue
			}
			for _, d := range person(line).DelegatedFrom {
				if by := r.line(d.Key()); by != nil {
					comp.Add(line.Clone())
					p.is[k] = rosterOf(comp, p.cache)
					break
				}
			}
		}
	}
}

// copyParams makes the parameters of p those of q.
func copyParams(p, q *ical.Property, names ...string) {
	for _, n := range names {
		switch want := q.ParamValues(n); {
		case len(want) == 0:
			if p.HasParam(n) {
				p.RemoveParam(n)
			}
		case !slices.Equal(p.ParamValues(n), want):
			if n == "PARTSTAT" && partStat(p) == partStat(q) {
				continue
			}
			p.SetParam(n, want...)
		}
	}
}

// fewRestored is up to how many occurrences come back one by one; beyond, the
// series as a whole is asked again.
const fewRestored = 20

// restoreOccurrences asks about occurrences that an EXDATE had taken out, and
// about those alone (RFC 6638 3.2.8, last row).
func (p *organizing) restoreOccurrences() {
	d := p.deltas[""]
	if d == nil || d.class&reschedule != 0 || len(d.restored) == 0 {
		return
	}
	if len(d.restored) > fewRestored {
		d.class |= reschedule
		return
	}
	for _, k := range d.restored {
		if p.new.overrides[k] == nil {
			c := p.new.derive(k)
			if c == nil {
				continue
			}
			p.new.add(c)
			p.is[k] = rosterOf(c, p.cache)
			p.deltas[k] = &delta{}
			p.borrowed = append(p.borrowed, k)
		}
		d := *p.deltas[k]
		d.class |= reschedule
		p.deltas[k] = &d
	}
}

// giveBack drops overrides that were made to ask about an occurrence and say
// nothing else: nobody's answer to it differs from that to the series.
func (p *organizing) giveBack() {
	for _, k := range p.borrowed {
		c, all := p.new.overrides[k], p.is[""]
		same, elsewhere := c != nil && sequence(c) == sequence(p.new.master), false
		for _, who := range p.is[k].order {
			line := p.is[k].line(who)
			same = same && all.line(who) != nil && partStat(all.line(who)) == partStat(line)
			elsewhere = elsewhere || !p.me.is(line) && (p.c.Local == nil || !p.c.Local(line.Address()))
		}
		if same {
			p.new.drop(c)
			if !elsewhere {
				delete(p.out.Memory.Sent, k) // they have the series as a whole
			}
			delete(p.is, k)
			delete(p.deltas, k)
		}
	}
}
