package typed

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
)

// Form is the shape of a value in the typed syntaxes.
type Form uint8

// The forms.
const (
	Plain   Form = iota // strings
	Number              // JSON numbers
	Bool                // true or false
	Periods             // Texts in pairs: start, and end or duration
	Recur               // a rule in its parts
	Geo                 // two numbers (RFC 7265 3.4.1.1, RFC 6321 3.4.1.2)
	Status              // code, description, data (RFC 7265 3.4.1.2, RFC 6321 3.4.1.3)
)

// Unknown is the type of a value whose type nobody knows (RFC 7265 5, RFC 6321
// 5): its text is the unprocessed iCalendar value.
const Unknown = "unknown"

// Value is the value of a property in the typed syntaxes.
type Value struct {
	Type    string // lower case
	Form    Form
	Texts   []string
	Rule    []RulePart
	Decoded bool // the base64 of a value that is not BINARY was undone, so ENCODING goes

	params []Param
}

// RulePart is a part of a RECUR.
type RulePart struct {
	Name   string // lower case
	Values []string
	Number bool
}

// Of takes the value of a property apart. A value that is not of the type it
// should have is Unknown, or where VALUE names the type, a string of that type
// as it stands: nothing is lost, and no reader is told a number that is none.
func (v *Value) Of(p *ical.Property, name string) {
	v.Form, v.Texts, v.Rule, v.Decoded = Plain, v.Texts[:0], v.Rule[:0], false
	def, known := ical.LookupProperty(name)
	typ, encoded, explicit := "", false, false
	if p.HasParams() {
		typ = strings.ToUpper(strings.TrimSpace(p.Param("VALUE")))
		if !ValidName(typ) || typ == "UNKNOWN" { // RFC 7265 7.1: not in iCalendar
			typ = ""
		}
		explicit = typ != ""
		encoded = isBase64(p.Param("ENCODING"))
	}
	if typ == "" && known {
		typ = def.Default()
		if encoded && def.Allows(ical.Binary) {
			typ = ical.Binary // VALUE=BINARY was forgotten
		}
	}
	raw := p.Value()
	if encoded && typ != ical.Binary && typ != "" {
		// RFC 7265 3.1, RFC 6321 3.1
		if text, ok := decode(raw); ok {
			v.Decoded = true
			if typ == ical.Text {
				v.Type, v.Texts = "text", append(v.Texts, text)
				return
			}
			raw = text
		}
	}
	if !v.typed(typ, p, raw, known && def.List, name) {
		if !explicit {
			v.Type = Unknown
		}
		v.Form, v.Rule, v.Decoded = Plain, v.Rule[:0], false
		v.Texts = append(v.Texts[:0], ical.ValidText(p.Value()))
	}
}

func isBase64(encoding string) bool {
	return strings.EqualFold(encoding, "BASE64") || strings.EqualFold(encoding, "B")
}

// decode undoes base64 where what it holds can be said without.
func decode(raw string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(raw))
	if err != nil || !utf8.Valid(b) {
		return "", false
	}
	for i, c := range b {
		lineEnd := c == '\n' || c == '\r' && i+1 < len(b) && b[i+1] == '\n'
		if c < ' ' && c != '\t' && !lineEnd || c == 0x7f {
			return "", false
		}
	}
	return string(b), true
}

// TypeName is the name of a type in lower case.
func TypeName(name []byte) string {
	for _, t := range [...]string{"text", "date-time", "date", "cal-address", Unknown, "uri", "integer", "recur", "duration", "utc-offset", "binary", "boolean", "float", "period", "time"} {
		if string(name) == t {
			return t
		}
	}
	return strings.ToLower(string(name))
}

// lower is the name in lower case of a type in upper case.
func lower(typ string) string {
	switch typ {
	case ical.Text:
		return "text"
	case ical.DateTime:
		return "date-time"
	case ical.DateType:
		return "date"
	case ical.CalAddress:
		return "cal-address"
	case ical.URI:
		return "uri"
	case ical.Integer:
		return "integer"
	case ical.Recur:
		return "recur"
	case ical.DurationType:
		return "duration"
	}
	return strings.ToLower(typ)
}

