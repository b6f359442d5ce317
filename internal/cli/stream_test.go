package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/internal/spill"
)

// tool runs a file tool on a text.
func tool(t testing.TB, in string, run func(*env) error) (out, told string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = run(&env{Streams: Streams{In: strings.NewReader(in), Out: &o, Err: &e}, ctx: t.Context(), root: &commands{}})
	return o.String(), e.String(), err
}

// long is a calendar of more than smallInput: series whose overrides stand far
// from them, and before them, zones at the end.
func long() string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n")
	n := smallInput / 300
	for i := range n {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:o%d\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Here:20260102T090000\r\nDTSTART;TZID=Here:20260102T100000\r\nSUMMARY:override %d\r\nEND:VEVENT\r\n", i*7919%n, i*7919%n)
	}
	for i := range n {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:o%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Here:20260101T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=2\r\nSUMMARY:series %d\r\nEND:VEVENT\r\n", i, i)
	}
	b.WriteString("BEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n")
	return b.String()
}

// A long calendar gives what a short one gives, however far apart things stand.
func TestLongCalendars(t *testing.T) {
	text := long()
	if len(text) <= smallInput {
		t.Fatal("it is not long")
	}
	out, told, err := tool(t, text, icalExpand{Files: []string{"-"}}.Run)
	if err != nil || told != "" {
		t.Fatal(err, told)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if n := 2 * (smallInput / 300); len(lines) != n {
		t.Fatalf("%d occurrences, want %d", len(lines), n)
	}
	for i := 0; i < len(lines); i += 2 { // in the order of the first component of each UID
		uid := i / 2 * 7919 % (len(lines) / 2)
		if want := fmt.Sprintf("2026-01-01T09:00:00+01:30  2026-01-01T10:00:00+01:30  series %d  o%d", uid, uid); lines[i] != want {
			t.Fatalf("line %d: %s, want %s", i, lines[i], want)
		}
		if !strings.HasPrefix(lines[i+1], "2026-01-02T10:00:00+01:30") || !strings.HasSuffix(lines[i+1], fmt.Sprintf("override %d  o%d", uid, uid)) {
			t.Fatalf("line %d: %s", i+1, lines[i+1])
		}
	}

	if out, told, err := tool(t, text, icalCheck{Files: []string{"-"}, Format: "text"}.Run); err != nil || out+told != "" {
		t.Errorf("check: %v %.200s", err, out+told)
	}
	twice := strings.Replace(text, "UID:o77\r\n", "UID:o78\r\n", 1)
	if out, _, err := tool(t, twice, icalCheck{Files: []string{"-"}, Format: "text"}.Run); !errors.Is(err, errFailed) || strings.Count(out, "\n") != 1 || !strings.Contains(out, "uid-twice") {
		t.Errorf("check: %v %.200s", err, out)
	}
	if out, _, err := tool(t, strings.Replace(text, "\r\nTZID:Here\r\n", "\r\nTZID:There\r\n", 1), icalCheck{Files: []string{"-"}, Format: "json", Max: 3}.Run); !errors.Is(err, errFailed) || strings.Count(out, "tzid-without-zone") != 3 ||
		!strings.Contains(out, `"line":7,"column":20`) || !strings.Contains(out, fmt.Sprintf("%d more errors", 3*(smallInput/300)-3)) {
		t.Errorf("check: %v %.600s", err, out)
	}

	if out, told, err := tool(t, text, icalFmt{File: "-"}.Run); err != nil || told != "" || out != text {
		t.Errorf("fmt: %v %.200s", err, told)
	}

	other := filepath.Join(t.TempDir(), "other.ics")
	changed := strings.Replace(strings.Replace(text, "SUMMARY:series 4321\r\n", "SUMMARY:other\r\n", 1), "UID:o12\r\n", "UID:o-new\r\n", 1)
	if err := os.WriteFile(other, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err = tool(t, text, icalDiff{Old: "-", New: other}.Run)
	want := "+ VEVENT o-new 20260102T090000\n- VEVENT o12 20260102T090000\n~ VEVENT o4321: SUMMARY:series 4321 -> SUMMARY:other\n"
	if !errors.Is(err, errFailed) || out != want {
		t.Errorf("diff: %v\n%s", err, out)
	}
	if out, _, err := tool(t, text, icalDiff{Old: "-", New: other, Ignore: []string{"summary"}}.Run); !errors.Is(err, errFailed) || strings.Count(out, "\n") != 2 {
		t.Errorf("diff --ignore: %v\n%s", err, out)
	}
}

// What cannot be opened is told and does not hide the rest.
func TestUnreadableInputs(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.ics": oneEvent, "c.ICS": oneEvent, "other.txt": "no calendar"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "b.ics")); err != nil {
		t.Skipf("SKIP: this system has no symbolic links: %v", err)
	}
	out, told, err := tool(t, "", icalExpand{Files: []string{dir, filepath.Join(dir, "absent.ics")}, Limit: 1}.Run)
	if !errors.Is(err, errFailed) || strings.Count(out, "One") != 2 || !strings.Contains(told, "b.ics") || !strings.Contains(told, "absent.ics") {
		t.Errorf("%v\n%s\n%s", err, out, told)
	}
	for name, run := range map[string]func(*env) error{"check": icalCheck{Files: []string{"-"}, Format: "text"}.Run, "fmt": icalFmt{File: "-"}.Run, "convert": icalConvert{To: "jcal", Files: []string{"-"}}.Run} {
		if _, _, err := tool(t, "", run); err == nil {
			t.Errorf("%s of nothing is no error", name)
		}
	}
}

// fmt of what fmt wrote changes nothing, with --preserve it never does, and
// nothing makes the tools panic.
func FuzzTools(f *testing.F) {
	f.Add([]byte(oneEvent))
	f.Add([]byte("BEGIN:VCALENDAR\nUID:x\nBEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=DAILY\nEND:VTODO\nX:y\nBEGIN:VALARM\nEND:VCALENDAR\n\ntext"))
	f.Add([]byte("BEGIN:VEVENT\nSUMMARY:bare\nBEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:a\nEND:VTIMEZONE\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, _, err := tool(t, string(data), icalFmt{File: "-", Preserve: true}.Run)
		if err == nil && kept != string(data) && !bytes.HasPrefix(data, []byte(gzipMagic)) && !bytes.HasPrefix(data, []byte(zipMagic)) {
			t.Fatalf("preserved %q as %q", data, kept)
		}
		tidy, _, err := tool(t, string(data), icalFmt{File: "-"}.Run)
		if err != nil {
			return
		}
		again, _, err := tool(t, tidy, icalFmt{File: "-"}.Run)
		if err != nil || again != tidy {
			t.Fatalf("%q becomes\n%q, then\n%q, %v", data, tidy, again, err)
		}
		tool(t, string(data), icalExpand{Files: []string{"-"}, Limit: 5}.Run)
		tool(t, string(data), icalCheck{Files: []string{"-"}, Format: "sarif"}.Run)
		a, b := &diffSide{contexts: map[string]int{}}, &diffSide{contexts: map[string]int{}}
		defer a.close()
		defer b.close()
		if eachPart(strings.NewReader(tidy), a) == nil && eachPart(strings.NewReader(tidy), b) == nil {
			if err := compareSorted(a, b, func(d difference) { t.Errorf("%q differs from itself: %v", tidy, d) }); err != nil {
				t.Errorf("%q: %v", tidy, err)
			}
		}
	})
}

// The strict validator says the same of a calendar whatever it sorts with.
func TestCheckSortsAlike(t *testing.T) {
	text := strings.Replace(long(), "UID:o77\r\n", "UID:o78\r\n", 3)
	var lists [2][]check.Finding
	for i, sorter := range []func() ical.Sorter{nil, func() ical.Sorter { return &spill.Sorter{Memory: 1000} }} {
		if err := check.Reader(io.LimitReader(strings.NewReader(text), 1<<20), check.Options{Sorter: sorter, Limits: ical.Limits{Size: maxPart}}, func(f check.Finding) { lists[i] = append(lists[i], f) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(lists[0]) == 0 || !slices.Equal(lists[0], lists[1]) {
		t.Errorf("%v\n%v", lists[0], lists[1])
	}
}
