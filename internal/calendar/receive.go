package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// States of a received row.
const (
	StateReceived = "received" // on disk, not yet looked at
	StateHeld     = "held"     // waits for a person, or for the message it belongs to
	StateRejected = "rejected"
)

// Arrival is a scheduling message for one calendar user of this service. Its
// transport has made sure whom it is from.
type Arrival struct {
	To        store.AccountID // 0: whoever has the address Recipient
	Recipient ical.Address    // the address it was sent to
	From      ical.Address    // acting address; "" = trusted without looking (approved by the owner)
	// Invited is the guest whose answer it is because of the address it came to,
	// which was made for them; "" = what the message says.
	Invited   ical.Address
	Message   *ical.Calendar
	Method    itip.Method // "" = METHOD of Message
	Transport string      // journal.Local, "mail", …
	Received  time.Time   // zero = now
	// Entry is the row (direction in) to write the outcome to: as it is on
	// disk, ID set. Nil: Receive adds one. Without a Calendar it gets the message.
	Entry *store.Entry
	// Sent is the sender's row of a message within this service.
	Sent *store.Entry
	// AskFirst holds an invitation to an event that is not in the calendar yet
	// until its owner approves it.
	AskFirst bool
	// Approved says that the owner has looked at it and wants it.
	Approved bool
	// Evidence is what the transport knows of the sender, as JSON, for a row
	// that Receive adds.
	Evidence []byte
}

// colleague reports whether the message is of somebody of this service: what goes
// to one of many guests who have the same copy.
func (a *Arrival) colleague() bool { return a.Transport == journal.Local && a.Sent != nil }

// Received is what became of an arrival.
type Received struct {
	Result *itip.Result
	Entry  store.Entry // the row, as written; zero for a mere refresh
	Err    error       // why this one could not be processed: *problem.Problem, or our fault
	Next   []*store.Entry
}

// Receive processes one message: the object changes, the inbox gets an item
// when there is something to tell, and the row says what happened and why.
// The same message again has no effect. The error is ours (the store), never
// the message's; nothing is written then, and it may be tried again.
func (s *Service) Receive(ctx context.Context, a Arrival) (Received, error) {
	out, err := s.ReceiveAll(ctx, []Arrival{a})
	if err != nil {
		return Received{}, err
	}
	s.deliver(ctx, out[0].Next)
	return out[0], nil
}

// ReceiveAll processes messages in order in one transaction. What they cause
// (answers of rooms, refreshed copies) is in Received.Next and not delivered
// yet. One message that cannot be processed does not stop the others.
func (s *Service) ReceiveAll(ctx context.Context, arrivals []Arrival) ([]Received, error) {
	arrivals = slices.Clone(arrivals)
	for i := range arrivals {
		if arrivals[i].Received.IsZero() {
			arrivals[i].Received = s.now()
		}
	}
	return s.ReceiveMade(ctx, arrivals, func(*store.Tx, *Directory) ([]Arrival, error) { return arrivals, nil })
}

// ReceiveMade is ReceiveAll for messages that can only be made with what the
// transaction reads: who of the recipients is here, and what they have. An
// error of arriving is given back, and nothing is written then. Of likely, the
// messages that it will probably be, with the same objects, as much as possible is
// done beforehand.
func (s *Service) ReceiveMade(ctx context.Context, likely []Arrival, arriving func(*store.Tx, *Directory) ([]Arrival, error)) ([]Received, error) {
	var out []Received
	ahead := s.foresee(likely)
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		dir := s.directory(tx)
		dir.ahead, dir.lacking, dir.whole = ahead, ahead.lacking, ahead.whole
		arrivals, err := arriving(tx, dir)
		if err != nil {
			return err
		}
		out = make([]Received, 0, len(arrivals))
		dir.load(parties(arrivals))
		if err := dir.loadTraces(arrivals); err != nil {
			return err
		}
		for _, a := range arrivals {
			r, err := s.receive(tx, a, dir)
			if err != nil && problem.Of(err).Condition == problem.Internal {
				return err
			}
			r.Err = err
			out = append(out, r)
		}
		s.lately.note(arrivals, dir)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("receive messages: %w", err)
	}
	return out, nil
}

// parties are the addresses that are looked up for messages: of the
// recipients, and of the organizers of those from outside.
func parties(arrivals []Arrival) []ical.Address {
	list := make([]ical.Address, 0, len(arrivals)+1)
	for _, a := range arrivals {
		if a.Recipient != "" {
			list = append(list, a.Recipient)
		}
		if a.Transport == journal.Local {
			continue
		}
		for _, c := range a.Message.Main() {
			if p := c.Prop("ORGANIZER"); p != nil {
				list = append(list, p.Address())
				break
			}
		}
	}
	return list
}

