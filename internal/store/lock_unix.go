//go:build unix

package store

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockFile holds an advisory lock on a file until unlock or the end of the
// process, however it ends.
func lockFile(name string, wait bool) (unlock func() error, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return f.Close, nil
}

// turns lets processes that write in turn see each other. SQLite's waiting
// writers only look now and then, up to 100 ms apart, and would starve beside
// a server whose commits follow one another without a gap.
type turns struct{ f *os.File }

// gap is what a writer leaves for one that waits in another process.
const gap = 2 * time.Millisecond

func openTurns(name string) (*turns, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &turns{f}, nil
}

// begin is called before a write transaction is begun. While another process
// waits to begin one, which it shows by a shared lock, it pauses.
func (t *turns) begin() {
	fd := int(t.f.Fd())
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		time.Sleep(gap)
	}
	// Only a courtesy: an error leaves SQLite's own locking.
	_ = syscall.Flock(fd, syscall.LOCK_SH)
}

// began is called when the transaction has begun, or failed to.
func (t *turns) began() { _ = syscall.Flock(int(t.f.Fd()), syscall.LOCK_UN) }

func (t *turns) close() error { return t.f.Close() }
