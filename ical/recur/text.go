package recur

import (
	"fmt"
	"slices"
	"strings"

	"time"
)

// Text says the rule in an English sentence for people, without a full stop:
// "Every 2 weeks on Monday and Wednesday until 3 May 2026". What only a program
// would write is said in words that are right if clumsy.
func (r *Rule) Text() string {
	var b strings.Builder
	b.WriteString(r.frequencyText())
	if len(r.BySetPos) > 0 {
		b.WriteString(r.setPosText())
	} else {
		b.WriteString(r.daysText())
	}
	b.WriteString(r.timeText())
	switch {
	case r.Count == 1:
		b.WriteString(", once")
	case r.Count > 1:
		fmt.Fprintf(&b, ", %d times", r.Count)
	}
	if r.HasUntil {
		b.WriteString(" until " + r.Until.Wall.Format("2 January 2006"))
		if r.Freq < Daily && !r.Until.IsDate() {
			b.WriteString(r.Until.Wall.Format(" 15:04:05"))
		}
	}
	if r.RScale != "" && r.RScale != "GREGORIAN" && r.RScale != "GREGORY" {
		fmt.Fprintf(&b, " in the %s calendar", strings.ToLower(r.RScale))
	}
	if r.HasWKST && r.WKST != time.Monday && (r.Freq == Weekly && r.Interval > 1 || len(r.ByWeekNo) > 0 || r.Freq == Weekly && len(r.BySetPos) > 0) {
		b.WriteString(", with weeks from " + r.WKST.String())
	}
	switch {
	case r.RScale == "" || r.Freq < Monthly:
	case r.Skip == "BACKWARD":
		b.WriteString(", or just before where there is no such day")
	case r.Skip == "FORWARD":
		b.WriteString(", or just after where there is no such day")
	}
	return b.String()
}

var units = [...][2]string{Secondly: {"second", "seconds"}, Minutely: {"minute", "minutes"}, Hourly: {"hour", "hours"}, Daily: {"day", "days"}, Weekly: {"week", "weeks"}, Monthly: {"month", "months"}, Yearly: {"year", "years"}}

func (r *Rule) frequencyText() string {
	if int(r.Freq) >= len(units) {
		return ""
	}
	unit := units[r.Freq]
	switch {
	case r.weekdaysOnly() && r.Interval <= 1 && (r.Freq == Daily || r.Freq == Weekly):
		return "Every weekday"
	case r.Interval == 2 && r.Freq == Daily:
		return "Every other day"
	case r.Interval > 1:
		return fmt.Sprintf("Every %d %s", r.Interval, unit[1])
	}
	return "Every " + unit[0]
}

// weekdaysOnly: Monday to Friday and no other limit on days.
func (r *Rule) weekdaysOnly() bool {
	if len(r.ByDay) != 5 || len(r.BySetPos)+len(r.ByMonthDay)+len(r.ByYearDay)+len(r.ByWeekNo) > 0 {
		return false
	}
	var seen uint8
	for _, d := range r.ByDay {
		if d.Ordinal != 0 {
			return false
		}
		seen |= 1 << d.Day
	}
	return seen == 0b0111110
}

func (r *Rule) daysText() string {
	var parts []string
	if len(r.ByDay) > 0 && !(r.weekdaysOnly() && r.Interval <= 1 && (r.Freq == Daily || r.Freq == Weekly)) {
		parts = append(parts, "on "+r.weekdayText())
	}
	if len(r.ByMonthDay) > 0 {
		text := "on the " + joined(r.ByMonthDay, monthDayText)
		if len(r.ByDay) > 0 { // both must hold
			text = "that is the " + joined(r.ByMonthDay, monthDayText)
		}
		if len(r.ByMonth)+len(r.ByLeapMonth) == 0 && r.Freq != Monthly {
			text += " of the month"
		}
		parts = append(parts, text)
	}
	if len(r.ByYearDay) > 0 {
		parts = append(parts, "on the "+joined(r.ByYearDay, func(n int) string { return ordinal(n, "day") })+" of the year")
	}
	if len(r.ByWeekNo) > 0 {
		parts = append(parts, "in "+weekNoText(r.ByWeekNo))
	}
	if months := r.monthText(); months != "" {
		switch {
		case len(r.ByMonthDay) > 0 && r.Freq == Yearly, len(r.ByDay) > 0 && r.ByDay[0].Ordinal != 0 && r.Freq == Yearly:
			parts = append(parts, "of "+months)
		default:
			parts = append(parts, "in "+months)
		}
	} else if r.Freq == Yearly && len(r.ByDay) > 0 && r.ByDay[0].Ordinal != 0 {
		parts = append(parts, "of the year")
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, " ")
}

