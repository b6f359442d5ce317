package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

func (r *replying) apply() {
	p := r.p
	r.new = newObject(p.stored.cal.Clone(), p.a.Zone)
	// What is said of an occurrence counts before what is said of all.
	var all, some []*ical.Component
	for _, c := range p.a.Message.Main() {
		if c.Prop("RECURRENCE-ID") == nil {
			all = append(all, c)
		} else if len(some) < maxInstances {
			some = append(some, c)
		}
	}
	for _, c := range append(some, all[:min(len(all), maxInstances)]...) {
		line := r.find(c)
		if line == nil {
			if p.a.Invited != "" {
				line = people{r.who.Address().Key(): true}.line(c)
			}
			if line == nil {
				continue
			}
		}
		r.component(c, line)
	}
	r.finish()
}

// component applies one component of the reply (REP-03, REP-05, REP-08, SEQ-11, SEQ-12, SEQ-13).
func (r *replying) component(c *ical.Component, line *ical.Property) {
	key := ""
	if q := c.Prop("RECURRENCE-ID"); q != nil {
		t, err := q.Time()
		if err != nil {
			r.unknown = true
			return
		}
		key = r.new.key(t, r.p.msg.zones)
		if !r.new.occurs(key) {
			r.unknown = true
			r.goneAndPassedOn(c, line, key)
			return
		}
	}
	if r.new.master != nil && dead(r.new.master) || r.new.component(key) != nil && dead(r.new.component(key)) {
		r.dead = true
		if partStat(line) == partStatDelegated {
			r.calledOffAndPassedOn(c, line, key)
		}
		return
	}
	have := r.new.component(key)
	if have == nil && key != "" {
		have = r.new.master
	}
	if r.inCircle(have, line) {
		r.circular = true
		return
	}
	if r.p.a.NoDelegation && partStat(line) == partStatDelegated || r.crowds(have, line) {
		r.refuseDelegation(c, line, key)
		return
	}
	a := r.answered(c, line, key, have)
	who := r.memoryKey(have)
	last, ok := r.p.mem.reply(who, key)
	if ok {
		if a.Sequence < last.Sequence || a.Sequence == last.Sequence && !a.Stamp.After(last.Stamp) {
			r.outdated = true // a newer one overtook it, or it came twice
			if a.PartStat == partStatDelegated && have != nil && last.PartStat != partStatDelegated && a.Stamp.Before(last.Stamp) {
				r.turnBack(c, line, key) // they thought better of it
			}
			return
		}
	}
	if !r.self[line.Address().Key()] && r.p.a.Invited != "" {
		a.As = line.Address()
	}
	r.p.res.PartStat = a.PartStat
	if plainProgram(r.p.a.Message) {
		put(&r.p.mem.Plain, who, true)
	} else {
		delete(r.p.mem.Plain, who)
	}
	moved := movedAt(r.p.mem.movesFor(who), key)
	if a.Sequence < moved.Sequence || a.Sequence < r.p.mem.invitedAt(who, key) || r.unmoved(c, key) {
		a.Stale = true
		r.stale = true
		r.p.mem.setReply(who, key, a)
		if stored := r.find(have); stored != nil && a.Sequence >= r.p.mem.invitedAt(who, key) && (stored.HasParam("DELEGATED-FROM") || delegatedAway(stored) && a.PartStat != partStatDelegated) {
			// RFC 5546 5.2.2: the delegator passed on the old time; or comes back, and
			// was not told of the new one.
			r.sendAgain(stored, key)
		}
		if a.PartStat == partStatDelegated && have != nil {
			r.turnBack(c, line, key)
		}
		return
	}
	if have != nil && a.Sequence > maxSequence(r.new) {
		r.future = true
	}
	r.behind = have != nil && (a.Sequence < sequence(have) || c.Prop("SUMMARY") != nil && textOf(nil, c, "SUMMARY") != textOf(nil, have, "SUMMARY"))
	r.p.mem.setReply(who, key, a)
	status, failed := requestStatus(c)
	if failed && !line.HasParam("PARTSTAT") {
		a.PartStat = ""
		r.failed = true
	}
	if key == "" {
		r.whole(a, line, status)
		if r.new.master != nil {
			r.noteComment(c, r.new.master, "")
		}
		return
	}
	if r.new.overrides[key] == nil {
		made := r.new.derive(key)
		if made == nil || r.find(made) == nil {
			r.unknown = true
			return
		}
		r.new.add(made)
	}
	if target := r.find(r.new.overrides[key]); target != nil {
		if last.PartStat != partStatDelegated { // else it was passed on by itself
			r.keep(target, a, key)
		}
		r.write(target, a, line, status, key)
		r.noteComment(c, r.new.overrides[key], key)
		r.delegate(r.new.overrides[key], line)
	} else {
		r.unknown = true
	}
}

// unmoved reports whether the reply names the time an occurrence had before it
// was moved, whatever its SEQUENCE says: the sender has not seen the move.
func (r *replying) unmoved(c *ical.Component, key string) bool {
	start := c.Prop("DTSTART")
	have := r.new.overrides[key]
	if key == "" || have == nil || start == nil {
		return false
	}
	t, err := start.Time()
	return err == nil && r.p.msg.when(t) == key && shown(startOf(r.new, have, "DTSTART")) != key
}

