package davserver

import (
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// schedulingProperties are those of RFC 6638 9.
var schedulingProperties = []property{
	{name: caldav.C("schedule-calendar-transp"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // 9.1
		if r.coll.Transparent {
			x.Empty(caldav.C("transparent"))
		} else {
			x.Empty(caldav.C("opaque"))
		}
		return true, nil
	}, set: func(_ *request, c *store.Collection, e *caldav.Element) error {
		c.Transparent = e != nil && e.Child(caldav.C("transparent")) != nil
		if e != nil && !c.Transparent && e.Child(caldav.C("opaque")) == nil {
			return problem.New(problem.InvalidProperty, "schedule-calendar-transp is opaque or transparent.")
		}
		return nil
	}},
	{name: scheduleDefaultCalendar, where: inbox, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) { // 9.2
		c, err := q.s.calendar.DefaultCalendar(q.ctx, q.by, r.owner.ID)
		if problem.Has(err, problem.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		x.Href(collectionHref(r.owner.Name, c.Name))
		return true, nil
	}},
	{name: caldav.C("schedule-tag"), where: object, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // 9.3
		return text(x, r.obj.ScheduleTag, r.obj.ScheduleTag == "")
	}},
}

// scheduleDefaultCalendar is changed through the door, not in the inbox's row;
// see proppatch.
var scheduleDefaultCalendar = caldav.C("schedule-default-calendar-URL")

// defaultCalendarOf reads a new value of schedule-default-calendar-URL: one of
// one's own calendars (RFC 6638 9.2).
func (q *request) defaultCalendarOf(e *caldav.Element) (string, error) {
	wrong := problem.New(problem.InvalidDefaultCalendar, "New invitations can go to one of your own calendars that holds events, and to nothing else.")
	if e == nil {
		return "", wrong
	}
	href, ok := e.Href()
	if !ok {
		return "", wrong
	}
	p, err := parseHref(href, q.sameHost)
	if err != nil || p.kind != calendarColl || p.account != q.at.account {
		return "", wrong
	}
	return strings.TrimSpace(p.coll), nil
}
