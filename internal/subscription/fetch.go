package subscription

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/publicnet"
	"github.com/convene-cal/convene/internal/store"
)

// Options of a fetcher. Calendar is required.
type Options struct {
	Calendar     *calendar.Service
	AllowPrivate bool          // fetch from this machine and private networks too
	MaxSize      int64         // octets of one source, decompressed; 0 = DefaultMaxSize
	Timeout      time.Duration // for one source; 0 = a minute
	Every        time.Duration // how often to look what is due; 0 = half a minute
	Log          *slog.Logger
	Now          func() time.Time
}

// DefaultMaxSize holds more than a hundred thousand events. Anybody who has an
// account chooses what is fetched, compressed to a hundredth perhaps, and
// reading takes some thirty times the size.
const DefaultMaxSize = 16 << 20

const (
	claimAtOnce  = 8
	maxRedirects = 5
)

// Fetcher follows addresses. It is safe for concurrent use.
type Fetcher struct {
	o      Options
	client *http.Client
}

// New makes a fetcher.
func New(o Options) *Fetcher {
	if o.MaxSize <= 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Every <= 0 {
		o.Every = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Fetcher{o: o}
	f.client = &http.Client{
		Transport: publicnet.Transport(o.AllowPrivate),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("it redirects too often")
			}
			if r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return fmt.Errorf("it redirects to %s", r.URL.Scheme)
			}
			return nil
		},
	}
	return f
}

// Run fetches what is due until ctx ends. Several nodes may do it at once.
func (f *Fetcher) Run(ctx context.Context) error {
	tick := time.NewTicker(f.o.Every)
	defer tick.Stop()
	for {
		for {
			n, err := f.Due(ctx)
			if err != nil && ctx.Err() == nil {
				f.o.Log.Error("subscriptions could not be looked at", "error", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Due fetches some of the subscriptions whose time has come, and counts them.
func (f *Fetcher) Due(ctx context.Context) (int, error) {
	list, err := f.o.Calendar.ClaimSubscriptions(ctx, claimAtOnce)
	if err != nil {
		return 0, err
	}
	// Several at once, so that a slow address keeps only its own follower
	// waiting; few, because each holds a calendar in memory while it is read.
	var wg sync.WaitGroup
	errs := make([]error, len(list))
	free := make(chan struct{}, fetchAtOnce)
	for i, sub := range list {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			errs[i] = f.Fetch(ctx, sub)
		})
	}
	wg.Wait()
	return len(list), errors.Join(errs...)
}

// fetchAtOnce addresses are asked at the same time.
const fetchAtOnce = 8

// Fetch asks the address of a subscription once. That it could not be followed
// is noted with the subscription and no error.
func (f *Fetcher) Fetch(ctx context.Context, sub store.Subscription) error {
	after, err := f.fetch(ctx, sub)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return f.o.Calendar.RefreshFailed(ctx, sub, sentence(err), after)
}

// sentence for the one who subscribed; an address may hold a secret.
func sentence(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if p := problem.Of(err); p.Condition != problem.Internal {
		return p.Sentence
	}
	return "The address could not be fetched: " + strings.TrimSuffix(err.Error(), ".") + "."
}

func (f *Fetcher) fetch(ctx context.Context, sub store.Subscription) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, sub.URL, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Accept", "text/calendar, text/plain;q=0.5, */*;q=0.1")
	r.Header.Set("User-Agent", "Convene (calendar subscription)")
	if sub.Digest != "" {
		if sub.ETag != "" {
			r.Header.Set("If-None-Match", sub.ETag)
		}
		if sub.LastModified != "" {
			r.Header.Set("If-Modified-Since", sub.LastModified)
		}
	}
	res, err := f.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	got := calendar.Fetched{ETag: short(res.Header.Get("ETag")), LastModified: short(res.Header.Get("Last-Modified"))}
	switch {
	case res.StatusCode == http.StatusNotModified && sub.Digest != "":
		return 0, f.o.Calendar.Refreshed(ctx, sub, got)
	case res.StatusCode != http.StatusOK:
		return f.retryAfter(res), fmt.Errorf("it answers %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	case res.ContentLength > f.o.MaxSize:
		return 0, f.tooLarge()
	}
	body := &limited{in: res.Body, left: f.o.MaxSize, err: f.tooLarge()}
	got.Body = body
	return 0, f.o.Calendar.Refreshed(ctx, sub, got)
}

func (f *Fetcher) tooLarge() error { return fmt.Errorf("it has more than %d octets", f.o.MaxSize) }

// short keeps validators that are reasonably so.
func short(s string) string {
	if len(s) > 500 {
		return ""
	}
	return s
}

// retryAfter is what the other side asks for (RFC 9110 10.2.3).
func (f *Fetcher) retryAfter(res *http.Response) time.Duration {
	v := res.Header.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(min(n, 7*24*3600)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return t.Sub(f.o.Now())
	}
	return 0
}

// limited fails where a reader is longer than it may be.
type limited struct {
	in   io.Reader
	left int64
	err  error
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.err
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.in.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, l.err
	}
	return n, err
}
