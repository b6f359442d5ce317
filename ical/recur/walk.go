package recur

import (
	"cmp"
	"math"
	"slices"
)

// A walk goes over the members of a set by their original start: rules, DTSTART
// and RDATEs merged, exceptions taken out. Overrides are not its business.
type walk struct {
	*Set
	many    []ruleWalk // of the rules, when there are more than one
	fixed   []member   // RDATEs and DTSTART still to come
	lastAt  int64
	stop    int64 // what is later on the clock is not asked for
	began   bool
	looked  int
	weight  int      // how many members more one takes as long as
	inGap   []member // met lately
	stretch stretch
	ends    stretch // of the end of the occurrence at hand
	primed  bool    // the occurrence at hand has the parts that do not change
	one     ruleWalk
	except  []ruleWalk // of EXRULE
}

type ruleWalk struct {
	src   *source
	next  member
	ok    bool
	c     cursor
	noted int // steps of c that the walk knows of
}

// begin opens the rule at the first member whose reading is not before from.
func (r *ruleWalk) begin(src *source, from int64) {
	r.src = src
	if from > src.plan.start {
		r.c.open(src.closed())
		r.c.seek(from)
	} else {
		r.c.open(src.plan)
	}
}

// stretch remembers over which clock readings the zone's offset stays.
type stretch struct {
	from, to int64 // readings
	offset   int64
}

// Stretcher is a Zone that can tell how long an offset lasts; others are asked
// for every reading.
type Stretcher interface {
	// Stretch gives readings [from, to) around a reading that exist and have
	// the offset; from = to when the reading falls into a gap.
	Stretch(wall int64) (offset, from, to int64)
}

// place gives the instant of a reading.
func (w *walk) place(wall int64) int64 {
	if wall >= w.stretch.from && wall < w.stretch.to {
		return wall - w.stretch.offset
	}
	if z, ok := w.ids.(Stretcher); ok {
		w.stretch.offset, w.stretch.from, w.stretch.to = z.Stretch(wall)
		return wall - w.stretch.offset
	}
	return instantOf(w.ids, wall)
}

// rule is the state of the i-th rule.
func (w *walk) rule(i int) *ruleWalk {
	if len(w.rules) == 1 {
		return &w.one
	}
	return &w.many[i]
}

// begin sets a walk on the first member whose clock reading is not before from.
func (w *walk) begin(s *Set, from int64) {
	w.Set, w.lastAt, w.stop = s, math.MinInt64, math.MaxInt64
	w.weight = (len(s.rules) + len(s.exclusion)) / 2
	if len(s.exclusion) > 0 && s.exclusion[0].plan.eachDay {
		w.weight += 3
	}
	if len(s.rules) > 1 {
		w.many = make([]ruleWalk, len(s.rules))
	}
	for i, src := range s.rules {
		r := w.rule(i)
		r.begin(src, from)
		w.advance(r)
	}
	if len(s.rdates) > 0 {
		i, _ := slices.BinarySearchFunc(s.rdates, from, func(m member, t int64) int { return cmp.Compare(m.wall, t) })
		w.fixed = s.rdates[i:]
	}
	if s.hasStart && s.master.wall >= from {
		own := member{s.master.wall, s.master.at, -1}
		at, dup := slices.BinarySearchFunc(w.fixed, own, func(a, b member) int { return cmp.Compare(a.wall, b.wall) })
		if !dup {
			w.fixed = slices.Insert(slices.Clone(w.fixed), at, own)
		}
	}
}

func (w *walk) advance(r *ruleWalk) {
	for {
		t, ok := r.c.next()
		w.spent(r)
		if r.ok = ok; !ok {
			return
		}
		if r.c.eachDay {
			t = floorDiv(t, secondsPerDay) * secondsPerDay
			if r.c.count < 0 {
				r.begin(r.src, t+secondsPerDay)
			}
			if w.began && t <= r.next.wall {
				continue
			}
		}
		r.next = member{t, w.place(t), -1}
		if r.next.at <= r.src.until {
			return
		}
	}
}

// next is the next member that no exception takes out; ok is false at the end
// and at the limit.
func (w *walk) next() (member, bool) {
	for {
		w.looked += 1 + w.weight
		if w.looked > w.limit {
			w.limited.Store(true)
			return member{}, false
		}
		var m member
		best := -1
		found := false
		for i := range w.rules {
			if r := w.rule(i); r.ok && (!found || r.next.wall < m.wall) {
				m, best, found = r.next, i, true
			}
		}
		if len(w.fixed) > 0 && (!found || w.fixed[0].wall <= m.wall) {
			m, best, found = w.fixed[0], -1, true
			w.fixed = w.fixed[1:]
		}
		if !found || m.wall > w.stop {
			return m, false
		}
		if best >= 0 {
			w.began = true
			w.advance(w.rule(best))
		}
		if m.at == w.lastAt || w.metInGap(m) {
			continue
		}
		w.lastAt = m.at
		if !w.listedOut(m) && !w.ruledOut(m) {
			return m, true
		}
	}
}

// alone tells that members come from one rule and nothing has to be asked of
// each: the usual series.
func (w *walk) alone() bool {
	return len(w.rules) == 1 && len(w.fixed)+len(w.overrides)+len(w.exclusion)+len(w.inGap) == 0 && !w.one.c.eachDay
}

// run gives occurrences of a walk that is alone from one stretch of the zone,
// those that overlap the window, as long as they begin before hi. It leaves the
// member at which it stops as the next. more is false when yield is.
func (w *walk) run(lo, hi int64, o *Occurrence, yield func(Occurrence) bool) (more bool) {
	r, sh := &w.one, w.master
	length, listed := sh.length(), len(w.exInstant)+len(w.exDates) > 0
	offset, from, to := w.stretch.offset, w.stretch.from, w.stretch.to
	for r.ok && w.looked < w.limit {
		m := r.next
		if m.wall < from || m.wall+length >= to || m.at >= hi {
			return true
		}
		w.looked++
		w.spent(r)
		if m.at != w.lastAt && (m.at+length > lo || length == 0 && m.at == lo) && (!listed || !w.listedOut(m)) {
			w.plainly(m, length, o)
			if !yield(*o) {
				return false
			}
		}
		w.lastAt = m.at
		for {
			t, ok := r.c.next()
			if !ok {
				w.spent(r)
				r.ok = false
				return true
			}
			at := t - offset
			if t >= to {
				at = w.place(t)
			}
			if at <= r.src.until {
				r.next.wall, r.next.at = t, at
				break
			}
		}
	}
	return true
}

// metInGap tells whether the instant of a member was met before, under a
// reading that a change of the clocks left out: 02:30 and 03:30 are then the
// same. Such readings are remembered while they can be met again.
func (w *walk) metInGap(m member) bool {
	if len(w.inGap) > 0 {
		if m.wall > w.inGap[len(w.inGap)-1].wall+2*secondsPerDay {
			w.inGap = w.inGap[:0]
		}
		if _, ok := slices.BinarySearchFunc(w.inGap, m.at, func(g member, at int64) int { return cmp.Compare(g.at, at) }); ok {
			return true
		}
	}
	if !w.plain(m.wall) && wallOf(w.ids, m.at) != m.wall {
		w.inGap = append(w.inGap, m)
	}
	return false
}
