package cip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// ownEvent stores an event whose owner is a user of ours, sent by the owner or
// somebody who may write in the owner's calendar (the draft's example of a
// personal computer, section 3.0). Attendees of other servers are the sender's
// to tell, as NOTFOUND says, and stand in the event so.
func (s *session) ownEvent(ctx context.Context, e *cip.Event, owner store.Account, guests []guest) cip.Reply {
	cal := e.Calendar.Clone()
	cal.Remove("METHOD")
	for _, comp := range cal.Main() {
		if e.Cancelled {
			comp.Set("STATUS", "CANCELLED")
		}
		for p := range comp.Props("ATTENDEE") {
			for _, g := range guests {
				if p.Address().Equal(g.Address) && !g.ours {
					p.SetParam("SCHEDULE-AGENT", "CLIENT") // RFC 6638 7.1
				}
			}
		}
	}
	ref, count, err := s.place(ctx, owner, e, cal.Kind())
	if err != nil {
		return s.fault("SENDEVENT", err)
	}
	if e.Version < count.Version {
		// Who may not see the event is not told how often it changed.
		if s.id.user.Account != owner.ID {
			if _, _, err := s.c.o.Calendar.Get(ctx, s.id.user, ref); err != nil {
				return s.deny(e, false)
			}
		}
		return cip.Invalid("Old version: %d is known, and this is %d.", count.Version, e.Version)
	}
	put, err := s.c.o.Calendar.Put(ctx, calendar.PutRequest{By: s.id.user, Ref: ref, Data: cal.Bytes()})
	if err != nil {
		p := problem.Of(err)
		if p.Condition == problem.Internal || p.Condition == problem.Unavailable {
			return s.fault("SENDEVENT", err)
		}
		if p.Condition == problem.NotFound || p.Condition == problem.Forbidden {
			return s.deny(e, false)
		}
		return cip.Invalid("%s", p.Sentence)
	}
	if err := s.c.counted(ctx, owner, e); err != nil {
		return s.fault("SENDEVENT", err)
	}
	s.stored(ctx, e, put, guests)
	return result(guests)
}

// place is where an owner's event lies, or is to lie.
func (s *session) place(ctx context.Context, owner store.Account, e *cip.Event, kind string) (ref calendar.Ref, count store.CIPEvent, err error) {
	err = s.c.o.Store.View(ctx, func(tx *store.Tx) error {
		ref = calendar.Ref{Owner: owner.ID}
		var err error
		if count, err = tx.CIPEvent(owner.ID, e.UID); err != nil {
			return err
		}
		objects, err := tx.ObjectsByUID(owner.ID, e.UID)
		if err != nil {
			return err
		}
		if len(objects) == 0 {
			return nil
		}
		coll, err := tx.Collection(objects[0].Account, objects[0].Collection)
		ref.Collection, ref.Name = coll.Name, objects[0].Name
		return err
	})
	if err != nil || ref.Name != "" {
		return ref, count, err
	}
	coll := "default"
	if kind == "VTODO" {
		coll = "tasks"
	} else if d, err := s.c.o.Calendar.DefaultCalendar(ctx, s.id.user, owner.ID); err == nil {
		coll = d.Name
	}
	sum := sha256.Sum256([]byte(e.UID))
	ref.Collection, ref.Name = coll, "cip-"+hex.EncodeToString(sum[:10])+".ics"
	return ref, count, nil
}

// counted keeps the version that the owner's own program gave.
func (c *CIP) counted(ctx context.Context, owner store.Account, e *cip.Event) error {
	return c.o.Store.Update(ctx, func(tx *store.Tx) error {
		count, err := tx.CIPEvent(owner.ID, e.UID)
		if err != nil || count.Version >= e.Version {
			return err
		}
		count.Version, count.Since, count.Stamp = e.Version, e.Version, c.now()
		return tx.PutCIPEvent(count)
	})
}

// stored says what became of our guests: colleagues have had the event, and
// rooms have answered, when Put returns.
func (s *session) stored(ctx context.Context, e *cip.Event, put calendar.PutResult, guests []guest) {
	answers := map[string]string{}
	_ = s.c.o.Store.View(ctx, func(tx *store.Tx) error { // without it everybody is TENTATIVE
		body, err := tx.Body(put.Object.Account, put.Object.ID)
		if err != nil {
			return err
		}
		if cal, err := ical.Parse(body); err == nil && cal.Master() != nil {
			for _, w := range itip.Attendees(cal.Master()) {
				answers[w.Address.Key()] = w.PartStat
			}
		}
		return nil
	})
	for i := range guests {
		g := &guests[i]
		if !g.ours || g.skip {
			continue
		}
		g.stored = true
		switch {
		case strings.EqualFold(g.ID, e.Owner.ID): // sent it
		case answers[g.Address.Key()] == "ACCEPTED":
			g.info = cip.Info{Code: cip.Confirmed, ID: g.ID}
		default:
			g.info = cip.Info{Code: cip.Tentative, ID: g.ID}
		}
	}
}
