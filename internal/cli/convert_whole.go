package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/vcal1"
)

// lost tells a person what a conversion could not keep.
func (e *env) lost(sentence string) { fmt.Fprintln(forPeople(e.Err), sentence) }

// isJSCalendar tells an object, or an array of them, from jCal, whose arrays
// begin with a name.
func isJSCalendar(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("[")), " \t\r\n"), []byte("{"))
}

// readWhole reads a syntax that has no stream: all of it becomes iCalendar.
func readWhole(parse func(data []byte, lost lost) ([]*ical.Calendar, error)) func(io.Reader, lost) (*ical.Reader, error) {
	return func(r io.Reader, lost lost) (*ical.Reader, error) {
		text, err := wholeAsICS(r, lost, parse)
		if err != nil {
			return nil, err
		}
		return ical.NewReader(bytes.NewReader(text)), nil
	}
}

// wholeLimit is one octet more than the parsers take, so that they refuse it.
var wholeLimit = int64(max(vcal1.DefaultLimits.Size, jscal.DefaultLimits.Size)) + 1

func wholeAsICS(r io.Reader, lost lost, parse func([]byte, lost) ([]*ical.Calendar, error)) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, wholeLimit))
	if err != nil {
		return nil, err
	}
	cals, err := parse(data, lost)
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, c := range cals {
		text = c.AppendTo(text)
	}
	return text, nil
}

func readVCalendar(data []byte, lost lost) ([]*ical.Calendar, error) {
	return readVCalendarOptions(data, vcal1.Options{}, lost)
}

func readVCalendarOptions(data []byte, opt vcal1.Options, lost lost) ([]*ical.Calendar, error) {
	cals, losses, err := vcal1.ParseOptions(data, opt)
	for _, l := range losses {
		lost(l.String())
	}
	return cals, err
}

func readJSCalendar(data []byte, lost lost) ([]*ical.Calendar, error) {
	cals, losses, err := jscal.Parse(data)
	for _, l := range losses {
		lost(l.String())
	}
	return cals, err
}

func writeVCalendar(cal *ical.Calendar, lost lost) ([]byte, error) {
	data, losses, err := vcal1.Marshal(cal)
	for _, l := range losses {
		lost(l.String())
	}
	return data, err
}

func writeJSCalendar(cal *ical.Calendar, lost lost) ([]byte, error) {
	data, losses, err := jscal.Marshal(cal)
	for _, l := range losses {
		lost(l.String())
	}
	return data, err
}

// wholeWriter writes each calendar when it is complete.
type wholeWriter struct {
	w       io.Writer
	lost    lost
	marshal func(*ical.Calendar, lost) ([]byte, error)
	array   bool // several calendars are an array (JSON)
	begun   int
	cal     *ical.Calendar
}

func (w *wholeWriter) Begin(properties []*ical.Property) error {
	w.cal = &ical.Calendar{Component: ical.Component{Name: "VCALENDAR", Properties: properties}}
	return nil
}

func (w *wholeWriter) Component(c *ical.Component) error {
	w.cal.Components = append(w.cal.Components, c)
	return nil
}

func (w *wholeWriter) End() error {
	data, err := w.marshal(w.cal, w.lost)
	if err != nil {
		return err
	}
	if w.array {
		mark := "["
		if w.begun > 0 {
			mark = ","
		}
		if _, err := io.WriteString(w.w, mark); err != nil {
			return err
		}
	}
	w.begun++
	_, err = w.w.Write(data)
	return err
}

func (w *wholeWriter) Close() error {
	if !w.array || w.begun == 0 {
		return nil
	}
	_, err := io.WriteString(w.w, "]\n")
	return err
}
