package calendar

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// bodiesAtOnce are in memory when many objects are read, or fewer where they
// are large: octetsAtOnce and one more.
const (
	bodiesAtOnce = 100
	octetsAtOnce = 8 << 20
)

// Get reads one object.
func (s *Service) Get(ctx context.Context, by account.Actor, ref Ref) (store.Object, []byte, error) {
	return s.GetSmall(ctx, by, ref, math.MaxInt)
}

// GetSmall is Get for one who can take a large object in parts: where it has
// more than max octets, and its reader sees them as they are stored, the body
// is nil and [Service.Part] gives it.
func (s *Service) GetSmall(ctx context.Context, by account.Actor, ref Ref, max int) (store.Object, []byte, error) {
	if by.Account == ref.Owner { // one's own, as it is stored: one query
		var t store.Text
		err := s.store.Peek(ctx, func(tx *store.Tx) (err error) {
			t, err = tx.TextNamed(ref.Owner, ref.Collection, ref.Name, max)
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			err = notFound(ref.String())
		}
		return t.Object, t.Body, err
	}
	var o store.Object
	var body []byte
	err := s.store.View(ctx, func(tx *store.Tx) error {
		body = nil
		c, have, err := s.collection(tx, by, ref.Owner, ref.Collection, acl.Read)
		if err != nil {
			return err
		}
		found, err := object(tx, c, ref.Name)
		if err != nil {
			return err
		}
		if found == nil {
			return notFound(ref.String())
		}
		o = *found
		v, err := s.readerOf(tx, by, c, have, o.ID)
		if err != nil || v.own && o.Size > max {
			return err
		}
		if body, err = tx.Body(o.Account, o.ID); err != nil {
			return fmt.Errorf("read %s: %w", ref, err)
		}
		if !v.sees(body) {
			return notFound(ref.String())
		}
		body = v.body(o, body)
		v.object(&o)
		return nil
	})
	return o, body, err
}

// Part reads some octets of an object of one's own that is still what it was:
// another entity tag is the problem PreconditionFailed.
func (s *Service) Part(ctx context.Context, o store.Object, offset, length int) (part []byte, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		now, err := tx.ObjectByID(o.Account, o.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && now.ETag != o.ETag {
			return problem.New(problem.PreconditionFailed, "The object was changed while it was read.")
		}
		if err != nil {
			return err
		}
		part, err = tx.BodyPart(o.Account, o.ID, offset, length)
		return err
	})
	return part, err
}

// List goes through a collection in a stable order, without texts. An error of
// each ends it and is returned. Between two portions no snapshot is open, so
// each may take its time: what is there from the beginning to the end comes
// once, what changes meanwhile may.
func (s *Service) List(ctx context.Context, by account.Actor, owner store.AccountID, coll string, each func(store.Object) error) error {
	return s.list(ctx, by, owner, coll, (*store.Tx).ObjectsAfter, each)
}

// ListTags is List for who compares only: the objects have Name, ETag and
// Component, and may lack the rest.
func (s *Service) ListTags(ctx context.Context, by account.Actor, owner store.AccountID, coll string, each func(store.Object) error) error {
	return s.list(ctx, by, owner, coll, (*store.Tx).TagsAfter, each)
}

// listPage is how many objects of a listing are in memory.
const listPage = 1000

type pager func(tx *store.Tx, owner store.AccountID, coll, after int64, limit int, page []store.Object) ([]store.Object, error)

