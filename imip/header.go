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

// maxField bounds the value of one field, in octets. The longest that are met
// are lists of recipients; what lies behind is not kept.
const maxField = 64 << 10

// splitHeader separates an entity's header from its body. It never fails: a
// line that cannot be a field is passed over, so that one broken line of a
// gateway does not turn the rest of the header into text. limit bounds the
// number of fields; what lies behind is not kept.
func splitHeader(data []byte, limit int) (header, []byte) {
	var h header
	name, value := "", []byte(nil)
	end := func() {
		if name != "" && len(h) < limit {
			h = append(h, field{name, string(value)})
		}
		name = ""
	}
	more := func(line []byte) { // unfolding, RFC 5322 2.2.3
		if line = bytes.TrimSpace(line); len(value)+len(line) < maxField {
			value = append(append(value, ' '), line...)
		}
	}
	for len(data) > 0 {
		line, rest := cutLine(data)
		if len(line) == 0 {
			end()
			return h, rest
		}
		if beginsCalendar(line) && !vouched(h) {
			end()
			return h, data // the blank line is missing
		}
		data = rest
		switch {
		case (line[0] == ' ' || line[0] == '\t') && name != "":
			more(line)
		case name == "" && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))):
			// The separator of an mbox file (RFC 4155).
		default:
			n, v, ok := bytes.Cut(line, []byte(":"))
			n = bytes.TrimRight(n, " \t")
			if ok && isFieldName(n) {
				end()
				name, value = strings.ToLower(string(n)), append([]byte(nil), firstOctets(bytes.TrimSpace(v), maxField)...)
			} else if bytes.HasSuffix(value, []byte(";")) && name != "" {
				more(line) // a fold that lost its blank
			}
		}
	}
	end()
	return h, nil
}

// vouched tells whether somebody's word about the mail is among the fields: it
// is about the body behind the blank line, and anybody on the way could add
// lines above that look like fields (RFC 6376 8.2).
func vouched(h header) bool {
	for _, f := range h {
		switch f.name {
		case "dkim-signature", "authentication-results", "arc-seal":
			return true
		}
	}
	return false
}

func firstOctets(b []byte, n int) []byte { return b[:min(len(b), n)] }

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
