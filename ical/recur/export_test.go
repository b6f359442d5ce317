package recur

import "time"

// Final is the last reading of a rule that ends.
func Final(r *Rule, start time.Time) (last time.Time, ok bool) {
	t, ok, _ := compile(r, start.Unix(), false).final()
	return reading(t), ok
}

const LayoutDate, LayoutTime = "20060102", "20060102T150405"
