package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Bounds of one look at the calendar.
const (
	maxDays   = 400   // a year and its margins
	maxListed = 5_000 // occurrences in one answer; a browser shows no more with profit
	maxOfOne  = 1_000 // occurrences of one event in one answer, so that one does not crowd out the rest
)

// occurrenceOnWire is one box in a calendar view.
type occurrenceOnWire struct {
	Owner     string `json:"owner"`
	Calendar  string `json:"calendar"`
	Name      string `json:"name"`
	ID        string `json:"id"`
	UID       string `json:"uid"`
	Summary   string `json:"summary"`
	Location  string `json:"location"`
	Start     string `json:"start"`
	End       string `json:"end"`
	AllDay    bool   `json:"allDay"`
	Recurring bool   `json:"recurring"`
	Status    string `json:"status"`
	Busy      bool   `json:"busy"`
	PartStat  string `json:"partstat"`
	Attendees int    `json:"attendees"`
	Movable   bool   `json:"movable"` // the reader may change its time
}

// zone is the zone a request looks at: the one it names, the account's, or UTC.
func (a *app) zone(r *request, name string) (*tz.Zone, error) {
	if name != "" {
		z, err := tz.Load(name)
		if err != nil {
			return nil, problem.New(problem.BadInput, "The time zone %q is not known.", name).Because(err)
		}
		return z, nil
	}
	me, err := a.o.Accounts.Account(r.ctx(), r.who.Account)
	if err != nil {
		return nil, err
	}
	if z, err := tz.Load(me.TimeZone); err == nil {
		return z, nil
	}
	return tz.UTC, nil
}

// days reads a range of days [from, to) and gives the instants of its ends.
func days(from, to string, z *tz.Zone) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, from); err == nil {
		last, err = time.Parse(time.DateOnly, to)
	}
	switch {
	case err != nil:
		return first, last, problem.New(problem.BadInput, "from and to must be dates like 2026-11-20, not %q and %q.", from, to)
	case !last.After(first) || last.Sub(first) > maxDays*24*time.Hour:
		return first, last, problem.New(problem.BadInput, "A look at the calendar takes in 1 to %d days.", maxDays)
	}
	return z.Instant(first), z.Instant(last), nil
}

func (a *app) getOccurrences(r *request) (any, error) {
	q := r.URL.Query()
	z, err := a.zone(r, q.Get("zone"))
	if err != nil {
		return nil, err
	}
	from, to, err := days(q.Get("from"), q.Get("to"), z)
	if err != nil {
		return nil, err
	}
	list, err := a.visible(r)
	if err != nil {
		return nil, err
	}
	out := struct {
		Occurrences []occurrenceOnWire `json:"occurrences"`
		Incomplete  string             `json:"incomplete"` // a sentence when not everything is there
	}{Occurrences: []occurrenceOnWire{}}
	var missing gaps
	out.Occurrences, missing, err = a.between(r, list, z, from, to)
	if err != nil {
		return nil, err
	}
	out.Incomplete = missing.sentence()
	if len(out.Occurrences) > maxListed {
		out.Occurrences = out.Occurrences[:maxListed]
		out.Incomplete = fmt.Sprintf("There is more than can be shown; these are the first %d.", maxListed)
	}
	return out, nil
}

// gaps are the titles of events that are not, or not wholly, in an answer.
type gaps struct{ unreadable, crowded []string }

// sentence tells of the gaps; "" when there are none.
func (g gaps) sentence() string {
	say := func(list []string, one, many string) string {
		switch len(list) {
		case 0:
			return ""
		case 1:
			return fmt.Sprintf("“%s” %s", list[0], one)
		}
		return fmt.Sprintf("“%s” and %d more %s", list[0], len(list)-1, many)
	}
	return strings.TrimSpace(say(g.unreadable, "is not shown, as its times cannot be read.", "are not shown, as their times cannot be read.") + " " +
		say(g.crowded, "repeats so often that not all of it is shown.", "repeat so often that not all of them is shown."))
}

