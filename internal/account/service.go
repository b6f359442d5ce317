package account

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Options of a Service. Zero fields have defaults.
type Options struct {
	Domains     []string // whose addresses are local; empty: any address may be given to an account
	Now         func() time.Time
	Log         *slog.Logger
	Hash        Argon2        // for new passwords; zero: RFC 9106's recommendation
	SessionTime time.Duration // how long a browser stays signed in; 0 = 30 days
}

// Service is safe for concurrent use.
type Service struct {
	store    *store.Store
	domains  []string
	now      func() time.Time
	log      *slog.Logger
	sessions time.Duration
	hasher   *hasher
	cache    *cache
	limiter  limiter
	flights  singleflight.Group
}

// How an actor proved who it is.
const (
	ViaPassword    = "password"
	ViaAppPassword = "app-password"
	ViaSession     = "session"
	ViaOperator    = "operator" // the command line on the server itself
)

// Actor is who does something, and how it is known.
type Actor struct {
	Account store.AccountID
	Name    string // URL name
	Admin   bool
	Via     string
	session string // hash of the session it is signed in by
}

// New makes the service of one store.
func New(s *store.Store, o Options) *Service {
	a := &Service{store: s, now: o.Now, log: o.Log, sessions: o.SessionTime, hasher: newHasher(o.Hash), cache: newCache()}
	for _, d := range o.Domains {
		a.domains = append(a.domains, ical.Mailto("x@"+d).Domain())
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.sessions <= 0 {
		a.sessions = 30 * 24 * time.Hour
	}
	return a
}

func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// localDomain reports whether a domain is one of ours.
func (s *Service) localDomain(domain string) bool {
	return domain != "" && slices.Contains(s.domains, domain)
}

// IsLocal reports whether a calendar user belongs to this service: its domain
// is ours, or the address was given to one of our accounts.
func (s *Service) IsLocal(a ical.Address) bool {
	if s.localDomain(a.Domain()) {
		return true
	}
	_, ok, err := s.Lookup(context.Background(), a)
	if err != nil {
		s.log.Warn("cannot look up whether an address is local", "error", err)
	}
	return ok
}

// redirectSteps bounds how often a renamed address leads to another.
const redirectSteps = 5

// LookupTx is Lookup within a transaction of the caller's.
func (s *Service) LookupTx(tx *store.Tx, a ical.Address) (store.Account, bool, error) {
	key := a.Key()
	for range redirectSteps {
		found, err := tx.AccountByAddress(key)
		if err == nil {
			return found, true, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return store.Account{}, false, err
		}
		r, err := tx.Redirect(key)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return store.Account{}, false, err
		}
		key = ical.Address(r.NewURI).Key()
	}
	return store.Account{}, false, nil
}

// Lookup finds the account of a calendar user, by an address it has or had
// before it was renamed. Disabled accounts are found too: they still get mail.
func (s *Service) Lookup(ctx context.Context, a ical.Address) (found store.Account, ok bool, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		found, ok, err = s.LookupTx(tx, a)
		return err
	})
	return found, ok, err
}

// AddressesTx is Addresses within a transaction of the caller's.
func (s *Service) AddressesTx(tx *store.Tx, id store.AccountID) ([]ical.Address, error) {
	rows, err := tx.Addresses(id)
	if err != nil {
		return nil, err
	}
	list := make([]ical.Address, len(rows))
	for i, r := range rows {
		list[i] = ical.Address(r.URI)
	}
	return list, nil
}

// Addresses lists an account's calendar user addresses, the preferred first.
func (s *Service) Addresses(ctx context.Context, id store.AccountID) (list []ical.Address, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = s.AddressesTx(tx, id)
		return err
	})
	return list, err
}

// Account reads an account by its identifier.
func (s *Service) Account(ctx context.Context, id store.AccountID) (a store.Account, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.Account(id)
		return err
	})
	return a, noSuchAccount(err, "")
}

// ByName reads an account by its URL name.
func (s *Service) ByName(ctx context.Context, name string) (a store.Account, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.AccountByName(name)
		return err
	})
	return a, noSuchAccount(err, name)
}

func noSuchAccount(err error, login string) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no account %s on this server.", login).Because(err)
	}
	return err
}

// Find finds an account by what a person calls it: URL name, local part or
// whole address (or mailto: URI).
func (s *Service) Find(ctx context.Context, login string) (a store.Account, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		a, err = s.find(tx, login)
		return err
	})
	return a, noSuchAccount(err, login)
}

// FindTx is Find within a transaction of the caller's, with the store's errors.
func (s *Service) FindTx(tx *store.Tx, login string) (store.Account, error) { return s.find(tx, login) }

// find resolves a login: an address by its key, else a URL name, else a local
// part in the one of our domains that has it.
func (s *Service) find(tx *store.Tx, login string) (store.Account, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if strings.Contains(login, "@") {
		a, ok, err := s.LookupTx(tx, ical.ParseAddress(login))
		if ok || err != nil {
			return a, err
		}
	}
	a, err := tx.AccountByName(login)
	if !errors.Is(err, store.ErrNotFound) || strings.Contains(login, "@") || login == "" {
		return a, err
	}
	var matches []store.Account
	for _, domain := range s.domains {
		m, err := tx.AccountByAddress(ical.Mailto(login + "@" + domain).Key())
		if err == nil {
			matches = append(matches, m)
		} else if !errors.Is(err, store.ErrNotFound) {
			return store.Account{}, err
		}
	}
	for _, m := range matches {
		if m.ID != matches[0].ID { // two people of that local part: neither
			return a, err
		}
	}
	if len(matches) > 0 {
		return matches[0], nil
	}
	return a, err
}

// ActorOf is an account acting by the command line on the server itself.
func (s *Service) ActorOf(a store.Account) Actor {
	return Actor{Account: a.ID, Name: a.Name, Admin: a.Admin, Via: ViaOperator}
}

// Match is an account that Search found.
type Match struct {
	store.Account
	Addresses []ical.Address
}

// A search is for what people type: an address has at most 320 octets (RFC
// 3696 3).
const (
	maxToken  = 320
	maxTokens = 32
)

// Search lists up to limit accounts in which every token begins a word of the
// name or an address; case and accents do not count.
func (s *Service) Search(ctx context.Context, tokens []string, limit int) (list []Match, err error) {
	if len(tokens) > maxTokens || slices.ContainsFunc(tokens, func(t string) bool { return len(t) > maxToken }) {
		return nil, nil // more than anything it could be found in
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		list = nil
		accounts, err := tx.SearchAccounts(tokens, limit)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			addresses, err := s.AddressesTx(tx, a.ID)
			if err != nil {
				return err
			}
			list = append(list, Match{a, addresses})
		}
		return nil
	})
	return list, err
}

// List lists up to limit accounts (0: all) in order of name, after a name.
func (s *Service) List(ctx context.Context, afterName string, limit int) (list []store.Account, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Accounts(afterName, limit)
		return err
	})
	return list, err
}
