package recur

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
)

// A walk goes over the members of a set by their original start: rules, DTSTART
// and RDATEs merged, exceptions taken out. Overrides are not its business.
type walk struct {
	*Set
	many    []ruleWalk // of the rules, when there are more than one
	fixed   []member   // RDATEs and DTSTART still to come
	lastAt  int64
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
	src  *source
	next member
	ok   bool
	c    cursor
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
	w.Set, w.lastAt = s, math.MinInt64
	w.weight = (len(s.rules) + len(s.exclusion)) / 4
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
		if r.c.limited {
			w.limited.Store(true)
		}
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
		if !found {
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
				w.limited.CompareAndSwap(false, r.c.limited)
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

// ruledOut tells whether an EXRULE has a member. The rules go along with the
// walk, so that one as dense as the series costs no more than it.
func (w *walk) ruledOut(m member) bool {
	if len(w.exclusion) == 0 {
		return false
	}
	if w.except == nil {
		w.except = make([]ruleWalk, len(w.exclusion))
		for i, src := range w.exclusion {
			w.except[i].begin(src, m.wall)
			w.except[i].step()
		}
	}
	for i := range w.except {
		x := &w.except[i]
		if x.src.plan.eachDay {
			if x.src.excludes(m) {
				return true
			}
			continue
		}
		if m.at > x.src.until {
			continue
		}
		for tries := 0; x.ok && x.next.wall < m.wall; tries++ {
			if tries == patience {
				x.begin(x.src, m.wall)
			}
			x.step()
		}
		if x.c.limited {
			w.limited.Store(true)
		}
		if x.ok && x.next.wall == m.wall {
			return true
		}
	}
	return false
}

func (r *ruleWalk) step() { r.next.wall, r.ok = r.c.next() }

// excluded tells whether an EXDATE or EXRULE takes a member out.
func (s *Set) excluded(m member) bool {
	return s.listedOut(m) || slices.ContainsFunc(s.exclusion, func(x *source) bool { return x.excludes(m) })
}

func (x *source) excludes(m member) bool {
	if m.at > x.until {
		return false
	}
	c := x.closed().cursor()
	c.seek(m.wall)
	t, ok := c.next()
	return ok && (t == m.wall || x.plan.eachDay && floorDiv(t, secondsPerDay) == floorDiv(m.wall, secondsPerDay))
}

// listedOut tells whether an EXDATE takes a member out.
func (s *Set) listedOut(m member) bool {
	if len(s.exInstant) > 0 {
		if _, ok := slices.BinarySearch(s.exInstant, m.at); ok {
			return true
		}
	}
	if len(s.exDates) > 0 {
		if _, ok := slices.BinarySearch(s.exDates, floorDiv(m.wall, secondsPerDay)); ok {
			return true
		}
	}
	return false
}

// governing is the override with RANGE=THISANDFUTURE in force for a member.
func (s *Set) governing(at int64) *override {
	for i := len(s.ranged) - 1; i >= 0; i-- {
		if o := &s.overrides[s.ranged[i]]; o.idAt <= at {
			return o
		}
	}
	return nil
}

func (s *Set) overrideAt(at int64) *override {
	if len(s.overrides) == 0 {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.overrides, at, func(o override, at int64) int { return cmp.Compare(o.idAt, at) })
	if !ok {
		return nil
	}
	return &s.overrides[i]
}

// occurrence places a member that has no override of its own. o must be the
// same from call to call: what does not change is written once.
func (w *walk) occurrence(m member, o *Occurrence) {
	sh := w.master
	if length := sh.length(); m.wall >= w.stretch.from && m.wall+length < w.stretch.to && m.length < 0 && sh.endAlike && len(w.ranged) == 0 {
		w.plainly(m, length, o)
		return
	}
	if m.length < 0 && sh.endAlike && len(w.ranged) == 0 && w.plain(m.wall) && w.acrossChange(m, o) {
		return
	}
	w.primed = false
	*o = Occurrence{ID: w.idOf(m.wall)}
	if g := w.governing(m.at); g != nil {
		wall := wallOf(g.zone, m.at) + g.shift
		g.place(wall, instantOf(g.zone, wall), o)
		o.Override = true
		return
	}
	sh.place(m.wall, m.at, o)
	if m.length >= 0 {
		o.To = reading(m.at + m.length)
		wall := wallOf(sh.endZone, m.at+m.length)
		o.End = ical.Time{Wall: reading(wall), Kind: sh.end.Kind, TZID: sh.end.TZID}
	}
}

// plainly is the usual case of occurrence: nothing changes between start and
// end.
func (w *walk) plainly(m member, length int64, o *Occurrence) {
	if !w.primed {
		sh := w.master
		*o = Occurrence{Component: sh.component}
		o.ID.Kind, o.ID.TZID = sh.start.Kind, sh.start.TZID
		o.Start, o.End = o.ID, o.ID
		w.primed = true
	}
	o.ID.Wall = reading(m.wall)
	o.Start.Wall = o.ID.Wall
	o.From = reading(m.at)
	o.End.Wall, o.To = o.Start.Wall, o.From
	if length != 0 {
		o.End.Wall, o.To = reading(m.wall+length), reading(m.at+length)
	}
}

// acrossChange is occurrence where the clocks change between start and end. It
// remembers the stretch of the end too, and says no where the end falls on a
// change.
func (w *walk) acrossChange(m member, o *Occurrence) bool {
	sh := w.master
	z, ok := w.ids.(Stretcher)
	if !ok {
		return false
	}
	e := &w.ends
	if guess := m.wall + sh.length(); guess < e.from || guess >= e.to {
		e.offset, e.from, e.to = z.Stretch(guess)
	}
	to := m.at + sh.exact
	if sh.nominal && sh.days != 0 {
		// RFC 5545 3.3.6: days are counted on the calendar, then time is added.
		wall := m.wall + sh.days*secondsPerDay
		if wall < e.from || wall >= e.to {
			return false
		}
		to = wall - e.offset + sh.exact
	}
	end := to + e.offset
	if end < e.from || end >= e.to || to < m.at {
		return false
	}
	w.plainly(m, 0, o)
	o.End.Wall, o.To = reading(end), reading(to)
	return true
}

// length is that of an occurrence in seconds where no change of the clocks
// lies in it.
func (sh *shape) length() int64 { return sh.days*secondsPerDay + sh.exact }

// place fills in an occurrence of the shape that begins at a clock reading. The
// reading is written as the clocks show it: one in a gap moves behind it.
func (sh *shape) place(wall, at int64, o *Occurrence) {
	o.Component = sh.component
	if sh.timeless {
		return
	}
	o.Start = ical.Time{Wall: reading(wall), Kind: sh.start.Kind, TZID: sh.start.TZID}
	o.End = ical.Time{Kind: sh.end.Kind, TZID: sh.end.TZID}
	o.From = reading(at)
	if sh.start.IsDate() && sh.nominal && sh.exact == 0 {
		end := wall + sh.days*secondsPerDay
		o.End.Wall, o.To = reading(end), reading(max(at, instantOf(sh.zone, end)))
		return
	}
	if !sh.start.IsDate() {
		o.Start.Wall = reading(wallOf(sh.zone, at))
	}
	to := at + sh.exact
	if sh.nominal && sh.days != 0 {
		// RFC 5545 3.3.6: days are counted on the calendar, then time is added.
		to = max(at, instantOf(sh.zone, wall+sh.days*secondsPerDay)+sh.exact)
	}
	o.To = reading(to)
	o.End.Wall = reading(wallOf(sh.endZone, to))
}

func (o *override) occurrence(s *Set) Occurrence {
	var occ Occurrence
	o.shape.place(o.wall, o.at, &occ)
	occ.ID = s.idOf(o.idWall)
	if s.master == nil || s.master.timeless {
		occ.ID = o.id
	}
	occ.Override = true
	return occ
}

// All gives the occurrences in the order of their original start. An endless
// series goes on to the year 9999, or until MaxIterations.
func (s *Set) All() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		if s.master != nil && s.master.timeless {
			var o Occurrence
			s.master.place(0, 0, &o)
			if !yield(o) {
				return
			}
		}
		overrides := s.overrides
		var o Occurrence
		if s.master != nil && !s.master.timeless {
			var w walk
			w.begin(s, -1<<62)
			for {
				m, ok := w.next()
				if !ok {
					break
				}
				// Overrides of what is no member of the rule come in their place.
				replaced := false
				for len(overrides) > 0 && overrides[0].idAt <= m.at {
					replaced = overrides[0].idAt == m.at
					if !yield(overrides[0].occurrence(s)) {
						return
					}
					overrides = overrides[1:]
				}
				if replaced {
					continue
				}
				if w.occurrence(m, &o); !yield(o) {
					return
				}
			}
		}
		for i := range overrides {
			if !yield(overrides[i].occurrence(s)) {
				return
			}
		}
	}
}

