package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Step is one thing that happens. Dice is its own source of chance.
type Step struct {
	Do   string // a name of verbs
	Who  string // a person, or "" where the dice choose
	Dice uint64
}

// Script is a whole run.
type Script struct {
	Seed  uint64 // of the places people live at and of the network
	Steps []Step
}

// verb is something that can happen, and how often beside the others.
type verb struct {
	name   string
	weight int
	people []string
	do     func(w *World, who *person, r *rand.Rand)
}

// Write makes the script of a seed.
func Write(seed uint64) Script {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	total := 0
	for _, v := range verbs {
		total += v.weight
	}
	s := Script{Seed: seed}
	for range 8 + r.IntN(28) {
		n := r.IntN(total)
		for _, v := range verbs {
			if n -= v.weight; n >= 0 {
				continue
			}
			who := ""
			if len(v.people) > 0 {
				who = v.people[r.IntN(len(v.people))]
			}
			s.Steps = append(s.Steps, Step{v.name, who, r.Uint64()})
			break
		}
	}
	season(&s)
	return s
}

// String is the form that [Read] reads.
func (s Script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", s.Seed)
	for _, x := range s.Steps {
		who := x.Who
		if who == "" {
			who = "-"
		}
		fmt.Fprintf(&b, "%s %s %016x\n", x.Do, who, x.Dice)
	}
	return b.String()
}

// Read reads a script; lines that begin with # are remarks.
func Read(text string) (Script, error) {
	var s Script
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		var err error
		switch {
		case f[0] == "seed" && len(f) == 2:
			s.Seed, err = strconv.ParseUint(f[1], 10, 64)
		case len(f) == 3 && slices.ContainsFunc(verbs, func(v verb) bool { return v.name == f[0] }):
			x := Step{Do: f[0], Who: strings.TrimPrefix(f[1], "-")}
			x.Dice, err = strconv.ParseUint(f[2], 16, 64)
			s.Steps = append(s.Steps, x)
		default:
			err = fmt.Errorf("%q is no step", line)
		}
		if err != nil {
			return s, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return s, nil
}

// Shrink leaves out of a failing script what it does not need to fail.
func Shrink(s Script, fails func(Script) bool) Script {
	for size := max(1, len(s.Steps)/2); ; {
		cut := false
		for at := 0; at < len(s.Steps); {
			try := s
			try.Steps = slices.Delete(slices.Clone(s.Steps), at, min(at+size, len(s.Steps)))
			if fails(try) {
				s, cut = try, true
			} else {
				at += size
			}
		}
		switch {
		case size > 1:
			size /= 2
		case !cut:
			return s
		}
	}
}
