package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A name of one's own means what the file says, and a start that its rule does
// not give can be left out.
func TestExpandWithZonesOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	event := write("event.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=HQ:20260301T120000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	for _, c := range []struct {
		zones string
		rule  bool
		want  string
	}{
		{"HQ = Europe/Berlin\n", false, "2026-03-01T12:00:00+01:00 2026-03-02T12:00:00+01:00"},
		{"HQ = Europe/Berlin\n", true, "2026-03-02T12:00:00+01:00 2026-03-09T12:00:00+01:00"},
		{"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:HQ\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:-0330\r\nTZOFFSETTO:-0330\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n", true,
			"2026-03-02T12:00:00-03:30 2026-03-09T12:00:00-03:30"},
	} {
		var out, errs bytes.Buffer
		x := icalExpand{Files: []string{event}, Zones: write("zones", c.zones), Start: !c.rule}
		if err := x.Run(&env{Streams: Streams{Out: &out, Err: &errs}}); err != nil {
			t.Fatalf("%v\n%s", err, errs.String())
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.Fields(line)[0])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, want %s", c.zones, got, c.want)
		}
	}
	x := icalExpand{Files: []string{event}, Zones: write("zones", "HQ: Berlin\n")}
	if err := x.Run(&env{Streams: Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a file that is none: %v", err)
	}
}

// A start that its rule does not give is left out and told.
func TestExpandTellsAnOddStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "odd.ics")
	text := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:odd\r\nDTSTART:20260301T120000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:even\r\nDTSTART:20260302T120000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if err := (icalExpand{Files: []string{file}}).Run(&env{Streams: Streams{Out: &out, Err: &errs}}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "2026-03-01") || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("occurrences:\n%s", out.String())
	}
	if !strings.Contains(errs.String(), "UID odd: the start is no occurrence") || strings.Contains(errs.String(), "UID even") {
		t.Errorf("standard error:\n%s", errs.String())
	}
}