// answered reads what a component of the reply says.
func (r *replying) answered(c *ical.Component, line *ical.Property, key string, have *ical.Component) Answered {
	a := Answered{Sequence: sequence(c), Stamp: stamp(c, r.p.a.Received), PartStat: answerOf(c, line), Comment: commentOf(c, line), Percent: c.Value("PERCENT-COMPLETE")}
	if c.Prop("SEQUENCE") == nil && a.Sequence == 0 {
		// Absent may mean 0 or forgotten. It answers the present version if it
		// names the present time.
		if start := c.Prop("DTSTART"); start != nil && have != nil {
			t, err := start.Time()
			target := have
			if key != "" && r.new.overrides[key] == nil {
				target = r.new.derive(key)
			}
			if err == nil && target != nil && r.p.msg.when(t) == shown(startOf(r.new, target, "DTSTART")) {
				a.Sequence = sequence(have)
			}
		}
	}
	return a
}

func (r *replying) memoryKey(c *ical.Component) string {
	if line := r.find(c); line != nil {
		return line.Address().Key()
	}
	return r.who.Address().Key()
}

// whole applies an answer to everything: the series, and the occurrences that
// were not answered by themselves (REP-07).
func (r *replying) whole(a Answered, line *ical.Property, status string) {
	r.setApart(a)
	r.all = a.Stamp
	defer func() { r.all = time.Time{} }()
	moves := r.p.mem.movesFor(r.memoryKey(r.new.cal.Main()[0]))
	if r.new.master != nil {
		if target := r.find(r.new.master); target != nil {
			r.write(target, a, line, status, "")
			r.delegate(r.new.master, line)
		}
	}
	for _, k := range r.new.order {
		c := r.new.overrides[k]
		target := r.find(c)
		if target == nil || dead(c) {
			continue
		}
		if own, ok := r.p.mem.reply(target.Address().Key(), k); ok && !own.Stale && own.Sequence >= movedAt(moves, k).Sequence && (decided(own.PartStat) || !own.Stamp.Before(a.Stamp)) {
			continue // answered by itself
		}
		if a.Sequence < r.p.mem.Invited[target.Address().Key()+" "+k] {
			continue
		}
		if moved := moves[k]; a.Sequence < moved.Sequence || !moved.Stamp.IsZero() && a.Stamp.Before(moved.Stamp.Truncate(time.Second)) {
			continue // written before this occurrence moved
		}
		r.write(target, a, line, status, k)
		behind := r.behind
		r.behind = behind || a.Sequence < sequence(c)
		r.delegate(c, line)
		r.behind = behind
	}
}

// setApart makes overrides of the occurrences that this answer is none to: those
// that everybody was asked about anew after it was written, and those that who
// answers has answered by themselves.
func (r *replying) setApart(a Answered) {
	moves := r.p.mem.movesFor(r.memoryKey(r.new.master))
	series := moves[""].Sequence
	for k, v := range sorted(moves) {
		if k == "" || v.Sequence <= series || a.Sequence >= v.Sequence || r.new.overrides[k] != nil || !r.new.inSeries(k) {
			continue
		}
		if c := r.new.derive(k); c != nil && r.find(c) != nil {
			r.new.add(c)
		}
	}
	for k, own := range sorted(r.p.mem.Replies[r.memoryKey(r.new.master)]) {
		if k == "" || own.Stale || !decided(own.PartStat) || own.PartStat == a.PartStat || own.Sequence < movedAt(moves, k).Sequence || r.new.overrides[k] != nil || !r.new.inSeries(k) {
			continue
		}
		if c := r.new.derive(k); c != nil && r.find(c) != nil {
			if line := r.find(c); partStat(line) != own.PartStat {
				line.SetParam("PARTSTAT", own.PartStat)
			}
			r.new.add(c)
		}
	}
}

// write puts an answer on a line (RFC 5546 3.2.3; RFC 6638 3.2.9 for the
// status) (REP-12, REP-13, REP-14).
func (r *replying) write(target *ical.Property, a Answered, line *ical.Property, status, key string) {
	was := partStat(target)
	if a.PartStat != "" && a.PartStat != was {
		target.SetParam("PARTSTAT", a.PartStat)
		r.p.res.Changes = append(r.p.res.Changes, Difference{Property: "PARTSTAT", Old: was, New: a.PartStat, RecurrenceID: key, Attendee: string(target.Address())})
	}
	if was == partStatDelegated && a.PartStat != was && a.PartStat != "" {
		if !strings.EqualFold(target.Param("RSVP"), "TRUE") {
			r.sendAgain(target, key) // they were told of no change since (RFC 5546 4.2.5)
		}
		target.RemoveParam("DELEGATED-TO")
		r.reopened = true // who was to come in their place stays invited, which their copy need not say
	}
	if decided(a.PartStat) && a.PartStat != partStatDelegated && target.HasParam("RSVP") {
		target.RemoveParam("RSVP")
	}
	set := func(name, value string) {
		switch {
		case value == target.Param(name):
		case value == "":
			target.RemoveParam(name)
		default:
			target.SetParam(name, value)
		}
	}
	if agent(target) == "SERVER" {
		set("SCHEDULE-STATUS", status)
	}
	set("X-RESPONSE-COMMENT", a.Comment)
	if a.Comment != "" && r.p.mem.Replies != nil {
		r.p.res.Changes = append(r.p.res.Changes, Difference{Property: "COMMENT", New: a.Comment, RecurrenceID: key, Attendee: string(target.Address())})
	}
	set("X-NUM-GUESTS", line.Param("X-NUM-GUESTS"))
	r.changed = true
	if a.PartStat == partStatDeclined && was != partStatDeclined {
		r.reopen(target, key)
	}
}
