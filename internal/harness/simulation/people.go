package simulation

import (
	"math/rand/v2"
	"slices"

	"github.com/convene-cal/convene/ical"
)

// person is somebody with a calendar, and with clients that remember it.
type person struct {
	name      string
	house     int
	room      bool
	addresses []ical.Address
	clients   [2]map[string]copied // what each client last saw, by UID
	kept      map[string]*ical.Calendar
}

func (p *person) address() ical.Address { return p.addresses[0] }

func (p *person) is(a ical.Address) bool { return slices.ContainsFunc(p.addresses, a.Equal) }

// names of the cast, and what they do.
var (
	organizers = []string{"alice", "alice", "bob"}
	guests     = []string{"bob", "carol", "dave", "erin"}
	everybody  = []string{"alice", "bob", "carol", "dave", "erin", "hall", "sam", "mallory"}
)

// settle says who lives where: in two to four houses, mallory always alone.
func (w *World) settle(r *rand.Rand) {
	n := 2 + r.IntN(3)
	for _, name := range everybody {
		p := &person{name: name, house: r.IntN(n - 1), room: name == "hall", kept: map[string]*ical.Calendar{}}
		if name == "mallory" {
			p.house = n - 1
		}
		if name == "sam" { // the secretary works where alice does
			p.house = w.people["alice"].house
		}
		for i := range p.clients {
			p.clients[i] = map[string]copied{}
		}
		host := "h" + string(rune('0'+p.house)) + ".test"
		p.addresses = []ical.Address{ical.Mailto(name + "@" + host)}
		if name == "carol" || name == "bob" {
			p.addresses = append(p.addresses, ical.Mailto(name+".other@"+host))
		}
		w.people[name] = p
	}
	w.houses = make([]house, n)
}

// who finds a person by an address; nil for nobody.
func (w *World) who(a ical.Address) *person {
	for _, name := range everybody {
		if p := w.people[name]; p.is(a) {
			return p
		}
	}
	return nil
}
