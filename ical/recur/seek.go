package recur

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
		if c.i == c.bases.n && !c.nextPeriod() {
			c.left = 0
			return
		}
		if !c.spend(1) {
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
		if c.i < c.bases.n {
			return
		}
	}
}

// countSingly takes members before t from COUNT where SKIP can meet them twice.
// It moves days, so the times of a base are counted together: a day with every
// second in it costs as much as one with a single time.
func (c *cursor) countSingly(t int64) {
	c.counting = true
	defer func() { c.counting = false }()
	for c.left > 0 {
		if c.i == c.bases.n && !c.nextPeriod() {
			c.left = 0
			return
		}
		for c.i < c.bases.n {
			if !c.spend(1) {
				c.left = 0
				return
			}
			if c.j == 0 {
				n := len(c.times)
				first, last := c.bases.at(c.i)+int64(c.times[0]), c.bases.at(c.i)+int64(c.times[n-1])
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
			m := c.bases.at(c.i) + int64(c.times[c.j])
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
