package recur

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

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
	p.setpos = newSetPositions(r.BySetPos)
	if p.freq <= Daily { // every period has the same members
		var chosen []int32
		for _, i := range p.setpos.of(len(p.times), nil) {
			chosen = append(chosen, p.times[i])
		}
		p.times, p.setpos = chosen, setPositions{}
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

// patience is how many steps a search takes from limit to limit before the hits
// of the clock are listed.
const patience = 64

// ticks are the steps of a rule below a day whose time of day passes its limits.
// Which do is the same after every day's worth of steps: with P periods a day
// and an interval S after P/gcd(P,S) of them.
type ticks struct {
	once sync.Once
	size int64   // steps after which it repeats
	hits []int32 // numbers of the steps that pass, sorted
	jump []int32 // by steps/64: the index of the first hit that is not before
}

func (p *plan) listTicks() *ticks {
	k := p.ticks
	k.once.Do(func() {
		perDay := secondsPerDay / p.unit
		k.size = perDay / gcd(p.step, perDay)
		at, step := floorMod(p.first, perDay), p.step%perDay
		for i := range k.size {
			if i%64 == 0 {
				k.jump = append(k.jump, int32(len(k.hits)))
			}
			if p.timePasses(at * p.unit) {
				k.hits = append(k.hits, int32(i))
			}
			if at += step; at >= perDay {
				at -= perDay
			}
		}
	})
	return k
}

// next is the first step, not before n, that passes. There is one: see reachable.
func (k *ticks) next(n int64) int64 {
	round := n / k.size
	n -= round * k.size
	for i := int(k.jump[n/64]); i < len(k.hits); i++ {
		if h := int64(k.hits[i]); h >= n {
			return round*k.size + h
		}
	}
	return (round+1)*k.size + int64(k.hits[0])
}

// before is the number of steps in [0, n) that pass.
func (k *ticks) before(n int64) int64 {
	round := n / k.size
	i, _ := slices.BinarySearch(k.hits, int32(n-round*k.size))
	return round*int64(len(k.hits)) + int64(i)
}

// alignTime moves on, from a period below a day, to the first that passes
// every limit. It ends when nothing can be met any more: the calendar repeats
// after 400 years, and the rule with it once its steps fill that many whole.
func (c *cursor) alignTime() bool {
	perDay := secondsPerDay / c.unit
	var never int64
	for steps := 0; c.spend(1); steps++ {
		if steps == patience {
			never = math.MaxInt64
			whole := daysPer400 * perDay
			if rounds := whole / gcd(whole, c.step); rounds <= (c.lastOne-c.period)/c.step && c.foreign == nil {
				never = c.period + rounds*c.step
			}
		}
		if c.period > c.lastOne || steps >= patience && c.period > never {
			c.lastOne = min(c.lastOne, c.period-1)
			return false
		}
		day := floorDiv(c.period, perDay)
		if c.filtered {
			d, ok := c.nextDay(day)
			if !ok {
				c.lastOne = c.period - 1
				return false
			}
			if d > day {
				c.reach(d * perDay)
				if c.period >= (d+1)*perDay {
					continue
				}
				day = d
			}
		}
		if steps < patience {
			beyond := c.beyond(c.period*c.unit-day*secondsPerDay) + day*secondsPerDay
			if beyond == c.period*c.unit {
				return c.period <= c.lastOne
			}
			c.reach((beyond + c.unit - 1) / c.unit)
			continue
		}
		if !c.timeLimited {
			return c.period <= c.lastOne
		}
		n := (c.period - c.first) / c.step
		c.period += (c.listTicks().next(n) - n) * c.step
		if c.period < (day+1)*perDay {
			return c.period <= c.lastOne
		}
	}
	return false
}

// beyond is the first time of day after tod that may pass the limits, tod itself
// when it passes all.
func (p *plan) beyond(tod int64) int64 {
	hour, minute, second := tod/3600, tod/60%60, tod%60
	switch {
	case p.hours>>hour&1 == 0:
		return 3600 * following(uint64(p.hours), hour, 24)
	case p.minutes>>minute&1 == 0:
		return tod - tod%3600 + 60*following(p.minutes, minute, 60)
	case p.seconds>>second&1 == 0:
		return tod - tod%60 + following(p.seconds, second, 60)
	}
	return tod
}

// following is the first bit after n, or size when there is none.
func following(mask uint64, n, size int64) int64 {
	if rest := mask >> (n + 1); rest != 0 {
		return n + 1 + int64(bits.TrailingZeros64(rest))
	}
	return size
}
