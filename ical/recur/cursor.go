package recur

import (
	"math/bits"
	"sort"
	"time"
)

// A cursor walks the members of a plan in order. It visits periods by number
// (years, months since year 0, weeks, days, hours, minutes or seconds since
// 1970), so that any period is reached by one multiplication.
type cursor struct {
	*plan
	begun     bool
	period    int64 // number of the period that is loaded
	lastOne   int64 // number of the last period worth a look
	fruitless int   // periods without a member, in a row
	steps     int   // of a rule below a day, since the last member
	limited   bool  // gave up although there may be more
	simple    bool  // every period has one member, at the same time of it

	// The period's members are bases[i]+times[j].
	bases  []int64
	times  []int32
	i, j   int
	left   int64 // COUNT still to give, -1 without COUNT
	last   int64 // what was given last
	buffer [8]int64
	index  []int // of BYSETPOS

	// The month looked at last, for rules that ask day by day.
	year, month          int
	monthBegin, monthEnd int64
	mask                 uint32
	nthYear              int
	nthMasks             [13]uint32
}

// cycle is the number of periods in 400 years. The calendar repeats after that
// many, so INTERVAL can have met every kind of period in as many steps: when
// that many in a row have no member, no later one has.
var cycle = [...]int{Daily: daysPer400, Weekly: daysPer400 / 7, Monthly: 400 * 12, Yearly: 400}

// maxSteps bounds the search of a rule below a day for its next member. Rules
// that can match at all need far fewer; what is left are combinations made to
// waste time.
const maxSteps = 1 << 20

var zeroTimes = []int32{0}

func (p *plan) cursor() *cursor {
	c := &cursor{plan: p, left: p.count, last: p.start - 1, times: p.times, nthYear: -1 << 31}
	c.bases = c.buffer[:0]
	c.period = p.periodOf(p.start)
	if p.weekYears && !p.dayPasses(p.startDay) {
		// A DTSTART that does not match, at the turn of the year: INTERVAL
		// counts from its calendar year, as other implementations do.
		y, _, _ := civil(p.startDay)
		if p.step == 1 {
			y--
		}
		c.period = int64(y)
	}
	c.lastOne = p.periodOf(p.until) + 1 // SKIP can move a member back by a period
	if p.freq < Weekly {
		c.lastOne--
	}
	c.simple = p.freq <= Daily && !p.filtered && !p.timeLimited && len(p.times) == 1 && !p.never
	return c
}

func (p *plan) periodOf(t int64) int64 {
	day := floorDiv(t, secondsPerDay)
	switch p.freq {
	case Weekly:
		return floorDiv(day-int64((p.wkst+3)%7), 7) // 1970-01-01 was a Thursday: day 4-7 = -3 a Sunday
	case Monthly:
		y, m, _ := civil(day)
		return int64(y)*12 + int64(m) - 1
	case Yearly:
		if p.weekYears {
			return int64(weekYear(day, p.wkst))
		}
		y, _, _ := civil(day)
		return int64(y)
	}
	return floorDiv(t, p.unit)
}

// next is the next member.
func (c *cursor) next() (int64, bool) {
	if c.simple && c.begun && c.i == len(c.bases) && c.left != 0 {
		c.period += c.step
		if t := c.period*c.unit + int64(c.times[0]); t <= c.until && t > c.last {
			c.last = t
			if c.left > 0 {
				c.left--
			}
			return t, true
		}
		c.period -= c.step
	}
	for {
		for c.i < len(c.bases) {
			t := c.bases[c.i] + int64(c.times[c.j])
			if c.j++; c.j == len(c.times) {
				c.i, c.j = c.i+1, 0
			}
			if t <= c.last { // before the start, or met again by SKIP
				continue
			}
			if t > c.until || c.left == 0 {
				c.bases = c.bases[:0]
				c.left = 0
				return 0, false
			}
			c.last = t
			if c.left > 0 {
				c.left--
			}
			return t, true
		}
		if c.left == 0 || !c.nextPeriod() {
			return 0, false
		}
	}
}

// nextPeriod loads the next period that has a member.
func (c *cursor) nextPeriod() bool {
	if c.never {
		return false
	}
	for {
		if c.begun {
			c.period += c.step
		}
		c.begun = true
		if c.freq < Daily && (c.filtered || c.timeLimited) && !c.alignTime() {
			return false
		}
		if c.period > c.lastOne {
			return false
		}
		c.load()
		if len(c.bases) > 0 {
			c.fruitless = 0
			return true
		}
		if c.fruitless++; c.fruitless > cycle[c.freq] {
			c.lastOne = c.period
			return false
		}
	}
}

// reach moves on to the first period not before the given one that the
// interval meets.
func (c *cursor) reach(period int64) {
	if gap := period - c.period; gap > 0 {
		c.period += (gap + c.step - 1) / c.step * c.step
	}
}

// alignTime moves on, from a period below a day, to the first that passes
// every limit.
func (c *cursor) alignTime() bool {
	for c.steps = 0; c.steps < maxSteps; c.steps++ {
		if c.period > c.lastOne {
			return false
		}
		t := c.period * c.unit
		day := floorDiv(t, secondsPerDay)
		if c.filtered {
			d, ok := c.nextDay(day)
			if !ok {
				return false
			}
			if d > day {
				c.reach(d * (secondsPerDay / c.unit))
				continue
			}
		}
		tod := t - day*secondsPerDay
		hour, minute, second := tod/3600, tod/60%60, tod%60
		var beyond int64 // the first reading after t that may pass
		switch {
		case c.hours>>hour&1 == 0:
			beyond = day*secondsPerDay + 3600*following(uint64(c.hours), hour, 24)
		case c.minutes>>minute&1 == 0:
			beyond = t - tod%3600 + 60*following(c.minutes, minute, 60)
		case c.seconds>>second&1 == 0:
			beyond = t - tod%60 + following(c.seconds, second, 60)
		default:
			return true
		}
		c.reach((beyond + c.unit - 1) / c.unit)
	}
	c.limited = true
	return false
}

