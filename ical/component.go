package ical

import (
	"iter"
	"slices"
)

// Component is a BEGIN/END block with its properties and subcomponents (RFC
// 5545 3.6). Callers may reorder and change the slices; what was not changed
// serializes as the octets that were read.
type Component struct {
	Name       string // upper case
	Properties []*Property
	Components []*Component

	begin, end string     // BEGIN and END line as read, with what lies before them
	next       *Component // while its parent is being read
	read       uint32     // number of properties and components when read
	line       uint32
	open       opening
}

type opening uint8

const (
	parsed  opening = 1 << iota // came from an input
	noBegin                     // the input lacked the BEGIN line
	noEnd                       // the input lacked the END line
	partial                     // the lacking lines stand in other parts of a stream (Reader.NextPart)
)

// NewComponent gives an empty component.
func NewComponent(name string) *Component { return &Component{Name: upper(name)} }

// Prop is the first property with this upper-case name, or nil.
func (c *Component) Prop(name string) *Property {
	for _, p := range c.Properties {
		if p.is(name) {
			return p
		}
	}
	return nil
}

// Props are the properties with this upper-case name, in order.
func (c *Component) Props(name string) iter.Seq[*Property] {
	return func(yield func(*Property) bool) {
		for _, p := range c.Properties {
			if p.is(name) && !yield(p) {
				return
			}
		}
	}
}

// Value is the raw value of the first property with this name, "" if none.
func (c *Component) Value(name string) string {
	if p := c.Prop(name); p != nil {
		return p.Value()
	}
	return ""
}

// Text is the unescaped text of the first property with this name.
func (c *Component) Text(name string) string {
	if p := c.Prop(name); p != nil {
		return p.Text()
	}
	return ""
}

// Set gives the first property with this name a raw value and drops its
// parameters, removes further ones, and adds one if there was none. A
// property that says this already keeps its octets.
func (c *Component) Set(name, rawValue string) *Property {
	name = upper(name)
	var first *Property
	c.RemoveFunc(func(p *Property) bool {
		if !p.is(name) {
			return false
		}
		if first == nil {
			first = p
			return false
		}
		return true
	})
	if first == nil {
		first = NewProperty(name, rawValue)
		c.Add(first)
		return first
	}
	if first.Value() != rawValue || int(first.value) != int(first.name)+1 {
		first.build(name, "", rawValue)
	}
	return first
}

// SetText is Set with a text that is escaped.
func (c *Component) SetText(name, text string) *Property { return c.Set(name, EscapeText(text)) }

// Add appends properties.
func (c *Component) Add(p ...*Property) { c.Properties = append(c.Properties, p...) }

// Remove removes all properties with these upper-case names and tells how many.
func (c *Component) Remove(names ...string) int {
	return c.RemoveFunc(func(p *Property) bool {
		return slices.ContainsFunc(names, p.is)
	})
}

// RemoveFunc removes the properties for which del is true and tells how many.
func (c *Component) RemoveFunc(del func(*Property) bool) int {
	n := len(c.Properties)
	c.Properties = slices.DeleteFunc(c.Properties, del)
	return n - len(c.Properties)
}

// Children are the subcomponents with this upper-case name.
func (c *Component) Children(name string) iter.Seq[*Component] {
	return func(yield func(*Component) bool) {
		for _, s := range c.Components {
			if s.Name == name && !yield(s) {
				return
			}
		}
	}
}

// Clone gives an independent deep copy that serializes as the same octets.
func (c *Component) Clone() *Component {
	d := *c
	slab := make([]Property, len(c.Properties))
	d.Properties = make([]*Property, len(c.Properties))
	for i, p := range c.Properties {
		slab[i] = *p
		d.Properties[i] = &slab[i]
	}
	d.Components = make([]*Component, len(c.Components))
	for i, s := range c.Components {
		d.Components[i] = s.Clone()
	}
	return &d
}

// Line is the 1-based line of BEGIN in the input, 0 when not read from one.
func (c *Component) Line() int { return int(c.line) }
