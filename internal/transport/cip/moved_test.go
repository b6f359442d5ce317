package cip

import (
	"testing"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
)

// Somebody moved to a third server: the message follows, and the next goes
// there at once; a chain that is too long ends.
func TestFollowsMoves(t *testing.T) {
	a := start(t, "a.test", []string{"ann"}, nil)
	b := start(t, "b.test", []string{"carol", "dan"}, nil)
	c := start(t, "c.test", []string{"carol"}, nil)
	join(a, b, cip.VCal10)
	join(a, c, cip.VCal10)
	a.courier()
	c.courier()
	for _, m := range [][2]string{{"carol@b.test", "carol@c.test"}, {"dan@b.test", "dan2@c.test"}} {
		if err := b.Accounts.Rename(t.Context(), ical.Mailto(m[0]), ical.Mailto(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	a.put("ann", "1.ics", meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test", "dan@b.test"))
	c.has("carol", "1@a.test", "ATTENDEE", "carol@c.test")
	c.respond("carol", "1@a.test", "ACCEPTED")
	a.has("ann", "1@a.test", "ATTENDEE", "PARTSTAT=ACCEPTED", "carol@b.test")
	a.has("ann", "1@a.test", "SCHEDULE-STATUS=3.7", "dan@b.test")
	b.cip.Pause(true) // nobody needs it any more
	a.put("ann", "2.ics", meetingText("2@a.test", "ann@a.test", "SUMMARY:x\n", "carol@b.test"))
	c.has("carol", "2@a.test", "SUMMARY:x")
}
