package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/journal"
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
	earlier, err := s.GuestProposals(ctx, organizer, uid, attendee)
	if err != nil {
		return err
	}
	done, err := s.arrive(ctx, []Arrival{{To: organizer, From: attendee, Message: m.Calendar, Method: m.Method, Transport: viaPage, Evidence: evidence}})
	if err != nil {
		return err
	}
	if r := done[0].Result; r.Decision != itip.Held && r.Decision != itip.Applied {
		return problem.New(problem.BadInput, "The organizer's calendar did not take the proposal. Write to the organizer.")
	}
	for _, e := range earlier { // one wish at a time: the organizer should not have to guess which counts
		if e.RecurrenceID != want.RecurrenceID || e.ID == done[0].Entry.ID { // the same again is the same row
			continue
		}
		err := s.closeProposal(ctx, organizer, attendee, e.ID, "%s proposes another time instead.")
		if err != nil && !problem.Has(err, problem.NotFound) {
			return err
		}
	}
	return nil
}

// OpenProposal is a proposal of a guest that the organizer has not decided about.
type OpenProposal struct {
	ID           int64
	RecurrenceID string // as in itip.Message; "" = what takes place once
	Comment      string
	Made         time.Time

	object *ical.Calendar
}

// For tells of what was proposed as [Guest.For] does.
func (p OpenProposal) For(r itip.Reader) itip.Summary { return r.Summarize(p.object) }

// GuestProposals are the open proposals of a guest to an event, the oldest first,
// whatever way they came. The caller has made sure that it is the guest who asks.
func (s *Service) GuestProposals(ctx context.Context, organizer store.AccountID, uid string, attendee ical.Address) (out []OpenProposal, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Entries(store.EntryFilter{Account: organizer, UID: uid, Direction: journal.In, States: []string{StateHeld}})
		if err != nil {
			return fmt.Errorf("proposals to %s: %w", uid, err)
		}
		for _, e := range slices.Backward(rows) { // listings are newest first
			if !openProposal(e, attendee) {
				continue
			}
			cal, err := ical.ParseLimits(e.Calendar, s.parseLimits())
			if err != nil || len(cal.Main()) == 0 {
				continue // nothing that could be shown
			}
			out = append(out, OpenProposal{ID: e.ID, RecurrenceID: itip.Summarize(cal, nil).RecurrenceID, Comment: cal.Main()[0].Text("COMMENT"), Made: e.Created, object: cal})
		}
		return nil
	})
	return out, err
}

func openProposal(e store.Entry, attendee ical.Address) bool {
	return e.Direction == journal.In && e.State == StateHeld && e.Method == string(itip.Counter) && e.Reason == itip.ReasonCounter && ical.Address(e.From).Equal(attendee)
}

// reasonWithdrawn marks a proposal that its author took back.
const reasonWithdrawn = "withdrawn"

// GuestWithdraw takes an open proposal of a guest back: the organizer has nothing
// to decide any more, and sees why. iTIP has no message for it; a guest whose
// calendar program proposed sends another proposal instead.
func (s *Service) GuestWithdraw(ctx context.Context, organizer store.AccountID, uid string, attendee ical.Address, id int64) error {
	list, err := s.GuestProposals(ctx, organizer, uid, attendee)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(p OpenProposal) bool { return p.ID == id }) {
		return errNoProposal()
	}
	return s.closeProposal(ctx, organizer, attendee, id, "%s took the proposal back.")
}

func errNoProposal() error {
	return problem.New(problem.NotFound, "This proposal is not open any more: the organizer decided about it, or it was taken back before.")
}

func (s *Service) closeProposal(ctx context.Context, organizer store.AccountID, attendee ical.Address, id int64, sentence string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Entry(organizer, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !openProposal(e, attendee) {
			return errNoProposal()
		}
		if err != nil {
			return err
		}
		e.State, e.Reason, e.Updated = string(itip.Ignored), reasonWithdrawn, s.now()
		e.Sentence = fmt.Sprintf(sentence, bare(e.From))
		return tx.UpdateEntry(e)
	})
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
