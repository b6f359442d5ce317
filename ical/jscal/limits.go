package jscal

import (
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
)

// ContentType is the media type of JSCalendar (RFC 8984 9.1).
const ContentType = "application/jscalendar+json"

// ProductID is the PRODID of a calendar that names none.
const ProductID = "-//Convene//JSCalendar//EN"

// Loss is something that one format said and the other cannot.
type Loss struct {
	Path string // of a JSCalendar property, as in a PatchObject; "" when reading iCalendar
	Line int    // of the iCalendar input, 0 when it was not read from one
	What string // a sentence for a log
}

func (l Loss) String() string {
	switch {
	case l.Path != "":
		return l.Path + ": " + l.What
	case l.Line > 0:
		return fmt.Sprintf("line %d: %s", l.Line, l.What)
	}
	return l.What
}

// Limits bound what an input may cost. A zero field means the default.
type Limits struct {
	Size       int // octets of the input
	Depth      int // nested objects and arrays
	Components int // entries and changed occurrences, together
	Output     int // octets: each changed occurrence of a series repeats the series
	Losses     int // entries listed; one more says that there were others
}

// DefaultLimits allow every calendar that a person could own.
var DefaultLimits = Limits{Size: 64 << 20, Depth: 64, Components: 1 << 18, Output: 512 << 20, Losses: 1000}

func (l Limits) orDefault() Limits {
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&l.Size, DefaultLimits.Size)
	fill(&l.Depth, DefaultLimits.Depth)
	fill(&l.Components, DefaultLimits.Components)
	fill(&l.Output, DefaultLimits.Output)
	fill(&l.Losses, DefaultLimits.Losses)
	return l
}

// ParseError says where and why an input cannot be read.
type ParseError struct {
	Line   int // 1-based
	Column int // 1-based, in octets
	Path   string
	What   string
	Err    error // ErrLimit when a limit was passed, ErrFormat when it is no JSON or no JSCalendar
}

func (e *ParseError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("jscal: %s: %s", e.Path, e.What)
	}
	return fmt.Sprintf("jscal: line %d, column %d: %s", e.Line, e.Column, e.What)
}

func (e *ParseError) Unwrap() error { return e.Err }

type sentinel string

func (s sentinel) Error() string { return string(s) }

// ErrLimit is wrapped by the *ParseError of an input that passes a limit,
// ErrFormat by that of JSON that is no JSCalendar.
const (
	ErrLimit  = sentinel("jscal: limit passed")
	ErrFormat = sentinel("jscal: not a JSCalendar object")
)

// losses collects them up to a limit.
type losses struct {
	list []Loss
	max  int
}

func (l *losses) add(loss Loss) {
	switch {
	case len(l.list) < l.max:
		l.list = append(l.list, loss)
	case len(l.list) == l.max:
		l.list = append(l.list, Loss{What: "there are more losses than are listed"})
	}
}

// at adds a loss of a JSCalendar property.
func (l *losses) at(path, format string, args ...any) {
	l.add(Loss{Path: path, What: fmt.Sprintf(format, args...)})
}

// of adds a loss of an iCalendar property.
func (l *losses) of(p *ical.Property, format string, args ...any) {
	l.add(Loss{Line: p.Line(), What: p.Name() + ": " + fmt.Sprintf(format, args...)})
}

// bad adds the loss of a property that cannot be read.
func (l *losses) bad(p *ical.Property, err error) {
	what := err.Error()
	if e := (*ical.ParseError)(nil); errors.As(err, &e) {
		what = e.What
	}
	l.of(p, "%s", what)
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%.*s…", most, s)
}
