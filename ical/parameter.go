package ical

import "strings"

// params goes over a raw parameter section, ";A=x;B=\"y\",z", once:
//
//	for s := (params{rest: section}); s.next(); {
type params struct {
	rest  string
	name  string // as spelled
	value string // all after "=", quotes included
	bare  bool   // there is no "="
}

func (s *params) next() bool {
	for len(s.rest) > 0 {
		// The semicolon, a name up to "=", a value up to the next semicolon
		// that is not in quotes.
		t := s.rest[1:]
		i := 0
		for i < len(t) && t[i] != '=' && t[i] != ';' && t[i] != '"' {
			i++
		}
		s.name, s.value, s.bare = strings.TrimSpace(t[:i]), "", true
		if i < len(t) && t[i] == '=' {
			t, s.bare = t[i+1:], false
			i = paramEnd(t)
			s.value = t[:i]
		} else if i < len(t) && t[i] == '"' {
			i = paramEnd(t)
			s.name = t[:i]
		}
		s.rest = t[i:]
		if s.name != "" || !s.bare {
			return true
		}
	}
	return false
}

// is tells whether the parameter has this upper-case name.
func (s *params) is(name string) bool { return len(s.name) == len(name) && equalFold(s.name, name) }

// write writes the parameter as it was spelled.
func (s *params) write(b *strings.Builder) {
	b.WriteByte(';')
	b.WriteString(s.name)
	if !s.bare {
		b.WriteByte('=')
		b.WriteString(s.value)
	}
}

// param is the first value of a parameter in a raw section, as spelled.
func param(section, name string) (value string, ok bool) {
	for s := (params{rest: section}); s.next(); {
		if s.is(name) {
			v, _, _ := nextParamValue(s.value)
			return v, true
		}
	}
	return "", false
}

// without leaves a parameter out of a raw section.
func without(section, name string) string {
	var b strings.Builder
	for s := (params{rest: section}); s.next(); {
		if !s.is(name) {
			s.write(&b)
		}
	}
	return b.String()
}

// paramEnd finds the semicolon that ends the parameter at the start of s.
func paramEnd(s string) int {
	end := strings.IndexByte(s, ';')
	if end < 0 {
		end = len(s)
	}
	if strings.IndexByte(s[:end], '"') < 0 {
		return end
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return i
			}
		}
	}
	return len(s)
}

// nextParamValue takes the first of the comma-separated values, without its
// quotes, and what follows its comma; more tells whether there was one.
func nextParamValue(s string) (value, rest string, more bool) {
	end, quoted := len(s), false
scan:
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				end = i
				break scan
			}
		}
	}
	value = s[:end]
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	if end == len(s) {
		return value, "", false
	}
	return value, s[end+1:], true
}

func paramList(s string) []string {
	var values []string
	for more := true; more; {
		var v string
		v, s, more = nextParamValue(s)
		values = append(values, decodeParam(v))
	}
	return values
}

// decodeParam undoes RFC 6868 3.2: ^n, ^', ^^; any other circumflex stands
// for itself.
func decodeParam(s string) string {
	s = validText(s)
	i := strings.IndexByte(s, '^')
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for ; ; i = strings.IndexByte(s, '^') {
		if i < 0 || i+1 == len(s) {
			return string(append(b, s...))
		}
		b = append(b, s[:i]...)
		switch s[i+1] {
		case 'n':
			b = append(b, '\n')
		case '\'':
			b = append(b, '"')
		case '^':
			b = append(b, '^')
		default:
			b = append(b, '^')
			s = s[i+1:]
			continue
		}
		s = s[i+2:]
	}
}

var paramEncoder = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", "\r", "^n", `"`, "^'")

// writeParam writes one parameter. What may not stand in a parameter value at
// all (controls, RFC 5545 3.1 SAFE-CHAR) is left out.
func writeParam(b *strings.Builder, name string, values []string) {
	b.WriteByte(';')
	b.WriteString(name)
	b.WriteByte('=')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		v = paramEncoder.Replace(v)
		v = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, v)
		if strings.ContainsAny(v, `:;,`) || quotedAlways[name] {
			b.WriteString(`"` + v + `"`)
		} else {
			b.WriteString(v)
		}
	}
}

// quotedAlways are the parameters whose grammar demands quotes (RFC 5545 3.2;
// RFC 7986 6; RFC 9253 6).
var quotedAlways = map[string]bool{
	"ALTREP": true, "DELEGATED-FROM": true, "DELEGATED-TO": true, "DIR": true, "MEMBER": true,
	"SENT-BY": true, "SCHEMA": true,
}
