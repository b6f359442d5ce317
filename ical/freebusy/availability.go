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

// Availability is what one VAVAILABILITY says about a window of time: within
// its own bounds somebody is there only when an AVAILABLE says so (RFC 7953 3.1).
type Availability struct {
	Rank      int // by PRIORITY: 1 is decided first, 10 (none given) last
	From, To  time.Time
	Type      string // of the time that is not available, from BUSYTYPE
	Available []Period
}

// lowest rank: RFC 7953 3.3 sorts an absent PRIORITY and 0 behind 9.
const lowestRank = 10

// maxAvailable occurrences of one AVAILABLE are followed within a window.
const maxAvailable = 20_000

// Availabilities reads the VAVAILABILITY components of an object as they bear
// on the window [from, to); those outside of it are left out.
func Availabilities(cal *ical.Calendar, z recur.Zones, from, to time.Time) ([]Availability, error) {
	var list []Availability
	for _, c := range cal.Main() {
		if c.Name != "VAVAILABILITY" {
			continue
		}
		a := Availability{Rank: lowestRank, From: from, To: to, Type: Unavailable}
		if p := c.Prop("PRIORITY"); p != nil {
			if n, err := p.Int(); err == nil && n > 0 && n < lowestRank {
				a.Rank = n
			}
		}
		if kind := strings.ToUpper(strings.TrimSpace(c.Value("BUSYTYPE"))); rank[kind] > rank[Free] {
			a.Type = kind
		}
		begin, end, err := extent(c, z)
		if err != nil {
			return nil, fmt.Errorf("freebusy: %w", err)
		}
		if begin.After(a.From) {
			a.From = begin
		}
		if !end.IsZero() && end.Before(a.To) {
			a.To = end
		}
		if !a.From.Before(a.To) {
			continue
		}
		if a.Available, err = available(c, z, a.From, a.To); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// extent of a VAVAILABILITY; a zero time is an open end (RFC 7953 3.1).
func extent(c *ical.Component, z recur.Zones) (begin, end time.Time, err error) {
	p := c.Prop("DTSTART")
	if p == nil {
		if e := c.Prop("DTEND"); e != nil {
			end, err = moment(e, z)
		}
		return
	}
	start, err := p.Time()
	if err != nil {
		return begin, end, err
	}
	if d := c.Prop("DURATION"); d != nil {
		length, err := d.Duration()
		if err != nil {
			return begin, end, err
		}
		return bounds(ical.Period{Start: start, Duration: length, HasDuration: true}, z)
	}
	if begin, err = moment(p, z); err != nil {
		return
	}
	if e := c.Prop("DTEND"); e != nil {
		end, err = moment(e, z)
	}
	return
}

func moment(p *ical.Property, z recur.Zones) (time.Time, error) {
	t, err := p.Time()
	if err != nil {
		return time.Time{}, err
	}
	at, _, err := bounds(ical.Period{Start: t, End: t}, z)
	return at, err
}

// available expands the AVAILABLE components, which recur and are overridden
// as events are, and cuts them to the window.
func available(c *ical.Component, z recur.Zones, from, to time.Time) ([]Period, error) {
	sets := map[string]*ical.Calendar{}
	var order []string
	for a := range c.Children("AVAILABLE") {
		uid := a.Value("UID")
		if sets[uid] == nil {
			sets[uid] = ical.New("")
			order = append(order, uid)
		}
		event := a.Clone()
		event.Name = "VEVENT"
		sets[uid].Components = append(sets[uid].Components, event)
	}
	var out []Period
	for _, uid := range order {
		s, err := recur.New(sets[uid], z, recur.Options{})
		if err != nil {
			return nil, fmt.Errorf("freebusy: %w", err)
		}
		n := 0
		for o := range s.Between(from, to) {
			if n++; n > maxAvailable {
				return nil, fmt.Errorf("freebusy: AVAILABLE %s: %w", uid, recur.ErrLimit)
			}
			out = append(out, Period{later(o.From, from), sooner(o.To, to), Free})
		}
		if err := s.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Away is when somebody is not available (RFC 7953 5). Where components of
// different priority cover the same time the higher one decides; among equals
// each AVAILABLE counts.
func Away(list []Availability) []Period {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Availability) int { return cmp.Compare(a.Rank, b.Rank) })
	var away, decided []Period
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Rank == list[0].Rank {
			n++
		}
		var covered, free []Period
		for _, a := range list[:n] {
			covered = append(covered, Period{a.From, a.To, a.Type})
			free = append(free, a.Available...)
		}
		away = append(away, Without(covered, append(free, decided...))...)
		decided = append(decided, covered...)
		list = list[n:]
	}
	return Merge(away)
}

// Without is what is left of periods outside of all the others.
func Without(periods, others []Period) []Period {
	cut := slices.Clone(others)
	for i := range cut {
		cut[i].Type = BusyTime // one kind, so that they merge
	}
	cut = Merge(cut)
	var out []Period
	for _, p := range periods {
		for _, q := range cut {
			if !q.To.After(p.From) {
				continue
			}
			if !q.From.Before(p.To) {
				break
			}
			if p.From.Before(q.From) {
				out = append(out, Period{p.From, q.From, p.Type})
			}
			p.From = q.To
		}
		if p.From.Before(p.To) {
			out = append(out, p)
		}
	}
	return out
}
