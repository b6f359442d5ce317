package calendar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

const (
	// ahead of now the months of an endless series are listed; beyond, the
	// series is a candidate for every query. RollIndex keeps the window moving.
	indexAhead = 3 * 366 * 24 * time.Hour
	// rollBefore the end of the window an object is indexed anew.
	rollBefore = 2 * 366 * 24 * time.Hour
	// widen floating times and dates so that they are found in every zone:
	// offsets lie between −12 and +14 hours.
	widen = 14 * time.Hour
	// maxIndexed occurrences are looked at for one object; where it stops, the
	// window ends.
	maxIndexed = 20000
	// busyMonth: after so many occurrences in a month the walk jumps to the next,
	// and after busyRun such months in a row, more than a year of them, it takes
	// all further ones for busy.
	busyMonth = 20
	busyRun   = 14
)

// timeIndex says when an object takes place, for store.ObjectsInRange: a
// superset of RFC 4791 9.9, exact to the month for recurring objects. What is
// known for certain beyond that comes along.
func (s *Service) timeIndex(cal *ical.Calendar, zones *tz.Resolver) (store.Index, error) {
	ix, err := s.bounds(cal, zones)
	if err == nil {
		var k certainty
		k, ix.Pattern = derive(cal, zones, ix)
		ix.Known = k.pack()
	}
	return ix, err
}

func (s *Service) bounds(cal *ical.Calendar, zones *tz.Resolver) (store.Index, error) {
	switch cal.Kind() {
	case "VEVENT", "VTODO", "VJOURNAL":
	case "VFREEBUSY":
		return freeBusyIndex(cal, zones), nil
	default: // VAVAILABILITY may be open at both ends
		return store.Index{Timeless: true}, nil
	}
	var wide time.Duration
	for _, c := range cal.Main() {
		p := c.Prop("DTSTART")
		if p == nil {
			if p = c.Prop("DUE"); p == nil {
				// RFC 4791 9.9: a VTODO may match by CREATED and COMPLETED, or always.
				return store.Index{Timeless: true}, nil
			}
		}
		if t, err := p.Time(); err != nil || t.Kind == ical.Floating || t.Kind == ical.Date {
			wide = widen
		} else if t.Kind == ical.Zoned {
			if zones.Find(t.TZID); slices.Contains(zones.Unresolved(), t.TZID) {
				wide = widen // read as floating
			}
		}
	}
	set, err := recur.New(cal, zones, recur.Options{})
	if err != nil {
		return store.Index{}, problem.New(problem.InvalidCalendarData, "When this takes place cannot be worked out: %v.", trimDot(err)).Because(err)
	}
	first, last, endless := set.Bounds()
	if first.IsZero() && last.IsZero() && !endless {
		// Every occurrence is excepted: nothing takes place, and the object is
		// still there for whoever asks for all of it.
		return store.Index{Timeless: true}, nil
	}
	// One second more at both ends: 9.9 counts some ends in (VTODO), and an
	// occurrence of no length is still one.
	ix := store.Index{First: first.Add(-wide).Unix() - 1, Last: last.Add(wide).Unix() + 1}
	if endless {
		ix.Last = math.MaxInt64
	}
	if !set.Recurring() {
		return ix, nil
	}
	if !endless {
		n := 0
		for range set.All() {
			if n++; n > s.limits.Instances {
				return store.Index{}, problem.New(problem.TooManyInstances, "The event repeats more than %d times. Make it end earlier, or leave the end open.", s.limits.Instances)
			}
		}
	}
	until := s.now().Add(indexAhead)
	whole := !endless && last.Before(until)
	if !endless && last.Before(until) {
		until = last.Add(time.Second)
	}
	if until.Before(first) {
		until = first.AddDate(1, 0, 0) // a series that starts in a far future
		whole = false
	}
	ix.Periods, ix.Horizon = monthsOf(set, until, wide)
	if whole && ix.Horizon == until.Unix() {
		ix.Horizon = math.MaxInt64
	}
	return ix, nil
}

