package check

import (
	"bytes"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
)

// octets judges the physical lines: line ends, length, characters (RFC 5545
// 3.1, 3.1.4).
func (k *checker) octets(part *ical.Calendar, data []byte) {
	line := part.Line()
	if p := []byte(part.Prefix()); len(p) > 0 {
		at := line - bytes.Count(p, []byte{'\n'})
		if bytes.Equal(p, []byte("\ufeff")) {
			k.add(Error, at, 1, "byte-order-mark", "RFC 5545 3.4", "the object starts with a byte order mark, it must start with BEGIN:VCALENDAR")
		} else if line+k.offset == 1 || at+k.offset <= 1 || len(bytes.TrimSpace(p)) > 0 {
			k.add(Error, at, 1, "text-outside", "RFC 5545 3.4", "text before BEGIN:VCALENDAR")
		}
	}
	body := data[len(part.Prefix()):]
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
			if !k.feeds { // one finding for each calendar says it all
				k.add(Error, line, len(text)+1, "line-end", "RFC 5545 3.1", "lines end with LF, not CRLF")
			}
			k.feeds = true
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
