package recur

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	randomRules = flag.Int("rules", 2000, "how many random rules TestRandomRules compares with the naive expander")
	randomSeed  = flag.Uint64("seed", 5545, "seed of TestRandomRules")
)

// The naive expander does what RFC 5545 3.3.10 says with package time: it goes
// through the periods one by one, through every day of a period, and asks of
// each whether it passes. It shares no code with the product.
type naive struct {
	r     *Rule
	start time.Time
}

// occurrences are the members up to the end of the last of n periods, and that
// end.
func (n naive) occurrences(periods, most int) (list []time.Time, end time.Time) {
	r := n.r
	first := n.begin()
	for i := range periods {
		from, to := n.period(first, i*r.Interval)
		if from.Year() > maxYear {
			break
		}
		end = to
		var members []time.Time
		if r.Freq <= Hourly {
			members = n.within(from)
		} else {
			for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
				if n.dayPasses(d) {
					members = append(members, n.times(d)...)
				}
			}
		}
		for _, m := range n.positions(members) {
			if m.Before(n.start) || m.Year() > maxYear || r.HasUntil && m.After(r.Until.Wall) {
				continue
			}
			list = append(list, m)
			if len(list) == r.Count || len(list) == most {
				return list, m
			}
		}
	}
	return list, end
}

func (n naive) day() time.Time { return n.start.Truncate(24 * time.Hour) }

func (n naive) weekStart(d time.Time) time.Time {
	for d.Weekday() != n.r.WKST {
		d = d.AddDate(0, 0, -1)
	}
	return d
}

