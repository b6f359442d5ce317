package calendar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// A calendar that others share is mounted in one's own home: clients that look
// nowhere else find it, with a name, a colour and a place in the list that are
// one's own. Who may do what is the business of shares alone; a mount that no
// share stands behind goes away.

// ParseMountName reads what [store.MountName] writes.
func ParseMountName(segment string) (owner store.AccountID, collection int64, ok bool) {
	rest, ok := strings.CutPrefix(segment, "shared-")
	if !ok {
		return 0, 0, false
	}
	a, b, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, 0, false
	}
	x, err1 := strconv.ParseInt(a, 10, 64)
	y, err2 := strconv.ParseInt(b, 10, 64)
	if err1 != nil || err2 != nil || x <= 0 || y <= 0 || store.MountName(store.AccountID(x), y) != segment {
		return 0, 0, false
	}
	return store.AccountID(x), y, true
}

// asMounted shows a collection of another as its reader has it.
func asMounted(c store.Collection, m *store.Mount) store.Collection {
	if c.Kind != store.Calendar {
		return c
	}
	c.Properties, c.Transparent, c.Order = nil, true, 0
	if m == nil {
		return c
	}
	c.Properties, c.Transparent, c.Order = m.Properties, m.Transparent, m.Order
	if m.DisplayName != "" {
		c.DisplayName = m.DisplayName
	}
	if m.Color != "" {
		c.Color = m.Color
	}
	return c
}

// seenBy is a view of a collection for an actor.
func (s *Service) seenBy(tx *store.Tx, by account.Actor, c store.Collection, owner store.Account, have acl.Access) (CollectionView, error) {
	if by.Account == c.Account {
		return CollectionView{Collection: c, Owner: owner, Access: have}, nil
	}
	m, err := tx.Mount(by.Account, c.Account, c.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return CollectionView{Collection: asMounted(c, nil), Owner: owner, Access: have, Mount: store.MountName(c.Account, c.ID)}, nil
	case err != nil:
		return CollectionView{}, err
	}
	return CollectionView{Collection: asMounted(c, &m), Owner: owner, Access: have, Mount: store.MountName(c.Account, c.ID), Invited: m.State == store.MountInvited}, nil
}

// Mounted finds a calendar that is mounted in one's home.
func (s *Service) Mounted(ctx context.Context, by account.Actor, owner store.AccountID, collection int64) (CollectionView, error) {
	var v CollectionView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		c, err := tx.Collection(owner, collection)
		if errors.Is(err, store.ErrNotFound) || err == nil && c.Account == by.Account {
			return notFound(store.MountName(owner, collection) + "/")
		}
		if err != nil {
			return err
		}
		have, err := s.access(tx, by, c)
		if err != nil {
			return err
		}
		if err := permit(c, have, acl.Read); err != nil {
			return err
		}
		m, err := tx.Mount(by.Account, owner, collection)
		if err == nil && m.State != store.MountAccepted {
			return notFound(store.MountName(owner, collection) + "/")
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		v, err = s.seenBy(tx, by, c, who, have)
		return err
	})
	return v, err
}

// SharedWith lists others' calendars that were shared with the actor for
// reading or more, by owner. What was declined is not among them; invitations
// that wait for an answer are not either.
func (s *Service) SharedWith(ctx context.Context, by account.Actor) ([]CollectionView, error) {
	return s.sharedWith(ctx, by, store.MountAccepted)
}

// Invitations lists others' calendars that the actor was invited to and has
// not answered.
func (s *Service) Invitations(ctx context.Context, by account.Actor) ([]CollectionView, error) {
	return s.sharedWith(ctx, by, store.MountInvited)
}

func (s *Service) sharedWith(ctx context.Context, by account.Actor, state string) ([]CollectionView, error) {
	var out []CollectionView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		all, err := s.shared(tx, by)
		for _, v := range all {
			if v.state == state {
				out = append(out, v.CollectionView)
			}
		}
		return err
	})
	return out, err
}

type sharedView struct {
	CollectionView
	state string
	mount *store.Mount // nil: none yet
}

// shared lists all calendars that others share with the actor for reading or more.
func (s *Service) shared(tx *store.Tx, by account.Actor) ([]sharedView, error) {
	shares, err := s.acl.SharedWith(tx, by.Account)
	if err != nil {
		return nil, fmt.Errorf("shares to account %d: %w", by.Account, err)
	}
	mounts, err := tx.Mounts(by.Account)
	if err != nil {
		return nil, fmt.Errorf("mounts of account %d: %w", by.Account, err)
	}
	var out []sharedView
	for _, sh := range shares {
		if sh.Collection == store.WholeHome { // who acts for somebody goes to their home
			continue
		}
		c, err := tx.Collection(sh.Account, sh.Collection)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("shared calendar: %w", err)
		}
		if c.Kind == store.Outbox { // who may use it goes there
			continue
		}
		have, err := s.access(tx, by, c)
		if err != nil {
			return nil, err
		}
		if have < acl.Read {
			continue
		}
		owner, err := s.home(tx, c.Account)
		if err != nil {
			return nil, err
		}
		v := sharedView{state: store.MountAccepted}
		for i := range mounts {
			if m := &mounts[i]; m.Owner == c.Account && m.Collection == c.ID {
				v.mount, v.state = m, m.State
			}
		}
		v.CollectionView = CollectionView{Collection: asMounted(c, v.mount), Owner: owner, Access: have, Mount: store.MountName(c.Account, c.ID), Invited: v.state == store.MountInvited}
		out = append(out, v)
	}
	return out, nil
}

