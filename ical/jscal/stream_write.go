package jscal

import (
	"errors"
	"io"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/tz"
)

// Writer writes calendars of any size as Marshal does, in the memory of the
// largest calendar object and of what its Sorters hold. It is an
// ical.PartWriter. What one side has no words for is in Losses.
type Writer struct {
	// Array says that an array of Groups is wanted, whatever their number. To
	// be set before the first Begin, as Sorter.
	Array bool
	// Sorter is where components wait for the end of their calendar; nil means
	// in memory.
	Sorter ical.Sorters

	w         io.Writer
	losses    losses
	calendars int
	open      bool
	objects   ical.Splitter // brings together what has one UID
	kept      ical.Sorter   // components that JSCalendar has no words for, as jCal
	t         *grouped      // of the calendar at hand
	entries   int
	err       error
}

// NewWriter writes to w. Close completes the text; it does not close w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, losses: losses{max: DefaultLimits.Losses}} }

var errOrder = errors.New("jscal: Begin, Component and End are out of order")

// Begin starts a calendar with these properties.
func (w *Writer) Begin(properties []*ical.Property) error {
	switch {
	case w.open:
		return errOrder
	case w.calendars > 0 && !w.Array:
		return errors.New("jscal: several calendars need an array")
	}
	if w.kept == nil {
		w.kept = w.Sorter.New()
		w.objects = ical.Splitter{Sorter: w.Sorter, Limit: DefaultLimits.Size, Do: w.object}
	}
	if w.Array {
		w.text("[,"[min(w.calendars, 1):][:1])
	}
	w.calendars++
	w.open, w.entries, w.t = true, 0, &grouped{ids: newID()}
	return errors.Join(w.err, w.objects.Begin(properties))
}

// Component adds a component to the calendar that was begun.
func (w *Writer) Component(c *ical.Component) error {
	if !w.open {
		return errOrder
	}
	return w.objects.Component(c)
}

func (w *Writer) text(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.w, s)
	}
}

// object writes the entries of one UID.
func (w *Writer) object(object *ical.Calendar) error {
	one := &writer{cal: object, zones: tz.NewResolver(object, nil), losses: w.losses}
	err := one.components(object.Method(), w.t, func(o map[string]any) error {
		if w.entries++; w.entries > 1 {
			w.text(",")
		}
		w.text(string(encode(o)))
		return w.err
	}, w.keep)
	w.losses = one.losses
	return err
}

// keep takes a component that JSCalendar has no words for.
func (w *Writer) keep(c *ical.Component) error {
	data, err := jcal.Marshal(keptCalendar(nil, []*ical.Component{c}))
	if err != nil {
		return err
	}
	_, components, err := jcalParts(data)
	if err != nil {
		return err
	}
	return w.kept.Add(nil, []byte(components[1:len(components)-1])) // without the array's brackets
}

// End writes the calendar that was begun.
func (w *Writer) End() error {
	if !w.open {
		return errOrder
	}
	w.open = false
	w.text(`{"@type":"Group","entries":[`)
	if err := w.objects.End(); err != nil {
		return err
	}
	g := object{"@type": "Group", "entries": []any{}}
	head := ical.NewComponent("VCALENDAR")
	head.Properties = w.objects.Head.Properties
	one := &writer{cal: &ical.Calendar{Component: *head}, zones: tz.NewResolver(nil, nil), losses: w.losses}
	one.properties(g, &w.t.kept, head.Properties)
	w.t.finish(g)
	w.t.put(g, "VCALENDAR")
	one.restore(g, head)
	w.losses = one.losses
	delete(g, "@type")
	delete(g, "entries")
	note, kept := g["iCalendar"].(object)
	delete(g, "iCalendar")
	w.text("]")
	rest := string(encode(g))
	w.text("," + rest[1:len(rest)-1])
	n := 0
	err := w.kept.Each(func(_, text []byte) error {
		if n++; n == 1 {
			w.text(`,"iCalendar":{"components":[`)
		} else {
			w.text(",")
		}
		w.text(string(text))
		return w.err
	})
	if !kept {
		note = object{"@type": "ICalComponent", "name": "vcalendar"}
	}
	switch rest = string(encode(note)); {
	case n > 0:
		w.text("]," + rest[1:])
	case kept:
		w.text(`,"iCalendar":` + rest)
	}
	w.text("}\n")
	return errors.Join(err, w.err)
}

// Close writes what is left and lets go of what is held.
func (w *Writer) Close() error {
	if w.open {
		w.err = errors.Join(w.err, errOrder)
	}
	if w.Array {
		if w.calendars == 0 {
			w.text("[")
		}
		w.text("]\n")
	}
	return errors.Join(w.err, w.objects.Close(), ical.CloseSorters(w.kept))
}

// Losses are those of the calendars that were ended.
func (w *Writer) Losses() []Loss { return w.losses.list }
