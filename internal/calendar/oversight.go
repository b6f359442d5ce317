package calendar

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Overseers, whom the configuration of the site lets into every home
// ([acl.Overseer]), come in only once it is on record that they do: the owner
// sees who, in which hour, and whether they read or changed something; the log
// of the service has a line for each calendar. Where the record cannot be
// written, they do not come in.

// unnoted is the error of a transaction that found out that it is such a visit.
// It is undone, the visit is noted, and it begins again.
type unnoted struct {
	store.Visit
	by       account.Actor
	calendar string
}

func (v *unnoted) Error() string {
	return fmt.Sprintf("calendar: the visit of %s to account %d is not noted", v.Visitor, v.Account)
}

// visits are those of this hour that the store has on record.
type visits struct {
	mu    sync.Mutex
	hour  time.Time
	noted map[store.Visit]bool
}

func (v *visits) has(x store.Visit) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hour.Equal(x.At) && v.noted[x]
}

func (v *visits) add(x store.Visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.hour.Equal(x.At) {
		v.hour, v.noted = x.At, map[store.Visit]bool{}
	}
	v.noted[x] = true
}

// visited is called where an actor has more access than the owner granted.
func (s *Service) visited(tx *store.Tx, by account.Actor, owner store.AccountID, calendar string, have, need acl.Access) error {
	if have < need {
		return nil // the door stays closed
	}
	v := store.Visit{Account: owner, At: s.now().UTC().Truncate(time.Hour), Visitor: by.Name, Changed: need >= acl.Write}
	if !s.visits.has(v) {
		return &unnoted{v, by, calendar}
	}
	a, err := tx.Account(owner)
	if err != nil {
		return err
	}
	s.log.Info("oversight", "by", by.Name, "owner", a.Name, "calendar", calendar, "changes", v.Changed)
	return nil
}

// noting is a store whose transactions begin again once a visit that they found
// out about is on record.
type noting struct {
	*store.Store
	s *Service
}

func (n noting) View(ctx context.Context, fn func(*store.Tx) error) error {
	return n.until(ctx, func() error { return n.Store.View(ctx, fn) })
}

func (n noting) Peek(ctx context.Context, fn func(*store.Tx) error) error {
	return n.until(ctx, func() error { return n.Store.Peek(ctx, fn) })
}

func (n noting) Update(ctx context.Context, fn func(*store.Tx) error) error {
	return n.until(ctx, func() error { return n.Store.Update(ctx, fn) })
}

// visitsAtOnce bounds the homes that one request looks into, read and changed.
const visitsAtOnce = 1000

func (n noting) until(ctx context.Context, do func() error) error {
	for range visitsAtOnce {
		err := do()
		var v *unnoted
		if !errors.As(err, &v) {
			return err
		}
		if err := n.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddVisit(v.Visit) }); err != nil {
			return err
		}
		n.s.visits.add(v.Visit)
	}
	return problem.New(problem.Forbidden, "One request looks into %d homes at most.", visitsAtOnce)
}

// Visits lists when overseers were in a home, the latest first, for its owner.
func (s *Service) Visits(ctx context.Context, by account.Actor, owner store.AccountID) ([]store.Visit, error) {
	if by.Account != owner {
		return nil, problem.New(problem.NeedPrivileges, "Who looked at somebody's calendars is theirs to know.")
	}
	var out []store.Visit
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Visits(owner, maxVisits)
		return err
	})
	return out, err
}

// maxVisits is how many one answer holds.
const maxVisits = 500

// OverseerView is an account that the configuration lets into every home.
type OverseerView struct {
	store.Account
	Access acl.Access // Read or Act
}

// Overseers lists them: everybody may know who could look.
func (s *Service) Overseers(ctx context.Context) ([]OverseerView, error) {
	var out []OverseerView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		all, err := s.acl.Overseers(tx)
		if err != nil || len(all) == 0 {
			return err
		}
		ids := make(map[store.AccountID]bool, len(all))
		for id := range all {
			ids[id] = true
		}
		list, err := sortedAccounts(tx, ids)
		for _, a := range list {
			out = append(out, OverseerView{a, all[a.ID]})
		}
		return err
	})
	return out, err
}
