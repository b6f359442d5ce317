package davserver

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// calendarProperties are those of RFC 4791 5.2 and Apple's colour and order.
var calendarProperties = []property{
	{name: caldav.C("calendar-description"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.coll.Description, r.coll.Description == "")
	}, set: func(_ *request, c *store.Collection, e *caldav.Element) error {
		if e == nil {
			c.Description = ""
			return nil
		}
		if len(e.Text()) > maxDescription {
			return problem.New(problem.InvalidProperty, "The description is longer than %d octets.", maxDescription)
		}
		c.Description = e.Text()
		return nil
	}},
	{name: caldav.C("calendar-timezone"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.coll.TimeZone, r.coll.TimeZone == "")
	}, set: setTimeZone},
	{name: caldav.C("timezone-service-set"), where: home | calendarColl, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) { // RFC 7809 5.1
		x.Href(q.s.public + zonesPath)
		return true, nil
	}},
	{name: caldav.C("calendar-timezone-id"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 7809 5.2
		z, err := parseTimeZone(r.coll.TimeZone)
		if r.coll.TimeZone == "" || err != nil {
			return false, nil
		}
		return text(x, z.Name(), false)
	}, set: setTimeZoneID},
	{name: caldav.C("supported-calendar-component-set"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		for _, c := range componentsOf(r.coll.Collection) {
			x.Empty(caldav.C("comp"), "name", c)
		}
		return true, nil
	}},
	// draft-daboo-caldav-extensions: any set of those we store may be asked for.
	{name: caldav.C("supported-calendar-component-sets"), where: home, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) {
		for _, c := range storable {
			set := caldav.C("supported-calendar-component-set")
			x.Start(set)
			x.Empty(caldav.C("comp"), "name", c)
			x.End(set)
		}
		return true, nil
	}},
	{name: caldav.C("supported-calendar-data"), where: calendarColl | inbox | outbox, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) {
		for _, t := range caldav.ContentTypes {
			x.Empty(calendarData, "content-type", t, "version", "2.0")
		}
		return true, nil
	}},
	{name: caldav.C("max-resource-size"), where: calendarColl | inbox | outbox, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(q.s.calendar.Limits().ResourceSize), false)
	}},
	{name: caldav.C("min-date-time"), where: calendarColl | inbox | outbox, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, ical.UTCTime(q.s.calendar.Limits().MinDate).String(), false)
	}},
	{name: caldav.C("max-date-time"), where: calendarColl | inbox | outbox, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, ical.UTCTime(q.s.calendar.Limits().MaxDate).String(), false)
	}},
	{name: caldav.C("max-instances"), where: calendarColl | inbox | outbox, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(q.s.calendar.Limits().Instances), false)
	}},
	{name: caldav.C("max-attendees-per-instance"), where: calendarColl | inbox | outbox, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(q.s.calendar.Limits().Attendees), false)
	}},
	{name: caldav.C("supported-collation-set"), where: calendarColl | inbox | home | objects, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) { // RFC 4791 7.5.1
		for _, c := range caldav.Collations() {
			x.Element(caldav.C("supported-collation"), c)
		}
		return true, nil
	}},
	{name: caldav.Apple("calendar-color"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, r.coll.Color, r.coll.Color == "")
	}, set: func(_ *request, c *store.Collection, e *caldav.Element) (err error) {
		c.Color, err = line(e, 100)
		return err
	}},
	{name: caldav.Apple("calendar-order"), where: calendarColl, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		return text(x, strconv.Itoa(r.coll.Order), r.coll.Order == 0)
	}, set: func(_ *request, c *store.Collection, e *caldav.Element) error {
		if e == nil {
			c.Order = 0
			return nil
		}
		n, err := strconv.ParseInt(strings.TrimSpace(e.Text()), 10, 32)
		if err != nil {
			return problem.New(problem.InvalidProperty, "The order %q is not a number.", strings.TrimSpace(e.Text()))
		}
		c.Order = int(n)
		return nil
	}},
}

// maxDescription of a calendar, in octets.
const maxDescription = 64 << 10

// storable components, for calendars that restrict nothing (RFC 5545 3.6, RFC 7953).
var storable = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

func componentsOf(c store.Collection) []string {
	if len(c.Components) == 0 {
		return storable
	}
	return c.Components
}

// setComponents is for a calendar that is being made: afterwards the set is
// protected (RFC 4791 5.2.3).
func setComponents(c *store.Collection, e *caldav.Element) error {
	var list []string
	for comp := range e.Elements() {
		if comp.Name != caldav.C("comp") {
			continue
		}
		name := strings.ToUpper(comp.Attr("name"))
		if !slices.Contains(storable, name) {
			return problem.New(problem.UnsupportedComponent, "Calendars here hold %s, not %q.", strings.Join(storable, ", "), name)
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return problem.New(problem.InvalidProperty, "The set of components is empty.")
	}
	c.Components = list
	return nil
}

// setTimeZone keeps an iCalendar object with exactly one VTIMEZONE (RFC 4791 5.2.2).
func setTimeZone(_ *request, c *store.Collection, e *caldav.Element) error {
	if e == nil {
		c.TimeZone = ""
		return nil
	}
	if _, err := parseTimeZone(e.Text()); err != nil {
		return err
	}
	c.TimeZone = e.Text()
	return nil
}

// setTimeZoneID keeps the zone of a name, so that both properties say the same
// (RFC 7809 3.1.5).
func setTimeZoneID(q *request, c *store.Collection, e *caldav.Element) error {
	if e == nil {
		c.TimeZone = ""
		return nil
	}
	z, err := tz.Load(strings.TrimSpace(e.Text()))
	if err != nil {
		return problem.New(validTimeZone, "The time zone %q is not known.", clip(e.Text()))
	}
	cal := ical.New(q.s.calendar.ProdID())
	cal.Components = append(cal.Components, z.Component(z.Name(), time.Time{}, time.Time{}))
	c.TimeZone = string(cal.Bytes())
	return nil
}

// maxTimeZone in octets; the longest real definitions have some 30,000.
const maxTimeZone = 256 << 10

// parseTimeZone reads the text of CALDAV:calendar-timezone or CALDAV:timezone.
func parseTimeZone(s string) (*tz.Zone, error) {
	refuse := func(why string) error {
		return problem.New(problem.InvalidCalendarData, "The time zone is not an iCalendar object with exactly one VTIMEZONE: %s.", why)
	}
	if len(s) > maxTimeZone {
		return nil, refuse("it is too long")
	}
	cal, err := ical.Parse([]byte(strings.TrimSpace(s)))
	if err != nil {
		return nil, refuse(strings.TrimSuffix(err.Error(), "."))
	}
	if len(cal.Components) != 1 || cal.Components[0].Name != "VTIMEZONE" {
		return nil, refuse("it holds something else")
	}
	z, err := tz.FromComponent(cal.Components[0])
	if err != nil {
		return nil, refuse(strings.TrimSuffix(err.Error(), "."))
	}
	return z, nil
}
