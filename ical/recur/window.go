package recur

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// Between gives the occurrences that overlap [from, to) by the rules of RFC
// 4791 9.9 for the component at hand, ordered by From. A zero time leaves that
// side open. The cost does not depend on how far the window is from the start.
func (s *Set) Between(from, to time.Time) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) { s.between(from, to, yield) }
}

func (s *Set) between(start, end time.Time, yield func(Occurrence) bool) {
	lo, hi := int64(-1<<62), int64(1<<62)
	if !start.IsZero() {
		lo = start.Unix()
	}
	if !end.IsZero() {
		hi = end.Unix()
	}
	// What is listed and what was moved can lie anywhere: they are few, are
	// tested one by one, and merged with what the rules give.
	var listed []Occurrence
	keep := func(o Occurrence, sh *shape) {
		if sh.overlaps(&o, lo, hi) {
			listed = append(listed, o)
		}
	}
	for i := range s.overrides {
		keep(s.overrides[i].occurrence(s), &s.overrides[i].shape)
	}
	m := s.master
	if m != nil && m.timeless {
		var o Occurrence
		m.place(0, 0, &o)
		keep(o, m)
	}
	if m == nil || m.timeless {
		sortByFrom(listed)
		give(listed, yield)
		return
	}
	longest := m.longest()
	begin := int64(-1 << 62)
	if lo > begin {
		begin = s.readingFrom(lo - longest)
	}
	var w walk
	w.begin(s, begin)
	if hi < 1<<61 {
		w.stop = wallOf(s.ids, hi) + aside
	}
	var o Occurrence
	// RDATE PERIODs have lengths of their own.
	for _, d := range s.rdates {
		if d.wall >= begin {
			break
		}
		if d.length >= 0 && s.overrideAt(d.at) == nil && s.governing(d.at) == nil && !s.excluded(d) {
			w.occurrence(d, &o)
			keep(o, m)
		}
	}
	sortByFrom(listed)
	beyond := hi
	if m.kind == "VTODO" {
		beyond++ // the table has one that begins and is due when the window ends
	}
	if len(s.ranged) > 0 {
		s.betweenShifted(lo, hi, listed, yield)
		return
	}
	alike := m.endAlike && m.kind != "VTODO"
	for {
		if alike && len(listed) == 0 && w.alone() && !w.run(lo, hi, &o, yield) {
			return
		}
		next, ok := w.next()
		if !ok {
			break
		}
		if next.at >= beyond {
			if next.wall-secondsPerDay*2 > hi || w.plain(next.wall) {
				break
			}
			continue
		}
		if s.overrideAt(next.at) != nil {
			continue
		}
		w.occurrence(next, &o)
		if !m.overlaps(&o, lo, hi) {
			continue
		}
		if !w.plain(next.wall) && next.wall != wallOf(s.ids, next.at) {
			// A reading in a gap: it takes place after some that are
			// later on the clock.
			i, _ := slices.BinarySearchFunc(listed, o.From, func(a Occurrence, t time.Time) int { return a.From.Compare(t) })
			listed = slices.Insert(listed, i, o)
			continue
		}
		for len(listed) > 0 && listed[0].From.Before(o.From) {
			if !yield(listed[0]) {
				return
			}
			listed = listed[1:]
		}
		if !yield(o) {
			return
		}
	}
	give(listed, yield)
}

// readingFrom is a reading that no member at or after an instant comes before.
func (s *Set) readingFrom(at int64) int64 {
	wall := wallOf(s.ids, at)
	if z, ok := s.ids.(Stretcher); ok {
		// No gap is longer than a day, so what comes before is far.
		if _, from, to := z.Stretch(wall); wall-from > secondsPerDay && wall < to {
			return wall
		}
	}
	return wall - aside
}

// plain tells that a reading lies where the zone's offset stays.
func (w *walk) plain(wall int64) bool { return wall >= w.stretch.from && wall < w.stretch.to }

func sortByFrom(list []Occurrence) {
	slices.SortStableFunc(list, byFrom)
}

func byFrom(a, b Occurrence) int {
	return cmp.Or(a.From.Compare(b.From), a.ID.Wall.Compare(b.ID.Wall))
}

func give(list []Occurrence, yield func(Occurrence) bool) {
	for i := range list {
		if !yield(list[i]) {
			return
		}
	}
}

// overlaps is the table of RFC 4791 9.9 for an occurrence and a window in
// seconds, its end not included.
func (sh *shape) overlaps(o *Occurrence, start, end int64) bool {
	if sh.timeless {
		if sh.kind != "VTODO" {
			return false
		}
		created, completed := sh.completed[0], sh.completed[1]
		switch hasCreated, hasCompleted := !created.IsZero(), !completed.IsZero(); {
		case hasCreated && hasCompleted:
			return (start <= created.Unix() || start <= completed.Unix()) && (end >= created.Unix() || end >= completed.Unix())
		case hasCompleted:
			return start <= completed.Unix() && end >= completed.Unix()
		case hasCreated:
			return end > created.Unix()
		}
		return true
	}
	from, to := o.From.Unix(), o.To.Unix()
	switch {
	case sh.kind == "VTODO" && sh.due:
		return start < to && end >= to
	case sh.kind == "VTODO" && sh.hasEnd && sh.component.Prop("DUE") != nil:
		return (start < to || start <= from) && (end > from || end >= to)
	case sh.kind == "VTODO" && sh.hasEnd:
		return start <= to && (end > from || end >= to)
	case from == to:
		return start <= from && end > from
	}
	return start < to && end > from
}
