package calendar

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Conditions of WebDAV locks (RFC 4918 16).
const (
	Locked        problem.Condition = "lock-token-submitted"
	LockConflict  problem.Condition = "no-conflicting-lock"
	LockElsewhere problem.Condition = "lock-token-matches-request-uri"
)

// MaxLocks of one home, and how long one lasts at most; an asked-for "Infinite" is that.
const (
	MaxLocks    = 1000
	MaxLockTime = 24 * time.Hour
)

// locks tells whether there can be any lock at all: nearly always there is
// none, and every write asks.
type locks struct {
	looked atomic.Bool // the table was empty when we looked
	some   atomic.Bool // and since then one was made here
}

// Locks lists the locks of a home that are in force.
func (s *Service) Locks(ctx context.Context, owner store.AccountID) ([]store.Lock, error) {
	if s.locks.looked.Load() && !s.locks.some.Load() {
		return nil, nil
	}
	var list []store.Lock
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		if s.store.Alone() && !s.locks.looked.Load() {
			any, err := tx.AnyLock()
			if err != nil {
				return err
			}
			if any {
				s.locks.some.Store(true)
			}
			s.locks.looked.Store(true)
		}
		list, err = tx.Locks(owner, s.now())
		return err
	})
	return list, err
}

// Covers reports whether a lock holds for a place: it is the lock's own, or
// below a lock of infinite depth.
func Covers(l store.Lock, path string) bool {
	return l.Path == path || l.Infinite && under(path, l.Path)
}

// under reports whether path lies below folder.
func under(path, folder string) bool {
	return folder == "" && path != "" || len(path) > len(folder) && strings.HasPrefix(path, folder) && path[len(folder)] == '/'
}

// Under reports whether a path of a home lies below another.
func Under(path, folder string) bool { return under(path, folder) }

// LockRequest asks for a write lock.
type LockRequest struct {
	By       account.Actor
	Owner    store.AccountID // whose home
	Path     string          // relative to the home
	Infinite bool
	Shared   bool
	Note     string // DAV:owner
	Timeout  time.Duration
}

// Lock makes a write lock. One that others stand in the way of is the problem
// LockConflict, at the place of the other one.
func (s *Service) Lock(ctx context.Context, req LockRequest) (store.Lock, error) {
	s.locks.some.Store(true)
	req.Timeout = min(max(req.Timeout, time.Second), MaxLockTime)
	now := s.now()
	l := store.Lock{
		Account: req.Owner, Token: "urn:uuid:" + newUUID(), Path: req.Path, Infinite: req.Infinite, Shared: req.Shared,
		Creator: req.By.Account, Owner: req.Note, Timeout: req.Timeout, Expires: now.Add(req.Timeout),
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.ExpireLocks(now); err != nil {
			return err
		}
		have, err := tx.Locks(req.Owner, now)
		if err != nil {
			return err
		}
		if len(have) >= MaxLocks {
			return problem.New(problem.InsufficientStorage, "There are %d locks in this home already.", MaxLocks)
		}
		for _, h := range have {
			if (Covers(h, req.Path) || req.Infinite && under(h.Path, req.Path)) && !(h.Shared && req.Shared) {
				return problem.New(LockConflict, "Someone else is changing this: it is locked until %s.", h.Expires.Format(time.RFC3339)).At(h.Path)
			}
		}
		return tx.AddLock(l)
	})
	return l, err
}

// RefreshLock makes a lock last longer. The token must be that of a lock that
// covers the place (RFC 4918 9.10.2).
func (s *Service) RefreshLock(ctx context.Context, by account.Actor, owner store.AccountID, path string, tokens []string, timeout time.Duration) (store.Lock, error) {
	var out store.Lock
	timeout = min(max(timeout, time.Second), MaxLockTime)
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.Locks(owner, s.now())
		if err != nil {
			return err
		}
		for _, l := range have {
			if slices.Contains(tokens, l.Token) && Covers(l, path) && l.Creator == by.Account {
				out = l
				out.Timeout, out.Expires = timeout, s.now().Add(timeout)
				return tx.RefreshLock(owner, l.Token, timeout, out.Expires)
			}
		}
		return problem.New(problem.PreconditionFailed, "There is no such lock to refresh; it may have ended. Lock anew.")
	})
	return out, err
}

// Unlock removes a lock that covers a place (RFC 4918 9.11): its creator may,
// and the owner of the home.
func (s *Service) Unlock(ctx context.Context, by account.Actor, owner store.AccountID, path, token string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.Locks(owner, s.now())
		if err != nil {
			return err
		}
		for _, l := range have {
			if l.Token != token || !Covers(l, path) {
				continue
			}
			if l.Creator != by.Account && owner != by.Account { // RFC 3744 3.5: DAV:unlock
				return problem.New(problem.NeedPrivileges, "Only the one who made the lock or the owner of the calendar can remove it.")
			}
			return tx.DeleteLock(owner, token)
		}
		return problem.New(LockElsewhere, "There is no lock with this token here; it may have ended.")
	})
}

// Unlocked forgets the locks on a place that is gone, and below it: locks do
// not move (RFC 4918 7.6, 9.6).
func (s *Service) Unlocked(ctx context.Context, owner store.AccountID, path string) error {
	have, err := s.Locks(ctx, owner)
	if err != nil || len(have) == 0 {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		for _, l := range have {
			if l.Path == path || under(l.Path, path) {
				if err := tx.DeleteLock(owner, l.Token); err != nil && !isAbsent(err) {
					return err
				}
			}
		}
		return nil
	})
}

// newUUID is random (RFC 9562 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
