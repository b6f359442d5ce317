package typed

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
)

// Lines writes iCalendar text: content lines folded at 75 octets and ended by
// CRLF, whatever the values hold.
type Lines struct {
	Text []byte // the finished lines

	head     []byte // name and parameters of the property at hand
	name     int    // length of the name in it
	param    int    // length of head without the parameter at hand
	open     bool   // the parameter at hand has a value
	quote    bool   // its grammar demands quotes
	encoding [2]int // where ENCODING stands in head
	value    []byte
	parts    int // values so far
	line     []byte

	// What the standards say about the names seen, nil for nothing.
	properties map[string]*ical.PropertyDef
	parameters map[string]*ical.ParameterDef
}

// maxSeen bounds the names that are remembered.
const maxSeen = 512

// lookup finds what a table says about a name, and remembers it.
func lookup[T any](seen *map[string]*T, table func(string) (*T, bool), name []byte) *T {
	if def, ok := (*seen)[string(name)]; ok {
		return def
	}
	def, _ := table(string(name))
	if *seen == nil {
		*seen = map[string]*T{}
	}
	if len(*seen) < maxSeen {
		(*seen)[string(name)] = def
	}
	return def
}

// maxName bounds names of components, properties, parameters and types; none
// that is registered has more than 30 octets.
const maxName = 255

// ValidName tells whether s can name a property: letters, digits and hyphens
// (RFC 5545 3.1), and the underscore, dot and slash of vendors' own names.
func ValidName[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_' || s[i] == '.' || s[i] == '/') {
			return false
		}
	}
	return true
}

func appendUpper[T string | []byte](b []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// AppendLower appends a name in lower case.
func AppendLower(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// ComponentName gives the name of a component in upper case as a line can say
// it, nil for what is none.
func ComponentName(b, name []byte) []byte {
	for _, c := range bytes.TrimSpace(name) {
		if c >= ' ' && c != 0x7f {
			b = append(b, c)
		}
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > maxComponentName {
		return nil
	}
	return appendUpper(b[:0], b)
}

// maxComponentName keeps BEGIN on one line.
const maxComponentName = maxLine - len("BEGIN:")

// Begin and End write the lines around a component, named by ComponentName.
func (l *Lines) Begin(name []byte) { l.edge("BEGIN:", name) }

// End is the counterpart of Begin.
func (l *Lines) End(name []byte) { l.edge("END:", name) }

func (l *Lines) edge(word string, name []byte) {
	l.Text = append(l.Text, word...)
	l.Text = appendUpper(l.Text, name)
	l.Text = append(l.Text, "\r\n"...)
}

// Property starts a property. It is false for what cannot be a name; BEGIN and
// END would be read as something else.
func (l *Lines) Property(name []byte) bool {
	l.head, l.value, l.parts, l.open, l.encoding = l.head[:0], l.value[:0], 0, false, [2]int{}
	if !ValidName(name) || bytes.EqualFold(name, []byte("BEGIN")) || bytes.EqualFold(name, []byte("END")) {
		return false
	}
	l.head = appendUpper(l.head, name)
	l.name = len(l.head)
	return true
}

// Name is the upper-case name of the property at hand.
func (l *Lines) Name() []byte { return l.head[:l.name] }

// Param starts a parameter; without a value it will not be written, and what
// cannot be a name is false.
func (l *Lines) Param(name []byte) bool {
	l.param, l.open = len(l.head), false
	if !ValidName(name) {
		return false
	}
	l.head = append(l.head, ';')
	l.head = appendUpper(l.head, name)
	def := lookup(&l.parameters, ical.LookupParameter, l.head[l.param+1:])
	l.quote = def != nil && def.Quoted
	l.head = append(l.head, '=')
	return true
}

// ParamValue adds a value to the parameter at hand, quoted and encoded as RFC
// 6868 3.1 says. What may not stand in one at all is left out.
func (l *Lines) ParamValue(v []byte) {
	if l.open {
		l.head = append(l.head, ',')
	}
	l.open = true
	quote := l.quote || bytes.ContainsAny(v, ":;,")
	if quote {
		l.head = append(l.head, '"')
	}
	for i, c := range v {
		switch {
		case c == '^':
			l.head = append(l.head, "^^"...)
		case c == '"':
			l.head = append(l.head, "^'"...)
		case c == '\n':
			l.head = append(l.head, "^n"...)
		case c == '\r':
			if i+1 == len(v) || v[i+1] != '\n' {
				l.head = append(l.head, "^n"...)
			}
		case c < ' ' && c != '\t' || c == 0x7f:
		default:
			l.head = append(l.head, c)
		}
	}
	if quote {
		l.head = append(l.head, '"')
	}
}

// EndParam ends the parameter at hand.
func (l *Lines) EndParam() {
	if !l.open {
		l.head = l.head[:l.param]
	} else if bytes.HasPrefix(l.head[l.param:], []byte(";ENCODING=")) {
		l.encoding = [2]int{l.param, len(l.head)}
	}
}

// DropParam takes the parameter at hand back.
func (l *Lines) DropParam() { l.head = l.head[:l.param] }

// Length is how long the property at hand is so far.
func (l *Lines) Length() int { return len(l.head) + len(l.value) }

// Separate puts a separator before every value but the first.
func (l *Lines) Separate(by byte) {
	if l.parts > 0 {
		l.value = append(l.value, by)
	}
	l.parts++
}

// Raw appends to the value, without what may not stand in a line.
func (l *Lines) Raw(s []byte) {
	for _, c := range s {
		if c >= ' ' && c != 0x7f || c == '\t' {
			l.value = append(l.value, c)
		} else if c == '\n' {
			l.value = append(l.value, `\n`...)
		}
	}
}

// Escaped appends TEXT (RFC 5545 3.3.11) but leaves the octet in plain as it
// is, 0 for none.
func (l *Lines) Escaped(s []byte, plain byte) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == plain && c != 0:
			l.value = append(l.value, c)
		case c == '\\' || c == ';' || c == ',':
			l.value = append(l.value, '\\', c)
		case c == '\n' || c == '\r' && (i+1 == len(s) || s[i+1] != '\n'):
			l.value = append(l.value, `\n`...)
		case c < ' ' && c != '\t' || c == 0x7f:
		default:
			l.value = append(l.value, c)
		}
	}
}

