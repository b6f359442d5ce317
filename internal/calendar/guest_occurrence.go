package calendar

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// GuestOccurrence is one occurrence of a series to which somebody is invited.
type GuestOccurrence struct {
	ID       string // as in itip.Message.RecurrenceID
	Attendee itip.Attendee

	alone *ical.Calendar // an event that takes place then alone
}

// For tells of the occurrence as [Guest.For] does.
func (o GuestOccurrence) For(r itip.Reader) itip.Summary { return r.Summarize(o.alone) }

// maxGuestMembers bounds the search for the next occurrences of a series.
const maxGuestMembers = 10_000

func (g Guest) set() (*recur.Set, *tz.Resolver, error) {
	zones := tz.NewResolver(g.object, nil)
	set, err := recur.New(g.object, zones, recur.Options{MaxIterations: maxGuestMembers})
	return set, zones, err
}

// Recurring tells whether single occurrences can be answered.
func (g Guest) Recurring() bool {
	set, _, err := g.set()
	return err == nil && set.Recurring()
}

// Occurrences are the next ones of a series, in order, that are not over: at
// most so many, and only those that take place and the guest is invited to.
// None where the event takes place once.
func (g Guest) Occurrences(now time.Time, most int) []GuestOccurrence {
	set, zones, err := g.set()
	if err != nil || !set.Recurring() || g.Cancelled {
		return nil
	}
	var out []GuestOccurrence
	looked := 0
	for occ := range set.Between(now, time.Time{}) {
		if looked++; len(out) == most || looked > maxGuestMembers {
			break
		}
		me, listed := attending(occ.Component, []ical.Address{g.Attendee.Address})
		if !listed || strings.EqualFold(occ.Component.Value("STATUS"), "CANCELLED") {
			continue
		}
		out = append(out, GuestOccurrence{ID: idOf(occ.ID, zones), Attendee: me, alone: g.alone(occ)})
	}
	return out
}

// alone is the object with one occurrence as if there were no other.
func (g Guest) alone(occ recur.Occurrence) *ical.Calendar {
	cal := ical.New(itip.ProductID)
	for _, c := range g.object.Components {
		if c.Name == "VTIMEZONE" {
			cal.Components = append(cal.Components, c)
		}
	}
	c := occ.Component.Clone()
	c.Remove("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DURATION", "DTSTART", "DTEND")
	start, end := ical.NewProperty("DTSTART", ""), ical.NewProperty("DTEND", "")
	start.SetTime(occ.Start)
	end.SetTime(occ.End)
	c.Add(start, end)
	cal.Components = append(cal.Components, c)
	return cal
}

// occurrence finds the occurrence that a guest names; "" is the whole.
func (g Guest) occurrence(recurrenceID string) (id string, occ recur.Occurrence, err error) {
	gone := problem.New(problem.BadInput, "%s has no occurrence at that time, or not any more. Look at the page again.", titleOr(g.Summary.Title))
	if recurrenceID == "" {
		return "", occ, nil
	}
	t, err := ical.ParseTime(recurrenceID, "", len(recurrenceID) == len("20060102"))
	if err != nil {
		return "", occ, gone.Because(err)
	}
	set, zones, err := g.set()
	if err != nil {
		return "", occ, gone.Because(err)
	}
	occ, ok := set.Find(t)
	if !ok || !set.Recurring() || strings.EqualFold(occ.Component.Value("STATUS"), "CANCELLED") {
		return "", occ, gone
	}
	return idOf(occ.ID, zones), occ, nil
}

func titleOr(title string) string {
	if title == "" {
		return "The event"
	}
	return "“" + clip(title) + "”"
}
