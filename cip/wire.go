package cip

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// DefaultPort is where peers listen whose port is not known otherwise; the
// draft left the number to IANA, which never assigned one.
const DefaultPort = 10996

// Limits bound what the other side may send. A zero field means the default.
type Limits struct {
	Command int // octets of a command line without its end
	Line    int // octets of a line of data
	Data    int // octets of the data of one command
	Drain   int // octets read to find the end of something too long; then the connection is closed
}

// DefaultLimits are generous for events and small for memory.
var DefaultLimits = Limits{Command: 1024, Line: 8192, Data: 1 << 20, Drain: 8 << 20}

func (l Limits) orDefault() Limits {
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&l.Command, DefaultLimits.Command)
	fill(&l.Line, DefaultLimits.Line)
	fill(&l.Data, DefaultLimits.Data)
	fill(&l.Drain, DefaultLimits.Drain)
	return l
}

// ErrTooLong is returned for input that passes a limit.
var ErrTooLong = errors.New("cip: input is longer than allowed")

// lineReader reads lines that end with CRLF or LF.
type lineReader struct {
	r *bufio.Reader
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, 16<<10)} }

// line reads one line into buf (reused) and gives it without its end. Of a line
// longer than most the first octets and the last one are kept and long is
// true; the whole is read, up to drain octets (ErrTooLong). An end of input
// within a line is io.ErrUnexpectedEOF: no command is complete without its end
// (section 1.4).
func (l *lineReader) line(buf []byte, most int, drain *int) (line []byte, last byte, long bool, err error) {
	line = buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if *drain -= len(part); *drain < 0 {
			return line, last, long, ErrTooLong
		}
		end := err == nil
		if end {
			part = part[:len(part)-1]
		}
		if n := min(len(part), most+1-len(line)); n > 0 { // one more for a CR
			line = append(line, part[:n]...)
			if n < len(part) {
				long = long || n < len(part)-1 || part[n] != '\r' || !end
			}
		} else if len(part) > 0 {
			long = long || len(part) > 1 || part[0] != '\r'
		}
		if s := bytes.TrimRight(part, "\r"); len(s) > 0 {
			last = s[len(s)-1]
		}
		switch {
		case end:
			line = bytes.TrimSuffix(line, []byte("\r"))
			return line, last, long || len(line) > most, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, last, long, io.ErrUnexpectedEOF
		default:
			return line, last, long, err
		}
	}
}

// data reads lines up to the one that is a single dot, takes the dot that was
// added to lines of dots alone away, and ends every line with CRLF. Data over
// a limit are read to their end, or to the end of patience (ErrTooLong with
// ended false). tick is called before each line.
func (l *lineReader) data(limits Limits, tick func()) (data []byte, ended bool, err error) {
	drain, excess := limits.Drain, false
	var buf []byte
	for {
		if tick != nil && l.r.Buffered() == 0 {
			tick()
		}
		line, _, long, err := l.line(buf, limits.Line, &drain)
		buf = line
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, false, err
		}
		if len(line) == 1 && line[0] == '.' {
			break
		}
		if len(line) > 1 && allDots(line) {
			line = line[1:]
		}
		if excess = excess || long || len(data)+len(line)+2 > limits.Data; excess {
			data = nil
			continue
		}
		data = append(append(data, line...), '\r', '\n')
	}
	if excess {
		return nil, true, ErrTooLong
	}
	return data, true, nil
}

func allDots(line []byte) bool {
	for _, c := range line {
		if c != '.' {
			return false
		}
	}
	return len(line) > 0
}

// appendData writes data lines with the dots that keep them apart from the end
// of the data: a line of n dots alone gets n+1 (section 1.4 speaks of one).
func appendData(b, data []byte) []byte {
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if allDots(line) {
			b = append(b, '.')
		}
		b = append(append(b, line...), '\r', '\n')
		data = rest
	}
	return append(b, ".\r\n"...)
}

// wireText is text as it may stand on a line: ISO 8859-1 (section 1.0) without
// control characters, at most 500 octets.
func wireText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case b.Len() >= 500:
			return b.String()
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case r < 0x80 || r > 0x9f && r <= 0xff:
			b.WriteByte(byte(r))
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// latin1 reads text of the wire.
func latin1(b []byte) string {
	for _, c := range b {
		if c >= 0x80 {
			r := make([]rune, len(b))
			for i, c := range b {
				r[i] = rune(c)
			}
			return string(r)
		}
	}
	return string(b)
}

// Version is a protocol version (section 1.4).
type Version struct{ Major, Minor int }

// Current is the version spoken here.
var Current = Version{1, 0}

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// parseVersion reads up to five digits on each side of a period.
func parseVersion(s string) (Version, bool) {
	a, b, ok := strings.Cut(s, ".")
	major, ok1 := number(a, 5)
	minor, ok2 := number(b, 5)
	return Version{major, minor}, ok && ok1 && ok2
}

func number(s string, most int) (n int, ok bool) {
	if s == "" || len(s) > most {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
