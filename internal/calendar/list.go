package calendar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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

// partsAtOnce is how many parts of large texts are read at a time. The database
// has the whole text in memory while it cuts a part out, so this is what bounds
// memory when many clients ask for large objects, the same or others.
const partsAtOnce = 2

// Part reads some octets of an object of one's own that is still what it was:
// another entity tag is the problem PreconditionFailed. It waits while others
// read parts, before it takes anything of the store's.
func (s *Service) Part(ctx context.Context, o store.Object, offset, length int) (part []byte, err error) {
	select {
	case s.parts <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.parts }()
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
// max octets: Get and Part give those; it is valid until each returns. Between two
// portions no snapshot is open, so each may take its time.
func (s *Service) Bodies(ctx context.Context, by account.Actor, owner store.AccountID, coll string, names []string, max int, each func(o store.Object, body []byte, err error) error) error {
	var texts store.Texts
	for part := range slices.Chunk(names, bodiesAtOnce) {
		found := make(map[string]*store.Text, len(part))
		var v *reader
		if err := s.store.View(ctx, func(tx *store.Tx) error {
			c, view, err := s.openToRead(tx, by, owner, coll)
			if err != nil {
				return err
			}
			v = view
			if err := tx.TextsNamed(owner, c.ID, part, min(batchText, max), &texts); err != nil {
				return fmt.Errorf("read calendar %s: %w", coll, err)
			}
			clear(found)
			for i := range texts.List {
				found[texts.List[i].Name] = &texts.List[i]
			}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range part {
			stored, ok := found[name]
			if !ok {
				if err := each(store.Object{Name: name}, nil, notFound(coll+"/"+name)); err != nil {
					return err
				}
				continue
			}
			t := *stored // a name may be there twice
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