func (v *Value) typed(typ string, p *ical.Property, raw string, list bool, name string) bool {
	if typ == "" {
		return false
	}
	v.Type = lower(typ)
	switch typ {
	case ical.Text:
		switch {
		case name == "REQUEST-STATUS":
			v.Form = Status
			v.Texts = statusParts(v.Texts, ical.ValidText(raw))
		case list:
			v.Texts = append(v.Texts, p.TextList()...)
		default:
			v.Texts = append(v.Texts, p.Text())
		}
		return true
	case ical.Recur:
		v.Form = Recur
		return v.rule(raw)
	case ical.Float:
		if name == "GEO" {
			v.Form = Geo
			lat, lon, ok := strings.Cut(raw, ";")
			return ok && v.number(lat, false) && v.number(lon, false)
		}
		v.Form = Number
		return v.each(raw, func(s string) bool { return v.number(s, false) })
	case ical.Integer:
		v.Form = Number
		return v.each(raw, func(s string) bool { return v.number(s, true) })
	case ical.Boolean:
		v.Form = Bool
		return v.each(raw, func(s string) bool {
			s = strings.ToLower(s)
			v.Texts = append(v.Texts, s)
			return s == "true" || s == "false"
		})
	case ical.DateType:
		return v.each(raw, func(s string) bool { return v.punctuated(s, len("20260102")) })
	case ical.DateTime:
		return v.each(raw, func(s string) bool {
			return v.punctuated(s, len("20260102T030405")) || v.punctuated(s, len("20260102T030405Z"))
		})
	case ical.TimeType:
		return v.each(raw, func(s string) bool { return v.punctuated(s, len("030405")) || v.punctuated(s, len("030405Z")) })
	case ical.UTCOffset:
		return v.each(raw, func(s string) bool { return v.punctuated(s, len("+0100")) || v.punctuated(s, len("+010000")) })
	case ical.DurationType:
		return v.each(raw, v.duration)
	case ical.PeriodType:
		v.Form = Periods
		return v.each(raw, func(s string) bool {
			start, end, _ := strings.Cut(s, "/")
			if !v.punctuated(start, len("20260102T030405")) && !v.punctuated(start, len("20260102T030405Z")) {
				return false
			}
			return v.punctuated(end, len("20260102T030405")) || v.punctuated(end, len("20260102T030405Z")) || v.duration(end)
		})
	}
	v.Texts = append(v.Texts, ical.ValidText(raw)) // URI, CAL-ADDRESS, BINARY, types to come
	return true
}

// each takes a list apart whose values cannot hold a comma.
func (v *Value) each(raw string, take func(string) bool) bool {
	if strings.IndexByte(raw, ',') < 0 {
		return take(raw)
	}
	for s := range strings.SplitSeq(raw, ",") {
		if !take(s) {
			return false
		}
	}
	return true
}

func (v *Value) duration(s string) bool {
	if s == "" || s[len(s)-1] <= ' ' || s[0] <= ' ' {
		return false
	}
	_, err := ical.ParseDuration(s)
	v.Texts = append(v.Texts, s)
	return err == nil
}

