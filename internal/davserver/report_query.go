package davserver

import (
	"errors"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// inRange refuses time ranges beyond what calendars here hold (RFC 4791 7.8).
func (q *request) inRange(ranges ...*caldav.TimeRange) error {
	l := q.s.calendar.Limits()
	for _, r := range ranges {
		if r == nil {
			continue
		}
		for _, t := range [2]time.Time{r.Start, r.End} {
			switch {
			case t.IsZero():
			case t.Before(l.MinDate):
				return problem.New(problem.BeforeMinDate, "Calendars here begin at %s; %s lies before.", l.MinDate.Format(time.DateOnly), t.Format(time.DateOnly))
			case t.After(l.MaxDate):
				return problem.New(problem.AfterMaxDate, "Calendars here end at %s; %s lies behind.", l.MaxDate.Format(time.DateOnly), t.Format(time.DateOnly))
			}
		}
	}
	return nil
}

func ranges(f *caldav.CompFilter, out []*caldav.TimeRange) []*caldav.TimeRange {
	out = append(out, f.Range)
	for i := range f.Props {
		out = append(out, f.Props[i].Range)
	}
	for i := range f.Comps {
		out = ranges(&f.Comps[i], out)
	}
	return out
}

// calendarQuery is RFC 4791 7.8.
func (q *request) calendarQuery(r *resource, b *caldav.CalendarQuery) error {
	d, err := q.depth(depth0) // RFC 3253 3.6
	if err != nil {
		return err
	}
	all := ranges(&b.Filter.Root, nil)
	if b.Data != nil {
		all = append(all, b.Data.Expand, b.Data.LimitRecurrence, b.Data.LimitFreeBusy)
	}
	if err := q.inRange(all...); err != nil {
		return err
	}
	zone, err := q.floatingZone(r, b.TimeZone, b.TimeZoneID)
	if err != nil {
		return err
	}
	if err := q.hold(weightOfReport); err != nil {
		return err
	}
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	data := &dataWriter{q: q, want: b.Data, floating: zone}
	var text parsed
	s.data = func(_ *resource, x *caldav.Writer) error { return data.write(x, &text) }
	found := 0
	byTime := b.Filter.OnlyTime()
	match := func(o *resource, body []byte, inRange bool) error {
		text = parsed{q: q, o: o, body: body}
		defer text.done()
		if !inRange || !byTime {
			ok, err := q.matches(&b.Filter, o, &text, zone)
			if err != nil || !ok {
				return err
			}
		}
		if found++; b.Limit > 0 && found > b.Limit {
			return errEnough
		}
		p, err := s.of(o)
		if err == nil {
			err = m.respond(o, p, &text)
		}
		return err
	}
	switch {
	case r.kind&objects != 0:
		err = match(r, r.body, false)
	case r.kind == home:
		if d == depthInfinity { // RFC 4791 7.2: what is asked for lies two levels down
			err = q.queryHome(r, b, zone, s.onlyTags(), match)
		}
	case d == depth0: // the collection itself is no calendar object (RFC 4791 7.8)
	case r.kind == inbox:
		err = q.each(r, func(o store.Object, body []byte) error { return match(r.object(o), body, false) })
	default:
		comp, window := b.Filter.Window()
		err = q.search(r, comp, window, zone, s.onlyTags(), match)
	}
	// RFC 4791 7.8: what an answer holds no more is told in it, once it has begun.
	if errors.Is(err, errEnough) || m.out.body != nil && errors.Is(err, caldav.ErrTooManyInstances) {
		m.Status(r.href(), 507, caldav.D("number-of-matches-within-limits"), "There are more matches than the request allows.")
		err = nil
	}
	return m.finish("", err)
}

// queryHome goes through the calendars of a home, mounted ones included.
func (q *request) queryHome(r *resource, b *caldav.CalendarQuery, zone *tz.Zone, tags bool, match func(*resource, []byte, bool) error) error {
	comp, window := b.Filter.Window()
	return q.children(r, func(c *resource) error {
		if c.kind != calendarColl {
			return nil
		}
		return q.search(c, comp, window, zone, tags, match)
	})
}

// search visits the objects of a calendar that may take place in a window. The
// resource is the same for all of them and becomes the next after the visit; so
// does the text. What is known to take place in the window is told.
func (q *request) search(c *resource, comp string, window caldav.TimeRange, zone *tz.Zone, tags bool, visit func(o *resource, body []byte, inRange bool) error) error {
	one := c.object(store.Object{})
	one.base = collectionHref(c.place.account, c.place.coll)
	what := calendar.Search{Owner: c.owner.ID, Collection: c.coll.Name, Component: comp, From: window.Start, To: window.End, Max: inOnePiece, Floating: zone, Tags: tags}
	return q.s.calendar.Search(q.ctx, q.by, what, func(o store.Object, body []byte, inRange bool) error {
		one.obj, one.name = o, o.Name
		return visit(one, body, inRange)
	})
}

var errEnough = errors.New("enough")

// matches tests one object. What cannot be followed to its end, a recurrence
// without reason or bounds, does not hide the rest of the calendar: it counts
// as no match and is logged.
func (q *request) matches(f *caldav.Filter, o *resource, text *parsed, zone *tz.Zone) (bool, error) {
	if f.OnlyComponent(o.obj.Component) {
		return true, nil
	}
	cal, err := text.calendar()
	if problem.Has(err, problem.Unavailable) {
		return false, err
	}
	if err != nil {
		q.s.log.Error("a stored object cannot be read", "object", o.href(), "error", err)
		return false, nil
	}
	ok, err := f.Match(cal, tz.NewResolver(cal, zone))
	if err != nil {
		q.s.log.Warn("a recurrence was not followed to its end", "object", o.href(), "error", err)
	}
	return ok, nil
}

// each visits every object of a collection with its text.
func (q *request) each(r *resource, visit func(store.Object, []byte) error) error {
	var names []string
	if err := q.s.calendar.List(q.ctx, q.by, r.owner.ID, r.coll.Name, func(o store.Object) error {
		names = append(names, o.Name)
		return nil
	}); err != nil {
		return err
	}
	return q.s.calendar.Bodies(q.ctx, q.by, r.owner.ID, r.coll.Name, names, inOnePiece, func(o store.Object, body []byte, err error) error {
		if problem.Has(err, problem.NotFound) { // gone meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return visit(o, body)
	})
}
