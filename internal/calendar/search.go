package calendar

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
)

// Search asks for the objects of a collection that may take place in a range.
type Search struct {
	Owner      store.AccountID
	Collection string
	Component  string    // "" is any
	From, To   time.Time // zero is open; To itself is not in it, for VEVENT
	Max        int       // octets of a body that comes along
	Floating   *tz.Zone  // of floating times and dates; nil leaves open when they are
	Tags       bool      // the objects may lack all but ID, Name, ETag, Component and Size
}

// Search gives the objects that may take place in a range: all that do, and few
// that do not; surely tells that one does (RFC 4791 9.9). The body is nil where
// it has more octets than are asked for, and valid until each returns.
// Between two portions no snapshot is open, so each may take its time: what is
// there from the beginning to the end comes once.
func (s *Service) Search(ctx context.Context, by account.Actor, r Search, each func(o store.Object, body []byte, surely bool) error) error {
	q := &search{s: s, ctx: ctx, by: by, Search: r, each: each}
	q.start, q.end = unixRange(r.From, r.To)
	last := q.end
	if r.Component == "VEVENT" && !r.To.IsZero() {
		last-- // RFC 4791 9.9: an event that begins when the range ends is not in it
	}
	var list []store.Occupant
	narrow := false
	if err := q.look(func(tx *store.Tx, c store.Collection, _ *reader) (err error) {
		list, narrow, err = tx.Occupying(r.Owner, c.ID, q.start, last)
		return err
	}); err != nil {
		return fmt.Errorf("query objects: %w", err)
	}
	if narrow {
		return q.sift(list)
	}
	for after := int64(0); ; {
		if err := q.look(func(tx *store.Tx, c store.Collection, _ *reader) (err error) {
			list, err = tx.SpanningAfter(r.Owner, c.ID, q.start, last, after, listPage)
			return err
		}); err != nil {
			return fmt.Errorf("query objects: %w", err)
		}
		full := len(list) == listPage
		if full {
			after = list[len(list)-1].ID
		}
		if err := q.sift(list); err != nil || !full {
			return err
		}
	}
}

// search is a Search on its way.
type search struct {
	Search
	s          *Service
	ctx        context.Context
	by         account.Actor
	each       func(store.Object, []byte, bool) error
	start, end int64
	id         int64 // of the collection, once it was seen
}

// candidate is an object that may be found.
type candidate struct {
	id      int64
	verdict verdict
}

// look opens a snapshot of the collection, which is the same each time.
func (q *search) look(read func(tx *store.Tx, c store.Collection, v *reader) error) error {
	return q.s.store.View(q.ctx, func(tx *store.Tx) error {
		c, v, err := q.s.openToRead(tx, q.by, q.Owner, q.Collection)
		if err != nil {
			return err
		}
		if q.id != 0 && q.id != c.ID {
			return notFound(q.Collection + "/") // another one has the name now
		}
		q.id = c.ID
		return read(tx, c, v)
	})
}

// sift gives those of a list that are to be given.
func (q *search) sift(list []store.Occupant) error {
	found := make([]candidate, 0, len(list))
	for _, o := range list {
		k := certaintyOf(o.Known)
		to := perhaps
		if k.form != unclear && q.Component != "" && q.Component != "VEVENT" {
			to = never // an event
		} else if q.Component == "VEVENT" {
			to = k.meets(o, q.Floating, q.start, q.end)
		}
		if to != never {
			found = append(found, candidate{o.ID, to})
		}
	}
	found, err := q.byPattern(found)
	if err != nil {
		return err
	}
	return q.give(found)
}

// patternsAtOnce are in memory; each has at most maxPattern octets.
const patternsAtOnce = 1000

// byPattern decides about those of whom there is a pattern.
func (q *search) byPattern(found []candidate) ([]candidate, error) {
	ids := make([]int64, 0, patternsAtOnce)
	for i := 0; i < len(found); {
		ids = ids[:0]
		from := i
		for ; i < len(found) && len(ids) < patternsAtOnce; i++ {
			if found[i].verdict == asPattern {
				ids = append(ids, found[i].id)
				found[i].verdict = perhaps // its pattern may be gone meanwhile
			}
		}
		if len(ids) == 0 {
			break
		}
		part := found[from:i]
		if err := q.look(func(tx *store.Tx, _ store.Collection, _ *reader) error {
			return tx.Patterns(q.Owner, ids, func(id int64, text []byte) error {
				if at, ok := place(part, id); ok {
					part[at].verdict = patternMeets(text, q.Floating, q.start, q.end)
				}
				return nil
			})
		}); err != nil {
			return nil, fmt.Errorf("query objects: %w", err)
		}
	}
	return slices.DeleteFunc(found, func(c candidate) bool { return c.verdict == never }), nil
}