// number takes an INTEGER or FLOAT as JSON writes it: without "+" and leading
// zeros (RFC 7265 3.1). One that no reader of ours would take as a number is none.
func (v *Value) number(s string, integer bool) bool {
	t, sign := s, ""
	if t != "" && (t[0] == '+' || t[0] == '-') {
		if t[0] == '-' {
			sign = "-"
		}
		t = t[1:]
	}
	whole, fraction, dot := strings.Cut(t, ".")
	if !digits(whole) || dot && (integer || !digits(fraction)) {
		return false
	}
	if stripped := strings.TrimLeft(whole, "0"); len(stripped) != len(whole) && (stripped != "" || len(whole) > 1) {
		if stripped == "" {
			stripped = "0"
		}
		t = stripped + t[len(whole):]
	}
	if t = sign + t; t == s {
		t = s
	}
	if len(t) > maxLiteral {
		return false
	}
	v.Texts = append(v.Texts, t)
	return true
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// basics are the basic forms by their length, each with its extended form.
var basics = [...]struct{ basic, extended string }{
	len("+0100"):            {"+0000", "+00:00"},
	len("030405"):           {"000000", "00:00:00"},
	len("030405Z"):          {"000000Z", "00:00:00Z"},
	len("20260102"):         {"00000000", "0000-00-00"},
	len("20260102T030405"):  {"00000000T000000", "0000-00-00T00:00:00"},
	len("20260102T030405Z"): {"00000000T000000Z", "0000-00-00T00:00:00Z"},
}

// punctuated takes a value of n octets in the extended format.
func (v *Value) punctuated(s string, n int) bool {
	if len(s) != n {
		return false
	}
	form := basics[n]
	if n == len("030405Z") && s[0] != '0' && s[0] != '1' && s[0] != '2' {
		form.basic, form.extended = "+000000", "+00:00:00"
	}
	var room [24]byte
	b := room[:0]
	i := 0
	for j := 0; j < len(form.extended); j++ {
		p := form.extended[j]
		if (p == '-' || p == ':') && form.basic[i:] != "" && form.basic[i] != p {
			b = append(b, p)
			continue
		}
		c := s[i]
		switch {
		case p == '0' && (c < '0' || c > '9'), p == '+' && c != '+' && c != '-', (p == 'T' || p == 'Z') && c != p:
			return false
		}
		b = append(b, c)
		i++
	}
	v.Texts = append(v.Texts, string(b))
	return true
}

// statusParts splits a REQUEST-STATUS at its first two semicolons (RFC 5545
// 3.8.8.3).
func statusParts(texts []string, raw string) []string {
	start := 0
	for i := 0; i < len(raw) && len(texts) < 2; i++ {
		switch raw[i] {
		case '\\':
			i++
		case ';':
			texts = append(texts, ical.UnescapeText(raw[start:i]))
			start = i + 1
		}
	}
	if start == len(raw) && len(texts) == 2 {
		return texts // no data: the last element should not be there
	}
	return append(texts, ical.UnescapeText(raw[start:]))
}

// rule takes a RECUR apart (RFC 7265 3.6.10, RFC 6321 3.6.10).
func (v *Value) rule(raw string) bool {
	for part := range strings.SplitSeq(strings.TrimSuffix(raw, ";"), ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || !ValidName(name) || value == "" || !plainRule(value) {
			return false
		}
		r := RulePart{Name: strings.ToLower(name)}
		for _, before := range v.Rule {
			if before.Name == r.Name {
				return false
			}
		}
		switch r.Name {
		case "count", "interval":
			r.Values = append(r.Values, value)
		case "until":
			v.Texts = v.Texts[:0]
			if v.punctuated(value, len("20260102")) || v.punctuated(value, len("20260102T030405")) || v.punctuated(value, len("20260102T030405Z")) {
				value = v.Texts[0]
			}
			r.Values = append(r.Values, value)
			v.Rule = append(v.Rule, r)
			continue
		default:
			if strings.HasPrefix(r.Name, "by") {
				r.Values = strings.Split(value, ",")
			} else {
				r.Values = append(r.Values, value)
			}
		}
		if r.Name != "byday" && (strings.HasPrefix(r.Name, "by") || r.Name == "count" || r.Name == "interval") {
			v.Texts = v.Texts[:0]
			r.Number = true
			for _, s := range r.Values {
				r.Number = r.Number && v.number(s, true) // BYMONTH=5L (RFC 7529 4.2) is a string
			}
			if r.Number {
				copy(r.Values, v.Texts)
			}
		}
		v.Rule = append(v.Rule, r)
	}
	v.Texts = v.Texts[:0]
	return len(v.Rule) > 0
}

// plainRule tells a value of a rule part that is written back as it is.
func plainRule(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '"' || s[i] == '\\' || s[i] == '=' {
			return false
		}
	}
	return true
}

// Writable tells whether a property with this name (upper case) can be
// written: BEGIN and END would be read as something else.
func Writable(name string) bool { return ValidName(name) && name != "BEGIN" && name != "END" }

// Param is a parameter in the typed syntaxes.
type Param struct {
	Name   string // upper case
	Values []string
}

// ParamsOf gives the parameters that the typed syntaxes write, each name once:
// VALUE is said by the type (RFC 7265 3.5.1, RFC 6321 3.5.1), and what has no
// name that a parameter may have is left out.
func (v *Value) ParamsOf(p *ical.Property) []Param {
	v.params = v.params[:0]
next:
	for name, values := range p.Params() {
		if name == "VALUE" || name == "ENCODING" && v.Decoded || !ValidName(name) {
			continue
		}
		for i := range v.params {
			if q := &v.params[i]; q.Name == name {
				q.Values = append(q.Values, values...)
				continue next
			}
		}
		v.params = append(v.params, Param{name, values})
	}
	return v.params
}
