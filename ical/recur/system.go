package recur

// A calendarSystem is one of CLDR's calendars other than the Gregorian, of those
// that are pure arithmetic (RFC 7529 4). Days are as in civil.go. The months of a
// year are counted from 0 in their order.
type calendarSystem interface {
	// yearStart is the first day of a year.
	yearStart(year int) int64
	// monthsBefore is the number of months from year 1 up to a year.
	monthsBefore(year int) int64
	// monthLength is the number of days of the month with an index.
	monthLength(year, index int) int
	// monthLabel is the number under which BYMONTH knows the month, and whether
	// it is a leap month.
	monthLabel(year, index int) (number int, leap bool)
}

// toUnixDay is what is to be added to a count of days in which 0001-01-01 of the
// Gregorian calendar is day 1 (Reingold and Dershowitz, Calendrical Calculations:
// the R.D. of the epochs below).
const toUnixDay = -719163

// systems are the calendars by their RSCALE; those with the Gregorian months and
// another count of years need no system.
var systems = map[string]calendarSystem{
	"ETHIOPIC":            alexandrian{2796},
	"ETHIOPIC-AMETE-ALEM": alexandrian{2796},
	"ETHIOAA":             alexandrian{2796},
	"COPTIC":              alexandrian{103605},
	"HEBREW":              hebrew{},
	"INDIAN":              indian{},
	"ISLAMIC-CIVIL":       islamic{227015},
	"ISLAMICC":            islamic{227015},
	"ISLAMIC-TBLA":        islamic{227014},
	"PERSIAN":             persian{},
}

// gregorianMonths are the calendars that differ from the Gregorian in the number
// of the year alone, which no rule part names.
var gregorianMonths = map[string]bool{"": true, "GREGORIAN": true, "GREGORY": true, "ISO8601": true, "BUDDHIST": true, "JAPANESE": true, "ROC": true}

// alexandrian is the calendar of Egypt and Ethiopia: twelve months of 30 days
// and one of five, six before each fourth year.
type alexandrian struct{ epoch int64 }

func (a alexandrian) yearStart(y int) int64 {
	return a.epoch + toUnixDay + 365*int64(y-1) + floorDiv(int64(y), 4)
}
func (alexandrian) monthsBefore(y int) int64 { return 13 * int64(y-1) }
func (a alexandrian) monthLength(y, i int) int {
	if i < 12 {
		return 30
	}
	return int(a.yearStart(y+1)-a.yearStart(y)) - 360
}
func (alexandrian) monthLabel(_, i int) (int, bool) { return i + 1, false }

// islamic is the tabular calendar: months of 30 and 29 days in turn, and a day
// more in eleven years of thirty.
type islamic struct{ epoch int64 }

func (s islamic) yearStart(y int) int64 {
	return s.epoch + toUnixDay + 354*int64(y-1) + floorDiv(3+11*int64(y), 30)
}
func (islamic) monthsBefore(y int) int64 { return 12 * int64(y-1) }
func (s islamic) monthLength(y, i int) int {
	switch {
	case i == 11:
		return int(s.yearStart(y+1)-s.yearStart(y)) - 325
	case i%2 == 0:
		return 30
	}
	return 29
}
func (islamic) monthLabel(_, i int) (int, bool) { return i + 1, false }

// persian is the solar calendar with eight leap years in 33, as ICU has it; it
// agrees with the equinox in Tehran up to the year 2123.
type persian struct{}

// persianEpoch fits the 33 years to the present time; history has it a day later.
const persianEpoch = 226895

func (persian) yearStart(y int) int64 {
	return persianEpoch + toUnixDay + 365*int64(y-1) + floorDiv(8*int64(y)+21, 33)
}
func (persian) monthsBefore(y int) int64 { return 12 * int64(y-1) }
func (p persian) monthLength(y, i int) int {
	switch {
	case i < 6:
		return 31
	case i < 11:
		return 30
	}
	return int(p.yearStart(y+1)-p.yearStart(y)) - 336
}
func (persian) monthLabel(_, i int) (int, bool) { return i + 1, false }

