package store_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

// event is what the naive filter knows of an object.
type event struct {
	id     int64
	starts []int64 // of all occurrences up to the horizon
	length int64
	x      store.Index
}

// mayMatch is the promise of ObjectsInRange, computed the slow way: must for
// objects that take place in the range, may for those that are allowed beside.
func (e event) mayMatch(from, to int64) (must, may bool) {
	if e.x.Timeless {
		return true, true
	}
	for _, s := range e.starts {
		if s <= to && s+e.length >= from {
			must = true
		}
	}
	if e.x.Periods == nil {
		return must, must
	}
	beyond := e.x.Last >= e.x.Horizon && to >= e.x.Horizon
	inMonths := slices.ContainsFunc(e.x.Periods, func(m int32) bool { return m >= monthOf(from) && m <= monthOf(to) })
	return must || beyond, must || inMonths || beyond && monthOf(to) >= monthOf(e.x.Horizon) || beyond
}

func monthOf(unix int64) int32 {
	t := time.Unix(unix, 0).UTC()
	return int32(t.Year()*12 + int(t.Month()) - 1)
}

func drawEvent(r *rapid.T) event {
	base := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	const years = 12
	start := base + rapid.Int64Range(0, years*365*86400).Draw(r, "start")
	e := event{starts: []int64{start}, length: rapid.SampledFrom([]int64{0, 3600, 86400, 86400 * 40, 86400 * 3000}).Draw(r, "length")}
	switch rapid.SampledFrom([]string{"single", "series", "endless", "timeless"}).Draw(r, "kind") {
	case "single":
		e.x = store.Index{First: start, Last: start + e.length}
	case "timeless":
		e.x = store.Index{Timeless: true}
	case "series":
		e.repeat(r, rapid.IntRange(2, 60).Draw(r, "count"))
		e.x.Horizon = e.x.Last + 1
	case "endless":
		e.repeat(r, rapid.IntRange(2, 200).Draw(r, "count"))
		e.x.Horizon = e.starts[len(e.starts)-1] + 1
		e.x.Last = math.MaxInt64
	}
	return e
}

func (e *event) repeat(r *rapid.T, count int) {
	step := rapid.SampledFrom([]int64{86400, 86400 * 7, 86400 * 31, 86400 * 365}).Draw(r, "step")
	for len(e.starts) < count {
		e.starts = append(e.starts, e.starts[len(e.starts)-1]+step)
	}
	months := map[int32]bool{}
	for _, s := range e.starts {
		for m := monthOf(s); m <= monthOf(s+e.length); m++ {
			months[m] = true
		}
	}
	for m := range months {
		e.x.Periods = append(e.x.Periods, m)
	}
	e.x.First, e.x.Last = e.starts[0], e.starts[len(e.starts)-1]+e.length
}

func TestObjectsInRangeAgainstNaiveFilter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		homes := 0
		rapid.Check(t, func(r *rapid.T) {
			homes++
			account, calendar := home(t, s, fmt.Sprintf("home%d", homes))
			events := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 12).Draw(r, "events")
			update(t, s, func(tx *store.Tx) error {
				for i := range events {
					o := object(account, calendar, i)
					if err := tx.PutObject(&o, nil, events[i].x); err != nil {
						return err
					}
					events[i].id = o.ID
				}
				// Written again with another time, and moved: the index follows.
				again := rapid.Custom(drawEvent).Draw(r, "instead of the first")
				again.id = events[0].id
				events[0] = again
				if err := tx.SetIndex(account, again.id, again.x); err != nil {
					return err
				}
				other := store.Collection{Account: account, Name: "other", Kind: store.Calendar, Created: day}
				if err := tx.AddCollection(&other); err != nil {
					return err
				}
				if err := tx.MoveObject(account, events[len(events)-1].id, other.ID, "moved.ics"); err != nil {
					return err
				}
				return tx.MoveObject(account, events[len(events)-1].id, calendar, "back.ics")
			})
			base := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
			for range 5 {
				from := base + rapid.Int64Range(0, 30*365*86400).Draw(r, "from")
				to := from + rapid.SampledFrom([]int64{0, 3600, 86400 * 7, 86400 * 31, 86400 * 400, 86400 * 9000}).Draw(r, "span")
				if rapid.IntRange(0, 9).Draw(r, "open") == 0 {
					from = math.MinInt64
				}
				if rapid.IntRange(0, 9).Draw(r, "open") == 0 {
					to = math.MaxInt64
				}
				got := map[int64]int{}
				view(t, s, func(tx *store.Tx) error {
					for o, err := range tx.ObjectsInRange(account, []int64{calendar}, "VEVENT", from, to) {
						if err != nil {
							return err
						}
						got[o.ID]++
					}
					return nil
				})
				for _, e := range events {
					must, may := e.mayMatch(from, to)
					wide := to-from > 86400*31*239 || from == math.MinInt64 || to == math.MaxInt64 // reads spans
					switch n := got[e.id]; {
					case n > 1:
						r.Errorf("object %d came %d times", e.id, n)
					case n == 0 && must:
						r.Errorf("[%d, %d] misses %+v", from, to, e)
					case n == 1 && !may && !wide:
						r.Errorf("[%d, %d] needlessly reads %+v", from, to, e)
					}
				}
			}
		})
	})
}

func TestObjectsInRangeChoosesTheComponent(t *testing.T) {
	s := storetest.SQLite(t)
	account, calendar := home(t, s, "ann")
	o := object(account, calendar, 1)
	o.Component = "VTODO"
	put(t, s, &o, "", hour(day))
	count := func(component string) (n int) {
		view(t, s, func(tx *store.Tx) error {
			for _, err := range tx.ObjectsInRange(account, []int64{calendar}, component, day.Unix(), day.Unix()) {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		})
		return n
	}
	if count("VEVENT") != 0 || count("VTODO") != 1 || count("") != 1 {
		t.Errorf("VEVENT %d, VTODO %d, any %d", count("VEVENT"), count("VTODO"), count(""))
	}
}

func TestStaleHorizons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		account, calendar := home(t, s, "ann")
		year := func(n int) int64 { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC).Unix() }
		for i, x := range []store.Index{
			{First: year(2020), Last: math.MaxInt64, Periods: []int32{2020 * 12}, Horizon: year(2027)},
			{First: year(2020), Last: math.MaxInt64, Periods: []int32{2020 * 12}, Horizon: year(2026)},
			{First: year(2020), Last: math.MaxInt64, Periods: []int32{2020 * 12}, Horizon: year(2031)},
			{First: year(2020), Last: year(2021), Periods: []int32{2020 * 12}, Horizon: year(2025)}, // ends before its horizon
			hour(day),
		} {
			o := object(account, calendar, i)
			put(t, s, &o, "", x)
		}
		view(t, s, func(tx *store.Tx) error {
			list, err := tx.StaleHorizons(year(2030), 10)
			if len(list) != 2 || list[0].Name != "1.ics" || list[1].Name != "0.ics" {
				t.Errorf("stale: %+v", list)
			}
			return err
		})
	})
}
