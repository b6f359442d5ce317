package vcal1

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// ToICalendar reads vCalendars of any size and writes what Parse makes of them
// as iCalendar, in the memory of the largest component and of what
// opt.Sorter holds. opt.Limits hold for each component by itself. The error is
// a *ParseError or one of r, w and the Sorters.
func ToICalendar(w io.Writer, r io.Reader, opt Options) ([]Loss, error) {
	l := opt.Limits.orDefault()
	out := bufio.NewWriter(w)
	s := &readStream{
		reader: &reader{opt: opt, limits: l, losses: losses{max: l.Losses}}, in: newScanner(r, l.Size), out: out,
		byUID: opt.Sorter.New(), byPlace: opt.Sorter.New(),
	}
	err := s.scan(s.in, s.component, s.calendar)
	return s.losses.list, errors.Join(err, out.Flush(), ical.CloseSorters(s.byUID, s.byPlace))
}

// readStream is the reading of a stream: the components of a calendar wait
// until its properties, which may stand behind them, are known, in the order
// of their UIDs, because a series and its changed occurrences need each other.
type readStream struct {
	*reader
	in             *scanner
	out            *bufio.Writer
	byUID, byPlace ical.Sorter
	n              uint64 // components so far
	head           int    // octets of what the calendar's components share
	seen           int    // lines of the calendar that are counted there
}

func (s *readStream) component(in, b *block) error {
	s.in.reset()
	s.components, s.properties = 0, 0
	own := block{lines: in.lines[s.seen:]}
	s.seen = len(in.lines)
	s.head += own.size()
	zone := b.name == "VTIMEZONE" // needed before the others
	if zone {
		s.head += b.size()
		in.blocks = append(in.blocks, b)
	}
	if s.head > s.limits.Size {
		return &ParseError{b.line, "the properties and VTIMEZONEs of the calendar are too long", ErrLimit}
	}
	if zone {
		return nil
	}
	s.n++
	return s.byUID.Add(b.series(s.n), b.append(binary.AppendUvarint(nil, s.n)))
}

func (s *readStream) calendar(b *block) error {
	s.head, s.seen, s.calendars = 0, 0, 1
	h, err := s.heading(b)
	if err != nil {
		return err
	}
	for _, z := range b.blocks {
		h.cal.Components = append(h.cal.Components, s.part(h, z))
	}
	var (
		uses  tz.Completion
		key   []byte
		group = h.object()
		place []uint64
		main  = false
	)
	flush := func() error {
		unchange(group)
		uses.Add(group, tz.NewResolver(group, s.opt.Zone))
		for i, c := range group.Components[len(h.cal.Components):] {
			main = true
			if err := s.byPlace.Add(binary.BigEndian.AppendUint64(nil, place[i]), c.Bytes()); err != nil {
				return err
			}
		}
		group, place = h.object(), place[:0]
		return nil
	}
	err = s.byUID.Each(func(k, v []byte) error {
		if !bytes.Equal(k, key) {
			if err := flush(); err != nil {
				return err
			}
			key = append(key[:0], k...)
		}
		n, used := binary.Uvarint(v)
		d := decoder{v[used:]}
		if c := s.part(h, d.block()); c != nil {
			group.Components, place = append(group.Components, c), append(place, n)
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	if !main {
		s.losses.add(b.line, noComponent)
	}
	h.cal.Components = uses.Zones(h.cal.Components)
	const end = "END:VCALENDAR\r\n"
	s.out.WriteString(strings.TrimSuffix(string(h.cal.Bytes()), end))
	if err := s.byPlace.Each(func(_, v []byte) error { _, err := s.out.Write(v); return err }); err != nil {
		return err
	}
	_, err = s.out.WriteString(end)
	return err
}

// object is a calendar with what all components share.
func (h *heading) object() *ical.Calendar {
	cal := *h.cal
	cal.Components = append([]*ical.Component(nil), h.cal.Components...)
	return &cal
}

// series is a key that a series and its changed occurrences share.
func (b *block) series(n uint64) []byte {
	uid := b.prop("UID")
	if uid == nil || uid.value == "" {
		return binary.BigEndian.AppendUint64([]byte{0}, n)
	}
	name := uid.value
	if id := b.prop("X-ICAL-RECURRENCE-ID"); id != nil {
		name = strings.TrimSuffix(name, "#"+id.value)
	}
	return append([]byte{1}, name...)
}

// lineSize is what a line costs besides its text.
const lineSize = 128

// size is about how many octets a component has.
func (b *block) size() (n int) {
	for _, l := range b.lines {
		n += len(l.name) + len(l.raw) + lineSize
	}
	for _, s := range b.blocks {
		n += s.size()
	}
	return n
}

// append writes a component so that a decoder can read it again.
func (b *block) append(to []byte) []byte {
	to = appendString(to, b.name)
	to = binary.AppendUvarint(to, uint64(b.line))
	to = binary.AppendUvarint(to, uint64(len(b.lines)))
	for _, l := range b.lines {
		to = appendString(binary.AppendUvarint(to, uint64(l.number)), l.name)
		to = binary.AppendUvarint(to, uint64(len(l.params)))
		for _, p := range l.params {
			to = appendString(appendString(to, p.name), p.value)
		}
		to = appendString(to, l.raw)
		switch {
		case l.binary != nil:
			to = append(to, isBinary)
		case l.value == l.raw:
			to = append(to, isRaw)
		default:
			to = appendString(append(to, isOther), l.value)
		}
	}
	to = binary.AppendUvarint(to, uint64(len(b.blocks)))
	for _, s := range b.blocks {
		to = s.append(to)
	}
	return to
}

// What the value of a line is.
const (
	isRaw    byte = iota // as it was transferred
	isBinary             // and BASE64
	isOther              // decoded
)

func appendString(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

// decoder reads what block.append wrote.
type decoder struct{ b []byte }

func (d *decoder) number() int {
	n, used := binary.Uvarint(d.b)
	d.b = d.b[used:]
	return int(n)
}

func (d *decoder) text() string {
	n := d.number()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) block() *block {
	b := &block{name: d.text(), line: d.number()}
	for range d.number() {
		l := &line{number: d.number(), name: d.text()}
		for range d.number() {
			l.params = append(l.params, parameter{d.text(), d.text()})
		}
		l.raw = d.text()
		kind := d.b[0]
		d.b = d.b[1:]
		switch l.value = l.raw; kind {
		case isBinary:
			l.binary = decodeBase64(l.raw)
		case isOther:
			l.value = d.text()
		}
		b.lines = append(b.lines, l)
	}
	for range d.number() {
		b.blocks = append(b.blocks, d.block())
	}
	return b
}
