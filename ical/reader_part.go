package ical

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// NextPart gives the stream in parts of at most one component each, so that a
// calendar of any size needs only the memory of its largest component: the
// VCALENDAR with the properties before its components, then each component in
// a Calendar of its own, then END:VCALENDAR with the properties after the
// last. Joining the Bytes of all parts and Trailer gives the stream; parts
// may be changed. What is about a whole calendar (LEN-05) is not done here.
// NextPart and Next must not be mixed on one Reader.
func (r *Reader) NextPart() (*Calendar, error) {
	if r.err != nil {
		return nil, r.err
	}
	c, err := r.nextPart()
	r.err = err
	return c, err
}

// Open tells whether the calendar of the part that NextPart gave last goes on
// in the next one.
func (r *Reader) Open() bool { return r.within }

// nextPart reads and parses a part of a calendar: its properties, or one
// component directly in it.
func (r *Reader) nextPart() (*Calendar, error) {
	data, lines := r.ahead, 0
	if data != nil {
		lines = 1
		r.ahead = nil
		if r.began(strings.TrimSpace(string(data))) {
			r.depth++
		}
	}
	for {
		text, err := r.readLine(len(data))
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(text) > 0 {
			trimmed := r.structure(text, r.depth > 0)
			switch {
			case isBegin(trimmed) && r.depth == 1 && len(data) > 0, isBegin(trimmed) && isVCalendar(trimmed[6:]) && r.depth > 0:
				// What was read is a part; this line starts the next.
				r.ahead = text
				if isVCalendar(trimmed[6:]) {
					r.depth = 0
				}
				return r.parsePart(data, lines)
			case r.began(trimmed):
				r.depth++
			case isEnd(trimmed) && r.depth > 0:
				if r.depth--; isVCalendar(trimmed[4:]) {
					r.depth = 0
				} else {
					r.depth = max(r.depth, 1)
				}
				if r.depth <= 1 {
					return r.parsePart(append(data, text...), lines+1)
				}
			}
			data = append(data, text...)
			lines++
		}
		if err == io.EOF {
			if r.depth == 0 && r.any {
				r.tail = data
				return nil, io.EOF
			}
			if len(data) == 0 {
				return nil, io.EOF
			}
			return r.parsePart(data, lines)
		}
	}
}

func isVCalendar(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "VCALENDAR") }

// structure gives a line that may be a BEGIN or END line, without the blanks
// around it, and "" for others. Inside of a calendar a line that starts with a
// blank goes on with the property before, whatever it says (RFC 5545 3.1): it
// is a line of its own only after a BEGIN or END line, or where the calendar
// is indented as a whole.
func (r *Reader) structure(line []byte, inside bool) string {
	if len(line) >= maxStructure {
		r.edge = false
		return ""
	}
	switch start := bytes.TrimLeft(line, " \t\r\n"); {
	case len(start) == 0:
		return ""
	case start[0]|0x20 != 'b' && start[0]|0x20 != 'e' && start[0] != bom[0]:
		r.edge = false // the usual line, without a copy
		return ""
	}
	text := strings.TrimRight(strings.TrimPrefix(string(line), bom), " \t\r\n")
	if text == "" {
		return ""
	}
	trimmed := strings.TrimLeft(text, " \t")
	if rest := strings.TrimPrefix(text, r.indent); inside && !r.edge && len(trimmed) < len(rest) {
		return ""
	}
	r.edge = isBegin(trimmed) || isEnd(trimmed)
	if !inside {
		r.indent = text[:len(text)-len(trimmed)]
	}
	return trimmed
}

// maxStructure is longer than a BEGIN or END line of any component known.
const maxStructure = 80

// began tells whether a line opens a component: outside of a calendar only
// what a calendar can start with.
func (r *Reader) began(text string) bool {
	if !isBegin(text) {
		return false
	}
	name := upper(strings.TrimSpace(text[6:]))
	if r.depth == 0 && roleOf(name) == roleTop {
		r.depth = 1 // the VCALENDAR around it is missing
	}
	return r.depth > 0 || name == "VCALENDAR"
}

// readLine reads a physical line; have octets are held already.
func (r *Reader) readLine(have int) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.r.ReadSlice('\n')
		if have+len(line)+len(piece) > r.limits.Size {
			return nil, &ParseError{Line: r.line + 1, Column: 1, What: fmt.Sprintf("a part of a calendar of more than %d octets", r.limits.Size), Err: ErrLimit}
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (r *Reader) parsePart(data []byte, lines int) (*Calendar, error) {
	p, err := newParser(data, r.limits)
	if err != nil {
		return nil, err
	}
	p.line += r.line
	r.line += lines
	p.part, p.inside = true, r.within
	c, err := p.calendar()
	if err != nil {
		return nil, err
	}
	c.trailer = p.s[p.at:]
	if c.end != "" { // also where a bare CR ends the line of END, which structure does not see
		r.depth = 0
	}
	r.any, r.within = true, r.depth > 0
	return c, nil
}
