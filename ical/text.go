package ical

import (
	"strings"
	"unicode/utf8"
)

var textEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// EscapeText writes text as a TEXT value (RFC 5545 3.3.11).
func EscapeText(s string) string {
	if !strings.ContainsAny(s, "\\;,\r\n") {
		return s
	}
	return textEscaper.Replace(s)
}

// UnescapeText reads a TEXT value (RFC 5545 3.3.11). A backslash before any
// other character, which the grammar forbids, stands for that character when
// it is a colon or a quote (old writers escape them) and for itself otherwise
// (LEN-13).
func UnescapeText(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b = append(b, s[:i]...)
		if i+1 == len(s) {
			return string(append(b, '\\'))
		}
		switch c := s[i+1]; c {
		case 'n', 'N':
			b = append(b, '\n')
		case '\\', ';', ',', ':', '"':
			b = append(b, c)
		default:
			b = append(b, '\\', c)
		}
		s = s[i+2:]
	}
	return string(append(b, s...))
}

// ValidText gives s as UTF-8: octets that are not UTF-8 are read as
// windows-1252, as Property.Text reads them.
func ValidText(s string) string { return validText(s) }

// validText gives s as UTF-8: octets that are not UTF-8 are read as
// windows-1252, which is what old desktop programs wrote.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = rune(s[0])
			if 0x80 <= r && r < 0xa0 {
				r = windows1252[r-0x80]
			}
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// windows1252 is the code page between 0x80 and 0x9f; the five octets it does
// not assign become the replacement character.
var windows1252 = [32]rune{
	'€', 0xfffd, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0xfffd, 'Ž', 0xfffd,
	0xfffd, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0xfffd, 'ž', 'Ÿ',
}
