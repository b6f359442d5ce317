package check

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical/recur"
)

// rulePart is what RFC 5545 3.3.10 says about a part of a rule.
type rulePart struct {
	low, high int  // bounds of the numbers
	signed    bool // negative numbers count from the end; 0 is not allowed
	list      bool
	not       string // FREQs it must not be used with
	only      string // the only FREQs it may be used with
}

var ruleParts = map[string]rulePart{
	"INTERVAL":   {low: 1, high: 1<<31 - 1},
	"COUNT":      {low: 1, high: 1<<31 - 1},
	"BYSECOND":   {low: 0, high: 60, list: true},
	"BYMINUTE":   {low: 0, high: 59, list: true},
	"BYHOUR":     {low: 0, high: 23, list: true},
	"BYMONTHDAY": {low: 1, high: 31, signed: true, list: true, not: "WEEKLY"},
	"BYYEARDAY":  {low: 1, high: 366, signed: true, list: true, not: "DAILY WEEKLY MONTHLY"},
	"BYWEEKNO":   {low: 1, high: 53, signed: true, list: true, only: "YEARLY"},
	"BYMONTH":    {low: 1, high: 12, list: true},
	"BYSETPOS":   {low: 1, high: 366, signed: true, list: true},
}

var (
	byDay   = regexp.MustCompile(`^([+-]?(\d{1,2}))?(SU|MO|TU|WE|TH|FR|SA)$`)
	frequen = oneOf("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
	weekday = oneOf("SU", "MO", "TU", "WE", "TH", "FR", "SA")
)

const recurSection = "RFC 5545 3.3.10"

func hasWord(list, word string) bool {
	return strings.Contains(" "+list+" ", " "+word+" ")
}

// ruleValues gives the parts of a rule by upper-case name.
func ruleValues(value string) map[string]string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(value, ";") {
		name, v, _ := strings.Cut(part, "=")
		parts[strings.ToUpper(name)] = strings.ToUpper(v)
	}
	return parts
}

// rule judges a RECUR value part by part.
func (k *checker) rule(l *line) {
	parts := ruleValues(l.value)
	freq, rscale := parts["FREQ"], parts["RSCALE"]
	if freq == "" {
		k.at(Error, l, l.valueAt, "rule", recurSection, "%s has no FREQ", l.name)
	}
	seen := map[string]bool{}
	at := l.valueAt
	for part := range strings.SplitSeq(l.value, ";") {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.ToUpper(name), strings.ToUpper(value)
		switch {
		case !ok || value == "":
			k.at(Error, l, at, "rule", recurSection, "%s: %q is not NAME=value", l.name, clip(part))
		case seen[name]:
			k.at(Error, l, at, "rule", recurSection, "%s has %s twice", l.name, name)
		default:
			k.rulePart(l, at, name, value, freq, rscale)
		}
		seen[name] = true
		at += len(part) + 1
	}
	// RSCALE may stand before it (the examples of RFC 7529 3).
	if first, _, _ := strings.Cut(strings.ToUpper(l.value), "="); freq != "" && first != "FREQ" && !(first == "RSCALE" && rscale != "") {
		k.at(Error, l, l.valueAt, "rule-order", recurSection, "%s: FREQ must be the first part", l.name)
	}
	if seen["UNTIL"] && seen["COUNT"] {
		k.at(Error, l, l.valueAt, "rule", recurSection, "%s has UNTIL and COUNT", l.name)
	}
	if seen["BYSETPOS"] {
		other := false
		for name := range seen {
			other = other || strings.HasPrefix(name, "BY") && name != "BYSETPOS"
		}
		if !other {
			k.at(Error, l, l.valueAt, "rule", recurSection, "%s: BYSETPOS needs another BY part", l.name)
		}
	}
	if seen["SKIP"] && !seen["RSCALE"] {
		k.at(Error, l, l.valueAt, "rule", "RFC 7529 4.1", "%s has SKIP without RSCALE", l.name)
	}
}

func (k *checker) rulePart(l *line, at int, name, value, freq, rscale string) {
	bad := func(should string) {
		k.at(Error, l, at, "rule", recurSection, "%s: %s=%s is not %s", l.name, name, clip(value), should)
	}
	switch name {
	case "FREQ":
		if should := frequen(value); should != "" {
			bad(should)
		}
		return
	case "UNTIL":
		if date(value) != "" && dateTime(value) != "" {
			bad("a date or a date and time")
		}
		return
	case "WKST":
		if should := weekday(value); should != "" {
			bad(should)
		}
		return
	case "BYDAY":
		k.byDay(l, value, freq, bad)
		return
	case "RSCALE":
		if r, err := recur.ParseRule("RSCALE=" + value + ";FREQ=YEARLY"); err == nil && r.Err() != nil {
			k.at(Warning, l, at, "rule-calendar", "RFC 7529 4.1", "%s counts in the calendar %s, which many programs and Convene cannot: only the start takes place", l.name, clip(value))
		}
		return
	case "SKIP":
		if should := oneOf("OMIT", "BACKWARD", "FORWARD")(value); should != "" {
			bad(should)
		}
		return
	}
	p, ok := ruleParts[name]
	if !ok {
		k.at(Error, l, at, "rule", recurSection, "%s: there is no part %s", l.name, clip(name))
		return
	}
	if hasWord(p.not, freq) && freq != "" || p.only != "" && freq != "" && !hasWord(p.only, freq) {
		k.at(Error, l, at, "rule", recurSection, "%s: %s must not be used with FREQ=%s", l.name, name, freq)
	}
	items := []string{value}
	if p.list {
		items = strings.Split(value, ",")
	}
	high := p.high
	if rscale != "" && rscale != "GREGORIAN" {
		high += high / 10 // RFC 7529: other calendars have longer years
	}
	for _, item := range items {
		number := item
		if name == "BYMONTH" && rscale != "" {
			number = strings.TrimSuffix(item, "L")
		}
		if p.signed {
			number = strings.TrimPrefix(strings.TrimPrefix(number, "+"), "-")
		}
		n, err := strconv.Atoi(number)
		if err != nil || number[0] == '+' || number[0] == '-' || n < p.low || n > high {
			bad("between " + strconv.Itoa(p.low) + " and " + strconv.Itoa(high))
			return
		}
	}
}

func (k *checker) byDay(l *line, value, freq string, bad func(string)) {
	weekNo := ruleValues(l.value)["BYWEEKNO"] != ""
	for item := range strings.SplitSeq(value, ",") {
		m := byDay.FindStringSubmatch(item)
		if m == nil {
			bad("a list of weekdays such as MO or -1FR")
			return
		}
		if m[1] == "" {
			continue
		}
		if n, _ := strconv.Atoi(m[2]); n < 1 || n > 53 {
			bad("a list of weekdays numbered between 1 and 53")
			return
		}
		if freq != "MONTHLY" && freq != "YEARLY" && freq != "" || weekNo {
			bad("allowed: numbered weekdays go with FREQ MONTHLY or YEARLY, without BYWEEKNO")
			return
		}
	}
}
