package calendar

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

func indexOf(t testing.TB, now time.Time, lines ...string) (store.Index, *recur.Set) {
	t.Helper()
	data := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	cal, err := ical.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{o: Options{Now: func() time.Time { return now }}, limits: Limits{}.orDefault()}
	ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
	if err != nil {
		t.Fatal(err)
	}
	set, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ix, set
}

// covers says what the store's look-up promises: an object is a candidate when
// its span overlaps, and a listed month does or the horizon has passed.
func covers(ix store.Index, from, to time.Time) bool {
	if ix.Timeless {
		return true
	}
	if ix.First >= to.Unix() || ix.Last <= from.Unix() {
		return false
	}
	if ix.Horizon != 0 && to.Unix() > ix.Horizon && ix.Last >= ix.Horizon {
		return true
	}
	if ix.Periods == nil {
		return true
	}
	for _, m := range ix.Periods {
		if m >= month(from) && m <= month(to.Add(-time.Second)) {
			return true
		}
	}
	return false
}

func TestTimeIndexMissesNothing(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2))
	for _, rule := range []string{
		"", "RRULE:FREQ=YEARLY", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=MONTHLY;INTERVAL=5;COUNT=30",
		"RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;UNTIL=20270101T000000Z", "RRULE:FREQ=HOURLY;INTERVAL=7", "RRULE:FREQ=SECONDLY",
		"RRULE:FREQ=MINUTELY;BYMONTH=6", "RDATE:20291003T090000Z,20310101T120000Z",
	} {
		for _, start := range []string{"DTSTART:20260131T233000Z", "DTSTART:19991231T235900Z", "DTSTART:20350601T000000Z", "DTSTART:20260228T230000", "DTSTART;VALUE=DATE:20260331", "DTSTART;TZID=America/New_York:20260328T233000"} {
			for _, length := range []string{"", "DURATION:PT2H", "DURATION:P45D"} {
				lines := []string{start}
				for _, l := range []string{rule, length} {
					if l != "" {
						lines = append(lines, l)
					}
				}
				if strings.Contains(start, "VALUE=DATE") && strings.Contains(length, "T") {
					continue
				}
				ix, set := indexOf(t, now, lines...)
				for range 12 {
					from := time.Date(1998+r.IntN(45), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), 0, 0, 0, time.UTC)
					to := from.Add(time.Duration(1+r.IntN(24*40)) * time.Hour)
					hit := false
					for range set.Between(from, to) {
						hit = true
						break
					}
					if hit && !covers(ix, from, to) {
						t.Fatalf("%v takes place between %s and %s, the index says no: %+v", lines, from, to, ix)
					}
				}
			}
		}
	}
}

func TestTimeIndexIsTight(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		lines    []string
		from, to string
		want     bool
	}{
		{[]string{"DTSTART:20200615T090000Z", "RRULE:FREQ=YEARLY"}, "2026-03-01", "2026-04-01", false},
		{[]string{"DTSTART:20200615T090000Z", "RRULE:FREQ=YEARLY"}, "2026-06-01", "2026-07-01", true},
		{[]string{"DTSTART:20260302T090000Z", "DURATION:PT1H"}, "2026-03-03", "2026-03-04", false},
		{[]string{"DTSTART:20260302T090000Z", "RRULE:FREQ=WEEKLY"}, "2026-02-01", "2026-03-01", false},
		{[]string{"DTSTART:20260302T090000Z", "RRULE:FREQ=WEEKLY;COUNT=3"}, "2026-05-01", "2026-06-01", false},
	} {
		ix, _ := indexOf(t, now, c.lines...)
		from, _ := time.Parse(time.DateOnly, c.from)
		to, _ := time.Parse(time.DateOnly, c.to)
		if got := covers(ix, from, to); got != c.want {
			t.Errorf("%v between %s and %s: %v, want %v (%+v)", c.lines, c.from, c.to, got, c.want, ix)
		}
	}
}

func TestTimeIndexIsQuickForHostileRules(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for _, rule := range []string{
		"RRULE:FREQ=SECONDLY", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5",
	} {
		t.Run(rule, func(t *testing.T) {
			began := time.Now()
			ix, _ := indexOf(t, now, "DTSTART:19700101T000000Z", rule)
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("took %s", d)
			}
			t.Log(fmt.Sprint(len(ix.Periods), " months, horizon ", ix.Horizon))
		})
	}
}
