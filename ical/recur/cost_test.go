package recur_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// sixteen are exceptions that all have to be asked, and leave nothing.
var sixteen = strings.Repeat("EXRULE:FREQ=WEEKLY;INTERVAL=86401;BYMONTH=1,8,11;BYSETPOS=-1\r\n", 8) +
	strings.Repeat("EXRULE:FREQ=HOURLY;BYMONTH=1;BYDAY=TU;BYHOUR=4;BYSECOND=0,43,40;BYSETPOS=4,126\r\n", 7) + "EXRULE:FREQ=SECONDLY\r\n"

// costly are objects that once took from 50 ms to minutes for one question.
var costly = map[string]string{
	"all excluded, by sixteen rules":      "RRULE:FREQ=DAILY\r\n" + sixteen,
	"all excluded, each second":           "RRULE:FREQ=SECONDLY\r\n" + sixteen,
	"sixteen rules that never meet":       strings.Repeat("RRULE:FREQ=SECONDLY;INTERVAL=86399;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=4;BYSECOND=5;BYSETPOS=2\r\n", 16),
	"Hebrew hours, counted":               "RRULE:RSCALE=HEBREW;SKIP=OMIT;FREQ=HOURLY;INTERVAL=61;COUNT=2147483647;BYMONTH=3;BYDAY=TU,WE;BYHOUR=21,23,9,4\r\n",
	"Hebrew days, counted":                "RRULE:RSCALE=HEBREW;SKIP=FORWARD;FREQ=MONTHLY;COUNT=2147483647;BYMONTHDAY=30;BYHOUR=0,1,2,3\r\n",
	"Indian months, a position not there": "RRULE:RSCALE=INDIAN;SKIP=OMIT;FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=31;BYDAY=1MO;BYSETPOS=271\r\n",
	"Persian seconds":                     "RRULE:RSCALE=PERSIAN;SKIP=OMIT;FREQ=SECONDLY;BYMONTHDAY=22;BYHOUR=25\r\n",
}

// Whatever a rule is, looking for its members and counting them ends after a
// number of steps.
func TestCost(t *testing.T) {
	for name, lines := range costly {
		for _, start := range []string{"DTSTART:20160104T090000", "DTSTART:00010101T000000", "DTSTART;VALUE=DATE:20160104"} {
			cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\n" + start + "\r\n" + lines + "END:VEVENT\r\nEND:VCALENDAR\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
			if err != nil {
				continue // the rule itself is refused
			}
			for _, year := range []int{2026, 2126, 9990} {
				from := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
				looked, given := recur.Cost(s, from, from.AddDate(0, 0, 1))
				if looked > 1_000_000 {
					t.Errorf("%s, %s: a day of %d takes %d steps, %d members", name, start, year, looked, given)
				}
			}
			if n := recur.Steps(s); n > recur.MaxSteps+1000 {
				t.Errorf("%s, %s: counting takes %d steps", name, start, n)
			}
		}
	}
}

// counted is a zone that counts the questions.
type counted struct {
	recur.Zone
	n *int
}

func (z counted) Instant(wall time.Time) time.Time { *z.n++; return z.Zone.Instant(wall) }

func (z counted) Wall(instant time.Time) (time.Time, int) { *z.n++; return z.Zone.Wall(instant) }

type countedZones struct {
	recur.Zones
	n *int
}

func (z countedZones) Zone(tzid string) (recur.Zone, error) {
	zone, err := z.Zones.Zone(tzid)
	return counted{zone, z.n}, err
}

// The first occurrence of an open window does not need all of a series that
// RANGE=THISANDFUTURE has moved, nor does a window need all moved parts.
func TestCostOfMovedParts(t *testing.T) {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=America/New_York:20160104T090000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n")
	for year := 2020; year < 2060; year++ {
		from := time.Date(year, 3, 1, 9, 0, 0, 0, time.UTC)
		b.WriteString("BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:" + from.Format("20060102T150405") +
			"\r\nDTSTART;TZID=America/New_York:" + from.AddDate(0, 5-year%9, 0).Format("20060102T150405") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	s, err := recur.New(cal, countedZones{tz.NewResolver(cal, nil), &asked}, recur.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range [][2]time.Time{
		{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), {}},
		{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)},
		{{}, {}},
	} {
		asked = 0
		found := false
		for range s.Between(w[0], w[1]) {
			found = true
			break
		}
		if asked > 5000 || !found && w[1].IsZero() {
			t.Errorf("%v: the zone was asked %d times for the first", w, asked)
		}
	}
}
