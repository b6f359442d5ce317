package ical

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// Property is one content line (RFC 5545 3.1). One that was read keeps its
// octets, with their folds and line end, and serializes as them until it is
// changed. Reading accessors never write, so a Property may be read by
// several goroutines; changing one needs the caller's own lock.
type Property struct {
	raw   string  // octets as read, with what lies before the name and the line end; "" once changed
	own   *string // logical line where it is not simply a slice of raw: unfolded, repaired, or changed
	line  uint32  // 1-based line in the input
	lead  uint32  // octets of raw before the name: blank lines, indentation, lines nobody could read
	value uint32  // where the value starts in the logical line
	name  uint16  // where the name ends in the logical line
	eol   uint8   // octets of the line end in raw
	flags flag
}

type flag uint8

const (
	changed   flag = 1 << iota // raw no longer says what the property means
	trailing                   // stood after a subcomponent of its component
	repaired                   // the logical line differs from what raw says
	inherited                  // LEN-05: taken over from the VCALENDAR level; written only apart from it
)

const maxName = 1<<16 - 1

// NewProperty gives a property with a raw value: escaped as its type demands.
// Octets that no name may have are left out of the name.
func NewProperty(name, rawValue string) *Property {
	name = strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf || !nameChar[r] {
			return -1
		}
		return r
	}, upper(name))
	p := &Property{flags: changed}
	p.build(name[:min(len(name), maxName)], "", rawValue)
	return p
}

// NewText gives a property of type TEXT and escapes the text.
func NewText(name, text string) *Property { return NewProperty(name, EscapeText(text)) }

// build sets the logical line. A line break in a value would let it forge
// further lines, so breaks become the escape that TEXT has for them.
func (p *Property) build(name, params, value string) {
	if strings.ContainsAny(value, "\r\n") {
		value = breaks.Replace(value)
	}
	line := name + params + ":" + value
	p.own = &line
	p.name = uint16(len(name))
	p.value = uint32(len(name) + len(params) + 1)
	p.raw, p.lead, p.eol = "", 0, 0
	p.flags = p.flags&trailing | changed
}

var breaks = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// text is the logical line.
func (p *Property) text() string {
	if p.own != nil {
		return *p.own
	}
	return p.raw[p.lead : len(p.raw)-int(p.eol)]
}

// Name is the upper-case name.
func (p *Property) Name() string { return upper(p.text()[:p.name]) }

// is tells whether the property has this upper-case name.
func (p *Property) is(name string) bool {
	return int(p.name) == len(name) && equalFold(p.text()[:p.name], name)
}

// equalFold compares ASCII without regard to case; upper is upper-case and as
// long as s.
func equalFold(s, upper string) bool {
	if s == upper {
		return true
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}

// Value is the raw value: unfolded, not unescaped.
func (p *Property) Value() string { return p.text()[p.value:] }

// SetValue replaces the raw value and keeps the parameters.
func (p *Property) SetValue(raw string) {
	t := p.text()
	p.build(t[:p.name], t[p.name:p.value-1], raw)
}

// Text is the value read as TEXT: unescaped, valid UTF-8 (octets that are not
// UTF-8 are read as windows-1252).
func (p *Property) Text() string { return UnescapeText(validText(p.Value())) }

// SetText escapes the text and keeps the parameters.
func (p *Property) SetText(text string) { p.SetValue(EscapeText(text)) }

// TextList is the value read as a comma-separated list of TEXT (CATEGORIES,
// RESOURCES).
func (p *Property) TextList() []string {
	var list []string
	v := validText(p.Value())
	for start, i := 0, 0; i <= len(v); i++ {
		switch {
		case i == len(v) || v[i] == ',':
			list = append(list, UnescapeText(v[start:i]))
			start = i + 1
		case v[i] == '\\':
			i++
		}
	}
	return list
}

// Line is the 1-based line of the input where the property begins, 0 when it
// did not come from one.
func (p *Property) Line() int { return int(p.line) }

// Repaired tells whether lenient reading put something right in this line.
func (p *Property) Repaired() bool { return p.flags&repaired != 0 }

// Changed tells whether the property was made or changed here, so that it
// will be written anew.
func (p *Property) Changed() bool { return p.flags&changed != 0 }

// Raw gives the octets as read, folds and line end included, "" for a
// property made or changed here.
func (p *Property) Raw() string {
	if p.flags&changed != 0 {
		return ""
	}
	return p.raw[p.lead:]
}

// Clone gives an independent copy that serializes as the same octets.
func (p *Property) Clone() *Property {
	q := *p
	return &q
}

// section is the raw parameter section, "" or ";A=x;B=y".
func (p *Property) section() string { return p.text()[p.name : p.value-1] }

// Param is the first value of a parameter, unquoted and RFC 6868 decoded; ""
// when absent.
func (p *Property) Param(name string) string {
	v, _ := param(p.section(), name)
	return decodeParam(v)
}

// HasParams tells whether there are any parameters.
func (p *Property) HasParams() bool { return int(p.value) > int(p.name)+1 }

// HasParam tells whether the parameter is there, even if empty.
func (p *Property) HasParam(name string) bool {
	_, ok := param(p.section(), name)
	return ok
}

// ParamValues are all values of a parameter, also where it is repeated.
func (p *Property) ParamValues(name string) []string {
	var values []string
	for s := (params{rest: p.section()}); s.next(); {
		if s.is(name) {
			values = append(values, paramList(s.value)...)
		}
	}
	return values
}

// Params are the parameters in order, names in upper case.
func (p *Property) Params() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for s := (params{rest: p.section()}); s.next(); {
			if !yield(upper(s.name), paramList(s.value)) {
				return
			}
		}
	}
}

// SetParam sets a parameter in place or adds it, quoting and encoding (RFC
// 6868) as needed. Without values it removes the parameter.
func (p *Property) SetParam(name string, values ...string) {
	name = upper(name)
	var b strings.Builder
	done := len(values) == 0
	for s := (params{rest: p.section()}); s.next(); {
		if !s.is(name) {
			s.write(&b)
		} else if !done {
			writeParam(&b, name, values)
			done = true
		}
	}
	if !done {
		writeParam(&b, name, values)
	}
	t := p.text()
	p.build(t[:p.name], b.String(), t[p.value:])
}

// RemoveParam removes parameters by name.
func (p *Property) RemoveParam(names ...string) {
	for _, n := range names {
		if n = upper(n); p.HasParam(n) {
			p.SetParam(n)
		}
	}
}

// upper is strings.ToUpper for ASCII letters alone; other octets stay.
func upper(s string) string {
	if !hasLower(s) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

func hasLower(s string) bool {
	for i := 0; i < len(s); i++ {
		if 'a' <= s[i] && s[i] <= 'z' {
			return true
		}
	}
	return false
}
