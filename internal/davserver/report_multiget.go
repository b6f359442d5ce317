package davserver

import (
	"errors"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// multiget is RFC 4791 7.9. Depth does not matter.
func (q *request) multiget(r *resource, b *caldav.CalendarMultiget) error {
	if b.Data != nil {
		if err := q.inRange(b.Data.Expand, b.Data.LimitRecurrence, b.Data.LimitFreeBusy); err != nil {
			return err
		}
	}
	if err := q.hold(weightOfReport); err != nil {
		return err
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
		return q.s.calendar.Bodies(q.ctx, q.by, in.owner.ID, in.coll.Name, list, inOnePiece, func(o store.Object, body []byte, err error) error {
			if err != nil {
				if !problem.Has(err, problem.NotFound) {
					return err
				}
				m.Status(collectionHref(in.place.account, in.place.coll)+escape(o.Name), 404, none, "")
				return nil
			}
			r := in.object(o)
			text = parsed{q: q, o: r, body: body}
			defer text.done()
			p, err := s.of(r)
			if err == nil {
				err = m.respond(r, p, &text)
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
				m.Status(asURI(h), o.status, none, problemOf(err).Sentence)
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
