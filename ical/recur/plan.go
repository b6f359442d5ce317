package recur

import (
	"math/bits"
	"slices"
)

// A plan is a rule made ready for one start: every list is a bit mask, and
// what the rule leaves to DTSTART is filled in. Days of a month are bits 1 to
// 31 of a mask, so that one month is decided in a few instructions.
type plan struct {
	freq     Freq
	step     int64 // INTERVAL
	unit     int64 // length of a period below a day, in seconds
	wkst     int
	start    int64
	startDay int64
	until    int64 // inclusive
	count    int64 // -1 = no COUNT
	never    bool  // no period can have a member

	filtered bool   // some days are not members; below DAILY and for DAILY
	months   uint16 // bit m
	monthDay [4]monthDays
	hasMD    bool
	yearDay  [2][6]uint64 // by leap year; bit = day of the year
	hasYD    bool
	// RFC 7529 4.1: the year has no day ±366 and SKIP moves it out of the year.
	yearDayBefore, yearDayAfter bool
	weekNo                      [2]uint64 // weeks from the start and from the end of the year
	hasWN                       bool
	weekYears                   bool // the periods are the years to which weeks are counted
	hasDay                      bool
	weekdays                    uint8 // bit w
	nth                         []WeekdayNum
	nthInYear                   bool
	weekDays                    []int64 // WEEKLY with weekdays only: their distance from the week's start
	skip                        int     // -1 BACKWARD, 0 OMIT, +1 FORWARD

	hours            uint32 // limits, below DAILY
	minutes, seconds uint64
	timeLimited      bool
	eachDay          bool    // below DAILY with a DATE: every day once
	times            []int32 // members of a base (a day, hour, minute or second) as seconds after it
	setpos           []int32 // WEEKLY and longer; shorter ones have it worked into times
}

// monthDays are the days of BYMONTHDAY in a month of a given length, and
// whether SKIP moves one into the month before or after.
type monthDays struct {
	mask          uint32
	before, after bool
}

