package simulation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var (
	seeds   = flag.Uint64("seeds", 1000, "how many scripts TestPaper plays")
	offered = flag.Uint64("offices", 50, "how many scripts TestOffice plays")
	goOn    = flag.Bool("all", false, "go on after a script that breaks a promise")
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

// TestScripts plays the scripts that showed a fault once, in the engine or put
// into it by mutate: on both kinds of houses.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	prepared := filepath.Join(t.TempDir(), "empty")
	if err := Prepare(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Read(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, build := range []builder{newPaper, offices(t.TempDir(), prepared)} {
			if f := play(s, build); f != nil {
				t.Errorf("%s: %v", file, f)
			}
		}
	}
}

func playAll(t *testing.T, n uint64, build builder) {
	broken := 0
	for seed := *first; seed < *first+n; seed++ {
		f := play(Write(seed), build)
		switch {
		case f == nil:
		case *goOn:
			broken++
			t.Errorf("seed %d: %.300s", seed, f.What)
		default:
			small := Shrink(f.Script, func(s Script) bool { return play(s, build) != nil })
			t.Errorf("%v", play(small, build))
			t.Fatalf("seeds %d to %d played before it; go on with -first %d", *first, int64(seed)-1, seed+1)
		}
		if done := seed + 1 - *first; done%1000 == 0 && testing.Verbose() {
			fmt.Printf("seeds %d to %d played, %d broken\n", *first, seed, broken)
		}
	}
	t.Logf("seeds %d to %d played, %d broken; go on with -first %d", *first, *first+n-1, broken, *first+n)
}
