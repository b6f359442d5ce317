package simulation

import (
	"flag"
	"testing"
)

var (
	seeds = flag.Uint64("seeds", 1000, "how many scripts are played on paper")
	first = flag.Uint64("first", 0, "the first seed")
)

// TestPaper plays scripts on paper houses: package itip alone.
func TestPaper(t *testing.T) {
	for seed := *first; seed < *first+*seeds; seed++ {
		if f := play(Write(seed), newPaper); f != nil {
			small := Shrink(f.Script, func(s Script) bool { return play(s, newPaper) != nil })
			t.Fatal(play(small, newPaper))
		}
		if n := seed + 1 - *first; n%10000 == 0 {
			t.Logf("%d scripts, up to seed %d", n, seed)
		}
	}
}
