package ical

import (
	"iter"
	"strings"
)

// scanParams splits ";A=x;B=\"y\",z" into name and the text after "=", in one
// pass over s.
func scanParams(s string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for len(s) > 0 {
			s = s[1:] // the semicolon
			end := paramEnd(s)
			part := s[:end]
			s = s[end:]
			name, rest, _ := strings.Cut(part, "=")
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if !yield(name, rest) {
				return
			}
		}
	}
}

// paramEnd finds the semicolon that ends the parameter at the start of s.
func paramEnd(s string) int {
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
