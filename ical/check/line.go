package check

import (
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
)

// line is a content line as it is written, split strictly (RFC 5545 3.1).
type line struct {
	prop    *ical.Property
	raw     string // octets with folds
	text    string // unfolded
	name    string // upper case
	params  []param
	value   string
	valueAt int  // offset of value in text
	broken  bool // not by the grammar: read leniently
	faulty  bool // has an error
}

type param struct {
	name   string // upper case
	at     int    // offset of the name in text
	values []paramValue
}

type paramValue struct {
	text   string // without quotes, as spelled
	at     int
	quoted bool
}

func (l *line) param(name string) (paramValue, bool) {
	for i := range l.params {
		if l.params[i].name == name {
			return l.params[i].values[0], true
		}
	}
	return paramValue{}, false
}

// position turns an offset in the unfolded text into a physical line and a
// column.
func (l *line) position(at int) (row, column int) {
	row = l.prop.Line()
	rest, skip := l.raw, 0
	for {
		end := strings.IndexByte(rest, '\n')
		if end < 0 {
			return row, at + skip + 1
		}
		n := len(strings.TrimRight(rest[:end], "\r")) - skip
		if at <= n && (at < n || end+1 >= len(rest)) {
			return row, at + skip + 1
		}
		at -= max(n, 0)
		rest, skip = rest[end+1:], 1
		if rest == "" {
			return row, n + skip
		}
		row++
	}
}

// at reports what is wrong at an offset of a line. The place is looked for only
// where it is told, since a line may have a million faults.
func (k *checker) at(severity string, l *line, at int, rule, section, format string, args ...any) {
	l.faulty = l.faulty || severity == Error
	row, column := 1, 1
	if *k.counted(severity) < k.max() {
		row, column = l.position(at)
	}
	k.add(severity, row, column, rule, section, format, args...)
}

func unfold(raw string) string {
	raw = strings.TrimRight(raw, "\r\n")
	if strings.IndexByte(raw, '\n') < 0 {
		return raw
	}
	var b strings.Builder
	first := true
	for piece := range strings.SplitSeq(raw, "\n") {
		piece = strings.TrimRight(piece, "\r")
		if !first && piece != "" && (piece[0] == ' ' || piece[0] == '\t') {
			piece = piece[1:]
		}
		first = false
		b.WriteString(piece)
	}
	return b.String()
}

func isNameOctet(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-'
}

// split reads a property as written. Where that is not the grammar it reports
// the breach and takes the lenient reading for the rest.
func (k *checker) split(p *ical.Property) *line {
	l := &line{prop: p, raw: p.Raw(), name: p.Name()}
	l.text = unfold(l.raw)
	if l.name == "METHOD" || l.name == "CALSCALE" { // repaired names: PROFILE, SCALE
		l.name = strings.ToUpper(l.text[:min(nameLength(l.text), len(l.text))])
	}
	if !utf8.ValidString(l.text) {
		for i := 0; i < len(l.text); {
			r, n := utf8.DecodeRuneInString(l.text[i:])
			if r == utf8.RuneError && n == 1 {
				k.at(Error, l, i, "utf-8", "RFC 5545 3.1.4", "octet 0x%02x is not UTF-8", l.text[i])
				break
			}
			i += n
		}
	}
	i := nameLength(l.text)
	if i == 0 || i < len(l.text) && l.text[i] != ':' && l.text[i] != ';' {
		k.at(Error, l, i, "name", "RFC 5545 3.1", "a name has letters, digits and hyphens only")
		return k.lenient(l)
	}
	for i < len(l.text) && l.text[i] == ';' {
		q := param{at: i + 1}
		end := i + 1 + nameLength(l.text[i+1:])
		q.name = strings.ToUpper(l.text[i+1 : end])
		if q.name == "" || end >= len(l.text) || l.text[end] != '=' {
			k.at(Error, l, end, "parameter-syntax", "RFC 5545 3.1", "%s: a parameter is NAME=value", l.name)
			return k.lenient(l)
		}
		i = end
		for i < len(l.text) && (l.text[i] == '=' && len(q.values) == 0 || l.text[i] == ',') {
			v := paramValue{at: i + 1}
			rest := l.text[i+1:]
			if strings.HasPrefix(rest, `"`) {
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					k.at(Error, l, i+1, "parameter-quote", "RFC 5545 3.1", "%s: the quote of parameter %s does not end", l.name, q.name)
					return k.lenient(l)
				}
				v.text, v.quoted = rest[1:1+end], true
				i += 1 + end + 2
			} else {
				end := strings.IndexAny(rest, `,;:"`)
				if end < 0 {
					end = len(rest)
				}
				v.text = rest[:end]
				i += 1 + end
			}
			if i < len(l.text) && !strings.ContainsRune(",;:", rune(l.text[i])) {
				k.at(Error, l, i, "parameter-quote", "RFC 5545 3.1", "%s: a quote inside the value of parameter %s", l.name, q.name)
				return k.lenient(l)
			}
			q.values = append(q.values, v)
		}
		l.params = append(l.params, q)
	}
	if i >= len(l.text) {
		k.at(Error, l, len(l.text), "no-value", "RFC 5545 3.1", "%s has no colon and no value", l.name)
		return k.lenient(l)
	}
	l.value, l.valueAt = l.text[i+1:], i+1
	return l
}

func nameLength(s string) int {
	i := 0
	for i < len(s) && isNameOctet(s[i]) {
		i++
	}
	return i
}

// lenient fills in what the parser of ical made of the line.
func (k *checker) lenient(l *line) *line {
	l.params, l.broken = nil, true
	for name, values := range l.prop.Params() {
		q := param{name: name}
		for _, v := range values {
			q.values = append(q.values, paramValue{text: v, quoted: true})
		}
		l.params = append(l.params, q)
	}
	l.value = l.prop.Value()
	l.valueAt = max(len(l.text)-len(l.value), 0)
	return l
}

// quiet splits a line again without reporting.
func (k *checker) quiet(p *ical.Property) *line {
	q := checker{opt: Options{Max: 1}}
	return q.split(p)
}
