package calendar

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// A subscribed calendar follows an address on the web: what is there is here,
// and nobody changes it. Package subscription fetches; this file keeps.

// How often an address is asked: what its owner wishes, within these.
const (
	SubscriptionEvery = time.Hour
	leastEvery        = 15 * time.Minute
	mostEvery         = 7 * 24 * time.Hour
	maxBackOff        = 24 * time.Hour
	// claimedFor is how long one node has a subscription to itself.
	claimedFor = 10 * time.Minute
	// maxSubscriptions of one account.
	maxSubscriptions = 100
)

// SubscriptionView is a subscription with its calendar.
type SubscriptionView struct {
	store.Subscription
	Calendar store.Collection
}

// SubscribeRequest makes a calendar that follows an address.
type SubscribeRequest struct {
	By          account.Actor
	Owner       store.AccountID
	Name        string // URL segment
	DisplayName string
	Color       string
	URL         string // http, https, webcal or webcals
}

// Subscribe makes the calendar, empty until it is fetched, which is at once.
func (s *Service) Subscribe(ctx context.Context, req SubscribeRequest) (SubscriptionView, error) {
	address, err := subscriptionURL(req.URL)
	if err != nil {
		return SubscriptionView{}, err
	}
	if err := checkName(req.Name); err != nil {
		return SubscriptionView{}, err
	}
	var out SubscriptionView
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if req.By.Account != req.Owner {
			return problem.New(problem.NeedPrivileges, "You can subscribe in your own home only.")
		}
		have, err := tx.Subscriptions(req.Owner)
		if err != nil {
			return err
		}
		if len(have) >= maxSubscriptions {
			return problem.New(problem.InsufficientStorage, "There are %d subscriptions already.", maxSubscriptions)
		}
		c := store.Collection{Account: req.Owner, Name: req.Name, Kind: store.Subscribed, DisplayName: cmp.Or(req.DisplayName, req.Name), Color: req.Color, Transparent: true, Created: s.now()}
		if err := checkCollection(&c); err != nil {
			return err
		}
		if err := tx.AddCollection(&c); errors.Is(err, store.ErrExists) {
			return problem.New(problem.ResourceMustBeNull, "There is already a calendar with the name %s.", c.Name).At(c.Name + "/").Because(err)
		} else if err != nil {
			return err
		}
		out = SubscriptionView{store.Subscription{Account: req.Owner, Collection: c.ID, URL: address, Every: SubscriptionEvery, Due: s.now()}, c}
		return tx.PutSubscription(out.Subscription)
	})
	return out, err
}

// subscriptionURL is an address as it is fetched.
func subscriptionURL(given string) (string, error) {
	given = strings.TrimSpace(given)
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || len(given) > 4000 {
		return "", problem.New(problem.BadInput, "%q is no address of a calendar; it is like https://example.org/calendar.ics.", clip(given))
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
	case "webcal":
		u.Scheme = "http"
	case "webcals":
		u.Scheme = "https"
	default:
		return "", problem.New(problem.BadInput, "A calendar is fetched by https, http or webcal, not by %s.", clip(u.Scheme))
	}
	u.Fragment = ""
	return u.String(), nil
}

// Subscriptions lists what an account follows, with age and errors.
func (s *Service) Subscriptions(ctx context.Context, by account.Actor, owner store.AccountID) ([]SubscriptionView, error) {
	var out []SubscriptionView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "What someone has subscribed to is their own business.")
		}
		list, err := tx.Subscriptions(owner)
		if err != nil {
			return err
		}
		for _, sub := range list {
			c, err := tx.Collection(owner, sub.Collection)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, SubscriptionView{sub, c})
		}
		return nil
	})
	return out, err
}

// RefreshSoon asks for a subscription to be fetched at once.
func (s *Service) RefreshSoon(ctx context.Context, by account.Actor, owner store.AccountID, collection int64) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		sub, err := tx.SubscriptionOf(owner, collection)
		if errors.Is(err, store.ErrNotFound) || err == nil && by.Account != owner {
			return problem.New(problem.NotFound, "There is no such subscription.")
		}
		if err != nil {
			return err
		}
		sub.Due = s.now()
		return tx.PutSubscription(sub)
	})
}