// reconcile brings the mounts of an actor in line with what is shared, so that
// the home's change log tells what came, what changed and what was taken back.
func (s *Service) reconcile(ctx context.Context, by account.Actor) error {
	differs := func(tx *store.Tx) (add []store.Mount, gone []store.Mount, err error) {
		list, err := s.shared(tx, by)
		if err != nil {
			return nil, nil, err
		}
		mounts, err := tx.Mounts(by.Account)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range list {
			changed, err := tx.Changed(v.Account, v.ID)
			if err != nil {
				return nil, nil, err
			}
			switch {
			case v.mount == nil:
				add = append(add, store.Mount{Account: by.Account, Owner: v.Account, Collection: v.ID, State: store.MountAccepted, Seen: changed, Transparent: true})
			case v.mount.State == store.MountAccepted && v.mount.Seen != changed:
				m := *v.mount
				m.Seen = changed
				add = append(add, m)
			}
		}
		for _, m := range mounts {
			if !slices.ContainsFunc(list, func(v sharedView) bool { return v.Account == m.Owner && v.ID == m.Collection }) {
				gone = append(gone, m)
			}
		}
		return add, gone, nil
	}
	var work bool
	if err := s.store.View(ctx, func(tx *store.Tx) error {
		add, gone, err := differs(tx)
		work = len(add)+len(gone) > 0
		return err
	}); err != nil || !work {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		add, gone, err := differs(tx)
		if err != nil {
			return err
		}
		for i := range add {
			if err := tx.PutMount(&add[i]); err != nil {
				return err
			}
		}
		for _, m := range gone {
			if err := tx.DeleteMount(m.Account, m.Owner, m.Collection); err != nil {
				return err
			}
		}
		return nil
	})
}

// AnswerShare takes an invitation to a calendar up or declines it; a calendar
// that one has is taken off one's list by declining. The owner is told, with
// the name of the invitation when the answer gives it.
func (s *Service) AnswerShare(ctx context.Context, by account.Actor, owner store.AccountID, collection int64, accept bool, replyTo ...string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Collection(owner, collection)
		if errors.Is(err, store.ErrNotFound) {
			return notFound(store.MountName(owner, collection) + "/").Because(err)
		}
		if err != nil {
			return err
		}
		have, err := s.access(tx, by, c)
		if err != nil {
			return err
		}
		if have < acl.Read || owner == by.Account {
			return notFound(store.MountName(owner, collection) + "/")
		}
		m, err := tx.Mount(by.Account, owner, collection)
		if errors.Is(err, store.ErrNotFound) {
			m, err = store.Mount{Account: by.Account, Owner: owner, Collection: collection, Transparent: true}, nil
		}
		if err != nil {
			return err
		}
		if m.Seen, err = tx.Changed(owner, collection); err != nil {
			return err
		}
		if m.State = store.MountDeclined; accept {
			m.State = store.MountAccepted
		}
		if err := s.answered(tx, by, c, accept, strings.Join(replyTo, "")); err != nil {
			return err
		}
		return tx.PutMount(&m)
	})
}

// updateMounted is [Service.UpdateCollection] by someone who does not own the
// calendar: name, colour, place, transparency and client properties are their
// own; the rest is everyone's and takes the access of a team.
func (s *Service) updateMounted(tx *store.Tx, by account.Actor, c store.Collection, have acl.Access, edit func(*store.Collection) error) (store.Collection, error) {
	m, err := tx.Mount(by.Account, c.Account, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		m, err = store.Mount{Account: by.Account, Owner: c.Account, Collection: c.ID, State: store.MountAccepted, Transparent: true}, nil
	}
	if err != nil {
		return c, err
	}
	was := asMounted(c, &m)
	v := was
	v.Components = slices.Clone(c.Components)
	if v.Properties = maps.Clone(was.Properties); v.Properties == nil {
		v.Properties = map[string]string{}
	}
	if err := edit(&v); err != nil {
		return c, err
	}
	if v.Name != c.Name || !slices.Equal(v.Components, c.Components) || have < acl.Team && (v.Description != c.Description || v.TimeZone != c.TimeZone) {
		return c, problem.New(problem.NeedPrivileges, "Only its owner can change this of the calendar %s; its name, its colour and its place among your calendars are yours.", title(c)).At(c.Name + "/")
	}
	if err := checkCollection(&v); err != nil {
		return c, err
	}
	if v.Description != c.Description || v.TimeZone != c.TimeZone {
		c.Description, c.TimeZone, c.Modified = v.Description, v.TimeZone, s.now()
		if err := tx.UpdateCollection(c); err != nil {
			return c, fmt.Errorf("change calendar %s: %w", c.Name, err)
		}
	}
	if v.DisplayName != was.DisplayName {
		m.DisplayName = v.DisplayName
	}
	if v.Color != was.Color {
		m.Color = v.Color
	}
	m.Order, m.Transparent, m.Properties = v.Order, v.Transparent, v.Properties
	if m.Seen, err = tx.Changed(c.Account, c.ID); err != nil {
		return c, err
	}
	return asMounted(c, &m), tx.PutMount(&m)
}
