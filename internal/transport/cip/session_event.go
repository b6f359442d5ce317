package cip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// SendEvent implements [cip.Session] (section 2.2).
func (s *session) SendEvent(ctx context.Context, e *cip.Event) cip.Reply {
	if s.refused {
		return busy()
	}
	guests, err := s.c.guests(ctx, e)
	if err != nil {
		return s.fault("SENDEVENT", err)
	}
	owner := cip.ServerOf(e.Owner.ID)
	local := slices.IndexFunc(guests, func(g guest) bool { return g.Address.Equal(e.Owner.Address) })
	if local >= 0 && guests[local].ours || s.c.ours(owner) {
		return s.ownEvent(ctx, e, guests[max(local, 0)].account, guests)
	}
	by, ok := s.speaksFor(ctx, owner)
	if !ok {
		denied(guests)
		return result(guests, cip.CodeAccess)
	}
	for i := range guests {
		g := &guests[i]
		if g.skip || g.had == nil {
			continue
		}
		switch {
		case g.had.version > e.Version:
			return cip.Invalid("Old version: %d is known, and this is %d.", g.had.version, e.Version)
		case g.had.organizer != "" && !strings.EqualFold(g.had.organizer.Domain(), e.Owner.Address.Domain()):
			g.info, g.skip = cip.Info{Code: cip.PermDenied, ID: g.ID}, true
		}
	}
	if err := s.c.receive(ctx, s, e, guests, owner, by); err != nil {
		return s.fault("SENDEVENT", err)
	}
	return result(guests, cip.CodeNone)
}

// fault is trouble of ours: nothing was done, and it may be tried again.
func (s *session) fault(command string, err error) cip.Reply {
	s.c.log.Error("a CIP command failed", "command", command, "remote", s.conn.RemoteAddr(), "error", err)
	return cip.Reply{Code: cip.CodeNone, Text: "The command could not be carried out; try again later."}
}

// denied marks every guest of ours as refused.
func denied(guests []guest) {
	for i := range guests {
		if g := &guests[i]; g.ours {
			g.info, g.stored = cip.Info{Code: cip.PermDenied, ID: g.ID}, false
		}
	}
}

// result words what became of the guests: all of ours stored, some, or none
// with the code given for that.
func result(guests []guest, refused int) cip.Reply {
	r := cip.Reply{}
	ours, stored, denied := 0, 0, 0
	for _, g := range guests {
		if g.info.Code != "" {
			r.Infos = append(r.Infos, g.info)
		}
		if !g.ours {
			continue
		}
		ours++
		if g.stored {
			stored++
		} else if g.info.Code == cip.PermDenied {
			denied++
		}
	}
	switch {
	case ours == 0:
		r.Text = "No attendee is of this server."
	case stored == ours:
		r.OK, r.Text = true, "SENDEVENT COMPLETED"
	case stored > 0:
		r.OK, r.Code, r.Text = true, cip.CodePartial, "Not all attendees received the event."
	default:
		if r.Text = "No attendee received the event."; denied == ours {
			r.Code = cip.CodeAccess
		}
		if refused != cip.CodeNone {
			r.Code = refused
		}
	}
	return r
}

// receive judges the message for each guest and applies it.
func (c *CIP) receive(ctx context.Context, s *session, e *cip.Event, guests []guest, server, by string) error {
	method := itip.Request
	if e.Cancelled {
		method = itip.Cancel
	}
	organizer := itip.Attendee{Address: e.Owner.Address, CN: e.Owner.Name}
	evidence := record{Evidence: trust.Evidence{From: e.Owner.Address, Peers: []string{server}, PeerBy: by, Remote: s.conn.RemoteAddr().String(), Policy: c.policy(by).Inbound}, EventID: e.ID, Version: e.Version}
	digest := digestOf(e)
	var arrivals []calendar.Arrival
	var who []int // guest of each arrival
	var held []*store.Entry
	for i := range guests {
		g := &guests[i]
		if g.skip {
			continue
		}
		q := trust.Question{Evidence: evidence.Evidence, Policy: c.policy(by), Method: method, Organizer: organizer}
		if g.had != nil && !g.had.held {
			q.Stored = &trust.Stored{Organizer: g.had.organizer}
		}
		var err error
		if q.Known, err = c.known(ctx, g.account.ID, e.Owner.Address, q); err != nil {
			return err
		}
		v := trust.Judge(q)
		r := evidence
		r.Level, r.Acting, r.Verdict = v.Level.String(), string(v.Acting), v.Sentence
		if by == "word" || by == "address" {
			r.Verdict = "Unverified sender: " + v.Sentence
		}
		row := &store.Entry{
			Account: g.account.ID, Direction: journal.In, Transport: Name, State: calendar.StateReceived, Method: string(method), UID: e.UID,
			From: string(e.Owner.Address), To: string(g.Address), Evidence: r.json(), Created: c.now(), Digest: digest,
		}
		cal := c.copyFor(e, g)
		row.Calendar = cal.Bytes()
		if m := cal.Master(); m != nil {
			row.Sequence = sequenceOf(m)
		}
		switch v.Do {
		case trust.Reject:
			row.State, row.Reason, row.Sentence = calendar.StateRejected, v.Reason, v.Sentence
			g.info = cip.Info{Code: cip.PermDenied, ID: g.ID}
			held = append(held, row)
		case trust.Hold:
			row.State, row.Reason, row.Sentence = calendar.StateHeld, v.Reason, v.Sentence
			g.info, g.stored = cip.Info{Code: cip.Tentative, ID: g.ID}, true
			held = append(held, row)
		default:
			members, err := c.members(ctx, g, cal)
			if err != nil {
				return err
			}
			to := append([]store.Account{g.account}, members...)
			for k, m := range to {
				a := calendar.Arrival{To: m.ID, Recipient: g.Address, From: v.Acting, Message: cal, Method: method, Transport: Name, Received: row.Created, Entry: row}
				if k > 0 {
					copied := *row
					copied.Account, copied.Calendar = m.ID, cal.Bytes()
					a.Entry, a.Recipient = &copied, ""
				} else {
					row.Calendar = cal.Bytes()
				}
				arrivals, who = append(arrivals, a), append(who, i)
			}
		}
	}
	if len(held) > 0 {
		if err := c.keep(ctx, held); err != nil {
			return err
		}
	}
	if len(arrivals) == 0 {
		return nil
	}
	got, err := c.o.Calendar.ReceiveAll(ctx, arrivals)
	if err != nil {
		return err
	}
	var next []*store.Entry
	for k, r := range got {
		next = append(next, r.Next...)
		g := &guests[who[k]]
		if arrivals[k].To == g.account.ID {
			g.info, g.stored = c.received(g, r)
		}
	}
	if len(next) > 0 {
		c.o.Journal.DeliverLocal(ctx, next)
	}
	return nil
}

