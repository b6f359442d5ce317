package spill

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// DefaultMemory is how many octets of records a Sorter holds before it writes.
const DefaultMemory = 4 << 20

const (
	// fanIn is how many runs are merged at once; each needs a buffer.
	fanIn = 64
	// runBuffer is the buffer of a run that is read.
	runBuffer = 16 << 10
	// overhead is what a held record costs besides its octets.
	overhead = 24
)

// Sorter sorts records by their keys; those with equal keys stay in the order
// in which they were added. The zero Sorter is ready. It is not for concurrent
// use.
type Sorter struct {
	Memory int    // octets of records held; 0 means DefaultMemory
	Dir    string // where the temporary file is made; "" means the system's

	held   []byte // keys and values
	index  []entry
	file   *os.File
	out    *bufio.Writer
	length int64
	runs   []run
}

// entry says where a held record lies.
type entry struct{ at, key, value int }

// run is a sorted part of the file.
type run struct{ from, to int64 }

// Add takes a record; both slices may be used again by the caller.
func (s *Sorter) Add(key, value []byte) error {
	memory := s.Memory
	if memory <= 0 {
		memory = DefaultMemory
	}
	if len(s.index) > 0 && len(s.held)+len(s.index)*overhead+len(key)+len(value) > memory {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.index = append(s.index, entry{len(s.held), len(key), len(value)})
	s.held = append(append(s.held, key...), value...)
	return nil
}

func (s *Sorter) sort() {
	slices.SortStableFunc(s.index, func(a, b entry) int {
		return bytes.Compare(s.held[a.at:a.at+a.key], s.held[b.at:b.at+b.key])
	})
}

// flush writes the held records as a run.
func (s *Sorter) flush() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.Dir, "convene-sort-")
		if err != nil {
			return fmt.Errorf("a temporary file to sort in: %w", err)
		}
		os.Remove(f.Name()) // where a system refuses that, Close does it
		s.file, s.out = f, bufio.NewWriterSize(f, 1<<16)
	}
	s.sort()
	from := s.length
	for _, e := range s.index {
		if err := s.write(s.held[e.at:e.at+e.key], s.held[e.at+e.key:e.at+e.key+e.value]); err != nil {
			return err
		}
	}
	if cap(s.held) > 2*DefaultMemory && cap(s.held) > 2*s.Memory {
		s.held = nil // one long record does not keep its room
	}
	s.held, s.index = s.held[:0], s.index[:0]
	return s.ended(from)
}

// ended notes the run that was written from an offset on.
func (s *Sorter) ended(from int64) error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("write to the file to sort in: %w", err)
	}
	s.runs = append(s.runs, run{from, s.length})
	return nil
}

func (s *Sorter) write(key, value []byte) error {
	var room [2 * binary.MaxVarintLen64]byte
	head := binary.AppendUvarint(binary.AppendUvarint(room[:0], uint64(len(key))), uint64(len(value)))
	for _, b := range [][]byte{head, key, value} {
		n, err := s.out.Write(b)
		s.length += int64(n)
		if err != nil {
			return fmt.Errorf("write to the file to sort in: %w", err)
		}
	}
	return nil
}

// Each gives all records in the order of their keys. The slices hold until do
// returns; an error of do ends it. Afterwards the Sorter is empty.
func (s *Sorter) Each(do func(key, value []byte) error) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.file == nil {
		s.sort()
		for _, e := range s.index {
			if err := do(s.held[e.at:e.at+e.key], s.held[e.at+e.key:e.at+e.key+e.value]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.index) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.held, s.index = nil, nil
	// Neighbours are merged, so that equal keys stay in order.
	for len(s.runs) > fanIn {
		runs := s.runs
		s.runs = nil
		for group := range slices.Chunk(runs, fanIn) {
			from := s.length
			if err := s.merge(group, s.write); err != nil {
				return err
			}
			if err := s.ended(from); err != nil {
				return err
			}
		}
	}
	return s.merge(s.runs, do)
}

// Close forgets all records and removes the file.
func (s *Sorter) Close() error {
	f := s.file
	*s = Sorter{Memory: s.Memory, Dir: s.Dir}
	if f == nil {
		return nil
	}
	err := f.Close()
	os.Remove(f.Name())
	return err
}

// source reads a run.
type source struct {
	in         *bufio.Reader
	order      int // of runs with equal keys
	key, value []byte
	room       []byte
}

func (r *source) next() error {
	k, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err // io.EOF at the end of the run
	}
	v, err := binary.ReadUvarint(r.in)
	if err != nil {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	if n := int(k + v); cap(r.room) < n {
		r.room = make([]byte, n)
	}
	all := r.room[:k+v]
	if _, err := io.ReadFull(r.in, all); err != nil {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	r.key, r.value = all[:k], all[k:]
	return nil
}

type sources []*source

func (h sources) Len() int { return len(h) }
func (h sources) Less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}
func (h sources) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *sources) Push(x any)   { *h = append(*h, x.(*source)) }
func (h *sources) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (s *Sorter) merge(runs []run, do func(key, value []byte) error) error {
	var h sources
	for i, r := range runs {
		src := &source{in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), runBuffer), order: i}
		if err := src.next(); err != nil {
			return fmt.Errorf("read the file to sort in: %w", err)
		}
		h = append(h, src)
	}
	heap.Init(&h)
	for len(h) > 0 {
		first := h[0]
		if err := do(first.key, first.value); err != nil {
			return err
		}
		switch err := first.next(); err {
		case nil:
			heap.Fix(&h, 0)
		case io.EOF:
			heap.Pop(&h)
		default:
			return fmt.Errorf("read the file to sort in: %w", err)
		}
	}
	return nil
}
