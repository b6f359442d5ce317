package calendar

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// AskFreeBusyRequest asks people of other services when they are busy.
type AskFreeBusyRequest struct {
	By       account.Actor
	Owner    store.AccountID // who asks
	Who      []ical.Address
	From, To time.Time
}

// AskFreeBusy sends each of them a VFREEBUSY REQUEST (RFC 5546 3.3.2) by
// whatever way leads there. What they answer is used by [Service.FreeBusy]
// from then on. Colleagues need no message: FreeBusy knows.
func (s *Service) AskFreeBusy(ctx context.Context, req AskFreeBusyRequest) ([]Sent, error) {
	if err := s.checkRange(req.From, req.To); err != nil {
		return nil, err
	}
	if req.By.Account != req.Owner && !req.By.Admin {
		return nil, problem.New(problem.NeedPrivileges, "Ask in your own name.")
	}
	if len(req.Who) > s.limits.ExternalAttendees {
		return nil, problem.New(problem.TooManyAttendees, "Free/busy time was asked of %d people; %d are allowed at once.", len(req.Who), s.limits.ExternalAttendees)
	}
	var rows []*store.Entry
	var sent []Sent
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		mine, err := addresses(tx, req.Owner)
		if err != nil {
			return err
		}
		if len(mine) == 0 {
			return problem.New(problem.Forbidden, "This account has no address to ask from.")
		}
		dir := s.directory(tx)
		var messages []itip.Message
		for _, a := range req.Who {
			switch {
			case a.Email() == "":
				return problem.New(problem.BadInput, "%q is not a mail address.", clip(string(a)))
			case dir.local(a) || s.ourDomain(a):
				continue
			}
			var random [16]byte
			rand.Read(random[:])
			messages = append(messages, itip.AskFreeBusy("freebusy-"+hex.EncodeToString(random[:]), mine[0], a, req.From, req.To, s.now()))
		}
		if rows, err = s.send(tx, req.Owner, 0, messages, dir); err != nil {
			return err
		}
		sent = sentOf(messages, rows, dir)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.deliver(ctx, rows)
	return sent, nil
}

// judgeBusy applies a VFREEBUSY message: a question is answered as far as the
// owner allows, an answer is kept in its row.
func (s *Service) judgeBusy(tx *store.Tx, a Arrival, who store.Account, e *store.Entry, next *[]*store.Entry, dir *Directory) (*itip.Result, error) {
	var fault error
	arrival := itip.Arrival{
		Message: a.Message, Method: a.Method, From: a.From, Received: a.Received, Approved: a.Approved, Local: dir.local, Zone: accountZone(who),
		Consent: s.consent(tx, dir, a.To), MaxAttendees: s.limits.FreeBusyPeople,
		Busy: func(asker ical.Address, from, to time.Time) (itip.Disclosure, []freebusy.Period) {
			d, periods, err := s.disclose(tx, who, asker, from, to, dir)
			fault = err
			return d, periods
		},
	}
	var err error
	if arrival.User, err = s.named(tx, a, dir); err != nil {
		return nil, err
	}
	res, err := itip.Apply(arrival)
	if err != nil {
		return nil, fmt.Errorf("apply free/busy message: %w", err)
	}
	if fault != nil {
		return nil, fault
	}
	rows, err := s.send(tx, a.To, 0, res.Send, dir)
	if err != nil {
		return nil, err
	}
	*next = append(*next, rows...)
	return res, nil
}

// disclose is what somebody who asks by message is told of a person's time.
func (s *Service) disclose(tx *store.Tx, who store.Account, asker ical.Address, from, to time.Time, dir *Directory) (itip.Disclosure, []freebusy.Period, error) {
	if s.checkRange(from, to) != nil {
		return itip.Refusal, nil, nil
	}
	by := account.Actor{Account: who.ID}
	if acc, ok := dir.account(asker); ok {
		by.Account = acc.ID
	} else if !preferencesOf(who).tells(asker) {
		return itip.Silence, nil, nil // not even that there is somebody
	}
	periods, status, err := s.busy(tx, by, who, from, to, "", &busyWork{s.limits.FreeBusyWork})
	if errors.Is(err, errBusyWork) {
		return itip.Refusal, nil, nil
	}
	if err != nil {
		return itip.Silence, nil, err
	}
	if !strings.HasPrefix(status, "2.") {
		return itip.Refusal, nil, nil
	}
	return itip.Disclose, periods, nil
}

// named are the addresses of an arrival's owner, with the one it was sent to:
// mail to a variant such as bob+events@ is theirs, and so is the invitation.
func (s *Service) named(tx *store.Tx, a Arrival, dir *Directory) ([]ical.Address, error) {
	if h := dir.holder(a.To, a.Recipient); h != nil { // which has it among its addresses
		return usersOf(*h), nil
	}
	user, err := addresses(tx, a.To)
	if err == nil && a.Recipient != "" && !containsAddress(user, a.Recipient) {
		user = append(user, a.Recipient)
	}
	return user, err
}

// heardMessages are looked through for what somebody outside told of their time.
const heardMessages = 300

// heard is what somebody of another service last told an account about a
// range, by message; false when they did not, or not of all of it.
func (s *Service) heard(tx *store.Tx, owner store.AccountID, who ical.Address, from, to time.Time) ([]freebusy.Period, bool, error) {
	rows, err := tx.Entries(store.EntryFilter{Account: owner, Direction: journal.In, States: []string{string(itip.Unchanged)}, Limit: heardMessages})
	if err != nil {
		return nil, false, fmt.Errorf("free/busy messages: %w", err)
	}
	for _, e := range rows {
		if e.Reason != itip.ReasonFreeBusy || !ical.Address(e.From).Equal(who) || e.Method == string(itip.Request) {
			continue
		}
		cal, err := ical.ParseLimits(e.Calendar, s.parseLimits())
		if err != nil {
			continue
		}
		fb, err := itip.ReadFreeBusy(cal)
		if err != nil || fb.From.IsZero() || fb.To.IsZero() || fb.From.After(from) || fb.To.Before(to) {
			continue
		}
		out := []freebusy.Period{}
		for _, p := range fb.Periods {
			p.From, p.To = maxTime(p.From, from), minTime(p.To, to)
			if p.From.Before(p.To) {
				out = append(out, p)
			}
		}
		return out, true, nil
	}
	return nil, false, nil
}
