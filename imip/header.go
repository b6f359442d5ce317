package imip

import (
	"bytes"
	"strings"
)

// field is one header field: its name in lower case and its value unfolded,
// still encoded.
type field struct{ name, value string }

// header is the fields of one entity in their order.
type header []field

// get is the first field's value, "" where there is none.
func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) all(name string) []string {
	var v []string
	for _, f := range h {
		if f.name == name {
			v = append(v, f.value)
		}
	}
	return v
}

// splitHeader separates an entity's header from its body. It never fails: a
// line that cannot be a field is passed over, so that one broken line of a
// gateway does not turn the rest of the header into text. limit bounds the
// number of fields; what lies behind is not kept.
func splitHeader(data []byte, limit int) (header, []byte) {
	var h header
	for len(data) > 0 {
		line, rest := cutLine(data)
		if len(line) == 0 {
			return h, rest
		}
		if beginsCalendar(line) {
			return h, data // the blank line is missing
		}
		data = rest
		switch {
		case (line[0] == ' ' || line[0] == '\t') && len(h) > 0:
			f := &h[len(h)-1]
			f.value += " " + strings.TrimSpace(string(line)) // unfolding, RFC 5322 2.2.3
		case len(h) == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))):
			// The separator of an mbox file (RFC 4155).
		default:
			name, value, ok := bytes.Cut(line, []byte(":"))
			name = bytes.TrimRight(name, " \t")
			if ok && isFieldName(name) {
				if len(h) < limit {
					h = append(h, field{strings.ToLower(string(name)), strings.TrimSpace(string(value))})
				}
			} else if len(h) > 0 && strings.HasSuffix(h[len(h)-1].value, ";") {
				h[len(h)-1].value += " " + strings.TrimSpace(string(line)) // a fold that lost its blank
			}
		}
	}
	return h, nil
}

// cutLine takes one line off, without its line end: CRLF, LF or a bare CR
// before LF.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return bytes.TrimRight(data, "\r"), nil
	}
	return bytes.TrimRight(data[:i], "\r"), data[i+1:]
}

func isFieldName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == ':' { // RFC 5322 2.2: printable US-ASCII without the colon
			return false
		}
	}
	return len(b) > 0
}

var beginVCalendar = []byte("BEGIN:VCALENDAR")

func beginsCalendar(line []byte) bool {
	return len(line) >= len(beginVCalendar) && bytes.EqualFold(line[:len(beginVCalendar)], beginVCalendar)
}
