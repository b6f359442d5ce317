package freebusy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
)

// Types of busy time (RFC 5545 3.2.9).
const (
	Free        = "FREE"
	Tentative   = "BUSY-TENTATIVE"
	BusyTime    = "BUSY"
	Unavailable = "BUSY-UNAVAILABLE"
)

// rank orders the types: where two overlap the greater one shows.
var rank = map[string]int{Free: 1, Tentative: 2, BusyTime: 3, Unavailable: 4}

// Period is a span of busy time, To not included, in UTC.
type Period struct {
	From, To time.Time
	Type     string // FREE, BUSY-TENTATIVE, BUSY or BUSY-UNAVAILABLE
}

// maxOccurrences bounds what one object is asked for: a meeting every hour for
// ten years. With more, nobody could read the answer.
const maxOccurrences = 100_000

// Busy gives the busy time of one calendar object within [from, to), cut to that
// window, ordered by From; of the same type, what touches the one before is
// joined to it, other overlaps are not merged. Events count, to-dos and journal
// entries do not (RFC 4791 7.10); the periods of a VFREEBUSY count as they are.
// user tells whose answer decides in an invitation; nil means nobody's, as for
// an event without attendees. With an error that wraps recur.ErrLimit the
// periods are those found up to the limit.
func Busy(cal *ical.Calendar, z recur.Zones, user func(ical.Address) bool, from, to time.Time) ([]Period, error) {
	var list []Period
	add := func(begin, end time.Time, kind string) {
		if !from.IsZero() && begin.Before(from) {
			begin = from
		}
		if !to.IsZero() && end.After(to) {
			end = to
		}
		if !begin.Before(end) {
			return
		}
		if n := len(list); n > 0 {
			if last := &list[n-1]; last.Type == kind && !begin.Before(last.From) && !begin.After(last.To) {
				if end.After(last.To) {
					last.To = end
				}
				return
			}
		}
		list = append(list, Period{begin, end, kind})
	}
	switch cal.Kind() {
	case "VEVENT":
	case "VFREEBUSY":
		for _, c := range cal.Main() {
			for p := range c.Props("FREEBUSY") {
				periods, err := p.Periods()
				if err != nil {
					return list, fmt.Errorf("freebusy: %w", err)
				}
				kind := strings.ToUpper(p.Param("FBTYPE"))
				if rank[kind] == 0 {
					kind = BusyTime // RFC 5545 3.2.9: the default, also for unknown types
				}
				for _, q := range periods {
					begin, end, err := bounds(q, z)
					if err != nil {
						return list, fmt.Errorf("freebusy: %w", err)
					}
					add(begin, end, kind)
				}
			}
		}
		sortPeriods(list)
		return list, nil
	default:
		return nil, nil
	}
	s, err := recur.New(cal, z, recur.Options{MaxIterations: maxOccurrences})
	if err != nil {
		return nil, fmt.Errorf("freebusy: %w", err)
	}
	// A series has few components: the type is decided once for each.
	kinds := map[*ical.Component]string{}
	master := cal.Master()
	for o := range s.Between(from, to) {
		kind, ok := kinds[o.Component]
		if !ok {
			kind = Of(o.Component, master, user)
			kinds[o.Component] = kind
		}
		if kind != Free {
			add(o.From, o.To, kind)
		}
	}
	sortPeriods(list)
	return list, s.Err()
}

func bounds(q ical.Period, z recur.Zones) (begin, end time.Time, err error) {
	place := func(t ical.Time) (time.Time, error) {
		switch t.Kind {
		case ical.UTC:
			return t.Wall, nil
		case ical.Zoned:
			zone, err := z.Zone(t.TZID)
			if err != nil {
				return time.Time{}, err
			}
			return zone.Instant(t.Wall), nil
		}
		return z.Floating().Instant(t.Wall), nil
	}
	if begin, err = place(q.Start); err != nil {
		return
	}
	if !q.HasDuration {
		end, err = place(q.End)
		return
	}
	next := q.Start
	next.Wall = next.Wall.AddDate(0, 0, q.Duration.Days)
	if end, err = place(next); err == nil {
		end = end.Add(q.Duration.Exact)
	}
	return
}

