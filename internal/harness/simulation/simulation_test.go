package simulation

import (
	"flag"
	"path/filepath"
	"testing"
)

var (
	seeds   = flag.Uint64("seeds", 1000, "how many scripts TestPaper plays")
	offered = flag.Uint64("offices", 50, "how many scripts TestOffice plays")
	first   = flag.Uint64("first", 0, "the first seed of either")
)

// TestPaper plays scripts on paper houses: package itip alone.
func TestPaper(t *testing.T) { playAll(t, *seeds, newPaper) }

// TestOffice plays scripts on the real service: stores in files, the journal and
// its courier, delivery within the house, crashes.
func TestOffice(t *testing.T) {
	prepared := filepath.Join(t.TempDir(), "empty")
	if err := Prepare(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	playAll(t, *offered, offices(t.TempDir(), prepared))
}

func playAll(t *testing.T, n uint64, build builder) {
	for seed := *first; seed < *first+n; seed++ {
		if f := play(Write(seed), build); f != nil {
			small := Shrink(f.Script, func(s Script) bool { return play(s, build) != nil })
			t.Fatal(play(small, build))
		}
		if done := seed + 1 - *first; done%10000 == 0 {
			t.Logf("%d scripts hold, up to seed %d", done, seed)
		}
	}
}
