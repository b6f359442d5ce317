package vcal1

import (
	"errors"
	"io"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// Writer writes calendars of any size as Marshal does, in the memory of the
// largest calendar object and of what its Sorters hold. It is an
// ical.PartWriter. What one side has no words for is in Losses.
type Writer struct {
	// Sorter is where components wait for the end of their calendar; nil means
	// in memory. To be set before the first Begin.
	Sorter ical.Sorters

	w        io.Writer
	all      losses
	one      *writer       // of the calendar at hand
	objects  ical.Splitter // brings together what has one UID
	waits    ical.Sorter   // the components as they will be written
	unclosed bool
}

// NewWriter writes to w. Close ends it; it does not close w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, all: losses{max: DefaultLimits.Losses}} }

var errOrder = errors.New("vcal1: Begin, Component and End are out of order")

// Begin starts a calendar with these properties.
func (w *Writer) Begin(properties []*ical.Property) error {
	if w.unclosed {
		return errOrder
	}
	if w.waits == nil {
		w.waits = w.Sorter.New()
		w.objects = ical.Splitter{Sorter: w.Sorter, Limit: DefaultLimits.Size, Do: w.object}
	}
	w.unclosed, w.one = true, &writer{losses: w.all}
	return w.objects.Begin(properties)
}

// Component adds a component to the calendar that was begun.
func (w *Writer) Component(c *ical.Component) error {
	if !w.unclosed {
		return errOrder
	}
	return w.objects.Component(c)
}

// object writes the components of one UID to where they wait.
func (w *Writer) object(object *ical.Calendar) error {
	o := w.one
	o.cal, o.zones = object, tz.NewResolver(object, nil)
	o.survey(o, object.Components)
	o.body(object.Components)
	err := w.waits.Add(nil, o.b.Bytes())
	o.b.Reset()
	return err
}

// End writes the calendar that was begun.
func (w *Writer) End() error {
	if !w.unclosed {
		return errOrder
	}
	w.unclosed = false
	if err := w.objects.End(); err != nil {
		return err
	}
	o := w.one
	o.begin(w.objects.Head.Properties)
	if o.home != nil && o.floatingLine > 0 {
		o.losses.add(o.floatingLine, floatingLoss, o.home.Name())
	}
	if _, err := w.w.Write(o.b.Bytes()); err != nil {
		return err
	}
	o.b.Reset()
	if err := w.waits.Each(func(_, text []byte) error { _, err := w.w.Write(text); return err }); err != nil {
		return err
	}
	o.line("END", nil, "VCALENDAR")
	w.all = o.losses
	_, err := w.w.Write(o.b.Bytes())
	return err
}

// Close lets go of what is held.
func (w *Writer) Close() error {
	return errors.Join(w.objects.Close(), ical.CloseSorters(w.waits))
}

// Losses are those of the calendars that were ended.
func (w *Writer) Losses() []Loss { return w.all.list }
