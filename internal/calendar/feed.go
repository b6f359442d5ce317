package calendar

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// What a feed tells: everything that is not classified, or when its owner is
// busy and nothing else.
const (
	FeedFull = "full"
	FeedBusy = "busy"
)

// maxFeeds of one account.
const maxFeeds = 200

// FeedView is a feed with its calendar.
type FeedView struct {
	store.Feed
	Calendar store.Collection
}

// PublishFeed makes an address under which anyone reads a calendar of one's own. A
// calendar may have several, each with its own detail, to be ended one by one.
func (s *Service) PublishFeed(ctx context.Context, by account.Actor, owner store.AccountID, coll, detail, label string) (FeedView, error) {
	var out FeedView
	if detail != FeedFull && detail != FeedBusy {
		return out, problem.New(problem.BadInput, "A calendar is published in full or for busy time; %q is neither: full or busy.", clip(detail))
	}
	token := rand.Text() // 128 bits at least: as good as a password
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.owned(tx, by, owner, coll)
		if err != nil {
			return err
		}
		if c.Kind != store.Calendar {
			return problem.New(problem.Forbidden, "The scheduling %s cannot be published.", c.Kind)
		}
		have, err := tx.Feeds(owner)
		if err != nil {
			return err
		}
		if len(have) >= maxFeeds {
			return problem.New(problem.InsufficientStorage, "There are %d published addresses already; end one first.", maxFeeds)
		}
		out = FeedView{store.Feed{Account: owner, Collection: c.ID, Token: token, Detail: detail, Label: clipTo(label, 200), Created: s.now()}, c}
		return tx.AddFeed(&out.Feed)
	})
	if err == nil {
		s.audit(by, "publish", "calendar", coll, "detail", detail, "feed", out.ID)
	}
	return out, err
}

// Feeds lists what an account has published, of one calendar or ("") of all.
func (s *Service) Feeds(ctx context.Context, by account.Actor, owner store.AccountID, coll string) ([]FeedView, error) {
	var out []FeedView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		if by.Account != owner {
			return problem.New(problem.NeedPrivileges, "Only the owner of a calendar knows its published addresses.")
		}
		list, err := tx.Feeds(owner)
		if err != nil {
			return err
		}
		for _, f := range list {
			c, err := tx.Collection(owner, f.Collection)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if coll == "" || c.Name == coll {
				out = append(out, FeedView{f, c})
			}
		}
		return nil
	})
	return out, err
}

// UnpublishFeeds ends all published addresses of a calendar.
func (s *Service) UnpublishFeeds(ctx context.Context, by account.Actor, owner store.AccountID, coll string) error {
	list, err := s.Feeds(ctx, by, owner, coll)
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := s.EndFeed(ctx, by, owner, f.ID); err != nil && !problem.Has(err, problem.NotFound) {
			return err
		}
	}
	return nil
}

// EndFeed ends one published address.
func (s *Service) EndFeed(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (err error) {
	defer func() {
		if err == nil {
			s.audit(by, "unpublish", "feed", id)
		}
	}()
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if by.Account != owner {
			return notFound("feed")
		}
		err := tx.DeleteFeed(owner, id)
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.NotFound, "There is no such published address; it may have ended.").Because(err)
		}
		return err
	})
}

// Feed finds what a token publishes, with the version of its content for an
// entity tag. A token that ended is like one that never was.
func (s *Service) Feed(ctx context.Context, token string) (f FeedView, version string, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		feed, err := tx.FeedByToken(token)
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.NotFound, "There is no calendar at this address; its owner may have taken it back.").Because(err)
		}
		if err != nil {
			return err
		}
		c, err := tx.Collection(feed.Account, feed.Collection)
		if err != nil {
			return err
		}
		if a, err := tx.Account(feed.Account); err != nil {
			return err
		} else if a.Disabled { // until the account is enabled again
			return problem.New(problem.NotFound, "There is no calendar at this address; its owner may have taken it back.")
		}
		changed, err := tx.Changed(feed.Account, feed.Collection)
		f, version = FeedView{feed, c}, fmt.Sprintf("%d-%d-%d", feed.ID, c.ID, changed)
		if feed.Detail == FeedBusy { // its window moves with the days
			version += "-" + s.now().Format("20060102")
		}
		return err
	})
	return f, version, err
}

// Busy time of a feed reaches back and ahead so far.
const (
	feedPast   = 31 * 24 * time.Hour
	feedFuture = 366 * 24 * time.Hour
)

// WriteFeed writes what a feed publishes.
func (s *Service) WriteFeed(ctx context.Context, f FeedView, w io.Writer) error {
	if f.Detail == FeedFull {
		return s.store.View(ctx, func(tx *store.Tx) error {
			// Like someone who may read and nothing else, and has nothing of their own.
			every := ical.NewProperty("REFRESH-INTERVAL", "PT1H") // RFC 7986 5.7
			every.SetParam("VALUE", "DURATION")
			v := &reader{s: s}
			if err := v.asOwnerWants(tx, f.Account); err != nil {
				return err
			}
			return s.export(tx, f.Calendar, v, w, every, ical.NewProperty("X-PUBLISHED-TTL", "PT1H"))
		})
	}
	owner, err := s.o.Accounts.Account(ctx, f.Account)
	if err != nil {
		return err
	}
	day := s.now().Truncate(24 * time.Hour)
	from, to := day.Add(-feedPast), day.Add(feedFuture)
	periods, err := s.CalendarBusy(ctx, s.o.Accounts.ActorOf(owner), f.Account, []string{f.Calendar.Name}, from, to)
	if err != nil {
		return err
	}
	cal := ical.New(s.o.ProdID)
	cal.Set("METHOD", "PUBLISH")
	// Events, which every program shows, rather than a VFREEBUSY, which few do.
	for i, p := range periods {
		e := ical.NewComponent("VEVENT")
		e.Set("UID", fmt.Sprintf("busy-%d-%s-%d", f.ID, ical.UTCTime(p.From), i))
		e.Set("DTSTAMP", ical.UTCTime(day).String())
		e.Set("DTSTART", ical.UTCTime(p.From).String())
		e.Set("DTEND", ical.UTCTime(p.To).String())
		e.SetText("SUMMARY", "Busy")
		if p.Type == "BUSY-TENTATIVE" {
			e.Set("STATUS", "TENTATIVE")
		}
		cal.Components = append(cal.Components, e)
	}
	_, err = w.Write(cal.Bytes())
	return err
}
