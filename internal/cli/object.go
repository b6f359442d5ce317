package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
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
// each calendar are sorted on disk; line is where an object begins then, and
// the lines of its components are its own.
func eachObject(r io.Reader, do func(object *ical.Calendar, line int, err error) error) error {
	in := bufio.NewReaderSize(r, smallInput)
	if _, err := in.Peek(smallInput); err == io.EOF {
		return eachCalendar(in, func(cal *ical.Calendar, err error) error {
			if err != nil {
				return do(nil, 0, err)
			}
			for _, object := range cal.SplitByUID() {
				if err := do(object, 0, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	o := &objects{do: do}
	defer o.byUID.Close()
	defer o.byPlace.Close()
	err := eachPart(in, o)
	if pe := parseError(err); pe != nil {
		return do(nil, 0, pe)
	}
	return err
}

// objects puts the components of each calendar in the order of their UIDs and
// then the objects in the order of the calendar.
type objects struct {
	do             func(*ical.Calendar, int, error) error
	byUID, byPlace spill.Sorter
	n              uint64 // components so far
}

func (o *objects) begin(head *calendarHead) error { return nil }

func (o *objects) component(head *calendarHead, c *ical.Component) error {
	key := append([]byte{1}, c.Text("UID")...)
	o.n++
	if len(key) == 1 { // without UID it is an object of its own
		key = binary.BigEndian.AppendUint64([]byte{0}, o.n)
	}
	value := binary.AppendUvarint(binary.AppendUvarint(nil, o.n), uint64(c.Line()))
	return o.byUID.Add(key, append(value, c.Bytes()...))
}

func (o *objects) end(head *calendarHead) error {
	var key, text []byte
	place, line := uint64(0), uint64(0)
	flush := func() error {
		if key == nil {
			return nil
		}
		return o.byPlace.Add(binary.BigEndian.AppendUint64(nil, place), append(binary.AppendUvarint(nil, line), text...))
	}
	err := o.byUID.Each(func(k, v []byte) error {
		n, used := binary.Uvarint(v)
		at, more := binary.Uvarint(v[used:])
		if key == nil || !bytes.Equal(k, key) {
			if err := flush(); err != nil {
				return err
			}
			key, text, place, line = append(key[:0], k...), text[:0], n, at
		}
		text = append(text, v[used+more:]...)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	return o.byPlace.Each(func(_, v []byte) error {
		line, used := binary.Uvarint(v)
		object, err := head.object(v[used:])
		return o.do(object, int(line), err)
	})
}

// calendarHead is what the components of a calendar share.
type calendarHead struct {
	properties []*ical.Property
	zones      []*ical.Component
	byTZID     map[string]*ical.Component
	zoneSize   int
}

// zone takes a VTIMEZONE, which may come after the times that need it.
func (h *calendarHead) zone(z *ical.Component) error {
	id := z.Text("TZID")
	if h.byTZID[id] != nil {
		return nil
	}
	if h.zoneSize += len(z.Bytes()); h.zoneSize > maxPart {
		return fmt.Errorf("line %d: the VTIMEZONEs of this calendar have more than %d octets", z.Line(), maxPart)
	}
	if h.byTZID == nil {
		h.byTZID = map[string]*ical.Component{}
	}
	h.zones, h.byTZID[id] = append(h.zones, z), z
	return nil
}

// adopt gives a component what some write once for the whole calendar (LEN-05).
func (h *calendarHead) adopt(c *ical.Component) {
	if c.Name == "VTIMEZONE" {
		return
	}
	for _, p := range h.properties {
		if n := p.Name(); (n == "UID" || n == "SEQUENCE") && c.Prop(n) == nil {
			c.Add(ical.NewProperty(n, p.Value()))
		}
	}
}

// object makes a calendar object of components' octets, with the zones they
// use.
func (h *calendarHead) object(components []byte) (*ical.Calendar, error) {
	text := append([]byte(icsBegin), components...)
	cal, err := ical.Parse(append(text, icsEnd...))
	if err != nil {
		return nil, err
	}
	for _, p := range h.properties {
		if n := p.Name(); n != "UID" && n != "SEQUENCE" { // adopt has given them to the components
			cal.Properties = append(cal.Properties, p)
		}
	}
	seen := map[string]bool{}
	for id := range cal.TZIDs() {
		if z := h.byTZID[id]; z != nil && !seen[id] {
			cal.Components = append(cal.Components, z)
		}
		seen[id] = true
	}
	return cal, nil
}

// partsOf takes calendars in parts.
type partsOf interface {
	begin(head *calendarHead) error
	component(head *calendarHead, c *ical.Component) error // all but VTIMEZONE
	end(head *calendarHead) error                          // all zones and properties are known
}

// eachPart reads calendars of any size.
func eachPart(r io.Reader, to partsOf) error {
	in := ical.NewReaderLimits(r, ical.Limits{Size: maxPart})
	var head *calendarHead
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
			head = &calendarHead{properties: part.Properties}
			if err := to.begin(head); err != nil {
				return err
			}
		} else {
			head.properties = append(head.properties, part.Properties...)
		}
		for _, c := range part.Components {
			if c.Name == "VTIMEZONE" {
				err = head.zone(c)
			} else {
				head.adopt(c)
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
