package davserver

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
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
	{name: caldav.C("calendar-availability"), where: inbox, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 7953 7.2.4
		return text(x, r.coll.Properties[calendar.Availability], r.coll.Properties[calendar.Availability] == "")
	}, set: setAvailability},
	{name: caldav.C("schedule-tag"), where: object, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // 9.3
		return text(x, r.obj.ScheduleTag, r.obj.ScheduleTag == "")
	}},
}

// setAvailability keeps an iCalendar object with one VAVAILABILITY and nothing
// else but time zones (RFC 7953 7.2.4).
func setAvailability(q *request, c *store.Collection, e *caldav.Element) error {
	if e == nil {
		delete(c.Properties, calendar.Availability)
		return nil
	}
	data := strings.TrimSpace(e.Text())
	refuse := func(why string) error {
		return problem.New(problem.InvalidCalendarData, "The availability is not an iCalendar object with exactly one VAVAILABILITY: %s.", why)
	}
	if len(data) > maxPropertyValue {
		return refuse("it is too long")
	}
	cal, err := ical.Parse([]byte(data))
	if err != nil {
		return refuse(strings.TrimSuffix(err.Error(), "."))
	}
	found := 0
	for _, part := range cal.Components {
		switch part.Name {
		case "VAVAILABILITY":
			found++
		case "VTIMEZONE":
		default:
			return refuse("it holds a " + part.Name)
		}
	}
	if found != 1 {
		return refuse("it holds " + strconv.Itoa(found))
	}
	now := q.s.now()
	if _, err := freebusy.Availabilities(cal, tz.NewResolver(cal, nil), now, now.AddDate(0, 1, 0)); err != nil {
		return refuse(strings.TrimSuffix(err.Error(), "."))
	}
	c.Properties[calendar.Availability] = data + "\r\n"
	return nil
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
