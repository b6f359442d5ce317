package recur_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// numbers writes 0 to n-1 as a list.
func numbers(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(i))
	}
	return strings.Join(list, ",")
}

// hostile are objects made to take long.
var hostile = map[string]string{
	"never: 30 February":                "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
	"never: 30 February, each second":   "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
	"never: 366th day, odd years":       "RRULE:FREQ=YEARLY;INTERVAL=4;BYYEARDAY=366",
	"never: position":                   "RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
	"never: positions":                  "RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=" + strings.TrimPrefix(numbers(6000), "0,1,"),
	"never: positions of a year":        "RRULE:FREQ=YEARLY;BYDAY=MO;BYSETPOS=" + strings.TrimPrefix(numbers(6000), strings.TrimSuffix(numbers(54), "53")),
	"never: week and month":             "RRULE:FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1",
	"never: week and month, each day":   "RRULE:FREQ=DAILY;BYWEEKNO=30;BYMONTH=1",
	"never: Tuesdays":                   "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU",
	"never: Tuesdays, by seconds":       "RRULE:FREQ=SECONDLY;INTERVAL=604800;BYDAY=TU",
	"never: Tuesdays, six a week":       "RRULE:FREQ=SECONDLY;INTERVAL=100800;BYDAY=TU;BYHOUR=9",
	"never: seconds of another minute":  "RRULE:FREQ=SECONDLY;INTERVAL=7;BYDAY=TU;BYHOUR=1;BYMINUTE=1;BYSECOND=1;BYMONTHDAY=31;BYMONTH=2",
	"never: interval and second":        "RRULE:FREQ=SECONDLY;INTERVAL=60;BYSECOND=1,2,3,59",
	"seldom: leap Monday":               "RRULE:FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=4;BYSECOND=5",
	"seldom: prime interval":            "RRULE:FREQ=SECONDLY;INTERVAL=2147483647;BYSECOND=7;BYDAY=MO;BYMONTHDAY=13",
	"seldom: an hour's interval":        "RRULE:FREQ=SECONDLY;INTERVAL=86401;BYHOUR=3;BYMINUTE=4;BYSECOND=5;BYDAY=MO,TU,WE,TH,FR,SA",
	"seldom: minutes":                   "RRULE:FREQ=MINUTELY;INTERVAL=1439;BYHOUR=3;BYMINUTE=4;BYDAY=MO;BYMONTHDAY=13",
	"seldom, with an end":               "RRULE:FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=4;BYSECOND=5;UNTIL=99991231T000000Z",
	"each second":                       "RRULE:FREQ=SECONDLY",
	"each second, with an end":          "RRULE:FREQ=SECONDLY;UNTIL=99991231T000000Z",
	"each second, counted":              "RRULE:FREQ=SECONDLY;COUNT=2147483647",
	"each second of a day":              "RRULE:FREQ=DAILY;BYHOUR=" + numbers(24) + ";BYMINUTE=" + numbers(60) + ";BYSECOND=" + numbers(60),
	"each second of a year, positions":  "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=" + numbers(24) + ";BYMINUTE=" + numbers(60) + ";BYSECOND=" + numbers(60) + ";BYSETPOS=" + strings.TrimPrefix(numbers(5000), "0,"),
	"each second, all excluded":         "RRULE:FREQ=SECONDLY\r\nEXRULE:FREQ=SECONDLY",
	"each second, excluded by the day":  "RRULE:FREQ=SECONDLY\r\nEXRULE:FREQ=DAILY;BYHOUR=" + numbers(24) + ";BYMINUTE=" + numbers(60) + ";BYSECOND=" + numbers(60),
	"counted, times that shift":         "RRULE:FREQ=SECONDLY;COUNT=2147483647;INTERVAL=86401;BYMINUTE=3,59",
	"counted, times and days":           "RRULE:FREQ=SECONDLY;COUNT=2147483647;INTERVAL=86401;BYMINUTE=3,59;BYDAY=MO,TU,WE,TH,FR",
	"counted, times within a day":       "RRULE:FREQ=SECONDLY;COUNT=2147483647;INTERVAL=86399;BYMINUTE=3,59;BYDAY=MO,TU,WE,TH,FR",
	"counted, minutes":                  "RRULE:FREQ=SECONDLY;COUNT=2147483647;INTERVAL=61;BYSECOND=3,59;BYDAY=MO,TU,WE,TH,FR",
	"counted, moved":                    "RRULE:RSCALE=GREGORIAN;SKIP=FORWARD;FREQ=MONTHLY;COUNT=2147483647;BYMONTHDAY=31;BYHOUR=" + numbers(24) + ";BYMINUTE=" + numbers(60) + ";BYSECOND=" + numbers(60),
	"counted, positions":                "RRULE:FREQ=WEEKLY;COUNT=2147483647;BYDAY=MO,TU;BYHOUR=" + numbers(24) + ";BYMINUTE=" + numbers(60) + ";BYSETPOS=" + strings.TrimPrefix(numbers(2000), "0,"),
	"many rules":                        strings.TrimSuffix(strings.Repeat("RRULE:FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=4;BYSECOND=5;COUNT=9999\r\n", 3000), "\r\n"),
	"many rules of days":                strings.TrimSuffix(strings.Repeat("RRULE:FREQ=DAILY;BYHOUR="+numbers(24)+";BYMINUTE="+numbers(60)+";BYSECOND="+numbers(60)+"\r\n", 1000), "\r\n"),
	"many rules, many exceptions":       strings.TrimSuffix(strings.Repeat("RRULE:FREQ=SECONDLY\r\nEXRULE:FREQ=SECONDLY;INTERVAL=2\r\n", 500), "\r\n"),
	"long, each second":                 "DURATION:P1000W\r\nRRULE:FREQ=SECONDLY",
	"short, every other second":         "DURATION:PT1S\r\nRRULE:FREQ=SECONDLY;INTERVAL=2",
	"days, each second":                 "RRULE:FREQ=SECONDLY;COUNT=2147483647",
	"dates listed":                      "RDATE:" + strings.TrimSuffix(strings.Repeat("20260101T000000Z,", 50000), ","),
	"excluded by a rule that never has": "RRULE:FREQ=DAILY\r\nEXRULE:FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=4;BYSECOND=5",
}

