package meaning

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

// Sample is a calendar of n events as clients write them.
func Sample(n int) *ical.Calendar {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Bench//EN\n")
	for i := range n {
		fmt.Fprintf(&b, `BEGIN:VEVENT
UID:%08d-5d3c-4a36-9f0e-0123456789ab@example.com
DTSTAMP:20260102T030405Z
DTSTART;TZID=Europe/Berlin:20260%d%02dT090000
DTEND;TZID=Europe/Berlin:20260%[2]d%02[3]dT100000
SUMMARY:Weekly planning\, part %[1]d
LOCATION:Room 4.12
DESCRIPTION:We look at what was done since the last time\, what comes next
 \, and who needs help. Notes are at https://example.com/notes/planning?id=%[1]d
  and everybody may write there.\n\nBring your calendar.
ORGANIZER;CN=Ann Example:mailto:ann@example.com
ATTENDEE;CN="Example, Bob";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ
 -PARTICIPANT;RSVP=TRUE:mailto:bob@example.com
ATTENDEE;CN=Carol;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:mailto:carol@examp
 le.net
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE
CATEGORIES:WORK,PLANNING
STATUS:CONFIRMED
SEQUENCE:%[4]d
X-EXAMPLE-KEY;X-A=b:value %[1]d
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
`, i, 1+i%9, 1+i%28, i%5)
	}
	b.WriteString("END:VCALENDAR\n")
	c, err := ical.Parse([]byte(b.String()))
	if err != nil {
		panic(err)
	}
	return c
}

// Benchmark measures writing, reading, and reading in parts, in octets of the
// syntax.
func (s *Syntax) Benchmark(b *testing.B) {
	c := Sample(5000)
	text, err := s.Marshal(c)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var out []byte
	run("Marshal", func() (err error) {
		out, err = s.AppendTo(out[:0], c)
		return err
	})
	run("Parse", func() error {
		_, err := s.Parse(text)
		return err
	})
	run("NextPart", func() error {
		for r := s.NewReader(bytes.NewReader(text)); ; {
			if _, err := r.NextPart(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
}
