package recur

import "math/bits"

// countTo goes over the given number of periods, from a fresh cursor, and takes
// what they hold from COUNT. Where every period holds the same, that is one
// multiplication; else days are counted by the month, or periods one by one
// without making their members.
func (c *cursor) countTo(first, periods int64) {
	if c.skip != 0 {
		return // members can be met twice: seek counts one by one
	}
	goal := first + periods*c.step
	if per := c.perPeriod(); per > 0 {
		if !c.nextPeriod() {
			c.left = 0
			return
		}
		had := per - c.before(c.start)
		full := periods - 1
		if full > 0 && (c.left-had)/per < full {
			c.left = 0
		} else {
			c.left = max(0, c.left-had-full*per)
		}
		c.restartAt(goal)
		return
	}
	if c.freq <= Daily && c.countDays(goal) {
		return
	}
	for c.left > 0 {
		if !c.nextPeriod() {
			c.left = 0
			return
		}
		if c.period >= goal {
			c.restartAt(c.period)
			return
		}
		n := int64(len(c.bases)) * int64(len(c.times))
		if c.bases[0] <= c.start {
			n -= c.before(c.start)
		}
		c.left -= min(c.left, n)
	}
}

func (c *cursor) restartAt(period int64) {
	c.begun = false
	c.period = period
	c.bases = c.bases[:0]
	c.i, c.j = 0, 0
}

// countDays counts a rule of days or less whose steps fall on the same times
// of every day: whole months at a time. It reports whether it could.
func (c *cursor) countDays(goal int64) bool {
	perDay := secondsPerDay / c.unit
	if perDay%c.step != 0 {
		return false
	}
	var each int64 // members of a day that passes
	if c.freq == Daily {
		each = int64(len(c.times))
	} else {
		for at := floorMod(c.period, c.step); at < perDay; at += c.step {
			if c.timePasses(at * c.unit) {
				each += int64(len(c.times))
			}
		}
	}
	// The first day by itself: members before the start do not count.
	firstDay := floorDiv(c.start, secondsPerDay)
	lastDay := floorDiv(goal*c.unit, secondsPerDay) // not included
	if lastDay <= firstDay+1 {
		return false
	}
	for c.nextPeriod() {
		if floorDiv(c.bases[0], secondsPerDay) > firstDay {
			break
		}
		if c.left -= min(c.left, int64(len(c.times))-c.before(c.start)); c.left == 0 {
			return true
		}
	}
	for d := firstDay + 1; d < lastDay && c.left > 0; {
		if !c.filtered {
			n := lastDay - d
			if each > 0 && c.left/each < n {
				c.left = 0
				return true
			}
			c.left -= n * each
			break
		}
		next, ok := c.nextDay(d)
		if !ok {
			c.left = 0
			return true
		}
		if next >= lastDay {
			break
		}
		rest := c.mask >> (next - c.monthBegin + 1)
		if c.monthEnd > lastDay {
			rest &= 1<<(lastDay-next) - 1
		}
		c.left -= min(c.left, int64(bits.OnesCount32(rest))*each)
		d = c.monthEnd
	}
	c.restartAt(c.period) // any period of the rule, before the goal or not
	c.period = floorDiv(c.start, c.unit)
	c.reach(lastDay * perDay)
	return true
}

// final is the last member; ok is false when there is none or no end. COUNT
// and UNTIL both end a rule.
func (p *plan) final() (last int64, ok, limited bool) {
	until := p.until
	if p.count >= 0 {
		// The COUNTth member, found by halving the time in which it must lie:
		// how many there are before a time is cheap to say.
		if p.count <= 1024 {
			c := p.cursor()
			for {
				t, more := c.next()
				if !more {
					return last, ok, c.limited
				}
				last, ok = t, true
			}
		}
		lo, hi := p.start, until+1 // after lo there is at least one left, after hi none
		for lo+1 < hi {
			mid := lo + (hi-lo)/2
			c := p.cursor()
			c.seek(mid)
			if _, more := c.next(); more {
				lo = mid
			} else {
				hi = mid
			}
		}
		c := p.cursor()
		c.seek(lo)
		t, more := c.next()
		return t, more, c.limited
	}
	endless := *p
	endless.count = -1
	// Look back from the end over spans that grow, so that dense rules walk
	// little and thin ones still find their last.
	span := int64(secondsPerDay)
	if p.freq < Daily {
		span = p.unit * 8
	}
	for {
		from := max(until-span, p.start)
		c := endless.cursor()
		c.seek(from)
		for {
			t, more := c.next()
			if !more {
				break
			}
			last, ok = t, true
		}
		if ok || from == p.start {
			return last, ok, c.limited
		}
		span *= 4
	}
}
