package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

const oneEvent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260102T030405Z\r\n" +
	"DTSTART:20260302T090000Z\r\nRRULE:FREQ=DAILY;BYHOUR=9,17;COUNT=4\r\nSUMMARY:One\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// Each format is recognised by what is written in it, and two calendars come
// back as two.
func TestFormatsComeBack(t *testing.T) {
	for _, f := range formats {
		for _, text := range []string{oneEvent, oneEvent + strings.ReplaceAll(oneEvent, "UID:1", "UID:2")} {
			var told []string
			tell := func(s string) { told = append(told, s) }
			var out bytes.Buffer
			w := f.write(&out, strings.Count(text, "UID:") > 1, tell)
			if err := readCalendars(strings.NewReader(text), tell, func(r *ical.Reader) error { return copyCalendars(w, r, &outline{}, &progress{}) }); err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if lossy := len(told) > 0; lossy != (f.name == "vcs") {
				t.Errorf("%s: losses %q", f.name, told)
			}
			uids := ""
			err := readCalendars(bytes.NewReader(out.Bytes()), tell, func(back *ical.Reader) error {
				for {
					cal, err := back.Next()
					if err == io.EOF {
						return nil
					}
					if err != nil {
						return err
					}
					uids += cal.UID()
					if got := cal.Master().Value("RRULE"); !strings.Contains(got, "BYHOUR=9,17") {
						t.Errorf("%s: RRULE:%s", f.name, got)
					}
				}
			})
			if err != nil {
				t.Fatalf("%s: %v\n%s", f.name, err, out.Bytes())
			}
			if want := "1" + strings.Repeat("2", strings.Count(text, "UID:2")); uids != want {
				t.Errorf("%s: %s came back of %s\n%s", f.name, uids, want, out.Bytes())
			}
		}
	}
}