// keep writes rows that do not reach a calendar, each once.
func (c *CIP) keep(ctx context.Context, rows []*store.Entry) error {
	return c.o.Store.Update(ctx, func(tx *store.Tx) error {
		for _, e := range rows {
			if _, err := tx.EntryByDigest(e.Account, e.Digest); err == nil {
				continue
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			row := *e
			if err := tx.AddEntry(&row); err != nil {
				return fmt.Errorf("keep a message: %w", err)
			}
		}
		return nil
	})
}

// policy is the site's for incoming mail; where it takes anybody's word there
// is nothing to judge but the addresses.
func (c *CIP) policy(by string) trust.Policy {
	p := c.o.Trust
	if by == "word" {
		p.Inbound = trust.Accept
	}
	return p
}

// known asks only where the answer matters.
func (c *CIP) known(ctx context.Context, id store.AccountID, who ical.Address, q trust.Question) (known bool, err error) {
	if q.Policy.UnknownSenders != "hold" || q.Stored != nil {
		return false, nil
	}
	err = c.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = journal.HasMet(tx, id, who)
		return err
	})
	return known, err
}

// digestOf recognises the same version of an event that comes again, whatever
// the time of its receipt.
func digestOf(e *cip.Event) string {
	h := sha256.New()
	fmt.Fprintf(h, "cip %s %d %v %s\n", e.ID, e.Version, e.Cancelled, e.Owner.Address.Key())
	for _, comp := range e.Calendar.Main() {
		for _, p := range comp.Properties {
			if p.Name() != "DTSTAMP" {
				fmt.Fprintf(h, "%s\n", p.Raw())
			}
		}
	}
	return "cip:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// copyFor is the message for one guest. Of an event that is new to them
// TENTATIVE is the draft's word for "not answered yet" (section 2.2).
func (c *CIP) copyFor(e *cip.Event, g *guest) *ical.Calendar {
	cal := e.Calendar.Clone()
	if g.had != nil && !g.had.held || e.Form == cip.ICal20 {
		return cal
	}
	for _, comp := range cal.Main() {
		for p := range comp.Props("ATTENDEE") {
			if p.Address().Equal(g.Address) && p.Param("PARTSTAT") == "TENTATIVE" {
				p.SetParam("PARTSTAT", "NEEDS-ACTION")
			}
		}
	}
	return cal
}

// received words what a calendar did with an event.
func (c *CIP) received(g *guest, r calendar.Received) (cip.Info, bool) {
	switch {
	case r.Err != nil && problem.Has(r.Err, problem.NotFound):
		return cip.Info{Code: cip.NotFound, ID: g.ID}, false
	case r.Err != nil, r.Result.Decision == itip.Rejected:
		return cip.Info{Code: cip.PermDenied, ID: g.ID}, false
	}
	for _, e := range r.Next { // a room has answered
		if itip.Method(e.Method) != itip.Reply || !ical.Address(e.From).Equal(g.Address) {
			continue
		}
		if cal, err := ical.Parse(e.Calendar); err == nil {
			for _, comp := range cal.Main() {
				for _, w := range itip.Attendees(comp) {
					if w.PartStat == "ACCEPTED" {
						return cip.Info{Code: cip.Confirmed, ID: g.ID}, true
					}
				}
			}
		}
	}
	return cip.Info{Code: cip.Tentative, ID: g.ID}, true
}