// Of decides what an event, or an override of master, does to the time of a
// user (nil = of nobody in particular): FREE or one of the busy types.
func Of(c, master *ical.Component, user func(ical.Address) bool) string {
	status := strings.ToUpper(c.Value("STATUS"))
	transp := strings.ToUpper(c.Value("TRANSP"))
	shown := strings.ToUpper(c.Value("X-MICROSOFT-CDO-BUSYSTATUS"))
	if master != nil && c != master {
		// What an override leaves out is as in the master only for properties
		// that some programs write once.
		transp = cmp.Or(transp, strings.ToUpper(master.Value("TRANSP")))
	}
	switch {
	case status == "CANCELLED", transp == "TRANSPARENT", transp == "" && shown == "FREE":
		return Free
	}
	kind := BusyTime
	switch {
	case shown == "OOF", shown == "WORKINGELSEWHERE":
		kind = Unavailable
	case shown == "TENTATIVE":
		kind = Tentative
	}
	if status == "TENTATIVE" {
		kind = Tentative
	}
	switch partStat(c, user) {
	case "DECLINED", "DELEGATED":
		return Free
	case "NEEDS-ACTION", "TENTATIVE":
		// An invitation without an answer keeps the time (ITIP-01).
		return Tentative
	}
	return kind
}

// partStat is the user's answer, "" when the user is no attendee.
func partStat(c *ical.Component, user func(ical.Address) bool) string {
	if user == nil {
		return ""
	}
	for p := range c.Props("ATTENDEE") {
		if user(p.Address()) {
			return cmp.Or(strings.ToUpper(p.Param("PARTSTAT")), "NEEDS-ACTION") // RFC 5545 3.2.12
		}
	}
	return ""
}

func sortPeriods(list []Period) {
	slices.SortStableFunc(list, func(a, b Period) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
}

// Merge joins periods that overlap or touch. Where types overlap, the stronger
// one shows: BUSY-UNAVAILABLE, BUSY, BUSY-TENTATIVE, FREE. The result is ordered
// and free of overlaps; the argument is not changed.
func Merge(periods []Period) []Period {
	type edge struct {
		at    time.Time
		rank  int
		delta int
	}
	edges := make([]edge, 0, 2*len(periods))
	for _, p := range periods {
		r := rank[p.Type]
		if r == 0 {
			r = rank[BusyTime]
		}
		if p.From.Before(p.To) {
			edges = append(edges, edge{p.From, r, 1}, edge{p.To, r, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	var open [5]int // by rank
	var merged []Period
	shows := func() int {
		for r := len(open) - 1; r > 0; r-- {
			if open[r] > 0 {
				return r
			}
		}
		return 0
	}
	for i := 0; i < len(edges); {
		at := edges[i].at
		before := shows()
		for ; i < len(edges) && edges[i].at.Equal(at); i++ {
			open[edges[i].rank] += edges[i].delta
		}
		after := shows()
		if before == after {
			continue
		}
		if before > 0 {
			merged[len(merged)-1].To = at
		}
		if after > 0 {
			merged = append(merged, Period{From: at, Type: typeOf(after)})
		}
	}
	return merged
}

func typeOf(r int) string { return [...]string{"", Free, Tentative, BusyTime, Unavailable}[r] }

// Component writes busy time as a VFREEBUSY for a window: DTSTART, DTEND and a
// FREEBUSY property for each type, in UTC (RFC 5545 3.8.2.6), sorted, FREE left
// out as it is what is left. UID, DTSTAMP, ORGANIZER and ATTENDEE are for the
// caller to add.
func Component(periods []Period, from, to time.Time) *ical.Component {
	c := ical.NewComponent("VFREEBUSY")
	c.Set("DTSTART", ical.UTCTime(from).String())
	c.Set("DTEND", ical.UTCTime(to).String())
	periods = slices.Clone(periods)
	sortPeriods(periods)
	for _, kind := range []string{BusyTime, Unavailable, Tentative} {
		var values []string
		for _, p := range periods {
			if p.Type == kind {
				values = append(values, ical.UTCTime(p.From).String()+"/"+ical.UTCTime(p.To).String())
			}
		}
		if len(values) == 0 {
			continue
		}
		p := ical.NewProperty("FREEBUSY", strings.Join(values, ","))
		p.SetParam("FBTYPE", kind)
		c.Add(p)
	}
	return c
}
