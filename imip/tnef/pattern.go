package tnef

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// pattern is a recurrence (MS-OXOCAL 2.2.1.44) as iCalendar says it.
type pattern struct {
	rule    string        // RRULE without its end
	until   time.Time     // day of the last occurrence, as a reading of clocks; zero = no such end
	count   uint32        // 0 = not counted
	deleted []time.Time   // days without an occurrence
	start   time.Duration // since midnight, of each occurrence
}

// Values of the structure.
const (
	patternVersion = 0x3004
	endByDate      = 0x2021
	endByCount     = 0x2022
	endNever       = 0x2023
	endNever2      = 0xffffffff

	patternDay      = 0
	patternWeek     = 1
	patternMonth    = 2
	patternMonthNth = 3
	patternMonthEnd = 4

	frequencyYearly = 0x200d
)

// maxDeleted bounds the days that are left out. Outlook makes at most 999
// occurrences.
const maxDeleted = 1000

var weekdays = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

var errPattern = errors.New("tnef: the series has a pattern that is not understood")

// day is a count of minutes since 1601 that falls on a midnight.
func day(minutes uint32) time.Time {
	return fileTimeEpoch.AddDate(0, 0, int(minutes/(24*60)))
}

func readPattern(b []byte) (p pattern, err error) {
	r := reader{data: b}
	reads, writes := r.u16(), r.u16()
	if reads != patternVersion || writes != patternVersion {
		return p, errPattern
	}
	frequency, kind, calendar := r.u16(), r.u16(), r.u16()
	if calendar > 1 { // 0 default, 1 Gregorian; the others count other months
		return p, errPattern
	}
	first := r.u32()
	period := r.u32()
	if r.u32() != 0 { // sliding: of tasks
		return p, errPattern
	}
	if period == 0 || period > 1000*24*60 {
		return p, errPattern
	}
	yearly := frequency == frequencyYearly && period%12 == 0
	months := func() string {
		if yearly {
			return fmt.Sprintf("FREQ=YEARLY;INTERVAL=%d;BYMONTH=%d", period/12, int(day(first).Month()))
		}
		return fmt.Sprintf("FREQ=MONTHLY;INTERVAL=%d", period)
	}
	var startMonth bool
	switch kind {
	case patternDay:
		if period%(24*60) != 0 {
			return p, errPattern
		}
		p.rule = fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", period/(24*60))
	case patternWeek:
		days := maskDays(r.u32())
		if days == "" {
			return p, errPattern
		}
		p.rule = fmt.Sprintf("FREQ=WEEKLY;INTERVAL=%d;BYDAY=%s", period, days)
	case patternMonth, patternMonthEnd:
		n := r.u32()
		switch {
		case kind == patternMonthEnd || n == 31: // the 31st is the last day there is
			p.rule = months() + ";BYMONTHDAY=-1"
		case n < 1 || n > 31:
			return p, errPattern
		case n > 28: // of a shorter month it is the last day
			p.rule = fmt.Sprintf("%s;BYMONTHDAY=%s;BYSETPOS=-1", months(), daysTo(n))
		default:
			p.rule = fmt.Sprintf("%s;BYMONTHDAY=%d", months(), n)
		}
		startMonth = yearly
	case patternMonthNth:
		days, n := maskDays(r.u32()), r.u32()
		if days == "" || n < 1 || n > 5 {
			return p, errPattern
		}
		position := int(n)
		if n == 5 {
			position = -1
		}
		p.rule = fmt.Sprintf("%s;BYDAY=%s;BYSETPOS=%d", months(), days, position)
		startMonth = yearly
	default:
		return p, errPattern
	}
	end, count := r.u32(), r.u32()
	if firstDay := r.u32(); firstDay > 6 {
		return p, errPattern
	} else if kind == patternWeek {
		p.rule += ";WKST=" + weekdays[firstDay]
	}
	deleted := r.u32()
	if deleted > maxDeleted {
		return p, errPattern
	}
	for range deleted {
		p.deleted = append(p.deleted, day(r.u32()))
	}
	if modified := r.u32(); modified != 0 {
		return p, errors.New("tnef: the series has changed occurrences, which a message of Outlook's own form does not tell whole")
	}
	start, last := r.u32(), r.u32()
	r.u32()
	r.u32() // versions of the second part
	offset := r.u32()
	if r.short || offset >= 24*60 {
		return p, errPattern
	}
	if startMonth { // the first date's month is not always said; the first occurrence's is
		p.rule = strings.Replace(p.rule, fmt.Sprintf("BYMONTH=%d;", int(day(first).Month())), fmt.Sprintf("BYMONTH=%d;", int(day(start).Month())), 1)
	}
	p.start = time.Duration(offset) * time.Minute
	switch end {
	case endByCount:
		if count == 0 || count > maxDeleted {
			return p, errPattern
		}
		p.count = count
	case endByDate:
		p.until = day(last)
	case endNever, endNever2:
	default:
		return p, errPattern
	}
	return p, nil
}

// maskDays writes the days of a week, Sunday the lowest bit.
func maskDays(mask uint32) string {
	var days []string
	for i, d := range weekdays {
		if mask&(1<<i) != 0 {
			days = append(days, d)
		}
	}
	return strings.Join(days, ",")
}

// daysTo lists the days from the 28th.
func daysTo(n uint32) string {
	out := "28"
	for d := uint32(29); d <= n; d++ {
		out += fmt.Sprintf(",%d", d)
	}
	return out
}
