package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/itip"
)

func itoa(n int) string { return strconv.Itoa(n) }

// observe looks at a message when it is written: the tables of iTIP allow it,
// and its recipient was not told the same before.
func (w *World) observe(l *letter, refresh bool) {
	if err := itip.CheckMessage(l.cal); err != nil {
		w.fail("%s writes what the tables forbid: %v\n%s", l.from.name, err, text(l.cal))
	}
	if isBusyTime(l.cal) {
		w.observeBusy(l)
		return
	}
	if l.method == itip.Publish {
		return // as often as somebody wants to
	}
	if refresh || l.method == itip.DeclineCounter {
		return // brings a colleague's copy up to date, and is shown to nobody; or answers each of two proposals
	}
	key := l.from.name + " " + string(l.rcpt) + " " + l.uid
	said := w.heard[key]
	if said == nil {
		said = map[string]string{}
		w.heard[key] = said
	}
	part := string(l.method) + " " + l.rid
	if part == "REQUEST " && said[part] != contents(l.cal) {
		// Occurrences may go along with their series (RFC 5546 4.4.7).
		w.forget(l.from, l.to, l.uid, itip.Request)
	}
	if said[part] == contents(l.cal) && !passedOn(l) {
		w.fail("%s tells %s the same twice: %s about %q\n%s", l.from.name, l.to.name, l.method, l.rid, text(l.cal))
	}
	switch l.method {
	case itip.Cancel:
		w.forget(l.from, l.to, l.uid, itip.Request)
	case itip.Request:
		w.forget(l.from, l.to, l.uid, itip.Cancel)
	case itip.Reply:
		if len(l.cal.Main()) > 1 { // among colleagues: the whole and occurrences, which may now be answered otherwise
			w.forget(l.from, l.to, l.uid, itip.Reply)
		}
	}
	said[part] = contents(l.cal)
}

// passedOn reports whether its recipient is asked in somebody's place. They may
// have it from the delegator, and hear the same of the organizer more than
// once, whose copy shows only that somebody passed on an older version.
func passedOn(l *letter) bool {
	for _, c := range l.cal.Main() {
		if q := lineOf(c, l.to); q != nil && q.HasParam("DELEGATED-FROM") {
			return true
		}
	}
	return false
}

// forget: what was said has to be said again.
func (w *World) forget(from, to *person, uid string, method itip.Method) {
	for _, a := range to.addresses {
		maps.DeleteFunc(w.heard[from.name+" "+string(a)+" "+uid], func(k, _ string) bool { return strings.HasPrefix(k, string(method)) })
	}
}

// authority checks that what a house applied was written by somebody with the
// right to it, and touched no more than that.
func (w *World) authority(l *letter, res *itip.Result, before *ical.Calendar, approved bool) {
	if isBusyTime(l.cal) {
		if res.Decision == itip.Applied || res.Object != nil {
			w.fail("%s changes something upon a message about busy time", l.to.name)
		}
		return
	}
	if res.Reason == itip.ReasonPartyCrasher && l.from != nil {
		w.crashers[l.from.name] = append(w.crashers[l.from.name], res.PartStat)
	}
	switch {
	case l.from == nil:
	case l.method == itip.Refresh:
		w.forget(l.to, l.from, l.uid, itip.Request)
		w.forget(l.to, l.from, l.uid, itip.Cancel)
	case l.method == itip.Request && (res.Decision == itip.Applied || res.Decision == itip.Unchanged):
		// One that still asks is answered again (RFC 5546 3.2.2.7).
		if org := w.who(organizerOf(l.cal)); org != nil {
			w.forget(l.to, org, l.uid, itip.Reply)
		}
	}
	if res.Decision != itip.Applied {
		return
	}
	if l.from == nil {
		w.fail("%s applies a forged %s (%s)\n%s", l.to.name, l.method, res.Reason, text(l.cal))
	}
	switch l.method {
	case itip.Request, itip.Cancel, itip.Add:
		org := organizerOf(before)
		if org == "" {
			org = organizerOf(l.cal)
		}
		if !l.from.is(org) && !approved && !(before == nil && l.method == itip.Request && passedOn(l)) {
			w.fail("%s applies %s by %s, but %s organizes it", l.to.name, l.method, l.from.name, org)
		}
	case itip.Reply:
		if !w.eventIsBy(l.uid, l.to) {
			w.fail("%s applies an answer to somebody else's event", l.to.name)
		}
		w.onlyOwnAnswer(l, before, res.Object)
	case itip.Counter, itip.Refresh, itip.Publish, itip.DeclineCounter:
		w.fail("%s applies %s by itself", l.to.name, l.method)
	}
}

