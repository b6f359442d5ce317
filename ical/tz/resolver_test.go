package tz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

func parseLines(t testing.TB, text string) *ical.Calendar {
	t.Helper()
	text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//test//EN\n" + strings.TrimSpace(text) + "\nEND:VCALENDAR\n"
	cal, err := ical.Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// vtimezone writes sub-components "STANDARD 19701025T030000 +0200 +0100 [RRULE]".
func vtimezone(tzid string, extra string, subs ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VTIMEZONE\nTZID:" + tzid + "\n" + extra)
	for _, s := range subs {
		f := strings.Fields(s)
		b.WriteString("BEGIN:" + f[0] + "\nDTSTART:" + f[1] + "\nTZOFFSETFROM:" + f[2] + "\nTZOFFSETTO:" + f[3] + "\n")
		if len(f) > 4 {
			b.WriteString("RRULE:" + f[4] + "\n")
		}
		b.WriteString("END:" + f[0] + "\n")
	}
	return b.String() + "END:VTIMEZONE\n"
}

func event(tzid, start string, extra string) string {
	return "BEGIN:VEVENT\nUID:u\nDTSTART;TZID=\"" + tzid + "\":" + start + "\n" + extra + "END:VEVENT\n"
}

// The order of TZ-01 and what is said about it.
func TestResolver(t *testing.T) {
	europe := []string{"STANDARD 16010101T030000 +0200 +0100 FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "DAYLIGHT 16010101T020000 +0100 +0200 FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"}
	odd := []string{"STANDARD 16010101T030000 +0200 +0100 FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "DAYLIGHT 16010101T020000 +0100 +0200 FREQ=YEARLY;BYDAY=-1SU;BYMONTH=4"}
	for _, c := range []struct {
		name, text, tzid, start string
		zone, want, note        string // name of the zone, instant of start, words of the note
	}{
		{"an IANA name", event("Europe/Berlin", "20260701T120000", ""), "Europe/Berlin", "20260701T120000", "Europe/Berlin", "20260701T100000Z", ""},
		{"in another case, with a VTIMEZONE that agrees", vtimezone("EUROPE/berlin", "", europe...) + event("europe/Berlin", "20260701T120000", ""), "europe/Berlin", "20260701T120000", "Europe/Berlin", "20260701T100000Z", ""},
		{"a VTIMEZONE that contradicts its name counts", vtimezone("Europe/Berlin", "", odd...) + event("Europe/Berlin", "20260410T120000", ""), "Europe/Berlin", "20260410T120000", "Europe/Berlin", "20260410T110000Z", "the VTIMEZONE counts"},
		{"one that contradicts at other times does not matter", vtimezone("Europe/Berlin", "", odd...) + event("Europe/Berlin", "20260710T120000", ""), "Europe/Berlin", "20260710T120000", "Europe/Berlin", "20260710T100000Z", ""},
		{"an endless series meets the contradiction", vtimezone("Europe/Berlin", "", odd...) + event("Europe/Berlin", "20260710T120000", "RRULE:FREQ=DAILY\n"), "Europe/Berlin", "20270410T120000", "Europe/Berlin", "20270410T110000Z", "the VTIMEZONE counts"},
		{"a contradiction counts up to its horizon", vtimezone("Europe/Berlin", "", "STANDARD 20251026T030000 +0200 +0130") + event("Europe/Berlin", "20260110T120000", "RRULE:FREQ=DAILY\n"), "Europe/Berlin", "20280110T120000", "Europe/Berlin", "20280110T110000Z", "the VTIMEZONE counts"},
		{"within its horizon", vtimezone("Europe/Berlin", "", "STANDARD 20251026T030000 +0200 +0130") + event("Europe/Berlin", "20260110T120000", ""), "Europe/Berlin", "20260110T120000", "Europe/Berlin", "20260110T103000Z", "+01:30"},
		{"a broken VTIMEZONE of a known name", vtimezone("Europe/Berlin", "", "STANDARD 19700101T000000 rubbish +0100") + event("Europe/Berlin", "20260701T120000", ""), "Europe/Berlin", "20260701T120000", "Europe/Berlin", "20260701T100000Z", "cannot be used"},
		{"a prefix", event("/freeassociation.sourceforge.net/Tzfile/America/New_York", "20260701T120000", ""), "/freeassociation.sourceforge.net/Tzfile/America/New_York", "20260701T120000", "America/New_York", "20260701T160000Z", ""},
		{"X-LIC-LOCATION", vtimezone("Some where", "X-LIC-LOCATION:Europe/Berlin\n", europe...) + event("Some where", "20260701T120000", ""), "Some where", "20260701T120000", "Europe/Berlin", "20260701T100000Z", ""},
		{"a Windows name with its VTIMEZONE", vtimezone("W. Europe Standard Time", "", europe...) + event("W. Europe Standard Time", "20260701T120000", ""), "W. Europe Standard Time", "20260701T120000", "Europe/Berlin", "20260701T100000Z", ""},
		{"a display name without", event("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "20260701T120000", ""), "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "20260701T120000", "Europe/Berlin", "20260701T100000Z", ""},
		{"a custom name: its VTIMEZONE alone", vtimezone("Customized Time Zone", "", "STANDARD 16010101T000000 +0545 +0545") + event("Customized Time Zone", "20260701T120000", ""), "Customized Time Zone", "20260701T120000", "Customized Time Zone", "20260701T061500Z", ""},
		{"a guess is worth less than the VTIMEZONE", vtimezone("custom_Pacific/Fiji", "", "STANDARD 16010101T000000 +0100 +0100") + event("custom_Pacific/Fiji", "20260701T120000", ""), "custom_Pacific/Fiji", "20260701T120000", "custom_Pacific/Fiji", "20260701T110000Z", ""},
		{"a guess without", event("Europe_Berlin", "20260701T120000", ""), "Europe_Berlin", "20260701T120000", "Europe/Berlin", "20260701T100000Z", "is taken for Europe/Berlin"},
		{"X-WR-TIMEZONE", "X-WR-TIMEZONE:Asia/Tokyo\n" + event("Nowhere", "20260701T120000", ""), "Nowhere", "20260701T120000", "Asia/Tokyo", "20260701T030000Z", "X-WR-TIMEZONE"},
		{"the floating zone, with a warning", event("Nowhere", "20260701T120000", ""), "Nowhere", "20260701T120000", "America/New_York", "20260701T160000Z", "not known"},
		{"a zone far in the future, rules from 1601", vtimezone("x", "", europe...) + event("x", "25000701T120000", ""), "x", "25000701T120000", "x", "25000701T100000Z", ""},
		{"a zone long ago, rules from 1601", vtimezone("x", "", europe...) + event("x", "17000701T120000", ""), "x", "17000701T120000", "x", "17000701T100000Z", ""},
		{"before the first onset", vtimezone("x", "", "STANDARD 20200101T000000 +0300 +0400") + event("x", "19990101T120000", ""), "x", "19990101T120000", "x", "19990101T090000Z", ""},
	} {
		newYork, _ := Load("America/New_York")
		r := NewResolver(parseLines(t, c.text), newYork)
		start, err := ical.ParseTime(c.start, c.tzid, false)
		if err != nil {
			t.Fatal(err)
		}
		z := r.Find(c.tzid)
		if z.Name() != c.zone {
			t.Errorf("%s: zone %s, want %s", c.name, z.Name(), c.zone)
		}
		if got := ical.UTCTime(r.Instant(start)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if notes := strings.Join(r.Notes(), "\n"); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", c.name, notes, c.note)
		}
	}
}

func TestFloatingInMessages(t *testing.T) {
	newYork, _ := Load("America/New_York")
	bare := "BEGIN:VEVENT\nUID:u\nDTSTART:20260701T120000\nEND:VEVENT\n"
	kolkata := vtimezone("Asia/Kolkata", "", "STANDARD 19700101T000000 +0530 +0530")
	for _, c := range []struct{ name, text, want string }{
		{"stored: the person's zone", "X-WR-TIMEZONE:Asia/Tokyo\n" + bare, "America/New_York"},
		{"a message: X-WR-TIMEZONE", "METHOD:REQUEST\nX-WR-TIMEZONE:Asia/Tokyo\n" + bare, "Asia/Tokyo"},
		{"a message: the one VTIMEZONE", "METHOD:REQUEST\n" + kolkata + bare, "Asia/Kolkata"},
		{"a message: else the person's zone", "METHOD:REQUEST\n" + bare, "America/New_York"},
	} {
		if got := NewResolver(parseLines(t, c.text), newYork).FindFloating().Name(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFromComponentRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          vtimezone("x", ""),
		"no offset":      vtimezone("x", "", "STANDARD 19700101T000000 x +0100"),
		"bad rule":       vtimezone("x", "", "STANDARD 19700101T000000 +0100 +0100 FREQ=NEVER"),
		"a second-ly":    vtimezone("x", "", "STANDARD 19700101T000000 +0100 +0200 FREQ=SECONDLY", "DAYLIGHT 19700101T000000 +0200 +0100 FREQ=SECONDLY"),
		"a long COUNT":   vtimezone("x", "", "STANDARD 19700101T000000 +0100 +0200 FREQ=SECONDLY;COUNT=2000000000"),
		"no such offset": vtimezone("x", "", "STANDARD 19700101T000000 +9900 +0100"),
	} {
		begun := time.Now()
		cal := parseLines(t, text)
		if z, err := FromComponent(cal.Components[0]); err == nil {
			t.Errorf("%s: got %v", name, z)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestOthersVTIMEZONEs compares the VTIMEZONEs that libical makes of the same
// release of the IANA data with ours. They hold the rules of today, written as if
// they had always been, so years that are to come are compared.
func TestOthersVTIMEZONEs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(shared.Dir(t), "corpus", "libical-vtimezones", "all-zones-2025c.ics"))
	if err != nil {
		t.Fatal(err)
	}
	cals, err := ical.ParseAll(data)
	if err != nil {
		t.Fatal(err)
	}
	// Where libical's text and the IANA data differ, and why.
	const moon, between = "follows the moon; libical lists no changes", "the onset is a day after or before the nth weekday, which can fall into another week or month; libical's rule is simpler"
	known := map[string]string{
		"Africa/Casablanca": moon, "Africa/El_Aaiun": moon, "Asia/Gaza": moon, "Asia/Hebron": moon,
		"Africa/Cairo": between, "Egypt": between, "America/Godthab": between, "America/Nuuk": between, "America/Scoresbysund": between,
		"America/Santiago": between, "Chile/Continental": between, "Asia/Jerusalem": between, "Asia/Tel_Aviv": between, "Israel": between,
	}
	n, differ := 0, 0
	for _, cal := range cals {
		for c := range cal.Children("VTIMEZONE") {
			tzid := c.Text("TZID")
			ours, err := Load(tzid)
			if err != nil {
				t.Errorf("%s: %v", tzid, err)
				continue
			}
			theirs, err := FromComponent(c)
			if err != nil {
				t.Errorf("%s: %v", tzid, err)
				continue
			}
			n++
			if at, d := theirs.differs(ours, date(2026, 1, 15).Unix(), date(2060, 1, 1).Unix()); d {
				differ++
				if known[ours.Name()] == "" {
					t.Errorf("%s at %v: libical %d, IANA %d", ours.Name(), time.Unix(at, 0).UTC(), theirs.periodAt(at).offset, ours.periodAt(at).offset)
				}
			}
		}
	}
	t.Logf("%d zones, %d differ", n, differ)
	if n < 500 {
		t.Errorf("only %d zones", n)
	}
}

func FuzzVTIMEZONE(f *testing.F) {
	f.Add("STANDARD", "19701025T030000", "+0200", "+0100", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "20260101T000000")
	f.Add("DAYLIGHT", "16010101T020000", "-0100", "+0200", "FREQ=SECONDLY", "")
	f.Add("DAYLIGHT", "99991231T235959", "+2400", "-2400", "FREQ=YEARLY;COUNT=5", "00010101T000000,20200101")
	f.Fuzz(func(t *testing.T, kind, start, from, to, rule, rdate string) {
		sub := ical.NewComponent(kind)
		if kind != "DAYLIGHT" {
			sub.Name = "STANDARD"
		}
		for name, value := range map[string]string{"DTSTART": start, "TZOFFSETFROM": from, "TZOFFSETTO": to, "RRULE": rule, "RDATE": rdate} {
			if value != "" && !strings.ContainsAny(value, "\r\n") {
				sub.Set(name, value)
			}
		}
		c := ical.NewComponent("VTIMEZONE")
		c.Set("TZID", "x")
		c.Components = append(c.Components, sub)
		z, err := FromComponent(c)
		if err != nil {
			return
		}
		for _, wall := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
			at := z.Instant(wall)
			if _, offset := z.Wall(at); offset < -86400 || offset > 90000 {
				t.Errorf("offset %d", offset)
			}
			z.Stretch(wall.Unix())
			z.Component("y", wall, wall.AddDate(1, 0, 0))
		}
		z.Location()
	})
}
