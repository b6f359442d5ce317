package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/transport/mail"
)

// looksLikeMail: a header line comes first, and it is none of iCalendar's.
func looksLikeMail(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, found := bytes.Cut(line, []byte(":"))
	if !found || len(name) == 0 || bytes.ContainsAny(name, " \t;=") {
		return false
	}
	switch strings.ToLower(string(name)) {
	case "return-path", "received", "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "delivered-to", "x-original-to", "dkim-signature":
		return true
	}
	return false
}

// mail takes one mail through the same gate as the mail listeners do.
func (im *importer) mail(name string, r io.Reader) error {
	raw, whole, err := readMail(r, im.s.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !whole {
		return im.outcome(importLine{File: name, Outcome: calendar.ImportRefused, Reason: fmt.Sprintf("the mail has more than %d octets (mail.max-message-size)", len(raw))})
	}
	own, err := im.s.Accounts.Addresses(im.e.ctx, im.owner.ID)
	if err != nil {
		return err
	}
	if len(own) == 0 {
		return problem.New(problem.BadInput, "%s has no address that a mail could be for.", im.owner.Name)
	}
	rows, err := im.s.Mail.Intake(im.e.ctx, raw, mail.Envelope{To: []string{own[0].Email()}, Remote: "import"})
	if err != nil {
		var p *problem.Problem
		if errors.As(err, &p) && p.Condition != problem.Internal && p.Condition != problem.Unavailable {
			return im.outcome(importLine{File: name, Outcome: calendar.ImportRefused, Reason: p.Sentence})
		}
		return err
	}
	for _, x := range rows {
		if err := im.outcome(importLine{File: name, UID: x.UID, Outcome: x.State, Reason: x.Sentence}); err != nil {
			return err
		}
	}
	return nil
}

// readMail reads one mail up to mail.max-message-size; whole is false when
// there is more of it.
func readMail(r io.Reader, cfg config.Config) (raw []byte, whole bool, err error) {
	limit := cfg.Mail.MaxMessageSize
	if limit == 0 {
		limit = math.MaxInt64 - 1 // no limit
	}
	raw, err = io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(raw)) > limit {
		return raw[:limit], false, err
	}
	return raw, true, err
}

// mbox splits at the lines "From " (RFC 4155) and takes each mail.
func (im *importer) mbox(name string, in *bufio.Reader) error {
	var one bytes.Buffer
	n, blank := 0, true
	flush := func() error {
		defer one.Reset()
		if one.Len() == 0 {
			return nil
		}
		n++
		return im.mail(fmt.Sprintf("%s message %d", name, n), &one)
	}
	for {
		line, err := in.ReadBytes('\n')
		if blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := flush(); err != nil {
				return err
			}
		} else {
			// ">From " at the start of a line was quoted by the writer.
			if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) && line[0] == '>' {
				line = line[1:]
			}
			one.Write(line)
		}
		blank = len(bytes.TrimSpace(line)) == 0
		if err == io.EOF {
			return flush()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}