// Scalar appends a value of a type (lower case) as iCalendar spells it: text
// escaped, dates, times and offsets without their punctuation. What has not
// the form of its type is taken as it stands, for package ical to judge.
func (l *Lines) Scalar(typ string, s []byte) {
	switch typ {
	case "text":
		l.Escaped(s, 0)
	case "boolean":
		l.value = appendUpper(l.value, bytes.TrimSpace(s))
	case "binary":
		for _, c := range s {
			if c > ' ' && c != 0x7f { // RFC 6321 3.6.1: white space must be removed
				l.value = append(l.value, c)
			}
		}
	case "date", "date-time", "time", "utc-offset":
		if s = Trim(s); !l.moment(typ, s) {
			l.Raw(s)
		}
	case "period":
		if s = Trim(s); !l.period(s) {
			l.Raw(s)
		}
	case "integer", "float", "duration", "recur", "uri", "cal-address":
		l.Raw(Trim(s))
	default:
		l.Raw(s)
	}
}

// moment appends a date, a time or an offset without its punctuation, and
// nothing if it is not of its type.
func (l *Lines) moment(typ string, s []byte) bool {
	basic, ok := appendBasic(l.value, s, typ)
	if ok {
		l.value = basic
	}
	return ok
}

// period appends the two parts of a period that is one string, and nothing if
// it is none.
func (l *Lines) period(s []byte) bool {
	start, end, both := bytes.Cut(s, []byte{'/'})
	before := len(l.value)
	if both && l.moment("date-time", Trim(start)) {
		l.value = append(l.value, '/')
		if end = Trim(end); l.moment("date-time", end) {
			return true
		}
		if _, err := ical.ParseDuration(string(end)); err == nil {
			l.Raw(end)
			return true
		}
	}
	l.value = l.value[:before]
	return false
}

// Trim removes the white space of XML and JSON around a text, no other: a
// no-break space belongs to a value.
func Trim(s []byte) []byte { return bytes.Trim(s, " \t\r\n") }

// digit patterns of the extended format, and which octets are punctuation.
var extended = []struct{ typ, pattern string }{
	{"date", "0000-00-00"},               // RFC 7265 3.6.4, RFC 6321 3.6.4
	{"date-time", "0000-00-00T00:00:00"}, // 3.6.5
	{"date-time", "0000-00-00T00:00:00Z"},
	{"time", "00:00:00"}, // 3.6.12
	{"time", "00:00:00Z"},
	{"utc-offset", "+00:00"}, // 3.6.14
	{"utc-offset", "+00:00:00"},
}

