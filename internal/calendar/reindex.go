package calendar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/store"
)

// Reindex derives the time index of every object anew from its text, beside a
// service that may be running. told is called with the number of objects done;
// unread are those whose text or times cannot be read, which stay as they are.
func (s *Service) Reindex(ctx context.Context, told func(n int)) (done, unread int, err error) {
	var accounts []store.Account
	if err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		accounts, err = tx.Accounts("", 0)
		return err
	}); err != nil {
		return 0, 0, err
	}
	for _, a := range accounts {
		var ids []int64
		if err := s.store.View(ctx, func(tx *store.Tx) error {
			ids = nil
			collections, err := tx.Collections(a.ID)
			if err != nil {
				return err
			}
			for _, c := range collections {
				for o, err := range tx.ListObjects(a.ID, c.ID) {
					if err != nil {
						return err
					}
					ids = append(ids, o.ID)
				}
			}
			return nil
		}); err != nil {
			return done, unread, err
		}
		for part := range slices.Chunk(ids, reindexAtOnce) {
			n, bad := 0, 0
			if err := s.store.Update(ctx, func(tx *store.Tx) error {
				n, bad = 0, 0
				for _, id := range part {
					switch err := s.reindex(tx, a.ID, id); {
					case errors.Is(err, errUnread):
						bad++
						s.log.Error("time index", "account", a.Name, "object", id, "error", err)
					case errors.Is(err, store.ErrNotFound): // deleted meanwhile
					case err != nil:
						return err
					default:
						n++
					}
				}
				return nil
			}); err != nil {
				return done, unread, fmt.Errorf("derive the time index of %s: %w", a.Name, err)
			}
			done, unread = done+n, unread+bad
			told(len(part))
		}
	}
	return done, unread, nil
}

// reindexAtOnce objects share a transaction.
const reindexAtOnce = 50

var errUnread = errors.New("the stored object cannot be read")

func (s *Service) reindex(tx *store.Tx, account store.AccountID, id int64) error {
	ix, err := s.indexOf(tx, account, id)
	if err != nil {
		return err
	}
	return tx.ResetIndex(account, id, ix)
}

// indexOf derives the time index of a stored object.
func (s *Service) indexOf(tx *store.Tx, account store.AccountID, id int64) (store.Index, error) {
	body, err := tx.Body(account, id)
	if err != nil {
		return store.Index{}, err
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return store.Index{}, fmt.Errorf("%w: %w", errUnread, err)
	}
	ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
	if err != nil {
		return store.Index{}, fmt.Errorf("%w: %w", errUnread, err)
	}
	return ix, nil
}

// derivedBy is what a time index is derived by: our way of doing so, whose
// number grows where it changes, and the data of time zones.
func derivedBy() string { return "1 " + tz.Version() }

// renewAtOnce objects share a transaction, and renewPause times as long as that
// took is the pause afterwards: people come first.
const (
	renewAtOnce = 200
	renewPause  = 4
)

// renewIndex derives all of the time index anew where that was not done since
// the derivation changed, as after an upgrade, beside the work of the service.
// It goes on where it stopped.
func (s *Service) renewIndex(ctx context.Context) error {
	for {
		began, done := time.Now(), false
		if err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			done, err = s.renewSome(tx)
			return err
		}); err != nil {
			return fmt.Errorf("derive the time index anew: %w", err)
		}
		if done {
			return nil
		}
		select {
		case <-time.After(renewPause * time.Since(began)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// renewSome does the next objects and says whether these were the last.
func (s *Service) renewSome(tx *store.Tx) (done bool, err error) {
	d, err := tx.Derived("time index")
	if err != nil {
		return false, err
	}
	if d.Version != derivedBy() {
		d = store.Derivation{Name: d.Name, Version: derivedBy()}
	} else if d.Object == allDone {
		return true, nil
	}
	list, err := tx.HoldingsAfter(store.Holding{Account: d.Account, Object: d.Object}, renewAtOnce)
	if err != nil {
		return false, err
	}
	for _, h := range list {
		ix, err := s.indexOf(tx, h.Account, h.Object)
		if errors.Is(err, errUnread) { // it stays as it is
			s.log.Error("time index", "account", h.Account, "object", h.Object, "error", err)
			continue
		}
		if err == nil {
			err = tx.RenewIndex(h.Account, h.Object, ix)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
	}
	if done = len(list) < renewAtOnce; done {
		d.Object = allDone
	} else {
		d.Account, d.Object = list[len(list)-1].Account, list[len(list)-1].Object
	}
	return done, tx.SetDerived(d)
}

// allDone stands in the place of the last object of a derivation that is through.
const allDone = math.MaxInt64
