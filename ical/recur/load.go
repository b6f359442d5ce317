package recur

import "math/bits"

// nextDay is the first day, not before d, that passes the limits on days.
func (c *cursor) nextDay(d int64) (int64, bool) {
	for range 400*12 + 1 {
		if d < c.monthBegin || d >= c.monthEnd {
			c.lookAt(d)
		}
		if rest := c.mask >> (d - c.monthBegin + 1); rest != 0 {
			return d + int64(bits.TrailingZeros32(rest)), true
		}
		d = c.monthEnd
		if c.foreign != nil && !c.spend(foreignSteps) {
			return 0, false
		}
	}
	return 0, false
}

func (c *cursor) lookAt(d int64) {
	if d == c.monthEnd && c.month > 0 {
		if c.month++; c.month > 12 {
			c.year, c.month = c.year+1, 1
		}
	} else {
		c.year, c.month, _ = civil(d)
		d = dayOf(c.year, c.month, 1)
	}
	c.monthBegin = d
	c.monthEnd = d + int64(daysInMonth(c.year, c.month))
	if c.foreign != nil {
		c.steps += foreignSteps
	}
	c.mask = c.monthMask(c.year, c.month, d, c.nthOf(c.year))
}

func (c *cursor) nthOf(year int) *[13]uint32 {
	if c.nthInYear && c.nthYear != year {
		c.nthInYearMask(year, &c.nthMasks)
		c.nthYear = year
	}
	return &c.nthMasks
}

// load fills the bases of c.period.
func (c *cursor) load() {
	c.bases.clear()
	c.i, c.j = 0, 0
	switch {
	case c.foreign != nil && c.freq >= Monthly:
		c.loadForeign()
	case c.freq == Yearly:
		c.loadYear()
	case c.fromMask:
		c.chooseOfMonth(int(floorDiv(c.period, 12)), int(floorMod(c.period, 12))+1)
		return
	case c.freq == Monthly:
		c.addMonth(int(floorDiv(c.period, 12)), int(floorMod(c.period, 12))+1)
	case c.freq == Weekly:
		c.loadWeek()
	case c.freq == Daily:
		c.loadDay()
	default:
		c.bases.add(c.period * c.unit)
	}
	if !c.setpos.none() {
		c.choose()
	}
}

func (c *cursor) loadDay() {
	if c.filtered {
		d, ok := c.nextDay(c.period)
		if !ok {
			c.lastOne = c.period
			return
		}
		if d > c.period {
			c.reach(d)
			if c.period > d {
				c.period -= c.step // nextPeriod adds it again
				return
			}
		}
		if d > c.lastOne {
			return
		}
	}
	c.bases.add(c.period * secondsPerDay)
}

func (c *cursor) loadWeek() {
	start := c.period*7 + int64((c.wkst+3)%7)
	if c.weekDays != nil {
		for _, d := range c.weekDays {
			c.bases.add((start + d) * secondsPerDay)
		}
		return
	}
	for d := start; d < start+7; d++ {
		c.addDay(d)
	}
}

func (c *cursor) loadYear() {
	year := int(c.period)
	if c.weekYears {
		c.loadWeekYear(year)
		return
	}
	if !isLeap(year) && c.yearDayBefore {
		c.addMoved(dayOf(year, 1, 1) - 1)
	}
	for rest := c.months; rest != 0; rest &= rest - 1 {
		c.addMonth(year, bits.TrailingZeros16(rest))
	}
	if !isLeap(year) && c.yearDayAfter {
		c.addMoved(dayOf(year+1, 1, 1))
	}
}

func (c *cursor) addMonth(year, month int) {
	if c.months>>month&1 == 0 {
		return
	}
	first := dayOf(year, month, 1)
	length := daysInMonth(year, month)
	moved := c.hasMD && c.skip != 0
	if moved && c.monthDay[length-28].before {
		c.addMoved(first - 1)
	}
	for mask := c.monthMask(year, month, first, c.nthOf(year)); mask != 0; mask &= mask - 1 {
		c.add(first + int64(bits.TrailingZeros32(mask)) - 1)
	}
	if moved && c.monthDay[length-28].after {
		c.addMoved(first + int64(length))
	}
}

// addMoved adds a day to which SKIP moved an invalid one. RFC 7529 4.1: BYDAY
// comes after SKIP and so limits the day moved to.
func (c *cursor) addMoved(d int64) {
	if c.hasDay {
		year, month, day := civil(d)
		length := daysInMonth(year, month)
		first := weekday(d - int64(day) + 1)
		passes := c.weekdayMask(first, length)
		if c.nthInYear {
			passes |= c.nthOf(year)[month]
		} else {
			passes |= c.nthMask(first, length)
		}
		if passes>>day&1 == 0 {
			return
		}
	}
	c.add(d)
}

func (c *cursor) loadWeekYear(year int) {
	start := weekYearStart(year, c.wkst)
	weeks := int(weekYearStart(year+1, c.wkst)-start) / 7
	chosen := c.weekNo[0]
	for rest := c.weekNo[1]; rest != 0; rest &= rest - 1 {
		if n := weeks + 1 - bits.TrailingZeros64(rest); n > 0 {
			chosen |= 1 << n
		} else if c.skip != 0 {
			chosen |= 1 << ((1 + c.skip) / 2) // the first week, or the one before it
		}
	}
	if chosen>>53&1 == 1 && weeks < 53 {
		if c.skip < 0 {
			chosen |= 1 << 52
		}
		if c.skip <= 0 {
			chosen &^= 1 << 53
		}
	}
	for rest := chosen; rest != 0; rest &= rest - 1 {
		first := start + 7*int64(bits.TrailingZeros64(rest)-1)
		for d := first; d < first+7; d++ {
			c.addDay(d)
		}
	}
}

// addDay adds a day when it passes the limits.
func (c *cursor) addDay(d int64) {
	if d < c.monthBegin || d >= c.monthEnd {
		c.lookAt(d)
	}
	if c.mask>>(d-c.monthBegin+1)&1 == 1 {
		c.add(d)
	}
}

func (c *cursor) add(d int64) {
	t := d * secondsPerDay
	if n := c.bases.n; n > 0 && c.bases.at(n-1) >= t {
		return // SKIP met a day that is already there
	}
	c.bases.add(t)
}

// chooseOfMonth adds those days of a month that BYSETPOS names, without making
// the others.
func (c *cursor) chooseOfMonth(year, month int) {
	if c.months>>month&1 == 0 {
		return
	}
	first := dayOf(year, month, 1)
	mask := c.monthMask(year, month, first, nil)
	n, taken := bits.OnesCount32(mask), 0
	c.index = c.setpos.of(n, c.index)
	for _, i := range c.index {
		if i == n-1 { // the last is the one asked for most
			c.add(first + int64(bits.Len32(mask)) - 2)
			return
		}
		for ; taken < i; taken++ {
			mask &= mask - 1
		}
		c.add(first + int64(bits.TrailingZeros32(mask)) - 1)
	}
}

// choose keeps the members that BYSETPOS names.
func (c *cursor) choose() {
	per := len(c.plan.times)
	c.index = c.setpos.of(c.bases.n*per, c.index)
	c.chosen = c.chosen[:0]
	for _, i := range c.index {
		c.chosen = append(c.chosen, c.bases.at(i/per)+int64(c.plan.times[i%per]))
	}
	c.bases.clear()
	for _, t := range c.chosen {
		c.bases.add(t)
	}
	c.times = zeroTimes
}
