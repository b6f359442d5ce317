package typed

import (
	"bytes"
	"fmt"
	"io"

	"github.com/convene-cal/convene/ical"
)

// Input is a window on the text that is read. Slices of Data hold only until
// the next call of More.
type Input struct {
	Data []byte
	At   int

	r      io.Reader // nil: Data is all there is
	err    error     // of r
	limit  int       // octets the window may hold
	lines  int       // line ends before Data
	column int       // octets between the last of them and Data
}

// NewInput is all of data.
func NewInput(data []byte) Input { return Input{Data: bytes.TrimPrefix(data, bom)} }

// NewInputAt is all of data, which begins at a place of a longer text.
func NewInputAt(data []byte, line, column int) Input {
	return Input{Data: data, lines: line - 1, column: column - 1}
}

// Place is the line and column of At.
func (s *Input) Place() (line, column int) { return s.place(s.At) }

// NewStream reads from r; no token may be longer than limit.
func NewStream(r io.Reader, limit int) Input {
	s := Input{r: r, limit: limit, Data: make([]byte, 0, chunk)}
	for len(s.Data) < len(bom) && s.More(0) {
	}
	s.Data = bytes.TrimPrefix(s.Data, bom)
	return s
}

var bom = []byte("\ufeff")

// chunk is how much is read at once.
const chunk = 1 << 16

// More reads further input and forgets what lies before from. It tells
// whether there was any; from moves to At 0, and At with it.
func (s *Input) More(from int) bool {
	if s.r == nil || s.err != nil {
		return false
	}
	gone := s.Data[:from]
	if n := bytes.Count(gone, []byte{'\n'}); n > 0 {
		s.lines += n
		s.column = from - bytes.LastIndexByte(gone, '\n') - 1
	} else {
		s.column += from
	}
	kept := len(s.Data) - from
	if from > 0 {
		copy(s.Data[:cap(s.Data)], s.Data[from:])
	}
	s.At -= from
	if kept > s.limit {
		s.err = s.Limit(fmt.Sprintf("more than %d octets without an end", s.limit))
		s.Data = s.Data[:kept]
		return false
	}
	if cap(s.Data)-kept < chunk/2 {
		s.Data = append(make([]byte, 0, 2*cap(s.Data)), s.Data[:kept]...)
	}
	for tries := 0; tries < 100; tries++ {
		n, err := s.r.Read(s.Data[kept:cap(s.Data)])
		s.Data = s.Data[:kept+n]
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// Failed is the error of the source, nil at its proper end.
func (s *Input) Failed() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// Fault says that what stands at At cannot be read. A failure of the source
// is the reason for an unexpected end.
func (s *Input) Fault(format string, args ...any) error { return s.FaultAt(s.At, format, args...) }

// FaultAt is Fault for another place of the window.
func (s *Input) FaultAt(at int, format string, args ...any) error {
	if err := s.Failed(); err != nil {
		return err
	}
	line, column := s.place(at)
	return &ical.ParseError{Line: line, Column: column, What: fmt.Sprintf(format, args...)}
}

// Limit says that a limit is passed at At.
func (s *Input) Limit(what string) error {
	line, column := s.place(s.At)
	return &ical.ParseError{Line: line, Column: column, What: what, Err: ical.ErrLimit}
}

func (s *Input) place(at int) (line, column int) {
	before := s.Data[:min(max(at, 0), len(s.Data))]
	if n := bytes.Count(before, []byte{'\n'}); n > 0 {
		return 1 + s.lines + n, len(before) - bytes.LastIndexByte(before, '\n')
	}
	return 1 + s.lines, 1 + s.column + len(before)
}
