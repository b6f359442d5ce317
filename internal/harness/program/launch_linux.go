package program

import (
	"os/exec"
	"syscall"
)

// attach asks the kernel to send the server a signal when this process is gone.
func attach(cmd *exec.Cmd, last syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = last
}
