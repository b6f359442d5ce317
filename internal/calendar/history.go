package calendar

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// HistoryFilter chooses from what was; zero fields choose nothing out.
type HistoryFilter struct {
	Collection string // URL segment; of calendars that are there still
	UID        string
	Deleted    bool // only what is no longer there
	Limit      int  // 0 = DefaultHistory
}

// DefaultHistory is how many earlier states one answer holds.
const DefaultHistory = 200

// HistoryView is an earlier state of an object and where it was.
type HistoryView struct {
	store.Version
	Calendar string // display name; "" when the calendar is gone
}

// History lists earlier versions and deleted objects of one's own calendars, the
// latest first, as far as [store.HistoryDays] reach.
func (s *Service) History(ctx context.Context, by account.Actor, owner store.AccountID, f HistoryFilter) ([]HistoryView, error) {
	if f.Limit <= 0 {
		f.Limit = DefaultHistory
	}
	var out []HistoryView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		if err := ownHistory(by, owner); err != nil {
			return err
		}
		filter := store.VersionFilter{UID: f.UID, Deleted: f.Deleted, Limit: f.Limit}
		if f.Collection != "" {
			c, err := tx.CollectionByName(owner, f.Collection)
			if errors.Is(err, store.ErrNotFound) {
				return notFound(f.Collection + "/")
			}
			if err != nil {
				return err
			}
			filter.Collection = c.ID
		}
		list, err := tx.Versions(owner, filter)
		if err != nil {
			return fmt.Errorf("history of account %d: %w", owner, err)
		}
		names := map[int64]string{}
		all, err := tx.Collections(owner)
		if err != nil {
			return err
		}
		for _, c := range all {
			names[c.ID] = title(c)
		}
		for _, v := range list {
			out = append(out, HistoryView{v, names[v.Collection]})
		}
		return nil
	})
	return out, err
}

func ownHistory(by account.Actor, owner store.AccountID) error {
	if by.Account != owner {
		return problem.New(problem.NeedPrivileges, "The history of a calendar is its owner's.")
	}
	return nil
}

// HistoryText is the text of an earlier state.
func (s *Service) HistoryText(ctx context.Context, by account.Actor, owner store.AccountID, object, seq int64) (body []byte, err error) {
	if err := ownHistory(by, owner); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		body, err = tx.VersionBody(owner, object, seq)
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.NotFound, "There is no such earlier version; they are kept for %d days.", store.HistoryDays).Because(err)
		}
		return err
	})
	return body, err
}

// Restore makes an earlier state the present one: of an object that is there,
// in its place; of one that was deleted, where it was, or in the default
// calendar when its calendar is gone. It is a change like any other: who is
// invited is told.
func (s *Service) Restore(ctx context.Context, by account.Actor, owner store.AccountID, id, seq int64) (PutResult, error) {
	body, err := s.HistoryText(ctx, by, owner, id, seq)
	if err != nil {
		return PutResult{}, err
	}
	var to Ref
	err = s.store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Versions(owner, store.VersionFilter{Object: id})
		if err != nil {
			return err
		}
		var v store.Version
		for _, one := range list {
			if one.Seq == seq {
				v = one
			}
		}
		to = Ref{Owner: owner, Name: v.Name}
		// The UID may be in use again: then that object is what is set back.
		same, err := tx.ObjectsByUID(owner, v.UID)
		if err != nil {
			return err
		}
		coll := v.Collection
		if len(same) > 0 {
			coll, to.Name = same[0].Collection, same[0].Name
		}
		c, err := tx.Collection(owner, coll)
		if errors.Is(err, store.ErrNotFound) || err == nil && c.Kind != store.Calendar {
			c, err = s.defaultCalendar(tx, owner, v.Component)
		}
		if err != nil {
			return err
		}
		to.Collection = c.Name
		if o, err := object(tx, c, to.Name); err != nil {
			return err
		} else if o != nil && o.UID != v.UID { // something else has the name now
			to.Name, err = freeName(tx, c, v.UID)
			return err
		}
		return nil
	})
	if err != nil {
		return PutResult{}, err
	}
	return s.Put(ctx, PutRequest{By: by, Ref: to, Data: body})
}
