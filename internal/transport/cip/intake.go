package cip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// intake brings the event of another server to its attendees here, in one
// transaction: they are looked up, what they have is compared with what comes,
// and the message is judged and applied for each.
type intake struct {
	c          *CIP
	s          *session
	e          *cip.Event
	server, by string // of the owner, and how the session may speak for it
	digest     string
	now        time.Time
	copies     map[int]*ical.Calendar // for the attendees that the event is new to, by their place; made before, and for reading only
	here       map[ical.Address]bool  // of very many attendees those with accounts here; nil: all are looked up

	// Results of the transaction, which may run twice.
	guests []guest
	away   []*store.Entry // to members of groups on other services
	who    []int          // guest of each arrival
	to     []store.AccountID
	known  int64 // version there is, for errOldVersion
}

var (
	errOwnEvent   = errors.New("cip: the owner of the event is here")
	errOldVersion = errors.New("cip: old version")
)

// fewAttendees are looked up in the transaction that stores the event.
const fewAttendees = 100

// screen looks very many attendees up beforehand, so that nobody else waits
// for it.
func (in *intake) screen(ctx context.Context) error {
	if len(in.e.Attendees) <= fewAttendees {
		return nil
	}
	return in.c.o.Store.View(ctx, func(tx *store.Tx) error {
		in.here = map[ical.Address]bool{}
		guests, err := in.c.guests(tx, in.c.o.Calendar.Directory(tx), in.e.Attendees, nil)
		for _, g := range guests {
			if g.ours {
				in.here[g.Address] = true
			}
		}
		return err
	})
}

// lookUp finds the attendees in the transaction.
func (in *intake) lookUp(tx *store.Tx, dir *calendar.Directory) (err error) {
	if in.here == nil {
		in.guests, err = in.c.guests(tx, dir, in.e.Attendees, in.e.Trace)
		return err
	}
	var near []cip.Person
	for _, w := range in.e.Attendees {
		if in.here[w.Address] {
			near = append(near, w)
		}
	}
	found, err := in.c.guests(tx, dir, near, in.e.Trace)
	if err != nil {
		return err
	}
	in.guests = in.guests[:0]
	for _, w := range in.e.Attendees {
		if in.here[w.Address] {
			in.guests, found = append(in.guests, found[0]), found[1:]
		} else {
			in.guests = append(in.guests, guest{Person: w, info: cip.Info{Code: cip.NotFound, ID: w.ID}, skip: true})
		}
	}
	return nil
}

// fewLikely attendees' copies are made beforehand.
const fewLikely = 16

// likely are the messages that arrivals will make when the event is new to all
// who are of this server.
func (in *intake) likely() (list []calendar.Arrival) {
	if len(in.e.Attendees) > fewLikely {
		return nil
	}
	in.copies = map[int]*ical.Calendar{}
	for i, w := range in.e.Attendees {
		if !in.c.ours(cip.ServerOf(w.ID)) {
			continue
		}
		in.copies[i] = in.c.copyFor(in.e, &guest{Person: w})
		list = append(list, calendar.Arrival{Recipient: w.Address, From: in.e.Owner.Address, Message: in.copies[i], Method: in.method(), Transport: Name, Received: in.now})
	}
	return list
}

// copy is the message for a guest.
func (in *intake) copy(i int) *ical.Calendar {
	g := &in.guests[i]
	if made := in.copies[i]; made != nil && (g.had == nil || g.had.held) {
		return made
	}
	return in.c.copyFor(in.e, g)
}

func (in *intake) method() itip.Method {
	if in.e.Cancelled {
		return itip.Cancel
	}
	return itip.Request
}

