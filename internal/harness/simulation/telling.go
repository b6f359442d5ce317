package simulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/itip"
)

// What people tell and ask each other beside invitations: publications, which
// nobody's calendar takes by itself, and when somebody is busy. They happen in
// addition to the steps of a script that are drawn for the rest.

// tellings are the verbs for it.
var tellings = []string{"publish", "ask-busy"}

// season adds them to a script, each with dice of its own.
func season(s *Script) {
	r := rand.New(rand.NewPCG(s.Seed, 0xb05))
	for range r.IntN(4) {
		x := Step{Do: tellings[r.IntN(len(tellings))], Who: organizers[r.IntN(len(organizers))], Dice: r.Uint64()}
		s.Steps = slices.Insert(s.Steps, r.IntN(len(s.Steps)+1), x)
	}
}

// publish sends an event to somebody for information (RFC 5546 3.2.1).
func publish(w *World, who *person, r *rand.Rand) {
	e := w.own(who, r)
	to := w.people[everybody[r.IntN(len(everybody))]]
	if e == nil || to == who || to.room {
		return
	}
	w.house(who).recover()
	if w.house(who).fetch(who, e.uid).cal == nil {
		return
	}
	w.say("%s publishes %s to %s", who.name, e.uid, to.name)
	if err := w.house(who).publish(who, e.uid, to); err != nil {
		w.say("  no: %v", err)
	}
}

// askBusy asks somebody of another house when they are busy (RFC 5546 3.3.2).
func askBusy(w *World, who *person, r *rand.Rand) {
	to := w.people[everybody[r.IntN(len(everybody))]]
	if to.house == who.house {
		return
	}
	from := begin.AddDate(0, 0, r.IntN(30))
	w.house(who).recover()
	w.say("%s asks when %s is busy", who.name, to.name)
	if err := w.house(who).ask(who, to, from, from.AddDate(0, 0, 7)); err != nil {
		w.say("  no: %v", err)
	}
}

// question is one about busy time, by the UID of its messages.
type question struct {
	by, of   *person
	answered bool
}

// observeBusy looks at a message about busy time when it is written: only who
// was asked answers, whom they tell, once, and with nothing but time.
func (w *World) observeBusy(l *letter) {
	c := l.cal.Main()[0]
	for _, p := range c.Properties {
		switch p.Name() {
		case "UID", "DTSTAMP", "DTSTART", "DTEND", "ORGANIZER", "ATTENDEE", "FREEBUSY", "REQUEST-STATUS":
		default:
			w.fail("%s tells more than busy time: %s\n%s", l.from.name, p.Name(), text(l.cal))
		}
	}
	q := w.busy[l.uid]
	switch {
	case l.method == itip.Request && q == nil:
		w.busy[l.uid] = &question{by: l.from, of: l.to}
	case l.method == itip.Request:
		w.fail("%s asks the same question twice", l.from.name)
	case q == nil || q.of != l.from || q.by != l.to:
		w.fail("%s answers a question about busy time that nobody asked them", l.from.name)
	case q.answered:
		w.fail("%s answers a question about busy time twice", l.from.name)
	default:
		q.answered = true
		if !tells(l.from, l.to) && c.Prop("FREEBUSY") != nil {
			w.fail("%s tells %s when they are busy, who may not know\n%s", l.from.name, l.to.name, text(l.cal))
		}
	}
}

// tells reports whether somebody lets another know when they are busy: carol
// tells everybody, dave bob alone, the others nobody of another house.
func tells(p, asker *person) bool {
	return p.name == "carol" || p.name == "dave" && asker.name == "bob"
}

// confidants are those whom somebody tells, as addresses.
func (w *World) confidants(p *person) []string {
	var out []string
	for _, name := range everybody {
		if q := w.people[name]; q != p && tells(p, q) {
			for _, a := range q.addresses {
				out = append(out, a.Email())
			}
		}
	}
	return out
}

func isBusyTime(cal *ical.Calendar) bool { return cal.Kind() == "VFREEBUSY" }

// told says what a person lets an asker know, of what is in their calendar.
func (h *paper) told(p *person) func(ical.Address, time.Time, time.Time) (itip.Disclosure, []freebusy.Period) {
	return func(asker ical.Address, from, to time.Time) (itip.Disclosure, []freebusy.Period) {
		q := h.w.who(asker)
		if q == nil || !tells(p, q) {
			return itip.Silence, nil
		}
		var out []freebusy.Period
		for _, e := range h.w.events {
			out = append(out, bookings(h.sheet(p, e.uid).cal, p)...)
		}
		return itip.Disclose, out
	}
}

func (h *paper) publish(who *person, uid string, to *person) error {
	if h.tick() {
		return errCrashed
	}
	s := h.sheet(who, uid)
	list, memory, err := itip.Copy{Object: s.cal, Memory: s.memory, User: who.addresses, Now: h.w.now, Local: h.local}.Publish(to.address())
	if err != nil {
		return err
	}
	s.memory = memory
	h.write(who, list)
	return h.hurry()
}

func (h *paper) ask(who, whom *person, from, to time.Time) error {
	if h.tick() {
		return errCrashed
	}
	h.ids++
	uid := "busy-" + who.name + "-" + itoa(int(h.ids))
	h.write(who, []itip.Message{itip.AskFreeBusy(uid, who.address(), whom.address(), from, to, h.w.now)})
	return h.hurry()
}
