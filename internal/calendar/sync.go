package calendar

import (
	"context"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

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
