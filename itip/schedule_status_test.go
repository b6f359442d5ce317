package itip_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Statuses written one after the other into the same object are as if each were
// written by itself.
func TestStatusesTogether(t *testing.T) {
	for seed := range uint64(200) {
		w := &likeWorld{t: t, r: rand.New(rand.NewPCG(seed, 3)), seed: seed * 3, now: benchNow}
		together := w.meeting()
		apart := read(t, string(together.Bytes()))
		s := itip.StatusesOf(together)
		for range 20 {
			who := ical.Mailto(fmt.Sprintf(w.one("guest%d@guests.test", "second%d@guests.test", "Guest%d@guests.test"), w.r.IntN(8)))
			if w.r.IntN(10) == 0 {
				who = "mailto:alice@alice.test"
			}
			occurrence, code := w.one("", "", "20260303T080000Z", "20260304T080000Z", "20260303T090000Z"), w.one("1.0", "1.1", "5.1")
			a := s.Set(who, occurrence, code)
			apart = read(t, string(apart.Bytes()))
			if b := itip.StatusesOf(apart).Set(who, occurrence, code); a != b {
				t.Fatalf("seed %d: %s %s %s: %v together, %v apart", seed, who, occurrence, code, a, b)
			}
		}
		if x, y := string(together.Bytes()), string(apart.Bytes()); x != y {
			t.Fatalf("seed %d: together\n%s\napart\n%s", seed, x, y)
		}
	}
}
