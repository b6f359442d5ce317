package recur_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical/recur"
)

var (
	randomRules = flag.Int("rules", 2000, "how many random rules TestRandomRules compares with the naive expander")
	randomFirst = flag.Int("first", 0, "number of the first rule of TestRandomRules, so that a long run can be cut into parts")
	randomSeed  = flag.Uint64("seed", 5545, "seed of TestRandomRules")
)

// randomRule writes a rule with any parts in any company. Those with SKIP have
// the parts with which it has a meaning.
func randomRule(rng *rand.Rand) string {
	freq := []recur.Freq{recur.Yearly, recur.Yearly, recur.Monthly, recur.Monthly, recur.Weekly, recur.Daily, recur.Hourly, recur.Minutely, recur.Secondly}[rng.IntN(9)]
	var b strings.Builder
	skip := freq >= recur.Monthly && rng.IntN(6) == 0
	if skip {
		b.WriteString("RSCALE=GREGORIAN;")
	}
	fmt.Fprintf(&b, "FREQ=%s", freq)
	if rng.IntN(2) == 0 {
		most := 4
		if freq <= recur.Hourly {
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
	if skip && freq == recur.Yearly && rng.IntN(4) == 0 {
		list("BYYEARDAY", 1, 360, 366, true)
	} else {
		list("BYMONTH", 4, 1, 12, false)
		if !skip {
			list("BYWEEKNO", 12, 1, 53, true)
			list("BYYEARDAY", 12, 1, 366, true)
		}
		if list("BYMONTHDAY", 5, 1, 31, true); skip && !strings.Contains(b.String(), "BYMONTHDAY") {
			list("BYMONTHDAY", 2, 28, 31, true)
		}
	}
	if rng.IntN(3) == 0 {
		var days []string
		for range 1 + rng.IntN(5) {
			d := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[rng.IntN(7)]
			if freq >= recur.Monthly && rng.IntN(3) == 0 {
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
		fmt.Fprintf(&b, ";WKST=%s", []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[rng.IntN(7)])
	}
	if skip {
		b.WriteString([]string{";SKIP=FORWARD", ";SKIP=BACKWARD", ";SKIP=OMIT"}[rng.IntN(3)])
	}
	return b.String()
}

// periods are how many of them the naive expander goes through.
var periods = map[recur.Freq]int{recur.Yearly: 9, recur.Monthly: 40, recur.Weekly: 60, recur.Daily: 400, recur.Hourly: 1500, recur.Minutely: 2000, recur.Secondly: 2000}

// mostMembers are how many members are compared.
const mostMembers = 40

// TestRandomRules compares with the naive expander: rules from the start and
// from random points, and sets with zones, exceptions and overrides. Each rule is
// of its number alone, so that -first and -rules cut a long run into parts.
func TestRandomRules(t *testing.T) {
	some := 0
	for i := range *randomRules {
		number := *randomFirst + i
		if i > 0 && i%100_000 == 0 {
			t.Logf("%d rules, the next is -first %d", i, number)
		}
		rng := rand.New(rand.NewPCG(*randomSeed, uint64(number)))
		text := randomRule(rng)
		start := time.Date(1990+rng.IntN(60), time.Month(1+rng.IntN(12)), 1+rng.IntN(31), rng.IntN(24), rng.IntN(60), rng.IntN(60), 0, time.UTC)
		switch rng.IntN(6) {
		case 0, 1:
			text += fmt.Sprintf(";COUNT=%d", 1+rng.IntN(60))
		case 2:
			text += ";UNTIL=" + start.AddDate(rng.IntN(3), rng.IntN(12), rng.IntN(31)).Format("20060102")
		case 3:
			text += ";UNTIL=" + start.Add(time.Duration(rng.IntN(1<<25))*time.Second).Format("20060102T150405")
		}
		r, err := recur.ParseRule(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("rule %d: %s from %s: %s", number, text, start.Format(recur.LayoutTime), fmt.Sprintf(format, args...))
		}
		n := naive{r: r, start: start.Unix()}
		want, end, all := n.occurrences(periods[r.Freq], mostMembers)
		var got []int64
		for o := range r.All(start) {
			if !all && o.Unix() > end || !all && o.Unix() == end && (len(want) == 0 || want[len(want)-1] != end) {
				break
			}
			if got = append(got, o.Unix()); len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			fail("\n got %v\nwant %v", readings(got), readings(want))
		}
		if len(want) == 0 {
			continue
		}
		some++
		// A jump into the midst, to a member exactly, and just after one.
		for range 3 {
			from := want[rng.IntN(len(want))] + int64(rng.IntN(3)-1)
			at, _ := slices.BinarySearch(want, from)
			next := want[at:]
			next = next[:min(len(next), 3)]
			var got []int64
			for o := range r.From(start, time.Unix(from, 0).UTC()) {
				if len(got) == len(next) && !(all && at+len(next) == len(want)) {
					break
				}
				if got = append(got, o.Unix()); len(got) > len(next) {
					break
				}
			}
			if !slices.Equal(got, next) {
				fail("jump to %s\n got %v\nwant %v", readings([]int64{from}), readings(got), readings(next))
			}
		}
		if r.Count == 0 && !r.HasUntil {
			compareFar(t, rng, n, fail)
		}
		if all && (r.Count > 0 || r.HasUntil) {
			if last, ok := recur.Final(r, start); !ok || last.Unix() != want[len(want)-1] {
				fail("final %v, want %v", last, readings(want[len(want)-1:]))
			}
		}
		if rng.IntN(3) == 0 {
			compareSets(t, rng, number, text, start)
		}
	}
	if some < *randomRules/3 {
		t.Errorf("only %d of %d rules gave anything", some, *randomRules)
	}
}

// compareFar compares in a window far from the start.
func compareFar(t *testing.T, rng *rand.Rand, n naive, fail func(string, ...any)) {
	t.Helper()
	r := n.r
	length := map[recur.Freq]int64{recur.Yearly: 366 * aDay, recur.Monthly: 31 * aDay, recur.Weekly: 7 * aDay, recur.Daily: aDay, recur.Hourly: 3600, recur.Minutely: 60, recur.Secondly: 1}[r.Freq]
	far := (naiveEnd - 3*366*aDay - n.start) / length / int64(r.Interval)
	if far < 4 {
		return
	}
	n.skip = 1 + int(rng.Int64N(far))
	want, end, all := n.occurrences(periods[r.Freq]/4, mostMembers)
	from, _ := n.period(n.begin(), (n.skip+1)*r.Interval) // SKIP moves a member over the end of a period
	at, _ := slices.BinarySearch(want, from)
	want = want[at:]
	var got []int64
	for o := range r.From(time.Unix(n.start, 0).UTC(), time.Unix(from, 0).UTC()) {
		if len(got) == len(want) && (o.Unix() >= end || len(want) > 0 && at+len(want) == mostMembers) {
			break
		}
		if got = append(got, o.Unix()); len(got) > len(want) {
			break
		}
	}
	if all || !slices.Equal(got, want) {
		fail("far, from %s\n got %v\nwant %v", readings([]int64{from}), readings(got), readings(want))
	}
}

func readings(list []int64) (text []string) {
	for _, t := range list {
		text = append(text, time.Unix(t, 0).UTC().Format(recur.LayoutTime))
	}
	return text
}
