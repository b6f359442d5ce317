package calendar

import (
	"context"
	"errors"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Proxies are people who may read all of somebody's calendars, or act for that
// person in all of them (CalendarServer's calendar-proxy-read and
// calendar-proxy-write): shares of the whole home.

// Proxies lists who reads for (acl.Read) or acts for (acl.Act) an account. The
// account itself may know, and those who are on the list.
func (s *Service) Proxies(ctx context.Context, by account.Actor, owner store.AccountID, access acl.Access) ([]store.Account, error) {
	var out []store.Account
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		list, err := s.acl.Shares(tx, owner, store.WholeHome)
		if err != nil {
			return err
		}
		for _, sh := range list {
			if sh.Access != access.String() {
				continue
			}
			a, err := tx.Account(sh.Grantee)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		if by.Account == owner || by.Admin {
			return nil
		}
		have, err := s.acl.OfHome(tx, by.Account, owner)
		if have == acl.None {
			out = nil
		}
		return err
	})
	return out, err
}

// SetProxies replaces those who have one kind of access to all of one's calendars.
func (s *Service) SetProxies(ctx context.Context, by account.Actor, owner store.AccountID, access acl.Access, want []store.AccountID) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "proxies", "access", access, "members", want)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Only the owner of the calendars decides who may act for them.")
		}
		list, err := s.acl.Shares(tx, owner, store.WholeHome)
		if err != nil {
			return err
		}
		keep := map[store.AccountID]bool{}
		for _, id := range want {
			keep[id] = true
			if err := s.acl.Grant(tx, owner, store.WholeHome, id, access); err != nil {
				return err
			}
		}
		for _, sh := range list {
			if sh.Access == access.String() && !keep[sh.Grantee] {
				if err := s.acl.Revoke(tx, owner, store.WholeHome, sh.Grantee); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// ProxyView is someone whose calendars an account may read, or act in.
type ProxyView struct {
	store.Account
	Access acl.Access
}

// ProxyFor lists for whom an account is a proxy.
func (s *Service) ProxyFor(ctx context.Context, who store.AccountID) ([]ProxyView, error) {
	var out []ProxyView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		list, err := s.acl.SharedWith(tx, who)
		if err != nil {
			return err
		}
		for _, sh := range list {
			if sh.Collection != store.WholeHome {
				continue
			}
			access, err := acl.Parse(sh.Access)
			if err != nil {
				return err
			}
			a, err := s.home(tx, sh.Account)
			if err != nil {
				return err
			}
			out = append(out, ProxyView{a, access})
		}
		return nil
	})
	return out, err
}

// OfHome is what an actor may do with all of an account's calendars.
func (s *Service) OfHome(ctx context.Context, by account.Actor, owner store.AccountID) (have acl.Access, err error) {
	if by.Account == owner {
		return acl.Own, nil
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		have, _, err = s.acl.HomeWithOversight(tx, by.Account, owner)
		return err
	})
	return have, err
}

// GroupsOf lists the groups that an account belongs to, directly or through others.
func (s *Service) GroupsOf(ctx context.Context, who store.AccountID) ([]store.Account, error) {
	var out []store.Account
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		groups, err := acl.Groups(tx, who)
		if err != nil {
			return err
		}
		all, err := sortedAccounts(tx, groups)
		out = all
		return err
	})
	return out, err
}

func sortedAccounts(tx *store.Tx, ids map[store.AccountID]bool) ([]store.Account, error) {
	var out []store.Account
	for id := range ids {
		a, err := tx.Account(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	sortByName(out)
	return out, nil
}