func (s *Service) receive(tx *store.Tx, a Arrival, dir *Directory) (Received, error) {
	if a.Received.IsZero() {
		a.Received = s.now()
	}
	a.Message = dir.completed(s, a.Message)
	if a.Method == "" {
		a.Method = itip.Method(a.Message.Method())
	}
	who, err := s.addressee(tx, &a, dir)
	if err != nil {
		return Received{}, err
	}
	if a.Message, err = s.OwnUID(tx, a.To, a.Message); err != nil {
		return Received{}, err
	}
	e := s.row(a, dir)
	if e.Digest == "" {
		e.Digest = digest(a)
	}
	// Most messages are about what nobody here has heard of: then all that is
	// to be read about it is that there is nothing.
	traces := store.Traces{Object: true, Deleted: true, Entry: true}
	if uid := a.Message.UID(); uid != "" && uid == e.UID {
		if traces, err = dir.Traces(a.To, uid); err != nil {
			return Received{}, err
		}
		defer delete(dir.traces, met{a.To, uid})
	}
	if traces.Entry {
		if done, err := s.duplicate(tx, a, e); done != nil || err != nil {
			if done == nil {
				return Received{}, err
			}
			return *done, err
		}
	}
	r := Received{}
	if r.Result, err = s.judge(tx, a, who, e, traces, &r.Next, dir); err != nil {
		return r, err
	}
	return r, s.note(tx, a, e, r.Result, &r)
}

// OwnUID is a message of a guest under the UID that the organizer has, where
// the guest has the series by another name (REC-07): the message itself in all
// other cases.
func (s *Service) OwnUID(tx *store.Tx, account store.AccountID, cal *ical.Calendar) (*ical.Calendar, error) {
	original, ok := itip.OriginalUID(cal.UID())
	if !ok {
		return cal, nil
	}
	switch itip.Method(cal.Method()) {
	case itip.Reply, itip.Counter, itip.Refresh:
	default:
		return cal, nil
	}
	have, err := s.byUID(tx, account, cal.UID())
	if err != nil || have != nil {
		return cal, err
	}
	if have, err = s.byUID(tx, account, original); err != nil || have == nil {
		return cal, err
	}
	return itip.WithUID(cal, original), nil
}

// addressee is the account that a message is for.
func (s *Service) addressee(tx *store.Tx, a *Arrival, dir *Directory) (store.Account, error) {
	if a.To == 0 {
		who, ok := dir.account(a.Recipient)
		if dir.err != nil {
			return who, fmt.Errorf("look up %s: %w", a.Recipient, dir.err)
		}
		if !ok {
			return who, problem.New(problem.NotFound, "%s is not a calendar user here.", a.Recipient)
		}
		a.To = who.ID
		return who, nil
	}
	if h := dir.holder(a.To, a.Recipient); h != nil {
		return h.Account, nil
	}
	who, err := tx.Account(a.To)
	if errors.Is(err, store.ErrNotFound) {
		return who, problem.New(problem.NotFound, "This calendar user does not exist here, or not any more.").Because(err)
	}
	if err != nil {
		return who, fmt.Errorf("account %d: %w", a.To, err)
	}
	return who, nil
}

