package cip

import (
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
)

// The busy time of somebody elsewhere, as the web form asks for it.
func TestBusyElsewhere(t *testing.T) {
	for _, form := range []cip.Form{cip.Bare, cip.ICal20} {
		a, b := start(t, "a.test", []string{"ann"}, nil), start(t, "b.test", []string{"ben"}, nil)
		join(a, b, form)
		b.put("ben", "1.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20290601T100000Z\nDTEND:20290601T110000Z\nEND:VEVENT\nEND:VCALENDAR\n")
		day := time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC)
		got, err := a.Calendar.FreeBusy(t.Context(), a.actor("ann"), []ical.Address{"mailto:ann@a.test", "mailto:ben@b.test", "mailto:ghost@b.test", "mailto:x@x.test"}, day, day.AddDate(0, 0, 1), "")
		if err != nil {
			t.Fatal(err)
		}
		if len(got[1].Periods) != 1 || !got[1].Periods[0].From.Equal(day.Add(10*time.Hour)) || got[1].Status != "2.0;Success" {
			t.Errorf("%s: ben: %+v", form, got[1])
		}
		if !strings.HasPrefix(got[2].Status, "3.7") || !strings.HasPrefix(got[3].Status, "5.1") {
			t.Errorf("%s: %+v", form, got[2:])
		}
	}
}
