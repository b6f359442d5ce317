package jscal

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// local is a LocalDateTime (RFC 8984 1.4.5).
func local(t time.Time) string { return t.Format("2006-01-02T15:04:05") }

// utc is a UTCDateTime (RFC 8984 1.4.4).
func utc(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// parseLocal reads a LocalDateTime; whole tells that it has no fraction of a
// second, which iCalendar cannot say.
func parseLocal(s string) (t time.Time, whole, ok bool) {
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil || t.Year() < 1 {
		return time.Time{}, true, false
	}
	return t.Truncate(time.Second), t.Nanosecond() == 0, true
}

// parseUTC reads a UTCDateTime.
func parseUTC(s string) (t time.Time, whole, ok bool) {
	s, ok = strings.CutSuffix(s, "Z")
	if !ok {
		return time.Time{}, true, false
	}
	return parseLocal(s)
}

// parseDuration reads a Duration or SignedDuration. The grammar is wider than
// iCalendar's: weeks may have days, seconds a fraction.
func parseDuration(s string) (d ical.Duration, whole, ok bool) {
	whole = true
	if dot := strings.IndexByte(s, '.'); dot >= 0 {
		end := strings.IndexByte(s, 'S')
		if end < dot {
			return d, true, false
		}
		s, whole = s[:dot]+s[end:], false
	}
	d, err := ical.ParseDuration(s)
	return d, whole, err == nil
}

var dayNames = [...]string{"su", "mo", "tu", "we", "th", "fr", "sa"}

// ruleObject writes a recurrence rule (RFC 8984 4.3.3). until gives an end as a
// clock reading of the object.
func ruleObject(r *recur.Rule, until func(ical.Time) time.Time) object {
	o := object{"@type": "RecurrenceRule", "frequency": strings.ToLower(r.Freq.String())}
	if r.Interval > 1 {
		o["interval"] = r.Interval
	}
	if r.RScale != "" {
		o["rscale"] = strings.ToLower(r.RScale)
	}
	if r.Skip != "" {
		o["skip"] = strings.ToLower(r.Skip)
	}
	if r.HasWKST {
		o["firstDayOfWeek"] = dayNames[r.WKST]
	}
	var days []any
	for _, d := range r.ByDay {
		day := object{"@type": "NDay", "day": dayNames[d.Day]}
		if d.Ordinal != 0 {
			day["nthOfPeriod"] = d.Ordinal
		}
		days = append(days, day)
	}
	if days != nil {
		o["byDay"] = days
	}
	var months []any
	for _, m := range r.ByMonth {
		months = append(months, fmt.Sprint(m))
	}
	for _, m := range r.ByLeapMonth {
		months = append(months, fmt.Sprintf("%dL", m))
	}
	if months != nil {
		o["byMonth"] = months
	}
	for name, list := range map[string][]int{"byMonthDay": r.ByMonthDay, "byYearDay": r.ByYearDay, "byWeekNo": r.ByWeekNo, "byHour": r.ByHour,
		"byMinute": r.ByMinute, "bySecond": r.BySecond, "bySetPosition": r.BySetPos} {
		var values []any
		for _, n := range list {
			values = append(values, n)
		}
		if values != nil {
			o[name] = values
		}
	}
	if r.HasUntil {
		o["until"] = local(until(r.Until))
	} else if r.Count > 0 {
		o["count"] = r.Count
	}
	return o
}

// ruleParts are the members of a RecurrenceRule that are lists of numbers, and
// the part of RRULE that each is.
var ruleParts = [...][2]string{{"byMonthDay", "BYMONTHDAY"}, {"byYearDay", "BYYEARDAY"}, {"byWeekNo", "BYWEEKNO"}, {"byHour", "BYHOUR"},
	{"byMinute", "BYMINUTE"}, {"bySecond", "BYSECOND"}, {"bySetPosition", "BYSETPOS"}}

// parseRule reads a RecurrenceRule by way of the text of an RRULE, whose
// reader knows what is allowed. The end is a floating time. unknown are members
// that are none of it.
func parseRule(o object) (r *recur.Rule, unknown []string, err error) {
	var parts []string
	add := func(name string, values ...string) { parts = append(parts, name+"="+strings.Join(values, ",")) }
	word := func(name string) (string, error) {
		s, ok := o[name].(string)
		if _, there := o[name]; there && (!ok || strings.ContainsAny(s, ";,=\r\n\\ ")) {
			return "", fmt.Errorf("%s is no word", name)
		}
		return strings.ToUpper(s), nil
	}
	for _, p := range [...][2]string{{"rscale", "RSCALE"}, {"frequency", "FREQ"}, {"skip", "SKIP"}, {"firstDayOfWeek", "WKST"}} {
		s, err := word(p[0])
		if err != nil {
			return nil, nil, err
		}
		if s != "" && !(p[0] == "rscale" && s == "GREGORIAN" && o["skip"] == nil) {
			add(p[1], s)
		}
	}
	for _, p := range [...][2]string{{"interval", "INTERVAL"}, {"count", "COUNT"}} {
		v, there := o[p[0]]
		if !there {
			continue
		}
		n, ok := integer(v)
		if !ok || n < 1 || n > 1<<31-1 {
			return nil, nil, fmt.Errorf("%s is no positive number", p[0])
		}
		add(p[1], fmt.Sprint(n))
	}
	if v, there := o["byDay"]; there {
		list, ok := v.([]any)
		var days []string
		for _, e := range list {
			d, isObject := e.(object)
			day, isText := d["day"].(string)
			if ok = ok && isObject && isText && len(day) == 2; !ok {
				break
			}
			day = strings.ToUpper(day)
			if n, there := d["nthOfPeriod"]; there {
				nth, isNumber := integer(n)
				ok = ok && isNumber && nth != 0
				day = fmt.Sprint(nth) + day
			}
			days = append(days, day)
		}
		if !ok || days == nil {
			return nil, nil, fmt.Errorf("byDay is no list of NDay")
		}
		add("BYDAY", days...)
	}
	if v, there := o["byMonth"]; there {
		list, ok := v.([]any)
		var months []string
		for _, e := range list {
			m, isText := e.(string)
			ok = ok && isText && !strings.ContainsAny(m, ";,=\r\n")
			months = append(months, m)
		}
		if !ok || months == nil {
			return nil, nil, fmt.Errorf("byMonth is no list of strings")
		}
		add("BYMONTH", months...)
	}
	for _, p := range ruleParts {
		v, there := o[p[0]]
		if !there {
			continue
		}
		list, ok := v.([]any)
		var numbers []string
		for _, e := range list {
			n, isNumber := integer(e)
			ok = ok && isNumber
			numbers = append(numbers, fmt.Sprint(n))
		}
		if !ok || numbers == nil {
			return nil, nil, fmt.Errorf("%s is no list of numbers", p[0])
		}
		add(p[1], numbers...)
	}
	if v, there := o["until"]; there {
		s, _ := v.(string)
		t, _, ok := parseLocal(s)
		if !ok {
			return nil, nil, fmt.Errorf("until is no LocalDateTime")
		}
		if o["count"] == nil { // RFC 8984 4.3.3: not both
			add("UNTIL", ical.Time{Wall: t}.String())
		} else {
			unknown = append(unknown, "until")
		}
	}
	if r, err = recur.ParseRule(strings.Join(parts, ";")); err != nil {
		return nil, nil, err
	}
	for _, name := range names(o) {
		switch name {
		case "@type", "frequency", "interval", "rscale", "skip", "firstDayOfWeek", "byDay", "byMonth", "count", "until":
		default:
			known := false
			for _, p := range ruleParts {
				known = known || p[0] == name
			}
			if !known {
				unknown = append(unknown, name)
			}
		}
	}
	return r, unknown, nil
}
