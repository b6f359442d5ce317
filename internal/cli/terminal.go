package cli

import (
	"io"
	"strings"
	"unicode/utf8"
)

// forPeople is a writer for lines that people read on a terminal. Texts in them
// came from anywhere, by mail too: what would steer the terminal, or turn the
// order of letters, is shown as U+FFFD. Octets that are data go to the writer
// itself.
func forPeople(w io.Writer) io.Writer { return terminal{w} }

type terminal struct{ w io.Writer }

func (t terminal) Write(p []byte) (int, error) {
	if _, err := io.WriteString(t.w, shown(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// shown is a text without the control characters of ECMA-48, tab and line feed
// apart, and without the directional overrides of Unicode (UAX #9 2).
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return utf8.RuneError
		}
		return r
	}, s)
}
