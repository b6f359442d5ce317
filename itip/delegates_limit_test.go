package itip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// passing is the n-th REPLY of guest0 that passes the crowd's meeting on to so many
// people who were never named before.
func passing(tb testing.TB, n, people, sequence int) *ical.Calendar {
	var to []string
	for i := range people {
		to = append(to, fmt.Sprintf(`"mailto:d%d-%d@elsewhere.test"`, n, i))
	}
	return read(tb, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:crowd@alice.test\r\n"+
		fmt.Sprintf("DTSTAMP:20260202T10%02d00Z\r\nSEQUENCE:%d\r\n", n, sequence)+
		"DTSTART:20260302T100000Z\r\nORGANIZER:mailto:alice@alice.test\r\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="+strings.Join(to, ",")+":mailto:guest0@guests.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

// Every delegate that an answer names may be somebody to write to or to list, so no
// guest names any number of them by answering again and again.
func TestAnAttendeeNamesAFewDelegates(t *testing.T) {
	const most = 20
	user := []ical.Address{address("alice")}
	saved, err := itip.Plan(itip.Change{New: crowd(t, 3, ""), User: user, Now: benchNow})
	if err != nil {
		t.Fatal(err)
	}
	answers := func(object *ical.Calendar, memory itip.Memory, sequence, people, limit int) (cancels int, last *ical.Calendar) {
		for n := range 6 {
			r, err := itip.Apply(itip.Arrival{Stored: object, Memory: memory, Message: passing(t, n, people, sequence), User: user,
				From: ical.Mailto("guest0@guests.test"), Received: benchNow.Add(2 * time.Hour), MaxAttendees: limit})
			if err != nil {
				t.Fatal(err)
			}
			if r.Object != nil {
				object = r.Object
			}
			memory = r.Memory
			for _, m := range r.Send {
				if m.Method == itip.Cancel {
					cancels++
				}
			}
		}
		return cancels, object
	}
	count := func(cal *ical.Calendar) (n int) {
		for range cal.Master().Props("ATTENDEE") {
			n++
		}
		return n
	}

	cancels, cal := answers(saved.Object, saved.Memory, 0, 7, 0)
	if n := count(cal); n > 3+most || n < 3+7 {
		t.Errorf("one guest's answers made the list of 3 one of %d", n)
	}
	if cancels == 0 || cancels > most {
		t.Errorf("%d people are told that they are not to come in the place of one guest", cancels)
	}
	if _, cal := answers(saved.Object, saved.Memory, 0, 1, 5); count(cal) != 5 {
		t.Errorf("with at most 5 guests the list has %d", count(cal))
	}

	without := saved.Object.Clone()
	without.Master().RemoveFunc(func(p *ical.Property) bool {
		return p.Name() == "ATTENDEE" && strings.HasPrefix(p.Value(), "mailto:guest0@")
	})
	parted, err := itip.Plan(itip.Change{Old: saved.Object, New: without, Memory: saved.Memory, User: user, Now: benchNow.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if cancels, _ := answers(parted.Object, parted.Memory, 0, 15, 0); cancels != most {
		t.Errorf("who was taken off and passed it on has %d people told that they are not to come, not %d", cancels, most)
	}
}
