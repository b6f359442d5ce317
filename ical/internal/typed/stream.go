package typed

import (
	"io"

	"github.com/convene-cal/convene/ical"
)

// Translator writes iCalendar text step by step, a component at most in each.
type Translator interface {
	// Step writes further lines; io.EOF says that all is written.
	Step() error
	// Lines are where it writes them.
	Lines() *Lines
}

// Limits fills in the defaults.
func Limits(l ical.Limits) ical.Limits {
	for _, f := range [...]struct{ v, def *int }{
		{&l.Size, &ical.DefaultLimits.Size}, {&l.Depth, &ical.DefaultLimits.Depth}, {&l.LineLength, &ical.DefaultLimits.LineLength},
	} {
		if *f.v <= 0 {
			*f.v = *f.def
		}
	}
	return l
}

// All lets t write everything.
func All(t Translator) ([]byte, error) {
	for {
		if err := t.Step(); err == io.EOF {
			return t.Lines().Text, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// NewReader reads the calendars that t writes.
func NewReader(t Translator, l ical.Limits) *ical.Reader {
	return ical.NewReaderLimits(&reader{t: t}, l)
}

type reader struct {
	t   Translator
	at  int
	err error
}

func (r *reader) Read(b []byte) (int, error) {
	l := r.t.Lines()
	for r.at == len(l.Text) {
		if r.err != nil {
			return 0, r.err
		}
		l.Text, r.at = l.Text[:0], 0
		r.err = r.t.Step()
	}
	n := copy(b, l.Text[r.at:])
	r.at += n
	return n, nil
}
