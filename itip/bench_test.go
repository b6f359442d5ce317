package itip_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// crowd is an event with n guests besides alice.
func crowd(tb testing.TB, n int, extra string) *ical.Calendar {
	tb.Helper()
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:crowd@alice.test\r\nDTSTAMP:20260202T090000Z\r\n" +
		"DTSTART:20260302T100000Z\r\nDTEND:20260302T110000Z\r\nSUMMARY:All hands\r\n" + extra + "ORGANIZER;CN=Alice:mailto:alice@alice.test\r\n")
	guests(&b, n)
	b.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
	return read(tb, b.String())
}

func guests(b *strings.Builder, n int) {
	for i := range n {
		fmt.Fprintf(b, "ATTENDEE;CN=Guest %d;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:guest%d@guests.test\r\n", i, i)
	}
}

func read(tb testing.TB, text string) *ical.Calendar {
	tb.Helper()
	cal, err := ical.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return cal
}

var benchNow = time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)

// The answer of one of 500 guests: at most 200 µs.
func BenchmarkApplyReply500(b *testing.B) {
	stored := crowd(b, 500, "")
	user := []ical.Address{address("alice")}
	out, err := itip.Plan(itip.Change{New: stored, User: user, Now: benchNow})
	if err != nil || len(out.Send) != 500 {
		b.Fatalf("%v, %d messages", err, len(out.Send))
	}
	reply := read(b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:crowd@alice.test\r\nDTSTAMP:20260202T100000Z\r\n"+
		"ORGANIZER:mailto:alice@alice.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:guest400@guests.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	for b.Loop() {
		r, err := itip.Apply(itip.Arrival{Stored: out.Object, Memory: out.Memory, Message: reply, User: user, From: ical.Mailto("guest400@guests.test"), Received: benchNow})
		if err != nil || r.Decision != itip.Applied {
			b.Fatal(err, r.Decision, r.Sentence)
		}
	}
}

// weekly is a series with n overrides and 10 guests.
func weekly(tb testing.TB, n int, location string) *ical.Calendar {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\n")
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	component := func(lines string, at time.Time) {
		b.WriteString("BEGIN:VEVENT\r\nUID:weekly@alice.test\r\nDTSTAMP:20260202T090000Z\r\n" + lines +
			"DTSTART;TZID=Europe/Berlin:" + at.Format("20060102T150405") + "\r\nDTEND;TZID=Europe/Berlin:" + at.Add(time.Hour).Format("20060102T150405") +
			"\r\nSUMMARY:Weekly\r\nORGANIZER;CN=Alice:mailto:alice@alice.test\r\n")
		guests(&b, 10)
		b.WriteString("END:VEVENT\r\n")
	}
	component("RRULE:FREQ=DAILY\r\nLOCATION:"+location+"\r\n", start)
	for i := range n {
		at := start.AddDate(0, 0, i)
		component("RECURRENCE-ID;TZID=Europe/Berlin:"+at.Format("20060102T150405")+"\r\n", at.Add(2*time.Hour))
	}
	b.WriteString("END:VCALENDAR\r\n")
	return read(tb, b.String())
}

// A change of a series with 200 overrides: at most 2 ms.
func BenchmarkPlan200Overrides(b *testing.B) {
	user := []ical.Address{address("alice")}
	out, err := itip.Plan(itip.Change{New: weekly(b, 200, "Here"), User: user, Now: benchNow})
	if err != nil {
		b.Fatal(err)
	}
	edit := func(f func(*ical.Calendar)) *ical.Calendar {
		cal := read(b, string(out.Object.Bytes()))
		f(cal)
		return read(b, string(cal.Bytes()))
	}
	old := read(b, string(out.Object.Bytes()))
	for _, c := range []struct {
		name string
		cal  *ical.Calendar
		sent int
	}{
		{"description", edit(func(c *ical.Calendar) { c.Master().SetText("DESCRIPTION", "New") }), 10},
		{"occurrence", edit(func(c *ical.Calendar) { c.Overrides()[7].SetText("SUMMARY", "New") }), 10},
		{"location", edit(func(c *ical.Calendar) { c.Master().SetText("LOCATION", "There") }), 2010},
		{"nothing", edit(func(c *ical.Calendar) {}), 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				got, err := itip.Plan(itip.Change{Old: old, New: c.cal, Memory: out.Memory, User: user, Now: benchNow})
				if err != nil || len(got.Send) != c.sent {
					b.Fatal(err, len(got.Send))
				}
			}
		})
	}
}

// An invitation to 200 colleagues.
func BenchmarkPlanInvite200(b *testing.B) {
	cal := crowd(b, 200, "")
	user := []ical.Address{address("alice")}
	for b.Loop() {
		if out, err := itip.Plan(itip.Change{New: cal, User: user, Now: benchNow, Local: func(ical.Address) bool { return true }}); err != nil || len(out.Send) != 200 {
			b.Fatal(err)
		}
	}
}

// Cost grows with the attendees, not with their square.
func BenchmarkAttendees(b *testing.B) {
	user := []ical.Address{address("alice")}
	for _, n := range []int{50, 500, 5000} {
		out, err := itip.Plan(itip.Change{New: crowd(b, n, ""), User: user, Now: benchNow})
		if err != nil {
			b.Fatal(err)
		}
		old := read(b, string(out.Object.Bytes()))
		moved := read(b, strings.Replace(string(out.Object.Bytes()), "DTSTART:20260302T100000Z", "DTSTART:20260302T093000Z", 1))
		reply := read(b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:crowd@alice.test\r\nDTSTAMP:20260202T100000Z\r\n"+
			"ORGANIZER:mailto:alice@alice.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:guest"+strconv.Itoa(n*4/5)+"@guests.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
		for name, local := range map[string]func(ical.Address) bool{"outside": nil, "colleagues": func(ical.Address) bool { return true }} {
			b.Run(fmt.Sprintf("move/%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if got, err := itip.Plan(itip.Change{Old: old, New: moved, Memory: out.Memory, User: user, Now: benchNow, Local: local}); err != nil || len(got.Send) != n {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("reply/%d", n), func(b *testing.B) {
			for b.Loop() {
				if r, err := itip.Apply(itip.Arrival{Stored: old, Memory: out.Memory, Message: reply, User: user, Received: benchNow}); err != nil || r.Decision != itip.Applied {
					b.Fatal(err, r.Decision)
				}
			}
		})
	}
}
