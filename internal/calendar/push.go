package calendar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// WebDAV-Push (draft-bitfire-webdav-push): readers of a calendar, inbox or home
// register where they want to be told that something has changed. What they
// are told of is here; how it is told is package push.

// Conditions of registrations.
const (
	InvalidSubscription problem.Condition = "invalid-subscription"
	NoSupportedTrigger  problem.Condition = "no-supported-trigger"
	PushNotAvailable    problem.Condition = "push-not-available"
)

const (
	maxPush     = 200                 // registrations of one account
	maxPushTime = 14 * 24 * time.Hour // a client renews before
	minPushTime = time.Hour
	// pushLease keeps what one node sends from the others meanwhile.
	pushLease = 2 * time.Minute
	// pushPause between two messages to one reader about one collection:
	// what changes meanwhile is told in one.
	pushPause = 15 * time.Second
	// pushPatience is how long a push service may fail before its registrations go.
	pushPatience = 3 * 24 * time.Hour
	maxPushRetry = 6 * time.Hour
)

// PushRequest is a registration for a collection, or for a home (Collection "").
type PushRequest struct {
	By                account.Actor
	Owner             store.AccountID
	Collection        string
	Resource          string // where the push service takes messages, checked by the caller
	Secrets           string // for the content, in the sender's form
	Content, Property bool
	Expires           time.Time // as the client wants it; zero: as long as possible
}

// RegisterPush registers a reader or renews the registration.
func (s *Service) RegisterPush(ctx context.Context, req PushRequest) (reg store.PushRegistration, created bool, err error) {
	sum := sha256.Sum256([]byte(req.Resource))
	token := rand.Text()
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		reg = store.PushRegistration{
			Token: token, Account: req.Owner, Reader: req.By.Account, Resource: req.Resource, Digest: hex.EncodeToString(sum[:16]), Secrets: req.Secrets,
			Content: req.Content, Property: req.Property, Created: now, Expires: now.Add(maxPushTime), Due: now,
		}
		if !req.Expires.IsZero() && req.Expires.Before(reg.Expires) {
			reg.Expires = req.Expires
			if least := now.Add(minPushTime); reg.Expires.Before(least) {
				reg.Expires = least
			}
		}
		switch {
		case req.Collection != "":
			c, _, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Read)
			if err != nil {
				return err
			}
			reg.Collection = c.ID
		case req.Owner != req.By.Account:
			return problem.New(PushNotAvailable, "Only its owner is told of changes of a home; register for the calendars in it.")
		}
		if _, err := s.pushState(tx, &reg); err != nil {
			return err
		}
		n, err := tx.CountPush(req.By.Account)
		if err != nil {
			return err
		}
		if created, err = tx.PutPush(&reg); err == nil && created && n >= maxPush {
			return problem.New(PushNotAvailable, "You have %d push registrations already; end some first.", n)
		}
		return err
	})
	return reg, created, err
}

// UnregisterPush ends a registration of one's own.
func (s *Service) UnregisterPush(ctx context.Context, by account.Actor, token string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Push(token)
		if errors.Is(err, store.ErrNotFound) || err == nil && (p.Reader != by.Account || !p.Expires.After(s.now())) {
			return problem.New(problem.NotFound, "There is no such push registration; it may have ended.")
		}
		if err != nil {
			return err
		}
		return tx.DeletePush(token)
	})
}

// pushNews is what has changed since a registration's reader was told.
type pushNews struct {
	content, property, gone bool
}

// pushState sets what the registration's reader knows to what is now.
func (s *Service) pushState(tx *store.Tx, p *store.PushRegistration) (news pushNews, err error) {
	if p.Collection == 0 {
		seq, err := tx.HomeSeq(p.Account)
		news.content = seq > p.Seen
		p.Seen, p.Changed = seq, seq
		return news, err
	}
	c, err := tx.Collection(p.Account, p.Collection)
	if errors.Is(err, store.ErrNotFound) {
		return pushNews{content: true, gone: true}, nil
	}
	if err != nil {
		return news, err
	}
	if p.Changed, err = tx.CollectionChange(p.Account, p.Collection); err != nil {
		return news, err
	}
	text, err := json.Marshal([]any{c.Name, c.DisplayName, c.Description, c.Color, c.Order, c.Components, c.TimeZone, c.Transparent, c.Properties})
	if err != nil {
		return news, err
	}
	sum := sha256.Sum256(text)
	looks := hex.EncodeToString(sum[:12])
	news.content, news.property = c.Seq > p.Seen, looks != p.Looks
	p.Seen, p.Looks = c.Seq, looks
	return news, nil
}

// PushMessage is what a reader is to be told.
type PushMessage struct {
	store.PushRegistration        // as it is when the message has arrived
	Topic                  string // of the collection, whatever its address
	SyncToken              string // of its state; "" when it is gone
	Content, Property      bool
	gone                   bool
}

// PushTopic names a collection for push, whatever its address is.
func PushTopic(owner store.AccountID, collection int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "push %d %d", owner, collection))
	return hex.EncodeToString(sum[:12])
}

