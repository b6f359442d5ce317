package cip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
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
	server := cip.ServerOf(e.Owner.ID)
	by, ok := "", false
	if !s.c.ours(server) {
		if by, ok = s.speaksFor(ctx, server); !ok {
			by, ok = s.forwards(ctx, e.Trace)
		}
	}
	if !ok {
		return s.fromOurs(ctx, e)
	}
	in := &intake{c: s.c, s: s, e: e, server: server, by: by, digest: digestOf(e), now: s.c.now()}
	if err := in.screen(ctx); err != nil {
		return s.fault("SENDEVENT", err)
	}
	got, err := s.c.o.Calendar.ReceiveMade(ctx, in.likely(), in.arrivals)
	switch {
	case errors.Is(err, errOwnEvent):
		return s.fromOurs(ctx, e)
	case errors.Is(err, errOldVersion):
		return cip.Invalid("Old version: %d is known, and this is %d.", in.known, e.Version)
	case err != nil:
		return s.fault("SENDEVENT", err)
	}
	in.received(ctx, got)
	return result(in.guests)
}

// fromOurs takes an event whose owner is here, or whose owner the session may
// not speak for.
func (s *session) fromOurs(ctx context.Context, e *cip.Event) cip.Reply {
	ours := s.c.ours(cip.ServerOf(e.Owner.ID))
	if s.id.user.Account == 0 {
		return s.deny(e, ours && s.id.anonymous())
	}
	var guests []guest
	var owner store.Account
	err := s.c.o.Store.View(ctx, func(tx *store.Tx) error {
		dir := s.c.o.Calendar.Directory(tx)
		found, err := dir.Holders([]ical.Address{e.Owner.Address})
		if err != nil {
			return err
		}
		owner = found[0]
		guests, err = s.c.guests(tx, dir, e.Attendees, e.Trace)
		return err
	})
	switch {
	case err != nil:
		return s.fault("SENDEVENT", err)
	case owner.ID == 0:
		return s.deny(e, false)
	}
	return s.ownEvent(ctx, e, owner, guests)
}

// deny refuses an event without looking anybody up: neither the answer nor the
// time it takes tells who exists.
func (s *session) deny(e *cip.Event, anonymous bool) cip.Reply {
	r := cip.Reply{Code: cip.CodeAccess, Text: "Not allowed."}
	if anonymous {
		r.Code = cip.CodeNone // as in the draft's third session
	}
	for _, w := range e.Attendees {
		code := cip.NotFound
		if s.c.ours(cip.ServerOf(w.ID)) {
			code = cip.PermDenied
		}
		r.Infos = append(r.Infos, cip.Info{Code: code, ID: w.ID})
	}
	return r
}

// fault is trouble of ours: nothing was done, and it may be tried again.
func (s *session) fault(command string, err error) cip.Reply {
	s.c.log.Error("a CIP command failed", "command", command, "remote", s.conn.RemoteAddr(), "error", err)
	return cip.Reply{Code: cip.CodeNone, Text: "The command could not be carried out; try again later."}
}

// result words what became of the guests: all of ours stored, some, or none.
func result(guests []guest) cip.Reply {
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
	}
	return r
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