// monthsOf lists the months (year*12+month-1, UTC) in which occurrences before
// until take place, and the instant up to which the list is complete.
func monthsOf(set *recur.Set, until time.Time, wide time.Duration) ([]int32, int64) {
	var months []int32
	horizon := until.Unix()
	from := time.Time{}
	looked, run, busy := 0, 0, int32(math.MinInt32)
	for more := true; more; {
		more = false
		current, inCurrent := int32(math.MinInt32), 0
		for o := range set.Between(from, until) {
			if looked++; looked > maxIndexed {
				horizon = o.From.Add(-wide).Unix()
				break
			}
			m, end := month(o.From.Add(-wide)), month(minTime(o.To.Add(wide), until))
			for k := m; k <= end; k++ {
				if len(months) == 0 || months[len(months)-1] < k {
					months = append(months, k)
				} else if _, ok := slices.BinarySearch(months, k); !ok {
					months = append(months, k)
					slices.Sort(months)
				}
			}
			at := month(maxTime(o.From, from))
			if at != current {
				current, inCurrent = at, 0
			}
			if inCurrent++; inCurrent >= busyMonth {
				if run++; current != busy+1 {
					run = 1
				}
				busy = current
				next := time.Date(int(current/12), time.Month(current%12)+2, 1, 0, 0, 0, 0, time.UTC)
				if run >= busyRun {
					for k := month(next); k <= month(until); k++ {
						months = append(months, k)
					}
				} else if next.Before(until) {
					from, more = next, true
				}
				break
			}
		}
	}
	slices.Sort(months)
	months = slices.Compact(months)
	if set.Err() != nil { // its own limit: what lies behind is not known
		horizon = math.MinInt64
		if n := len(months); n > 0 {
			m := months[n-1]
			horizon = time.Date(int(m/12), time.Month(m%12)+1, 1, 0, 0, 0, 0, time.UTC).Unix()
		}
	}
	return months, horizon
}

func month(t time.Time) int32 {
	t = t.UTC()
	return int32(t.Year()*12 + int(t.Month()) - 1)
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// freeBusyIndex: RFC 4791 9.9, by DTSTART and DTEND or else by the FREEBUSY periods.
func freeBusyIndex(cal *ical.Calendar, zones *tz.Resolver) store.Index {
	ix := store.Index{First: math.MaxInt64, Last: math.MinInt64}
	add := func(from, to time.Time) {
		ix.First, ix.Last = min(ix.First, from.Unix()-1), max(ix.Last, to.Unix()+1)
	}
	for _, c := range cal.Main() {
		start, end := c.Prop("DTSTART"), c.Prop("DTEND")
		if start != nil && end != nil {
			from, err1 := start.Time()
			to, err2 := end.Time()
			if err1 == nil && err2 == nil {
				add(zones.Instant(from), zones.Instant(to))
			}
			continue
		}
		for p := range c.Props("FREEBUSY") {
			periods, err := p.Periods()
			if err != nil {
				continue
			}
			for _, x := range periods {
				from := zones.Instant(x.Start)
				to := zones.Instant(x.End)
				if x.HasDuration {
					to = from.AddDate(0, 0, x.Duration.Days).Add(x.Duration.Exact)
				}
				add(from, to)
			}
		}
	}
	if ix.First > ix.Last {
		return store.Index{Timeless: true}
	}
	return ix
}

// RollIndex moves the window of the time index for series whose window ends
// soon. It looks at limit objects at most and says how many moved.
func (s *Service) RollIndex(ctx context.Context, limit int) (int, error) {
	before := s.now().Add(rollBefore).Unix()
	var stale []store.Object
	if err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		stale, err = tx.StaleHorizons(before, limit)
		return err
	}); err != nil {
		return 0, fmt.Errorf("look for old time indexes: %w", err)
	}
	moved := 0
	for part := range slices.Chunk(stale, 50) {
		n := 0
		err := s.store.Update(ctx, func(tx *store.Tx) error {
			n = 0
			for _, o := range part {
				body, err := tx.Body(o.Account, o.ID)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				cal, err := ical.ParseLimits(body, s.parseLimits())
				if err != nil {
					s.log.Error("stored object cannot be read", "account", o.Account, "object", o.ID, "error", err)
					continue
				}
				ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
				if err != nil {
					s.log.Error("stored object cannot be placed in time", "account", o.Account, "object", o.ID, "error", err)
					continue
				}
				if err := tx.SetIndex(o.Account, o.ID, ix); err != nil {
					return err
				}
				if ix.Horizon >= before {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return moved, fmt.Errorf("move time indexes: %w", err)
		}
		moved += n
	}
	return moved, nil
}
