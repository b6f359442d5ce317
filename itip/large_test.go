package itip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// tooLong ends what would go on for ever; how long these take is for benchmarks.
const tooLong = 2 * time.Minute

// Messages of an unreasonable size are applied or held in a reasonable time.
func TestLargeMessages(t *testing.T) {
	user := []ical.Address{"mailto:guest3@guests.test"}
	run := func(want itip.Decision, name string, a itip.Arrival) *itip.Result {
		t.Helper()
		begin := time.Now()
		r, err := itip.Apply(a)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); r.Decision != want || d > tooLong {
			t.Errorf("%s: %s (%s) in %v, want %s", name, r.Decision, r.Sentence, d, want)
		}
		return r
	}
	now := time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)
	big := crowd(t, 5000, "")
	big.Set("METHOD", "REQUEST")
	r := run(itip.Applied, "request 5000", itip.Arrival{Message: big, User: user, AutoAdd: true, Received: now})
	b2 := big.Clone()
	b2.Main()[0].Set("SEQUENCE", "1")
	b2.Main()[0].Set("DTSTART", "20260303T100000Z")
	r2 := run(itip.Applied, "update 5000", itip.Arrival{Stored: r.Object, Memory: r.Memory, Message: b2, User: user, AutoAdd: true, Received: now})
	c := big.Clone()
	c.Set("METHOD", "CANCEL")
	c.Main()[0].Set("SEQUENCE", "1")
	c.Main()[0].RemoveFunc(func(p *ical.Property) bool { return strings.Contains(p.Value(), "guest3@") })
	run(itip.Applied, "strike 5000", itip.Arrival{Stored: r2.Object, Memory: r2.Memory, Message: c, User: user, Received: now})
	out, err := itip.Plan(itip.Change{New: crowd(t, 5000, ""), User: []ical.Address{"mailto:alice@alice.test"}, Now: now})
	if err != nil || len(out.Send) != 5000 {
		t.Fatalf("%v, %d messages", err, len(out.Send))
	}
	rep := big.Clone()
	rep.Set("METHOD", "REPLY")
	run(itip.Applied, "reply 5000 lines", itip.Arrival{Stored: out.Object, Memory: out.Memory, Message: rep, User: []ical.Address{"mailto:alice@alice.test"}, Received: now, From: "mailto:guest4000@guests.test"})
	run(itip.Held, "reply 5000 lines trusted", itip.Arrival{Stored: out.Object, Memory: out.Memory, Message: rep, User: []ical.Address{"mailto:alice@alice.test"}, Received: now})
	s := weekly(t, 0, "x")
	s.Set("METHOD", "REQUEST")
	r = run(itip.Applied, "series", itip.Arrival{Message: s, User: user, AutoAdd: true, Received: now})
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:CANCEL\r\n")
	var q strings.Builder
	q.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n")
	for i := range 3000 {
		d := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).AddDate(0, 0, i).Format("20060102T150405")
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:weekly@alice.test\r\nSEQUENCE:1\r\nORGANIZER:mailto:alice@alice.test\r\nRECURRENCE-ID;TZID=Europe/Berlin:%s\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n", d)
		fmt.Fprintf(&q, "BEGIN:VEVENT\r\nUID:weekly@alice.test\r\nSEQUENCE:1\r\nORGANIZER:mailto:alice@alice.test\r\nATTENDEE:mailto:guest3@guests.test\r\nDTSTART;TZID=Europe/Berlin:%s\r\nRECURRENCE-ID;TZID=Europe/Berlin:%s\r\nEND:VEVENT\r\n", d, d)
	}
	b.WriteString("END:VCALENDAR\r\n")
	q.WriteString("END:VCALENDAR\r\n")
	run(itip.Applied, "cancel 3000", itip.Arrival{Stored: r.Object, Memory: r.Memory, Message: read(t, b.String()), User: user, Received: now})
	run(itip.Applied, "overrides 3000", itip.Arrival{Stored: r.Object, Memory: r.Memory, Message: read(t, q.String()), User: user, Received: now})
}
