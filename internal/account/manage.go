package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// NewAccount is what Add makes an account of.
type NewAccount struct {
	Address     ical.Address // the first calendar user address
	DisplayName string       // empty: the local part
	Password    string       // empty: cannot sign in by password
	Kind        string       // store.Individual (default), Group, Room, Resource
	Admin       bool
	TimeZone    string
	Language    string
}

var kinds = []string{store.Individual, store.Group, store.Room, store.Resource}

// collections of every new account. RFC 6638 2.1 and 2.2 for the last two.
func collections(account store.AccountID, now time.Time) []store.Collection {
	list := []store.Collection{
		{Name: "default", Kind: store.Calendar, DisplayName: "Calendar", Components: []string{"VEVENT"}},
		{Name: "tasks", Kind: store.Calendar, DisplayName: "Tasks", Components: []string{"VTODO"}},
		{Name: "inbox", Kind: store.Inbox, DisplayName: "Inbox"},
		{Name: "outbox", Kind: store.Outbox, DisplayName: "Outbox"},
	}
	for i := range list {
		list[i].Account, list[i].Order, list[i].Created, list[i].Modified = account, i, now, now
	}
	return list
}

// checkAddress says why an address cannot be given to an account.
func (s *Service) checkAddress(a ical.Address) error {
	if a.Email() == "" {
		return problem.New(problem.BadInput, "%q is not a mail address; it looks like ann@example.com.", string(a))
	}
	return nil
}

