package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const tableHead = "| what | figure | runs | p50 / p95 / p99 ms | processor of the server | beside | goal |\n|---|---|---|---|---|---|---|"

// figure is one row of the table.
type figure struct {
	what   string
	value  float64 // of the middle run
	unit   string
	sample *sample // what it was taken from, nil when it was read once
	beside string  // the ratio to a baseline, in words
	goal   string  // as performance orders it, "" for none; see goal
}

// goal words what was ordered, and whether it is there.
func goal(text string, met bool) string {
	if met {
		return text + " – reached"
	}
	return text + " – **missed**"
}

func atMost(v, limit float64, unit string) string {
	return goal(fmt.Sprintf("≤ %s %s", number(limit), unit), v <= limit)
}

func atLeast(v, limit float64, unit string) string {
	return goal(fmt.Sprintf("≥ %s %s", number(limit), unit), v >= limit)
}

func (f figure) String() string {
	runs, dist, cpu := "", "", ""
	if s := f.sample; s != nil {
		var list []string
		for _, v := range s.values {
			list = append(list, number(v))
		}
		runs = strings.Join(list, ", ")
		if len(s.took) > 0 {
			dist = fmt.Sprintf("%s / %s / %s", number(ms(percentile(s.took, .5))), number(ms(percentile(s.took, .95))), number(ms(percentile(s.took, .99))))
		}
		if s.cpu > 0 {
			cpu = fmt.Sprintf("%s ms", number(ms(s.cpu)))
		}
	}
	return fmt.Sprintf("| %s | %s %s | %s | %s | %s | %s | %s |", f.what, number(f.value), f.unit, runs, dist, cpu, f.beside, f.goal)
}

// sample is what was measured in several runs.
type sample struct {
	values []float64       // of each run: operations a second, or the median in ms
	took   []time.Duration // of all runs, sorted
	cpu    time.Duration   // the server's for one operation
}

// middle is the median of the runs.
func (s *sample) middle() float64 {
	v := slices.Sorted(slices.Values(s.values))
	if len(v) == 0 {
		return math.NaN()
	}
	return v[len(v)/2]
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// percentile of sorted durations.
func percentile(sorted []time.Duration, p float64) time.Duration {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
