package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

var verbs []verb

func init() { // an init, as the verbs refer to what refers to them
	verbs = []verb{
		{"create", 4, organizers, create},
		{"edit", 26, organizers, edit},
		{"split", 2, organizers, split},
		{"call-off", 2, organizers, callOff},
		{"undo", 2, organizers, undo},
		{"secretary", 2, []string{"sam"}, secretary},
		{"proposals", 3, organizers, proposals},
		{"answer", 16, guests, answer},
		{"save-answer", 6, guests, saveAnswer},
		{"hide", 2, guests, hide},
		{"drop", 2, guests, drop},
		{"delegate", 3, guests, delegate},
		{"propose", 3, guests, propose},
		{"refresh", 2, guests, refresh},
		{"meddle", 2, guests, meddle},
		{"forge", 4, []string{"mallory"}, forge},
		{"replay", 3, []string{"mallory"}, replay},
		{"sync", 4, guests, sync},
		{"mail", 40, nil, mail},
		{"carry", 10, nil, func(w *World, _ *person, _ *rand.Rand) { w.carry() }},
		{"crash", 3, nil, crash},
		{"publish", 0, organizers, publish}, // these two are added by season
		{"ask-busy", 0, organizers, askBusy},
		{"wait", 2, nil, func(w *World, _ *person, r *rand.Rand) { w.pass(time.Duration(r.IntN(3000)) * time.Second) }},
	}
}

func mail(w *World, _ *person, r *rand.Rand) {
	if r.IntN(2) == 0 {
		w.carry()
	}
	for range 1 + r.IntN(4) {
		w.deliver(r)
	}
}

func crash(w *World, _ *person, r *rand.Rand) { w.houses[r.IntN(len(w.houses))].crash(1 + r.IntN(8)) }

// sync lets a client see what is there.
func sync(w *World, who *person, r *rand.Rand) {
	for _, e := range w.events {
		w.look(who, r.IntN(len(who.clients)), e.uid)
	}
}

// look fetches an event with one of a person's clients.
func (w *World) look(who *person, client int, uid string) copied {
	w.house(who).recover()
	c := w.house(who).fetch(who, uid)
	who.clients[client][uid] = c
	return c
}

