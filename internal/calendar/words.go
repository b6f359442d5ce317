package calendar

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func line(n int) string { return "line " + strconv.Itoa(n) }

func trimDot(err error) string {
	return strings.TrimRight(strings.TrimPrefix(err.Error(), "ical: "), ".")
}

// after gives what follows a word in a text that may already have named it.
func after(s, word string) string {
	if i := strings.Index(s, word); i >= 0 {
		return s[i+len(word):]
	}
	return s
}

// clip shortens what came from outside for a sentence.
func clip(s string) string { return clipTo(s, 80) }

func clipTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for i := most; i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "…"
		}
	}
	return "…"
}