// judge applies a message to the home and does what follows, in tx.
func (s *Service) judge(tx *store.Tx, a Arrival, who store.Account, e *store.Entry, traces store.Traces, next *[]*store.Entry, dir *Directory) (*itip.Result, error) {
	if a.Message.Kind() == "VFREEBUSY" {
		return s.judgeBusy(tx, a, who, e, next, dir)
	}
	uid := a.Message.UID()
	if len(uid) > maxUID {
		return &itip.Result{Decision: itip.Rejected, Reason: itip.ReasonInvalid, Sentence: fmt.Sprintf("The message has a UID of %d octets; %d are allowed.", len(uid), maxUID)}, nil
	}
	if uid == "" {
		return &itip.Result{Decision: itip.Rejected, Reason: "no-uid", Sentence: "The message does not say which event it is about: it has no UID."}, nil
	}
	var stored *store.Object
	var err error
	if traces.Object {
		if stored, err = s.byUID(tx, a.To, uid); err != nil {
			return nil, err
		}
	}
	arrival := s.arrival(a, who)
	arrival.Local, arrival.Consent, arrival.Member = dir.local, s.consent(tx, dir, a.To), s.member(tx, dir)
	if arrival.User, err = s.named(tx, a, dir); err != nil {
		return nil, err
	}
	if a.Transport != journal.Local && itip.Floating(a.Message) { // what goes out within the service names its zones
		arrival.OrganizerZone = func(organizer ical.Address) *tz.Zone { return s.lastZone(tx, a.To, organizer) }
	}
	var unread error // of what was told of a deleted event
	version := ""
	if stored != nil {
		if version = stored.ETag; !a.colleague() {
			if arrival.Stored, _, err = s.parse(tx, stored); err != nil {
				return nil, err
			}
		}
		if arrival.Memory, err = memoryOf(stored); err != nil {
			return nil, err
		}
		if s.loop(a, stored, arrival.Stored, dir) {
			return &itip.Result{Decision: itip.Ignored, Reason: "loop", Sentence: "The organizer is on this service, so the calendar had this message already before the mail came back."}, nil
		}
	} else if traces.Deleted {
		if arrival.Deleted, arrival.Last, err = s.deleted(tx, a.To, uid); err != nil {
			return nil, fmt.Errorf("look for deleted event: %w", err)
		}
		if arrival.Last != nil {
			arrival.Memory = itip.Known(arrival.Last)
			arrival.Told = s.toldOfTheEnd(tx, a.To, uid, &unread)
		}
	}
	if refused, err := s.unwanted(tx, a, who, stored != nil, dir); err != nil || refused != nil {
		return refused, err
	}
	if stored == nil {
		if forged, err := s.forged(tx, a, dir); err != nil || forged != nil {
			return forged, err
		}
	}
	if a.Transport != journal.Local && !a.Approved && a.Method == itip.Request && dense(a.Message, arrival.Zone) {
		return &itip.Result{Decision: itip.Held, Reason: "dense-recurrence", Memory: arrival.Memory,
			Sentence: fmt.Sprintf("The event repeats more than %d times in %d years; it does not go into your calendar unless you say so.", unaskedInstances, unaskedYears)}, nil
	}
	var waiting []held
	if traces.Entry {
		if waiting, err = s.waiting(tx, a.To, uid, e.ID); err != nil {
			return nil, err
		}
	}
	for _, w := range waiting {
		arrival.Waiting = append(arrival.Waiting, w.message)
	}
	var res *itip.Result
	if a.colleague() {
		res, err = dir.alike.Apply(arrival, version, func() (*ical.Calendar, error) {
			cal, _, err := s.parse(tx, stored)
			return cal, err
		})
	} else if foretold, ok := dir.foretold(arrival); ok {
		res = foretold
	} else {
		res, err = itip.Apply(arrival)
	}
	if err != nil {
		return nil, fmt.Errorf("apply message about %s: %w", uid, err)
	}
	if dir.err != nil {
		return nil, fmt.Errorf("look up attendees: %w", dir.err)
	}
	if unread != nil {
		return nil, fmt.Errorf("look up who knows that %s was deleted: %w", uid, unread)
	}
	if err := s.keep(tx, a, who, stored, res, e, next, dir); err != nil {
		if problem.Of(err).Condition == problem.Internal {
			return nil, err
		}
		return &itip.Result{Decision: itip.Rejected, Reason: string(problem.Of(err).Condition), Sentence: problem.Of(err).Sentence}, nil
	}
	for _, done := range res.Settled {
		w := waiting[done.Index].row
		w.State, w.Reason, w.Sentence, w.Updated = string(done.Decision), done.Reason, done.Sentence, s.now()
		w.Object = e.Object
		if err := tx.UpdateEntry(w); err != nil {
			return nil, fmt.Errorf("settle held message %d: %w", w.ID, err)
		}
	}
	return res, nil
}

// arrival is what itip is told of a message for an account, but for what has to be
// looked up.
func (s *Service) arrival(a Arrival, who store.Account) itip.Arrival {
	now := itip.Arrival{
		Message: a.Message, Method: a.Method, From: a.From, Invited: a.Invited, Received: a.Received, AutoAdd: !a.AskFirst, Approved: a.Approved,
		Zone: accountZone(who), MaxAttendees: s.limits.Attendees, NoDelegation: preferencesOf(who).NoDelegation, Crashers: preferencesOf(who).Crashers,
		Refreshes: func(ical.Address) bool { return a.Message.Value("PRODID") == itip.ProductID }, // as this service does
	}
	if a.Approved && a.Entry != nil {
		now.Sender = ical.Address(a.Entry.From)
	}
	return now
}

// forged holds a message from outside in the name of an organizer of this
// service who has no such event: what colleagues organize comes within the
// service, so that nobody has to take a From field's word for it (RFC 5546 6.1.1).
func (s *Service) forged(tx *store.Tx, a Arrival, dir *Directory) (*itip.Result, error) {
	if a.Transport == journal.Local || a.Transport == "" || a.Approved || a.From == "" {
		return nil, nil
	}
	switch a.Method {
	case itip.Request, itip.Cancel, itip.Add, itip.Publish:
	default:
		return nil, nil
	}
	for _, c := range a.Message.Main() {
		p := c.Prop("ORGANIZER")
		if p == nil {
			continue
		}
		owner, ok := dir.account(p.Address())
		if !ok || owner.ID == a.To {
			continue
		}
		theirs, err := s.byUID(tx, owner.ID, a.Message.UID())
		if err != nil || theirs != nil && theirs.Scheduling {
			return nil, err
		}
		return &itip.Result{Decision: itip.Held, Reason: itip.ReasonNotOrganizer, Notify: false,
			Sentence: fmt.Sprintf("The message names %s as the organizer and came from outside, although invitations by people of this service do not come that way. It may be forged.", p.Address().Email())}, nil
	}
	return nil, nil
}

// heldFor is how long a message waits for the one it belongs to (RFC 5546
// 5.2.1 names no time; two weeks outlive every mail queue).
const heldFor = 14 * 24 * time.Hour
