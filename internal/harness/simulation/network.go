package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// network carries letters between houses.
type network struct {
	flight []*letter
	lost   []*letter // what did not arrive; its sender has a bounce
	past   []*letter // what was carried, for who records it
	count  int
}

// post takes a letter that a house sends.
func (w *World) post(l *letter) {
	w.net.count++
	l.id = w.net.count
	w.say("#%d %s to %s: %s s=%d about %q", l.id, l.sender.Email(), l.to.name, l.method, sequenceOf(l.cal), l.rid)
	if !w.calm && w.r.IntN(16) == 0 {
		w.say("#%d is lost", l.id)
		w.net.lost = append(w.net.lost, l)
		return
	}
	w.net.flight = append(w.net.flight, l)
	if !w.calm && w.r.IntN(6) == 0 {
		w.net.flight = append(w.net.flight, l)
	}
}

// deliver brings one of the letters under way, whichever.
func (w *World) deliver(r *rand.Rand) bool {
	if len(w.net.flight) == 0 {
		return false
	}
	i := r.IntN(len(w.net.flight))
	if r.IntN(2) == 0 { // mail is mostly in order
		i = 0
	}
	l := w.net.flight[i]
	h := w.house(l.to)
	h.recover()
	got, ok := h.receive(l)
	if !ok {
		w.say("%s crashed over #%d", l.to.name, l.id)
		return true // it is still under way
	}
	w.net.flight = slices.Delete(w.net.flight, i, i+1)
	w.net.past = append(w.net.past, l)
	w.say("%s gets #%d %s s=%d about %q: %s %s", l.to.name, l.id, l.method, sequenceOf(l.cal), l.rid, got.decision, got.reason)
	return true
}

// quiet brings a run to rest; the package's documentation tells the rule.
func (w *World) quiet() {
	w.say("quiet")
	w.calm = true
	w.r = rand.New(rand.NewPCG(w.script.Seed, 2))
	for _, h := range w.houses {
		h.recover()
		h.crash(0)
	}
	for round := 0; ; round++ {
		for i := 0; ; i++ {
			w.carry()
			if !w.deliver(w.r) {
				break
			}
			if i == 5000 {
				w.fail("the mail never ends")
			}
		}
		w.pass(2 * time.Hour)
		if !w.heal() && !w.decideAll() && !slices.ContainsFunc(w.houses, house.pending) {
			return
		}
		if round == 30 {
			w.fail("it never becomes quiet")
		}
	}
}

// heal makes good what was lost.
func (w *World) heal() bool {
	lost := w.net.lost
	w.net.lost = nil
	asked := map[string]bool{}
	for _, l := range lost {
		if l.forger != nil {
			continue
		}
		org := organizerOf(l.cal)
		if l.method == itip.Request && l.from.is(org) {
			if key := string(l.rcpt) + l.uid; !asked[key] {
				asked[key] = true
				w.say("%s did not get #%d and asks for it", l.to.name, l.id)
				w.refresh(l.to, l.uid, l.rcpt, l.from)
			}
			continue
		}
		w.say("#%d is sent again", l.id)
		w.house(l.from).retry(l)
	}
	return len(lost) > 0
}

// refresh sends a REFRESH (RFC 5546 3.2.6), as any program may.
func (w *World) refresh(who *person, uid string, as ical.Address, to *person) {
	cal := ical.New("-//Simulation//EN")
	cal.Set("METHOD", string(itip.Refresh))
	c := ical.NewComponent("VEVENT")
	if e := w.eventOf(uid); e != nil && e.todo {
		c = ical.NewComponent("VTODO")
	}
	c.Set("UID", uid)
	c.Set("DTSTAMP", w.now.Format("20060102T150405Z"))
	c.Add(ical.NewProperty("ORGANIZER", string(to.address())), ical.NewProperty("ATTENDEE", string(as)))
	cal.Components = append(cal.Components, c)
	w.post(&letter{from: who, to: to, sender: as, rcpt: to.address(), method: itip.Refresh, uid: uid, cal: cal})
}

// decideAll lets everybody decide about what is held for them.
func (w *World) decideAll() bool {
	done := false
	for _, name := range everybody {
		p := w.people[name]
		h := w.house(p)
		h.recover()
		for _, x := range h.held(p) {
			approve := false
			switch x.reason {
			case itip.ReasonDesignate:
				approve = w.people["sam"].is(x.sender) && w.people["alice"].is(organizerOf(x.cal))
			case itip.ReasonForwarded:
				from := w.who(x.sender)
				approve = from != nil && from.name != "mallory"
			case itip.ReasonOutdated: // a CANCEL whose number is old though it was written later
				approve = w.people["mallory"] != w.who(x.sender)
			case itip.ReasonDeleted:
				approve = false
				w.excuse(p, x.cal.UID(), "deleted it, and it came again")
			case itip.ReasonWaiting, itip.ReasonPartyCrasher, itip.ReasonOrganizer, itip.ReasonPublished, itip.ReasonNotInvited:
				continue // nothing that has to be decided
			}
			w.say("%s decides about %s from %s (%s): %v", p.name, x.method, x.sender.Email(), x.reason, approve)
			h.decide(p, x.id, approve)
			done = true
		}
	}
	return done
}

func organizerOf(cal *ical.Calendar) ical.Address {
	if cal != nil {
		for _, c := range cal.Main() {
			if o, ok := itip.Organizer(c); ok {
				return o.Address
			}
		}
	}
	return ""
}

func sequenceOf(cal *ical.Calendar) int {
	n := 0
	for _, c := range cal.Main() {
		if v, err := number(c.Value("SEQUENCE")); err == nil {
			n = max(n, v)
		}
	}
	return n
}

// contents is what a message says but for its time stamp.
func contents(cal *ical.Calendar) string {
	var b strings.Builder
	for _, c := range cal.Main() {
		for _, p := range c.Properties {
			if n := p.Name(); n != "DTSTAMP" && n != "LAST-MODIFIED" {
				fmt.Fprintf(&b, "%s", n)
				for name, values := range p.Params() {
					fmt.Fprintf(&b, ";%s=%s", name, values)
				}
				fmt.Fprintf(&b, ":%s\n", p.Value())
			}
		}
	}
	return b.String()
}
