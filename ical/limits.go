package ical

import "fmt"

// Limits bound what an input may cost. A zero field means the default.
type Limits struct {
	Size       int // octets of the input
	Depth      int // nested components, the VCALENDAR counted
	Components int
	Properties int
	LineLength int // octets of one unfolded line
}

// DefaultLimits allow every calendar a person could own; a server sets
// narrower ones for what strangers send.
var DefaultLimits = Limits{
	Size:       1 << 30,
	Depth:      32,
	Components: 1 << 23,
	Properties: 1 << 26,
	LineLength: 1 << 28,
}

func (l Limits) orDefault() Limits {
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&l.Size, DefaultLimits.Size)
	fill(&l.Depth, DefaultLimits.Depth)
	fill(&l.Components, DefaultLimits.Components)
	fill(&l.Properties, DefaultLimits.Properties)
	fill(&l.LineLength, DefaultLimits.LineLength)
	return l
}

// ParseError says where and why an input cannot be read.
type ParseError struct {
	Line     int    // 1-based
	Column   int    // 1-based, in octets
	Property string // upper case, "" when none is concerned
	What     string
	Err      error // ErrLimit when a limit was passed, else nil
}

func (e *ParseError) Error() string {
	if e.Property != "" {
		return fmt.Sprintf("ical: line %d: %s: %s", e.Line, e.Property, e.What)
	}
	return fmt.Sprintf("ical: line %d: %s", e.Line, e.What)
}

func (e *ParseError) Unwrap() error { return e.Err }

type limitError struct{}

func (limitError) Error() string { return "ical: limit passed" }

// ErrLimit is wrapped by the *ParseError of an input that passes a limit.
var ErrLimit error = limitError{}
