// Package meaning compares calendars by what they mean: names, parameters and
// values, whatever the spelling that the standards leave open.
package meaning

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// longName is longer than a name anybody uses: other syntaxes may leave it out.
const longName = 255

// Lines says what a component means, a line for each property.
func Lines(c *ical.Component) []string {
	name := strings.TrimSpace(strings.ReplaceAll(plain(c.Name), "\n", ""))
	list := []string{"BEGIN " + name}
	for _, p := range c.Properties {
		if name := p.Name(); name != "" && len(name) <= longName && name != "BEGIN" && name != "END" {
			list = append(list, property(p))
		}
	}
	for _, s := range c.Components {
		list = append(list, Lines(s)...)
	}
	return append(list, "END "+name)
}

// Difference is the first line in which two calendars mean different things,
// "" if there is none.
func Difference(a, b *ical.Calendar) string {
	x, y := Lines(&a.Component), Lines(&b.Component)
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			return fmt.Sprintf("only the second has %q", y[i])
		case i >= len(y):
			return fmt.Sprintf("only the first has %q", x[i])
		case x[i] != y[i]:
			return fmt.Sprintf("%q\nis not %q", x[i], y[i])
		}
	}
	return ""
}

const nameChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"

func property(p *ical.Property) string {
	name := p.Name()
	def, known := ical.LookupProperty(name)
	typ := strings.ToUpper(strings.TrimSpace(p.Param("VALUE")))
	if strings.Trim(typ, nameChars) != "" || len(typ) > longName {
		typ = ""
	}
	binary := strings.EqualFold(p.Param("ENCODING"), "BASE64") || strings.EqualFold(p.Param("ENCODING"), "B")
	if typ == "" && known {
		if typ = def.Default(); binary && def.Allows(ical.Binary) {
			typ = ical.Binary
		}
	}
	value, decoded := strings.ReplaceAll(plain(strings.ReplaceAll(ical.ValidText(p.Value()), "\r", "")), "\n", `\n`), false
	if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value)); binary && typ != ical.Binary && typ != "" && err == nil && printable(string(b)) {
		value, decoded = string(b), true
	}
	switch typ {
	case ical.Text:
		switch {
		case decoded && known && def.List:
			value = fmt.Sprintf("%q", []string{value})
		case decoded:
		case known && def.List:
			value = fmt.Sprintf("%q", plainAll(p.TextList()))
		default:
			value = p.Text()
			if name == "REQUEST-STATUS" { // empty data is no data
				value = strings.TrimRight(value, ";")
			}
		}
	case ical.DateTime:
		if t, err := ical.ParseTime(value, "", false); err == nil {
			value = t.String()
		}
	case ical.DateType, ical.TimeType, ical.UTCOffset, ical.PeriodType:
		value = basic(typ, value)
	case ical.Recur:
		parts := strings.Split(strings.ToUpper(strings.TrimSuffix(strings.TrimSpace(value), ";")), ";")
		for i := range parts {
			name, v, _ := strings.Cut(parts[i], "=")
			values := strings.Split(v, ",")
			for j := range values {
				values[j] = number(values[j])
			}
			parts[i] = name + "=" + strings.Join(values, ",")
		}
		slices.Sort(parts)
		value = strings.Join(parts, ";")
	case ical.Integer, ical.Float:
		parts := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' })
		for i := range parts {
			parts[i] = number(strings.TrimSpace(parts[i]))
		}
		value = strings.Join(parts, "|")
	case ical.Binary:
		value = strings.Join(strings.Fields(value), "")
	case ical.Boolean:
		value = strings.ToUpper(value)
	}
	value = strings.TrimSpace(plain(value))
	if typ == "UNKNOWN" {
		typ = ""
	}
	var params []string
	for name, values := range merged(p) {
		if name == "VALUE" || name == "ENCODING" && (binary || decoded) || strings.Trim(name, nameChars) != "" || name == "" || len(name) > longName {
			continue
		}
		params = append(params, fmt.Sprintf("%s=%q", name, values))
	}
	slices.Sort(params)
	return plain(fmt.Sprintf("%s;%s (%s) ", name, strings.Join(params, ";"), typ)) + value
}

func merged(p *ical.Property) map[string][]string {
	m := map[string][]string{}
	for name, values := range p.Params() {
		for i := range values {
			values[i] = plain(values[i])
			if def, known := ical.LookupParameter(name); known && def.Values != "" && (p.Name() == "ATTENDEE" || p.Name() == "ORGANIZER") {
				values[i] = strings.ToUpper(values[i])
			}
		}
		m[name] = append(m[name], values...)
	}
	return m
}

// extended are the forms that JSON and XML give these types (ISO 8601's extended
// format). Where an iCalendar text has one, another syntax cannot tell it from
// what it writes itself, so it means the value in the basic format.
var extended = map[string]*regexp.Regexp{
	ical.DateType:  regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
	ical.TimeType:  regexp.MustCompile(`^\d\d:\d\d:\d\dZ?$`),
	ical.UTCOffset: regexp.MustCompile(`^[+-]\d\d:\d\d(:\d\d)?$`),
	ical.DateTime:  regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?$`),
}

func basic(typ, value string) string {
	value = strings.TrimSpace(value)
	if typ == ical.PeriodType {
		start, end, _ := strings.Cut(value, "/")
		start, end = strings.TrimSpace(start), strings.TrimSpace(end)
		from, to := basic(ical.DateTime, start), basic(ical.DateTime, end)
		if _, err := ical.ParseDuration(end); from != start && (to != end || err == nil) {
			return from + "/" + to
		}
		return value
	}
	if !extended[typ].MatchString(value) {
		return value
	}
	sign, rest := "", value
	if typ == ical.UTCOffset {
		sign, rest = value[:1], value[1:]
	}
	return sign + strings.NewReplacer("-", "", ":", "").Replace(rest)
}

// number leaves the sign "+" and leading zeros out.
func number(s string) string {
	t, minus := strings.CutPrefix(strings.TrimPrefix(s, "+"), "-")
	whole, _, _ := strings.Cut(t, ".")
	if whole == "" || strings.Trim(whole, "0123456789") != "" {
		return s
	}
	for len(whole) > 1 && whole[0] == '0' {
		whole, t = whole[1:], t[1:]
	}
	if minus {
		return "-" + t
	}
	return t
}

// plain leaves out what not every syntax can say: controls, and the two
// characters that XML has no place for (XML 1.0 2.2).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"))
}

func plainAll(list []string) []string {
	for i := range list {
		list[i] = plain(list[i])
	}
	return list
}

func printable(s string) bool { return plain(s) == strings.ReplaceAll(s, "\r\n", "\n") }
