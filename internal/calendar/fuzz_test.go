package calendar

import (
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/problem"
)

// What comes from outside is stored or refused with a condition and a
// sentence, within a time, and what is stored can be read and indexed again.
func FuzzRead(f *testing.F) {
	const head, tail = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T090000Z\r\n", "END:VEVENT\r\nEND:VCALENDAR\r\n"
	for _, lines := range []string{"", "RRULE:FREQ=DAILY;COUNT=5\r\n", "RRULE:FREQ=SECONDLY\r\nEXDATE:20260302T090000Z\r\n", "DURATION:-P1D\r\n", "RECURRENCE-ID:20260302T090000Z\r\n", "RDATE;VALUE=PERIOD:20260302T090000Z/PT1H\r\n", "DTEND;TZID=Nowhere:20260302T100000\r\n", "ATTENDEE:mailto:a@b.test\r\n"} {
		f.Add([]byte(head+lines+tail), false)
	}
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s := &Service{o: Options{Now: func() time.Time { return now }}, limits: Limits{ResourceSize: 1 << 16, Instances: 500}.orDefault()}
	f.Fuzz(func(t *testing.T, data []byte, imported bool) {
		began := time.Now()
		d, err := s.read(data, imported)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("took %s", took)
		}
		if err != nil {
			if p := problem.Of(err); p.Condition == problem.Internal || p.Sentence == "" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		again, err := s.read(d.data, imported)
		if err != nil {
			t.Fatalf("what would be stored cannot be read again: %v\n%q", err, d.data)
		}
		if again.uid != d.uid || again.kind != d.kind || again.etag != d.etag {
			t.Errorf("read again it is %s %s, was %s %s\n%q\n%q", again.kind, again.uid, d.kind, d.uid, d.data, again.data)
		}
	})
}
