package spill_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/convene-cal/convene/internal/spill"
)

// However little memory there is, the order is that of a stable sort.
func TestOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type record struct{ key, value string }
	for _, n := range []int{0, 1, 10, 1000, 20000} {
		for _, memory := range []int{0, 1, 300, 20000} {
			s := spill.Sorter{Memory: memory, Dir: t.TempDir()}
			var want []record
			for i := range n {
				r := record{fmt.Sprint(rnd.IntN(n/3 + 1)), string(bytes.Repeat([]byte{'v'}, rnd.IntN(40))) + fmt.Sprint(i)}
				want = append(want, r)
				if err := s.Add([]byte(r.key), []byte(r.value)); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortStableFunc(want, func(a, b record) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
			var got []record
			if err := s.Each(func(k, v []byte) error { got = append(got, record{string(k), string(v)}); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d records in %d octets: other order", n, memory)
			}
			if left, err := os.ReadDir(s.Dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}

func TestErrorsEndTheWork(t *testing.T) {
	s := spill.Sorter{Memory: 1, Dir: t.TempDir() + "/absent"}
	s.Add([]byte("a"), nil)
	if err := s.Add([]byte("b"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	s = spill.Sorter{}
	s.Add([]byte("a"), nil)
	s.Add([]byte("b"), nil)
	stop, n := errors.New("stop"), 0
	if err := s.Each(func(_, _ []byte) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}
