package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// World is one run of a script.
type World struct {
	script   Script
	now      time.Time
	r        *rand.Rand // dice of the present step
	calm     bool       // the network loses and doubles nothing any more
	people   map[string]*person
	houses   []house
	events   []*event
	net      network
	heard    map[string]map[string]string // what was last written, by pair of people and event, then by part
	wild     map[string]string            // who does not have to agree about what, with the reason
	dropped  map[string]int               // who once deleted what, and its SEQUENCE then
	busy     map[string]*question         // about busy time, by UID
	crashers map[string][]string          // answers by people who were not on the list, by name
	log      []string
}

// event is a meeting or to-do that somebody made.
type event struct {
	uid  string
	by   *person
	todo bool
	last *ical.Calendar // what its organizer deleted, nil for nothing
}

// Failure is a promise that was broken.
type Failure struct {
	Script Script
	What   string
	Log    []string
}

// Error tells the whole story.
func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d: %s\nstory:\n  %s\nscript:\n%s", f.Script.Seed, f.What, strings.Join(f.Log, "\n  "), f.Script)
}

// builder makes the houses of a world, once its people live somewhere.
type builder func(w *World, n int) house

// begin is a Monday before the clocks change in New York, and more so in Berlin.
var begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// play runs a script to its end and checks it; nil when all promises hold.
func play(s Script, build builder) (broken *Failure) {
	w := &World{script: s, now: begin, people: map[string]*person{}, heard: map[string]map[string]string{}, wild: map[string]string{}, crashers: map[string][]string{}, dropped: map[string]int{}, busy: map[string]*question{}}
	w.r = rand.New(rand.NewPCG(s.Seed, 0))
	w.settle(w.r)
	defer func() {
		for _, h := range w.houses {
			if h != nil {
				h.close()
			}
		}
	}()
	defer func() {
		if f, ok := recover().(*Failure); ok {
			broken = f
		}
	}()
	for i := range w.houses {
		w.houses[i] = build(w, i)
	}
	for _, x := range s.Steps {
		w.step(x)
	}
	w.quiet()
	w.check()
	return nil
}

// step does one thing.
func (w *World) step(x Step) {
	w.r = rand.New(rand.NewPCG(x.Dice, 1))
	w.pass(time.Duration(w.r.IntN(4)) * time.Second)
	for _, v := range verbs {
		if v.name == x.Do {
			v.do(w, w.people[x.Who], w.r)
			return
		}
	}
	panic("no verb " + x.Do)
}

// pass lets time go by.
func (w *World) pass(d time.Duration) { w.now = w.now.Add(d) }

func (w *World) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// fail ends the run.
func (w *World) fail(format string, args ...any) {
	panic(&Failure{Script: w.script, What: fmt.Sprintf(format, args...), Log: w.log})
}

func (w *World) house(p *person) house { return w.houses[p.house] }

// eventOf is the event of a UID.
func (w *World) eventOf(uid string) *event {
	i := slices.IndexFunc(w.events, func(e *event) bool { return e.uid == uid })
	if i < 0 {
		return nil
	}
	return w.events[i]
}

// excuse takes somebody out of the comparison of copies.
func (w *World) excuse(p *person, uid, why string) { w.wild[p.name+" "+uid] = why }

func (w *World) excused(p *person, uid string) bool { return w.wild[p.name+" "+uid] != "" }

// carry lets the couriers of all houses work.
func (w *World) carry() {
	for _, h := range w.houses {
		h.recover()
		h.carry()
	}
}

func text(c *ical.Calendar) string {
	if c == nil {
		return "nothing\n"
	}
	return strings.ReplaceAll(string(c.Bytes()), "\r", "")
}