// counts: SEQUENCE never falls, and no guest raises it (RFC 5546 2.1.4).
func (w *World) counts(who *person, before *ical.Calendar, out *itip.Outcome) {
	was := map[string]int{}
	for _, c := range before.Main() {
		was[c.Value("RECURRENCE-ID")], _ = number(c.Value("SEQUENCE"))
	}
	for _, c := range out.Object.Main() {
		n, known := was[c.Value("RECURRENCE-ID")]
		switch is, _ := number(c.Value("SEQUENCE")); {
		case known && is < n:
			w.fail("SEQUENCE falls from %d to %d\n%s", n, is, text(out.Object))
		case out.Role == itip.AttendeeRole && is > sequenceOf(before):
			w.fail("%s raises the SEQUENCE of somebody else's event", who.name)
		}
	}
}

func (w *World) eventIsBy(uid string, p *person) bool {
	e := w.eventOf(uid)
	return e != nil && e.by == p
}

// onlyOwnAnswer: a REPLY changes nothing but the answer of who sent it, and the
// lines of those it passed the invitation on to or has it from.
func (w *World) onlyOwnAnswer(l *letter, before, after *ical.Calendar) {
	was, is := w.view(before, nil), w.view(after, nil)
	family := map[string]bool{l.from.name: true}
	for _, cal := range []*ical.Calendar{before, after, l.cal} {
		for _, c := range cal.Main() {
			for _, a := range itip.Attendees(c) {
				for _, x := range append(a.DelegatedFrom, a.DelegatedTo...) {
					if p := w.who(x); p != nil {
						family[p.name] = true
					}
				}
				if p := w.who(a.Address); p != nil && len(a.DelegatedFrom)+len(a.DelegatedTo) > 0 {
					family[p.name] = true
				}
			}
		}
	}
	for k, x := range was {
		y, ok := is[k]
		if !ok || x.what != y.what {
			w.fail("an answer of %s changes more than an answer at %s:\n%s\n%s", l.from.name, k, text(before), text(after))
		}
		for name, s := range y.others {
			if s != x.others[name] && !family[name] {
				w.fail("an answer of %s changes that of %s at %s from %q to %q", l.from.name, name, k, x.others[name], s)
			}
		}
	}
	if len(is) > len(was) {
		w.fail("an answer of %s adds an occurrence", l.from.name)
	}
}

// check looks at everything when all is quiet.
func (w *World) check() {
	for _, e := range w.events {
		org := w.house(e.by).fetch(e.by, e.uid)
		w.sound(e.by, org.cal)
		w.chains(e, org.cal)
		for _, name := range everybody {
			if p := w.people[name]; p != e.by {
				mine := w.house(p).fetch(p, e.uid)
				w.sound(p, mine.cal)
				if !w.excused(p, e.uid) {
					w.agree(e, p, org, mine)
				}
			}
		}
	}
	w.rooms()
}

// sound: a calendar program can read it.
func (w *World) sound(p *person, cal *ical.Calendar) {
	if cal == nil {
		return
	}
	for _, f := range check.Check(cal, check.Options{}) {
		if f.Severity == check.Error {
			w.fail("the copy of %s is no sound calendar: %s\n%s", p.name, f, text(cal))
		}
	}
}

// chains: who comes in somebody's place is on the list.
func (w *World) chains(e *event, cal *ical.Calendar) {
	if cal == nil {
		return
	}
	for _, c := range cal.Main() {
		for _, a := range itip.Attendees(c) {
			for _, d := range a.DelegatedTo {
				if p := w.who(d); a.PartStat == "DELEGATED" && p != nil && lineOf(c, p) == nil && !w.taken(e, p) {
					w.fail("%s delegated %s to %s, who is not on the list\n%s", a.Address, e.uid, p.name, text(cal))
				}
			}
		}
	}
}

// taken reports whether the organizer ever took somebody off an event.
func (w *World) taken(e *event, p *person) bool {
	m := w.house(e.by).fetch(e.by, e.uid).memory
	for k := range m.Uninvited {
		if slices.ContainsFunc(p.addresses, func(a ical.Address) bool { return strings.HasPrefix(k, a.Key()) }) {
			return true
		}
	}
	return false
}

