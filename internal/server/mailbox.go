package server

import (
	"context"
	"fmt"
	"time"

	"github.com/convene-cal/convene/internal/mailbox"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/transport/mail"
)

// mailboxes reads mail.imap.
func mailboxes(list []string) (out []mailbox.Box, err error) {
	for i, s := range list {
		b, err := mailbox.ParseBox(s)
		if err != nil {
			return nil, fmt.Errorf("mail.imap, entry %d: %w", i+1, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// watchMailbox takes in the scheduling mail of one mailbox until ctx ends.
func (s *Server) watchMailbox(ctx context.Context, b mailbox.Box) {
	mailbox.Watch(ctx, mailbox.Options{
		Box: b, MaxSize: s.Config.Mail.MaxMessageSize, Now: time.Now, Log: s.log,
		Intake: func(ctx context.Context, raw []byte, to string) error {
			env := mail.Envelope{Remote: "mailbox " + b.String()}
			if to != "" {
				env.To = []string{to}
			}
			_, err := s.Mail.Intake(ctx, raw, env)
			if problem.Has(err, problem.NotFound) || mail.IsRefusal(err) {
				return fmt.Errorf("%w: %w", mailbox.ErrNotOurs, err)
			}
			return err
		},
	})
}
