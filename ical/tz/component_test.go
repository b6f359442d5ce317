package tz

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// lines writes a component without line ends and frames, for comparison.
func lines(c *ical.Component) string {
	return strings.ReplaceAll(strings.TrimSpace(string(c.Bytes())), "\r\n", "\n")
}

func TestComponent(t *testing.T) {
	for _, c := range []struct {
		zone     string
		from, to time.Time
		want     string
	}{
		{"Asia/Kolkata", date(2026, 1, 1), time.Time{}, `
STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
TZNAME:IST`},
		{"Europe/Berlin", date(2026, 1, 15), time.Time{}, `
DAYLIGHT
DTSTART:20250330T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
STANDARD
DTSTART:20251026T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU`},
		{"America/New_York", date(2026, 7, 1), date(2026, 7, 2), `
STANDARD
DTSTART:20251102T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
TZNAME:EST
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
DAYLIGHT
DTSTART:20260308T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
TZNAME:EDT
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU`},
		{"Asia/Jerusalem", date(2026, 7, 1), time.Time{}, `
STANDARD
DTSTART:20251026T020000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
TZNAME:IST
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
DAYLIGHT
DTSTART:20260327T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
TZNAME:IDT
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29`},
		{"Europe/Dublin", date(2026, 7, 1), time.Time{}, `
STANDARD
DTSTART:20251026T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
TZNAME:GMT
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
DAYLIGHT
DTSTART:20260329T010000
TZOFFSETFROM:+0000
TZOFFSETTO:+0100
TZNAME:IST
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU`},
		{"America/Sao_Paulo", date(2026, 7, 1), time.Time{}, `
STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:-0300
TZOFFSETTO:-0300
TZNAME:-03`},
		{"UTC", date(2026, 7, 1), time.Time{}, `
STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0000
TZOFFSETTO:+0000
TZNAME:UTC`},
	} {
		z, err := Load(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, sub := range z.Component(c.zone, c.from, c.to).Components {
			for line := range strings.Lines(lines(sub)) {
				line = strings.TrimSpace(line)
				if name, ok := strings.CutPrefix(line, "BEGIN:"); ok {
					line = name
				} else if strings.HasPrefix(line, "END:") {
					continue
				}
				got.WriteString("\n" + line)
			}
		}
		if got.String() != c.want {
			t.Errorf("%s from %v to %v:\n got %s\nwant %s", c.zone, c.from, c.to, got.String(), c.want)
		}
	}
}

// TestComponentOfEveryZone reads back what is written and compares it with the
// zone at every change of the span, and checks the form that OUT-07 promises.
func TestComponentOfEveryZone(t *testing.T) {
	spans := [][2]time.Time{
		{date(2026, 1, 15), time.Time{}},
		{date(2026, 7, 15), date(2026, 7, 16)},
		{date(2026, 12, 30), date(2027, 1, 3)},
		{date(2006, 6, 1), date(2008, 6, 1)},
		{date(1999, 3, 1), time.Time{}},
		{date(1975, 3, 1), date(2030, 1, 1)},
		{{}, {}},
		{date(2095, 1, 1), date(2130, 1, 1)},
		{date(2300, 6, 1), time.Time{}},
	}
	for _, name := range Names() {
		z, _ := Load(name)
		for _, span := range spans {
			c := z.Component(name, span[0], span[1])
			back, err := FromComponent(c)
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, c.Bytes())
			}
			lo, hi := int64(0), int64(horizon+60*yearSeconds)
			if !span[0].IsZero() {
				lo = span[0].Unix()
			}
			if !span[1].IsZero() {
				hi = span[1].Unix()
			} else {
				hi = max(hi, lo+120*yearSeconds)
			}
			if at, differ := back.differs(z, lo, hi); differ {
				t.Errorf("%s in %v: differs at %v\n%s", name, span, time.Unix(at, 0).UTC(), c.Bytes())
			}
			daylight, standard := 0, 0
			for _, sub := range c.Components {
				if sub.Name == "DAYLIGHT" {
					daylight++
				} else {
					standard++
				}
				if sub.Prop("RDATE") != nil {
					t.Errorf("%s: RDATE", name)
				}
			}
			if standard == 0 {
				t.Errorf("%s in %v: no STANDARD\n%s", name, span, c.Bytes())
			}
			// Morocco and Palestine follow the moon.
			moon := strings.Contains("Africa/Casablanca Africa/El_Aaiun Asia/Gaza Asia/Hebron", name)
			if span == spans[0] && !moon && (daylight > 1 || standard > 1) {
				t.Errorf("%s: %d DAYLIGHT, %d STANDARD\n%s", name, daylight, standard, c.Bytes())
			}
		}
	}
}

func TestComplete(t *testing.T) {
	cal, err := ical.Parse([]byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:My Zone
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0123
TZOFFSETTO:+0123
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:u
DTSTART;TZID=Europe/Berlin:20260105T090000
DTEND;TZID=my zone:20260105T100000
RDATE;TZID=Nowhere:20260106T090000
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r := NewResolver(cal, nil)
	Complete(cal, r)
	var got []string
	for _, c := range cal.Components {
		got = append(got, c.Name+" "+c.Text("TZID"))
	}
	if want := "VTIMEZONE My Zone,VTIMEZONE Europe/Berlin,VEVENT "; strings.Join(got, ",") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if u := r.Unresolved(); len(u) != 1 || u[0] != "Nowhere" {
		t.Errorf("unresolved: %v", u)
	}
}
