package ical

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Reader reads a stream of VCALENDARs, one at a time: memory is bounded by
// the largest of them.
type Reader struct {
	r      *bufio.Reader
	limits Limits
	line   int // lines before the next calendar
	any    bool
	err    error
	tail   []byte

	// NextPart
	ahead  []byte // the line that starts the next part
	depth  int    // open components
	within bool   // the next part continues a calendar

	indent string // of the calendar being read
	edge   bool   // the line before was a BEGIN or END line

	rest *parser // has read what lies before another calendar in its text
}

// Trailer is what followed the last calendar, blank lines or other text, once
// Next has given io.EOF: the Bytes of all calendars and this are the stream.
func (r *Reader) Trailer() string { return string(r.tail) }

// NewReader reads from r with DefaultLimits, which hold for each calendar.
func NewReader(r io.Reader) *Reader { return NewReaderLimits(r, DefaultLimits) }

// NewReaderLimits reads from r with other limits.
func NewReaderLimits(r io.Reader, l Limits) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 1<<16), limits: l.orDefault()}
}

// Next gives the next calendar, io.EOF after the last. Line numbers are those
// of the stream. After another error it gives that error again.
func (r *Reader) Next() (*Calendar, error) {
	if r.err != nil {
		return nil, r.err
	}
	c, err := r.next()
	r.err = err
	return c, err
}

func (r *Reader) next() (*Calendar, error) {
	if r.rest != nil {
		return r.take(r.rest)
	}
	var data []byte
	lines, begun := 0, false
	for {
		from := len(data)
		whole := false
		for !whole {
			piece, err := r.r.ReadSlice('\n')
			if len(data)+len(piece) > r.limits.Size {
				return nil, &ParseError{Line: r.line + lines + 1, Column: 1, What: fmt.Sprintf("a calendar of more than %d octets", r.limits.Size), Err: ErrLimit}
			}
			data = append(data, piece...)
			switch {
			case err == nil:
				whole = true
			case errors.Is(err, bufio.ErrBufferFull):
			case err == io.EOF:
				if r.any && !begun {
					r.tail = data
					return nil, io.EOF
				}
				if len(data) == 0 {
					return nil, io.EOF
				}
				return r.parse(data, lines)
			default:
				return nil, fmt.Errorf("ical: read after line %d: %w", r.line+lines, err)
			}
		}
		lines++
		text := r.structure(data[from:], begun)
		begun = begun || isBegin(text)
		if begun && isEnd(text) && isVCalendar(text[4:]) {
			return r.parse(data, lines)
		}
	}
}

func (r *Reader) parse(data []byte, lines int) (*Calendar, error) {
	p, err := newParser(data, r.limits)
	if err != nil {
		return nil, err
	}
	p.line += r.line
	r.line += lines
	return r.take(p)
}

// take reads the next calendar of p. There may be more where one lacks its
// END:VCALENDAR.
func (r *Reader) take(p *parser) (*Calendar, error) {
	c, err := p.calendar()
	if err != nil {
		return nil, err
	}
	r.any, r.rest = true, nil
	at, line := p.at, p.line
	if _, more := p.find(); more {
		p.at, p.line = at, line
		r.rest = p
	} else {
		c.trailer = p.s[at:]
	}
	return c, nil
}
