package recur_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// Each pair does the same work: ours and the library most Go programs use.
// The zone is New York and the start 2016-01-04T09:00:00 in all of them.

const benchEvent = "VEVENT DTSTART;TZID=America/New_York:20160104T090000 DTEND;TZID=America/New_York:20160104T100000 RRULE:"

func benchSet(b *testing.B, rule string) *recur.Set {
	cal := calendarOf(b, benchEvent+rule)
	s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchPeer(b *testing.B, rule string) *rrule.RRule {
	b.Helper()
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		b.Fatal(err)
	}
	opt, err := rrule.StrToROption(rule)
	if err != nil {
		b.Fatal(err)
	}
	opt.Dtstart = time.Date(2016, 1, 4, 9, 0, 0, 0, loc)
	r, err := rrule.NewRRule(*opt)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

var (
	tenYears = [2]time.Time{time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	farMonth = [2]time.Time{time.Date(2036, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 7, 1, 0, 0, 0, 0, time.UTC)}
)

func benchBoth(b *testing.B, rule string, window [2]time.Time) {
	want := 0
	b.Run("convene", func(b *testing.B) {
		s := benchSet(b, rule)
		b.ReportAllocs()
		for b.Loop() {
			want = 0
			for o := range s.Between(window[0], window[1]) {
				if o.From.IsZero() {
					b.Fatal("zero")
				}
				want++
			}
		}
	})
	b.Run("rrule-go", func(b *testing.B) {
		r := benchPeer(b, rule)
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n = len(r.Between(window[0], window[1], true))
		}
		if want != 0 && n != want {
			b.Fatalf("%d occurrences, convene has %d", n, want)
		}
	})
}

func BenchmarkDailyTenYears(b *testing.B) { benchBoth(b, "FREQ=DAILY", tenYears) }
func BenchmarkWeeklyTenYears(b *testing.B) {
	benchBoth(b, "FREQ=WEEKLY;BYDAY=MO,WE,FR", tenYears)
}
func BenchmarkMonthlyTenYears(b *testing.B) {
	benchBoth(b, "FREQ=MONTHLY;BYDAY=1MO", tenYears)
}
func BenchmarkDailyFarMonth(b *testing.B) { benchBoth(b, "FREQ=DAILY", farMonth) }
func BenchmarkWeekdaysFarMonthCount(b *testing.B) {
	benchBoth(b, "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=20000", farMonth)
}
func BenchmarkYearlyFarMonth(b *testing.B) {
	benchBoth(b, "FREQ=YEARLY;BYMONTH=6;BYDAY=2TU", farMonth)
}

// Clock readings alone.
func BenchmarkRuleDailyTenYears(b *testing.B) {
	r, err := recur.ParseRule("FREQ=DAILY;COUNT=3653")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2016, 1, 4, 9, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		for range r.All(start) {
		}
	}
}

// What a server does for each candidate of a query: make the set of a stored
// event and look at one month.
func BenchmarkSetOfOneEvent(b *testing.B) {
	cal := calendarOf(b, benchEvent+"FREQ=WEEKLY;BYDAY=MO")
	b.ReportAllocs()
	for b.Loop() {
		s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for range s.Between(farMonth[0], farMonth[1]) {
		}
	}
}

var windowsZone = []byte("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:America/New_York\r\n" +
	"BEGIN:STANDARD\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nEND:STANDARD\r\n" +
	"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nEND:DAYLIGHT\r\n" +
	"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=America/New_York:20160104T090000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")

// The same with a VTIMEZONE to read and compare with the zone of its name.
func BenchmarkSetWithVTIMEZONE(b *testing.B) {
	cal, err := ical.Parse(windowsZone)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for range s.Between(farMonth[0], farMonth[1]) {
		}
	}
}

// BenchmarkHostileCount looks at the year 9990 of rules made to be counted for
// long: an interval that meets another time each day, and days that SKIP may
// meet twice with every second in them.
func BenchmarkHostileCount(b *testing.B) {
	each := func(n int) string {
		list := "0"
		for i := 1; i < n; i++ {
			list += "," + strconv.Itoa(i)
		}
		return list
	}
	for name, text := range map[string]string{
		"interval": "FREQ=SECONDLY;COUNT=2147483647;INTERVAL=86401;BYMINUTE=3,59",
		"skip":     "RSCALE=GREGORIAN;SKIP=FORWARD;FREQ=MONTHLY;COUNT=2147483647;BYMONTHDAY=31;BYHOUR=" + each(24) + ";BYMINUTE=" + each(60) + ";BYSECOND=" + each(60),
	} {
		b.Run(name, func(b *testing.B) {
			r, err := recur.ParseRule(text)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for range r.From(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC)) {
					break
				}
			}
		})
	}
}
