package ical_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
)

// sample is a calendar of n events as a client writes them: a zoned series
// with attendees, folds and an alarm in each.
func sample(n int) []byte {
	var b strings.Builder
	b.WriteString(crlf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Bench//EN\nCALSCALE:GREGORIAN\n"))
	for i := range n {
		fmt.Fprintf(&b, crlf(`BEGIN:VEVENT
UID:%08d-5d3c-4a36-9f0e-0123456789ab@example.com
DTSTAMP:20260102T030405Z
CREATED:20260102T030405Z
LAST-MODIFIED:20260103T030405Z
DTSTART;TZID=Europe/Berlin:20260%d%02dT090000
DTEND;TZID=Europe/Berlin:20260%[2]d%02[3]dT100000
SUMMARY:Weekly planning\, part %[1]d
LOCATION:Room 4.12
DESCRIPTION:We look at what was done since the last time\, what comes next\
 , and who needs help. Notes are at https://example.com/notes/planning?id=%[1]d
  and everybody may write there.\n\nBring your calendar.
ORGANIZER;CN=Ann Example:mailto:ann@example.com
ATTENDEE;CN="Example, Bob";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ
 -PARTICIPANT;RSVP=TRUE:mailto:bob@example.com
ATTENDEE;CN=Carol;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT:mailto:carol@examp
 le.net
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE
CATEGORIES:WORK,PLANNING
STATUS:CONFIRMED
TRANSP:OPAQUE
SEQUENCE:%[4]d
X-EXAMPLE-KEY;X-A=b:value %[1]d
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Reminder
TRIGGER:-PT15M
END:VALARM
END:VEVENT
`), i, 1+i%9, 1+i%28, i%5)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 10000} {
		data := sample(n)
		b.Run(fmt.Sprint(n, "events"), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ical.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParseMemory reports what a parsed calendar holds, as a multiple of
// its input (the input itself not counted).
func BenchmarkParseMemory(b *testing.B) {
	data := sample(10000)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		c, err := ical.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(data)), "held/input")
		b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(len(data)), "allocated/input")
		runtime.KeepAlive(c)
	}
}

func BenchmarkSerialize(b *testing.B) {
	data := sample(10000)
	c, err := ical.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	buf := c.Bytes()
	b.Run("unchanged", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			buf = c.AppendTo(buf[:0])
		}
	})
	for _, e := range c.Components {
		for _, p := range e.Properties {
			p.SetValue(p.Value())
		}
	}
	b.Run("changed", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			buf = c.AppendTo(buf[:0])
		}
	})
}

// BenchmarkTypedRead parses and reads every value as its type.
func BenchmarkTypedRead(b *testing.B) {
	data := sample(10000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		c, err := ical.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range c.Components {
			typedRead(b, e)
		}
	}
}

func typedRead(b *testing.B, c *ical.Component) {
	for _, p := range c.Properties {
		switch p.Name() {
		case "DTSTART", "DTEND", "DTSTAMP", "CREATED", "LAST-MODIFIED":
			if _, err := p.Time(); err != nil {
				b.Fatal(err)
			}
		case "ATTENDEE", "ORGANIZER":
			if p.Address().Key() == "" || p.Param("CN") == "" {
				b.Fatal("no address")
			}
			p.Param("PARTSTAT")
			p.Param("ROLE")
		case "CATEGORIES":
			p.TextList()
		case "SEQUENCE":
			if _, err := p.Int(); err != nil {
				b.Fatal(err)
			}
		case "TRIGGER":
			if _, err := p.Duration(); err != nil {
				b.Fatal(err)
			}
		default:
			p.Text()
		}
	}
	for _, s := range c.Components {
		typedRead(b, s)
	}
}