func matches(pattern string, s []byte) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i, c := range s {
		switch p := pattern[i]; p {
		case '0':
			if c < '0' || c > '9' {
				return false
			}
		case '+':
			if c != '+' && c != '-' {
				return false
			}
		default:
			if c != p {
				return false
			}
		}
	}
	return true
}

// AppendBasic appends a value in the basic format; what is not in the extended
// one stays as it is, without controls.
func AppendBasic(b, s []byte) []byte {
	from := len(b)
	b, ok := appendBasic(b, s, "")
	if ok {
		return b
	}
	b = b[:from]
	for _, c := range s {
		if c > ' ' && c != 0x7f {
			b = append(b, c)
		}
	}
	if clean := bytes.Clone(b[from:]); len(clean) < len(s) { // without blanks it may be one
		if basic, ok := appendBasic(b[:from], clean, ""); ok {
			return basic
		}
		b = append(b[:from], clean...)
	}
	return b
}

// appendBasic writes a value of a type, "" for any, in the extended format in the
// basic one.
func appendBasic(b, s []byte, typ string) ([]byte, bool) {
	for _, e := range extended {
		if typ != "" && typ != e.typ || !matches(e.pattern, s) {
			continue
		}
		for i, c := range s {
			if c != ':' && (c != '-' || e.pattern[i] == '+') {
				b = append(b, c)
			}
		}
		return b, true
	}
	return b, false
}

// quotedPrintable tells whether parameters speak of quoted-printable: at the end
// of such a line, or of its part before a fold, "=" takes the next line in.
func quotedPrintable(params []byte) bool {
	const word = "QUOTED-PRINTABLE"
	for {
		i := bytes.IndexByte(params, '-')
		if i < 0 {
			return false
		}
		if from := i - len("QUOTED"); from >= 0 && from+len(word) <= len(params) && bytes.EqualFold(params[from:from+len(word)], []byte(word)) {
			return true
		}
		params = params[i+1:]
	}
}

// maxLine is how long a line may be without its line end (RFC 5545 3.1).
const maxLine = 75

// EndProperty writes the property whose value has this type (lower case).
// VALUE is written where the type is not the property's default (RFC 7265 5.2,
// RFC 6321 3.5.1), never for "unknown". Values that are not binary have no
// BASE64 (RFC 7265 4, RFC 6321 4), and those that are must say it (RFC 5545
// 3.1.3).
func (l *Lines) EndProperty(typ string) {
	from, to := l.encoding[0], l.encoding[1]
	if to > 0 && typ != "binary" && isBase64(string(l.head[from+len(";ENCODING="):to])) {
		l.head = append(l.head[:from], l.head[to:]...)
	} else if typ == "binary" && to == 0 {
		l.head = append(l.head, ";ENCODING=BASE64"...)
	}
	b := append(l.line[:0], l.head...)
	if typ != "unknown" {
		if def := lookup(&l.properties, ical.LookupProperty, l.head[:l.name]); def == nil || !strings.EqualFold(def.Default(), typ) {
			b = append(b, ";VALUE="...)
			b = appendUpper(b, typ)
		}
	}
	b = append(b, ':')
	b = append(b, l.value...)
	soft := len(l.head) > l.name && quotedPrintable(l.head[l.name:])
	if soft {
		b = append(b[:len(b)-len(l.value)], bytes.TrimRight(l.value, "=")...)
	}
	l.line = b
	for room := maxLine; len(b) > room; room = maxLine - 1 {
		cut := room
		for back := 0; cut > 1 && back < utf8.UTFMax && !utf8.RuneStart(b[cut]); back++ {
			cut--
		}
		if !utf8.RuneStart(b[cut]) {
			cut = room // not UTF-8 at all
		}
		for soft && cut > 1 && b[cut-1] == '=' {
			cut--
		}
		l.Text = append(l.Text, b[:cut]...)
		l.Text = append(l.Text, "\r\n "...)
		b = b[cut:]
	}
	l.Text = append(l.Text, b...)
	l.Text = append(l.Text, "\r\n"...)
}