// following is the first bit after n, or size when there is none.
func following(mask uint64, n, size int64) int64 {
	if rest := mask >> (n + 1); rest != 0 {
		return n + 1 + int64(bits.TrailingZeros64(rest))
	}
	return size
}

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
	c.mask = c.monthMask(c.year, c.month, c.nthOf(c.year))
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
	c.bases, c.i, c.j = c.bases[:0], 0, 0
	switch c.freq {
	case Yearly:
		c.loadYear()
	case Monthly:
		c.addMonth(int(floorDiv(c.period, 12)), int(floorMod(c.period, 12))+1)
	case Weekly:
		c.loadWeek()
	case Daily:
		c.loadDay()
	default:
		c.bases = append(c.bases, c.period*c.unit)
	}
	if len(c.setpos) > 0 {
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
	c.bases = append(c.bases, c.period*secondsPerDay)
}

func (c *cursor) loadWeek() {
	start := c.period*7 + int64((c.wkst+3)%7)
	if c.weekDays != nil {
		for _, d := range c.weekDays {
			c.bases = append(c.bases, (start+d)*secondsPerDay)
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
	for mask := c.monthMask(year, month, c.nthOf(year)); mask != 0; mask &= mask - 1 {
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
	if n := len(c.bases); n > 0 && c.bases[n-1] >= t {
		return // SKIP met a day that is already there
	}
	c.bases = append(c.bases, t)
}

// choose keeps the members that BYSETPOS names.
func (c *cursor) choose() {
	n := len(c.bases)
	per := len(c.plan.times)
	c.index = positions(c.setpos, n*per, c.index)
	for _, i := range c.index {
		c.bases = append(c.bases, c.bases[i/per]+int64(c.plan.times[i%per]))
	}
	c.bases = append(c.bases[:0], c.bases[n:]...)
	c.times = zeroTimes
}

// before is the number of the loaded period's members before t.
func (c *cursor) before(t int64) int64 {
	i := sort.Search(len(c.bases), func(i int) bool { return c.bases[i]+int64(c.times[len(c.times)-1]) >= t })
	if i == len(c.bases) {
		return int64(i) * int64(len(c.times))
	}
	j := sort.Search(len(c.times), func(j int) bool { return c.bases[i]+int64(c.times[j]) >= t })
	return int64(i)*int64(len(c.times)) + int64(j)
}

// setPosition makes the loaded period's member number n the next.
func (c *cursor) setPosition(n int64) {
	c.i, c.j = int(n/int64(len(c.times))), int(n%int64(len(c.times)))
}

// seek moves a fresh cursor to the first member that is not before t.
func (c *cursor) seek(t int64) {
	if t <= c.start || c.never {
		return
	}
	t = min(t, maxReading+1)
	first := c.period
	target := c.periodOf(t)
	// One period of margin, for SKIP moves members over a period's end.
	skipped := (target-first)/c.step - 1
	if c.left < 0 {
		if skipped > 0 {
			c.period = first + skipped*c.step
		}
		c.last = t - 1
		if c.nextPeriod() {
			c.setPosition(c.before(t))
		}
		return
	}
	if skipped > 0 {
		c.consume(first + skipped*c.step)
	}
	for c.left > 0 {
		if c.i == len(c.bases) && !c.nextPeriod() {
			c.left = 0
			return
		}
		at := int64(c.i)*int64(len(c.times)) + int64(c.j)
		begin := max(at, c.before(c.last+1))
		end := max(begin, c.before(t))
		if c.skip != 0 { // members can be met twice; count one by one
			c.countSingly(t)
			return
		}
		c.left -= min(c.left, end-begin)
		c.setPosition(end)
		if c.i < len(c.bases) {
			return
		}
	}
}

// countSingly takes members before t from COUNT where SKIP can meet them twice.
// It moves days, so the times of a base are counted together: a day with every
// second in it costs as much as one with a single time.
func (c *cursor) countSingly(t int64) {
	for c.left > 0 {
		if c.i == len(c.bases) && !c.nextPeriod() {
			c.left = 0
			return
		}
		for c.i < len(c.bases) {
			if c.j == 0 {
				n := len(c.times)
				first, last := c.bases[c.i]+int64(c.times[0]), c.bases[c.i]+int64(c.times[n-1])
				if last <= c.last {
					c.i++
					continue
				}
				if first > c.last && last < t && c.left > int64(n) {
					c.left -= int64(n)
					c.last = last
					c.i++
					continue
				}
			}
			m := c.bases[c.i] + int64(c.times[c.j])
			if m >= t && m > c.last {
				return
			}
			if c.j++; c.j == len(c.times) {
				c.i, c.j = c.i+1, 0
			}
			if m > c.last {
				c.last = m
				if c.left--; c.left == 0 {
					return
				}
			}
		}
	}
}

func reading(t int64) time.Time { return time.Unix(t, 0).UTC() }
