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
		for i, a := range []itip.Arrival{
			{Stored: out.Object, Memory: out.Memory, User: alice},
			{Stored: got.Object, Memory: got.Memory, User: guest},
			{User: guest, AutoAdd: true, Waiting: []*ical.Calendar{held}},
			{User: guest, Approved: true, From: "mailto:alice@alice.test"},
			{Stored: out.Object, Memory: out.Memory, User: alice, Approved: true, NoDelegation: true, Local: func(ical.Address) bool { return true }},
			{Stored: got.Object, Memory: got.Memory, User: guest, Refreshes: func(ical.Address) bool { return true }, MaxAttendees: 20},
		} {
			a.Message, a.Received = cal, now.Add(time.Hour)
			fuzzApply(t, i, a)
		}
		_ = itip.CheckMessage(cal)
		itip.Summarize(cal, nil)
		itip.Simple(cal)
		for _, c := range []itip.Change{
			{New: cal, User: alice}, {New: cal, User: guest}, {Old: out.Object, New: cal, Memory: out.Memory, User: alice},
			{Old: got.Object, New: cal, Memory: got.Memory, User: guest}, {Old: cal, User: alice}, {Old: cal, User: guest}, {Old: cal, New: out.Object, User: alice},
			{New: cal, User: alice, Import: true}, {Old: out.Object, New: cal, Memory: out.Memory, User: alice, Plain: func(ical.Address) bool { return true }},
		} {
			c.Now = now
			fuzzPlan(t, c)
		}
		if !bytes.Equal(before, cal.Bytes()) {
			t.Fatal("the input was changed")
		}
	})
}

// fuzzApply: a refusal leaves what is stored alone, a second delivery changes
// nothing and sends nothing more, and what is sent is correct.
func fuzzApply(t *testing.T, i int, a itip.Arrival) {
	var stored []byte
	if a.Stored != nil {
		stored = a.Stored.Bytes()
	}
	r, err := itip.Apply(a)
	if err != nil {
		t.Fatal(err)
	}
	if r.Decision == "" || r.Reason == "" || r.Sentence == "" || (r.Object != nil) != (r.Decision == itip.Applied) && r.Reason != itip.ReasonCounter {
		t.Fatalf("%d: %+v", i, r)
	}
	if a.Stored != nil && !bytes.Equal(stored, a.Stored.Bytes()) {
		t.Fatalf("%d: what is stored was changed", i)
	}
	fuzzSent(t, r.Send)
	if r.Object == nil {
		return
	}
	itip.Summarize(r.Object, nil)
	text := r.Object.Bytes()
	b := a
	b.Stored, b.Memory, b.Waiting = r.Object, r.Memory, nil
	again, err := itip.Apply(b)
	if err != nil {
		t.Fatal(err)
	}
	if again.Object != nil && !bytes.Equal(text, again.Object.Bytes()) {
		t.Fatalf("%d: %s %s, delivered twice, changes the object again: %s %s\n%s\n%s\n%s", i, r.Decision, r.Reason, again.Decision, again.Reason, a.Message.Bytes(), text, again.Object.Bytes())
	}
}

// fuzzPlan: a refusal has a sentence; what is saved again as it is sends nothing.
func fuzzPlan(t *testing.T, c itip.Change) {
	out, err := itip.Plan(c)
	if err != nil {
		if err.Error() == "" {
			t.Fatal("a refusal without a sentence")
		}
		return
	}
	fuzzSent(t, out.Send)
	told := 0
	for _, n := range out.People {
		told += len(n.Messages)
	}
	if told != len(out.Send) {
		t.Fatalf("the preview names %d of %d messages", told, len(out.Send))
	}
	if out.Object == nil || c.Import {
		return
	}
	text := out.Object.Bytes()
	same := c
	same.Old, same.New, same.Memory = out.Object, out.Object, out.Memory
	again, err := itip.Plan(same)
	if err != nil {
		t.Fatalf("what was stored is refused: %v\n%s", err, text)
	}
	if len(again.Send) > 0 || again.Object == nil || !bytes.Equal(text, again.Object.Bytes()) {
		t.Fatalf("saved again it sends %d messages\n%s\n%s", len(again.Send), text, again.Object.Bytes())
	}
}

// fuzzSent: what leaves reads back as it is, and has what RFC 5546 wants.
func fuzzSent(t *testing.T, list []itip.Message) {
	for i, m := range list {
		if i == 20 {
			break
		}
		text := m.Calendar.Bytes()
		back, err := ical.Parse(text)
		if err != nil || !bytes.Equal(back.Bytes(), text) {
			t.Fatalf("sent what does not read back: %v\n%s", err, text)
		}
		if err := itip.CheckMessage(m.Calendar); err != nil && !strings.Contains(err.Error(), "no VTIMEZONE") { // of a zone that nobody knows
			t.Fatalf("sent what the tables forbid: %v\n%s", err, text)
		}
	}
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
