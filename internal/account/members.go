package account

import (
	"context"
	"slices"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// maxMembers of one group: as many as one event may have attendees by default.
const maxMembers = 5000

// Members lists who belongs to a group, in its order.
func (s *Service) Members(ctx context.Context, group store.AccountID) (list []store.Member, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Members(group)
		return err
	})
	return list, err
}

// AddMembers puts people into a group: accounts here, other groups, people
// elsewhere. Who is in it already stays where they are.
func (s *Service) AddMembers(ctx context.Context, group store.AccountID, who []ical.Address) error {
	return s.changeMembers(ctx, group, func(tx *store.Tx, g store.Account, list []store.Member) ([]store.Member, error) {
		for _, a := range who {
			a = ical.ParseAddress(string(a))
			if err := s.checkAddress(a); err != nil {
				return nil, err
			}
			if slices.ContainsFunc(list, func(m store.Member) bool { return m.Key == a.Key() }) {
				continue
			}
			acc, ok, err := s.LookupTx(tx, a)
			if err != nil {
				return nil, err
			}
			switch {
			case ok && acc.ID == g.ID:
				return nil, problem.New(problem.BadInput, "%s is this group itself.", a.Email())
			case ok && acc.Kind == store.Group:
				loops, err := s.within(tx, acc.ID, g.ID, map[store.AccountID]bool{})
				if err != nil {
					return nil, err
				}
				if loops {
					return nil, problem.New(problem.BadInput, "%s has %s among its own members, directly or by way of other groups; a group cannot be in itself.", a.Email(), g.Name)
				}
			case !ok && s.localDomain(a.Domain()):
				return nil, problem.New(problem.NotFound, "%s is not a calendar user here.", a.Email())
			}
			list = append(list, store.Member{Account: g.ID, Key: a.Key(), URI: string(a)})
		}
		if len(list) > maxMembers {
			return nil, problem.New(problem.TooManyAttendees, "A group has at most %d members.", maxMembers)
		}
		return list, nil
	})
}

// RemoveMembers takes people out of a group.
func (s *Service) RemoveMembers(ctx context.Context, group store.AccountID, who []ical.Address) error {
	return s.changeMembers(ctx, group, func(_ *store.Tx, g store.Account, list []store.Member) ([]store.Member, error) {
		for _, a := range who {
			a = ical.ParseAddress(string(a))
			n := len(list)
			if list = slices.DeleteFunc(list, func(m store.Member) bool { return m.Key == a.Key() }); len(list) == n {
				return nil, problem.New(problem.NotFound, "%s is not in the group %s.", a.Email(), g.Name)
			}
		}
		return list, nil
	})
}

func (s *Service) changeMembers(ctx context.Context, group store.AccountID, edit func(*store.Tx, store.Account, []store.Member) ([]store.Member, error)) error {
	return noSuchAccount(s.store.Update(ctx, func(tx *store.Tx) error {
		g, err := tx.Account(group)
		if err != nil {
			return err
		}
		if g.Kind != store.Group {
			return problem.New(problem.BadInput, "%s is no group (it is of the kind %s), so it has no members.", g.Name, g.Kind)
		}
		list, err := tx.Members(group)
		if err != nil {
			return err
		}
		if list, err = edit(tx, g, list); err != nil {
			return err
		}
		return tx.SetMembers(group, list)
	}), "")
}

// within reports whether a group is inside another, at any depth.
func (s *Service) within(tx *store.Tx, outer, inner store.AccountID, seen map[store.AccountID]bool) (bool, error) {
	if outer == inner {
		return true, nil
	}
	if seen[outer] {
		return false, nil
	}
	seen[outer] = true
	members, err := tx.Members(outer)
	if err != nil {
		return false, err
	}
	for _, m := range members {
		acc, ok, err := s.LookupTx(tx, ical.Address(m.URI))
		if err != nil {
			return false, err
		}
		if !ok || acc.Kind != store.Group {
			continue
		}
		if found, err := s.within(tx, acc.ID, inner, seen); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
