package mailbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Intake takes one mail, as it stands, for an address. An error that matches
// ErrNotOurs is final; after any other the mail is tried again.
type Intake func(ctx context.Context, raw []byte, to string) error

// ErrNotOurs is a mail that nobody here is a recipient of.
var ErrNotOurs = errors.New("no recipient here")

// Options of a Watcher.
type Options struct {
	Box     Box
	Intake  Intake
	MaxSize int64         // octets of one mail; larger ones are passed over
	Poll    time.Duration // between looks where nothing is told; 0 = a minute without IDLE, ten with
	Retry   time.Duration // before the second try of a connection that fails, then doubled; 0 = a second
	TLS     *tls.Config   // roots; nil = the system's
	Now     func() time.Time
	Log     *slog.Logger
}

// Times of a watcher.
const (
	pollTime   = time.Minute
	idleTime   = 10 * time.Minute // a server that tells nothing for so long is asked
	settleTime = time.Second      // the first IDLE after news: what came between the search and it, some servers never tell
	retryTime  = time.Second
	maxRetry   = 5 * time.Minute
	dialTime   = 30 * time.Second
	portion    = 50 // messages looked at in one command
	maxUnknown = 3  // tries of a mail that the intake fails on, before it is passed over for this connection
)

// keyword marks what was looked at (RFC 3501 2.3.2).
const keyword = imap.Flag("$Convene")

// Watch watches a mailbox until ctx ends. It goes on through every failure of
// the mailbox, less and less often, and writes them to the log.
func Watch(ctx context.Context, o Options) {
	wait := max(o.Retry, 0)
	if wait == 0 {
		wait = retryTime
	}
	first := wait
	for ctx.Err() == nil {
		w := &watcher{o: o, failed: map[imap.UID]int{}, news: make(chan struct{}, 1)}
		err := w.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if w.worked {
			wait = first
		}
		o.Log.Warn("a mailbox cannot be watched; it will be tried again", "mailbox", o.Box.String(), "error", err, "after", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, maxRetry)
	}
}

// watcher is one connection.
type watcher struct {
	o        Options
	c        *imapclient.Client
	keywords bool // the server keeps them
	last     imap.UID
	settled  bool // nothing was new at the last look
	failed   map[imap.UID]int
	news     chan struct{}
	worked   bool // the mailbox was open
}

func (w *watcher) run(ctx context.Context) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { w.c.Close() }) // whatever waits ends with ctx
	defer stop()
	defer w.c.Close()
	if err := w.c.Login(w.o.Box.User, w.o.Box.Password).Wait(); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	box, err := w.c.Select(w.o.Box.Folder, nil).Wait()
	if err != nil {
		return fmt.Errorf("open %s: %w", w.o.Box.Folder, err)
	}
	w.worked = true
	for _, f := range box.PermanentFlags {
		w.keywords = w.keywords || f == imap.FlagWildcard || strings.EqualFold(string(f), string(keyword))
	}
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

func (w *watcher) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.o.Box.Address)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(w.o.Box.Address)
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.o.TLS != nil {
		config = w.o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	options := &imapclient.Options{
		TLSConfig:   config,
		WordDecoder: &mime.WordDecoder{},
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				select {
				case w.news <- struct{}{}:
				default:
				}
			}
		}},
	}
	switch w.o.Box.TLS {
	case "implicit":
		encrypted := tls.Client(conn, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			conn.Close()
			return err
		}
		w.c = imapclient.New(encrypted, options)
	case "starttls":
		if w.c, err = imapclient.NewStartTLS(conn, options); err != nil {
			conn.Close()
			return err
		}
	default:
		w.c = imapclient.New(conn, options)
	}
	if err := w.c.WaitGreeting(); err != nil {
		w.c.Close()
		return err
	}
	return nil
}

// look takes in what has come.
func (w *watcher) look(ctx context.Context) error {
	criteria := &imap.SearchCriteria{Since: w.o.Now().Add(-w.o.Box.Since).AddDate(0, 0, -1)} // SINCE knows days only, in no zone
	if w.keywords {
		criteria.NotFlag = []imap.Flag{keyword}
	} else if w.last > 0 {
		criteria.UID = []imap.UIDSet{{imap.UIDRange{Start: w.last + 1}}}
	}
	found, err := w.c.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	uids := found.AllUIDs()
	w.settled = w.settled && len(uids) == 0
	for len(uids) > 0 {
		n := min(portion, len(uids))
		if err := w.portion(ctx, uids[:n]); err != nil {
			return err
		}
		uids = uids[n:]
	}
	return nil
}

