package push

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/publicnet"
)

// Options of a sender. Calendar, Key and Changed are required.
type Options struct {
	Calendar     *calendar.Service
	Key          *Key
	Contact      string                 // who answers for this service: mailto: or https: (RFC 8292 2.1)
	Changed      func() <-chan struct{} // closed at the next change of anything
	AllowPrivate bool                   // this machine and private networks too, without TLS
	Log          *slog.Logger
	Now          func() time.Time
}

const (
	atOnce = 16
	// gather is how long a change waits for those that follow it at once.
	gather = 2 * time.Second
	// patience with a push service: the messages of others wait meanwhile.
	patience = 15 * time.Second
	// look is how often what waits for its time is looked for.
	look = 30 * time.Second
	// timeToLive is how long a push service keeps a message for a reader that is
	// away (RFC 8030 5.2): who comes back later synchronises anyway.
	timeToLive = 24 * time.Hour
	// maxResource is more than any push service's addresses have.
	maxResource = 2000
)

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	o      Options
	client *http.Client
}

// New makes a sender.
func New(o Options) *Sender {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sender{o: o, client: &http.Client{
		Transport:     publicnet.Transport(o.AllowPrivate),
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // RFC 8030 has none
	}}
}

// PublicKey is what clients give to their push service.
func (s *Sender) PublicKey() string { return s.o.Key.Public() }

// Secrets reads what a reader gave to encrypt its messages with, in the form in
// which it is kept.
func (s *Sender) Secrets(key, auth string) (string, error) {
	out, err := ParseSecrets(key, auth)
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Check reports why a push resource cannot be sent to.
func (s *Sender) Check(resource string) error { return check(resource, s.o.AllowPrivate) }

func check(resource string, allowPrivate bool) error {
	u, err := url.Parse(resource)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return errors.New("the push resource is not an absolute https URI")
	case len(resource) > maxResource:
		return fmt.Errorf("the push resource has more than %d octets", maxResource)
	case u.Scheme == "http" && allowPrivate:
	case u.Scheme != "https": // draft-bitfire-webdav-push, Security Considerations
		return errors.New("push messages go over https alone")
	}
	if allowPrivate {
		return nil
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !publicnet.Public(a.Unmap()) || u.Hostname() == "localhost" {
		return publicnet.ErrPrivate
	}
	return nil
}

// Run sends what is due until ctx ends. Several nodes may do it at once.
func (s *Sender) Run(ctx context.Context) error {
	for {
		changed := s.o.Changed()
		for {
			n, err := s.Due(ctx)
			if err != nil && ctx.Err() == nil {
				s.o.Log.Error("push messages could not be looked for", "error", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		later := time.NewTimer(look)
		select {
		case <-ctx.Done():
			later.Stop()
			return nil
		case <-changed:
			later.Stop()
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(gather):
			}
		case <-later.C:
		}
	}
}

// Due sends some of the messages that are due, and counts them.
func (s *Sender) Due(ctx context.Context) (int, error) {
	list, err := s.o.Calendar.ClaimPush(ctx, atOnce)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, m := range list {
		wg.Go(func() { errs[i] = s.o.Calendar.PushDone(ctx, m, s.send(ctx, m)) })
	}
	wg.Wait()
	return len(list), errors.Join(errs...)
}

// send posts one message (RFC 8030 5).
func (s *Sender) send(ctx context.Context, m calendar.PushMessage) calendar.PushOutcome {
	res, err := s.post(ctx, m)
	if err != nil {
		s.o.Log.Info("a push message was not sent", "error", hostOnly(err))
		return calendar.PushOutcome{Gone: errors.Is(err, publicnet.ErrPrivate)}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	switch {
	case res.StatusCode/100 == 2:
		return calendar.PushOutcome{Told: true}
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone: // RFC 8030 7.3
		return calendar.PushOutcome{Gone: true}
	}
	s.o.Log.Info("a push service refused a message", "status", res.StatusCode)
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return calendar.PushOutcome{Again: time.Duration(min(max(seconds, 0), 86400)) * time.Second}
}

// hostOnly is an error without the push resource, whose address is a secret.
func hostOnly(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func (s *Sender) post(ctx context.Context, m calendar.PushMessage) (*http.Response, error) {
	u, err := url.Parse(m.Resource)
	if err != nil {
		return nil, err
	}
	to, err := parseKept(m.Secrets)
	if err != nil {
		return nil, err
	}
	body, err := seal(caldav.PushMessage(m.Topic, m.SyncToken, m.Content, m.Property), to)
	if err != nil {
		return nil, err
	}
	authorization, err := s.o.Key.authorization(u, s.o.Contact, s.o.Now())
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Resource, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	h := r.Header
	h.Set("Authorization", authorization)
	h.Set("Content-Encoding", "aes128gcm")
	h.Set("Content-Type", `application/xml; charset="UTF-8"`)
	h.Set("TTL", strconv.Itoa(int(timeToLive/time.Second)))
	h.Set("Urgency", "normal")
	// One that waits at the push service is replaced by one that says as much (RFC 8030 5.4).
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %v %v", m.Token, m.Topic, m.Content, m.Property))
	h.Set("Topic", base64.RawURLEncoding.EncodeToString(sum[:18]))
	h.Set("User-Agent", "Convene")
	return s.client.Do(r)
}
