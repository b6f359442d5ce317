package typed

import (
	"errors"
	"fmt"
	"io"

	"github.com/convene-cal/convene/ical"
)

// Parts keeps the order of what a Writer is told, and writes what has been
// collected.
type Parts struct {
	W                     io.Writer
	Calendars, Components int // begun so far; those of the calendar at hand

	open bool
	err  error
}

// flushAt is how much is collected for one write.
const flushAt = 1 << 16

// step tells whether a call may come now, inside of a calendar or outside.
func (p *Parts) step(inside bool) error {
	if p.err == nil && p.open != inside {
		return errors.New("ical: Begin, Component and End are out of order")
	}
	return p.err
}

// Begin is told before a calendar is begun.
func (p *Parts) Begin() error {
	if err := p.step(false); err != nil {
		return err
	}
	p.open, p.Components = true, 0
	p.Calendars++
	return nil
}

// Component is told before a component is written.
func (p *Parts) Component() error {
	if err := p.step(true); err != nil {
		return err
	}
	p.Components++
	return nil
}

// End is told before a calendar is ended.
func (p *Parts) End() error {
	if err := p.step(true); err != nil {
		return err
	}
	p.open = false
	return nil
}

// Close is told before the text is completed.
func (p *Parts) Close() error { return p.step(false) }

// Flush writes b when it is long, or whatever it has when all is true, and
// gives what is left of it.
func (p *Parts) Flush(b []byte, all bool) ([]byte, error) {
	if len(b) > flushAt || all {
		_, p.err = p.W.Write(b)
		b = b[:0]
	}
	return b, p.err
}

// Write gives a whole calendar to a writer.
func Write(w ical.PartWriter, cal *ical.Calendar) error {
	if err := w.Begin(cal.Properties); err != nil {
		return err
	}
	for _, c := range cal.Components {
		if err := w.Component(c); err != nil {
			return err
		}
	}
	return w.End()
}

// ParseAll lets a translator, made by open, read all of data; room is how much
// text it will write, about.
func ParseAll(data []byte, l ical.Limits, room int, open func(Input, ical.Limits) Translator) ([]*ical.Calendar, error) {
	l = Limits(l)
	if len(data) > l.Size {
		return nil, &ical.ParseError{Line: 1, Column: 1, What: fmt.Sprintf("%d octets, %d are allowed", len(data), l.Size), Err: ical.ErrLimit}
	}
	t := open(NewInput(data), l)
	t.Lines().Text = make([]byte, 0, room)
	text, err := All(t)
	if err != nil {
		return nil, err
	}
	return ical.ParseAllLimits(text, l)
}

// One is the calendar of a text that may have one only.
func One(all []*ical.Calendar, err error) (*ical.Calendar, error) {
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, &ical.ParseError{Line: 1, Column: 1, What: fmt.Sprintf("%d calendars where one is expected", len(all))}
	}
	return all[0], nil
}

// Stream reads calendars of any size by way of a translator.
func Stream(r io.Reader, l ical.Limits, open func(Input, ical.Limits) Translator) *ical.Reader {
	l = Limits(l)
	return NewReader(open(NewStream(r, l.LineLength), l), l)
}
