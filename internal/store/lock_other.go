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