func (s *Service) list(ctx context.Context, by account.Actor, owner store.AccountID, coll string, next pager, each func(store.Object) error) error {
	var page, shown []store.Object
	for id, after := int64(0), int64(0); ; {
		err := s.store.View(ctx, func(tx *store.Tx) error {
			c, v, err := s.openToRead(tx, by, owner, coll)
			if err != nil {
				return err
			}
			if id != 0 && c.ID != id {
				return notFound(coll + "/") // another one has the name now
			}
			id = c.ID
			read := next
			if !v.own {
				read = (*store.Tx).ObjectsAfter // the tags of others are made of more
			}
			if page, err = read(tx, owner, c.ID, after, listPage, page[:0]); err != nil {
				return fmt.Errorf("list calendar %s: %w", coll, err)
			}
			shown = page
			if v.hides {
				if shown, _, err = v.seen(tx, slices.Clone(page)); err != nil {
					return err
				}
			}
			for i := range shown {
				v.object(&shown[i])
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range shown {
			if err := each(shown[i]); err != nil {
				return err
			}
		}
		if len(page) < listPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// batchText is what comes along of an object that is read among others; larger
// ones are read one by one, so that a portion takes little memory.
const batchText = 32 << 10

// Bodies reads objects by name, in the order of names. For a name that is not
// there each gets the problem NotFound and an Object that has only Name; an
// error of each ends it and is returned. The body is nil where it has more than
// max octets: Get and Part give those. Between two portions no snapshot is
// open, so each may take its time.
func (s *Service) Bodies(ctx context.Context, by account.Actor, owner store.AccountID, coll string, names []string, max int, each func(o store.Object, body []byte, err error) error) error {
	for part := range slices.Chunk(names, bodiesAtOnce) {
		found := make(map[string]store.Text, len(part))
		var v *reader
		if err := s.store.View(ctx, func(tx *store.Tx) error {
			c, view, err := s.openToRead(tx, by, owner, coll)
			if err != nil {
				return err
			}
			v = view
			list, err := tx.TextsNamed(owner, c.ID, part, min(batchText, max))
			if err != nil {
				return fmt.Errorf("read calendar %s: %w", coll, err)
			}
			clear(found)
			for _, t := range list {
				found[t.Name] = t
			}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range part {
			t, ok := found[name]
			if !ok {
				if err := each(store.Object{Name: name}, nil, notFound(coll+"/"+name)); err != nil {
					return err
				}
				continue
			}
			body, gone, err := s.textFor(ctx, v, &t, max)
			if gone {
				err = each(store.Object{Name: name}, nil, notFound(coll+"/"+name))
			} else if err == nil {
				err = each(t.Object, body, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// textFor is the text of an object as a reader sees it, nil where it has more
// than max octets; what did not come along is read now. Gone is an object that
// is not there, or not for this reader: that is decided by its text, so the
// text of another's is always read.
func (s *Service) textFor(ctx context.Context, v *reader, t *store.Text, max int) (body []byte, gone bool, err error) {
	body = t.Body
	if body == nil && t.Size > 0 && (t.Size <= max || !v.own) {
		err := s.store.View(ctx, func(tx *store.Tx) error {
			now, err := tx.ObjectByID(t.Account, t.ID)
			if err != nil {
				return err
			}
			t.Object = now
			t.Memory = nil
			body, err = tx.Body(t.Account, t.ID)
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil, true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	if !v.sees(body) {
		return nil, true, nil
	}
	if t.Size > max {
		body = nil
	} else {
		body = v.body(t.Object, body)
	}
	v.object(&t.Object)
	return body, false, nil
}

// Search asks for the objects of a collection that may take place in a range.
type Search struct {
	Owner      store.AccountID
	Collection string
	Component  string    // "" is any
	From, To   time.Time // zero is open; To itself is not in it, for VEVENT
	Max        int       // octets of a body that comes along
}

// Search gives the objects that may take place in a range: all that do, and few
// that do not. The body is nil where it has more octets than are asked for.
// Between two portions no snapshot is open, so each may take its time: what is
// there from the beginning to the end comes once.
func (s *Service) Search(ctx context.Context, by account.Actor, r Search, each func(store.Object, []byte) error) error {
	from, to := unixRange(r.From, r.To)
	if r.Component == "VEVENT" && !r.To.IsZero() {
		to-- // RFC 4791 9.9: an event that begins when the range ends is not in it
	}
	var v *reader
	var id int64
	look := func(read func(tx *store.Tx, c store.Collection) error) error {
		return s.store.View(ctx, func(tx *store.Tx) error {
			c, view, err := s.openToRead(tx, by, r.Owner, r.Collection)
			if err != nil {
				return err
			}
			if id != 0 && id != c.ID {
				return notFound(r.Collection + "/") // another one has the name now
			}
			id, v = c.ID, view
			return read(tx, c)
		})
	}
	give := func(ids []int64) error {
		for part := range slices.Chunk(ids, bodiesAtOnce) {
			var list []store.Text
			if err := look(func(tx *store.Tx, c store.Collection) (err error) {
				list, err = tx.TextsOf(r.Owner, c.ID, part, min(batchText, r.Max))
				return err
			}); err != nil {
				return fmt.Errorf("query objects: %w", err)
			}
			for i := range list {
				t := &list[i]
				if r.Component != "" && t.Component != r.Component {
					continue
				}
				body, gone, err := s.textFor(ctx, v, t, r.Max)
				if err == nil && !gone {
					err = each(t.Object, body)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	}
	var ids []int64
	narrow := false
	if err := look(func(tx *store.Tx, c store.Collection) (err error) {
		ids, narrow, err = tx.Occupying(r.Owner, c.ID, from, to)
		return err
	}); err != nil {
		return fmt.Errorf("query objects: %w", err)
	}
	if narrow {
		return give(ids)
	}
	for after := int64(0); ; {
		if err := look(func(tx *store.Tx, c store.Collection) (err error) {
			ids, err = tx.SpanningAfter(r.Owner, c.ID, from, to, after, listPage)
			return err
		}); err != nil {
			return fmt.Errorf("query objects: %w", err)
		}
		if err := give(ids); err != nil || len(ids) < listPage {
			return err
		}
		after = ids[len(ids)-1]
	}
}

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

// SyncResult is what changed in a collection since a position.
type SyncResult struct {
	Changed []store.Object // as they are now, without text
	Deleted []string       // names that are gone
	Seq     int64          // the position to ask from next time
	More    bool           // there is more after Seq: the answer was cut at the limit
}

// Sync lists what changed in a collection since a position (0: everything that
// is there), at most limit names (0: all), as one snapshot (RFC 6578 3.2). A
// position that is too old, of another collection, or from the future is the
// problem InvalidSyncToken.
func (s *Service) Sync(ctx context.Context, by account.Actor, owner store.AccountID, coll string, since int64, limit int) (SyncResult, error) {
	var res SyncResult
	err := s.store.View(ctx, func(tx *store.Tx) error {
		res = SyncResult{}
		c, v, err := s.openToRead(tx, by, owner, coll)
		if err != nil {
			return err
		}
		res.Seq = c.Seq
		if since != 0 {
			least, err := tx.MinSeq(owner)
			if err != nil {
				return fmt.Errorf("sync horizon: %w", err)
			}
			if since < c.ID || since < least || since > c.Seq {
				return problem.New(problem.InvalidSyncToken, "This sync token is too old or not of this calendar; start anew with an empty one.").At(coll + "/")
			}
		}
		if since == 0 && limit == 0 {
			for o, err := range tx.ListObjects(owner, c.ID) {
				if err != nil {
					return fmt.Errorf("list calendar %s: %w", coll, err)
				}
				res.Changed = append(res.Changed, o)
			}
			if res.Changed, _, err = v.seen(tx, res.Changed); err != nil {
				return err
			}
			for i := range res.Changed {
				v.object(&res.Changed[i])
			}
			return nil
		}
		changes, more, err := tx.Changes(owner, c.ID, since, limit)
		if err != nil {
			return fmt.Errorf("changes of calendar %s: %w", coll, err)
		}
		for _, ch := range changes {
			if ch.Deleted {
				res.Deleted = append(res.Deleted, ch.Name)
				continue
			}
			o, err := tx.Object(owner, c.ID, ch.Name)
			if err != nil {
				return fmt.Errorf("changed object %s: %w", ch.Name, err)
			}
			o.Memory = nil
			res.Changed = append(res.Changed, o)
		}
		var hidden []string
		if res.Changed, hidden, err = v.seen(tx, res.Changed); err != nil {
			return err
		}
		if since != 0 { // it may have been seen before (RFC 6578 3.5.2)
			res.Deleted = append(res.Deleted, hidden...)
		}
		for i := range res.Changed {
			v.object(&res.Changed[i])
		}
		if res.More = more; more {
			res.Seq = changes[len(changes)-1].Seq
		}
		return nil
	})
	return res, err
}

// Watch signals after changes in a home, by this process at once, by others
// within about a second. Signals may be merged. The channel is closed when ctx
// ends.
func (s *Service) Watch(ctx context.Context, owner store.AccountID) <-chan struct{} {
	return s.store.Watch(ctx, owner)
}
