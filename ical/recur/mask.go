package recur

import "math/bits"

// monthMask has a bit for each day of a month that passes the rule's limits on
// days; first is its first day. nth holds the year's days chosen by BYDAY with ordinals in a year.
func (p *plan) monthMask(year, month int, first int64, nth *[13]uint32) uint32 {
	if p.months>>month&1 == 0 {
		return 0
	}
	length := daysInMonth(year, month)
	if p.foreign != nil && p.foreign.narrows {
		mask := p.foreign.monthMask(first, length)
		if p.hasDay {
			mask &= p.weekdayMask(weekday(first), length)
		}
		return mask
	}
	mask := uint32(1)<<(length+1) - 2
	if p.hasMD {
		mask &= p.monthDay[length-28].mask
	}
	if !p.hasDay && !p.hasYD && !p.hasWN {
		return mask
	}
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
	return p.monthMask(y, m, d-int64(md)+1, nil)>>md&1 == 1 && p.weekPasses(d)
}
