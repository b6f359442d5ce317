package calendar

import (
	"context"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// SetProperties changes the dead WebDAV properties of an object, "{namespace}name"
// to XML. It is no change of the object: neither entity tag nor sync token
// move (RFC 6578 3.5.1). edit may be called twice; its error changes nothing
// and is returned.
func (s *Service) SetProperties(ctx context.Context, by account.Actor, ref Ref, edit func(map[string]string) error) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, _, err := s.collection(tx, by, ref.Owner, ref.Collection, acl.Write)
		if err != nil {
			return err
		}
		o, err := object(tx, c, ref.Name)
		if err != nil {
			return err
		}
		if o == nil {
			return notFound(ref.String())
		}
		props, err := editedProperties(o.Properties, edit)
		if err != nil {
			return err
		}
		return tx.SetObjectProperties(o.Account, o.ID, props)
	})
}

// HomeSyncResult is what changed in a home since a position.
type HomeSyncResult struct {
	Changed []CollectionView // new ones, and those whose properties or objects changed
	Deleted []string         // names that are gone
	Seq     int64            // the position to ask from next time
	More    bool             // there is more after Seq
}

// HomeSync lists the collections of one's own home that changed since a
// position (0: all there are), at most limit (0: all), as one snapshot
// (RFC 6578 3.2). A position that is too old or from the future is the problem
// InvalidSyncToken.
func (s *Service) HomeSync(ctx context.Context, by account.Actor, owner store.AccountID, since int64, limit int) (HomeSyncResult, error) {
	var res HomeSyncResult
	if by.Account == owner {
		if err := s.reconcile(ctx, by); err != nil {
			return res, err
		}
	}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		res = HomeSyncResult{}
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Only its owner can synchronise a home; synchronise the calendars that are shared with you.")
		}
		who, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		if res.Seq, err = tx.HomeSeq(owner); err != nil {
			return fmt.Errorf("home of account %d: %w", owner, err)
		}
		if since != 0 {
			least, err := tx.MinSeq(owner)
			if err != nil {
				return fmt.Errorf("sync horizon: %w", err)
			}
			if since < least || since > res.Seq {
				return problem.New(problem.InvalidSyncToken, "This sync token is too old or not of this home; start anew with an empty one.")
			}
		}
		changes, more, err := tx.Changes(owner, 0, since, limit)
		if err != nil {
			return fmt.Errorf("changes of home %d: %w", owner, err)
		}
		for _, ch := range changes {
			if ch.Deleted {
				res.Deleted = append(res.Deleted, ch.Name)
				continue
			}
			if of, id, ok := ParseMountName(ch.Name); ok {
				c, err := tx.Collection(of, id)
				if err != nil {
					return fmt.Errorf("changed calendar %s: %w", ch.Name, err)
				}
				theirs, err := s.home(tx, of)
				if err != nil {
					return err
				}
				have, err := s.access(tx, by, c)
				if err != nil {
					return err
				}
				v, err := s.seenBy(tx, by, c, theirs, have)
				if err != nil {
					return err
				}
				res.Changed = append(res.Changed, v)
				continue
			}
			c, err := tx.CollectionByName(owner, ch.Name)
			if err != nil {
				return fmt.Errorf("changed calendar %s: %w", ch.Name, err)
			}
			res.Changed = append(res.Changed, CollectionView{Collection: c, Owner: who, Access: acl.Own})
		}
		if res.More = more; more {
			res.Seq = changes[len(changes)-1].Seq
		}
		return nil
	})
	return res, err
}

// HomeSeq is the position of one's own home's last change, for its sync token.
func (s *Service) HomeSeq(ctx context.Context, by account.Actor, owner store.AccountID) (seq int64, err error) {
	if by.Account == owner {
		if err := s.reconcile(ctx, by); err != nil {
			return 0, err
		}
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		seq, err = tx.HomeSeq(owner)
		return err
	})
	return seq, err
}
