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
func (r *Rule) Text() string { return r.TextIn(nil) }

// TextIn is Text in another language. translate gives a phrase of this package
// in it: words, names of days and months, layouts of dates in the manner of
// package time, and formats, whose verbs keep their kind and may change places
// (%[1]d). What it does not know it gives back. nil = English.
func (r *Rule) TextIn(translate func(english string) string) string {
	if translate == nil {
		translate = func(english string) string { return english }
	}
	return words{r, translate}.sentence()
}

// words puts a rule into a language.
type words struct {
	*Rule
	t func(english string) string
}

// say fills a phrase.
func (w words) say(format string, args ...any) string { return fmt.Sprintf(w.t(format), args...) }

func (w words) sentence() string {
	parts := []string{w.frequency()}
	if len(w.BySetPos) > 0 {
		parts = append(parts, w.setPos())
	} else {
		parts = append(parts, w.days())
	}
	text := strings.Join(slices.DeleteFunc(append(parts, w.times()), func(s string) bool { return s == "" }), " ")
	switch {
	case w.Count == 1:
		text += w.t(", once")
	case w.Count > 1:
		text += w.say(", %d times", w.Count)
	}
	if w.HasUntil {
		layout := "2 January 2006"
		if w.Freq < Daily && !w.Until.IsDate() {
			layout = "2 January 2006 15:04:05"
		}
		text += " " + w.say("until %s", w.date(layout))
	}
	if w.RScale != "" && w.RScale != "GREGORIAN" && w.RScale != "GREGORY" {
		text += " " + w.say("in the %s calendar", w.t(strings.ToLower(w.RScale)))
	}
	if w.HasWKST && w.WKST != time.Monday && (w.Freq == Weekly && w.Interval > 1 || len(w.ByWeekNo) > 0 || w.Freq == Weekly && len(w.BySetPos) > 0) {
		text += w.say(", with weeks from %s", w.t(w.WKST.String()))
	}
	switch {
	case w.RScale == "" || w.Freq < Monthly:
	case w.Skip == "BACKWARD":
		text += w.t(", or just before where there is no such day")
	case w.Skip == "FORWARD":
		text += w.t(", or just after where there is no such day")
	}
	return text
}

// date writes the day of UNTIL: package time knows English names only.
func (w words) date(layout string) string {
	// The name is put in after the figures, so that none is read as a layout.
	const place = "\x01"
	text := w.Until.Wall.Format(strings.ReplaceAll(w.t(layout), "January", place))
	return strings.ReplaceAll(text, place, w.t(w.Until.Wall.Month().String()))
}

// every are the phrases for each frequency: alone and with an interval.
var every = [...][2]string{Secondly: {"Every second", "Every %d seconds"}, Minutely: {"Every minute", "Every %d minutes"}, Hourly: {"Every hour", "Every %d hours"},
	Daily: {"Every day", "Every %d days"}, Weekly: {"Every week", "Every %d weeks"}, Monthly: {"Every month", "Every %d months"}, Yearly: {"Every year", "Every %d years"}}

func (w words) frequency() string {
	if int(w.Freq) >= len(every) {
		return ""
	}
	switch {
	case w.weekdaysOnly() && w.Interval <= 1 && (w.Freq == Daily || w.Freq == Weekly):
		return w.t("Every weekday")
	case w.Interval == 2 && w.Freq == Daily:
		return w.t("Every other day")
	case w.Interval > 1:
		return w.say(every[w.Freq][1], w.Interval)
	}
	return w.t(every[w.Freq][0])
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

func (w words) days() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, w.say(format, args...)) }
	if len(w.ByDay) > 0 && !(w.weekdaysOnly() && w.Interval <= 1 && (w.Freq == Daily || w.Freq == Weekly)) {
		add("on %s", w.weekdays(" and "))
	}
	if len(w.ByMonthDay) > 0 {
		format := "on the %s"
		switch ofMonth := len(w.ByMonth)+len(w.ByLeapMonth) == 0 && w.Freq != Monthly; {
		case len(w.ByDay) > 0 && ofMonth: // both must hold
			format = "that is the %s of the month"
		case len(w.ByDay) > 0:
			format = "that is the %s"
		case ofMonth:
			format = "on the %s of the month"
		}
		add(format, w.list(" and ", w.ByMonthDay, w.monthDay))
	}
	if len(w.ByYearDay) > 0 {
		add("on the %s of the year", w.list(" and ", w.ByYearDay, func(n int) string { return w.ordinal(n, w.t("day")) }))
	}
	if len(w.ByWeekNo) > 0 {
		parts = append(parts, w.weekNumbers())
	}
	if months := w.months(); months != "" {
		switch {
		case len(w.ByMonthDay) > 0 && w.Freq == Yearly, len(w.ByDay) > 0 && w.ByDay[0].Ordinal != 0 && w.Freq == Yearly:
			add("of %s", months)
		default:
			add("in %s", months)
		}
	} else if w.Freq == Yearly && len(w.ByDay) > 0 && w.ByDay[0].Ordinal != 0 {
		add("of the year")
	}
	return strings.Join(parts, " ")
}

