package imip

import (
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// mediaType is a Content-Type or Content-Disposition as tolerantly read: the
// type in lower case and the parameters by lower-case name. Of a parameter
// given twice the first counts; components lists every component parameter,
// because RFC 5545 8.1 has one for each component of a mixed stream.
type mediaType struct {
	value      string
	params     map[string]string
	components []string
}

// parseMediaType reads RFC 2045 5.1 as it is met in mail: a missing semicolon,
// a trailing one, blanks and 8-bit octets in unquoted values, parameters in the
// RFC 2231 form, and RFC 2047 words where they are not allowed.
func parseMediaType(s string) mediaType {
	m := mediaType{params: map[string]string{}}
	s = stripComments(s)
	end := strings.IndexAny(s, "; \t")
	if end < 0 {
		end = len(s)
	}
	m.value = strings.ToLower(strings.Trim(s[:end], `" `))
	if !strings.Contains(m.value, "/") && strings.Contains(m.value, "=") { // the type itself is missing
		m.value, end = "", 0
	}
	s = s[end:]
	extended := map[string][]section{}
	for s != "" {
		s = strings.TrimLeft(s, "; \t,")
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			break
		}
		if semi := strings.IndexByte(s, ';'); semi >= 0 && semi < eq { // a word without a value
			s = s[semi:]
			continue
		}
		name := strings.ToLower(strings.TrimSpace(s[:eq]))
		if i := strings.LastIndexAny(name, " \t"); i >= 0 { // rubbish before the name: the name is its last word
			name = name[i+1:]
		}
		var value string
		value, s = paramValue(strings.TrimLeft(s[eq+1:], " \t"))
		base, sec, ok := continuation(name)
		switch {
		case ok:
			sec.text = value
			extended[base] = append(extended[base], sec)
		case name == "component":
			m.components = append(m.components, strings.ToUpper(value))
			fallthrough
		default:
			if _, twice := m.params[name]; !twice && name != "" {
				m.params[name] = decodeWords(value)
			}
		}
	}
	for name, secs := range extended {
		m.params[name] = join2231(secs)
	}
	return m
}

// paramValue reads one value and leaves the rest. An unquoted value ends at a
// semicolon, or before a word that is followed by "=", which is where a
// semicolon was forgotten.
func paramValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				// A Windows path in a name has backslashes that escape nothing.
				if i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
					i++
				}
				b.WriteByte(s[i])
			case '"':
				return b.String(), s[i+1:]
			default:
				b.WriteByte(s[i])
			}
		}
		return b.String(), "" // the closing quote is missing
	}
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	value, rest = s[:end], s[end:]
	if eq := strings.IndexByte(value, '='); eq > 0 {
		before := strings.TrimRight(value[:eq], " \t")
		if i := strings.LastIndexAny(before, " \t"); i >= 0 && isToken(before[i+1:]) {
			return strings.TrimSpace(value[:i]), s[i:]
		}
	}
	return strings.TrimSpace(value), rest
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '*') {
			return false
		}
	}
	return s != ""
}

// stripComments removes RFC 822 comments outside quoted strings. An unclosed
// parenthesis is text.
func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			j := i + 1
			for j < len(s) && s[j] != '"' {
				if s[j] == '\\' {
					j++
				}
				j++
			}
			if j >= len(s) {
				b.WriteString(s[i:])
				return b.String()
			}
			b.WriteString(s[i : j+1])
			i = j
		case '(':
			depth, j := 1, i+1
			for ; j < len(s) && depth > 0; j++ {
				switch s[j] {
				case '\\':
					j++
				case '(':
					depth++
				case ')':
					depth--
				}
			}
			if depth > 0 {
				b.WriteString(s[i:])
				return b.String()
			}
			b.WriteByte(' ')
			i = j - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// section is one piece of a parameter in the form of RFC 2231 3 and 4.
type section struct {
	number  int
	encoded bool
	text    string
}

// continuation tells name*, name*1 and name*1* from a plain name.
func continuation(name string) (base string, sec section, ok bool) {
	base, tail, ok := strings.Cut(name, "*")
	if !ok || base == "" {
		return name, sec, false
	}
	if tail == "" {
		return base, section{encoded: true}, true
	}
	digits, encoded := strings.CutSuffix(tail, "*")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 99 {
		return name, sec, false
	}
	return base, section{number: n, encoded: encoded}, true
}

func join2231(secs []section) string {
	sort.SliceStable(secs, func(i, j int) bool { return secs[i].number < secs[j].number })
	var charset string
	var b strings.Builder
	for i, s := range secs {
		text := s.text
		if s.encoded {
			if i == 0 {
				if parts := strings.SplitN(text, "'", 3); len(parts) == 3 {
					charset, text = parts[0], parts[2]
				}
			}
			if plain, err := url.PathUnescape(text); err == nil {
				text = plain
			}
		}
		b.WriteString(text)
	}
	return toUTF8([]byte(b.String()), charset)
}