// TestHostile: whatever an object says, each question is answered in bounded
// time. What is asked for is told; what fails allows for a busy machine and the
// race detector.
func TestHostile(t *testing.T) {
	windows := [][2]time.Time{
		{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)},
		{time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2127, 1, 1, 0, 0, 0, 0, time.UTC)},
		{time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9990, 2, 1, 0, 0, 0, 0, time.UTC)},
	}
	const asked, allowed = 50 * time.Millisecond, 20 * time.Second
	for name, lines := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, start := range []string{"DTSTART;TZID=America/New_York:20160104T090000", "DTSTART:20160104T090000", "DTSTART;VALUE=DATE:20160104", "DTSTART;TZID=Private:20160104T090000"} {
				cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\n" + privateZone + "BEGIN:VEVENT\r\nUID:u\r\n" + start + "\r\n" + lines + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
				if err != nil {
					t.Fatal(err)
				}
				z := tz.NewResolver(cal, nil)
				var s *recur.Set
				timed := func(what string, ask func()) {
					took := time.Hour
					for range 3 { // the best of three, as others use the machine too
						begun := time.Now()
						ask()
						if took = min(took, time.Since(begun)); took < asked {
							return
						}
					}
					t.Logf("%s: %s took %v", start, what, took)
					if took > allowed {
						t.Fail()
					}
				}
				timed("New", func() { s, err = recur.New(cal, z, recur.Options{}) })
				if err != nil {
					t.Fatal(err)
				}
				timed("Bounds", func() { s.Bounds() })
				for _, w := range windows {
					timed(fmt.Sprintf("Between %d", w[0].Year()), func() {
						for range s.Between(w[0], w[1]) {
						}
					})
					timed(fmt.Sprintf("first of %d", w[0].Year()), func() {
						for range s.Between(w[0], w[1]) {
							break
						}
					})
					timed(fmt.Sprintf("busy %d", w[0].Year()), func() {
						list, _ := freebusy.Busy(cal, z, nil, w[0], w[1])
						freebusy.Merge(list)
					})
				}
				timed("Find", func() { s.Find(ical.UTCTime(windows[0][0])) })
				timed("Split", func() { recur.SplitAt(cal, ical.UTCTime(windows[0][0]), z) })
				timed("Instance", func() { recur.Instance(cal, ical.UTCTime(windows[0][0]), z) })
			}
		})
	}
}

const privateZone = "BEGIN:VTIMEZONE\r\nTZID:Private\r\n" +
	"BEGIN:STANDARD\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nEND:STANDARD\r\n" +
	"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nEND:DAYLIGHT\r\n" +
	"END:VTIMEZONE\r\n"
