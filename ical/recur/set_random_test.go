package recur_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// TestRandomSets: whatever the set, any window gives what filtering all
// occurrences by RFC 4791 9.9 gives, every id is found again in any spelling,
// and instants are those of the zone.
func TestRandomSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(4791, 9))
	zones := []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "Europe/Dublin", "America/St_Johns", ""}
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	for i := range 1500 {
		zone := pick(zones...)
		param := ""
		if zone != "" {
			param = ";TZID=" + zone
		}
		// Around the changes of spring and autumn, where the trouble is.
		start := time.Date(2010+rng.IntN(30), time.Month(pick("\x03", "\x0a", "\x0b", "\x0c", "\x04")[0]), 1+rng.IntN(28), rng.IntN(24), 15*rng.IntN(4), 0, 0, time.UTC)
		stamp := func(days int) string {
			return ical.Time{Wall: start.AddDate(0, 0, days)}.String()
		}
		text := "VEVENT DTSTART" + param + ":" + stamp(0)
		text += " " + pick("DURATION:PT1H", "DURATION:P1D", "DURATION:P2DT3H", "DURATION:PT0S", "DTEND"+param+":"+stamp(1), "SUMMARY:x", "DURATION:PT30M")
		text += " RRULE:" + pick("FREQ=DAILY", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30", "FREQ=WEEKLY;BYDAY=SU,MO", "FREQ=HOURLY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=-1SU,2SU", "FREQ=MINUTELY;INTERVAL=45") +
			fmt.Sprintf(";COUNT=%d", 1+rng.IntN(80))
		if rng.IntN(2) == 0 {
			text += " EXDATE" + param + ":" + stamp(rng.IntN(20)) + "," + stamp(rng.IntN(20))
		}
		if rng.IntN(3) == 0 {
			text += " RDATE" + param + ":" + stamp(rng.IntN(40)) + " RDATE;VALUE=PERIOD:" + stamp(rng.IntN(40)) + "Z/PT5H"
		}
		components := []string{text}
		if rng.IntN(2) == 0 {
			components = append(components, "VEVENT RECURRENCE-ID"+param+":"+stamp(rng.IntN(20))+" DTSTART"+param+":"+stamp(rng.IntN(30))+" DURATION:PT3H")
		}
		if rng.IntN(5) == 0 {
			components = append(components, "VEVENT RECURRENCE-ID;RANGE=THISANDFUTURE"+param+":"+stamp(rng.IntN(20))+" DTSTART"+param+":"+stamp(rng.IntN(30))+" DURATION:PT2H")
		}
		cal := calendarOf(t, components...)
		floating, _ := tz.Load("Europe/Paris")
		r := tz.NewResolver(cal, floating)
		s, err := recur.New(cal, r, recur.Options{})
		if err != nil {
			t.Fatal(err)
		}
		fail := func(format string, args ...any) {
			t.Fatalf("set %d\n%s\n%s", i, strings.Join(components, "\n"), fmt.Sprintf(format, args...))
		}
		var all []recur.Occurrence
		for o := range s.All() {
			all = append(all, o)
			if o.To.Before(o.From) {
				fail("%s ends before it begins", show(o))
			}
			if n := len(all); n > 1 && !r.Instant(all[n-2].ID).Before(r.Instant(o.ID)) && all[n-2].ID.Wall.After(o.ID.Wall) {
				fail("%s comes after %s", show(o), show(all[n-2]))
			}
			if !o.Override && !r.Instant(o.ID).Equal(o.From) {
				fail("%s is not at its id", show(o))
			}
			if !r.Instant(o.Start).Equal(o.From) {
				fail("%s: Start %v is not From", show(o), o.Start)
			}
			for _, id := range []ical.Time{o.ID, ical.UTCTime(r.Instant(o.ID))} {
				if found, ok := s.Find(id); !ok || show(found) != show(o) {
					fail("Find(%v) = %v, %s; want %s", id, ok, show(found), show(o))
				}
			}
		}
		for range 6 {
			from := start.AddDate(0, 0, rng.IntN(60)-5).Add(time.Duration(rng.IntN(48)) * 30 * time.Minute)
			to := from.Add(time.Duration(1+rng.IntN(200)) * 30 * time.Minute)
			var want []string
			for _, o := range all {
				if o.From.Equal(o.To) && !o.From.Before(from) && o.From.Before(to) || o.From.Before(to) && from.Before(o.To) {
					want = append(want, show(o))
				}
			}
			var got []string
			var last time.Time
			for o := range s.Between(from, to) {
				if o.From.Before(last) {
					fail("Between gives %s after one at %v", show(o), last)
				}
				last = o.From
				got = append(got, show(o))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				fail("Between(%v, %v)\n got %q\nwant %q", from, to, got, want)
			}
		}
		first, last, endless := s.Bounds()
		if endless {
			fail("endless")
		}
		for _, o := range all {
			if o.From.Before(first) || o.To.After(last) {
				fail("%s is outside of %v to %v", show(o), first, last)
			}
		}
	}
}
