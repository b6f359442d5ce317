package store

import (
	"context"
	"sync"
)

// hub passes hints on: someone committed a change. Hints carry nothing, may
// come for nothing and are merged; the reader looks into the store.
type hub struct {
	mu       sync.Mutex
	any      chan struct{} // closed at the next commit
	watchers map[AccountID]map[chan struct{}]struct{}
	closed   bool
}

// tell wakes the watchers of some accounts, of all when accounts is nil.
func (h *hub) tell(accounts map[AccountID]struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.any != nil {
		close(h.any)
		h.any = nil
	}
	wake := func(set map[chan struct{}]struct{}) {
		for c := range set {
			select {
			case c <- struct{}{}:
			default: // a hint is waiting already
			}
		}
	}
	if accounts == nil {
		for _, set := range h.watchers {
			wake(set)
		}
		return
	}
	for id := range accounts {
		wake(h.watchers[id])
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.any != nil {
		close(h.any)
		h.any = nil
	}
}

// Changed returns a channel that is closed at the next commit to any account,
// in this process or, within a second, another. Take it before looking into
// the store, so that nothing is missed.
func (s *Store) Changed() <-chan struct{} {
	h := &s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.any == nil {
		h.any = make(chan struct{})
		if h.closed {
			closed := h.any
			close(closed)
			h.any = nil
			return closed
		}
	}
	return h.any
}

// Watch sends a hint after commits that changed something of an account, until
// ctx ends; then the channel is closed. Hints are merged while nobody reads.
func (s *Store) Watch(ctx context.Context, id AccountID) <-chan struct{} {
	h := &s.hub
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = make(map[AccountID]map[chan struct{}]struct{})
	}
	if h.watchers[id] == nil {
		h.watchers[id] = make(map[chan struct{}]struct{})
	}
	h.watchers[id][c] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers[id], c)
		if len(h.watchers[id]) == 0 {
			delete(h.watchers, id)
		}
		close(c)
	})
	return c
}
