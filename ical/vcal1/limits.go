package vcal1

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// ProductID is the PRODID of what is made here.
const ProductID = "-//Convene//vCalendar 1.0//EN"

// Loss is something that one format said and the other cannot.
type Loss struct {
	Line int    // 1-based line of the input, 0 when it concerns no single one
	What string // a sentence for a log
}

func (l Loss) String() string {
	if l.Line == 0 {
		return l.What
	}
	return fmt.Sprintf("line %d: %s", l.Line, l.What)
}

// Limits bound what an input may cost. A zero field means the default.
type Limits struct {
	Size       int // octets of the input
	Calendars  int
	Components int // events and to-dos of all calendars
	Properties int // of all calendars
	Losses     int // entries listed; one more says that there were others
}

// DefaultLimits allow every calendar that a person of that time could own.
var DefaultLimits = Limits{Size: 64 << 20, Calendars: 10_000, Components: 1 << 20, Properties: 1 << 23, Losses: 1000}

func (l Limits) orDefault() Limits {
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&l.Size, DefaultLimits.Size)
	fill(&l.Calendars, DefaultLimits.Calendars)
	fill(&l.Components, DefaultLimits.Components)
	fill(&l.Properties, DefaultLimits.Properties)
	fill(&l.Losses, DefaultLimits.Losses)
	return l
}

// Options say how to read what the format leaves open. The zero value is
// right for files of which nothing is known.
type Options struct {
	Limits Limits
	// Zone is the reader's own: local times are read in it when the calendar
	// does not say its zone or says one that agrees with it. nil leaves times
	// without a zone floating.
	Zone *tz.Zone
	// Now is the DTSTAMP of what has neither LAST-MODIFIED nor DCREATED. The
	// zero time gives 1970, so that reading twice gives the same.
	Now time.Time
	// Sorter is where ToICalendar keeps what it has read; nil means in memory.
	Sorter ical.Sorters
}

// ParseError says where and why an input cannot be read.
type ParseError struct {
	Line int // 1-based
	What string
	Err  error // ErrLimit when a limit was passed, ErrFormat when it is something else than vCalendar 1.0
}

func (e *ParseError) Error() string { return fmt.Sprintf("vcal1: line %d: %s", e.Line, e.What) }

func (e *ParseError) Unwrap() error { return e.Err }

type sentinel string

func (s sentinel) Error() string { return string(s) }

// ErrLimit is wrapped by the *ParseError of an input that passes a limit,
// ErrFormat by that of one that is no vCalendar 1.0.
const (
	ErrLimit  = sentinel("vcal1: limit passed")
	ErrFormat = sentinel("vcal1: not a vCalendar 1.0")
)

// losses collects them up to a limit.
type losses struct {
	list []Loss
	max  int
}

func (l *losses) add(line int, format string, args ...any) {
	switch {
	case len(l.list) < l.max:
		l.list = append(l.list, Loss{line, fmt.Sprintf(format, args...)})
	case len(l.list) == l.max:
		l.list = append(l.list, Loss{0, "there are more losses than are listed"})
	}
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%.*s…", most, s)
}
