package calendar

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// viaPage is the transport of answers given on an invitation's page.
const viaPage = "page"

// Guest is an event as somebody outside sees it who is invited to it: what the
// organizer has sent them. A change whose message to them still waits may be
// taken back, and is not theirs to see yet.
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

// Guest reads the state of an event for one of its guests. It is
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
	copy := itip.Copy{Now: s.now(), Local: func(ical.Address) bool { return true }} // as a colleague: one object, with all its occurrences
	var now itip.Memory
	var home store.Collection
	if o != nil {
		if copy.Object, _, err = s.parse(tx, o); err != nil {
			return Guest{}, err
		}
		if now, err = memoryOf(o); err != nil {
			return Guest{}, err
		}
		if home, err = tx.Collection(o.Account, o.Collection); err != nil {
			return Guest{}, fmt.Errorf("calendar of %s: %w", o.Name, err)
		}
	}
	copy.Memory = now
	if err := s.asSent(tx, organizer, uid, attendee, &copy); err != nil {
		return Guest{}, err
	}
	if copy.Object == nil {
		return Guest{}, gone
	}
	if copy.User, err = addresses(tx, organizer); err != nil {
		return Guest{}, err
	}
	home.Account = organizer
	if copy.Zone, err = s.zoneOf(tx, home); err != nil { // of floating times
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
	for _, answer := range now.Replies[attendee.Key()] {
		if answer.Stamp.After(g.memory.Stamp) {
			g.memory.Stamp = answer.Stamp
		}
	}
	if last, ok := now.Replies[attendee.Key()][""]; ok && last.PartStat != "" && last.Stamp.After(copy.Memory.Replies[attendee.Key()][""].Stamp) {
		g.answered(attendee, last.PartStat) // since the state that they know
	}
	g.object.Remove("METHOD")
	return g, nil
}

// asSent gives a guest's view the state that the last message to them told of,
// while a later change may still be taken back. What waits for longer, since the
// relay is out of order, is better seen on the page than nowhere.
func (s *Service) asSent(tx *store.Tx, organizer store.AccountID, uid string, attendee ical.Address, copy *itip.Copy) error {
	unsent, err := s.unsent(tx, store.EntryFilter{Account: organizer, UID: uid, To: string(attendee), Bare: true}, func(string) bool { return true })
	if err != nil || len(unsent) == 0 || unsent[0].base <= 0 {
		return err
	}
	now := s.now()
	if !slices.ContainsFunc(unsent[len(unsent)-1].rows, func(e store.Entry) bool { return e.State == journal.Due && e.NextAttempt.After(now) }) {
		return nil
	}
	body, memory, err := s.stateAt(tx, organizer, unsent[0])
	if err != nil || body == nil {
		return err // the history has it no more: what is there now is nearest
	}
	before, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return fmt.Errorf("earlier state of %s: %w", clip(uid), err)
	}
	copy.Object, copy.Memory = before, itip.Memory{}
	if len(memory) > 0 {
		if err := json.Unmarshal(memory, &copy.Memory); err != nil {
			return fmt.Errorf("earlier scheduling state of %s: %w", clip(uid), err)
		}
	}
	return nil
}

// answered notes an answer on the guest's own line.
func (g *Guest) answered(attendee ical.Address, partStat string) {
	g.Attendee.PartStat = partStat
	for _, c := range g.object.Main() {
		for p := range c.Props("ATTENDEE") {
			if c.Prop("RECURRENCE-ID") == nil && p.Address().Equal(attendee) {
				p.SetParam("PARTSTAT", partStat)
			}
		}
	}
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