// place finds a candidate in a list by its ID.
func place(list []candidate, id int64) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(c candidate, id int64) int { return cmp.Compare(c.id, id) })
}

// portion is what is read at once of what was found.
type portion struct {
	of    []candidate
	texts store.Texts
	v     *reader
	err   error
}

// give reads what was found, the next portion while one is given.
func (q *search) give(found []candidate) error {
	size := bodiesAtOnce
	next := func(p *portion) *portion {
		n := min(size, len(found))
		p.of, found = found[:n], found[n:]
		return p
	}
	spare := new(portion)
	for p := q.read(next(new(portion))); p != nil; {
		// As many as are about a megabyte, if the next are like these.
		size = max(min(size*(1<<20)/max(1, p.texts.Octets()), mostAtOnce), bodiesAtOnce)
		var coming chan *portion
		if p.err == nil && len(found) > 0 {
			coming = make(chan *portion, 1)
			go func(p *portion) { coming <- q.read(p) }(next(spare))
		}
		err := q.giveOf(p)
		given := p
		if p = nil; coming != nil {
			p = <-coming
		}
		spare = given
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads a portion.
func (q *search) read(p *portion) *portion {
	ids := make([]int64, len(p.of))
	for i, c := range p.of {
		ids[i] = c.id
	}
	p.err = q.look(func(tx *store.Tx, c store.Collection, v *reader) error {
		p.v = v
		if q.Tags && v.own { // the tags of others are made of more
			return tx.TaggedTextsOf(q.Owner, c.ID, ids, min(batchText, q.Max), &p.texts)
		}
		return tx.TextsOf(q.Owner, c.ID, ids, min(batchText, q.Max), &p.texts)
	})
	return p
}

func (q *search) giveOf(p *portion) error {
	if p.err != nil {
		return fmt.Errorf("query objects: %w", p.err)
	}
	for i := range p.texts.List {
		t := &p.texts.List[i]
		if q.Component != "" && t.Component != q.Component {
			continue
		}
		at, ok := place(p.of, t.ID)
		body, gone, err := q.s.textFor(q.ctx, p.v, t, q.Max)
		if err == nil && !gone {
			err = q.each(t.Object, body, ok && p.of[at].verdict == surely)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mostAtOnce objects are read in one go, where they are small.
const mostAtOnce = 500

// Query gives the objects of some collections of one home that may take place
// in a range, with their texts: all that do, and few that do not. A zero from
// or to is open; component "" is any. Each object comes once, grouped by
// collection (Object.Collection). One snapshot serves all.
func (s *Service) Query(ctx context.Context, by account.Actor, owner store.AccountID, colls []string, component string, from, to time.Time, each func(store.Object, []byte) error) error {
	return s.store.View(ctx, func(tx *store.Tx) error {
		for _, name := range colls {
			c, v, err := s.openToRead(tx, by, owner, name)
			if err != nil {
				return err
			}
			if err := candidates(tx, owner, []int64{c.ID}, component, from, to, func(o store.Object, body []byte) error {
				if !v.sees(body) {
					return nil
				}
				body = v.body(o, body)
				v.object(&o)
				return each(o, body)
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// unixRange of a range that may be open.
func unixRange(from, to time.Time) (int64, int64) {
	f, t := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		f = from.Unix()
	}
	if !to.IsZero() {
		t = to.Unix()
	}
	return f, t
}

// candidates reads the objects of the time index with their texts, in portions.
func candidates(tx *store.Tx, owner store.AccountID, colls []int64, component string, from, to time.Time, each func(store.Object, []byte) error) error {
	var seq iter.Seq2[store.Object, error]
	if from.IsZero() && to.IsZero() {
		seq = func(yield func(store.Object, error) bool) {
			for _, c := range colls {
				for o, err := range tx.ListObjects(owner, c) {
					if err == nil && component != "" && o.Component != component {
						continue
					}
					if !yield(o, err) {
						return
					}
				}
			}
		}
	} else {
		f, t := unixRange(from, to)
		seq = tx.ObjectsInRange(owner, colls, component, f, t)
	}
	var part []store.Object
	octets := 0
	flush := func() error {
		ids := make([]int64, len(part))
		for i, o := range part {
			ids[i] = o.ID
		}
		texts, err := tx.Bodies(owner, ids)
		if err != nil {
			return fmt.Errorf("read objects: %w", err)
		}
		for _, o := range part {
			if text, ok := texts[o.ID]; ok {
				if err := each(o, text); err != nil {
					return err
				}
			}
		}
		part, octets = part[:0], 0
		return nil
	}
	for o, err := range seq {
		if err != nil {
			return fmt.Errorf("query objects: %w", err)
		}
		octets += o.Size
		if part = append(part, o); len(part) == bodiesAtOnce || octets > octetsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(part) == 0 {
		return nil
	}
	return flush()
}
