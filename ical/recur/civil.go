package recur

import "time"

// Arithmetic on the proleptic Gregorian calendar without time.Time: a day is
// the number of days since 1970-01-01, a clock reading the number of seconds
// since that day's midnight, with no zone.

const (
	secondsPerDay = 86400
	daysPer400    = 146097 // days in the Gregorian cycle, a multiple of 7
	maxYear       = 9999   // RFC 5545 3.3.4: a year has four digits
)

// maxReading is the last clock reading that iCalendar can write,
// 9999-12-31T23:59:59.
var maxReading = dayOf(maxYear, 12, 31)*secondsPerDay + secondsPerDay - 1

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// dayOf counts in years that begin on 1 March, so that the leap day is a
// year's last, and in cycles of 400 years.
func dayOf(year, month, day int) int64 {
	y := int64(year)
	m := int64(month) - 3
	if month <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*m+2)/5 + int64(day) - 1
	return era*daysPer400 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

func civil(d int64) (year, month, day int) {
	d += 719468
	era := floorDiv(d, daysPer400)
	doe := d - era*daysPer400
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	m := (5*doy + 2) / 153
	day = int(doy-(153*m+2)/5) + 1
	month = int(m) + 3
	year = int(yoe + era*400)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// weekday is 0 for Sunday, as in package time.
func weekday(d int64) int { return int(floorMod(d+4, 7)) }

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysInMonth(y, m int) int {
	switch m {
	case 2:
		if isLeap(y) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func daysInYear(y int) int {
	if isLeap(y) {
		return 366
	}
	return 365
}

// weekYearStart is the first day of week 1 of a year: the first week with at
// least four days in it, when weeks begin on wkst (RFC 5545 3.3.10 BYWEEKNO).
func weekYearStart(year, wkst int) int64 {
	jan4 := dayOf(year, 1, 4)
	return jan4 - int64((weekday(jan4)-wkst+7)%7)
}

// weekYear is the year to which the week of a day is counted.
func weekYear(d int64, wkst int) int {
	y, _, _ := civil(d)
	switch {
	case d >= weekYearStart(y+1, wkst):
		return y + 1
	case d < weekYearStart(y, wkst):
		return y - 1
	}
	return y
}

func weekdayOf(d int64) time.Weekday { return time.Weekday(weekday(d)) }
