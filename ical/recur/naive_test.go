package recur_test

import (
	"slices"
	"time"

	"github.com/convene-cal/convene/ical/recur"
)

// The naive expander does what RFC 5545 3.3.10 says: it goes through the periods
// one by one, through every day of a period, and asks of each whether it passes.
// It shares no code with the product; what it knows of the calendar it has from
// package time. Readings are seconds since 1970 without a zone.
type naive struct {
	r     *recur.Rule
	start int64
	date  bool // DTSTART is a DATE
	skip  int  // periods to leave out, for what is far from the start
}

const (
	aDay      = 86400
	firstYear = 1985
	lastYear  = 2110
)

// naiveDay is what package time says of a day.
type naiveDay struct {
	year, month, day, yearDay    int
	monthLength, yearLength, wkd int
}

var (
	naiveBase = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / aDay
	naiveDays = func() (list []naiveDay) {
		for d := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() <= lastYear; d = d.AddDate(0, 0, 1) {
			list = append(list, naiveDay{
				d.Year(), int(d.Month()), d.Day(), d.YearDay(),
				time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day(),
				time.Date(d.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay(), int(d.Weekday()),
			})
		}
		return list
	}()
	naiveEnd = (naiveBase + int64(len(naiveDays))) * aDay
)

func about(day int64) *naiveDay { return &naiveDays[day-naiveBase] }

func dateOf(y, m, d int) int64 {
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / aDay
}

// occurrences are the members of the first n periods, and the end of the last
// of them; or the first most, and the last of these. all tells that there are no
// more.
func (n *naive) occurrences(periods, most int) (list []int64, end int64, all bool) {
	r := n.r
	until := int64(1) << 62
	if r.HasUntil {
		until = r.Until.Wall.Unix()
		if r.Until.IsDate() {
			until += aDay - 1
		}
	}
	end = n.start
	first := n.begin()
	for i := range periods {
		from, to := n.period(first, (n.skip+i)*r.Interval)
		if to+400*aDay > naiveEnd { // weeks and months are looked at whole
			return n.certain(list, end)
		}
		end = to
		if r.HasUntil && r.Skip == "" && from > until+400*aDay {
			return list, end, true
		}
		var members []int64
		switch {
		case r.Freq <= recur.Hourly:
			members = n.within(from)
		case r.Skip == "FORWARD" || r.Skip == "BACKWARD":
			members = n.moved(from/aDay, to/aDay)
		default:
			for d := from / aDay; d < to/aDay; d++ {
				if n.dayPasses(d) {
					members = append(members, n.times(d)...)
				}
			}
		}
		for _, m := range n.positions(members) {
			if m < n.start || m > until || len(list) > 0 && m <= list[len(list)-1] {
				continue
			}
			list = append(list, m)
			if len(list) == r.Count {
				return list, m, true
			}
			if len(list) == most {
				return list, m, false
			}
		}
	}
	return n.certain(list, end)
}

// certain leaves out what SKIP moved beyond the last period, where not all of the
// next one is known, and the day into which the next one may move.
func (n *naive) certain(list []int64, end int64) ([]int64, int64, bool) {
	if n.r.Skip == "BACKWARD" {
		end -= aDay
	}
	i, _ := slices.BinarySearch(list, end)
	return list[:i], end, false
}

func floor(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

func (n *naive) day() int64 { return floor(n.start, aDay) }

func (n *naive) weekStart(d int64) int64 {
	for time.Weekday(about(d).wkd) != n.r.WKST {
		d--
	}
	return d
}

// begin is a day that stands for the first period.
func (n *naive) begin() int64 {
	if n.r.Freq == recur.Yearly && len(n.r.ByWeekNo) > 0 {
		y := about(n.day()).year
		if n.dayPasses(n.day()) {
			y = about(n.weekStart(n.day()) + 3).year
		} else if n.r.Interval == 1 {
			y--
		}
		return dateOf(y, 1, 1)
	}
	return n.day()
}

func (n *naive) period(first int64, step int) (from, to int64) {
	at := about(first)
	switch n.r.Freq {
	case recur.Yearly:
		y := at.year + step
		if y >= lastYear-1 {
			return naiveEnd, naiveEnd
		}
		if len(n.r.ByWeekNo) > 0 {
			return n.firstWeek(y) * aDay, n.firstWeek(y+1) * aDay
		}
		return dateOf(y, 1, 1) * aDay, dateOf(y+1, 1, 1) * aDay
	case recur.Monthly:
		return dateOf(at.year, at.month+step, 1) * aDay, dateOf(at.year, at.month+step+1, 1) * aDay
	case recur.Weekly:
		w := n.weekStart(first) + int64(7*step)
		return w * aDay, (w + 7) * aDay
	case recur.Daily:
		d := first + int64(step)
		return d * aDay, (d + 1) * aDay
	}
	unit := map[recur.Freq]int64{recur.Hourly: 3600, recur.Minutely: 60, recur.Secondly: 1}[n.r.Freq]
	t := (floor(n.start, unit) + int64(step)) * unit
	return t, t + unit
}

// firstWeek is the first day of the first week that has four days in the year.
func (n *naive) firstWeek(y int) int64 {
	for d := dateOf(y-1, 12, 29); ; d++ {
		if time.Weekday(about(d).wkd) == n.r.WKST {
			return d
		}
	}
}

func (n *naive) dayPasses(d int64) bool {
	r, at := n.r, about(d)
	none := len(r.ByDay)+len(r.ByMonthDay)+len(r.ByYearDay) == 0
	if len(r.ByMonth) > 0 && !slices.Contains(r.ByMonth, at.month) {
		return false
	}
	if len(r.ByMonthDay) > 0 && !slices.Contains(r.ByMonthDay, at.day) && !slices.Contains(r.ByMonthDay, at.day-at.monthLength-1) {
		return false
	}
	if len(r.ByYearDay) > 0 && !slices.Contains(r.ByYearDay, at.yearDay) && !slices.Contains(r.ByYearDay, at.yearDay-at.yearLength-1) {
		return false
	}
	if len(r.ByWeekNo) > 0 {
		w := n.weekStart(d)
		y := about(w + 3).year
		first, next := n.firstWeek(y), n.firstWeek(y+1)
		number, weeks := int(w-first)/7+1, int(next-first)/7
		if !slices.Contains(r.ByWeekNo, number) && !slices.Contains(r.ByWeekNo, number-weeks-1) {
			return false
		}
	}
	if !n.weekdayPasses(d) {
		return false
	}
	if none && r.Freq > recur.Daily {
		start := about(n.day())
		switch {
		case len(r.ByWeekNo) > 0 || r.Freq == recur.Weekly:
			return at.wkd == start.wkd
		case len(r.ByMonth) == 0 && r.Freq == recur.Yearly:
			return at.month == start.month && at.day == start.day
		}
		return at.day == start.day
	}
	return true
}

func (n *naive) weekdayPasses(d int64) bool {
	at := about(d)
	for _, w := range n.r.ByDay {
		if at.wkd != int(w.Day) {
			continue
		}
		day, length := at.day, at.monthLength
		if n.r.Freq == recur.Yearly && len(n.r.ByMonth) == 0 {
			day, length = at.yearDay, at.yearLength
		}
		switch {
		case w.Ordinal == 0, n.r.Freq < recur.Monthly, len(n.r.ByWeekNo) > 0 && n.r.Freq == recur.Yearly,
			w.Ordinal == (day-1)/7+1, -w.Ordinal == (length-day)/7+1:
			return true
		}
	}
	return len(n.r.ByDay) == 0
}

// moved are the members of a month or year of a rule with SKIP: every month and
// day that the rule names is looked for, what does not exist is moved, then
// BYDAY limits (RFC 7529 4.1).
func (n *naive) moved(from, to int64) (list []int64) {
	r, start := n.r, about(n.day())
	forward := r.Skip == "FORWARD"
	var days []int64
	take := func(first, length int64, number int) {
		at := int64(number) - 1
		if number < 0 {
			at = length + int64(number)
		}
		switch {
		case at >= length && forward:
			at = length
		case at >= length:
			at = length - 1
		case at < 0 && forward:
			at = 0
		case at < 0:
			at = -1
		}
		days = append(days, first+at)
	}
	switch {
	case len(r.ByYearDay) > 0:
		for _, number := range r.ByYearDay {
			take(from, to-from, number)
		}
	case len(r.ByMonthDay) == 0 && len(r.ByDay) > 0:
		for d := from; d < to; d++ {
			if len(r.ByMonth) == 0 || slices.Contains(r.ByMonth, about(d).month) {
				days = append(days, d)
			}
		}
	default:
		numbers, months := or(r.ByMonthDay, start.day), r.ByMonth
		if r.Freq == recur.Yearly && len(months) == 0 && len(r.ByMonthDay) == 0 {
			months = []int{start.month}
		}
		for d := from; d < to; d += int64(about(d).monthLength) {
			if len(months) > 0 && !slices.Contains(months, about(d).month) {
				continue
			}
			for _, number := range numbers {
				take(d, int64(about(d).monthLength), number)
			}
		}
	}
	slices.Sort(days)
	for _, d := range slices.Compact(days) {
		if n.weekdayPasses(d) {
			list = append(list, n.times(d)...)
		}
	}
	return list
}

func or(list []int, value int) []int {
	if len(list) > 0 {
		list = slices.Clone(list)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return []int{value}
}

func (n *naive) clock() (hour, minute, second int) {
	t := n.start - n.day()*aDay
	return int(t / 3600), int(t / 60 % 60), int(t % 60)
}

func (n *naive) times(d int64) (list []int64) {
	if n.date {
		return []int64{d * aDay}
	}
	hour, minute, second := n.clock()
	for _, h := range or(n.r.ByHour, hour) {
		for _, m := range or(n.r.ByMinute, minute) {
			for _, s := range or(n.r.BySecond, second) {
				list = append(list, d*aDay+int64(h*3600+m*60+s))
			}
		}
	}
	return list
}

// within are the members of a period of an hour or less.
func (n *naive) within(t int64) (list []int64) {
	r := n.r
	limits := func(list []int, v int) bool { return len(list) == 0 || slices.Contains(list, v) }
	day := floor(t, aDay)
	tod := int(t - day*aDay)
	if !limits(r.ByHour, tod/3600) || !n.dayPasses(day) {
		return nil
	}
	_, minute, second := n.clock()
	minutes, seconds := or(r.ByMinute, minute), or(r.BySecond, second)
	if r.Freq < recur.Hourly {
		if minutes = []int{tod / 60 % 60}; !limits(r.ByMinute, minutes[0]) {
			return nil
		}
	}
	if r.Freq < recur.Minutely {
		if seconds = []int{tod % 60}; !limits(r.BySecond, seconds[0]) {
			return nil
		}
	}
	for _, m := range minutes {
		for _, s := range seconds {
			list = append(list, t-int64(tod%3600)+int64(m*60+s))
		}
	}
	return list
}

func (n *naive) positions(members []int64) []int64 {
	if len(n.r.BySetPos) == 0 {
		return members
	}
	var list []int64
	for i, m := range members {
		if slices.Contains(n.r.BySetPos, i+1) || slices.Contains(n.r.BySetPos, i-len(members)) {
			list = append(list, m)
		}
	}
	return list
}
