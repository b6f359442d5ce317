package calendar

import (
	"context"
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// BookRequest asks a room or resource for an event of one's own.
type BookRequest struct {
	By    account.Actor
	Owner store.AccountID
	UID   string
	Room  ical.Address
}

// Booked is what the room said.
type Booked struct {
	PartStat string // ACCEPTED, TENTATIVE, DECLINED; NEEDS-ACTION while a person decides, or one elsewhere
	Note     string // why
}

// Book invites a room or resource to an event and gives its answer, which is
// there at once for rooms of this service. An event without organizer becomes
// one of its owner's. A room that declines stays on the list, as it would
// after an invitation by hand.
func (s *Service) Book(ctx context.Context, req BookRequest) (Booked, error) {
	var e effect
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		dir := s.directory(tx)
		room, ok := dir.account(req.Room)
		if dir.err != nil {
			return fmt.Errorf("look up %s: %w", req.Room, dir.err)
		}
		if !ok || room.Kind != store.Room && room.Kind != store.Resource {
			return problem.New(problem.NotFound, "%s is no room or resource of this service.", bare(string(req.Room)))
		}
		e, err = s.edit(tx, req.By, req.Owner, req.UID, func(t telling) (*ical.Calendar, error) {
			return book(t, req.Room, room)
		})
		return err
	})
	if err != nil {
		return Booked{}, err
	}
	s.deliver(ctx, e.rows)
	return s.roomSays(ctx, e, req.Room)
}

// book writes the room's lines.
func book(t telling, address ical.Address, room store.Account) (*ical.Calendar, error) {
	if t.object.Component != "VEVENT" {
		return nil, problem.New(problem.BadInput, "Rooms are booked for events.")
	}
	if len(t.user) == 0 {
		return nil, problem.New(problem.Forbidden, "This account has no address to book from.")
	}
	cal := t.cal.Clone()
	for _, c := range cal.Main() {
		o, ok := itip.Organizer(c)
		switch {
		case ok && !containsAddress(t.user, o.Address):
			return nil, problem.New(problem.Forbidden, "Somebody else organizes this event; only they can book a room for it.")
		case !ok:
			p := ical.NewProperty("ORGANIZER", string(t.user[0]))
			p.SetParam("CN", nameFor(t.owner))
			me := ical.NewProperty("ATTENDEE", string(t.user[0]))
			me.SetParam("CN", nameFor(t.owner))
			me.SetParam("PARTSTAT", "ACCEPTED")
			c.Add(p, me)
		}
		if attendeeLine(c, address) != nil {
			return nil, problem.New(problem.Exists, "%s is asked for this event already.", nameFor(room))
		}
		p := ical.NewProperty("ATTENDEE", string(address))
		p.SetParam("CN", nameFor(room))
		p.SetParam("CUTYPE", map[string]string{store.Room: "ROOM", store.Resource: "RESOURCE"}[room.Kind])
		p.SetParam("ROLE", "NON-PARTICIPANT") // RFC 5545 3.2.16: it is there, and has no say
		p.SetParam("PARTSTAT", "NEEDS-ACTION")
		p.SetParam("RSVP", "TRUE")
		c.Add(p)
		if room.Kind == store.Room && c.Text("LOCATION") == "" {
			c.SetText("LOCATION", nameFor(room))
		}
	}
	return cal, nil
}

func (s *Service) roomSays(ctx context.Context, e effect, room ical.Address) (Booked, error) {
	out := Booked{PartStat: "NEEDS-ACTION"}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		o, err := tx.ObjectByID(e.object.Account, e.object.ID)
		if err != nil {
			return fmt.Errorf("read back %s: %w", e.object.Name, err)
		}
		cal, _, err := s.parse(tx, &o)
		if err != nil {
			return err
		}
		for _, c := range cal.Main() {
			for _, a := range itip.Attendees(c) {
				if a.Address.Equal(room) {
					out = Booked{a.PartStat, a.Comment}
					return nil
				}
			}
		}
		return nil
	})
	return out, err
}