// begin is a day that stands for the first period.
func (n naive) begin() time.Time {
	if n.r.Freq == Yearly && len(n.r.ByWeekNo) > 0 {
		y := n.day().Year()
		if n.dayPasses(n.day()) {
			y = n.weekStart(n.day()).AddDate(0, 0, 3).Year()
		} else if n.r.Interval == 1 {
			y--
		}
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return n.day()
}

func (n naive) period(first time.Time, step int) (from, to time.Time) {
	switch n.r.Freq {
	case Yearly:
		y := first.Year() + step
		if len(n.r.ByWeekNo) > 0 {
			return n.firstWeek(y), n.firstWeek(y + 1)
		}
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
	case Monthly:
		return time.Date(first.Year(), first.Month()+time.Month(step), 1, 0, 0, 0, 0, time.UTC), time.Date(first.Year(), first.Month()+time.Month(step)+1, 1, 0, 0, 0, 0, time.UTC)
	case Weekly:
		w := n.weekStart(first).AddDate(0, 0, 7*step)
		return w, w.AddDate(0, 0, 7)
	case Daily:
		d := first.AddDate(0, 0, step)
		return d, d.AddDate(0, 0, 1)
	}
	unit := map[Freq]time.Duration{Hourly: time.Hour, Minutely: time.Minute, Secondly: time.Second}[n.r.Freq]
	t := time.Unix(n.start.Truncate(unit).Unix()+int64(step)*int64(unit/time.Second), 0).UTC()
	return t, t.Add(unit)
}

// firstWeek is the first day of the first week that has four days in the year.
func (n naive) firstWeek(y int) time.Time {
	for d := time.Date(y-1, 12, 29, 0, 0, 0, 0, time.UTC); ; d = d.AddDate(0, 0, 1) {
		if d.Weekday() == n.r.WKST {
			return d
		}
	}
}

func (n naive) dayPasses(d time.Time) bool {
	r := n.r
	last := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	year := time.Date(d.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
	none := len(r.ByDay)+len(r.ByMonthDay)+len(r.ByYearDay) == 0
	if len(r.ByMonth) > 0 && !slices.Contains(r.ByMonth, int(d.Month())) {
		return false
	}
	if len(r.ByMonthDay) > 0 && !slices.Contains(r.ByMonthDay, d.Day()) && !slices.Contains(r.ByMonthDay, d.Day()-last-1) {
		return false
	}
	if len(r.ByYearDay) > 0 && !slices.Contains(r.ByYearDay, d.YearDay()) && !slices.Contains(r.ByYearDay, d.YearDay()-year-1) {
		return false
	}
	if len(r.ByWeekNo) > 0 {
		w := n.weekStart(d)
		y := w.AddDate(0, 0, 3).Year()
		number, weeks := 0, 0
		for x := n.firstWeek(y); x.Before(n.firstWeek(y + 1)); x = x.AddDate(0, 0, 7) {
			weeks++
			if x.Equal(w) {
				number = weeks
			}
		}
		if !slices.Contains(r.ByWeekNo, number) && !slices.Contains(r.ByWeekNo, number-weeks-1) {
			return false
		}
	}
	if len(r.ByDay) > 0 && !slices.ContainsFunc(r.ByDay, func(w WeekdayNum) bool { return n.weekdayPasses(d, w) }) {
		return false
	}
	if none && r.Freq > Daily {
		switch {
		case len(r.ByWeekNo) > 0 || r.Freq == Weekly:
			return d.Weekday() == n.start.Weekday()
		case len(r.ByMonth) == 0 && r.Freq == Yearly:
			return d.Month() == n.start.Month() && d.Day() == n.start.Day()
		}
		return d.Day() == n.start.Day()
	}
	return true
}

func (n naive) weekdayPasses(d time.Time, w WeekdayNum) bool {
	if d.Weekday() != w.Day {
		return false
	}
	if w.Ordinal == 0 || n.r.Freq < Monthly || len(n.r.ByWeekNo) > 0 && n.r.Freq == Yearly {
		return true
	}
	same := func(x time.Time) bool { return x.Year() == d.Year() && x.Month() == d.Month() }
	if n.r.Freq == Yearly && len(n.r.ByMonth) == 0 {
		same = func(x time.Time) bool { return x.Year() == d.Year() }
	}
	step, want := -7, w.Ordinal
	if want < 0 {
		step, want = 7, -want
	}
	count := 0
	for x := d; same(x); x = x.AddDate(0, 0, step) {
		count++
	}
	return count == want
}

func or(list []int, value int) []int {
	if len(list) > 0 {
		list = slices.Clone(list)
		slices.Sort(list)
		return slices.Compact(list)
	}
	return []int{value}
}

func (n naive) times(d time.Time) (list []time.Time) {
	for _, h := range or(n.r.ByHour, n.start.Hour()) {
		for _, m := range or(n.r.ByMinute, n.start.Minute()) {
			for _, s := range or(n.r.BySecond, n.start.Second()) {
				list = append(list, d.Add(time.Duration(h*3600+m*60+s)*time.Second))
			}
		}
	}
	return list
}

// within are the members of a period of an hour or less.
func (n naive) within(t time.Time) (list []time.Time) {
	r := n.r
	limits := func(list []int, v int) bool { return len(list) == 0 || slices.Contains(list, v) }
	if !n.dayPasses(t.Truncate(24*time.Hour)) || !limits(r.ByHour, t.Hour()) {
		return nil
	}
	minutes, seconds := or(r.ByMinute, n.start.Minute()), or(r.BySecond, n.start.Second())
	if r.Freq < Hourly {
		if minutes = []int{t.Minute()}; !limits(r.ByMinute, t.Minute()) {
			return nil
		}
	}
	if r.Freq < Minutely {
		if seconds = []int{t.Second()}; !limits(r.BySecond, t.Second()) {
			return nil
		}
	}
	for _, m := range minutes {
		for _, s := range seconds {
			list = append(list, t.Truncate(time.Hour).Add(time.Duration(m*60+s)*time.Second))
		}
	}
	return list
}

func (n naive) positions(members []time.Time) []time.Time {
	if len(n.r.BySetPos) == 0 {
		return members
	}
	var list []time.Time
	for i, m := range members {
		if slices.Contains(n.r.BySetPos, i+1) || slices.Contains(n.r.BySetPos, i-len(members)) {
			list = append(list, m)
		}
	}
	return list
}

// randomRule writes a rule with any parts in any company.
func randomRule(rng *rand.Rand) string {
	freq := []Freq{Yearly, Yearly, Monthly, Monthly, Weekly, Daily, Hourly, Minutely, Secondly}[rng.IntN(9)]
	var b strings.Builder
	fmt.Fprintf(&b, "FREQ=%s", freq)
	if rng.IntN(2) == 0 {
		most := 4
		if freq <= Hourly {
			most = []int{3, 25, 1000, 90000}[rng.IntN(4)]
		}
		fmt.Fprintf(&b, ";INTERVAL=%d", 1+rng.IntN(most))
	}
	list := func(name string, chance, least, most int, negative bool) {
		if rng.IntN(chance) > 0 {
			return
		}
		var values []string
		for range 1 + rng.IntN(4) {
			v := least + rng.IntN(most-least+1)
			if negative && rng.IntN(3) == 0 {
				v = -v
			}
			values = append(values, fmt.Sprint(v))
		}
		fmt.Fprintf(&b, ";%s=%s", name, strings.Join(values, ","))
	}
	list("BYMONTH", 4, 1, 12, false)
	list("BYWEEKNO", 12, 1, 53, true)
	list("BYYEARDAY", 12, 1, 366, true)
	list("BYMONTHDAY", 5, 1, 31, true)
	if rng.IntN(3) == 0 {
		var days []string
		for range 1 + rng.IntN(5) {
			d := weekdayNames[rng.IntN(7)]
			if freq >= Monthly && rng.IntN(3) == 0 {
				d = fmt.Sprint([]int{1, 2, 3, 4, 5, -1, -2, -5, 17, -53}[rng.IntN(10)]) + d
			}
			days = append(days, d)
		}
		fmt.Fprintf(&b, ";BYDAY=%s", strings.Join(days, ","))
	}
	list("BYHOUR", 6, 0, 23, false)
	list("BYMINUTE", 6, 0, 59, false)
	list("BYSECOND", 6, 0, 59, false)
	if rng.IntN(6) == 0 {
		list("BYSETPOS", 1, 1, 6, true)
	}
	if rng.IntN(4) == 0 {
		fmt.Fprintf(&b, ";WKST=%s", weekdayNames[rng.IntN(7)])
	}
	if rng.IntN(3) == 0 {
		fmt.Fprintf(&b, ";COUNT=%d", 1+rng.IntN(60))
	}
	return b.String()
}

// TestRandomRules compares with the naive expander, from the start and from
// random points. -rules sets how many.
func TestRandomRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(*randomSeed, 7529))
	periods := map[Freq]int{Yearly: 9, Monthly: 40, Weekly: 60, Daily: 400, Hourly: 3000, Minutely: 4000, Secondly: 4000}
	some := 0
	for i := range *randomRules {
		text := randomRule(rng)
		r, err := ParseRule(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		start := time.Date(1990+rng.IntN(60), time.Month(1+rng.IntN(12)), 1+rng.IntN(31), rng.IntN(24), rng.IntN(60), rng.IntN(60), 0, time.UTC)
		want, end := naive{r, start}.occurrences(periods[r.Freq], 40)
		var got []time.Time
		for o := range r.All(start) {
			if len(got) == len(want) && (len(want) == 40 || o.After(end) || o.Equal(end)) {
				break
			}
			if got = append(got, o); len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("rule %d: %s from %s\n got %v\nwant %v", i, text, start.Format(layoutTime), brief(got), brief(want))
		}
		if len(want) == 0 {
			continue
		}
		some++
		// A jump into the midst, to a member exactly, and just after one.
		for range 3 {
			k := rng.IntN(len(want))
			from := want[k].Add(time.Duration(rng.IntN(3)-1) * time.Second)
			at, _ := slices.BinarySearchFunc(want, from, time.Time.Compare)
			next := want[at:]
			next = next[:min(len(next), 3)]
			var got []time.Time
			for o := range r.From(start, from) {
				if len(got) == len(next) {
					break
				}
				got = append(got, o)
			}
			if !slices.Equal(got, next) {
				t.Fatalf("rule %d: %s from %s, jump to %s\n got %v\nwant %v", i, text, start.Format(layoutTime), from.Format(layoutTime), brief(got), brief(next))
			}
		}
		if r.Count > 0 && len(want) == r.Count {
			if last, ok, _ := compile(r, start.Unix(), false).final(); !ok || reading(last) != want[len(want)-1] {
				t.Fatalf("rule %d: %s from %s: final %v, want %v", i, text, start.Format(layoutTime), reading(last), want[len(want)-1])
			}
		}
	}
	if some < *randomRules/3 {
		t.Errorf("only %d of %d rules gave anything", some, *randomRules)
	}
}

func brief(list []time.Time) (text []string) {
	for _, o := range list {
		text = append(text, o.Format(layoutTime))
	}
	return text
}

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"FREQ=DAILY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;INTERVAL=7;BYDAY=1MO,-1SU;BYHOUR=1;BYMINUTE=2;BYSECOND=60;BYSETPOS=-1;COUNT=9;WKST=SU",
		"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD;UNTIL=20300101T000000Z", "FREQ=YEARLY;BYWEEKNO=53,-53;BYYEARDAY=366"} {
		f.Add(text, int64(1767225600), int64(4102444800))
	}
	f.Fuzz(func(t *testing.T, text string, start, from int64) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again.String() != r.String() || !again.Equivalent(r) {
			t.Fatalf("%q writes %q, which reads as %v, %v", text, r, again, err)
		}
		r.Text()
		const most = 253402300799 // the end of the year 9999
		start, from = start%most, from%most
		if start < -most/4 {
			return
		}
		for _, seq := range []func(func(time.Time) bool){r.All(time.Unix(start, 0)), r.From(time.Unix(start, 0), time.Unix(from, 0))} {
			n, last := 0, time.Time{}
			for o := range seq {
				if !last.IsZero() && !o.After(last) {
					t.Fatalf("%q from %d: %v after %v", text, start, o, last)
				}
				last = o
				if n++; n == 20 {
					break
				}
			}
		}
	})
}
