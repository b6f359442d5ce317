package recur

import "math/bits"

// consume goes over periods, from a fresh cursor, and takes their members from
// COUNT without making them. It stops at the period goal, or earlier before the
// month, day or period in which COUNT ends. Where every period holds the same it
// is one multiplication; days are counted by the month or by the day, others
// period by period.
func (c *cursor) consume(goal int64) {
	if c.skip != 0 || c.never || c.left == 0 {
		return // with SKIP members can be met twice: they are counted singly
	}
	c.counting = true
	defer func() { c.counting = false }()
	if per := c.perPeriod(); per > 0 {
		c.consumeEqual(goal, per)
		return
	}
	if c.freq < Daily && !c.filtered {
		c.consumeTicks(goal)
		return
	}
	if c.freq <= Daily && c.step <= secondsPerDay/c.unit {
		c.consumeDays(goal)
		return
	}
	for c.nextPeriod() {
		if !c.spend(periodSteps) {
			return
		}
		n := int64(c.bases.n) * int64(len(c.times))
		if c.bases.at(0) <= c.start {
			n -= c.before(c.start)
		}
		if c.period >= goal || c.left <= n {
			break
		}
		c.left -= n
	}
	c.restartAt(c.period)
}

func (c *cursor) consumeEqual(goal, per int64) {
	if !c.nextPeriod() {
		return
	}
	first := c.period
	had := per - c.before(c.start)
	periods := (goal - first) / c.step // before the goal, the first among them
	if periods < 1 || c.left <= had {
		c.restartAt(first)
		return
	}
	full := min(periods-1, (c.left-had-1)/per)
	c.left -= had + full*per
	c.restartAt(first + (full+1)*c.step)
}

// consumeTicks counts a rule below a day that limits the time of day alone.
func (c *cursor) consumeTicks(goal int64) {
	k, per := c.listTicks(), int64(len(c.plan.times))
	var gone int64 // members of the first period that are before the start
	if k.hits[0] == 0 {
		at := c.start - c.first*c.unit
		for gone < per && int64(c.plan.times[gone]) < at {
			gone++
		}
	}
	n := (goal - c.first + c.step - 1) / c.step
	// The hit in which COUNT ends.
	final := (c.left + gone - 1) / per
	if h := int64(len(k.hits)); final < k.before(n) {
		n = final/h*k.size + int64(k.hits[final%h])
	} else {
		final = k.before(n)
	}
	if final > 0 {
		c.left -= final*per - gone
	}
	c.restartAt(c.first + n*c.step)
}

func (c *cursor) restartAt(period int64) {
	c.begun = false
	c.period = period
	c.bases.clear()
	c.i, c.j = 0, 0
	if period > c.periodOf(c.start) {
		c.last = max(c.last, c.start)
	}
}

// consumeDays counts a rule of days or less, whose interval is at most a day,
// day by day: what a day holds depends only on how far into it the first step
// falls.
func (c *cursor) consumeDays(goal int64) {
	perDay := secondsPerDay / c.unit
	origin := floorDiv(c.start, c.unit)
	day := floorDiv(c.start, secondsPerDay)
	lastDay := floorDiv(goal, perDay) // not included
	// The first day by itself: members before the start do not count.
	var n int64
	first := *c
	for first.nextPeriod() && first.bases.at(0) < (day+1)*secondsPerDay {
		n += int64(len(first.times)) - first.before(first.start)
	}
	if lastDay <= day || c.left <= n {
		return
	}
	c.left -= n
	day++
	steps := func(d int64) int64 { return floorMod(origin-d*perDay, c.step) } // of the first one
	held := make([]int64, min(c.step, perDay))
	for i := range held {
		held[i] = -1
	}
	holds := func(at int64) int64 {
		if at >= perDay {
			return 0
		}
		if held[at] < 0 {
			held[at] = 0
			for t := at; t < perDay; t += c.step {
				if !c.timeLimited || c.timePasses(t*c.unit) {
					held[at] += int64(len(c.times))
				}
			}
		}
		return held[at]
	}
	same := perDay%c.step == 0
	for day < lastDay {
		if !c.spend(1) {
			break
		}
		if same && !c.filtered { // all days at once
			if each := holds(steps(day)); each > 0 {
				full := min(lastDay-day, (c.left-1)/each)
				c.left -= full * each
				day += full
			}
			break
		}
		next := day
		if c.filtered {
			var ok bool
			if next, ok = c.nextDay(day); !ok || next >= lastDay {
				break
			}
		}
		n, beyond := holds(steps(next)), next+1
		if same { // the rest of the month at once
			days := c.mask >> (next - c.monthBegin + 1)
			if beyond = c.monthEnd; beyond > lastDay {
				days &= 1<<(lastDay-next) - 1
				beyond = lastDay
			}
			n *= int64(bits.OnesCount32(days))
		}
		if c.left <= n {
			day = next
			if !same {
				break
			}
			same = false // COUNT ends in this month: on which day?
			continue
		}
		c.left -= n
		day = beyond
	}
	c.restartAt(origin)
	c.reach(day * perDay)
	c.last = max(c.last, day*secondsPerDay-1)
}

// final is the last member; ok is false when there is none, limited when the
// search was given up.
func (p *plan) final() (last int64, ok, limited bool) {
	if p.count >= 0 {
		c := p.cursor()
		if c.skip != 0 && !c.never {
			c.countSingly(p.until + 1)
			if c.limited { // as if it went on
				return p.until, true, true
			}
			return c.last, c.last >= p.start, false
		}
		c.consume(p.periodOf(p.until))
		if c.limited {
			return p.until, true, true
		}
		left := c.left
		for {
			t, more := c.next()
			if !more {
				break
			}
			last, ok = t, true
		}
		if !ok && left > 0 && !c.limited { // it ends before COUNT does
			endless := *p
			endless.count = -1
			return endless.final()
		}
		return last, ok, c.limited
	}
	// Whether anything comes after a time is cheap to say: halve. No two
	// searches go over the same empty time.
	c := p.cursor()
	last, ok = c.next()
	if !ok || c.limited {
		return last, ok, c.limited
	}
	part := *p
	steps := c.steps
	for lo, hi := last, p.until+1; hi-lo > 1; {
		mid := lo + (hi-lo)/2
		part.setUntil(hi - 1)
		c := &cursor{steps: steps}
		c.open(&part)
		c.mark = 0 // all searches together
		c.seek(mid)
		t, more := c.next()
		steps = c.steps
		switch {
		case c.limited:
			return last, true, true
		case more:
			last, lo = t, t
		default:
			hi = mid
		}
	}
	return last, true, false
}

// perPeriod is the number of members that every period has, where it is the
// same for all periods; 0 where it is not.
func (p *plan) perPeriod() int64 {
	n := int64(len(p.times))
	switch {
	case p.never, p.foreign != nil:
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
	if !p.setpos.none() {
		n = int64(len(p.setpos.of(int(n), nil)))
	}
	return n
}
