package itip_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// FuzzApply gives mutated messages to the organizer, to an attendee and to
// somebody who has no such event, and saves them as objects. Nothing may
// panic, change its input, or store anything without saying so.
func FuzzApply(f *testing.F) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range blocks(string(text)) {
			f.Add([]byte(block))
		}
	}
	organizer := weekly(f, 3, "Here")
	alice, guest := []ical.Address{address("alice")}, []ical.Address{ical.Mailto("guest3@guests.test")}
	now := time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)
	out, err := itip.Plan(itip.Change{New: organizer, User: alice, Now: now, Local: func(ical.Address) bool { return true }})
	if err != nil {
		f.Fatal(err)
	}
	got, err := itip.Apply(itip.Arrival{Message: out.Send[3].Calendar, User: guest, Received: now, AutoAdd: true})
	if err != nil || got.Object == nil {
		f.Fatal(err, got)
	}
	held := read(f, "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nBEGIN:VEVENT\r\nUID:weekly@alice.test\r\nSEQUENCE:1\r\nRECURRENCE-ID:20260303T090000Z\r\nORGANIZER:mailto:alice@alice.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		cal, err := ical.Parse(data)
		if err != nil {
			return
		}
		before := cal.Bytes()
		for _, a := range []itip.Arrival{
			{Stored: out.Object, Memory: out.Memory, User: alice},
			{Stored: got.Object, Memory: got.Memory, User: guest},
			{User: guest, AutoAdd: true, Waiting: []*ical.Calendar{held}},
			{User: guest, Approved: true, From: "mailto:alice@alice.test"},
		} {
			a.Message, a.Received = cal, now.Add(time.Hour)
			r, err := itip.Apply(a)
			if err != nil {
				t.Fatal(err)
			}
			if r.Decision == "" || r.Reason == "" || (r.Object != nil) != (r.Decision == itip.Applied) {
				t.Fatalf("%+v", r)
			}
			if r.Object != nil {
				itip.Summarize(r.Object, nil)
			}
		}
		_ = itip.CheckMessage(cal)
		itip.Summarize(cal, nil)
		for _, c := range []itip.Change{
			{New: cal, User: alice}, {New: cal, User: guest}, {Old: out.Object, New: cal, Memory: out.Memory, User: alice},
			{Old: got.Object, New: cal, Memory: got.Memory, User: guest}, {Old: cal, User: alice}, {Old: cal, User: guest}, {Old: cal, New: out.Object, User: alice},
			{New: cal, User: alice, Import: true},
		} {
			c.Now = now
			if _, err := itip.Plan(c); err != nil && err.Error() == "" {
				t.Fatal("a refusal without a sentence")
			}
		}
		if !bytes.Equal(before, cal.Bytes()) {
			t.Fatal("the input was changed")
		}
	})
}

// blocks turns the indented blocks of a story into messages about the event
// that the fuzz target has.
func blocks(story string) []string {
	var out []string
	var cur []string
	flush := func() {
		if len(cur) > 2 {
			text := strings.Join(cur, "\r\n")
			method := ""
			if m, rest, ok := strings.Cut(text, "\r\n"); ok && strings.HasPrefix(m, "METHOD:") {
				method, text = m+"\r\n", rest
			}
			text = strings.ReplaceAll(text, "bob", "guest3")
			text = strings.ReplaceAll(text, "guest3.test", "guests.test")
			head := "BEGIN:VEVENT\r\nUID:weekly@alice.test\r\nDTSTAMP:20260202T100000Z\r\n"
			out = append(out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//F//EN\r\n"+method+head+strings.ReplaceAll(text, "--\r\n", "END:VEVENT\r\n"+head)+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
		}
		cur = nil
	}
	for line := range strings.Lines(story) {
		if s, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "  "); ok {
			cur = append(cur, expand(s))
		} else {
			flush()
		}
	}
	flush()
	return out
}