// compile turns a rule that starts at the clock reading start into masks that the
// walk can test by arithmetic.
func compile(r *Rule, start int64, dateOnly bool) *plan {
	day := floorDiv(start, secondsPerDay)
	tod := start - day*secondsPerDay
	_, startMonth, startMonthDay := civil(day)
	p := &plan{
		freq: r.Freq, step: int64(max(1, r.Interval)), wkst: int(r.WKST),
		start: start, startDay: day, until: maxReading, count: -1,
		months: 0x1ffe,
	}
	if r.Count > 0 {
		p.count = int64(r.Count)
	}
	if r.HasUntil {
		p.until = r.Until.Wall.Unix()
		if r.Until.IsDate() && !dateOnly {
			p.until += secondsPerDay - 1 // the last day counts whole
		}
		p.until = min(p.until, maxReading)
	}
	if r.Err() != nil || r.Freq < Secondly || r.Freq > Yearly {
		p.never = true
		return p
	}
	switch {
	case r.RScale == "" || r.Skip == "": // RFC 7529 4: SKIP MUST NOT be present unless RSCALE is
	case r.Skip == "BACKWARD":
		p.skip = -1
	case r.Skip == "FORWARD":
		p.skip = +1
	}
	if r.Freq < Monthly {
		p.skip = 0 // shorter periods give no invalid date
	}
	p.setDays(r, startMonth, startMonthDay)
	p.setTimes(r, int(tod), dateOnly)
	if !p.never && !p.reachable() {
		p.never = true
	}
	return p
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

// setTimes fills the masks of hours, minutes and seconds; tod is the time of day
// of DTSTART in seconds.
func (p *plan) setTimes(r *Rule, tod int, dateOnly bool) {
	byHour, byMinute, bySecond := r.ByHour, r.ByMinute, r.BySecond
	if dateOnly {
		// RFC 5545 3.3.10: MUST be ignored when DTSTART is a DATE.
		byHour, byMinute, bySecond = nil, nil, nil
	}
	hours := small(byHour, 23)
	minutes := small(byMinute, 59)
	// RFC 5545 3.3.12: without leap seconds the second 60 is the second 59.
	seconds := small(bySecond, 59)
	p.hours, p.minutes, p.seconds = 1<<24-1, 1<<60-1, 1<<60-1
	limitBy := func(list []int) uint64 {
		var mask uint64
		for _, n := range list {
			mask |= 1 << n
		}
		p.timeLimited = true
		return mask
	}
	// A part of the period's own size or longer limits; a shorter one expands,
	// and DTSTART stands for a shorter one that is absent.
	if p.freq <= Hourly {
		if len(hours) > 0 {
			p.hours = uint32(limitBy(hours))
		}
		hours = []int{0}
	} else if len(hours) == 0 {
		hours = []int{tod / 3600}
	}
	if p.freq <= Minutely {
		if len(minutes) > 0 {
			p.minutes = limitBy(minutes)
		}
		minutes = []int{0}
	} else if len(minutes) == 0 {
		minutes = []int{tod / 60 % 60}
	}
	if p.freq <= Secondly {
		if len(seconds) > 0 {
			p.seconds = limitBy(seconds)
		}
		seconds = []int{0}
	} else if len(seconds) == 0 {
		seconds = []int{tod % 60}
	}
	p.unit = [...]int64{Secondly: 1, Minutely: 60, Hourly: 3600, Daily: secondsPerDay, Weekly: secondsPerDay, Monthly: secondsPerDay, Yearly: secondsPerDay}[p.freq]
	p.times = make([]int32, 0, len(hours)*len(minutes)*len(seconds))
	for _, h := range hours {
		for _, m := range minutes {
			for _, s := range seconds {
				p.times = append(p.times, int32(h*3600+m*60+s))
			}
		}
	}
	if len(r.BySetPos) == 0 {
		return
	}
	for _, n := range r.BySetPos {
		p.setpos = append(p.setpos, int32(n))
	}
	if p.freq <= Daily { // every period has the same members
		var chosen []int32
		for _, i := range positions(p.setpos, len(p.times), nil) {
			chosen = append(chosen, p.times[i])
		}
		p.times, p.setpos = chosen, nil
		p.never = p.never || len(chosen) == 0
	}
}

// small is the list sorted, without duplicates, its numbers at most limit.
func small(list []int, limit int) []int {
	list = slices.Clone(list)
	for i := range list {
		list[i] = min(max(list[i], 0), limit)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// positions are the indexes, in order and once each, that BYSETPOS takes of a
// set of n members.
func positions(setpos []int32, n int, buf []int) []int {
	buf = buf[:0]
	for _, s := range setpos {
		i := int(s) - 1
		if s < 0 {
			i = n + int(s)
		}
		if i >= 0 && i < n {
			buf = append(buf, i)
		}
	}
	slices.Sort(buf)
	return slices.Compact(buf)
}

// reachable tells whether the steps of a rule below a day ever meet a time of
// day that its limits let through. Steps that all have the same remainder by
// the greatest common divisor of the step and the day meet no other time.
func (p *plan) reachable() bool {
	if p.freq >= Daily || !p.timeLimited || p.step == 1 {
		return true
	}
	perDay := secondsPerDay / p.unit
	common := gcd(p.step, perDay)
	for at := floorMod(floorDiv(p.start, p.unit), common); at < perDay; at += common {
		if p.timePasses(at * p.unit) {
			return true
		}
	}
	return false
}

func (p *plan) timePasses(tod int64) bool {
	return p.hours>>(tod/3600)&1 == 1 && p.minutes>>(tod/60%60)&1 == 1 && p.seconds>>(tod%60)&1 == 1
}

// monthMask has a bit for each day of a month that passes the rule's limits on
// days. nth holds the year's days chosen by BYDAY with ordinals in a year.
func (p *plan) monthMask(year, month int, nth *[13]uint32) uint32 {
	if p.months>>month&1 == 0 {
		return 0
	}
	length := daysInMonth(year, month)
	mask := uint32(1)<<(length+1) - 2
	if p.hasMD {
		mask &= p.monthDay[length-28].mask
	}
	if !p.hasDay && !p.hasYD && !p.hasWN {
		return mask
	}
	first := dayOf(year, month, 1)
	if p.hasYD {
		mask &= p.yearDaysIn(year, month, int(first-dayOf(year, 1, 1)))
	}
	if p.hasDay && mask != 0 {
		if p.nthInYear {
			mask &= p.weekdayMask(weekday(first), length) | nth[month]
		} else {
			mask &= p.weekdayMask(weekday(first), length) | p.nthMask(weekday(first), length)
		}
	}
	if p.hasWN && !p.weekYears && mask != 0 {
		var weeks uint32
		for w := 1 - (weekday(first)-p.wkst+7)%7; w <= length; w += 7 {
			if p.weekPasses(first + int64(w) - 1) {
				// Seven days from the w-th, which can lie before the month.
				weeks |= uint32(uint64(0x7f) << (w + 7) >> 7)
			}
		}
		mask &= weeks
	}
	return mask
}

// everySeventh has the bits 0, 7, 14, 21 and 28.
const everySeventh = 1 | 1<<7 | 1<<14 | 1<<21 | 1<<28

func (p *plan) weekdayMask(first, length int) uint32 {
	var mask uint32
	for rest := p.weekdays; rest != 0; rest &= rest - 1 {
		w := bits.TrailingZeros8(rest)
		mask |= everySeventh << (1 + (w-first+7)%7)
	}
	return mask & (1<<(length+1) - 2)
}

func (p *plan) nthMask(first, length int) uint32 {
	var mask uint32
	for _, n := range p.nth {
		if d := nthDay(n, first, length); d > 0 && d <= length {
			mask |= 1 << d
		}
	}
	return mask
}

// nthDay is the day, counted from 1, on which the nth weekday falls in a span
// of days that begins on weekday first; outside of the span when there is none.
func nthDay(n WeekdayNum, first, length int) int {
	d := 1 + (int(n.Day)-first+7)%7
	if n.Ordinal > 0 {
		return d + 7*(n.Ordinal-1)
	}
	last := d + (length-d)/7*7
	return last + 7*(n.Ordinal+1)
}

// nthInYearMask fills the days of a year chosen by BYDAY with ordinals.
func (p *plan) nthInYearMask(year int, masks *[13]uint32) {
	*masks = [13]uint32{}
	jan1 := dayOf(year, 1, 1)
	length := daysInYear(year)
	for _, n := range p.nth {
		if d := nthDay(n, weekday(jan1), length); d > 0 && d <= length {
			_, m, md := civil(jan1 + int64(d) - 1)
			masks[m] |= 1 << md
		}
	}
}

func (p *plan) yearDaysIn(year, month, before int) uint32 {
	set := &p.yearDay[0]
	if isLeap(year) {
		set = &p.yearDay[1]
	}
	// Day d of the month is bit before+d of the set.
	word, shift := before/64, before%64
	v := set[word] >> shift
	if shift > 0 && word+1 < len(set) {
		v |= set[word+1] << (64 - shift)
	}
	return uint32(v)
}

func (p *plan) weekPasses(d int64) bool {
	y := weekYear(d, p.wkst)
	start := weekYearStart(y, p.wkst)
	weeks := int(weekYearStart(y+1, p.wkst)-start) / 7
	n := int(d-start)/7 + 1
	return p.weekNo[0]>>n&1 == 1 || p.weekNo[1]>>(weeks+1-n)&1 == 1
}

// dayPasses tells whether a day passes the limits of a rule with weekYears.
func (p *plan) dayPasses(d int64) bool {
	y, m, md := civil(d)
	return p.monthMask(y, m, nil)>>md&1 == 1 && p.weekPasses(d)
}

// perPeriod is the number of members that every period has, where it is the
// same for all periods; 0 where it is not.
func (p *plan) perPeriod() int64 {
	n := int64(len(p.times))
	switch {
	case p.never:
		return 0
	case p.freq < Daily:
		if p.filtered || p.timeLimited {
			return 0
		}
	case p.freq == Daily:
		if p.filtered {
			return 0
		}
	case p.freq == Weekly:
		n *= int64(len(p.weekDays))
	case p.hasYD || p.hasWN || p.skip != 0 || p.nthInYear:
		return 0
	case p.freq == Monthly && p.months != 0x1ffe, p.hasDay && p.hasMD, p.hasDay && p.weekdays != 0:
		return 0
	default:
		days := 0
		if p.hasMD {
			days = bits.OnesCount32(p.monthDay[0].mask)
			for _, m := range p.monthDay[1:] {
				if bits.OnesCount32(m.mask) != days {
					return 0 // a day 29 to 31, or one that two numbers name
				}
			}
		} else {
			seen := map[WeekdayNum]bool{}
			for _, d := range p.nth {
				// The first and the last four are there in every month, but the
				// fourth can be the last.
				if d.Ordinal > 4 || d.Ordinal < 1 {
					return 0
				}
				seen[d] = true
			}
			days = len(seen)
		}
		if p.freq == Yearly {
			days *= bits.OnesCount16(p.months)
		}
		n *= int64(days)
	}
	if len(p.setpos) > 0 {
		n = int64(len(positions(p.setpos, int(n), nil)))
	}
	return n
}
