package recur

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The first days of years, as almanacs have them.
func TestSystemsBeginTheirYears(t *testing.T) {
	for _, c := range []struct {
		scale string
		year  int
		want  string
	}{
		{"HEBREW", 5784, "2023-09-16"}, {"HEBREW", 5785, "2024-10-03"}, {"HEBREW", 5786, "2025-09-23"}, {"HEBREW", 5787, "2026-09-12"},
		{"ETHIOPIC", 2016, "2023-09-12"}, {"ETHIOPIC", 2017, "2024-09-11"}, {"COPTIC", 1741, "2024-09-11"}, {"COPTIC", 1740, "2023-09-12"},
		{"ISLAMIC-CIVIL", 1445, "2023-07-19"}, {"ISLAMIC-TBLA", 1445, "2023-07-18"}, {"ISLAMIC-CIVIL", 1446, "2024-07-08"},
		{"PERSIAN", 1403, "2024-03-20"}, {"PERSIAN", 1404, "2025-03-21"}, {"PERSIAN", 1400, "2021-03-21"}, {"PERSIAN", 1408, "2029-03-20"},
		{"INDIAN", 1946, "2024-03-21"}, {"INDIAN", 1947, "2025-03-22"},
	} {
		if got := reading(systems[c.scale].yearStart(c.year) * secondsPerDay).Format(time.DateOnly); got != c.want {
			t.Errorf("%s %d begins on %s, want %s", c.scale, c.year, got, c.want)
		}
	}
}

// Months fill years without gaps, and a day's date leads back to the day.
func TestSystemsAreWhole(t *testing.T) {
	for scale, s := range systems {
		for year := -500; year < 12000; year += 7 {
			if s.yearStart(year) != monthStart(s, year-1, monthsIn(s, year-1)) {
				t.Fatalf("%s %d does not begin where the year before ends", scale, year)
			}
			labels := map[monthLabel]bool{}
			for i := range monthsIn(s, year) {
				number, leap := s.monthLabel(year, i)
				labels[monthLabel{number, leap}] = true
				d := monthStart(s, year, i)
				for _, day := range []int{1, s.monthLength(year, i)} {
					if y, m, n := systemDate(s, d+int64(day)-1); y != year || m != i || n != day {
						t.Fatalf("%s: day %d of month %d of %d is read as %d, %d, %d", scale, day, i, year, n, m, y)
					}
				}
				if y, m := monthOf(s, s.monthsBefore(year)+int64(i)); y != year || m != i {
					t.Fatalf("%s: month %d of %d is read as %d, %d", scale, i, year, m, y)
				}
			}
			if len(labels) != monthsIn(s, year) {
				t.Fatalf("%s %d: %d names for %d months", scale, year, len(labels), monthsIn(s, year))
			}
		}
	}
}

// TestForeignRules goes day by day through thirty years and asks of each day by
// its date in the other calendar.
func TestForeignRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(7529, 4))
	var scales []string
	for scale := range systems {
		scales = append(scales, scale)
	}
	slices.Sort(scales)
	start := readingOf(t, "20240915T080000")
	from := floorDiv(start.Unix(), secondsPerDay)
	for range 400 {
		scale := scales[rng.IntN(len(scales))]
		s := systems[scale]
		list := func(name string, most int, sign bool) string {
			if rng.IntN(3) > 0 {
				return ""
			}
			n := 1 + rng.IntN(most)
			if sign && rng.IntN(3) == 0 {
				n = -n
			}
			return fmt.Sprintf(";%s=%d,%d", name, n, 1+rng.IntN(most))
		}
		text := "RSCALE=" + scale + ";FREQ=" + []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}[rng.IntN(4)] + list("BYMONTH", 13, false) + list("BYMONTHDAY", 30, true) + list("BYYEARDAY", 384, true)
		if strings.Contains(text, "BYMONTH=") && rng.IntN(3) == 0 {
			text += ",5L"
			text = strings.Replace(text, "BYMONTH=", "BYMONTH=5L,", 1)
			text = strings.TrimSuffix(text, ",5L")
		}
		if rng.IntN(3) == 0 || !strings.Contains(text, "DAY=") {
			text += ";BYDAY=MO,WE,SA"
		}
		r := mustRule(t, text)
		var want []string
		for d := from; d < from+30*366; d++ {
			year, index, day := systemDate(s, d)
			number, leap := s.monthLabel(year, index)
			length, at := s.monthLength(year, index), int(d-s.yearStart(year))+1
			size := int(s.yearStart(year+1) - s.yearStart(year))
			among := func(list []int, n, size int) bool {
				return len(list) == 0 || slices.Contains(list, n) || slices.Contains(list, n-size-1)
			}
			months := len(r.ByMonth)+len(r.ByLeapMonth) == 0 || !leap && slices.Contains(r.ByMonth, number) || leap && slices.Contains(r.ByLeapMonth, number)
			days := len(r.ByDay) == 0 || slices.Contains([]int{1, 3, 6}, weekday(d))
			if months && days && among(r.ByMonthDay, day, length) && among(r.ByYearDay, at, size) {
				want = append(want, reading(d*secondsPerDay+8*3600).Format(layoutTime))
			}
		}
		var got []string
		for o := range r.All(start) {
			if o.Unix() >= (from+30*366)*secondsPerDay {
				break
			}
			got = append(got, o.Format(layoutTime))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s\n got %v\nwant %v", text, got[:min(len(got), 20)], want[:min(len(want), 20)])
		}
		if n := len(want); n > 3 {
			at := readingOf(t, want[n/2])
			for o := range r.From(start, at) {
				if !o.Equal(at) {
					t.Fatalf("%s: from %v comes %v", text, at, o)
				}
				break
			}
		}
	}
}

// Rules in a calendar that is not evaluated are kept, and say so.
func TestOtherScales(t *testing.T) {
	for text, evaluated := range map[string]bool{
		"RSCALE=CHINESE;FREQ=YEARLY": false, "RSCALE=ISLAMIC-UMALQURA;FREQ=YEARLY": false, "RSCALE=RUSSIAN;FREQ=DAILY": false, "RSCALE=HEBREW;FREQ=YEARLY;BYWEEKNO=3": false,
		"RSCALE=BUDDHIST;FREQ=YEARLY": true, "RSCALE=GREGORIAN;FREQ=YEARLY;BYWEEKNO=3": true, "RSCALE=hebrew;FREQ=YEARLY": true,
	} {
		r := mustRule(t, text)
		n := 0
		for range r.All(readingOf(t, "20260101T000000")) {
			if n++; n == 3 {
				break
			}
		}
		if (r.Err() == nil) != evaluated || (n == 3) != evaluated || !strings.HasPrefix(r.String(), strings.ToUpper(text[:14])) {
			t.Errorf("%s: %v, %d occurrences, written %s", text, r.Err(), n, r)
		}
	}
}
