package calendar

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// ShareView is someone a calendar is shared with, and for what.
type ShareView struct {
	store.Account
	Access acl.Access
	State  string // store.MountInvited, MountAccepted, MountDeclined
	Title  string // proposed with the invitation
}

// EveryoneName stands where the name of an account is expected for all who have
// one: they find a calendar that is shared with them so by its address, since it
// is not put among the calendars of each.
const EveryoneName = "*"

var everyone = store.Account{ID: store.Everyone, Name: EveryoneName, DisplayName: "Everyone with an account"}

// Sharee finds whom a calendar can be shared with by a name or an address, or
// [EveryoneName].
func (s *Service) Sharee(ctx context.Context, name string) (store.Account, error) {
	if name == EveryoneName {
		return everyone, nil
	}
	return s.o.Accounts.Find(ctx, name)
}

// Shares lists with whom a calendar is shared; only its owner may know.
func (s *Service) Shares(ctx context.Context, by account.Actor, owner store.AccountID, coll string) ([]ShareView, error) {
	var out []ShareView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		list, err := s.acl.Shares(tx, owner, c.ID)
		if err != nil {
			return fmt.Errorf("shares of %s: %w", coll, err)
		}
		for _, sh := range list {
			who, err := everyone, error(nil)
			if sh.Grantee != store.Everyone {
				who, err = tx.Account(sh.Grantee)
			}
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			access, err := acl.Parse(sh.Access)
			if err != nil {
				return fmt.Errorf("share of %s: %w", coll, err)
			}
			v := ShareView{Account: who, Access: access, State: store.MountAccepted}
			if m, err := tx.Mount(sh.Grantee, owner, c.ID); err == nil {
				v.State, v.Title = m.State, m.Comment
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// SetShares replaces the whole list of those a calendar is shared with.
func (s *Service) SetShares(ctx context.Context, by account.Actor, owner store.AccountID, coll string, want map[store.AccountID]acl.Access) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "share", "calendar", coll, "with", want)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		list, err := s.acl.Shares(tx, owner, c.ID)
		if err != nil {
			return fmt.Errorf("shares of %s: %w", coll, err)
		}
		have := map[store.AccountID]string{}
		for _, sh := range list {
			have[sh.Grantee] = sh.Access
			if _, keep := want[sh.Grantee]; !keep {
				if err := s.unshare(tx, by, c, sh.Grantee); err != nil {
					return err
				}
			}
		}
		for who, access := range want {
			if have[who] == access.String() {
				continue
			}
			if err := s.grant(tx, c, who, access); err != nil {
				return err
			}
		}
		return nil
	})
}

// owned finds a collection that the actor owns.
func (s *Service) owned(tx *store.Tx, by account.Actor, owner store.AccountID, coll string) (store.Collection, error) {
	c, have, err := s.collection(tx, by, owner, coll, acl.Read)
	if err == nil && have < acl.Own {
		err = problem.New(problem.NeedPrivileges, "Only its owner can share the calendar %s.", title(c)).At(c.Name + "/")
	}
	return c, err
}