// Contains tells whether the object has an occurrence with this recurrence id,
// compared as an instant or, in an all-day series, as a day.
func (s *Set) Contains(id ical.Time) bool {
	_, ok := s.Find(id)
	return ok
}

// Find gives the occurrence with this recurrence id, whatever the zone or form
// in which the id is written (RFC 5545 3.8.4.4).
func (s *Set) Find(id ical.Time) (Occurrence, bool) {
	if s.master != nil && s.master.timeless && len(s.overrides) == 0 {
		return Occurrence{}, false
	}
	at, wall := s.key(id)
	if o, ok := s.findAt(at, wall); ok {
		return o, true
	}
	if m := s.master; m != nil && !m.timeless {
		switch {
		case m.start.IsDate() && !id.IsDate() && id.Kind != ical.Floating:
			// The day's midnight in some zone, written in UTC: read it here.
			if z, err := s.zoneOf(id); err == nil {
				day := floorDiv(wallOf(s.ids, instantOf(z, id.Wall.Unix())), secondsPerDay) * secondsPerDay
				return s.findAt(instantOf(s.ids, day), day)
			}
		case !m.start.IsDate() && id.IsDate():
			// The one occurrence of that day, at whatever time.
			day := id.Wall.Unix()
			var w walk
			w.begin(s, day)
			first, ok := w.next()
			if !ok || first.wall >= day+secondsPerDay {
				break
			}
			if second, ok := w.next(); ok && second.wall < day+secondsPerDay {
				break
			}
			return s.findAt(first.at, first.wall)
		}
	}
	return Occurrence{}, false
}

