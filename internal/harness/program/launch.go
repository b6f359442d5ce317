//go:build unix

package program

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Launch starts a server. Should this process end before the server does, the
// kernel sends the server the last signal (on Linux). ended is closed when the
// server has ended.
func Launch(cmd *exec.Cmd, last syscall.Signal) (ended <-chan struct{}, err error) {
	attach(cmd, last)
	started, done := make(chan error), make(chan struct{})
	go func() {
		// The signal comes when the thread that started the server ends.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ends is the test's business
		}
		close(done)
	}()
	return done, <-started
}
