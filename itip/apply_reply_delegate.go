package itip

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// reopen asks a delegator again whose delegate declined: to come, or to send
// somebody else (RFC 5546 4.2.7).
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
		r.sendAgain(line, key)
	}
}

func (r *replying) sendAgain(line *ical.Property, key string) {
	if agent(line) == "SERVER" && !r.p.me.is(line) {
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
		for _, k := range list {
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
			m := l.message(Request, org.Address(), to, k, l.requestFor(r.new, []string{k}, uninvitedTo(r.new, rosters, who), who))
			m.Changes = p.res.Changes
			p.res.Send = append(p.res.Send, m)
		}
	}
}

// names reports whether a parameter of a line lists the address.
func names(line *ical.Property, param string, a ical.Address) bool {
	return slices.ContainsFunc(addresses(line.ParamValues(param)), func(b ical.Address) bool { return b.Equal(a) })
}

// inCircle reports whether an invitation is passed back to somebody it came
// from.
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
	return slices.ContainsFunc(person(line).DelegatedTo, func(d ical.Address) bool { return above[d.Key()] })
}

// delegate notes to whom an attendee passed the invitation on, and lists that
// person (RFC 5546 3.2.2.3): also where the reply forgets the second line.
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
		c.Add(q)
		if r.p.a.Local != nil && r.p.a.Local(d) {
			r.sendAgain(q, r.new.keyOf(c))
		}
		r.p.res.Changes = append(r.p.res.Changes, Difference{Property: "ATTENDEE", New: nameOf(person(q)), Attendee: string(d), RecurrenceID: r.new.keyOf(c)})
	}
}
