package recur

import "time"

// Final is the last reading of a rule that ends.
func Final(r *Rule, start time.Time) (last time.Time, ok bool) {
	t, ok, _ := compile(r, start.Unix(), false).final()
	return reading(t), ok
}

// Cost is what a walk from one reading to another takes, in members looked at,
// and how many it gives.
func Cost(s *Set, from, to time.Time) (looked, given int) {
	var w walk
	w.begin(s, from.Unix())
	w.stop = to.Unix()
	for {
		if _, ok := w.next(); !ok {
			return w.looked, given
		}
		given++
	}
}

// Steps is what counting a rule to its end takes.
func Steps(s *Set) (n int) {
	for _, src := range s.rules {
		if src.plan.count >= 0 {
			c := src.plan.cursor()
			c.consume(src.plan.periodOf(src.plan.until))
			n += c.steps
		}
	}
	return n
}

const MaxSteps = maxSteps

const LayoutDate, LayoutTime = "20060102", "20060102T150405"