func (w words) months() string {
	names := make([]string, 0, len(w.ByMonth)+len(w.ByLeapMonth))
	for _, m := range w.ByMonth {
		if m <= 12 && gregorianMonths[w.RScale] {
			names = append(names, w.t(time.Month(m).String()))
		} else {
			names = append(names, w.say("month %d", m))
		}
	}
	for _, m := range w.ByLeapMonth {
		names = append(names, w.say("leap month %d", m))
	}
	return w.join(" and ", names)
}

// weekdays: "Monday and Tuesday", "the last Friday".
func (w words) weekdays(conjunction string) string {
	names := make([]string, len(w.ByDay))
	for i, d := range w.ByDay {
		names[i] = w.t(d.Day.String())
		if d.Ordinal != 0 && w.Freq >= Monthly {
			names[i] = w.say("the %s", w.ordinal(d.Ordinal, names[i]))
		}
	}
	return w.join(conjunction, names)
}

// setPos: "on the last weekday", "on the 1st Monday or Tuesday".
func (w words) setPos() string {
	which := w.list(" and ", w.BySetPos, func(n int) string { return w.ordinal(n, "") })
	plain := *w.Rule
	plain.BySetPos = nil
	var of string
	switch {
	case plain.weekdaysOnly():
		of = w.t("weekday")
	case len(w.ByDay) == 7:
		of = w.t("day")
	case len(w.ByDay) == 2 && w.hasDays(time.Saturday, time.Sunday):
		of = w.t("weekend day")
	case len(w.ByDay) > 0 && len(w.ByMonthDay) == 0:
		of = w.weekdays(" or ")
	default:
		return words{&plain, w.t}.days() + w.say(", of these the %s", which)
	}
	text := w.say("on the %s %s", which, of)
	if months := w.months(); months != "" {
		text += " " + w.say("of %s", months)
	}
	return text
}

func (r *Rule) hasDays(days ...time.Weekday) bool {
	for _, d := range days {
		if !slices.Contains(r.ByDay, WeekdayNum{Day: d}) {
			return false
		}
	}
	return true
}

// times: "at 9:00 and 12:30", or, where there are many, part by part.
func (w words) times() string {
	const most = 12 // times of a day that are still read
	if len(w.ByHour) > 0 && len(w.ByHour)*max(1, len(w.ByMinute)) <= most && len(w.BySecond) == 0 && w.Freq >= Daily {
		var times []string
		for _, h := range w.ByHour {
			if len(w.ByMinute) == 0 {
				times = append(times, w.say("%d h", h))
			}
			for _, m := range w.ByMinute {
				times = append(times, w.say("%d:%02d", h, m))
			}
		}
		return w.say("at %s", w.join(" and ", times))
	}
	var parts []string
	for _, p := range []struct {
		one, several string
		list         []int
	}{{"hour %s", "hours %s", w.ByHour}, {"minute %s", "minutes %s", w.ByMinute}, {"second %s", "seconds %s", w.BySecond}} {
		format := p.several
		switch len(p.list) {
		case 0:
			continue
		case 1:
			format = p.one
		}
		parts = append(parts, w.say(format, w.list(" and ", p.list, func(n int) string { return fmt.Sprint(n) })))
	}
	if len(parts) == 0 {
		return ""
	}
	return w.say("at %s", strings.Join(parts, ", "))
}

func (w words) weekNumbers() string {
	text := w.list(" and ", w.ByWeekNo, func(n int) string {
		if n < 0 {
			return w.ordinal(n, "")
		}
		return fmt.Sprint(n)
	})
	switch {
	case len(w.ByWeekNo) > 1:
		return w.say("in weeks %s", text)
	case w.ByWeekNo[0] < 0:
		return w.say("in the %s week", text)
	}
	return w.say("in week %s", text)
}

func (w words) monthDay(n int) string {
	if n < 0 {
		return w.ordinal(n, w.t("day"))
	}
	return w.ordinal(n, "")
}

// ordinal is "2nd", "last", "3rd to last", with the noun behind it.
func (w words) ordinal(n int, noun string) string {
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
		text = w.t("last")
	case n < 0:
		text = w.say("%d"+suffix(-n)+" to last", -n)
	default:
		text = w.say("%d"+suffix(n), n)
	}
	if noun != "" {
		text += " " + noun
	}
	return text
}

func (w words) list(conjunction string, list []int, text func(int) string) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = text(v)
	}
	return w.join(conjunction, parts)
}

// join is "a, b and c". The conjunction is a phrase with its blanks.
func (w words) join(conjunction string, parts []string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + w.t(conjunction) + parts[n-1]
	}
	return strings.Join(parts, "")
}
