package davserver

import (
	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

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
	if b.Token == "" { // others are small
		if err := q.hold(weightOfReport); err != nil {
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
		err = s.members(r, respond)
		return m.finish(r.syncToken(r.coll.Seq), err)
	}
	res, err := q.s.calendar.Sync(q.ctx, q.by, r.owner.ID, r.coll.Name, since, b.Limit)
	if err != nil {
		return err
	}
	for _, name := range res.Deleted { // RFC 6578 3.5.2
		m.Status(collectionHref(r.place.account, r.place.coll)+escape(name), 404, none, "")
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
	if d == depthInfinity && b.Level == "1" { // RFC 6578 3.2: 400 for what is not 0; clients send 1
		return 0, problem.New(problem.BadInput, "sync-collection has Depth 0; how deep it goes is said by sync-level.")
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
		m.Status(collectionHref(r.place.account, name), 404, none, "")
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
	return q.s.calendar.Bodies(q.ctx, q.by, r.owner.ID, r.coll.Name, names, inOnePiece, func(o store.Object, body []byte, err error) error {
		if problem.Has(err, problem.NotFound) { // deleted since; the next sync says so
			return nil
		}
		if err != nil {
			return err
		}
		one := r.object(o)
		text = parsed{q: q, o: one, body: body}
		defer text.done()
		p, err := s.of(one)
		if err == nil {
			err = m.respond(one, p, &text)
		}
		return err
	})
}
