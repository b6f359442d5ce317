package typed

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON reads the tokens of JSON (RFC 8259).
type JSON struct {
	In     Input
	Length int  // octets that a string may have
	Null   bool // null is a value

	text []byte // a string without its escapes
}

// Peek skips white space and gives the octet that follows, 0 at the end.
func (p *JSON) Peek() byte {
	in := &p.In
	for {
		for in.At < len(in.Data) {
			c := in.Data[in.At]
			if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c
			}
			in.At++
		}
		if !in.More(in.At) {
			return 0
		}
	}
}

// Unexpected says what is there instead of what is wanted.
func (p *JSON) Unexpected(want string) error {
	if p.In.At >= len(p.In.Data) {
		return p.In.Fault("the text ends where %s is expected", want)
	}
	return p.In.Fault("%q where %s is expected", rune(p.In.Data[p.In.At]), want)
}

// Expect takes an octet, described for the error, behind white space.
func (p *JSON) Expect(c byte, what string) error {
	if p.Peek() != c {
		return p.Unexpected(what)
	}
	p.In.At++
	return nil
}

// plain are the octets that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// Str reads a string (RFC 8259 7). What it gives holds until the next call.
func (p *JSON) Str(what string) ([]byte, error) {
	if p.Peek() != '"' {
		return nil, p.Unexpected(what)
	}
	in := &p.In
	escaped := false
	start := in.At
	for i := start + 1; ; {
		d := in.Data
		for i < len(d) && plain[d[i]] {
			i++
		}
		if i+1 >= len(d) && (i == len(d) || d[i] == '\\') {
			if i-start > p.Length {
				return nil, in.Limit(fmt.Sprintf("a string of more than %d octets", p.Length))
			}
			if !in.More(start) {
				return nil, in.Fault("the string does not end")
			}
			i -= start
			start = 0
			continue
		}
		switch d[i] {
		case '"':
			in.At = i + 1
			if i-start > p.Length {
				return nil, in.Limit(fmt.Sprintf("a string of more than %d octets", p.Length))
			}
			if escaped {
				return p.unescape(start+1, i)
			}
			return d[start+1 : i], nil
		case '\\':
			escaped = true
			i += 2
		default:
			return nil, in.FaultAt(i, "a control character in a string; write it as \\u%04x", d[i])
		}
	}
}

// unescape undoes the escapes of the string between two places.
func (p *JSON) unescape(from, to int) ([]byte, error) {
	s, b := p.In.Data[from:to], p.text[:0]
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] != '\\' {
			j++
		}
		b = append(b, s[i:j]...)
		if j == len(s) {
			break
		}
		i = j + 2
		switch c := s[j+1]; c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r, ok := unit(s[i:])
			if !ok {
				return nil, p.In.FaultAt(from+j, "\\u without four hexadecimal digits")
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					low, _ = unit(s[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			return nil, p.In.FaultAt(from+j, "the escape \\%c is not known to JSON", rune(c))
		}
	}
	p.text = b
	return b, nil
}

// unit reads four hexadecimal digits.
func unit(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// maxLiteral bounds numbers; none that RFC 5545 allows has as many digits.
const maxLiteral = 1000

// Literal reads a number, true or false, and null where that is a value. What
// it gives holds until the next call.
func (p *JSON) Literal() (s []byte, number bool, err error) {
	if p.Peek() == 0 {
		return nil, false, p.Unexpected("a value")
	}
	in := &p.In
	n := 0
	for {
		for in.At+n < len(in.Data) && n < maxLiteral && isWord(in.Data[in.At+n]) {
			n++
		}
		if in.At+n < len(in.Data) || n == maxLiteral || !in.More(in.At) {
			break
		}
	}
	s = in.Data[in.At : in.At+n]
	switch {
	case string(s) == "true" || string(s) == "false":
	case isNumber(s):
		number = true
	case string(s) == "null" && p.Null:
	case string(s) == "null":
		return nil, false, in.Fault("null is not a value of iCalendar")
	default:
		return nil, false, p.Unexpected("a value")
	}
	in.At += n
	return s, number, nil
}

func isWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

// isNumber tells a number of RFC 8259 6.
func isNumber(s []byte) bool {
	digits := func() int {
		n := 0
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n
	}
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	zero := len(s) > 0 && s[0] == '0'
	if n := digits(); n == 0 || zero && n > 1 {
		return false
	}
	if len(s) > 0 && s[0] == '.' {
		s = s[1:]
		if digits() == 0 {
			return false
		}
	}
	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return len(s) == 0
}

// Raw takes a value as it is written, looking at nothing but where it ends.
// What it gives holds until the next call.
func (p *JSON) Raw() ([]byte, error) {
	if p.Peek() == 0 {
		return nil, p.Unexpected("a value")
	}
	in := &p.In
	start, depth, quoted := in.At, 0, false
	for i := start; ; {
		if i >= len(in.Data) {
			if in.More(start) {
				i, start = i-start, 0
				continue
			}
			if i -= start - in.At; depth == 0 && !quoted && i > in.At && in.Failed() == nil {
				return p.taken(in.At, i)
			}
			in.At = len(in.Data)
			return nil, in.Fault("the value does not end")
		}
		c := in.Data[i]
		switch {
		case quoted && c == '\\':
			i++
		case quoted:
			if quoted = c != '"'; !quoted && depth == 0 {
				return p.taken(start, i+1)
			}
		case depth == 0 && i > start && !isWord(c):
			return p.taken(start, i)
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return nil, p.Unexpected("a value")
			}
			if depth == 0 {
				return p.taken(start, i+1)
			}
		case depth == 0 && !isWord(c):
			return nil, p.Unexpected("a value")
		}
		i++
	}
}

func (p *JSON) taken(from, to int) ([]byte, error) {
	p.In.At = to
	return p.In.Data[from:to], nil
}