// Add makes an account with its calendars. The address must be in one of the
// server's domains and nobody else's.
func (s *Service) Add(ctx context.Context, n NewAccount) (store.Account, error) {
	address := ical.ParseAddress(string(n.Address))
	if err := s.checkAddress(address); err != nil {
		return store.Account{}, err
	}
	if len(s.domains) > 0 && !s.localDomain(address.Domain()) {
		return store.Account{}, problem.New(problem.BadInput, "%s is not in a domain of this server (%s). Add the domain to the configuration first.",
			address.Email(), strings.Join(s.domains, ", "))
	}
	if n.Kind == "" {
		n.Kind = store.Individual
	}
	if !slices.Contains(kinds, n.Kind) {
		return store.Account{}, problem.New(problem.BadInput, "%q is no kind of account; it is one of %s.", n.Kind, strings.Join(kinds, ", "))
	}
	local, _, _ := strings.Cut(address.Email(), "@")
	if n.DisplayName == "" {
		n.DisplayName = local
	}
	now := s.clock()
	template := store.Account{Kind: n.Kind, DisplayName: n.DisplayName, Admin: n.Admin, TimeZone: n.TimeZone, Language: n.Language, Created: now}
	if n.Password != "" {
		hash, err := s.hasher.hash(ctx, n.Password)
		if err != nil {
			return store.Account{}, err
		}
		template.PasswordHash = hash
	}
	var a store.Account
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		a = template
		if _, err := tx.AccountByAddress(address.Key()); err == nil {
			return problem.New(problem.Exists, "The address %s belongs to an account already.", address.Email()).At(address.Email())
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := addUnderFreeName(tx, &a, address); err != nil {
			return err
		}
		if err := tx.SetAddresses(a.ID, []store.Address{{Key: address.Key(), URI: string(address), Verified: true}}); err != nil {
			return err
		}
		if err := tx.DeleteRedirect(address.Key()); err != nil {
			return err
		}
		for _, c := range collections(a.ID, now) {
			if err := tx.AddCollection(&c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return store.Account{}, fmt.Errorf("add account %s: %w", address.Email(), err)
	}
	return a, nil
}

// addUnderFreeName stores the account under the URL name it keeps for ever:
// the local part, or the whole address where that is taken.
func addUnderFreeName(tx *store.Tx, a *store.Account, address ical.Address) error {
	key := address.Key()
	names := []string{urlName(key[:strings.LastIndexByte(key, '@')]), urlName(key)}
	for i := 2; i <= 9; i++ { // a renamed account may have left its address as its URL name
		names = append(names, fmt.Sprintf("%s-%d", names[1], i))
	}
	for _, name := range names {
		a.Name = name
		if err := tx.AddAccount(a); !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return problem.New(problem.Exists, "Every URL name for %s is taken.", address.Email())
}

// urlName makes one segment of a URL's path of a local part, in which RFC 5321
// allows a slash and dots.
func urlName(s string) string {
	s = strings.NewReplacer("/", "-", "\\", "-", "\"", "").Replace(s)
	if strings.Trim(s, ".") == "" {
		return "user" + s
	}
	return s
}

// change loads an account, lets fn change it, and forgets its credentials.
func (s *Service) change(ctx context.Context, id store.AccountID, fn func(tx *store.Tx, a *store.Account) error) error {
	defer s.cache.dropAccount(id)
	return noSuchAccount(s.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		if err := fn(tx, &a); err != nil {
			return err
		}
		return tx.UpdateAccount(a)
	}), "")
}

// Edit changes display name, kind, time zone, language, settings or the
// administrator's mark by a function, which may run more than once.
func (s *Service) Edit(ctx context.Context, id store.AccountID, fn func(*store.Account) error) error {
	return s.change(ctx, id, func(_ *store.Tx, a *store.Account) error { return fn(a) })
}

// SetLanguage chooses the language of mails in the account's name; "" is English.
func (s *Service) SetLanguage(ctx context.Context, id store.AccountID, tag string) error {
	language, known := phrase.Of(tag)
	if tag != "" && !known {
		return problem.New(problem.BadInput, "There are no texts in %q; there are %s.", tag, strings.Join(phrase.Tags(), ", "))
	}
	return s.Edit(ctx, id, func(a *store.Account) error {
		if a.Language = ""; tag != "" {
			a.Language = language.Tag()
		}
		return nil
	})
}

// SetPassword replaces the password, forgets what was remembered of the old
// one and ends the account's sessions. An empty password turns it off.
func (s *Service) SetPassword(ctx context.Context, id store.AccountID, password string) error {
	hash := ""
	if password != "" {
		var err error
		if hash, err = s.hasher.hash(ctx, password); err != nil {
			return err
		}
	}
	return s.change(ctx, id, func(tx *store.Tx, a *store.Account) error {
		a.PasswordHash = hash
		return tx.DeleteSessionsOf(id)
	})
}

// ChangePassword is SetPassword by the account itself, which shows that it
// knows the present one: wrong ones are slowed like failed sign-ins. The
// session it is signed in by stays, others end.
func (s *Service) ChangePassword(ctx context.Context, who Actor, current, new string) error {
	if new == "" {
		return problem.New(problem.BadInput, "The new password is empty.")
	}
	now, login := s.clock(), fmt.Sprintf("change of %d", who.Account)
	if wait := s.limiter.wait(login, login, now); wait > 0 {
		return tooMany(wait)
	}
	a, err := s.Account(ctx, who.Account)
	if err != nil {
		return err
	}
	ok, err := s.hasher.verify(ctx, current, a.PasswordHash)
	if err != nil {
		return err
	}
	if !ok {
		s.limiter.failed(login, login, s.cache.key(login, current), now)
		return problem.New(problem.Forbidden, "The present password is wrong.")
	}
	s.limiter.succeeded(login)
	hash, err := s.hasher.hash(ctx, new)
	if err != nil {
		return err
	}
	return s.change(ctx, who.Account, func(tx *store.Tx, a *store.Account) error {
		a.PasswordHash = hash
		return tx.DeleteOtherSessions(who.Account, []byte(who.session))
	})
}

// Disable keeps an account from signing in, or allows it again. Its calendars
// stay, and invitations still arrive.
func (s *Service) Disable(ctx context.Context, id store.AccountID, disabled bool) error {
	return s.change(ctx, id, func(tx *store.Tx, a *store.Account) error {
		a.Disabled = disabled
		return tx.DeleteSessionsOf(id)
	})
}

// Delete removes an account with everything it has.
func (s *Service) Delete(ctx context.Context, id store.AccountID) error {
	defer s.cache.dropAccount(id)
	return noSuchAccount(s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteAccount(id) }), "")
}

