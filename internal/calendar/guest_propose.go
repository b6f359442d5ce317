package calendar

import (
	"context"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// GuestProposal is another time that a guest would rather have. Of a series it
// is about one occurrence, as in programs that propose: to move a series from
// its first occurrence on is nothing that a guest can mean.
type GuestProposal struct {
	RecurrenceID string // as in itip.Message; needed for a series
	// Start and End are dates for what takes whole days. Floating times are in
	// the zone of the event. Without End it lasts as long as it did.
	Start, End ical.Time
	Comment    string
}

// Proposals tells whether the organizer takes proposals for the event.
func (g Guest) Proposals() bool { return !g.Cancelled && itip.TakesProposals(g.object) }

// GuestPropose takes the proposal of a guest without a calendar program. The
// caller has made sure that it is the guest's, as in [Service.GuestAnswer]. It
// is held for the organizer as a COUNTER that came by mail is.
func (s *Service) GuestPropose(ctx context.Context, organizer store.AccountID, uid string, attendee ical.Address, p GuestProposal, evidence []byte) error {
	g, err := s.speaking(ctx, organizer, uid, attendee, p.Comment)
	if err != nil {
		return err
	}
	want, err := g.proposal(p)
	if err != nil {
		return err
	}
	if at := tz.NewResolver(g.object, nil).Instant(want.Start); !want.Start.IsDate() && at.Before(s.now()) || want.Start.IsDate() && at.AddDate(0, 0, 1).Before(s.now()) {
		return problem.New(problem.BadInput, "The proposed time lies in the past.")
	}
	m, _, err := itip.Copy{Object: g.object, Memory: g.memory, User: []ical.Address{attendee}, Now: s.now()}.Propose(want)
	if err != nil {
		return forbidden(err)
	}
	if len(m.Changes) == 0 {
		return problem.New(problem.BadInput, "That is when it takes place now. Say another time.")
	}
	done, err := s.arrive(ctx, []Arrival{{To: organizer, From: attendee, Message: m.Calendar, Method: m.Method, Transport: viaPage, Evidence: evidence}})
	if err != nil {
		return err
	}
	if r := done[0].Result; r.Decision != itip.Held && r.Decision != itip.Applied {
		return problem.New(problem.BadInput, "The organizer's calendar did not take the proposal. Write to the organizer.")
	}
	return nil
}

// proposal brings the times into the form that the event has them in, so that
// what is taken up stays in the event's zone.
func (g Guest) proposal(p GuestProposal) (itip.Proposal, error) {
	id, occ, err := g.occurrence(p.RecurrenceID)
	if err != nil {
		return itip.Proposal{}, err
	}
	set, zones, err := g.set()
	if err != nil {
		return itip.Proposal{}, problem.New(problem.BadInput, "The times of this event cannot be read, so none can be proposed.").Because(err)
	}
	like := occ.Start
	if id == "" {
		if set.Recurring() {
			return itip.Proposal{}, problem.New(problem.BadInput, "Say for which occurrence you propose another time.")
		}
		like = g.Summary.Start
	}
	out := itip.Proposal{RecurrenceID: id, Comment: p.Comment}
	if p.Start.IsZero() {
		return out, problem.New(problem.BadInput, "Say when it should begin.")
	}
	for _, t := range []struct{ from, to *ical.Time }{{&p.Start, &out.Start}, {&p.End, &out.End}} {
		switch {
		case t.from.IsZero():
		case t.from.IsDate() != like.IsDate():
			return out, problem.New(problem.BadInput, "Whole days can be proposed for what takes whole days, and a time of day for what has one.")
		default:
			*t.to = inFormOf(*t.from, like, zones)
		}
	}
	return out, nil
}

// inFormOf is a time in the zone and form of another; a floating one reads the
// other's clock.
func inFormOf(t, like ical.Time, zones *tz.Resolver) ical.Time {
	switch {
	case t.IsDate():
		return t
	case t.Kind == ical.Floating:
		t.Kind, t.TZID = like.Kind, like.TZID
		return t
	case like.Kind == ical.UTC:
		return ical.UTCTime(zones.Instant(t))
	}
	var z recur.Zone = zones.FindFloating()
	if like.Kind == ical.Zoned {
		z = zones.Find(like.TZID)
	}
	out := like
	out.Wall, _ = z.Wall(zones.Instant(t))
	return out
}
