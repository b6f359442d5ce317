package simulation

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

func number(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.Atoi(s)
}

// occurrences that take place, cancelled ones among them.
func occurrences(cal *ical.Calendar) (*tz.Resolver, []recur.Occurrence) {
	z := tz.NewResolver(cal, nil)
	set, err := recur.New(cal, z, recur.Options{})
	if err != nil {
		return z, nil
	}
	return z, slices.Collect(set.All())
}

// anyOccurrence picks one of a series; false when it is none, or short.
func anyOccurrence(cal *ical.Calendar, r *rand.Rand) (ical.Time, bool) {
	m := cal.Master()
	if m != nil && m.Prop("RRULE") == nil && m.Prop("RDATE") == nil {
		return ical.Time{}, false
	}
	_, all := occurrences(cal)
	if len(all) == 0 || m != nil && len(all) < 3 {
		return ical.Time{}, false
	}
	return all[r.IntN(len(all))].ID, true
}

// occurrenceKey is how itip names an occurrence.
func occurrenceKey(z *tz.Resolver, id ical.Time) string {
	if id.Kind == ical.Zoned {
		return z.Instant(id).UTC().Format("20060102T150405Z")
	}
	return id.String()
}

// lineOf is the person's ATTENDEE in a component, nil without one.
func lineOf(c *ical.Component, p *person) *ical.Property {
	for q := range c.Props("ATTENDEE") {
		if p.is(q.Address()) {
			return q
		}
	}
	return nil
}

// personOf is what a component says of a person.
func personOf(c *ical.Component, p *person) itip.Attendee {
	for _, a := range itip.Attendees(c) {
		if p.is(a.Address) {
			return a
		}
	}
	return itip.Attendee{}
}

func partstatOf(c *ical.Component, p *person) string {
	q := lineOf(c, p)
	if q == nil {
		return ""
	}
	if s := q.Param("PARTSTAT"); s != "" {
		return s
	}
	return "NEEDS-ACTION"
}

// seen is what one person sees of one occurrence.
type seen struct {
	what   string            // what the organizer says
	from   string            // the time of it
	answer string            // the person's own
	passed bool              // somebody passed it on to them
	others map[string]string // those of everybody on the list, by name
}

// view is what an object means to a person: by occurrence, those they are
// invited to. With nil for the person it is all that takes place.
func (w *World) view(cal *ical.Calendar, p *person) map[string]seen {
	out := map[string]seen{}
	if cal == nil || cal.Master() != nil && cal.Master().Value("STATUS") == "CANCELLED" {
		return out
	}
	z, all := occurrences(cal)
	for _, o := range all {
		c := o.Component
		if c.Value("STATUS") == "CANCELLED" {
			continue
		}
		x := seen{others: map[string]string{}}
		for _, a := range itip.Attendees(c) {
			q := w.who(a.Address)
			if q == nil {
				continue
			}
			x.others[q.name] = a.PartStat
			if q == p {
				x.answer, x.passed = a.PartStat, len(a.DelegatedFrom) > 0
			}
		}
		if p != nil && x.answer == "" {
			continue
		}
		x.from = o.From.UTC().Format("0102 15:04") + "|" + o.To.UTC().Format("0102 15:04")
		x.what = strings.Join([]string{x.from, c.Text("SUMMARY"), c.Text("LOCATION"), c.Text("DESCRIPTION")}, "|")
		if o.ID.IsDate() {
			x.what += " all day"
		}
		out[z.Instant(o.ID).UTC().Format("20060102T1504")] = x
	}
	return out
}

// bookings are the times for which a room has said yes.
func bookings(cal *ical.Calendar, room *person) []freebusy.Period {
	var out []freebusy.Period
	if cal == nil || cal.Kind() != "VEVENT" || cal.Master() != nil && cal.Master().Value("STATUS") == "CANCELLED" {
		return nil
	}
	_, all := occurrences(cal)
	for _, o := range all {
		if o.Component.Value("STATUS") != "CANCELLED" && partstatOf(o.Component, room) == "ACCEPTED" {
			out = append(out, freebusy.Period{From: o.From, To: o.To})
		}
	}
	return out
}

// stamped is a message with its time stamps: what a service knows it by.
func stamped(cal *ical.Calendar) string {
	var b strings.Builder
	for _, c := range cal.Main() {
		b.Write(c.Bytes())
	}
	return b.String()
}
