package calendar

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// Delivery is what somebody of this service may send to a person, or ask:
// the privileges on an inbox (RFC 6638 6.1). Who is outside has none of them;
// rules about senders and the trust in messages decide about their mail.
type Delivery struct {
	Who    store.AccountID `json:"who"`              // an account, a group, or [store.Everyone]
	Invite bool            `json:"invite,omitempty"` // schedule-deliver-invite: to events the person does not have yet
	Reply  bool            `json:"reply,omitempty"`  // schedule-deliver-reply
	Query  bool            `json:"query,omitempty"`  // schedule-query-freebusy
}

// ReasonNotAllowed is why a message within this service is rejected that its
// sender may not send.
const ReasonNotAllowed = "not-allowed"

// openDelivery is how it is until the person says otherwise.
var openDelivery = []Delivery{{Who: store.Everyone, Invite: true, Reply: true, Query: true}}

// maxDeliveries of one person, as many as access control entries in one request.
const maxDeliveries = 500

// DeliveryView is an entry with whom it is about.
type DeliveryView struct {
	Delivery
	store.Account
}

// Deliveries lists who may send what to a person; for those who may see the inbox.
func (s *Service) Deliveries(ctx context.Context, by account.Actor, owner store.AccountID) ([]DeliveryView, error) {
	var out []DeliveryView
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		if have, err := s.homeAccess(tx, by, owner, acl.Read); err != nil {
			return err
		} else if have < acl.Act {
			return problem.New(problem.NeedPrivileges, "These settings are their owner's.")
		}
		a, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		for _, d := range deliveriesOf(a) {
			who := everyone
			if d.Who != store.Everyone {
				if who, err = tx.Account(d.Who); errors.Is(err, store.ErrNotFound) {
					continue
				} else if err != nil {
					return err
				}
			}
			out = append(out, DeliveryView{d, who})
		}
		return nil
	})
	return out, err
}

// SetDeliveries replaces who may send what to the actor.
func (s *Service) SetDeliveries(ctx context.Context, by account.Actor, owner store.AccountID, list []Delivery) error {
	if err := ownSettings(by, owner); err != nil {
		return err
	}
	if len(list) > maxDeliveries {
		return problem.New(problem.BadInput, "At most %d entries are allowed.", maxDeliveries)
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		a, err := s.home(tx, owner)
		if err != nil {
			return err
		}
		value := any(append([]Delivery{}, list...)) // an empty list is nobody, none is everybody
		if len(list) == 1 && list[0] == openDelivery[0] {
			value = nil
		}
		if a, err = withSetting(a, "deliver", value); err != nil {
			return err
		}
		return tx.UpdateAccount(a)
	})
	if err == nil {
		s.audit(by, "deliver", "to", list)
	}
	return err
}

func deliveriesOf(a store.Account) []Delivery {
	if opened(a) {
		return openDelivery
	}
	return settingsOf(a).Deliver
}

// opened reports, without reading all settings, whether a person has left it at
// openDelivery: nearly all have.
func opened(a store.Account) bool { return !bytes.Contains(a.Settings, []byte(`"deliver":[`)) }

// mayDeliver reports whether somebody of this service may do to a person what
// want asks of an entry.
func (s *Service) mayDeliver(tx *store.Tx, to store.Account, from store.AccountID, want func(Delivery) bool) (bool, error) {
	if from == to.ID || opened(to) {
		return true, nil
	}
	var groups map[store.AccountID]bool
	for _, d := range deliveriesOf(to) {
		if !want(d) {
			continue
		}
		if d.Who == store.Everyone || d.Who == from {
			return true, nil
		}
		if groups == nil {
			var err error
			if groups, err = acl.Groups(tx, from); err != nil {
				return false, err
			}
		}
		if groups[d.Who] {
			return true, nil
		}
	}
	have, err := s.acl.OfHome(tx, from, to.ID) // who acts for the person
	return have >= acl.Act, err
}

// unwanted refuses a message within this service that its sender may not send
// (RFC 6638 6.1). Who has an event already hears what becomes of it.
func (s *Service) unwanted(tx *store.Tx, a Arrival, who store.Account, known bool, dir *Directory) (*itip.Result, error) {
	if a.Transport != journal.Local || a.Approved || opened(who) {
		return nil, nil
	}
	want := func(d Delivery) bool { return d.Invite }
	switch a.Method {
	case itip.Reply, itip.Counter, itip.Refresh:
		want = func(d Delivery) bool { return d.Reply }
	default:
		if known {
			return nil, nil
		}
	}
	from, ok := dir.account(a.From)
	if dir.err != nil {
		return nil, fmt.Errorf("look up %s: %w", a.From, dir.err)
	}
	if !ok {
		return nil, nil
	}
	if may, err := s.mayDeliver(tx, who, from.ID, want); may || err != nil {
		return nil, err
	}
	return &itip.Result{Decision: itip.Rejected, Reason: ReasonNotAllowed, Sentence: fmt.Sprintf("%s takes no such messages from %s.", who.Name, from.Name)}, nil
}
