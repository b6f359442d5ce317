package jscal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/tz"
)

// Options say how to read a stream.
type Options struct {
	// Limits hold for each entry by itself, and for what a Group says besides
	// its entries.
	Limits Limits
	// Sorter is where ToICalendar keeps what it has read; nil means in memory.
	Sorter ical.Sorters
}

// ToICalendar reads JSCalendar of any size and writes what Parse makes of it
// as iCalendar, in the memory of the largest entry and of what opt.Sorter
// holds. The error is a *ParseError or one of r, w and the Sorters.
func ToICalendar(w io.Writer, r io.Reader, opt Options) ([]Loss, error) {
	l := opt.Limits.orDefault()
	out := bufio.NewWriter(w)
	s := &readStream{
		reader: &reader{limits: l, losses: losses{max: l.Losses}}, d: newDecoder(typed.NewStream(r, l.Size), l), out: out,
		entries: opt.Sorter.New(), kept: opt.Sorter.New(), parts: opt.Sorter.New(),
	}
	err := fault(s.all())
	return s.losses.list, errors.Join(err, out.Flush(), ical.CloseSorters(s.entries, s.kept, s.parts))
}

// readStream is the reading of a stream: entries wait until what their Group
// says is known, and components until all zones are.
type readStream struct {
	*reader
	d              *decoder
	out            *bufio.Writer
	entries        ical.Sorter // as they are written, with their places
	kept           ical.Sorter // components of the Group's iCalendar property
	parts          ical.Sorter // components as iCalendar
	size           int         // octets of what is held of the object at hand
	listed, within bool        // it has entries, and components
}

// all reads an object or an array of them.
func (s *readStream) all() error {
	if s.d.Peek() != '[' {
		if err := s.object(""); err != nil {
			return err
		}
		return s.d.end()
	}
	s.d.In.At++
	n := 0
	err := s.d.elements(func() error {
		n++
		return s.object(fmt.Sprint(n - 1))
	})
	if err != nil {
		return err
	}
	return s.d.end()
}

// object reads an object and writes the calendar that it becomes.
func (s *readStream) object(path string) error {
	if s.d.Peek() != '{' {
		if _, err := s.d.Raw(); err != nil {
			return err
		}
		return &ParseError{Line: 1, Column: 1, Path: path, What: "it is no object", Err: ErrFormat}
	}
	s.d.In.At++
	o := object{}
	s.size, s.listed, s.within = 0, false, false
	err := s.d.members(func(name string) (err error) {
		switch next := s.d.Peek(); {
		case name == "entries" && next == '[':
			s.listed = true
			return s.list(s.entries)
		case name == "iCalendar" && next == '{':
			k := object{}
			o[name] = k
			s.d.In.At++
			return s.d.members(func(name string) (err error) {
				if name == "components" && s.d.Peek() == '[' {
					s.within = true
					return s.list(s.kept)
				}
				k[name], err = s.member()
				return err
			})
		}
		o[name], err = s.member()
		return err
	})
	if err != nil {
		return err
	}
	group := o["@type"] == "Group"
	if s.listed && !group { // then it is no list of entries
		if o["entries"], err = s.back(s.entries); err != nil {
			return err
		}
	}
	if k, _ := o["iCalendar"].(object); s.within && (!group || !strings.EqualFold(fmt.Sprint(k["name"]), "VCALENDAR")) {
		if k["components"], err = s.back(s.kept); err != nil {
			return err
		}
	}
	if group && s.listed {
		o["entries"] = []any{}
	}
	return s.calendar(o, path)
}

// list puts the elements of an array where they wait.
func (s *readStream) list(wait ical.Sorter) error {
	s.d.In.At++
	return s.d.elements(func() error {
		s.d.Peek()
		line, column := s.d.In.Place()
		text, err := s.d.Raw()
		if err != nil {
			return err
		}
		return wait.Add(nil, append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(line)), uint64(column)), text...))
	})
}