// between expands what takes place in the calendars from one instant to
// another, in order of time. What cannot be read is named, not left out unsaid.
func (a *app) between(r *request, list []calendar.CollectionView, z *tz.Zone, from, to time.Time) (out []occurrenceOnWire, missing gaps, err error) {
	out = []occurrenceOnWire{}
	type sorted struct {
		occurrenceOnWire
		at time.Time
	}
	var found []sorted
	for owner, views := range byOwner(list) {
		mine, err := a.o.Accounts.Addresses(r.ctx(), owner)
		if err != nil {
			return nil, missing, err
		}
		names := map[int64]calendar.CollectionView{}
		var colls []string
		for _, v := range views {
			names[v.ID] = v
			colls = append(colls, v.Name)
		}
		err = a.o.Calendar.Query(r.ctx(), r.who, owner, colls, "VEVENT", from, to, func(o store.Object, text []byte) error {
			e, err := openEvent(text, z)
			if err != nil {
				missing.unreadable = append(missing.unreadable, titleOf(o))
				return nil
			}
			n := 0
			for occ := range e.set.Between(from, to) {
				if n++; n > maxOfOne {
					missing.crowded = append(missing.crowded, titleOf(o))
					break
				}
				w := a.describe(e, occ.Component, mine)
				w.Movable = names[o.Collection].Access >= acl.Write && names[o.Collection].Kind == store.Calendar && organizes(occ.Component, mine)
				w.Start, w.End, w.AllDay = e.span(occ)
				if w.AllDay && (w.End <= z0(from, z) || w.Start >= z0(to, z)) {
					continue
				}
				w.Owner, w.Calendar, w.Name = names[o.Collection].Owner.Name, names[o.Collection].Name, o.Name
				w.ID, w.UID, w.Recurring = e.occurrenceID(occ), o.UID, e.set.Recurring()
				found = append(found, sorted{w, occ.From})
			}
			if e.set.Err() != nil {
				missing.unreadable = append(missing.unreadable, titleOf(o))
			}
			return nil
		})
		if err != nil {
			return nil, missing, err
		}
	}
	slices.SortStableFunc(found, func(x, y sorted) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return strings.Compare(x.Calendar+"/"+x.Name, y.Calendar+"/"+y.Name)
	})
	for _, f := range found {
		out = append(out, f.occurrenceOnWire)
	}
	return out, missing, nil
}

// z0 is the date an instant falls on.
func z0(at time.Time, z *tz.Zone) string {
	wall, _ := z.Wall(at)
	return wall.Format(time.DateOnly)
}

func byOwner(list []calendar.CollectionView) map[store.AccountID][]calendar.CollectionView {
	out := map[store.AccountID][]calendar.CollectionView{}
	for _, v := range list {
		out[v.Account] = append(out[v.Account], v)
	}
	return out
}

func titleOf(o store.Object) string {
	if o.Summary != "" {
		return o.Summary
	}
	return o.Name
}

// describe says what a view shows of a component.
func (a *app) describe(e *event, c *ical.Component, mine []ical.Address) occurrenceOnWire {
	w := occurrenceOnWire{
		Summary: c.Text("SUMMARY"), Location: c.Text("LOCATION"), Status: strings.ToUpper(c.Value("STATUS")),
		Busy: !strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT"),
	}
	for range c.Props("ATTENDEE") {
		w.Attendees++
	}
	if w.Attendees > 0 && !organizes(c, mine) {
		if me, ok := among(c, mine); ok {
			w.PartStat = me.PartStat
		}
	}
	return w
}

// organizes reports whether one of the addresses organizes the event, or
// nobody does.
func organizes(c *ical.Component, mine []ical.Address) bool {
	p := c.Prop("ORGANIZER")
	return p == nil || isOneOf(p.Address(), mine)
}
