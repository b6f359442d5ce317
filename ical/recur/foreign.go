package recur

import (
	"math/bits"
	"slices"
)

// foreign is what a rule says of days in a calendar other than the Gregorian.
// RFC 7529 4.1: BYMONTH, BYMONTHDAY and BYYEARDAY, the months and years of
// FREQ, and what DTSTART gives are in that calendar; weekdays and clocks are
// everybody's.
type foreign struct {
	calendarSystem
	months              []monthLabel // of BYMONTH or, where a yearly rule has no days either, DTSTART
	monthDays, yearDays []int
	narrows             bool // some days are no members, for rules shorter than a month
}

type monthLabel struct {
	number int
	leap   bool
}

// foreignRounds bounds the search in the periods of such a calendar: in some
// thousand years it has met every kind of year.
var foreignRounds = [...]int{Daily: daysPer400, Weekly: daysPer400 / 7, Monthly: 13 * 4000, Yearly: 4000}

// setForeign prepares a rule in another calendar. It is called before setDays
// would be, and leaves the Gregorian masks open.
func (p *plan) setForeign(r *Rule, s calendarSystem) {
	f := &foreign{calendarSystem: s, yearDays: r.ByYearDay, monthDays: r.ByMonthDay}
	p.foreign = f
	for _, m := range r.ByMonth {
		f.months = append(f.months, monthLabel{m, false})
	}
	for _, m := range r.ByLeapMonth {
		f.months = append(f.months, monthLabel{m, true})
	}
	days := r.ByDay
	if len(days)+len(r.ByMonthDay)+len(r.ByYearDay) == 0 {
		year, index, day := systemDate(s, p.startDay)
		switch {
		case r.Freq == Weekly:
			days = []WeekdayNum{{Day: weekdayOf(p.startDay)}}
		case r.Freq >= Monthly:
			f.monthDays = []int{day}
			if r.Freq == Yearly && len(f.months) == 0 {
				number, leap := s.monthLabel(year, index)
				f.months = []monthLabel{{number, leap}}
			}
		}
	}
	for _, d := range days {
		p.hasDay = true
		if d.Ordinal == 0 || r.Freq < Monthly {
			p.weekdays |= 1 << d.Day
		} else {
			p.nth = append(p.nth, d)
			p.nthInYear = r.Freq == Yearly && len(r.ByMonth)+len(r.ByLeapMonth) == 0
		}
	}
	f.narrows = len(f.months)+len(f.monthDays)+len(f.yearDays) > 0
	p.filtered = f.narrows || p.hasDay
}

func (f *foreign) periodOf(freq Freq, day int64) int64 {
	year, index, _ := systemDate(f, day)
	if freq == Yearly {
		return int64(year)
	}
	return f.monthsBefore(year) + int64(index)
}

// monthMask has a bit for each day of a Gregorian month that passes the limits
// of a rule shorter than a month, where nothing is moved.
func (f *foreign) monthMask(first int64, length int) uint32 {
	var mask uint32
	year, index, day := systemDate(f, first)
	start, next := f.yearStart(year), f.yearStart(year+1)
	for i := 0; i < length; {
		size := f.monthLength(year, index)
		here := min(size-day+1, length-i) // days of this month in that one
		if len(f.months) == 0 || f.names(year, index) {
			from := int(first+int64(i)-start) + 1 // day of the year
			for n := range here {
				if among(f.monthDays, day+n, size) && among(f.yearDays, from+n, int(next-start)) {
					mask |= 2 << (i + n)
				}
			}
		}
		i, day = i+here, 1
		if index++; index == monthsIn(f, year) {
			year, index = year+1, 0
			start, next = next, f.yearStart(year+1)
		}
	}
	return mask
}

// names tells whether BYMONTH names a month.
func (f *foreign) names(year, index int) bool {
	number, leap := f.monthLabel(year, index)
	return slices.Contains(f.months, monthLabel{number, leap})
}

// among tells whether a list that may be empty names a day, from the start or
// from the end.
func among(list []int, n, size int) bool {
	return len(list) == 0 || slices.Contains(list, n) || slices.Contains(list, n-size-1)
}

