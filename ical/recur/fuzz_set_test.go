package recur_test

import (
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// FuzzSet reads sets and zones from whatever parses, and asks all there is to ask:
// nothing panics, windows are in order and within bounds.
func FuzzSet(f *testing.F) {
	for _, lines := range hostile {
		if len(lines) < 300 {
			f.Add([]byte("BEGIN:VCALENDAR\r\n"+privateZone+"BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=Private:20260104T090000\r\nDURATION:P1DT1H\r\n"+lines+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), int64(1780000000))
		}
	}
	f.Add([]byte("BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:W. Europe Standard Time\r\nBEGIN:VTODO\r\nUID:u\r\nDUE:20260104T090000\r\nRDATE;VALUE=PERIOD:20260105T090000Z/PT1H\r\nEXDATE;VALUE=DATE:20260105\r\nEND:VTODO\r\n"+
		"BEGIN:VTODO\r\nUID:u\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000Z\r\nDTSTART:20260106T000000\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"), int64(1767600000))
	f.Fuzz(func(t *testing.T, data []byte, at int64) {
		cal, err := ical.Parse(data)
		if err != nil {
			return
		}
		z := tz.NewResolver(cal, nil)
		s, err := recur.New(cal, z, recur.Options{MaxIterations: 2000})
		if err != nil {
			return
		}
		from := time.Unix(at%200_000_000_000, 0).UTC()
		to := from.AddDate(0, 1, 0)
		first, last, _ := s.Bounds()
		previous := time.Time{}
		n := 0
		for o := range s.Between(from, to) {
			if o.To.Before(o.From) {
				t.Fatalf("%v ends before it begins", o)
			}
			if !o.From.IsZero() && (o.From.Before(first) || o.To.After(last) && s.Err() == nil) {
				t.Fatalf("%v to %v is outside of %v to %v", o.From, o.To, first, last)
			}
			if o.From.Before(previous) {
				t.Fatalf("%v after %v", o.From, previous)
			}
			previous = o.From
			if n++; n == 50 {
				break
			}
			if n < 3 {
				if _, ok := s.Find(o.ID); !ok && !o.From.IsZero() && s.Err() == nil {
					t.Fatalf("%v is not found", o.ID)
				}
			}
		}
		freebusy.Busy(cal, z, nil, from, to)
		recur.SplitAt(cal, ical.UTCTime(from), z)
		tz.Complete(cal.Clone(), z)
	})
}
