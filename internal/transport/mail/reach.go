package mail

import (
	"context"
	"time"
)

// Reach goes to a relay as written in mail.relay, greets it, signs in and says
// goodbye, without sending anything. The error tells what did not work.
func Reach(ctx context.Context, relay, hostname string) error {
	r, err := parseRelay(relay)
	if err != nil {
		return err
	}
	r.hostname, r.timeout = hostname, 10*time.Second
	if deadline, ok := ctx.Deadline(); ok {
		r.timeout = time.Until(deadline)
	}
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.Quit()
}