// foreignYear is what a year of another calendar has, for rules that ask month
// by month.
type foreignYear struct {
	year   int
	chosen []int // of BYMONTH
	first  int64 // day
	length int
}

func (c *cursor) yearOf(year int) *foreignYear {
	y := &c.inYear
	if y.year != year {
		f := c.foreign
		first := f.yearStart(year)
		*y = foreignYear{year, f.chosen(year, c.skip), first, int(f.yearStart(year+1) - first)}
	}
	return y
}

// loadForeign fills the bases with a year or a month of another calendar.
func (c *cursor) loadForeign() {
	f := c.foreign
	c.chosen = c.chosen[:0]
	if c.freq == Monthly {
		year, index := monthOf(f, c.period)
		if len(f.months) == 0 || slices.Contains(c.yearOf(year).chosen, index) {
			c.addForeignMonth(year, index)
		}
	} else {
		year := int(c.period)
		months := c.yearOf(year).chosen
		if len(f.months) == 0 {
			for i := range monthsIn(f, year) {
				c.addForeignMonth(year, i)
			}
		}
		for _, i := range months {
			c.addForeignMonth(year, i)
		}
	}
	// What SKIP moved is not in its place.
	slices.Sort(c.chosen)
	for _, d := range c.chosen {
		c.add(d)
	}
}

// chosen are the indexes of the months that BYMONTH names in a year, a leap month
// that the year does not have moved by SKIP (RFC 7529 4.2).
func (f *foreign) chosen(year, skip int) []int {
	var list []int
	n := monthsIn(f, year)
	for _, m := range f.months {
		regular := -1 // index of the month with the number
		found := false
		for i := range n {
			number, leap := f.monthLabel(year, i)
			if number != m.number {
				continue
			}
			if leap == m.leap {
				list = append(list, i)
				found = true
			}
			if !leap {
				regular = i
			}
		}
		if !found && m.leap && regular >= 0 && skip != 0 {
			if skip > 0 {
				regular++
			}
			if regular < n {
				list = append(list, regular)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// addForeignMonth adds the days of a month that pass to c.chosen.
func (c *cursor) addForeignMonth(year, index int) {
	f := c.foreign
	first, length := monthStart(f, year, index), f.monthLength(year, index)
	yearFirst, yearLength := c.yearOf(year).first, c.yearOf(year).length
	mask := uint32(1)<<(length+1) - 2
	var before, after bool
	if len(f.monthDays) > 0 {
		m := monthDaysOf(f.monthDays, length, c.skip)
		mask, before, after = m.mask, m.before, m.after
	}
	if len(f.yearDays) > 0 {
		var days uint32
		at := int(first - yearFirst)
		for _, d := range f.yearDays {
			switch {
			case d < 0 && -d <= yearLength:
				d += yearLength + 1
			case d > yearLength && c.skip < 0:
				d = yearLength
			case d > yearLength:
				after = after || c.skip > 0 && at+length == yearLength
				continue
			case d < -yearLength && c.skip > 0:
				d = 1
			case d < 0:
				before = before || c.skip < 0 && index == 0
				continue
			}
			if d > at && d <= at+length {
				days |= 1 << (d - at)
			}
		}
		mask &= days
	}
	if c.hasDay {
		days := c.weekdayMask(weekday(first), length)
		if c.nthInYear {
			for _, n := range c.nth {
				if d := nthDay(n, weekday(yearFirst), yearLength) - int(first-yearFirst); d > 0 && d <= length && d+int(first-yearFirst) <= yearLength {
					days |= 1 << d
				}
			}
		} else {
			days |= c.nthMask(weekday(first), length)
		}
		mask &= days
		// RFC 7529 4.1: BYDAY limits what was moved too.
		plain := func(d int64) bool { return c.weekdays>>weekday(d)&1 == 1 }
		before = before && plain(first-1)
		after = after && plain(first+int64(length))
	}
	if before {
		c.chosen = append(c.chosen, first-1)
	}
	for ; mask != 0; mask &= mask - 1 {
		c.chosen = append(c.chosen, first+int64(bits.TrailingZeros32(mask))-1)
	}
	if after {
		c.chosen = append(c.chosen, first+int64(length))
	}
}
