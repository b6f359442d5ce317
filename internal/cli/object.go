package cli

import (
	"bufio"
	"io"
	"runtime/debug"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/spill"
)

// smallInput is what is read at once where that is simpler: an input that is
// not longer is held in memory.
const smallInput = 2 << 20

// frugal makes the garbage collector work more for less memory: the file tools
// keep little, and make much of what is soon forgotten.
func frugal() { debug.SetGCPercent(frugalGC) }

const frugalGC = 40

// eachObject calls do for every calendar object, the components of one UID with
// the VTIMEZONEs they use, in the order in which the UIDs come first; and once
// with the error that ended the input early. In a long input the components of
// each calendar are sorted on disk.
func eachObject(r io.Reader, do func(object *ical.Calendar, err error) error) error {
	in := bufio.NewReaderSize(r, smallInput)
	if _, err := in.Peek(smallInput); err == io.EOF {
		return eachCalendar(in, func(cal *ical.Calendar, err error) error {
			if err != nil {
				return do(nil, err)
			}
			for _, object := range cal.SplitByUID() {
				if err := do(object, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	o := &objects{Splitter: ical.Splitter{Sorter: spilled, Do: func(object *ical.Calendar) error { return do(object, nil) }}}
	defer o.Close()
	err := eachPart(in, o)
	if pe := parseError(err); pe != nil {
		return do(nil, pe)
	}
	return err
}

// spilled makes what sorts on disk.
func spilled() ical.Sorter { return &spill.Sorter{} }

// objects gives the objects of calendars in parts.
type objects struct{ ical.Splitter }

func (o *objects) begin(head *ical.Head) error {
	o.Head = head
	return nil
}

func (o *objects) component(_ *ical.Head, c *ical.Component) error { return o.Component(c) }

func (o *objects) end(*ical.Head) error { return o.End() }

// partsOf takes calendars in parts.
type partsOf interface {
	begin(head *ical.Head) error
	component(head *ical.Head, c *ical.Component) error // all but VTIMEZONE
	end(head *ical.Head) error                          // all zones and properties are known
}

// eachPart reads calendars of any size.
func eachPart(r io.Reader, to partsOf) error {
	in := ical.NewReaderLimits(r, ical.Limits{Size: maxPart})
	var head *ical.Head
	for {
		part, err := in.NextPart()
		if err == io.EOF {
			if head != nil { // END:VCALENDAR is missing
				return to.end(head)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if head == nil {
			head = &ical.Head{Properties: part.Properties, Limit: maxPart}
			if err := to.begin(head); err != nil {
				return err
			}
		} else {
			head.Properties = append(head.Properties, part.Properties...)
		}
		for _, c := range part.Components {
			if c.Name == "VTIMEZONE" {
				err = head.Zone(c)
			} else {
				head.Adopt(c)
				err = to.component(head, c)
			}
			if err != nil {
				return err
			}
		}
		if !in.Open() {
			if err := to.end(head); err != nil {
				return err
			}
			head = nil
		}
	}
}