// arrivals makes the messages; rows of those that do not reach a calendar are
// written at once.
func (in *intake) arrivals(tx *store.Tx, dir *calendar.Directory) (list []calendar.Arrival, err error) {
	in.who, in.to, in.away, in.known = nil, nil, nil, 0
	c, e := in.c, in.e
	if owner, err := dir.Holders([]ical.Address{e.Owner.Address}); err != nil {
		return nil, err
	} else if owner[0].ID != 0 {
		return nil, errOwnEvent
	}
	if err := in.lookUp(tx, dir); err != nil {
		return nil, err
	}
	for i := range in.guests {
		g := &in.guests[i]
		if g.skip {
			continue
		}
		if g.had, err = c.has(tx, dir, g.account.ID, e.UID); err != nil {
			return nil, err
		}
		switch {
		case g.had == nil:
		case g.had.version > e.Version:
			in.known = g.had.version
			return nil, errOldVersion
		case g.had.organizer != "" && !strings.EqualFold(g.had.organizer.Domain(), e.Owner.Address.Domain()):
			g.info, g.skip = cip.Info{Code: cip.PermDenied, ID: g.ID}, true
		}
	}
	method, policy := in.method(), c.policy(in.by)
	evidence := record{Evidence: trust.Evidence{From: e.Owner.Address, Peers: []string{in.server}, PeerBy: in.by, Remote: in.s.conn.RemoteAddr().String(), Policy: policy.Inbound}, EventID: e.ID, Version: e.Version, Trace: e.Trace}
	for i := range in.guests {
		g := &in.guests[i]
		if g.skip {
			continue
		}
		q := trust.Question{Evidence: evidence.Evidence, Policy: policy, Method: method, Organizer: itip.Attendee{Address: e.Owner.Address, CN: e.Owner.Name}}
		if g.had != nil && !g.had.held {
			q.Stored = &trust.Stored{Organizer: g.had.organizer}
		}
		q.Now = in.now
		if q.Rules, err = gate.Load(tx, g.account.ID); err != nil { // whom they do not want to hear
			return nil, err
		}
		waits := slices.ContainsFunc(q.Rules, func(r trust.Rule) bool { return r.Unknown == "hold" })
		if (q.Policy.UnknownSenders == "hold" || waits) && q.Stored == nil { // asked only where it matters
			if q.Known, err = journal.HasMet(tx, g.account.ID, e.Owner.Address); err != nil {
				return nil, err
			}
		}
		v := trust.Judge(q)
		r := evidence
		r.Level, r.Acting, r.Verdict = v.Level.String(), string(v.Acting), v.Sentence
		if in.by == "word" || in.by == "address" {
			r.Verdict = "Unverified sender: " + v.Sentence
		}
		row := &store.Entry{
			Account: g.account.ID, Direction: journal.In, Transport: Name, State: calendar.StateReceived, Method: string(method), UID: e.UID,
			From: string(e.Owner.Address), To: string(g.Address), Evidence: r.json(), Created: in.now, Digest: in.digest,
		}
		cal := in.copy(i)
		if m := cal.Master(); m != nil {
			row.Sequence = sequenceOf(m)
		}
		switch v.Do {
		case trust.Reject:
			g.info = cip.Info{Code: cip.PermDenied, ID: g.ID}
			row.State = calendar.StateRejected
		case trust.Hold:
			g.info, g.stored = cip.Info{Code: cip.Tentative, ID: g.ID}, true
			row.State = calendar.StateHeld
		}
		if v.Do != trust.Apply {
			row.Reason, row.Sentence, row.Calendar = v.Reason, v.Sentence, cal.Bytes()
			if err := keepOnce(tx, row); err != nil {
				return nil, err
			}
			continue
		}
		a := calendar.Arrival{To: g.account.ID, Recipient: g.Address, From: v.Acting, Message: cal, Method: method, Transport: Name, Received: row.Created, Entry: row}
		members, away, err := c.spread(tx, g.account, &a, r, g.had == nil)
		if err != nil {
			return nil, err
		}
		in.away = append(in.away, away...)
		for _, a := range append([]calendar.Arrival{a}, members...) {
			list, in.who, in.to = append(list, a), append(in.who, i), append(in.to, a.To)
		}
	}
	return list, nil
}

// keepOnce writes a row that does not reach a calendar, unless it is there.
func keepOnce(tx *store.Tx, e *store.Entry) error {
	if _, err := tx.EntryByDigest(e.Account, e.Digest); err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	row := *e
	if err := tx.AddEntry(&row); err != nil {
		return fmt.Errorf("keep a message: %w", err)
	}
	return nil
}

// received notes what became of the messages, and carries what they caused.
func (in *intake) received(ctx context.Context, got []calendar.Received) {
	next := in.away
	for k, r := range got {
		next = append(next, r.Next...)
		if g := &in.guests[in.who[k]]; in.to[k] == g.account.ID {
			g.info, g.stored = in.c.received(g, r)
		}
	}
	if len(next) > 0 {
		in.c.o.Journal.DeliverLocal(ctx, next)
	}
}