// portion looks at the structure of some messages and takes those that matter.
func (w *watcher) portion(ctx context.Context, uids []imap.UID) error {
	var set imap.UIDSet
	set.AddNum(uids...)
	list, err := w.c.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}).Collect()
	if err != nil {
		return fmt.Errorf("fetch structures: %w", err)
	}
	var done imap.UIDSet
	for _, m := range list {
		if m.UID <= w.last && !w.keywords { // "*" in a range gives the last message in any case
			continue
		}
		switch {
		case !interesting(m.BodyStructure):
		case w.o.MaxSize > 0 && m.RFC822Size > w.o.MaxSize:
			w.o.Log.Warn("a mail in a mailbox is too large to be taken", "mailbox", w.o.Box.String(), "uid", m.UID, "octets", m.RFC822Size)
		default:
			taken, err := w.take(ctx, m.UID)
			if err != nil {
				return err
			}
			if !taken {
				continue
			}
		}
		done.AddNum(m.UID)
		w.last = max(w.last, m.UID)
	}
	if !w.keywords || len(done) == 0 {
		return nil
	}
	err = w.c.Store(done, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{keyword}}, nil).Close()
	if err != nil {
		return fmt.Errorf("mark messages: %w", err)
	}
	return nil
}

// interesting tells whether a message can be about scheduling.
func interesting(b imap.BodyStructure) bool {
	if b == nil {
		return true
	}
	found := false
	b.Walk(func(_ []int, part imap.BodyStructure) bool {
		switch t := strings.ToLower(part.MediaType()); t {
		case "text/calendar", "application/ics", "multipart/report", "multipart/signed", "multipart/encrypted",
			"application/pkcs7-mime", "application/x-pkcs7-mime", "application/ms-tnef", "message/delivery-status":
			found = true
		default:
			if single, ok := part.(*imap.BodyStructureSinglePart); ok {
				name := strings.ToLower(single.Filename())
				found = found || strings.HasSuffix(name, ".ics") || strings.HasSuffix(name, ".ifb") || name == "winmail.dat"
			}
		}
		return !found
	})
	return found
}

// take gives one message to the intake. The error is the connection's.
func (w *watcher) take(ctx context.Context, uid imap.UID) (bool, error) {
	section := &imap.FetchItemBodySection{Peek: true} // it stays unread
	cmd := w.c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}})
	defer cmd.Close()
	var raw []byte
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil {
				continue
			}
			var err error
			limit := w.o.MaxSize
			if limit <= 0 {
				limit = 1 << 40
			}
			if raw, err = io.ReadAll(io.LimitReader(body.Literal, limit+1)); err != nil {
				return false, fmt.Errorf("fetch message %d: %w", uid, err)
			}
			if _, err := io.Copy(io.Discard, body.Literal); err != nil { // larger than it said
				return false, fmt.Errorf("fetch message %d: %w", uid, err)
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return false, fmt.Errorf("fetch message %d: %w", uid, err)
	}
	if raw == nil || w.o.MaxSize > 0 && int64(len(raw)) > w.o.MaxSize {
		return true, nil // deleted meanwhile, or not what it said
	}
	switch err := w.o.Intake(ctx, raw, w.o.Box.To); {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotOurs):
		w.o.Log.Info("a mail in a mailbox is for nobody here", "mailbox", w.o.Box.String(), "uid", uid)
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	default:
		w.failed[uid]++
		w.o.Log.Error("a mail from a mailbox could not be stored; it will be tried again", "mailbox", w.o.Box.String(), "uid", uid, "error", err)
		return w.failed[uid] >= maxUnknown && !w.keywords, nil
	}
}

// wait returns when there may be something new.
func (w *watcher) wait(ctx context.Context) error {
	poll, idle := cmp.Or(w.o.Poll, w.o.Box.Poll), w.c.Caps().Has(imap.CapIdle)
	if poll == 0 {
		poll = pollTime
		switch {
		case idle && !w.settled:
			poll = settleTime
		case idle && len(w.failed) == 0:
			poll = idleTime
		}
	}
	w.settled = true
	timer := time.NewTimer(poll)
	defer timer.Stop()
	if !idle {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.c.Closed():
			return io.ErrUnexpectedEOF
		case <-timer.C:
		}
		return w.c.Noop().Wait()
	}
	cmd, err := w.c.Idle()
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.c.Closed():
		return io.ErrUnexpectedEOF
	case <-w.news:
	case <-timer.C:
	}
	if err := cmd.Close(); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	return cmd.Wait()
}