func (s *Set) findAt(at, wall int64) (Occurrence, bool) {
	if o := s.overrideAt(at); o != nil {
		return o.occurrence(s), true
	}
	if s.master == nil || s.master.timeless {
		return Occurrence{}, false
	}
	from := wall
	// Just after the clocks went forward, a reading in the gap is the same
	// instant under an earlier name.
	_, before := s.ids.Wall(reading(at - secondsPerDay))
	if _, offset := s.ids.Wall(reading(at)); offset > before {
		from -= int64(offset - before)
	}
	var w walk
	w.begin(s, from)
	for {
		m, ok := w.next()
		if !ok || m.wall > wall {
			return Occurrence{}, false
		}
		if m.at == at {
			var o Occurrence
			w.occurrence(m, &o)
			return o, true
		}
	}
}

// Bounds gives the span of all occurrences: the start of the first and the end
// of the last. endless means that a rule has no end, and last is then the end
// of the year 9999. The span may be wider than needed where exceptions or
// RANGE=THISANDFUTURE change the end; times that do not exist (a to-do without any) give zeros.
func (s *Set) Bounds() (first, last time.Time, endless bool) {
	extend := func(o *Occurrence) {
		if o.From.IsZero() {
			return
		}
		if first.IsZero() || o.From.Before(first) {
			first = o.From
		}
		if last.IsZero() || o.To.After(last) {
			last = o.To
		}
	}
	var o Occurrence
	if s.master != nil && !s.master.timeless {
		var w walk
		w.begin(s, -1<<62)
		if m, ok := w.next(); ok {
			w.occurrence(m, &o)
			extend(&o)
		}
		for _, m := range s.rdates {
			w.occurrence(m, &o)
			extend(&o)
		}
		for _, src := range s.rules {
			if src.plan.count < 0 && src.until > maxReading && src.plan.until >= maxReading {
				if c := src.plan.cursor(); !c.never {
					if _, ok := c.next(); ok {
						endless = true
					}
				}
				continue
			}
			wall, ok, _ := src.closed().final()
			if !ok {
				continue
			}
			w.occurrence(member{wall, instantOf(s.ids, wall), -1}, &o)
			extend(&o)
		}
		longest := s.master.longest()
		for _, i := range s.ranged {
			// What was moved can end before what comes just before it.
			g := &s.overrides[i]
			if t := reading(g.idAt + longest); t.After(last) {
				last = t
			}
			longest = g.longest()
		}
		if s.hasStart {
			s.master.place(s.master.wall, s.master.at, &o)
			if !last.IsZero() && o.To.After(last) && !s.excluded(member{s.master.wall, s.master.at, -1}) {
				last = o.To
			}
		}
	}
	for i := range s.overrides {
		o = s.overrides[i].occurrence(s)
		extend(&o)
	}
	if endless {
		last = reading(maxReading)
	}
	return first, last, endless
}
