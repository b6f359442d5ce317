package calendar

import (
	"context"
	"fmt"
	"time"

	"github.com/convene-cal/convene/internal/store"
)

const (
	// tombstonesFor: sync tokens of clients that were away so long still work
	// (RFC 6578 4 names no time; longer than a summer and a winter holiday).
	tombstonesFor = 180 * 24 * time.Hour
	// messagesFor: finished rows of the journal are kept so long.
	messagesFor = 2 * 366 * 24 * time.Hour
	// visitsFor: how long the owner of a home can see that an overseer was in it.
	visitsFor = 366 * 24 * time.Hour
	// atOnce objects are indexed anew in one go.
	atOnce = 500
)

// Maintain does what has to be done about once a day: it moves the windows of
// the time index, forgets history, tombstones and finished messages that
// are old enough, and after an upgrade derives the time index anew, slowly. It stops early when ctx ends, and may run beside anything.
func (s *Service) Maintain(ctx context.Context) error {
	for {
		n, err := s.RollIndex(ctx, atOnce)
		if err != nil {
			return err
		}
		if n == 0 { // what cannot be moved, because it is too dense to be listed, stays
			break
		}
	}
	if err := s.sweepAttachments(ctx); err != nil {
		return fmt.Errorf("look for unused attachments: %w", err)
	}
	now := s.now()
	for what, prune := range map[string]func(*store.Tx) (bool, error){
		"history":     func(tx *store.Tx) (bool, error) { return tx.PruneVersions(now.AddDate(0, 0, -store.HistoryDays)) },
		"attachments": func(tx *store.Tx) (bool, error) { return tx.PruneAttachments(now.Add(-keptUnused)) },
		"tombstones":  func(tx *store.Tx) (bool, error) { return tx.PruneTombstones(now.Add(-tombstonesFor)) },
		"addresses":   func(tx *store.Tx) (bool, error) { return tx.PruneReplyAddresses(now) },
		"push":        func(tx *store.Tx) (bool, error) { return false, tx.PrunePush(now) },
		"visits":      func(tx *store.Tx) (bool, error) { return false, tx.PruneVisits(now.Add(-visitsFor)) },
		"messages":    func(tx *store.Tx) (bool, error) { return tx.PruneEntries(now.Add(-messagesFor)) },
	} {
		for more := true; more; {
			err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
				more, err = prune(tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old %s: %w", what, err)
			}
		}
	}
	return s.renewIndex(ctx)
}
