package check

import (
	"bytes"
	"unicode/utf8"
)

// octets judges the physical lines: line ends, length, characters (RFC 5545
// 3.1, 3.1.4).
func (k *checker) octets(data []byte) {
	first := k.cal.Line()
	line := first - bytes.Count([]byte(k.cal.Prefix()), []byte{'\n'})
	if p := k.cal.Prefix(); p != "" {
		if bytes.Equal([]byte(p), []byte("\ufeff")) {
			k.add(Error, line, 1, "byte-order-mark", "RFC 5545 3.4", "the object starts with a byte order mark, it must start with BEGIN:VCALENDAR")
		} else if first == 1 || len(bytes.TrimSpace([]byte(p))) > 0 {
			k.add(Error, line, 1, "text-outside", "RFC 5545 3.4", "text before BEGIN:VCALENDAR")
		}
	}
	if t := bytes.TrimSpace([]byte(k.cal.Trailer())); len(t) > 0 {
		k.add(Error, first+bytes.Count(data[len(k.cal.Prefix()):len(data)-len(k.cal.Trailer())], []byte{'\n'}), 1, "text-outside", "RFC 5545 3.4", "text after END:VCALENDAR")
	}
	body := data[len(k.cal.Prefix()) : len(data)-len(k.cal.Trailer())]
	line = first
	ends := false
	for len(body) > 0 {
		text, next := body, []byte(nil)
		end := bytes.IndexByte(body, '\n')
		if end >= 0 {
			text, next = body[:end], body[end+1:]
		}
		switch {
		case end < 0:
			k.add(Error, line, len(text)+1, "line-end", "RFC 5545 3.1", "the last line does not end with CRLF")
		case !bytes.HasSuffix(text, []byte{'\r'}):
			if !ends { // one finding for each calendar says it all
				k.add(Error, line, len(text)+1, "line-end", "RFC 5545 3.1", "lines end with LF, not CRLF")
			}
			ends = true
		default:
			text = text[:len(text)-1]
		}
		k.physical(line, text)
		body = next
		line++
	}
}

// maxLine is the length a line should not pass (RFC 5545 3.1).
const maxLine = 75

func (k *checker) physical(line int, text []byte) {
	if len(text) > maxLine {
		k.add(Warning, line, maxLine+1, "line-length", "RFC 5545 3.1", "the line has %d octets, it should be folded at %d", len(text), maxLine)
	}
	if len(text) == 0 {
		k.add(Error, line, 1, "blank-line", "RFC 5545 3.1", "blank line")
		return
	}
	ascii := true
	for i, c := range text {
		if c < ' ' && c != '\t' || c == 0x7f {
			k.add(Error, line, i+1, "control", "RFC 5545 3.1", "control character 0x%02x", c)
			return
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii || utf8.Valid(text) {
		return
	}
	// A fold may part a character; the unfolded line is judged elsewhere.
	tail := text
	for i := 0; i < utf8.UTFMax && len(tail) > 0 && !utf8.RuneStart(tail[len(tail)-1]); i++ {
		tail = tail[:len(tail)-1]
	}
	if len(tail) > 0 && tail[len(tail)-1] >= utf8.RuneSelf {
		if r, size := utf8.DecodeRune(text[len(tail)-1:]); r == utf8.RuneError && size == 1 {
			k.add(Warning, line, len(tail), "fold-inside-character", "RFC 5545 3.1", "the line may end inside a character")
		}
	}
}
