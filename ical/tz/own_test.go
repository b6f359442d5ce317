package tz

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

func TestOwn(t *testing.T) {
	ship := vtimezone("Ship 3", "", "STANDARD 19700101T000000 -0330 -0330")
	lines, err := ReadOwn([]byte("\ufeff# offices\r\nHQ = Europe/Berlin\n\n  \"Old Server\"=W. Europe Standard Time\nAsia/Tokyo = UTC+10:00\n"))
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := ReadOwn([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\n"+ship+"END:VCALENDAR\n", "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		own        *Own
		tzid, text string
		want       string // instant of noon on 2026-07-01
		note       string
	}{
		{lines, "HQ", "", "20260701T100000Z", ""},
		{lines, "hq", "", "20260701T100000Z", ""},
		{lines, "old server", "", "20260701T100000Z", ""},
		{lines, "Asia/Tokyo", "", "20260701T020000Z", ""},
		{lines, "HQ", vtimezone("HQ", "", "STANDARD 19700101T000000 +0500 +0500 FREQ=YEARLY"), "20260701T070000Z", "the VTIMEZONE counts"},
		{lines, "Nowhere", "", "20260701T120000Z", "not known"},
		{calendar, "Ship 3", "", "20260701T153000Z", ""},
		{nil, "Europe/Berlin", "", "20260701T100000Z", ""},
	} {
		r := c.own.Resolver(parseLines(t, c.text+event(c.tzid, "20260701T120000", "")), nil)
		start, _ := ical.ParseTime("20260701T120000", c.tzid, false)
		if got := ical.UTCTime(r.Instant(start)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.tzid, got, c.want)
		}
		if notes := strings.Join(r.Notes(), "\n"); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", c.tzid, notes, c.note)
		}
	}
	for text, want := range map[string]string{
		"HQ": "line 1", "a = UTC\n= UTC": "line 2", "a = Nowhere": "line 1",
		"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n": "no VTIMEZONE",
		strings.ReplaceAll("BEGIN:VCALENDAR\n"+vtimezone("", "", "STANDARD 19700101T000000 -0330 -0330")+"END:VCALENDAR\n", "\n", "\r\n"): "without a TZID",
		strings.ReplaceAll("BEGIN:VCALENDAR\n"+vtimezone("x", "")+"END:VCALENDAR\n", "\n", "\r\n"):                                        "line 2",
	} {
		if _, err := ReadOwn([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
