package check

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

func isX(name string) bool { return strings.HasPrefix(name, "X-") }

// property judges one line by itself; in is the component it stands in.
func (k *checker) property(l *line, in *ical.Component) {
	def, known := ical.LookupProperty(l.name)
	if !known {
		if !isX(l.name) {
			k.at(Warning, l, 0, "unknown-property", "RFC 5545 3.8.8.1", "%s is not a registered property", clip(l.name))
		}
		k.parameters(l, nil)
		k.stated(l)
		return
	}
	k.parameters(l, def)
	k.partStat(l, in)
	kind := def.Default()
	if v, ok := l.param("VALUE"); ok {
		kind = strings.ToUpper(v.text)
		if _, typed := valueForms[kind]; !typed {
			return // RFC 5545 3.2.20: keep what is not known without interpreting it
		}
		if !def.Allows(kind) {
			k.at(Error, l, v.at, "value-type", def.Section, "%s cannot have VALUE=%s, only %s", l.name, kind, strings.TrimPrefix(def.Types, "- "))
			return
		}
	} else if kind == "" {
		k.at(Error, l, l.valueAt, "value-type", def.Section, "%s needs a VALUE parameter: %s", l.name, strings.TrimPrefix(def.Types, "- "))
		return
	}
	k.encoding(l, kind, def)
	k.value(l, kind, def, in)
}

// stated judges the value of a property that is not known by the type it states
// (RFC 5545 3.2.20); whether it is a list nobody can say.
func (k *checker) stated(l *line) {
	v, ok := l.param("VALUE")
	kind := strings.ToUpper(v.text)
	form, typed := valueForms[kind]
	if !ok || !typed || kind == ical.Text {
		return
	}
	should := form.judge(l.value)
	if _, err := recur.ParseRule(l.value); kind == ical.Recur && err != nil {
		should = "a recurrence rule"
	} else if should != "" && !slices.ContainsFunc(strings.Split(l.value, ","), func(item string) bool { return form.judge(item) != "" }) {
		should = "" // a list
	}
	if should != "" {
		k.at(Warning, l, l.valueAt, "stated-value", form.section, "%s %q is not %s", l.name, clip(l.value), should)
	}
}

// structured are the properties of type TEXT or FLOAT with parts between
// semicolons, and those with their own grammar.
var structured = map[string]struct {
	form   *regexp.Regexp
	should string
}{
	"GEO":            {regexp.MustCompile(`^[+-]?\d+(\.\d+)?;[+-]?\d+(\.\d+)?$`), "latitude;longitude, such as 37.386013;-122.082932"},
	"VERSION":        {regexp.MustCompile(`^(2\.0|[0-9A-Za-z.-]+;[0-9A-Za-z.-]+)$`), "2.0, or the versions of readers, from;to"},
	"REQUEST-STATUS": {regexp.MustCompile(`^\d(\.\d+){1,2};([^;\\]|\\.)*(;.*)?$`), "code;description, such as 2.0;Success"},
}

// ranges are bounds of integers.
var ranges = map[string][2]int{
	"PRIORITY":         {0, 9},
	"PERCENT-COMPLETE": {0, 100},
	"SEQUENCE":         {0, 1<<31 - 1},
	"REPEAT":           {0, 1<<31 - 1},
}

func (k *checker) value(l *line, kind ical.ValueType, def *ical.PropertyDef, in *ical.Component) {
	if s, ok := structured[l.name]; ok {
		if !s.form.MatchString(l.value) {
			k.at(Error, l, l.valueAt, "value", def.Section, "%s %q is not %s", l.name, clip(l.value), s.should)
		}
		return
	}
	if kind == ical.Recur {
		k.rule(l)
		return
	}
	items := []string{l.value}
	if def.List {
		items = textItems(l.value)
	}
	at := l.valueAt
	for _, item := range items {
		form := valueForms[kind]
		if should := form.judge(item); should != "" {
			k.at(Error, l, at, "value", form.section, "%s %q is not %s", l.name, clip(item), should+k.hint(l, item, kind, def))
		} else {
			k.meaning(l, at, item, kind, def, in)
		}
		at += len(item) + 1
	}
}

// hint says what is probably missing.
func (k *checker) hint(l *line, item string, kind ical.ValueType, def *ical.PropertyDef) string {
	switch {
	case kind == ical.DateTime && def.Allows(ical.DateType) && date(item) == "":
		return "; a date needs VALUE=DATE"
	case kind == ical.DateTime && def.Allows(ical.PeriodType) && period(item) == "":
		return "; a period needs VALUE=PERIOD"
	case kind == ical.DurationType && def.Allows(ical.DateTime) && dateTime(item) == "":
		return "; a time needs VALUE=DATE-TIME"
	}
	return ""
}

