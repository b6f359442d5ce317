package jcal

import (
	"errors"
	"io"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
)

// ContentType is the media type of jCal (RFC 7265 7).
const ContentType = "application/calendar+json"

// Marshal writes a calendar as one jCal object.
func Marshal(cal *ical.Calendar) ([]byte, error) { return AppendTo(nil, cal) }

// AppendTo appends what Marshal gives. The error is always nil: every calendar
// can be written. What no name can have, or one of more than 255 octets, is left
// out.
func AppendTo(b []byte, cal *ical.Calendar) ([]byte, error) {
	e := encoder{b: b}
	e.component(&cal.Component)
	return e.b, nil
}

// Writer writes calendars as jCal part by part, in the memory of the largest
// part. Its methods must not be used by several goroutines at once.
type Writer struct {
	// Array says that an array of jCal objects is wanted, which is how jCal
	// has several (RFC 7265 3.2), whatever their number. To be set before the
	// first Begin.
	Array bool

	p typed.Parts
	e encoder
}

// NewWriter writes to w. Close completes the text; it does not close w.
func NewWriter(w io.Writer) *Writer { return &Writer{p: typed.Parts{W: w}} }

// Begin starts a calendar with these properties.
func (w *Writer) Begin(properties []*ical.Property) error {
	if w.p.Calendars > 0 && !w.Array {
		return errors.New("jcal: several calendars need an array")
	}
	if err := w.p.Begin(); err != nil {
		return err
	}
	switch {
	case w.Array && w.p.Calendars == 1:
		w.e.b = append(w.e.b, '[')
	case w.Array:
		w.e.b = append(w.e.b, ",\n"...)
	}
	w.e.b = append(w.e.b, `["vcalendar",`...)
	w.e.properties(properties)
	w.e.b = append(w.e.b, ",["...)
	return w.flush(false)
}

// Component adds a component to the calendar that was begun.
func (w *Writer) Component(c *ical.Component) error {
	if err := w.p.Component(); err != nil {
		return err
	}
	if w.p.Components > 1 {
		w.e.b = append(w.e.b, ',')
	}
	w.e.b = append(w.e.b, '\n')
	w.e.component(c)
	return w.flush(false)
}

// End ends the calendar that was begun.
func (w *Writer) End() error {
	if err := w.p.End(); err != nil {
		return err
	}
	w.e.b = append(w.e.b, "]]"...)
	return w.flush(false)
}

// Write writes a whole calendar.
func (w *Writer) Write(cal *ical.Calendar) error { return typed.Write(w, cal) }

// Close writes what is left.
func (w *Writer) Close() error {
	if err := w.p.Close(); err != nil {
		return err
	}
	if w.Array {
		if w.p.Calendars == 0 {
			w.e.b = append(w.e.b, '[')
		}
		w.e.b = append(w.e.b, ']')
	}
	w.e.b = append(w.e.b, '\n')
	return w.flush(true)
}

func (w *Writer) flush(all bool) (err error) {
	w.e.b, err = w.p.Flush(w.e.b, all)
	return err
}

type encoder struct {
	b []byte
	v typed.Value
}

// component writes a component (RFC 7265 3.3).
func (e *encoder) component(c *ical.Component) {
	e.b = append(e.b, `["`...)
	e.b = typed.AppendQuoted(e.b, string(typed.AppendLower(nil, c.Name)))
	e.b = append(e.b, `",`...)
	e.properties(c.Properties)
	e.b = append(e.b, ",["...)
	for i, s := range c.Components {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.component(s)
	}
	e.b = append(e.b, "]]"...)
}

func (e *encoder) properties(list []*ical.Property) {
	e.b = append(e.b, '[')
	first := true
	for _, p := range list {
		name := p.Name()
		if !typed.Writable(name) {
			continue
		}
		if !first {
			e.b = append(e.b, ',')
		}
		first = false
		e.property(p, name)
	}
	e.b = append(e.b, ']')
}

// property writes a property (RFC 7265 3.4).
func (e *encoder) property(p *ical.Property, name string) {
	v := &e.v
	v.Of(p, name)
	e.b = append(e.b, `["`...)
	e.b = typed.AppendLower(e.b, name)
	e.b = append(e.b, `",{`...)
	for i, q := range v.ParamsOf(p) {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, '"')
		e.b = typed.AppendLower(e.b, q.Name)
		e.b = append(e.b, `":`...)
		e.strings(q.Values)
	}
	e.b = append(e.b, `},"`...)
	e.b = append(e.b, v.Type...)
	e.b = append(e.b, '"')
	switch v.Form {
	case typed.Number, typed.Bool:
		for _, s := range v.Texts {
			e.b = append(e.b, ',')
			e.b = append(e.b, s...)
		}
	case typed.Periods: // 3.6.9
		for i := 0; i+1 < len(v.Texts); i += 2 {
			e.b = append(e.b, ",["...)
			e.text(v.Texts[i])
			e.b = append(e.b, ',')
			e.text(v.Texts[i+1])
			e.b = append(e.b, ']')
		}
	case typed.Geo: // 3.4.1.1
		e.b = append(e.b, ",["...)
		e.b = append(e.b, v.Texts[0]...)
		e.b = append(e.b, ',')
		e.b = append(e.b, v.Texts[1]...)
		e.b = append(e.b, ']')
	case typed.Status: // 3.4.1.2
		e.b = append(e.b, ',')
		e.list(v.Texts)
	case typed.Recur:
		e.rule(v.Rule)
	default:
		for _, s := range v.Texts {
			e.b = append(e.b, ',')
			e.text(s)
		}
	}
	e.b = append(e.b, ']')
}

// rule writes a RECUR as an object (3.6.10).
func (e *encoder) rule(parts []typed.RulePart) {
	e.b = append(e.b, ",{"...)
	for i, r := range parts {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.text(r.Name)
		e.b = append(e.b, ':')
		if !r.Number {
			e.strings(r.Values)
			continue
		}
		if len(r.Values) > 1 {
			e.b = append(e.b, '[')
		}
		for i, s := range r.Values {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			e.b = append(e.b, s...)
		}
		if len(r.Values) > 1 {
			e.b = append(e.b, ']')
		}
	}
	e.b = append(e.b, '}')
}

// strings writes one string, or an array of several (3.5.2).
func (e *encoder) strings(list []string) {
	if len(list) == 1 {
		e.text(list[0])
	} else {
		e.list(list)
	}
}

func (e *encoder) list(list []string) {
	e.b = append(e.b, '[')
	for i, s := range list {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.text(s)
	}
	e.b = append(e.b, ']')
}

func (e *encoder) text(s string) {
	e.b = append(e.b, '"')
	e.b = typed.AppendQuoted(e.b, s)
	e.b = append(e.b, '"')
}