// indian is the national calendar of India, in step with the Gregorian leap
// years; its years are those of the Saka era.
type indian struct{}

func (indian) yearStart(y int) int64 {
	if isLeap(y + 78) {
		return dayOf(y+78, 3, 21)
	}
	return dayOf(y+78, 3, 22)
}
func (indian) monthsBefore(y int) int64 { return 12 * int64(y-1) }
func (indian) monthLength(y, i int) int {
	switch {
	case i == 0 && !isLeap(y+78), i > 5:
		return 30
	}
	return 31
}
func (indian) monthLabel(_, i int) (int, bool) { return i + 1, false }

// hebrew counts from Tishri; the leap month Adar I is 5L (RFC 7529 4.2).
type hebrew struct{}

const hebrewEpoch = -1373427 // 7 October 3761 BCE of the Julian calendar

func (hebrew) monthsBefore(y int) int64 { return floorDiv(235*int64(y)-234, 19) }

// elapsed are the days from the epoch to the mean new moon that begins a year,
// with the first two of the four postponements.
func (h hebrew) elapsed(y int) int64 {
	months := h.monthsBefore(y)
	parts := 12084 + 13753*months
	day := 29*months + floorDiv(parts, 25920)
	if floorMod(3*(day+1), 7) < 3 {
		day++
	}
	return day
}

func (h hebrew) yearStart(y int) int64 {
	before, at, after := h.elapsed(y-1), h.elapsed(y), h.elapsed(y+1)
	switch {
	case after-at == 356:
		at += 2
	case at-before == 382:
		at++
	}
	return hebrewEpoch + toUnixDay + at
}

func (hebrew) leap(y int) bool { return floorMod(7*int64(y)+1, 19) < 7 }

func (h hebrew) monthLength(y, i int) int {
	number, leap := h.monthLabel(y, i)
	switch length := h.yearStart(y+1) - h.yearStart(y); {
	case leap:
		return 30
	case number == 2:
		if length%10 == 5 {
			return 30
		}
		return 29
	case number == 3:
		if length%10 == 3 {
			return 29
		}
		return 30
	case number%2 == 1:
		return 30
	}
	return 29
}

func (h hebrew) monthLabel(y, i int) (number int, leap bool) {
	switch {
	case i < 5 || !h.leap(y):
		return i + 1, false
	case i == 5:
		return 5, true
	}
	return i, false
}

// monthsIn is the number of months of a year.
func monthsIn(s calendarSystem, year int) int {
	return int(s.monthsBefore(year+1) - s.monthsBefore(year))
}

// systemDate gives year, index of the month and day of the month.
func systemDate(s calendarSystem, d int64) (year, index, day int) {
	year = 1 + int(floorDiv((d-s.yearStart(1))*1000, s.yearStart(1001)-s.yearStart(1)))
	for s.yearStart(year+1) <= d {
		year++
	}
	for s.yearStart(year) > d {
		year--
	}
	rest := int(d - s.yearStart(year))
	for rest >= s.monthLength(year, index) {
		rest -= s.monthLength(year, index)
		index++
	}
	return year, index, rest + 1
}

// monthOf gives the year and index of an absolute month number.
func monthOf(s calendarSystem, n int64) (year, index int) {
	year = 1 + int(floorDiv(n*1000, s.monthsBefore(1001)))
	for s.monthsBefore(year+1) <= n {
		year++
	}
	for s.monthsBefore(year) > n {
		year--
	}
	return year, int(n - s.monthsBefore(year))
}

// monthStart is the first day of a month.
func monthStart(s calendarSystem, year, index int) int64 {
	d := s.yearStart(year)
	for i := range index {
		d += int64(s.monthLength(year, i))
	}
	return d
}