// agree compares a guest's copy with the organizer's.
func (w *World) agree(e *event, p *person, org, mine copied) {
	want, got := w.view(org.cal, p), w.view(mine.cal, p)
	disagree := func(format string, args ...any) {
		w.fail("%s and %s do not agree about %s: %s\n%s has\n%s%s has\n%s\nmemory of %s: %+v\nmemory of %s: %+v", e.by.name, p.name, e.uid, fmt.Sprintf(format, args...),
			e.by.name, text(org.cal), p.name, text(mine.cal), e.by.name, org.memory, p.name, mine.memory)
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		x := want[k]
		y, ok := got[k]
		switch {
		case x.answer == "DELEGATED":
			continue // asked not to hear of it (RFC 5546 4.2.5)
		case !ok && x.answer == "DECLINED":
			continue // taken out of the own copy
		case !ok && (mine.deleted || mine.memory.Hidden[k+"00Z"]) && cancelledOnce(org.memory, p):
			continue
		case !ok && mine.deleted && w.droppedAt(p, e) >= sequenceOf(org.cal):
			continue // asked again about a version they have declined and deleted
		case !ok:
			disagree("%s is missing", k)
		case x.answer == "DECLINED" && w.droppedAt(p, e) >= 0:
			// A deletion declined while a change that asks nobody anew was on its way:
			// the event is back, and its owner, who is asked, may answer again. Nothing is
			// remembered of letters about a deleted event, so it may be an older version.
		case x.passed && y.passed && x.from == y.from && x.what != y.what:
			// They have it from who delegated, whose copy lacked the last words about
			// it; the organizer, who sees that the time is the same, sends nothing.
		case x.what != y.what:
			disagree("%s is %q for one and %q for the other", k, x.what, y.what)
		case x.answer != y.answer && !slices.Contains(w.crashers[p.name], y.answer):
			disagree("the answer to %s is %s for one and %s for the other", k, x.answer, y.answer)
		case p.house == e.by.house:
			for name, s := range x.others {
				if y.others[name] != s && name != p.name {
					disagree("the answer of %s to %s is %s for one and %q for the other", name, k, s, y.others[name])
				}
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		// Nothing is remembered of letters about a deleted event: one that comes back
		// may have an occurrence whose cancellation was read before.
		if _, ok := want[k]; !ok && got[k].answer != "DELEGATED" && w.droppedAt(p, e) < 0 && !w.keptApart(org.cal, k, p) && !w.formerly(e, mine.cal, p) {
			disagree("%s takes place for %s only", k, p.name)
		}
	}
}

// keptApart: who passed on a series to somebody kept an occurrence, which they
// had answered by itself, perhaps by an answer that they did not see any more.
func (w *World) keptApart(cal *ical.Calendar, k string, p *person) bool {
	if cal == nil || cal.Master() == nil {
		return false
	}
	for _, a := range itip.Attendees(cal.Master()) {
		by := w.who(a.Address)
		if by != nil && a.PartStat == "DELEGATED" && slices.ContainsFunc(a.DelegatedTo, p.is) && w.view(cal, nil)[k].others[by.name] != "DELEGATED" {
			return true
		}
	}
	return false
}

// formerly: the event was deleted, and who passed it on had been taken off it
// before without having heard of that. What was deleted does not name them, and
// nobody writes to people whom a stranger names.
func (w *World) formerly(e *event, cal *ical.Calendar, p *person) bool {
	if e.last == nil || sequenceOf(cal) > sequenceOf(e.last) {
		return false
	}
	for _, c := range cal.Main() {
		for _, from := range personOf(c, p).DelegatedFrom {
			by := w.who(from)
			if by != nil && !slices.ContainsFunc(e.last.Main(), func(c *ical.Component) bool { return lineOf(c, by) != nil }) {
				return true
			}
		}
	}
	return false
}

// cancelledOnce: somebody who was taken off, or whose event was deleted and
// saved anew, need not have seen either.
func cancelledOnce(m itip.Memory, p *person) bool {
	return slices.ContainsFunc(p.addresses, func(a ical.Address) bool { _, ok := m.Uninvited[a.Key()]; return ok })
}

// droppedAt is the SEQUENCE of an event when somebody deleted it, -1 for never.
func (w *World) droppedAt(p *person, e *event) int {
	if n, ok := w.dropped[p.name+" "+e.uid]; ok {
		return n
	}
	return -1
}

// rooms: no two meetings at one time.
func (w *World) rooms() {
	room := w.people["hall"]
	for i, e := range w.events {
		a := bookings(w.house(room).fetch(room, e.uid).cal, room)
		for _, f := range w.events[:i] {
			for _, y := range bookings(w.house(room).fetch(room, f.uid).cal, room) {
				for _, x := range a {
					if x.From.Before(y.To) && y.From.Before(x.To) {
						w.fail("%s is booked twice at %s: for %s and %s", room.name, x.From, e.uid, f.uid)
					}
				}
			}
		}
	}
}