// SyncToken names a state of a collection, or of a home (collection 0), for
// clients: an absolute URI, opaque to them (RFC 6578 4).
func SyncToken(owner store.AccountID, collection, seq int64) string {
	return fmt.Sprintf("%s%d-%d-%d", SyncScheme, owner, collection, seq)
}

// SyncScheme begins every sync token.
const SyncScheme = "data:,sync-"

// ClaimPush gives messages that are due, each to one caller; what becomes of
// them is told with [Service.PushDone]. Registrations whose reader may not
// read any more end here; that the resource is gone for them is the message.
func (s *Service) ClaimPush(ctx context.Context, limit int) (out []PushMessage, err error) {
	waits := false
	if err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		waits, err = tx.PushWaits(s.now())
		return err
	}); err != nil || !waits {
		return nil, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		out = nil
		now := s.now()
		list, err := tx.DuePush(now, now.Add(pushLease), limit)
		if err != nil {
			return err
		}
		for _, p := range list {
			m := PushMessage{Topic: PushTopic(p.Account, p.Collection)}
			readable, err := s.mayBeTold(tx, p)
			if err != nil {
				return err
			}
			news, err := s.pushState(tx, &p)
			if err != nil {
				return err
			}
			if !readable {
				news = pushNews{content: true, gone: true}
			}
			m.PushRegistration, m.gone = p, news.gone
			m.Content, m.Property = news.content && p.Content, news.property && p.Property
			if !news.gone {
				m.SyncToken = SyncToken(p.Account, p.Collection, p.Seen)
			}
			switch {
			case m.Content || m.Property:
				out = append(out, m)
			case news.gone:
				err = tx.DeletePush(p.Token)
			default: // a change that nobody asked for
				_, err = tx.PutPush(&p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) mayBeTold(tx *store.Tx, p store.PushRegistration) (bool, error) {
	a, err := tx.Account(p.Reader)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Disabled {
		return false, nil
	}
	if err != nil || p.Collection == 0 {
		return err == nil, err
	}
	c, err := tx.Collection(p.Account, p.Collection)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	have, err := s.acl.OfCollection(tx, p.Reader, &c)
	return have >= acl.Read, err
}

// PushOutcome is what a push service said.
type PushOutcome struct {
	Told  bool
	Gone  bool          // it knows the push resource no more (404, 410)
	Again time.Duration // it asks for patience; 0: it did not
}

// PushDone notes what became of a message.
func (s *Service) PushDone(ctx context.Context, m PushMessage, o PushOutcome) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		p, err := tx.Push(m.Token)
		if errors.Is(err, store.ErrNotFound) {
			return nil // ended meanwhile
		}
		if err != nil {
			return err
		}
		if p.Failing.IsZero() {
			p.Failing = now
		}
		switch {
		case o.Gone, m.gone, !o.Told && now.Sub(p.Failing) > pushPatience:
			return tx.DeletePush(m.Token)
		case o.Told:
			p.Seen, p.Changed, p.Looks = m.Seen, m.Changed, m.Looks
			p.Due, p.Failing = now.Add(pushPause), time.Time{}
		default:
			// As long again as it has failed, within bounds.
			p.Due = now.Add(min(max(now.Sub(p.Failing), time.Minute, o.Again), maxPushRetry))
		}
		_, err = tx.PutPush(&p)
		return err
	})
}

// Quiet is a promise not to tell certain readers of a change they make
// themselves (Push-Dont-Notify).
type Quiet struct {
	owner  store.AccountID
	tokens []string // of registrations that knew everything before
}

// QuietPush begins such a change of something in a home: tokens of the actor's
// own registrations, or all of them. Who changes something in another's home
// keeps it from nobody else.
func (s *Service) QuietPush(ctx context.Context, by account.Actor, owner store.AccountID, tokens []string, all bool) (Quiet, error) {
	q := Quiet{owner: owner}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		q.tokens = nil
		list, err := tx.PushOf(owner)
		if err != nil {
			return err
		}
		for _, p := range list {
			if mine := p.Reader == by.Account; !mine && (!all || owner != by.Account) || !all && !slices.Contains(tokens, p.Token) {
				continue
			}
			before := p.Changed
			news, err := s.pushState(tx, &p)
			if err != nil {
				return err
			}
			if p.Changed == before && !news.gone {
				q.tokens = append(q.tokens, p.Token)
			}
		}
		return nil
	})
	return q, err
}

// EndQuiet ends it after the change: its readers know what is now.
func (s *Service) EndQuiet(ctx context.Context, q Quiet) error {
	if len(q.tokens) == 0 {
		return nil
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		for _, token := range q.tokens {
			p, err := tx.Push(token)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := s.pushState(tx, &p); err != nil {
				return err
			}
			if _, err := tx.PutPush(&p); err != nil {
				return err
			}
		}
		return nil
	})
}

// PushKey is the key of this service towards push services; fresh is kept where
// there is none yet.
func (s *Service) PushKey(ctx context.Context, fresh []byte) (key []byte, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
		key, err = tx.PushKey(fresh)
		return err
	})
	return key, err
}
