package davserver

import (
	"errors"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// dataWriter writes CALDAV:calendar-data of one object after the other.
type dataWriter struct {
	q         *request
	want      *caldav.DataRequest
	floating  *tz.Zone // nil until it is needed
	instances int      // in the whole answer so far
}

// parsed is an object's text as a calendar, read when first needed.
type parsed struct {
	body []byte
	cal  *ical.Calendar
}

func (p *parsed) calendar() (*ical.Calendar, error) {
	if p.cal == nil {
		cal, err := ical.Parse(p.body)
		if err != nil {
			return nil, err
		}
		p.cal = cal
	}
	return p.cal, nil
}

func (d *dataWriter) write(x *caldav.Writer, p *parsed) error {
	if d.want.Whole() {
		x.Start(calendarData)
		x.Data(p.body)
		x.End(calendarData)
		return nil
	}
	cal, err := p.calendar()
	if err != nil {
		return err
	}
	left := 0
	if max := d.q.s.limits.Instances; max > 0 {
		if left = max - d.instances; left <= 0 {
			return caldav.ErrTooManyInstances
		}
	}
	out, err := d.want.Select(cal, tz.NewResolver(cal, d.floating), left)
	if err != nil {
		return err
	}
	if d.want.Expand != nil {
		d.instances += len(out.Components)
	}
	x.Start(calendarData)
	x.Data(out.Bytes())
	x.End(calendarData)
	return nil
}

// floatingZone is the zone of floating times and dates: the one the request
// brings, else the calendar's, else its owner's, else UTC (RFC 4791 7.3).
func (q *request) floatingZone(r *resource, given, id string) (*tz.Zone, error) {
	switch {
	case given != "":
		return parseTimeZone(given)
	case id != "":
		z, err := tz.Load(id)
		if err != nil { // RFC 7809 3.1.6
			return nil, problem.New(problem.InvalidCalendarData, "The time zone %q is not known.", id)
		}
		return z, nil
	}
	if r.coll.TimeZone != "" {
		if z, err := parseTimeZone(r.coll.TimeZone); err == nil {
			return z, nil
		}
	}
	if r.owner.TimeZone != "" {
		if z, err := tz.Load(r.owner.TimeZone); err == nil {
			return z, nil
		}
	}
	return tz.UTC, nil
}

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
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	data := &dataWriter{q: q, want: b.Data, floating: zone}
	var text parsed
	s.data = func(_ *resource, x *caldav.Writer) error { return data.write(x, &text) }
	found := 0
	match := func(o *resource, body []byte) error {
		text = parsed{body: body}
		ok, err := q.matches(&b.Filter, o, &text, zone)
		if err != nil || !ok {
			return err
		}
		if found++; b.Limit > 0 && found > b.Limit {
			return errEnough
		}
		p, err := s.of(o)
		if err == nil {
			m.Response(o.href(), p)
		}
		return err
	}
	switch {
	case r.kind&objects != 0:
		err = match(r, r.body)
	case d == depth0: // the collection itself is no calendar object (RFC 4791 7.8)
	case r.kind == inbox:
		err = q.each(r, func(o store.Object, body []byte) error { return match(r.object(o), body) })
	default:
		comp, window := b.Filter.Window()
		err = q.s.calendar.Query(q.ctx, q.by, r.owner.ID, []string{r.place.coll}, comp, window.Start, window.End, func(o store.Object, body []byte) error {
			return match(r.object(o), body)
		})
	}
	if errors.Is(err, errEnough) {
		m.Status(r.href(), 507, caldav.D("number-of-matches-within-limits"), "There are more matches than the request allows.")
		err = nil
	}
	return m.finish("", err)
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
	if err := q.s.calendar.List(q.ctx, q.by, r.owner.ID, r.place.coll, func(o store.Object) error {
		names = append(names, o.Name)
		return nil
	}); err != nil {
		return err
	}
	return q.s.calendar.Bodies(q.ctx, q.by, r.owner.ID, r.place.coll, names, func(o store.Object, body []byte, err error) error {
		if problem.Has(err, problem.NotFound) { // gone meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return visit(o, body)
	})
}

// multiget is RFC 4791 7.9. Depth does not matter.
func (q *request) multiget(r *resource, b *caldav.CalendarMultiget) error {
	if b.Data != nil {
		if err := q.inRange(b.Data.Expand, b.Data.LimitRecurrence, b.Data.LimitFreeBusy); err != nil {
			return err
		}
	}
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	data := &dataWriter{q: q, want: b.Data}
	var text parsed
	s.data = func(o *resource, x *caldav.Writer) (err error) {
		if data.floating == nil && !b.Data.Whole() {
			if data.floating, err = q.floatingZone(o, "", ""); err != nil {
				return err
			}
		}
		return data.write(x, &text)
	}
	// Runs of names in one collection are read together, in the order asked for.
	var names []string
	var in *resource
	flush := func() error {
		if len(names) == 0 {
			return nil
		}
		list := names
		names = nil
		return q.s.calendar.Bodies(q.ctx, q.by, in.owner.ID, in.place.coll, list, func(o store.Object, body []byte, err error) error {
			if err != nil {
				if !problem.Has(err, problem.NotFound) {
					return err
				}
				m.Status(collectionHref(in.owner.Name, in.place.coll)+escape(o.Name), 404, none, "")
				return nil
			}
			text = parsed{body: body}
			p, err := s.of(in.object(o))
			if err == nil {
				m.Response(in.object(o).href(), p)
			}
			return err
		})
	}
	collections := map[string]*resource{}
	for _, h := range b.Hrefs {
		p, err := parseHref(h, q.sameHost)
		var c *resource
		if err == nil && p.kind&objects != 0 && q.covers(p) {
			c, err = q.cached(collections, p)
		} else if err == nil {
			err = nothingAt(p)
		}
		if err != nil {
			if errors.Is(flush(), nil) {
				o := outcomeOf(problemOf(err))
				if o.status != 403 {
					o.status = 404
				}
				m.Status(h, o.status, none, problemOf(err).Sentence)
				continue
			}
			return m.finish("", err)
		}
		if c != in {
			if err := flush(); err != nil {
				return m.finish("", err)
			}
			in = c
		}
		names = append(names, p.name)
	}
	return m.finish("", flush())
}

// covers reports whether a place lies at or below the one of the request.
func (q *request) covers(p place) bool {
	switch q.at.kind {
	case home:
		return p.account == q.at.account
	case calendarColl, inbox:
		return p.account == q.at.account && p.coll == q.at.coll
	}
	return p.account == q.at.account && p.coll == q.at.coll && p.name == q.at.name
}

// cached finds the collection of a place, once for each.
func (q *request) cached(found map[string]*resource, p place) (*resource, error) {
	if c := found[p.coll]; c != nil {
		return c, nil
	}
	k := calendarColl
	if p.kind == message {
		k = inbox
	}
	c, err := q.find(place{kind: k, account: p.account, coll: p.coll})
	if err != nil {
		return nil, err
	}
	found[p.coll] = c
	return c, nil
}

// syncCollection is RFC 6578 3.
func (q *request) syncCollection(r *resource, b *caldav.SyncCollection) error {
	since, err := q.syncSince(r, b)
	if err != nil {
		return err
	}
	if b.Data != nil {
		if err := q.inRange(b.Data.Expand, b.Data.LimitRecurrence, b.Data.LimitFreeBusy); err != nil {
			return err
		}
	}
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	withData := false
	for _, n := range b.Names {
		withData = withData || n == calendarData
	}
	if b.Token == "" && b.Limit == 0 && !withData {
		// Everything there is, from the row cursor to the wire. The token is of
		// before: what changes meanwhile is told again next time.
		respond := func(o *resource) error {
			p, err := s.of(o)
			if err == nil {
				m.Response(o.href(), p)
			}
			return err
		}
		err = q.children(r, respond)
		return m.finish(r.syncToken(r.coll.Seq), err)
	}
	res, err := q.s.calendar.Sync(q.ctx, q.by, r.owner.ID, r.place.coll, since, b.Limit)
	if err != nil {
		return err
	}
	for _, name := range res.Deleted { // RFC 6578 3.5.2
		m.Status(collectionHref(r.owner.Name, r.place.coll)+escape(name), 404, none, "")
	}
	if withData {
		err = q.syncWithData(r, b, s, m, res)
	} else {
		for _, o := range res.Changed {
			o := r.object(o)
			p, err := s.of(o)
			if err != nil {
				return m.finish("", err)
			}
			m.Response(o.href(), p)
		}
	}
	if err == nil && res.More { // RFC 6578 3.6
		m.Status(r.href(), 507, caldav.D("number-of-matches-within-limits"), "There is more; synchronise again from the token given here.")
	}
	return m.finish(r.syncToken(res.Seq), err)
}

// syncSince checks what a sync asks for and reads its token; 0 is from the beginning.
func (q *request) syncSince(r *resource, b *caldav.SyncCollection) (int64, error) {
	d, err := q.depth(depth0)
	if err != nil {
		return 0, err
	}
	// RFC 6578 3.3; clients of the drafts send Depth: 1 and no sync-level.
	if b.Level == "infinite" || b.Level == "" && d == depthInfinity {
		return 0, problem.New(syncTraversal, "Synchronise collection by collection, with sync-level 1.")
	}
	if b.Token == "" {
		return 0, nil
	}
	return r.parseSyncToken(b.Token)
}

// syncHome tells which calendars are new, changed or gone (RFC 6578 3.5): one's
// own, for those of others come and go with their shares.
func (q *request) syncHome(r *resource, b *caldav.SyncCollection) error {
	if r.owner.ID != q.by.Account {
		return problem.New(supportedReport, "Only its owner can synchronise a home; synchronise the calendars in it.")
	}
	since, err := q.syncSince(r, b)
	if err != nil {
		return err
	}
	res, err := q.s.calendar.HomeSync(q.ctx, q.by, r.owner.ID, since, b.Limit)
	if err != nil {
		return err
	}
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	for _, name := range res.Deleted {
		m.Status(collectionHref(r.owner.Name, name), 404, none, "")
	}
	for _, v := range res.Changed {
		c := q.member(r, v)
		p, err := s.of(c)
		if err != nil {
			return m.finish("", err)
		}
		m.Response(c.href(), p)
	}
	if res.More {
		m.Status(r.href(), 507, caldav.D("number-of-matches-within-limits"), "There is more; synchronise again from the token given here.")
	}
	return m.finish(r.syncToken(res.Seq), nil)
}

func (q *request) syncWithData(r *resource, b *caldav.SyncCollection, s *selection, m *multistatus, res calendar.SyncResult) error {
	zone, err := q.floatingZone(r, "", "")
	if err != nil {
		return err
	}
	data := &dataWriter{q: q, want: b.Data, floating: zone}
	var text parsed
	s.data = func(_ *resource, x *caldav.Writer) error { return data.write(x, &text) }
	names := make([]string, len(res.Changed))
	for i, o := range res.Changed {
		names[i] = o.Name
	}
	return q.s.calendar.Bodies(q.ctx, q.by, r.owner.ID, r.place.coll, names, func(o store.Object, body []byte, err error) error {
		if problem.Has(err, problem.NotFound) { // deleted since; the next sync says so
			return nil
		}
		if err != nil {
			return err
		}
		text = parsed{body: body}
		p, err := s.of(r.object(o))
		if err == nil {
			m.Response(r.object(o).href(), p)
		}
		return err
	})
}
