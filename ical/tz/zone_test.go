package tz

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
)

// TestZonesLikeTheStandardLibrary compares every zone with package time, which
// reads the same data, at every change and at random instants up to far years.
func TestZonesLikeTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range Names() {
		z, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		entry, _ := find(name)
		loc, err := time.LoadLocationFromTZData(name, []byte(entry.data))
		if err != nil {
			t.Fatal(err)
		}
		check := func(at int64) {
			abbr, offset := time.Unix(at, 0).In(loc).Zone()
			if p := z.periodAt(at); int(p.offset) != offset || p.name != abbr {
				t.Fatalf("%s at %v: %+v, package time has %d %s", name, time.Unix(at, 0).UTC(), p, offset, abbr)
			}
		}
		for _, at := range z.at {
			if at < -1<<40 {
				continue // zic's beginning of time, not a change
			}
			check(at)
			if at > -4e9 {
				check(at - 1)
			}
		}
		for range 200 {
			check(rng.Int64N(4e9) - 4e8)
			check(rng.Int64N(25e10))
		}
	}
}

// TestReadings says RFC 5545 3.3.5 of every zone and change: what a gap leaves
// out takes the offset before it, what comes twice is the first.
func TestReadings(t *testing.T) {
	for _, name := range Names() {
		z, _ := Load(name)
		for i, at := range z.at {
			if at < -4e9 || i+1 < len(z.at) && z.at[i+1]-at < 7*day || i > 0 && at-z.at[i-1] < 7*day {
				continue
			}
			before, after := int64(z.periods[i].offset), int64(z.periods[i+1].offset)
			for _, step := range []int64{-2 * 86400, -1, 0, 1, 600, 2 * 86400} {
				// Around both readings that the moment has.
				for _, w := range []int64{at + before + step, at + after + step} {
					want := w - before
					if w >= at+before && w >= at+after {
						want = w - after
					}
					if got := z.Instant(time.Unix(w, 0).UTC()).Unix(); got != want {
						t.Fatalf("%s: reading %v: got %v, want %v", name, time.Unix(w, 0).UTC(), time.Unix(got, 0).UTC(), time.Unix(want, 0).UTC())
					}
				}
			}
		}
	}
}

func TestReadingsFarAway(t *testing.T) {
	for _, c := range []struct{ zone, wall, want string }{
		{"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"}, // gap: 03:30-04:00
		{"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"}, // twice: the first
		{"America/New_York", "2099-12-31T23:30:00", "2100-01-01T04:30:00Z"},
		{"America/New_York", "2100-01-01T00:30:00", "2100-01-01T05:30:00Z"},
		{"America/New_York", "2400-07-01T12:00:00", "2400-07-01T16:00:00Z"},
		{"America/New_York", "9999-03-14T02:30:00", "9999-03-14T07:30:00Z"},
		{"America/New_York", "9999-11-07T01:30:00", "9999-11-07T05:30:00Z"},
		{"Europe/Dublin", "2026-07-01T12:00:00", "2026-07-01T11:00:00Z"},
		{"Europe/Dublin", "3026-07-01T12:00:00", "3026-07-01T11:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z"},
		{"Asia/Jerusalem", "2500-03-26T01:59:00", "2500-03-25T23:59:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"}, // a day that was not
	} {
		z, err := Load(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		wall, err := time.Parse("2006-01-02T15:04:05", c.wall)
		if err != nil {
			t.Fatal(err)
		}
		if got := z.Instant(wall).Format(time.RFC3339); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.zone, c.wall, got, c.want)
		}
	}
}

func TestLocationFormats(t *testing.T) {
	z, _ := Load("Europe/Berlin")
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	if got := at.In(z.Location()).Format("15:04 MST"); got != "12:00 CEST" {
		t.Error(got)
	}
	table := newZone("here", z.periods[0], []change{{0, period{3600, false, "A"}}, {1000, period{7200, true, "B"}}}, nil)
	if got := time.Unix(2000, 0).In(table.Location()).Format("15:04 MST"); got != "02:33 B" {
		t.Error(got)
	}
}

// TestStretch: all readings of a stretch exist and have its offset, near and far
// and in zones of a VTIMEZONE.
func TestStretch(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var zones []*Zone
	for _, name := range Names() {
		z, _ := Load(name)
		zones = append(zones, z)
	}
	for _, name := range []string{"America/New_York", "Australia/Lord_Howe", "Asia/Tehran", "Africa/Casablanca", "Europe/Dublin"} {
		z, _ := Load(name)
		own, err := FromComponent(z.Component("Own "+name, time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, own)
	}
	for _, z := range zones {
		for range 60 {
			w := rng.Int64N(25e10) // to the year 9892
			if rng.IntN(2) == 0 {
				w = rng.Int64N(45e8) - 4e8
			}
			if n := len(z.reads); n > 0 && rng.IntN(3) == 0 {
				w = z.reads[rng.IntN(n)] + int64(rng.IntN(3)-1)*int64(rng.IntN(4000))
			}
			offset, from, to := z.Stretch(w)
			if from == to {
				if at := w - offset; int64(z.periodAt(at).offset) == offset {
					t.Fatalf("%s: reading %v is no gap", z.name, time.Unix(w, 0).UTC())
				}
				continue
			}
			if w < from || w >= to {
				t.Fatalf("%s: stretch %v to %v of %v", z.name, time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC(), time.Unix(w, 0).UTC())
			}
			from, to = max(from, w-1e8), min(to, w+1e8)
			for _, r := range []int64{w, from, to - 1, from + rng.Int64N(to-from)} {
				at := r - offset
				if z.offsetOfReading(r) != offset || int64(z.periodAt(at).offset) != offset {
					t.Fatalf("%s: reading %v of the stretch of %v has %d and %d, not %d", z.name, time.Unix(r, 0).UTC(), time.Unix(w, 0).UTC(), z.offsetOfReading(r), z.periodAt(at).offset, offset)
				}
			}
		}
	}
}

// Rules of a VTIMEZONE that seldom give anything are worked out once, and what
// no clock does is refused.
func TestOddRules(t *testing.T) {
	zone := func(rule string) *ical.Component {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:odd\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\n" + rule +
			"\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700601T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRDATE:20900601T000000\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cal.Components[0]
	}
	for _, tt := range []struct {
		rule string
		at   string
		want int // seconds
	}{
		{"RRULE:FREQ=YEARLY;INTERVAL=2147483647", "2089-01-01T00:00:00Z", 7200},
		{"RRULE:FREQ=YEARLY;INTERVAL=20", "2089-01-01T00:00:00Z", 3600},
		{"RRULE:FREQ=YEARLY;INTERVAL=20", "2091-01-01T00:00:00Z", 7200},
		{"RRULE:FREQ=YEARLY;INTERVAL=20", "9111-01-01T00:00:00Z", 3600},
		{"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2089-01-01T00:00:00Z", 7200},
		{"RRULE:FREQ=YEARLY", "9999-01-02T00:00:00Z", 3600},
	} {
		z, err := FromComponent(zone(tt.rule))
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		at, _ := time.Parse(time.RFC3339, tt.at)
		if _, got := z.Wall(at); got != tt.want {
			t.Errorf("%s: at %s the offset is %d, want %d", tt.rule, tt.at, got, tt.want)
		}
	}
	for _, rule := range []string{"RRULE:RSCALE=INDIAN;FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=271", "RRULE:FREQ=DAILY", "RRULE:FREQ=SECONDLY"} {
		if _, err := FromComponent(zone(rule)); err == nil {
			t.Errorf("%s is taken", rule)
		}
	}
}
