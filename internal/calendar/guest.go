package calendar

import (
	"context"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// viaPage is the transport of answers given on an invitation's page.
const viaPage = "page"

// Guest is an event as somebody outside sees it who is invited to it: what the
// organizer would send them now.
type Guest struct {
	Summary   itip.Summary // times in the event's own zone
	Attendee  itip.Attendee
	Cancelled bool // the event, or the invitation
	Organizer string

	object *ical.Calendar // their copy
	memory itip.Memory    // theirs: when they last answered
}

// For tells of the event in the language of a reader, with its times on their
// clock, or in the event's own zone where that is not known.
func (g Guest) For(r itip.Reader) itip.Summary { return r.Summarize(g.object) }

// File is the event for the guest's own calendar program, as a publication: it
// has the UID by which a later invitation is known, and nobody to answer.
func (g Guest) File() []byte {
	cal := g.object.Clone()
	for _, c := range cal.Main() {
		c.Remove("ATTENDEE", "REQUEST-STATUS")
	}
	cal.Set("METHOD", "PUBLISH")
	return cal.Bytes()
}

// Guest reads the present state of an event for one of its guests. It is
// problem.NotFound where the event is gone or the guest is not on its list any
// more.
func (s *Service) Guest(ctx context.Context, organizer store.AccountID, uid string, attendee ical.Address) (Guest, error) {
	var g Guest
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		g, err = s.guest(tx, organizer, uid, attendee)
		return err
	})
	return g, err
}

func (s *Service) guest(tx *store.Tx, organizer store.AccountID, uid string, attendee ical.Address) (Guest, error) {
	gone := problem.New(problem.NotFound, "This invitation is not valid any more: the event is gone, or you are not on its list.")
	o, err := s.byUID(tx, organizer, uid)
	if err != nil {
		return Guest{}, err
	}
	if o == nil {
		return Guest{}, gone
	}
	copy := itip.Copy{Now: s.now(), Local: func(ical.Address) bool { return true }} // as a colleague: one object, with all its occurrences
	if copy.Object, _, err = s.parse(tx, o); err != nil {
		return Guest{}, err
	}
	if copy.Memory, err = memoryOf(o); err != nil {
		return Guest{}, err
	}
	if copy.User, err = addresses(tx, organizer); err != nil {
		return Guest{}, err
	}
	coll, err := tx.Collection(o.Account, o.Collection)
	if err != nil {
		return Guest{}, fmt.Errorf("calendar of %s: %w", o.Name, err)
	}
	if copy.Zone, err = s.zoneOf(tx, coll); err != nil { // of floating times
		return Guest{}, err
	}
	m, _, err := copy.State(attendee)
	if err != nil {
		return Guest{}, gone.Because(err)
	}
	g := Guest{Summary: itip.Summarize(m.Calendar, nil), Cancelled: m.Method == itip.Cancel, object: m.Calendar}
	g.Organizer = g.Summary.Organizer
	g.Cancelled = g.Cancelled || strings.EqualFold(m.Calendar.Main()[0].Value("STATUS"), "CANCELLED")
	for _, a := range g.Summary.Attendees {
		if a.Address.Equal(attendee) {
			g.Attendee = a
		}
	}
	for _, answer := range copy.Memory.Replies[attendee.Key()] {
		if answer.Stamp.After(g.memory.Stamp) {
			g.memory.Stamp = answer.Stamp
		}
	}
	g.object.Remove("METHOD")
	return g, nil
}

// GuestAnswer takes the answer that a guest gives without a calendar program,
// on the invitation's page, to the whole (recurrenceID "") or one occurrence.
// The caller has made sure that it is the guest's: evidence is what it knows,
// for the record. The organizer's copy changes as with a REPLY.
func (s *Service) GuestAnswer(ctx context.Context, organizer store.AccountID, uid, recurrenceID string, attendee ical.Address, partStat, comment string, evidence []byte) error {
	partStat = strings.ToUpper(partStat)
	if partStat != "ACCEPTED" && partStat != "TENTATIVE" && partStat != "DECLINED" {
		return problem.New(problem.BadInput, "An invitation is answered with ACCEPTED, TENTATIVE or DECLINED, not with %q.", clip(partStat))
	}
	g, err := s.speaking(ctx, organizer, uid, attendee, comment)
	if err != nil {
		return err
	}
	id, _, err := g.occurrence(recurrenceID)
	if err != nil {
		return err
	}
	answered, err := itip.Answer(g.object, g.memory, []ical.Address{attendee}, partStat, comment, id, s.now())
	if err != nil {
		return forbidden(err)
	}
	out, err := itip.Plan(itip.Change{Old: g.object, New: answered, Memory: g.memory, User: []ical.Address{attendee}, Now: s.now(), Reply: itip.ReplySend})
	if err != nil {
		return forbidden(err)
	}
	var replies []Arrival // none where it is the same answer as before
	for _, m := range out.Send {
		if m.Method == itip.Reply {
			replies = append(replies, Arrival{To: organizer, From: attendee, Message: m.Calendar, Method: m.Method, Transport: viaPage, Evidence: evidence})
		}
	}
	_, err = s.arrive(ctx, replies)
	return err
}

// speaking is the event for a guest who has something to say about it.
func (s *Service) speaking(ctx context.Context, organizer store.AccountID, uid string, attendee ical.Address, comment string) (Guest, error) {
	if len(comment) > maxComment {
		return Guest{}, problem.New(problem.TooLarge, "The comment is %d octets long; %d are allowed.", len(comment), maxComment)
	}
	g, err := s.Guest(ctx, organizer, uid, attendee)
	if err == nil && g.Cancelled {
		err = problem.New(problem.BadInput, "The event was cancelled; there is nothing to answer any more.")
	}
	return g, err
}

// arrive takes a guest's messages as if they had come by mail. The error is
// that of the first that could not be processed.
func (s *Service) arrive(ctx context.Context, list []Arrival) ([]Received, error) {
	done, err := s.ReceiveAll(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, r := range done {
		s.deliver(ctx, r.Next)
		if err == nil {
			err = r.Err
		}
	}
	return done, err
}