// SetAddresses replaces an account's calendar user addresses, the preferred
// first. Addresses of other domains may be given: aliases.
func (s *Service) SetAddresses(ctx context.Context, id store.AccountID, list []ical.Address) error {
	if len(list) == 0 {
		return problem.New(problem.BadInput, "An account needs at least one address.")
	}
	rows := make([]store.Address, 0, len(list))
	for _, a := range list {
		a = ical.ParseAddress(string(a))
		if err := s.checkAddress(a); err != nil {
			return err
		}
		if !slices.ContainsFunc(rows, func(r store.Address) bool { return r.Key == a.Key() }) {
			rows = append(rows, store.Address{Key: a.Key(), URI: string(a), Verified: true})
		}
	}
	defer s.cache.dropAccount(id) // an address is a login
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		for _, r := range rows {
			owner, err := tx.AccountByAddress(r.Key)
			if err == nil && owner.ID != id {
				return problem.New(problem.Exists, "The address %s belongs to another account.", ical.Address(r.URI).Email())
			} else if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := tx.DeleteRedirect(r.Key); err != nil {
				return err
			}
		}
		return tx.SetAddresses(id, rows)
	})
	return noSuchAccount(err, "")
}

// Rename gives an account another address in place of one it has; the old one
// keeps a redirect, so that mail to it still arrives. The URL name stays.
func (s *Service) Rename(ctx context.Context, old, new ical.Address) error {
	old, new = ical.ParseAddress(string(old)), ical.ParseAddress(string(new))
	if err := s.checkAddress(new); err != nil {
		return err
	}
	var id store.AccountID
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountByAddress(old.Key())
		if err != nil {
			return err
		}
		id = a.ID
		if owner, err := tx.AccountByAddress(new.Key()); err == nil && owner.ID != id {
			return problem.New(problem.Exists, "The address %s belongs to another account.", new.Email())
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		rows, err := tx.Addresses(id)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r store.Address) bool { return r.Key == new.Key() && r.Key != old.Key() })
		for i := range rows {
			if rows[i].Key == old.Key() {
				rows[i].Key, rows[i].URI = new.Key(), string(new)
			}
		}
		if err := tx.SetAddresses(id, rows); err != nil {
			return err
		}
		if err := tx.DeleteRedirect(new.Key()); err != nil || old.Equal(new) {
			return err
		}
		return tx.SetRedirect(store.Redirect{Account: id, OldKey: old.Key(), NewURI: string(new)})
	})
	s.cache.dropAccount(id)
	return noSuchAccount(err, old.Email())
}

// AddAppPassword makes a random password for one client and returns it; only
// its hash is stored. A zero expires means never.
func (s *Service) AddAppPassword(ctx context.Context, id store.AccountID, label string, expires time.Time) (secret string, row store.AppPassword, err error) {
	secret, hash := newAppPassword()
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		row = store.AppPassword{Account: id, Label: label, Hash: hash, Created: s.clock(), Expires: expires}
		return tx.AddAppPassword(&row)
	})
	return secret, row, noSuchAccount(err, "")
}

// AppPasswords lists an account's app passwords, oldest first.
func (s *Service) AppPasswords(ctx context.Context, id store.AccountID) (list []store.AppPassword, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.AppPasswords(id)
		return err
	})
	return list, err
}

// RevokeAppPassword ends an app password at once.
func (s *Service) RevokeAppPassword(ctx context.Context, id store.AccountID, appPassword int64) error {
	defer s.cache.dropAccount(id)
	err := s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteAppPassword(id, appPassword) })
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.NotFound, "There is no such app password.").Because(err)
	}
	return err
}
