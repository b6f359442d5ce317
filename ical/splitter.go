package ical

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// PartWriter takes calendars part by part: Begin with the properties of a
// calendar, its components, End.
type PartWriter interface {
	Begin(properties []*Property) error
	Component(c *Component) error
	End() error
}

// Splitter is SplitByUID for calendars of any size: a PartWriter that gives
// each calendar object to Do when the calendar ends, in the order in which
// their UIDs came first. It holds the octets of one object at a time, the
// VTIMEZONEs of the calendar, and what its Sorters hold.
type Splitter struct {
	Do     func(object *Calendar) error
	Sorter Sorters
	Limit  int   // octets an object, and the VTIMEZONEs of a calendar, may have; 0 for any number
	Head   *Head // of the calendar at hand; Begin makes it

	byUID, byPlace Sorter
	n              uint64 // components so far
}

// Begin starts a calendar.
func (s *Splitter) Begin(properties []*Property) error {
	s.Head = &Head{Properties: properties, Limit: s.Limit}
	return nil
}

// Component takes a component, which may be used again afterwards.
func (s *Splitter) Component(c *Component) error {
	if c.Name == "VTIMEZONE" {
		return s.Head.Zone(c)
	}
	s.Head.Adopt(c)
	if s.byUID == nil {
		s.byUID, s.byPlace = s.Sorter.New(), s.Sorter.New()
	}
	key := append([]byte{1}, c.Text("UID")...)
	s.n++
	if len(key) == 1 { // without UID it is an object of its own
		key = binary.BigEndian.AppendUint64([]byte{0}, s.n)
	}
	value := binary.AppendUvarint(binary.AppendUvarint(nil, s.n), uint64(c.Line()))
	return s.byUID.Add(key, append(value, c.Bytes()...))
}

// End gives the objects of the calendar.
func (s *Splitter) End() error {
	if s.byUID == nil {
		return nil
	}
	var key, object []byte
	place := uint64(0)
	flush := func() error {
		if key == nil {
			return nil
		}
		return s.byPlace.Add(binary.BigEndian.AppendUint64(nil, place), object)
	}
	err := s.byUID.Each(func(k, v []byte) error {
		n, used := binary.Uvarint(v)
		line, more := binary.Uvarint(v[used:])
		text := v[used+more:]
		if key == nil || !bytes.Equal(k, key) {
			if err := flush(); err != nil {
				return err
			}
			key, object, place = append(key[:0], k...), object[:0], n
		}
		if s.Limit > 0 && len(object)+len(text) > s.Limit {
			return &ParseError{Line: int(line), Column: 1, What: fmt.Sprintf("the components of one UID have more than %d octets", s.Limit), Err: ErrLimit}
		}
		object = binary.AppendUvarint(binary.AppendUvarint(object, line), uint64(len(text)))
		object = append(object, text...)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	return s.byPlace.Each(func(_, v []byte) error {
		var components []*Component
		for len(v) > 0 {
			line, used := binary.Uvarint(v)
			length, more := binary.Uvarint(v[used:])
			text := v[used+more:][:length]
			v = v[used+more+int(length):]
			c, err := ParseComponent(text, int(line))
			if err != nil {
				return err
			}
			components = append(components, c)
		}
		return s.Do(s.Head.Object(components...))
	})
}

// Close lets go of the Sorters.
func (s *Splitter) Close() error { return CloseSorters(s.byUID, s.byPlace) }
