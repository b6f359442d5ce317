package simulation

import (
	"math/rand/v2"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// forge writes in somebody else's name. The transport makes sure of the sender
// address, so that is mallory's own.
func forge(w *World, who *person, r *rand.Rand) {
	if len(w.events) == 0 {
		return
	}
	e := w.events[r.IntN(len(w.events))]
	org := w.house(e.by).fetch(e.by, e.uid)
	if org.cal == nil || org.cal.Master() == nil {
		return
	}
	victim := w.people[guests[r.IntN(len(guests))]]
	if victim == e.by {
		return
	}
	c := org.cal.Master().Clone()
	n, _ := number(c.Value("SEQUENCE"))
	c.Set("DTSTAMP", w.now.Format("20060102T150405Z"))
	l := &letter{forger: who, to: victim, sender: who.address(), rcpt: victim.address(), uid: e.uid}
	raise := func() { c.Set("SEQUENCE", itoa(n+1+r.IntN(5))) }
	switch r.IntN(6) {
	case 0: // an answer for somebody else
		line := lineOf(c, victim)
		if line == nil {
			return
		}
		line = line.Clone()
		line.SetParam("PARTSTAT", "DECLINED")
		c.Remove("ATTENDEE", "RRULE", "EXDATE")
		c.Add(line)
		l.method, l.to, l.rcpt = itip.Reply, e.by, e.by.address()
	case 1:
		raise()
		c.Set("STATUS", "CANCELLED")
		c.Remove("RRULE", "EXDATE")
		l.method = itip.Cancel
	case 2:
		raise()
		c.SetText("SUMMARY", "Forged")
		l.method = itip.Request
	case 3: // takes the event over
		raise()
		c.SetText("SUMMARY", "Taken over")
		c.Set("ORGANIZER", string(who.address()))
		l.method = itip.Request
	case 4: // names herself as the organizer's designate
		raise()
		c.SetText("SUMMARY", "By a designate")
		c.Prop("ORGANIZER").SetParam("SENT-BY", string(who.address()))
		l.method = itip.Request
	case 5: // a guest's CANCEL: here of somebody who is no guest at all
		raise()
		c.Set("ORGANIZER", string(who.address()))
		c.Set("STATUS", "CANCELLED")
		c.Remove("RRULE", "EXDATE")
		l.method = itip.Cancel
	}
	if (l.method == itip.Request || l.method == itip.Publish) && w.house(l.to).fetch(l.to, e.uid).cal == nil {
		return // an invitation by mallory to something new is just that
	}
	cal := ical.New("-//Forger//EN")
	cal.Set("METHOD", string(l.method))
	cal.Components = append(cal.Components, c)
	l.cal = cal
	w.net.count++
	l.id = w.net.count
	w.say("#%d mallory forges %s to %s about %s", l.id, l.method, l.to.name, e.uid)
	// At once: later the victim may have deleted the event, and then it would be
	// an invitation like any other.
	h := w.house(l.to)
	h.recover()
	if got, ok := h.receive(l); ok {
		w.say("%s gets #%d: %s %s", l.to.name, l.id, got.decision, got.reason)
	}
}

// replay sends an old letter again as it was.
func replay(w *World, who *person, r *rand.Rand) {
	if len(w.net.past) == 0 {
		return
	}
	l := *w.net.past[r.IntN(len(w.net.past))]
	if l.method == itip.Refresh || l.method == itip.Counter || isBusyTime(l.cal) {
		return
	}
	l.forger = who
	w.say("mallory sends #%d again", l.id)
	w.net.flight = append(w.net.flight, &l)
}
