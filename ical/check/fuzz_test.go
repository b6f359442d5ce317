package check_test

import (
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
)

// Nothing makes the validator panic or point outside of the file, and a
// normalized calendar has no fault in its lines.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(crlf(event(start + "ATTENDEE;CN=\"x\";RSVP=YES:mailto:a@b\nRRULE:FREQ=DAILY;BYDAY=1MO;UNTIL=2026\nATTACH;VALUE=BINARY:AA\n"))))
	f.Add([]byte(event("DTSTART;TZID=Z\n :20260102T030405\nDURATION:P\nGEO:1\nTRIGGER:x\nX;Y=\"z\n")))
	f.Add([]byte("BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VTODO\nEND:VCALENDAR"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 2
		for _, c := range data {
			if c == '\n' || c == '\r' {
				lines++
			}
		}
		for _, f := range check.Bytes(data, check.Options{}) {
			if f.Line < 1 || f.Line > lines || f.Column < 1 || f.Column > len(data)+2 || f.Rule == "" || f.Section == "" || f.Message == "" {
				t.Fatalf("%+v in %q", f, data)
			}
		}
		c, err := ical.Parse(data)
		if err != nil {
			return
		}
		c.Normalize()
		for _, f := range check.Check(c, check.Options{}) {
			switch f.Rule {
			case "line-end", "control", "utf-8", "blank-line", "line-length", "parameter-quote", "parameter-syntax", "fold-inside-character":
				t.Fatalf("normalized %q: %v", c.Bytes(), f)
			}
		}
	})
}
