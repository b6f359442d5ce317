package recur

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
	eachDay          bool         // below DAILY with a DATE: every day once
	times            []int32      // members of a base (a day, hour, minute or second) as seconds after it
	setpos           setPositions // WEEKLY and longer; shorter ones have it worked into times

	first, last int64 // numbers of the first period and of the last one worth a look
	rounds      int   // steps after which a rule of days or longer has met every kind of period
	alone       bool  // every period has one member, at the same time of it
	fromMask    bool  // BYSETPOS takes days of a month, each with one time
	ticks       *ticks
	foreign     *foreign // of a rule in another calendar than the Gregorian
	share       int      // of maxSteps
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
		months: 0x1ffe, share: maxSteps,
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
	if s := systems[r.RScale]; s != nil {
		p.setForeign(r, s)
	} else {
		p.setDays(r, startMonth, startMonthDay)
	}
	p.setTimes(r, int(tod), dateOnly)
	if !p.never && !p.reachable() {
		p.never = true
	}
	p.setPeriods()
	return p
}

// cycle is the number of periods in 400 years. The calendar repeats after that
// many, so INTERVAL can have met every kind of period in as many steps: when
// that many in a row have no member, no later one has.
var cycle = [...]int{Daily: daysPer400, Weekly: daysPer400 / 7, Monthly: 400 * 12, Yearly: 400}

// setPeriods works out what every cursor needs.
func (p *plan) setPeriods() {
	p.first = p.periodOf(p.start)
	if p.weekYears && !p.dayPasses(p.startDay) {
		// A DTSTART that does not match, at the turn of the year: INTERVAL
		// counts from its calendar year, as other implementations do.
		y, _, _ := civil(p.startDay)
		if p.step == 1 {
			y--
		}
		p.first = int64(y)
	}
	p.setUntil(p.until)
	if p.foreign != nil && p.freq >= Daily {
		p.rounds = foreignRounds[p.freq]
	} else if p.freq >= Daily {
		p.rounds = cycle[p.freq] / int(gcd(p.step, int64(cycle[p.freq])))
	}
	p.alone = p.freq <= Daily && !p.filtered && !p.timeLimited && len(p.times) == 1 && !p.never
	p.fromMask = p.freq == Monthly && !p.setpos.none() && len(p.times) == 1 && p.skip == 0 && p.foreign == nil
	if p.freq < Daily && (p.filtered || p.timeLimited) {
		p.ticks = &ticks{}
	}
}

// setUntil ends the rule at a reading, which is the last one that counts.
func (p *plan) setUntil(until int64) {
	p.until = min(until, maxReading)
	p.last = p.periodOf(p.until)
	if p.freq >= Weekly {
		p.last++ // SKIP can move a member back by a period
	}
}

func (p *plan) periodOf(t int64) int64 {
	day := floorDiv(t, secondsPerDay)
	if p.foreign != nil && p.freq >= Monthly {
		return p.foreign.periodOf(p.freq, day)
	}
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
	case Daily:
		return day
	}
	return floorDiv(t, p.unit)
}