// ClaimSubscriptions gives some whose time has come to the caller, who has
// them to itself for a while.
func (s *Service) ClaimSubscriptions(ctx context.Context, limit int) ([]store.Subscription, error) {
	var list []store.Subscription
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if list, err = tx.DueSubscriptions(s.now(), limit); err != nil {
			return err
		}
		for _, sub := range list {
			sub.Due = s.now().Add(claimedFor)
			if err := tx.PutSubscription(sub); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Fetched is an answer of a subscription's address.
type Fetched struct {
	Body               io.Reader // nil: not modified
	ETag, LastModified string
}

// Refreshed takes the content of an address over: what is new comes, what has
// changed changes, what is no longer there goes. A source that cannot be read
// to its end changes nothing.
func (s *Service) Refreshed(ctx context.Context, sub store.Subscription, f Fetched) error {
	if f.Body == nil {
		return s.settleSubscription(ctx, sub, func(now *store.Subscription) {
			now.ETag, now.LastModified = cmp.Or(f.ETag, now.ETag), cmp.Or(f.LastModified, now.LastModified)
		})
	}
	digest := sha256.New()
	drafts, every, name, err := s.readFeed(io.TeeReader(f.Body, digest))
	if err != nil {
		return err
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	if sum != sub.Digest {
		if err := s.followFeed(ctx, sub, drafts); err != nil {
			return err
		}
		if name != "" {
			if err := s.nameFeed(ctx, sub, name); err != nil {
				return err
			}
		}
	}
	return s.settleSubscription(ctx, sub, func(now *store.Subscription) {
		now.ETag, now.LastModified, now.Digest = f.ETag, f.LastModified, sum
		if every > 0 {
			now.Every = min(max(every, leastEvery), mostEvery)
		}
	})
}

// readFeed reads all objects of a source. Broken ones are left out; the first
// of those with one UID counts.
func (s *Service) readFeed(in io.Reader) (drafts []*draft, every time.Duration, name string, err error) {
	r := ical.NewReader(in)
	seen := map[string]bool{}
	for n := 0; ; n++ {
		cal, err := r.Next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return nil, 0, "", problem.New(problem.InvalidCalendarData, "There is no calendar at the address: what it answers is not iCalendar.")
			}
			_, err := io.Copy(io.Discard, in) // for the digest
			return drafts, every, name, err
		}
		if err != nil {
			var pe *ical.ParseError
			if errors.As(err, &pe) {
				return nil, 0, "", problem.New(problem.InvalidCalendarData, "What the address answers cannot be read: %v.", trimDot(err)).Because(err)
			}
			return nil, 0, "", err
		}
		if slices.ContainsFunc(cal.Repairs, func(r ical.Repair) bool { return r.What == ical.RepairNoEnd }) { // half a file is not what its owner published
			return nil, 0, "", problem.New(problem.InvalidCalendarData, "What the address answers cannot be read: it ends in the middle.")
		}
		if n == 0 {
			name = strings.TrimSpace(cmp.Or(cal.Text("NAME"), cal.Text("X-WR-CALNAME")))
			for _, key := range []string{"REFRESH-INTERVAL", "X-PUBLISHED-TTL"} { // RFC 7986 5.7
				if p := cal.Prop(key); p != nil && every == 0 {
					if d, err := p.Duration(); err == nil {
						every = time.Duration(d.Days)*24*time.Hour + d.Exact
					}
				}
			}
		}
		cal.Remove("METHOD")
		for _, p := range s.pieces(cal) {
			if p.d != nil && !seen[p.d.uid] {
				seen[p.d.uid] = true
				drafts = append(drafts, p.d)
			}
		}
	}
}

// followFeed brings the calendar in line with its source, some hundred objects
// in a transaction.
func (s *Service) followFeed(ctx context.Context, sub store.Subscription, drafts []*draft) error {
	var c store.Collection
	have := map[string]store.Object{} // by UID
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		if c, err = tx.Collection(sub.Account, sub.Collection); err != nil {
			return err
		}
		clear(have)
		for o, err := range tx.ListObjects(sub.Account, sub.Collection) {
			if err != nil {
				return err
			}
			have[o.UID] = o
		}
		return nil
	})
	if err != nil {
		return err
	}
	stays := make(map[string]bool, len(drafts))
	for _, d := range drafts {
		stays[d.uid] = true
	}
	var gone []int64
	for uid, o := range have {
		if !stays[uid] {
			gone = append(gone, o.ID)
		}
	}
	for part := range slices.Chunk(drafts, importBatch) {
		if err := s.store.Update(ctx, func(tx *store.Tx) error {
			for _, d := range part {
				ch := change{coll: c, new: d, imp: true}
				if o, ok := have[d.uid]; ok {
					if o.ETag == d.etag {
						continue
					}
					ch.old, ch.name = &o, o.Name
				} else {
					var err error
					if ch.name, err = freeName(tx, c, d.uid); err != nil {
						return err
					}
				}
				// Nobody here schedules: it is another's calendar.
				var e effect
				if err := s.write(tx, ch, planned{out: &itip.Outcome{Object: d.cal}}, &e); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(gone, importBatch) {
		if err := s.store.Update(ctx, func(tx *store.Tx) error {
			for _, id := range part {
				if err := tx.DeleteObject(sub.Account, id); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// nameFeed gives the calendar the name its source has, unless its owner chose one.
func (s *Service) nameFeed(ctx context.Context, sub store.Subscription, name string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Collection(sub.Account, sub.Collection)
		if err != nil || c.DisplayName != c.Name {
			return err
		}
		c.DisplayName = clipTo(name, 200)
		return tx.UpdateCollection(c)
	})
}

func (s *Service) settleSubscription(ctx context.Context, sub store.Subscription, edit func(*store.Subscription)) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.SubscriptionOf(sub.Account, sub.Collection)
		if errors.Is(err, store.ErrNotFound) {
			return nil // ended meanwhile
		}
		if err != nil {
			return err
		}
		edit(&now)
		now.Tried, now.Refreshed, now.Failures, now.Error = s.now(), s.now(), 0, ""
		now.Due = s.now().Add(now.Every)
		return tx.PutSubscription(now)
	})
}

// RefreshFailed notes that an address could not be followed: the calendar stays
// as it is, and the address is asked again after a pause that grows.
func (s *Service) RefreshFailed(ctx context.Context, sub store.Subscription, sentence string, after time.Duration) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.SubscriptionOf(sub.Account, sub.Collection)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now.Failures++
		pause := leastEvery << min(now.Failures-1, 10)
		now.Tried, now.Error = s.now(), clipTo(sentence, 500)
		now.Due = s.now().Add(min(max(pause, after), maxBackOff))
		return tx.PutSubscription(now)
	})
}

// follows refuses what would change a calendar that follows an address.
func follows(c store.Collection) error {
	if c.Kind != store.Subscribed {
		return nil
	}
	return problem.New(problem.NeedPrivileges, "The calendar %s follows an address on the web and changes with it alone. Copy the event into a calendar of yours.", title(c)).At(c.Name + "/")
}
