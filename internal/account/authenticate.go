package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

var errCredentials = problem.New(problem.Unauthenticated, "The name or the password is wrong.")

// Authenticate tells who a login (URL name, local part or address) with a
// password is. The source is the client's IP address, with or without port.
// A wrong name and a wrong password look and take the same: Unauthenticated.
// After some failures it is RateLimited with RetryAfter as the cause.
func (s *Service) Authenticate(ctx context.Context, login, password, source string) (Actor, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if strings.Contains(login, "@") { // all spellings of an address are one login
		if email := ical.ParseAddress(login).Email(); email != "" {
			login = strings.ToLower(email)
		}
	}
	if login == "" || len(login) > 320 || password == "" {
		return Actor{}, errCredentials
	}
	key, now := s.cache.key(login, password), s.clock()
	// Before the limiter: someone else's guesses do not lock out who is in.
	if v, ok := s.cache.get(key, now); ok {
		if now.Sub(v.checked) < recheckAfter {
			return v.actor, nil
		}
		if fresh, ok, err := s.recheck(ctx, v); err != nil || ok {
			if ok {
				fresh.checked = now
				s.cache.put(key, fresh)
			}
			return fresh.actor, err
		}
		s.cache.drop(key)
	}
	if wait := s.limiter.wait(login, source, now); wait > 0 {
		return Actor{}, tooMany(wait)
	}
	// A client that opens with many requests at once has its password hashed
	// once. The work goes on when the one who began it leaves.
	flight := s.flights.DoChan(string(key[:]), func() (any, error) {
		wait, done := s.limiter.begin(login, source, now)
		if wait > 0 {
			return verified{}, tooMany(wait)
		}
		defer done()
		v, err := s.verify(context.WithoutCancel(ctx), login, password, now)
		if err != nil {
			if problem.Has(err, problem.Unauthenticated) {
				s.limiter.failed(login, source, key, now)
				s.log.Info("failed sign-in", "login", login, "source", source)
			}
			return v, err
		}
		s.limiter.succeeded(login)
		v.checked, v.until = now, now.Add(rememberFor)
		s.cache.put(key, v)
		return v, nil
	})
	select {
	case r := <-flight:
		return r.Val.(verified).actor, r.Err
	case <-ctx.Done():
		return Actor{}, ctx.Err()
	}
}

// verify goes to the store and, for an account password, through argon2.
func (s *Service) verify(ctx context.Context, login, password string, now time.Time) (verified, error) {
	var a store.Account
	var apps []store.AppPassword
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		a, apps = store.Account{}, nil
		if a, err = s.find(tx, login); errors.Is(err, store.ErrNotFound) {
			return nil // a.PasswordHash is empty and matches nothing
		} else if err != nil {
			return err
		}
		apps, err = tx.AppPasswords(a.ID)
		return err
	})
	if err != nil {
		return verified{}, err
	}
	v := verified{actor: Actor{Account: a.ID, Name: a.Name, Admin: a.Admin, Via: ViaPassword}, passwordHash: a.PasswordHash}
	if hash, ok := appPasswordHash(password); ok && !a.Disabled {
		for _, p := range apps {
			if subtle.ConstantTimeCompare(hash, p.Hash) == 1 && (p.Expires.IsZero() || now.Before(p.Expires)) {
				v.actor.Via, v.appPassword = ViaAppPassword, p.ID
				return v, s.store.Update(ctx, func(tx *store.Tx) error { return tx.TouchAppPassword(a.ID, p.ID, now) })
			}
		}
	}
	ok, err := s.hasher.verify(ctx, password, a.PasswordHash)
	if err != nil {
		return verified{}, err
	}
	if !ok || a.Disabled {
		return verified{}, errCredentials
	}
	return v, nil
}

// recheck looks whether a remembered credential still holds.
func (s *Service) recheck(ctx context.Context, v verified) (fresh verified, ok bool, err error) {
	fresh = v
	err = s.store.View(ctx, func(tx *store.Tx) error {
		ok = false
		a, err := tx.Account(v.actor.Account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		fresh.actor.Name, fresh.actor.Admin = a.Name, a.Admin
		if a.Disabled || v.appPassword == 0 {
			ok = !a.Disabled && a.PasswordHash == v.passwordHash
			return nil
		}
		apps, err := tx.AppPasswords(a.ID)
		for _, p := range apps {
			if p.ID == v.appPassword && (p.Expires.IsZero() || s.clock().Before(p.Expires)) {
				ok = true
			}
		}
		return err
	})
	return fresh, ok, err
}

// sessionSize is the random part of a session cookie: 256 bits.
const sessionSize = 32

// NewSession signs a browser in and returns the secret for its cookie, which
// is not stored and not shown again.
func (s *Service) NewSession(ctx context.Context, who Actor, userAgent string) (secret string, expires time.Time, err error) {
	raw := make([]byte, sessionSize)
	rand.Read(raw)
	secret = base64.RawURLEncoding.EncodeToString(raw)
	now := s.clock()
	row := store.Session{Hash: sessionHash(secret), Account: who.Account, Created: now, Expires: now.Add(s.sessions), UserAgent: userAgent[:min(len(userAgent), 200)]}
	return secret, row.Expires, s.store.Update(ctx, func(tx *store.Tx) error { return tx.AddSession(row) })
}

func sessionHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Session tells who a cookie's secret belongs to: Unauthenticated when it is
// unknown or over, or the account is disabled.
func (s *Service) Session(ctx context.Context, secret string) (who Actor, err error) {
	over := problem.New(problem.Unauthenticated, "You are signed out. Sign in again.")
	err = s.store.View(ctx, func(tx *store.Tx) error {
		who = Actor{}
		row, err := tx.Session(sessionHash(secret))
		if err != nil {
			return err
		}
		if s.clock().After(row.Expires) {
			return over
		}
		a, err := tx.Account(row.Account)
		if err != nil {
			return err
		}
		if a.Disabled {
			return over
		}
		who = Actor{Account: a.ID, Name: a.Name, Admin: a.Admin, Via: ViaSession, session: string(row.Hash)}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		err = over
	}
	return who, err
}

// EndSession signs a browser out.
func (s *Service) EndSession(ctx context.Context, secret string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSession(sessionHash(secret)) })
}

// ExpireSessions removes sessions that are over, for periodic work.
func (s *Service) ExpireSessions(ctx context.Context) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ExpireSessions(s.clock())
		return err
	})
}
