package recur

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/convene-cal/convene/ical"
)

// segment is the part of a series that one shape governs: what comes before
// the first RANGE=THISANDFUTURE, or from one of them to the next. Within it
// what comes first by its original start also takes place first.
type segment struct {
	*Set
	from, to int64 // original starts, as instants
	shape    *shape
	ranged   *override // nil for the master
	shift    int64     // about how much later members take place
	bound    int64     // nothing still to come takes place before
	w        *walk     // nil before it is begun
	there    stretch   // of where members take place
}

// aside is by how much a place on the clock and an instant may differ.
const aside = 2 * secondsPerDay

// betweenShifted is Between for a series of which RANGE=THISANDFUTURE moved
// parts: these are walked side by side, each from when it can matter.
func (s *Set) betweenShifted(lo, hi int64, listed []Occurrence, yield func(Occurrence) bool) {
	waiting := s.segments(lo, hi)
	var active segments
	var met []Occurrence // of segments, in order
	looked := 0
	for len(waiting) > 0 || len(active) > 0 {
		for len(waiting) > 0 && (len(active) == 0 || waiting[0].bound <= active[0].bound) {
			waiting[0].begin(lo, hi)
			heap.Push(&active, waiting[0])
			waiting = waiting[1:]
		}
		if len(active) == 0 {
			continue
		}
		g := active[0]
		// Everything before the bound of all is known.
		for len(met)+len(listed) > 0 {
			next := &met
			if len(met) == 0 || len(listed) > 0 && byFrom(listed[0], met[0]) < 0 {
				next = &listed
			}
			if (*next)[0].From.Unix() > g.bound {
				break
			}
			if !yield((*next)[0]) {
				return
			}
			*next = (*next)[1:]
		}
		g.w.looked = looked
		o, ok := g.next(hi)
		looked = g.w.looked
		if !ok {
			heap.Pop(&active)
			continue
		}
		heap.Fix(&active, 0)
		if g.shape.overlaps(&o, lo, hi) {
			i := len(met)
			for i > 0 && byFrom(o, met[i-1]) < 0 {
				i--
			}
			met = slices.Insert(met, i, o)
		}
	}
	listed = append(listed, met...)
	sortByFrom(listed)
	give(listed, yield)
}

// segments are those that can have occurrences in a window, by their bounds.
func (s *Set) segments(lo, hi int64) []*segment {
	list := []*segment{{Set: s, from: -1 << 62, to: 1 << 62, shape: s.master}}
	for _, i := range s.ranged {
		o := &s.overrides[i]
		list[len(list)-1].to = o.idAt
		g := &segment{Set: s, from: o.idAt, to: 1 << 62, shape: &o.shape, ranged: o}
		if !o.timeless {
			g.shift = o.shift
		}
		list = append(list, g)
	}
	list = slices.DeleteFunc(list, func(g *segment) bool {
		begin := max(g.from, s.master.at-aside)
		if len(s.rdates) > 0 {
			begin = max(g.from, min(s.master.at, s.rdates[0].at)-aside)
		}
		g.bound = begin + g.shift - aside
		return g.bound > hi || g.to < 1<<61 && g.to+g.shift+g.shape.longest()+aside < lo
	})
	slices.SortStableFunc(list, func(a, b *segment) int { return cmp.Compare(a.bound, b.bound) })
	return list
}

// begin starts the walk at the first member that can overlap a window.
func (g *segment) begin(lo, hi int64) {
	wall := int64(-1 << 62)
	if g.from > wall {
		wall = g.readingFrom(g.from)
	}
	if lo > -1<<62 {
		wall = max(wall, g.beginning(lo-g.shape.longest()))
	}
	g.w = &walk{}
	g.w.begin(g.Set, wall)
	if g.to < 1<<61 {
		g.w.stop = wallOf(g.ids, g.to) + aside
	}
	if hi < 1<<61 {
		g.w.stop = min(g.w.stop, wallOf(g.ids, hi-g.shift)+2*aside)
	}
}

// beginning is a reading of originals that nothing at or after an instant comes
// before.
func (g *segment) beginning(at int64) int64 {
	if g.ranged == nil || g.ranged.timeless {
		return g.readingFrom(at)
	}
	zone := g.ranged.zone
	original := instantOf(zone, wallOf(zone, at)-g.shift)
	for _, t := range [...]int64{at, original} { // the clocks change near neither
		_, before := zone.Wall(reading(t - aside))
		if _, after := zone.Wall(reading(t + aside)); before != after {
			return wallOf(g.ids, original) - 2*aside
		}
	}
	return g.readingFrom(original)
}

// next is the next occurrence that has no override of its own.
func (g *segment) next(hi int64) (o Occurrence, ok bool) {
	for {
		m, ok := g.w.next()
		if !ok || m.at >= g.to || hi < 1<<61 && m.at+g.shift-aside > hi {
			return o, false
		}
		if m.at < g.from || g.overrideAt(m.at) != nil {
			continue
		}
		if g.plainly(m, &o) {
			return o, true
		}
		g.w.occurrence(m, &o)
		// A reading in a gap takes place after some that are later on the
		// clock, and where clocks are set back in another zone the order of
		// starts is not that of originals.
		at := o.From.Unix()
		switch wall := m.wall; {
		case g.ranged != nil && g.ranged.zone != g.ids:
			g.bound = max(g.bound, at-aside)
		case g.ranged != nil && !g.ranged.timeless:
			if wall = wallOf(g.ranged.zone, m.at) + g.ranged.shift; wallOf(g.ranged.zone, at) == wall {
				g.bound = max(g.bound, at)
			}
		case wallOf(g.ids, at) == wall:
			g.bound = max(g.bound, at)
		}
		return o, true
	}
}

// plainly is the usual case of an occurrence: the clocks change neither near the
// original nor near where it takes place.
func (g *segment) plainly(m member, o *Occurrence) bool {
	sh := g.shape
	z, ok := g.ids.(Stretcher)
	if !ok || sh.timeless || sh.zone != g.ids || !sh.endAlike || m.length >= 0 || !g.w.plain(m.wall) {
		return false
	}
	wall, length := m.wall+g.shift, sh.length()
	if wall < g.there.from || wall+length >= g.there.to {
		t := &g.there
		if t.offset, t.from, t.to = z.Stretch(wall); wall < t.from || wall+length >= t.to {
			return false
		}
	}
	at := wall - g.there.offset
	*o = Occurrence{
		ID:    g.idOf(m.wall),
		Start: ical.Time{Wall: reading(wall), Kind: sh.start.Kind, TZID: sh.start.TZID},
		End:   ical.Time{Wall: reading(wall + length), Kind: sh.end.Kind, TZID: sh.end.TZID},
		From:  reading(at), To: reading(at + length), Component: sh.component, Override: g.ranged != nil,
	}
	g.bound = max(g.bound, at)
	return true
}

// segments are ordered by their bounds.
type segments []*segment

func (h segments) Len() int           { return len(h) }
func (h segments) Less(i, j int) bool { return h[i].bound < h[j].bound }
func (h segments) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *segments) Push(x any)        { *h = append(*h, x.(*segment)) }
func (h *segments) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	*h = (*h)[:last]
	return g
}
