package calendar

import (
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// A designate acts for somebody else: SENT-BY (RFC 5546 3.2.2.5). iTIP wants
// the principal's word for it (RFC 6047 2.2.1, imip draft 3). There are two
// ways to have it: the principal has an account here and names their
// designates, or the one who gets the message says once that this designate
// may always act for this principal.

// Designate is somebody who may act for somebody, in the eyes of an account.
type Designate struct {
	Principal ical.Address // "" = the account itself
	Address   ical.Address
}

// Designates lists whom an account lets act: for itself first, then for others
// who write to it. Only the account and administrators may know.
func (s *Service) Designates(ctx context.Context, by account.Actor, owner store.AccountID) ([]Designate, error) {
	var out []Designate
	if err := ownAffair(by, owner); err != nil {
		return nil, err
	}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Consents(owner)
		if err != nil {
			return fmt.Errorf("designates of account %d: %w", owner, err)
		}
		out = nil
		for _, r := range rows {
			d := Designate{Address: ical.Address(r.URI)}
			if r.Principal != "" {
				d.Principal = ical.ParseAddress(r.Principal)
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

// AllowDesignate lets somebody act for the account itself (Principal ""), or
// for somebody who writes to it.
func (s *Service) AllowDesignate(ctx context.Context, by account.Actor, owner store.AccountID, d Designate) error {
	if err := ownAffair(by, owner); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error { return s.allow(tx, owner, d) })
}

func (d Designate) check() error {
	switch {
	case d.Address.Email() == "":
		return problem.New(problem.BadInput, "%q is not a mail address.", clip(string(d.Address)))
	case d.Principal != "" && d.Principal.Key() == "":
		return problem.New(problem.BadInput, "%q is not a calendar address.", clip(string(d.Principal)))
	case d.Principal.Equal(d.Address):
		return problem.New(problem.BadInput, "Nobody needs consent to act for themselves.")
	}
	return nil
}

// maxDesignates of one account.
const maxDesignates = 1000

func (s *Service) allow(tx *store.Tx, owner store.AccountID, d Designate) error {
	mine, err := addresses(tx, owner)
	if err != nil {
		return err
	}
	principal := d.Principal.Key()
	if containsAddress(mine, d.Principal) {
		principal = ""
	}
	if principal == "" && containsAddress(mine, d.Address) {
		return problem.New(problem.BadInput, "Nobody needs consent to act for themselves.")
	}
	have, err := tx.Consents(owner)
	if err != nil {
		return fmt.Errorf("designates of account %d: %w", owner, err)
	}
	if len(have) >= maxDesignates {
		return problem.New(problem.BadInput, "An account names at most %d designates.", maxDesignates)
	}
	return tx.AddConsent(store.Consent{Account: owner, Principal: principal, Designate: d.Address.Key(), URI: string(d.Address), Created: s.now()})
}

// ForbidDesignate takes a consent back.
func (s *Service) ForbidDesignate(ctx context.Context, by account.Actor, owner store.AccountID, d Designate) error {
	if err := ownAffair(by, owner); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		mine, err := addresses(tx, owner)
		if err != nil {
			return err
		}
		principal := d.Principal.Key()
		if containsAddress(mine, d.Principal) {
			principal = ""
		}
		err = tx.DeleteConsent(owner, principal, d.Address.Key())
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.NotFound, "%s was not allowed to.", bare(string(d.Address))).Because(err)
		}
		return err
	})
}

func ownAffair(by account.Actor, owner store.AccountID) error {
	if by.Account != owner && !by.Admin {
		return problem.New(problem.NeedPrivileges, "Who may act for somebody is for them to say.")
	}
	return nil
}

// Consent says, within a transaction, who may act for whom in the eyes of an
// account: by its own word, or the word of a principal of this service.
func (s *Service) Consent(tx *store.Tx, of store.AccountID) func(principal, designate ical.Address) bool {
	return s.consent(tx, s.directory(tx), of)
}

func (s *Service) consent(tx *store.Tx, dir *Directory, of store.AccountID) func(principal, designate ical.Address) bool {
	said := func(id store.AccountID, principal, designate string) bool {
		rows, err := tx.Consents(id)
		if err != nil {
			s.log.Error("designates cannot be read", "account", id, "error", err)
			return false
		}
		for _, r := range rows {
			if r.Principal == principal && r.Designate == designate {
				return true
			}
		}
		return false
	}
	return func(principal, designate ical.Address) bool {
		if said(of, principal.Key(), designate.Key()) {
			return true
		}
		acc, ok := dir.account(principal)
		return ok && said(acc.ID, "", designate.Key())
	}
}

// ActsFor tells for whom a message speaks and who wrote it, where that is not
// the same person.
func ActsFor(cal *ical.Calendar, m itip.Method) (d Designate, ok bool) {
	for _, c := range cal.Main() {
		switch m {
		case itip.Reply, itip.Counter, itip.Refresh:
			for _, a := range itip.Attendees(c) {
				if a.SentBy != "" && !a.SentBy.Equal(a.Address) {
					return Designate{a.Address, a.SentBy}, true
				}
			}
		default:
			if o, have := itip.Organizer(c); have && o.SentBy != "" && !o.SentBy.Equal(o.Address) {
				return Designate{o.Address, o.SentBy}, true
			}
		}
	}
	return d, false
}

// ApproveAlways is Approve of a designate's message, which also lets the same
// designate act for the same principal from now on.
func (s *Service) ApproveAlways(ctx context.Context, by account.Actor, owner store.AccountID, id int64) (store.Entry, error) {
	e, err := s.heldEntry(ctx, by, owner, id)
	if err != nil {
		return e, err
	}
	cal, err := ical.ParseLimits(e.Calendar, s.parseLimits())
	if err != nil {
		return e, problem.New(problem.BadInput, "Message %d holds no calendar data that could be applied.", id).Because(err)
	}
	d, ok := ActsFor(cal, itip.Method(e.Method))
	if !ok {
		return e, problem.New(problem.BadInput, "Message %d was not sent by somebody for somebody else; approve it alone.", id)
	}
	if err := d.check(); err != nil {
		return e, err
	}
	if e, err = s.Approve(ctx, by, owner, id); err != nil {
		return e, err
	}
	return e, s.store.Update(ctx, func(tx *store.Tx) error { return s.allow(tx, owner, d) })
}
