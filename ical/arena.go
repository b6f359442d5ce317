package ical

import (
	"bytes"
	"strings"
)

// arena is where a parser puts what it reads: slabs of many things, so that a
// calendar costs few allocations, and none for the parser itself. A slab has
// some pages: little is lost at its end and little is kept alive by one thing
// in it that is held. A small input gets one slab of its own size.
type arena struct {
	size       int // properties in a slab
	small      bool
	properties []Property
	list       []*Property // of Components; that of the innermost one is at the end
	components []Component
	kids       []*Component
	logical    []string
	text       strings.Builder // the input, and lines that are not as they stand in it
}

const (
	slabSize = 4096    // the most properties in a slab
	perSlab  = 256     // octets of the input for each of them
	textSlab = 1 << 14 // octets in a slab of unfolded lines
	small    = 1 << 14 // octets of an input that gets slabs of its own size
)

// object is what a small calendar is made of, in one allocation: an event
// with its zone and an alarm fits.
type object struct {
	calendar   Calendar
	components [5]Component
	kids       [5]*Component
}

// init takes the input and gives it as text. There is room behind it for the
// lines of a small one that must be unfolded.
func (a *arena) init(data []byte) string {
	a.size = min(len(data)/perSlab, slabSize)
	a.small = len(data) <= small
	room := len(data)
	if a.small {
		a.size = min(bytes.Count(data, []byte{'\n'})+1, slabSize/8)
		if bytes.Contains(data, []byte("\n ")) || bytes.Contains(data, []byte("\n\t")) {
			room += len(data) / 2
		}
	}
	a.text.Grow(room)
	a.text.Write(data)
	return a.text.String()
}

// newCalendar gives a calendar.
func (a *arena) newCalendar() *Calendar {
	if !a.small || a.components != nil {
		return &Calendar{}
	}
	o := &object{}
	a.components, a.kids = o.components[:0], o.kids[:0]
	return &o.calendar
}

// newProperty gives a property.
func (a *arena) newProperty() *Property {
	if len(a.properties) == cap(a.properties) {
		a.properties = make([]Property, 0, a.size)
	}
	n := len(a.properties)
	a.properties = a.properties[:n+1]
	return &a.properties[n]
}

// newComponent gives a component.
func (a *arena) newComponent() *Component {
	if len(a.components) == cap(a.components) {
		a.components = make([]Component, 0, max(8, a.size/8))
	}
	n := len(a.components)
	a.components = a.components[:n+1]
	return &a.components[n]
}

// keep keeps a logical line that is not a stretch of the input.
func (a *arena) keep(text string) *string {
	if len(a.logical) == cap(a.logical) {
		a.logical = make([]string, 0, max(8, a.size/4))
	}
	a.logical = append(a.logical, text)
	return &a.logical[len(a.logical)-1]
}

// grow makes room for a line of so many octets.
func (a *arena) grow(octets int) {
	if a.text.Cap()-a.text.Len() < octets {
		a.text = strings.Builder{}
		a.text.Grow(max(octets, min(textSlab, 32*a.size)))
	}
}

// opened is a component that is being read. Its properties are the end of
// arena.list while it has no subcomponent; then they are its own.
type opened struct {
	*Component
	from        int // where its properties begin in arena.list
	own         []*Property
	first, last *Component // of its subcomponents, which know the next one
	kids        int
}

// nesting is the components that are open. The first ones have their place in
// the parser itself.
type nesting struct {
	depth int
	outer [8]opened
	inner []opened
}

// at is the open component at a depth, from 1 for the VCALENDAR.
func (n *nesting) at(depth int) *opened {
	if depth <= len(n.outer) {
		return &n.outer[depth-1]
	}
	return &n.inner[depth-1-len(n.outer)]
}

// top is the innermost open component.
func (n *nesting) top() *opened { return n.at(n.depth) }

// push opens a component in the one that is open.
func (p *parser) push(c *Component) {
	if p.depth > 0 {
		t := p.top()
		if t.kids++; t.kids == 1 {
			t.own = p.list[t.from:len(p.list):len(p.list)]
			t.first = c
		} else {
			t.last.next = c
		}
		t.last = c
	}
	if p.depth++; p.depth > len(p.outer)+len(p.inner) {
		p.inner = append(p.inner, opened{})
	}
	t := p.top()
	t.Component, t.from, t.kids = c, len(p.list), 0
}

// add gives the open component its next property.
func (p *parser) add(q *Property) {
	t := p.top()
	if t.kids > 0 {
		q.flags |= trailing
		t.own = append(t.own, q)
		return
	}
	if len(p.list) == cap(p.list) {
		have := p.list[t.from:]
		p.list = append(make([]*Property, 0, max(p.size, 2*len(have))), have...)
		t.from = 0
	}
	p.list = append(p.list, q)
}

// close gives the innermost component its properties and subcomponents.
func (p *parser) close() {
	t := p.top()
	c := t.Component
	if t.kids == 0 {
		c.Properties = p.list[t.from:len(p.list):len(p.list)]
	} else {
		c.Properties = t.own
		c.Components = p.children(t)
	}
	if len(c.Properties) == 0 {
		c.Properties = nil
	}
	c.read = uint32(len(c.Properties) + len(c.Components))
	t.Component, t.own, t.first, t.last = nil, nil, nil, nil
	p.depth--
}

// children lists the subcomponents of t.
func (a *arena) children(t *opened) []*Component {
	if cap(a.kids[len(a.kids):]) < t.kids {
		a.kids = make([]*Component, 0, max(t.kids, a.size/8))
	}
	from := len(a.kids)
	for c := t.first; c != nil; {
		a.kids = append(a.kids, c)
		c, c.next = c.next, nil
	}
	return a.kids[from:len(a.kids):len(a.kids)]
}
