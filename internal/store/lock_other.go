//go:build !unix

package store

import (
	"os"
	"time"
)

// lockFile holds a file open that another process cannot remove: systems
// without flock refuse to delete an open file.
func lockFile(name string, wait bool) (unlock func() error, err error) {
	for {
		if err := os.Remove(name); err == nil || os.IsNotExist(err) {
			f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
			if err == nil {
				return f.Close, nil
			}
		} else if !wait {
			return nil, err
		}
		if !wait {
			return nil, os.ErrExist
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// turns is a courtesy between processes that needs flock; elsewhere a waiting
// writer relies on SQLite's own polling.
type turns struct{}

func openTurns(string) (*turns, error) { return &turns{}, nil }

func (*turns) begin()       {}
func (*turns) began()       {}
func (*turns) close() error { return nil }