// read reads a value that waited.
func (s *readStream) read(kept []byte) (any, error) {
	line, used := binary.Uvarint(kept)
	column, more := binary.Uvarint(kept[used:])
	return s.value(kept[used+more:], int(line), int(column))
}

func (s *readStream) value(text []byte, line, column int) (any, error) {
	d := newDecoder(typed.NewInputAt(text, line, column), s.limits)
	d.names, d.depth = s.d.names, s.limits.Depth-1
	return d.whole()
}

// member reads a value that is held.
func (s *readStream) member() (any, error) {
	s.d.Peek()
	line, column := s.d.In.Place()
	text, err := s.d.Raw()
	if err != nil {
		return nil, err
	}
	if s.size += len(text) + memberSize; s.size > s.limits.Size {
		return nil, s.d.In.Limit(fmt.Sprintf("an object of more than %d octets besides its entries", s.limits.Size))
	}
	return s.value(text, line, column)
}

// memberSize is what a member costs besides its text.
const memberSize = 64

// back takes a list back into memory.
func (s *readStream) back(wait ical.Sorter) (any, error) {
	list := []any{}
	err := wait.Each(func(_, kept []byte) error {
		if s.size += len(kept); s.size > s.limits.Size {
			return s.d.In.Limit(fmt.Sprintf("an object of more than %d octets", s.limits.Size))
		}
		v, err := s.read(kept)
		list = append(list, v)
		return err
	})
	return list, err
}

// calendar converts an object whose entries wait.
func (s *readStream) calendar(o object, path string) error {
	entries, base, err := s.begin(o, path)
	if err != nil {
		return err
	}
	var (
		t    = together{ids: newID()}
		head ical.Head
		uses tz.Completion
		seen int // zones of the calendar that head has
	)
	add := func(list []*ical.Component) error {
		for ; seen < len(s.cal.Components); seen++ {
			if err := head.Zone(s.cal.Components[seen]); err != nil {
				return err
			}
		}
		one := head.Object(list...)
		uses.Add(one, tz.NewResolver(one, nil))
		for _, c := range list {
			if c.Name == "VTIMEZONE" {
				s.cal.Components = append(s.cal.Components, c)
				continue
			}
			if err := s.parts.Add(nil, c.Bytes()); err != nil {
				return err
			}
		}
		return nil
	}
	convert := func(v any, at string) error {
		s.components, s.output = 0, 0
		list, err := s.one(v, at, &t)
		if err != nil {
			return err
		}
		return add(list)
	}
	for _, v := range entries {
		if err := convert(v, base); err != nil {
			return err
		}
	}
	err = s.entries.Each(func(_, kept []byte) error {
		v, err := s.read(kept)
		if err != nil {
			return err
		}
		return convert(v, fmt.Sprintf("%s/%d", base, t.entries))
	})
	if err != nil {
		return err
	}
	zones := len(s.cal.Components)
	s.components = 0
	s.finish(path, base, &t)
	late := slices.Clone(s.cal.Components[zones:]) // what restore added
	s.cal.Components = s.cal.Components[:zones]
	if err := add(late); err != nil {
		return err
	}
	err = s.kept.Each(func(_, kept []byte) error {
		v, err := s.read(kept)
		if err != nil {
			return err
		}
		cal, err := jcal.Parse(encode([]any{"vcalendar", jcalVersion, []any{v}}))
		if err != nil {
			s.losses.at(below(path, "iCalendar"), "it is no jCal: %v", err)
			return nil
		}
		return add(cal.Components)
	})
	if err != nil {
		return err
	}
	s.cal.Components = uses.Zones(s.cal.Components)
	const end = "END:VCALENDAR\r\n"
	s.out.WriteString(strings.TrimSuffix(string(s.cal.Bytes()), end))
	if err := s.parts.Each(func(_, text []byte) error { _, err := s.out.Write(text); return err }); err != nil {
		return err
	}
	_, err = s.out.WriteString(end)
	return err
}
