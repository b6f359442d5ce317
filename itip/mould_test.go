package itip_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// The messages about the overrides of a series say when each takes place, however
// their times are written.
func TestOverridesOfEveryShapeAreTold(t *testing.T) {
	for _, times := range [][2]string{
		{"DTSTART:202603%02dT100000Z", "DTEND:202603%02dT110000Z"},
		{"DTSTART:202603%02dT100000Z", "DURATION:PT1H"},
		{"DTSTART:202603%02dT100000Z", ""},
		{"DTSTART;VALUE=DATE:202603%02d", ""},
		{"DTSTART;VALUE=DATE:202603%02d", "DTEND;VALUE=DATE:202604%02d"},
		{"DTSTART;TZID=Europe/Berlin:202603%02dT100000", "DURATION:P1DT1H"},
	} {
		t.Run(strings.Join(times[:], " "), func(t *testing.T) {
			line := func(form string, day int) string {
				if strings.Contains(form, "%") {
					form = fmt.Sprintf(form, day)
				}
				if form != "" {
					form += "\r\n"
				}
				return form
			}
			event := func(day int, lines string) string {
				return "BEGIN:VEVENT\r\nUID:shapes@alice.test\r\nDTSTAMP:20260202T090000Z\r\n" + line(times[0], day) + line(times[1], day) + lines +
					"ORGANIZER:mailto:alice@alice.test\r\nATTENDEE:mailto:alice@alice.test\r\nATTENDEE:mailto:dave@elsewhere.test\r\nEND:VEVENT\r\n"
			}
			series := func(summary string) *ical.Calendar {
				text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n" + event(2, "RRULE:FREQ=DAILY;COUNT=20\r\nSUMMARY:"+summary+"\r\n")
				for day := 4; day < 8; day++ { // each a day later than it was
					text += event(day+1, "RECURRENCE-ID"+strings.TrimPrefix(line(times[0], day), "DTSTART")+"SUMMARY:"+summary+"\r\n")
				}
				return read(t, text+"END:VCALENDAR\r\n")
			}
			user := []ical.Address{address("alice")}
			first, err := itip.Plan(itip.Change{New: series("a"), User: user, Now: benchNow})
			if err != nil {
				t.Fatal(err)
			}
			out, err := itip.Plan(itip.Change{Old: first.Object, New: series("b"), Memory: first.Memory, User: user, Now: benchNow})
			if err != nil {
				t.Fatal(err)
			}
			told := map[string]bool{}
			for _, m := range out.Send {
				for _, c := range m.Calendar.Main() {
					told[c.Value("RECURRENCE-ID")] = true
					for _, have := range out.Object.Main() {
						if have.Value("RECURRENCE-ID") == c.Value("RECURRENCE-ID") && have.Value("DTSTART") != c.Value("DTSTART") {
							t.Errorf("occurrence %q is told to be at %s, not %s", c.Value("RECURRENCE-ID"), c.Value("DTSTART"), have.Value("DTSTART"))
						}
					}
					if times[1] == "" && c.Value("DTEND") != "" && c.Value("DTEND") <= c.Value("DTSTART") {
						t.Errorf("%s ends at %s", c.Value("DTSTART"), c.Value("DTEND"))
					}
				}
			}
			if len(told) != 5 {
				t.Errorf("told of %d components, want the series and four occurrences", len(told))
			}
		})
	}
}
