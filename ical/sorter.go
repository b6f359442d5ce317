package ical

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// Sorter sorts what is more than memory may hold: records by their keys, those
// with equal keys in the order of Add. The slices given to Add belong to the
// caller, those given to do are valid until it returns. After Each a Sorter is
// empty. One that is also an io.Closer is closed when it is not needed any more.
type Sorter interface {
	Add(key, value []byte) error
	Each(do func(key, value []byte) error) error
}

// MemorySorter is the Sorter of what does fit into memory. The zero value is
// ready.
type MemorySorter struct{ records [][2][]byte }

// Add takes a record.
func (m *MemorySorter) Add(key, value []byte) error {
	m.records = append(m.records, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
	return nil
}

// Each gives all records in order.
func (m *MemorySorter) Each(do func(key, value []byte) error) error {
	slices.SortStableFunc(m.records, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
	records := m.records
	m.records = nil
	for _, r := range records {
		if err := do(r[0], r[1]); err != nil {
			return err
		}
	}
	return nil
}

// Sorters makes Sorters; nil makes those of memory.
type Sorters func() Sorter

// New makes one.
func (s Sorters) New() Sorter {
	if s == nil {
		return &MemorySorter{}
	}
	return s()
}

// CloseSorters closes those that are io.Closers; nil ones are none.
func CloseSorters(list ...Sorter) error {
	var all []error
	for _, s := range list {
		if c, ok := s.(io.Closer); ok {
			all = append(all, c.Close())
		}
	}
	return errors.Join(all...)
}
