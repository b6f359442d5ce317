package simulation

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

var answers = []string{"ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE"}

// invited picks an event that a person has from somebody else.
func (w *World) invited(who *person, r *rand.Rand) (*event, copied) {
	var list []*event
	w.house(who).recover()
	for _, e := range w.events {
		if e.by != who && w.house(who).fetch(who, e.uid).cal != nil {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return nil, copied{}
	}
	e := list[r.IntN(len(list))]
	return e, w.house(who).fetch(who, e.uid)
}

// answer is a click: for all, or for an occurrence.
func answer(w *World, who *person, r *rand.Rand) {
	e, c := w.invited(who, r)
	if e == nil {
		return
	}
	id, say := "", answers[r.IntN(len(answers))]
	if t, ok := anyOccurrence(c.cal, r); ok && r.IntN(3) == 0 {
		id = occurrenceKey(tz.NewResolver(c.cal, nil), t)
	}
	if e.todo && r.IntN(2) == 0 {
		say = []string{"IN-PROCESS", "COMPLETED"}[r.IntN(2)]
	}
	w.say("%s answers %s to %s %s", who.name, say, e.uid, id)
	if err := w.house(who).answer(who, e.uid, say, id); err != nil {
		w.say("  no: %v", err)
	}
}

// change saves a guest's copy after an edit, with one of their clients, whose
// copy may be old; then it fetches and does it again. do makes the edit and says
// what it is, "" when it cannot be made.
func (w *World) change(who *person, r *rand.Rand, do func(e *event, cal *ical.Calendar, r *rand.Rand) string) error {
	e, now := w.invited(who, r)
	if e == nil {
		return nil
	}
	client := r.IntN(len(who.clients))
	c, ok := who.clients[client][e.uid]
	if !ok || c.cal == nil || r.IntN(2) == 0 {
		c = now
		who.clients[client][e.uid] = now
	}
	dice := r.Uint64()
	for range 2 {
		if c.cal == nil {
			return nil
		}
		cal := c.cal.Clone()
		what := do(e, cal, rand.New(rand.NewPCG(dice, 3)))
		if what == "" {
			return nil
		}
		err := w.put(who, who, e.uid, client, cal, condition(c, r), what)
		if !errors.Is(err, errStale) {
			return err
		}
		c = w.look(who, client, e.uid)
	}
	return nil
}

// saveAnswer writes the answer into the copy, as CalDAV clients do; for a to-do
// also how far it is.
func saveAnswer(w *World, who *person, r *rand.Rand) {
	w.change(who, r, func(e *event, cal *ical.Calendar, r *rand.Rand) string {
		say := answers[r.IntN(len(answers))]
		c := cal.Master()
		if id, ok := anyOccurrence(cal, r); ok && r.IntN(3) == 0 || c == nil {
			if c = part(cal, id); c == nil {
				return ""
			}
		}
		line := lineOf(c, who)
		if line == nil || c.Value("STATUS") == "CANCELLED" || line.Param("PARTSTAT") == "DELEGATED" {
			return ""
		}
		if e.todo {
			say = "IN-PROCESS"
			c.Set("PERCENT-COMPLETE", []string{"10", "50", "90"}[r.IntN(3)])
		}
		line.SetParam("PARTSTAT", say)
		line.RemoveParam("RSVP")
		return "answers " + say + " for " + c.Value("RECURRENCE-ID") + " of"
	})
}

// part is the component of an occurrence, made when there is none.
func part(cal *ical.Calendar, id ical.Time) *ical.Component {
	o, err := recur.Instance(cal, id, tz.NewResolver(cal, nil))
	if err != nil {
		return nil
	}
	for _, c := range cal.Overrides() {
		if c.Value("RECURRENCE-ID") == o.Value("RECURRENCE-ID") {
			return c
		}
	}
	cal.Components = append(cal.Components, o)
	return o
}

// hide takes an occurrence out of the own copy.
func hide(w *World, who *person, r *rand.Rand) {
	w.change(who, r, func(e *event, cal *ical.Calendar, r *rand.Rand) string {
		m := cal.Master()
		if m == nil || lineOf(m, who) == nil {
			return ""
		}
		return alterExclude(w, cal, m, e, r)
	})
}

// drop deletes the own copy, which declines.
func drop(w *World, who *person, r *rand.Rand) {
	e, c := w.invited(who, r)
	if e == nil {
		return
	}
	silent := r.IntN(4) == 0
	w.say("%s deletes %s, silent %v", who.name, e.uid, silent)
	if err := w.house(who).remove(who, e.uid, c.etag, silent); err != nil {
		w.say("  no: %v", err)
	}
	w.dropped[who.name+" "+e.uid] = sequenceOf(c.cal)
	if silent {
		w.excuse(who, e.uid, "deleted it without a word")
	}
}

// delegate sends somebody else.
func delegate(w *World, who *person, r *rand.Rand) {
	w.change(who, r, func(e *event, cal *ical.Calendar, r *rand.Rand) string {
		to := w.people[guests[r.IntN(len(guests))]]
		if to == who || to == e.by {
			return ""
		}
		c := cal.Master()
		if id, ok := anyOccurrence(cal, r); ok && r.IntN(3) == 0 || c == nil {
			if c = part(cal, id); c == nil {
				return ""
			}
		}
		line := lineOf(c, who)
		if line == nil || lineOf(c, to) != nil || c.Value("STATUS") == "CANCELLED" {
			return ""
		}
		line.SetParam("PARTSTAT", "DELEGATED")
		line.SetParam("DELEGATED-TO", string(to.address()))
		return "delegates to " + to.name + " " + c.Value("RECURRENCE-ID") + " of"
	})
}

// meddle tries what only the organizer may.
func meddle(w *World, who *person, r *rand.Rand) {
	what := ""
	err := w.change(who, r, func(e *event, cal *ical.Calendar, r *rand.Rand) string {
		what = ""
		c := cal.Master()
		if c == nil || lineOf(c, who) == nil || c.Value("STATUS") == "CANCELLED" {
			return ""
		}
		switch r.IntN(3) {
		case 0:
			t, err := c.Prop("DTSTART").Time()
			if err != nil || t.IsDate() {
				return ""
			}
			setTimes(c, t.Wall.Add(10*time.Minute), t.Wall.Add(20*time.Minute), "UTC")
			what = "time"
		case 1:
			c.Add(ical.NewProperty("ATTENDEE", string(w.people["mallory"].address())))
			what = "roster"
		case 2:
			c.SetText("SUMMARY", "Changed by "+who.name)
			what = "title"
		}
		return "meddles with the " + what + " of"
	})
	if what != "" && err == nil {
		w.fail("%s may change the %s of somebody else's event", who.name, what)
	}
}

// propose sends a COUNTER (RFC 5546 3.2.7), as any program may.
func propose(w *World, who *person, r *rand.Rand) {
	e, c := w.invited(who, r)
	if e == nil || e.todo {
		return
	}
	m := c.cal.Master()
	if m == nil || lineOf(m, who) == nil || m.Value("STATUS") == "CANCELLED" {
		return
	}
	id, ok := anyOccurrence(c.cal, r)
	if ok {
		o, err := recur.Instance(c.cal, id, tz.NewResolver(c.cal, nil))
		if err != nil || lineOf(o, who) == nil {
			return
		}
		m = o
	}
	x := m.Clone()
	t, err := x.Prop("DTSTART").Time()
	if err != nil || t.IsDate() {
		return
	}
	zone := t.TZID
	if t.Kind == ical.UTC {
		zone = "UTC"
	}
	start := time.Date(t.Wall.Year(), t.Wall.Month(), t.Wall.Day(), 12+r.IntN(4), 0, 0, 0, time.UTC)
	setTimes(x, start, start.Add(time.Hour), zone)
	line := lineOf(x, who).Clone()
	x.Remove("ATTENDEE", "DTSTAMP", "EXDATE", "RDATE")
	x.Set("DTSTAMP", w.now.Format("20060102T150405Z"))
	x.Add(line)
	w.write(who, e.by, line.Address(), itip.Counter, x)
}

// write posts a letter with one component, of the person's own making.
func (w *World) write(who, to *person, as ical.Address, method itip.Method, c *ical.Component) {
	cal := ical.New("-//Simulation//EN")
	cal.Set("METHOD", string(method))
	cal.Components = append(cal.Components, c)
	tz.Complete(cal, tz.NewResolver(cal, nil))
	w.post(&letter{from: who, to: to, sender: as, rcpt: to.address(), method: method, uid: c.Value("UID"), cal: cal})
}

func refresh(w *World, who *person, r *rand.Rand) {
	if e, c := w.invited(who, r); e != nil {
		for _, x := range c.cal.Main() {
			if line := lineOf(x, who); line != nil {
				w.refresh(who, e.uid, line.Address(), e.by)
				return
			}
		}
	}
}
