package itip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/itip"
)

// A series becomes all-day, or timed, and its occurrences come by themselves, in
// any order: no two components of the copy are for one occurrence (RFC 5545
// 3.8.4.4), and those of the older form are gone.
func TestOccurrencesOfASeriesThatChangesItsForm(t *testing.T) {
	parts := map[string]string{
		"series":      "SEQUENCE:0\nDTSTART:20260302T100000Z\nRRULE:FREQ=HOURLY;COUNT=90\n",
		"hour":        "SEQUENCE:0\nRECURRENCE-ID:20260303T100000Z\nDTSTART:20260303T101500Z\n",
		"next hour":   "SEQUENCE:0\nRECURRENCE-ID:20260303T110000Z\nDTSTART:20260303T111500Z\n",
		"days":        "SEQUENCE:1\nDTSTART;VALUE=DATE:20260302\nRRULE:FREQ=DAILY;COUNT=4\n",
		"day":         "SEQUENCE:1\nRECURRENCE-ID;VALUE=DATE:20260303\nDTSTART;VALUE=DATE:20260304\n",
		"hours again": "SEQUENCE:2\nDTSTART:20260302T100000Z\nRRULE:FREQ=HOURLY;COUNT=90\n",
		"hour again":  "SEQUENCE:2\nRECURRENCE-ID:20260303T100000Z\nDTSTART:20260303T103000Z\n",
	}
	for _, c := range []struct {
		order string
		want  []string // RECURRENCE-IDs in the end
	}{
		{"series, hour, next hour, days, day", []string{"20260303"}},
		{"hour, next hour, day, days", []string{"20260303"}},
		{"hour, next hour, days, day", []string{"20260303"}},
		{"day, hour, next hour, days", []string{"20260303"}},
		{"series, day, days", []string{"20260303"}},
		{"series, hour, next hour, hour again, days, day, hours again", []string{"20260303T100000Z"}},
		{"day, hour again, days, hours again", []string{"20260303T100000Z"}},
		{"hour again, days, hours again", []string{"20260303T100000Z"}},
	} {
		for _, maker := range []string{itip.ProductID, "-//Other//EN"} {
			t.Run(c.order+" of "+maker, func(t *testing.T) {
				var cal *ical.Calendar
				var memory itip.Memory
				var waiting []*ical.Calendar
				for i, name := range strings.Split(c.order, ", ") {
					msg, err := ical.Parse([]byte("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:" + maker + "\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260301T0900" + fmt.Sprintf("%02d", i) + "Z\n" +
						parts[name] + "ORGANIZER:mailto:ann@one.test\nATTENDEE;RSVP=TRUE:mailto:bob@two.test\nEND:VEVENT\nEND:VCALENDAR\n"))
					if err != nil {
						t.Fatal(err)
					}
					r, err := itip.Apply(itip.Arrival{Stored: cal, Memory: memory, Message: msg, Waiting: waiting, User: []ical.Address{"mailto:bob@two.test"}, From: "mailto:ann@one.test", AutoAdd: true, Received: time.Date(2026, 3, 1, 9, 1, 0, 0, time.UTC)})
					if err != nil {
						t.Fatal(err)
					}
					if r.Reason == itip.ReasonWaiting {
						waiting = append(waiting, msg)
					}
					if memory = r.Memory; r.Object != nil {
						cal = r.Object
					}
				}
				var got []string
				for _, o := range cal.Overrides() {
					got = append(got, o.Value("RECURRENCE-ID"))
				}
				if strings.Join(got, " ") != strings.Join(c.want, " ") {
					t.Errorf("occurrences %v, want %v\n%s", got, c.want, cal.Bytes())
				}
				for _, f := range check.Check(cal, check.Options{}) {
					if f.Severity == check.Error {
						t.Errorf("%s\n%s", f, cal.Bytes())
					}
				}
			})
		}
	}
}