func (r *Rule) monthText() string {
	if len(r.ByMonth)+len(r.ByLeapMonth) == 0 {
		return ""
	}
	names := make([]string, 0, len(r.ByMonth)+len(r.ByLeapMonth))
	for _, m := range r.ByMonth {
		if m <= 12 && gregorianMonths[r.RScale] {
			names = append(names, time.Month(m).String())
		} else {
			names = append(names, fmt.Sprintf("month %d", m))
		}
	}
	for _, m := range r.ByLeapMonth {
		names = append(names, fmt.Sprintf("leap month %d", m))
	}
	return and(names)
}

func (r *Rule) weekdayText() string {
	return joined(r.ByDay, func(d WeekdayNum) string {
		if d.Ordinal == 0 || r.Freq < Monthly {
			return d.Day.String()
		}
		return "the " + ordinal(d.Ordinal, d.Day.String())
	})
}

// setPosText: "the last weekday", "the first Monday or Tuesday".
func (r *Rule) setPosText() string {
	which := "the " + joined(r.BySetPos, func(n int) string { return ordinal(n, "") })
	var of string
	switch {
	case r.weekdaysOnlyOfSet():
		of = "weekday"
	case len(r.ByDay) == 7:
		of = "day"
	case len(r.ByDay) == 2 && r.hasDays(time.Saturday, time.Sunday):
		of = "weekend day"
	case len(r.ByDay) > 0 && len(r.ByMonthDay) == 0:
		of = strings.ReplaceAll(r.weekdayText(), " and ", " or ")
	default:
		plain := *r
		plain.BySetPos = nil
		return plain.daysText() + ", of these " + which
	}
	text := " on " + which + " " + of
	if months := r.monthText(); months != "" {
		return text + " of " + months
	}
	return text
}

func (r *Rule) weekdaysOnlyOfSet() bool {
	plain := *r
	plain.BySetPos = nil
	return plain.weekdaysOnly()
}

func (r *Rule) hasDays(days ...time.Weekday) bool {
	for _, d := range days {
		if !slices.Contains(r.ByDay, WeekdayNum{Day: d}) {
			return false
		}
	}
	return true
}

func (r *Rule) timeText() string {
	switch {
	case len(r.ByHour) > 0 && len(r.ByHour)*max(1, len(r.ByMinute)) <= 12 && len(r.BySecond) == 0 && r.Freq >= Daily:
		var times []string
		for _, h := range r.ByHour {
			if len(r.ByMinute) == 0 {
				times = append(times, fmt.Sprintf("%d h", h))
			}
			for _, m := range r.ByMinute {
				times = append(times, fmt.Sprintf("%d:%02d", h, m))
			}
		}
		return " at " + and(times)
	}
	var parts []string
	for _, p := range []struct {
		name string
		list []int
	}{{"hour", r.ByHour}, {"minute", r.ByMinute}, {"second", r.BySecond}} {
		if len(p.list) == 1 {
			parts = append(parts, fmt.Sprintf("%s %d", p.name, p.list[0]))
		} else if len(p.list) > 1 {
			parts = append(parts, p.name+"s "+joined(p.list, func(n int) string { return fmt.Sprint(n) }))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " at " + strings.Join(parts, ", ")
}

func weekNoText(list []int) string {
	text := joined(list, func(n int) string {
		if n < 0 {
			return ordinal(n, "")
		}
		return fmt.Sprint(n)
	})
	switch {
	case len(list) > 1:
		return "weeks " + text
	case list[0] < 0:
		return "the " + text + " week"
	}
	return "week " + text
}

func monthDayText(n int) string {
	if n < 0 {
		return ordinal(n, "day")
	}
	return ordinal(n, "")
}

// ordinal is "2nd", "last", "3rd to last", with the noun behind it.
func ordinal(n int, noun string) string {
	suffix := func(n int) string {
		switch {
		case n%100 >= 11 && n%100 <= 13:
		case n%10 == 1:
			return "st"
		case n%10 == 2:
			return "nd"
		case n%10 == 3:
			return "rd"
		}
		return "th"
	}
	var text string
	switch {
	case n == -1:
		text = "last"
	case n < 0:
		text = fmt.Sprintf("%d%s to last", -n, suffix(-n))
	default:
		text = fmt.Sprintf("%d%s", n, suffix(n))
	}
	if noun != "" {
		text += " " + noun
	}
	return text
}

func joined[T any](list []T, text func(T) string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = text(v)
	}
	return and(words)
}

func and(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
