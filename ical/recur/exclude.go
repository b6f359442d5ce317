package recur

import "slices"

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
			c := cursor{}
			if x.src.excludes(m, &c) {
				return true
			}
			w.looked += c.steps / stepsLooked
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
		w.spent(x)
		if x.ok && x.next.wall == m.wall {
			return true
		}
	}
	return false
}

// stepsLooked is how many steps of a search take as long as looking at a member.
const stepsLooked = 2

// spent notes what the search of a rule has cost.
func (w *walk) spent(r *ruleWalk) {
	if n := r.c.steps - r.noted; n > 0 {
		w.looked += n / stepsLooked
		r.noted = r.c.steps
	}
	if r.c.limited || r.src.limited.Load() {
		w.limited.Store(true)
	}
}

func (r *ruleWalk) step() { r.next.wall, r.ok = r.c.next() }

// excluded tells whether an EXDATE or EXRULE takes a member out.
func (s *Set) excluded(m member) bool {
	return s.listedOut(m) || slices.ContainsFunc(s.exclusion, func(x *source) bool { return x.excludes(m, &cursor{}) })
}

func (x *source) excludes(m member, c *cursor) bool {
	if m.at > x.until {
		return false
	}
	c.open(x.closed())
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
