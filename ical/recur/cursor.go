package recur

import (
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
	steps     int   // what the search has cost so far
	mark      int   // steps when a member was found last
	counting  bool  // members are counted: the whole is one search
	limited   bool  // gave up although there may be more

	// The period's members are bases[i]+times[j].
	bases  bases
	times  []int32
	i, j   int
	left   int64 // COUNT still to give, -1 without COUNT
	last   int64 // what was given last
	index  []int // of BYSETPOS
	chosen []int64

	// The month looked at last, for rules that ask day by day.
	year, month          int
	monthBegin, monthEnd int64
	mask                 uint32
	nthYear              int
	nthMasks             [13]uint32
	inYear               foreignYear
}

// maxSteps bounds what the search for the next member of a rule may cost, and
// that of all rules of a set together. Rules that can match at all need far
// fewer; what is left are combinations made to waste time. One step takes about
// 20 ns.
const maxSteps = 1 << 19

// What a period without a member costs in steps.
const (
	periodSteps  = 4
	foreignSteps = 40 // a period, or a month of days, of another calendar
)

// spend takes steps; it tells whether the search may go on.
func (c *cursor) spend(n int) bool {
	if c.steps += n; c.steps-c.mark <= c.share {
		return true
	}
	c.limited = true
	return false
}

// noYear is a year that no month is of.
const noYear = -1 << 31

var zeroTimes = []int32{0}

func (p *plan) cursor() *cursor {
	c := &cursor{}
	c.open(p)
	return c
}

// open sets a cursor on the first period of a plan.
func (c *cursor) open(p *plan) {
	c.plan, c.left, c.last, c.times = p, p.count, p.start-1, p.times
	c.nthYear, c.inYear.year = noYear, noYear
	c.period, c.lastOne, c.counting = p.first, p.last, false
	c.mark = c.steps
}

// next is the next member.
func (c *cursor) next() (int64, bool) {
	if c.alone && c.begun && c.i == c.bases.n && c.left != 0 {
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
		for c.i < c.bases.n {
			t := c.bases.at(c.i) + int64(c.times[c.j])
			if c.j++; c.j == len(c.times) {
				c.i, c.j = c.i+1, 0
			}
			if t <= c.last { // before the start, or met again by SKIP
				continue
			}
			if t > c.until || c.left == 0 {
				c.bases.clear()
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
		if c.bases.n > 0 {
			c.fruitless = 0
			if !c.counting {
				c.mark = c.steps
			}
			return true
		}
		cost := periodSteps
		if c.foreign != nil {
			cost = foreignSteps
		}
		if c.limited || !c.spend(cost) {
			return false
		}
		if c.fruitless++; c.fruitless > c.rounds {
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

// before is the number of the loaded period's members before t.
func (c *cursor) before(t int64) int64 {
	i := sort.Search(c.bases.n, func(i int) bool { return c.bases.at(i)+int64(c.times[len(c.times)-1]) >= t })
	if i == c.bases.n {
		return int64(i) * int64(len(c.times))
	}
	j := sort.Search(len(c.times), func(j int) bool { return c.bases.at(i)+int64(c.times[j]) >= t })
	return int64(i)*int64(len(c.times)) + int64(j)
}

// setPosition makes the loaded period's member number n the next.
func (c *cursor) setPosition(n int64) {
	c.i, c.j = int(n/int64(len(c.times))), int(n%int64(len(c.times)))
}

func reading(t int64) time.Time { return time.Unix(t, 0).UTC() }

// bases are readings in order. The few of most periods need no memory of their
// own, so that a cursor can live on the stack.
type bases struct {
	n    int
	few  [8]int64
	many []int64 // all of them, when there are more
}

func (b *bases) clear() { b.n = 0 }

func (b *bases) at(i int) int64 {
	if b.n <= len(b.few) {
		return b.few[i&(len(b.few)-1)]
	}
	return b.many[i]
}

func (b *bases) add(t int64) {
	switch {
	case b.n < len(b.few):
		b.few[b.n] = t
	case b.n == len(b.few):
		b.many = append(append(b.many[:0], b.few[:]...), t)
	default:
		b.many = append(b.many, t)
	}
	b.n++
}