// the clock readings and zones of meetings: few, so that rooms are wanted twice.
var (
	hours = []int{9, 10, 10, 11, 23}
	zones = []string{"Europe/Berlin", "Europe/Berlin", "America/New_York", "UTC"}
	days  = []int{2, 3, 23, 25, 27, 28} // of March; both changes of the clocks follow
	rules = []string{"FREQ=WEEKLY;COUNT=5", "FREQ=DAILY;COUNT=6", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=6", "FREQ=DAILY;INTERVAL=2;COUNT=4"}
)

// create makes a meeting or a to-do.
func create(w *World, who *person, r *rand.Rand) {
	n := 0
	for _, e := range w.events {
		if e.by == who {
			n++
		}
	}
	if n == 3 {
		return
	}
	e := &event{uid: fmt.Sprintf("%s-%d", who.name, n+1), by: who, todo: r.IntN(7) == 0}
	w.events = append(w.events, e)
	w.put(who, who, e.uid, 0, w.draft(e, r), match{}, "creates")
}

// draft is a new object.
func (w *World) draft(e *event, r *rand.Rand) *ical.Calendar {
	cal := ical.New("-//Client//EN")
	c := ical.NewComponent("VEVENT")
	if e.todo {
		c = ical.NewComponent("VTODO")
	}
	c.Set("UID", e.uid)
	c.Set("DTSTAMP", w.now.Format("20060102T150405Z"))
	c.SetText("SUMMARY", "Meeting "+e.uid)
	h, zone := hours[r.IntN(len(hours))], zones[r.IntN(len(zones))]
	start := time.Date(2026, 3, days[r.IntN(len(days))], h, 0, 0, 0, time.UTC)
	setTimes(c, start, start.Add(time.Hour), zone)
	if !e.todo && r.IntN(3) > 0 {
		c.Set("RRULE", rules[r.IntN(len(rules))])
	}
	c.Set("ORGANIZER", string(e.by.address()))
	me := ical.NewProperty("ATTENDEE", string(e.by.address()))
	me.SetParam("PARTSTAT", "ACCEPTED")
	c.Add(me)
	for _, name := range guests {
		if p := w.people[name]; p != e.by && r.IntN(5) > 1 {
			c.Add(invite(p, r))
		}
	}
	if !e.todo && r.IntN(2) == 0 {
		room := ical.NewProperty("ATTENDEE", string(w.people["hall"].address()))
		room.SetParam("CUTYPE", "ROOM")
		c.Add(room)
	}
	cal.Components = append(cal.Components, c)
	return cal
}

// invite is a guest's line, at one of their addresses.
func invite(p *person, r *rand.Rand) *ical.Property {
	q := ical.NewProperty("ATTENDEE", string(p.addresses[r.IntN(len(p.addresses))]))
	q.SetParam("RSVP", "TRUE")
	return q
}

// setTimes writes start and end, in a zone or, with "", as days.
func setTimes(c *ical.Component, from, to time.Time, zone string) {
	end := "DTEND"
	if c.Name == "VTODO" {
		end = "DUE"
	}
	for i, name := range [...]string{"DTSTART", end} {
		t := [...]time.Time{from, to}[i]
		v := ical.Time{Wall: t, Kind: ical.Zoned, TZID: zone}
		switch zone {
		case "UTC":
			v = ical.UTCTime(t)
		case "":
			v = ical.DateOf(t.Date())
		}
		p := c.Prop(name)
		if p == nil {
			p = ical.NewProperty(name, "")
			c.Add(p)
		}
		p.SetTime(v)
	}
}

// put saves an object with a client.
func (w *World) put(who, by *person, uid string, client int, cal *ical.Calendar, only match, what string) error {
	tz.Complete(cal, tz.NewResolver(cal, nil))
	w.house(who).recover()
	w.say("%s (client %d) %s %s", by.name, client, what, uid)
	err := w.house(who).save(who, by, uid, cal, only)
	if err != nil {
		w.say("  no: %v", err)
	}
	if err == nil {
		who.clients[client][uid] = w.house(who).fetch(who, uid)
	}
	return err
}

// own picks an event that a person organizes; nil when there is none.
func (w *World) own(who *person, r *rand.Rand) *event {
	var mine []*event
	for _, e := range w.events {
		if e.by == who {
			mine = append(mine, e)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	return mine[r.IntN(len(mine))]
}

// condition is what a client sends along: the entity tag, or the schedule tag as
// RFC 6638 3.2.10 recommends.
func condition(c copied, r *rand.Rand) match {
	if c.tag != "" && r.IntN(2) == 0 {
		return match{tag: c.tag}
	}
	return match{etag: c.etag}
}

// edit changes an event as its organizer, on a copy that may be old. A client
// that learns so fetches it and does the same again.
func edit(w *World, who *person, r *rand.Rand) {
	if e := w.own(who, r); e != nil {
		w.editBy(who, who, e, r)
	} else {
		create(w, who, r)
	}
}

// secretary changes one of alice's events in her calendar.
func secretary(w *World, who *person, r *rand.Rand) {
	if e := w.own(w.people["alice"], r); e != nil {
		w.editBy(w.people["alice"], who, e, r)
	}
}

func (w *World) editBy(who, by *person, e *event, r *rand.Rand) {
	client := r.IntN(len(who.clients))
	c := who.clients[client][e.uid]
	if c.cal == nil || r.IntN(2) == 0 {
		c = w.look(who, client, e.uid)
	}
	dice := r.Uint64()
	for range 2 {
		if c.cal == nil {
			if c.deleted && r.IntN(3) > 0 {
				w.put(who, by, e.uid, client, w.draft(e, r), match{}, "makes once more")
			}
			return
		}
		cal := c.cal.Clone()
		what := w.alter(cal, e, rand.New(rand.NewPCG(dice, 3)))
		if what == "" {
			return
		}
		who.kept[e.uid] = c.cal
		if !errors.Is(w.put(who, by, e.uid, client, cal, condition(c, r), what), errStale) {
			return
		}
		c = w.look(who, client, e.uid)
	}
}

// split ends a series before an occurrence and makes a new one from there on.
func split(w *World, who *person, r *rand.Rand) {
	e := w.own(who, r)
	if e == nil {
		return
	}
	c := w.look(who, 0, e.uid)
	if c.cal == nil {
		return
	}
	id, ok := anyOccurrence(c.cal, r)
	if !ok {
		return
	}
	head, tail, err := recur.SplitAt(c.cal, id, tz.NewResolver(c.cal, nil))
	if err != nil || head == nil || tail == nil {
		return
	}
	if w.put(who, who, e.uid, 0, head, condition(c, r), "ends before "+id.String()) != nil {
		return
	}
	next := &event{uid: e.uid + "-" + fmt.Sprint(len(w.events)), by: who}
	for _, x := range tail.Main() {
		x.Set("UID", next.uid)
		x.Remove("SEQUENCE")
		x.SetText("SUMMARY", "Later "+next.uid)
	}
	w.events = append(w.events, next)
	w.put(who, who, next.uid, 0, tail, match{}, "goes on with")
}

// callOff deletes an event.
func callOff(w *World, who *person, r *rand.Rand) {
	e := w.own(who, r)
	if e == nil {
		return
	}
	if c := w.look(who, 0, e.uid); c.cal != nil {
		who.kept[e.uid] = c.cal
		w.say("%s deletes %s", who.name, e.uid)
		if err := w.house(who).remove(who, e.uid, c.etag, false); err != nil {
			w.say("  no: %v", err)
			return
		}
		e.last = c.cal
	}
}

// undo puts back what was there before the last change.
func undo(w *World, who *person, r *rand.Rand) {
	e := w.own(who, r)
	if e == nil || who.kept[e.uid] == nil {
		return
	}
	c := w.look(who, 0, e.uid)
	if c.cal == nil {
		w.put(who, who, e.uid, 0, who.kept[e.uid].Clone(), match{}, "takes back the deletion of")
		return
	}
	w.put(who, who, e.uid, 0, who.kept[e.uid].Clone(), match{etag: c.etag}, "takes back the change of")
}

// proposals lets an organizer decide about what guests proposed.
func proposals(w *World, who *person, r *rand.Rand) {
	h := w.house(who)
	h.recover()
	for _, x := range h.held(who) {
		if x.method == "COUNTER" && x.reason == "counter-proposal" {
			yes := r.IntN(2) == 0
			w.say("%s decides about the proposal of %s: %v", who.name, x.sender.Email(), yes)
			h.decide(who, x.id, yes)
			return
		}
	}
}
