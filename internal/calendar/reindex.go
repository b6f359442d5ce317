package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	body, err := tx.Body(account, id)
	if err != nil {
		return err
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	ix, err := s.timeIndex(cal, tz.NewResolver(cal, nil))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	return tx.ResetIndex(account, id, ix)
}
