package ical_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/shared"
)

var (
	pageBreak = regexp.MustCompile(`(?m)\n*^.*\[Page \d+\]\n\f?\n?(.*\d{4}\n)?\n*`)
	example   = regexp.MustCompile(`(?ms)^ *BEGIN:VCALENDAR *\n.*?^ *END:VCALENDAR`)
)

// Every object in the RFCs' examples is read, their defects included;
// all values that have a type read as it, but for those that nobody could.
func TestExamplesOfTheRFCs(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "specs")
	unreadable := map[string]bool{ // whoever reads the end of such an event drops it (LEN-04)
		"199706211T173000Z": true, // RFC 6047 4.6
		"199706211T210000Z": true, // draft-ietf-calsch-imip-04
	}
	for name, least := range map[string]int{
		"rfc5545.txt": 7, "rfc5546.txt": 50, "rfc6047.txt": 7, "rfc2447.txt": 5, "rfc2446.txt": 40, "draft-ietf-calsch-imip-04.txt": 5,
		"rfc7953.txt": 1, "rfc6638.txt": 3,
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text := pageBreak.ReplaceAllString(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
		count := 0
		for _, object := range example.FindAllString(text, -1) {
			count++
			c := parse(t, object)
			if len(c.Components) == 0 {
				t.Errorf("%s: no component in\n%s", name, object)
			}
			for _, s := range c.Main() {
				for _, p := range s.Properties {
					var err error
					switch p.Name() {
					case "DTSTART", "DTEND", "DTSTAMP", "DUE", "RECURRENCE-ID", "CREATED", "LAST-MODIFIED", "COMPLETED":
						_, err = p.Time()
					case "RDATE", "EXDATE":
						_, err = p.Times()
					case "DURATION":
						_, err = p.Duration()
					case "FREEBUSY":
						_, err = p.Periods()
					case "SEQUENCE", "PRIORITY":
						_, err = p.Int()
					case "ATTENDEE", "ORGANIZER":
						if p.Value() != "" && p.Address().Email() == "" {
							t.Errorf("%s: %s %q is no mailbox", name, p.Name(), p.Value())
						}
					}
					if err != nil && !unreadable[p.Value()] {
						t.Errorf("%s: %v\n%s", name, err, object)
					}
				}
			}
		}
		if count < least {
			t.Errorf("%s: %d examples, expected at least %d", name, count, least)
		}
	}
}