// meaning judges a well-formed value by what its property demands.
func (k *checker) meaning(l *line, at int, item string, kind ical.ValueType, def *ical.PropertyDef, in *ical.Component) {
	if def.Values != "" && !strings.Contains(" "+def.Values+" ", " "+strings.ToUpper(item)+" ") {
		k.at(Error, l, at, "value", def.Section, "%s is %q, it must be one of %s", l.name, clip(item), strings.ReplaceAll(def.Values, " ", ", "))
	}
	if r, ok := ranges[l.name]; ok {
		if n, err := l.prop.Int(); err == nil && integer(item) == "" && (n < r[0] || n > r[1] || strings.HasPrefix(item, "-")) {
			k.at(Error, l, at, "range", def.Section, "%s is %s, it must be between %d and %d", l.name, item, r[0], r[1])
		}
	}
	timed := kind == ical.DateTime || kind == ical.PeriodType
	utc := timed && strings.HasSuffix(strings.SplitN(item, "/", 2)[0], "Z")
	if def.UTC && timed && !utc {
		k.at(Error, l, at, "utc", def.Section, "%s must be in UTC, ending with Z", l.name)
	}
	if v, ok := l.param("TZID"); ok {
		switch {
		case kind == ical.DateType:
			k.at(Error, l, v.at, "tzid", "RFC 5545 3.2.19", "%s is a date and must not have a TZID", l.name)
		case utc:
			k.at(Error, l, v.at, "tzid", "RFC 5545 3.2.19", "%s is in UTC and must not have a TZID", l.name)
		}
	}
	if values := ical.StatusValues(in.Name); l.name == "STATUS" && values != nil && oneOf(values...)(item) != "" {
		k.at(Error, l, at, "value", def.Section, "STATUS of a %s is %q, it must be one of %s", in.Name, clip(item), strings.Join(values, ", "))
	}
	if l.name == "DURATION" || l.name == "REFRESH-INTERVAL" {
		if strings.HasPrefix(item, "-") {
			k.at(Error, l, at, "value", def.Section, "%s must be positive", l.name)
		}
	}
}

// encoding judges VALUE=BINARY and ENCODING=BASE64, which go together (RFC
// 5545 3.3.1).
func (k *checker) encoding(l *line, kind ical.ValueType, def *ical.PropertyDef) {
	v, ok := l.param("ENCODING")
	coded := ok && strings.EqualFold(v.text, "BASE64")
	if coded != (kind == ical.Binary) {
		k.at(Error, l, l.valueAt, "encoding", "RFC 5545 3.2.7", "%s: VALUE=BINARY and ENCODING=BASE64 go together", l.name)
	}
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

func (k *checker) parameters(l *line, def *ical.PropertyDef) {
	if l.broken {
		return
	}
	seen := map[string]bool{}
	for _, q := range l.params {
		if seen[q.name] {
			k.at(Error, l, q.at, "parameter-twice", "RFC 5545 3.2", "%s has the parameter %s twice", l.name, q.name)
			continue
		}
		seen[q.name] = true
		d, known := ical.LookupParameter(q.name)
		if !known {
			if !isX(q.name) {
				k.at(Warning, l, q.at, "unknown-parameter", "RFC 5545 3.2", "%s is not a registered parameter", clip(q.name))
			}
			continue
		}
		if def != nil && !def.Takes(q.name) {
			k.at(Warning, l, q.at, "parameter-place", def.Section, "%s is not defined for %s", q.name, l.name)
		}
		if len(q.values) > 1 && !d.List {
			k.at(Error, l, q.values[1].at, "parameter-list", d.Section, "%s has one value, not %d", q.name, len(q.values))
		}
		for _, v := range q.values {
			k.parameterValue(l, &q, v, d)
		}
	}
}

func (k *checker) parameterValue(l *line, q *param, v paramValue, d *ical.ParameterDef) {
	switch {
	case d.Quoted && !v.quoted:
		k.at(Error, l, v.at, "parameter-quote", d.Section, "the value of %s must be in quotes", q.name)
	case d.Closed && !d.Knows(v.text):
		k.at(Error, l, v.at, "parameter-value", d.Section, "%s is %q, it must be one of %s", q.name, clip(v.text), strings.ReplaceAll(d.Values, " ", ", "))
	case d.Values != "" && !d.Knows(v.text) && !isX(strings.ToUpper(v.text)):
		k.at(Warning, l, v.at, "parameter-value", d.Section, "%s is %q, known are %s", q.name, clip(v.text), strings.ReplaceAll(d.Values, " ", ", "))
	case d.Type != "":
		should := valueForms[d.Type].judge(v.text)
		switch n, err := strconv.Atoi(v.text); {
		case should != "":
		case q.name == "SENT-BY" && !strings.HasPrefix(strings.ToLower(v.text), "mailto:"):
			should = "a mailto URI"
		case q.name == "ORDER" && (err != nil || n < 1):
			should = "a number from 1 on"
		}
		if should != "" {
			k.at(Error, l, v.at, "parameter-value", d.Section, "%s %q is not %s", q.name, clip(v.text), should)
		}
	case q.name == "FMTTYPE" && !mediaType.MatchString(v.text):
		k.at(Error, l, v.at, "parameter-value", d.Section, "FMTTYPE %q is not a media type such as text/plain", clip(v.text))
	case q.name == "LANGUAGE" && !languageTag.MatchString(v.text):
		k.at(Error, l, v.at, "parameter-value", d.Section, "LANGUAGE %q is not a language tag", clip(v.text))
	}
}

// partStats are the participation statuses that only a VTODO has (RFC 5545
// 3.2.12), and those a VJOURNAL lacks.
var partStats = map[string]string{
	"VEVENT":   "COMPLETED IN-PROCESS",
	"VJOURNAL": "COMPLETED IN-PROCESS TENTATIVE DELEGATED",
}

func (k *checker) partStat(l *line, in *ical.Component) {
	if v, ok := l.param("PARTSTAT"); ok && hasWord(partStats[in.Name], strings.ToUpper(v.text)) {
		k.at(Error, l, v.at, "parameter-value", "RFC 5545 3.2.12", "PARTSTAT=%s is not for a %s", strings.ToUpper(v.text), in.Name)
	}
}
