package recur

// monthDays are the days of BYMONTHDAY in a month of a given length, and
// whether SKIP moves one into the month before or after.
type monthDays struct {
	mask          uint32
	before, after bool
}

// setDays fills the masks of months, weeks and days, with the expanding and
// limiting of the table in RFC 5545 3.3.10; DTSTART gives what the rule leaves out.
func (p *plan) setDays(r *Rule, startMonth, startMonthDay int) {
	if len(r.ByMonth)+len(r.ByLeapMonth) > 0 {
		p.months = 0
		for _, m := range r.ByMonth {
			if m >= 1 && m <= 12 {
				p.months |= 1 << m
			}
		}
		for _, m := range r.ByLeapMonth {
			// RFC 7529 4.1: the Gregorian calendar has no leap months; SKIP
			// goes to the regular month before or after it.
			if p.skip < 0 {
				p.months |= 1 << m & 0x1ffe
			} else if p.skip > 0 {
				p.months |= 1 << (m%12 + 1)
			}
		}
		if p.months == 0 {
			p.never = true
			return
		}
	}
	monthDays := r.ByMonthDay
	days := r.ByDay
	if len(r.ByWeekNo) > 0 {
		p.hasWN = true
		p.weekYears = r.Freq == Yearly
		for _, n := range r.ByWeekNo {
			if n > 0 {
				p.weekNo[0] |= 1 << min(n, 63)
			} else {
				p.weekNo[1] |= 1 << min(-n, 63)
			}
		}
	}
	// RFC 5545 3.3.10: what the rule does not say is taken from DTSTART.
	startWeekday := WeekdayNum{Day: weekdayOf(p.startDay)}
	none := len(days) == 0 && len(monthDays) == 0 && len(r.ByYearDay) == 0
	switch {
	case !none || r.Freq <= Daily:
	case p.hasWN || r.Freq == Weekly:
		days = []WeekdayNum{startWeekday}
	default:
		monthDays = []int{startMonthDay}
		if r.Freq == Yearly && len(r.ByMonth)+len(r.ByLeapMonth) == 0 {
			p.months = 1 << startMonth
		}
	}
	if len(monthDays) > 0 {
		p.hasMD = true
		for i := range p.monthDay {
			p.monthDay[i] = monthDaysOf(monthDays, 28+i, p.skip)
		}
	}
	if len(r.ByYearDay) > 0 {
		p.hasYD = true
		p.setYearDays(r.ByYearDay)
	}
	if len(days) > 0 {
		p.hasDay = true
		// RFC 5545 3.3.10: an ordinal has a meaning in a month or year only,
		// and none where BYWEEKNO chooses the weeks.
		ordinals := r.Freq == Monthly || r.Freq == Yearly && !p.weekYears
		for _, d := range days {
			if d.Ordinal == 0 || !ordinals {
				p.weekdays |= 1 << d.Day
			} else {
				p.nth = append(p.nth, d)
				// Note 2 of the table: of the month where BYMONTH is present.
				p.nthInYear = r.Freq == Yearly && len(r.ByMonth)+len(r.ByLeapMonth) == 0
			}
		}
		if p.weekdays == 0x7f {
			p.hasDay, p.nth, p.nthInYear = false, nil, false
		}
	}
	p.filtered = p.hasMD || p.hasYD || p.hasDay || p.hasWN || p.months != 0x1ffe
	if r.Freq == Weekly && p.months == 0x1ffe && !p.hasMD && !p.hasYD && !p.hasWN {
		for i := range 7 {
			if !p.hasDay || p.weekdays>>((p.wkst+i)%7)&1 == 1 {
				p.weekDays = append(p.weekDays, int64(i))
			}
		}
	}
}

func monthDaysOf(list []int, length, skip int) monthDays {
	var m monthDays
	for _, d := range list {
		switch {
		case d >= 1 && d <= length:
			m.mask |= 1 << d
		case d < 0 && -d <= length:
			m.mask |= 1 << (length + 1 + d)
		case d > length && skip < 0:
			m.mask |= 1 << length
		case d > length && skip > 0:
			m.after = true
		case d < -length && skip > 0:
			m.mask |= 1 << 1
		case d < -length && skip < 0:
			m.before = true
		}
	}
	return m
}

func (p *plan) setYearDays(list []int) {
	for leap, length := range [2]int{365, 366} {
		for _, d := range list {
			switch {
			case d < 0 && -d <= length:
				d += length + 1
			case d > length && p.skip < 0:
				d = length
			case d > length:
				p.yearDayAfter = p.skip > 0
				continue
			case d < -length && p.skip > 0:
				d = 1
			case d < 0:
				p.yearDayBefore = p.skip < 0
				continue
			}
			p.yearDay[leap][d/64] |= 1 << (d % 64)
		}
	}
}
