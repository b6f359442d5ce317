package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// row is the journal row of an arrival.
func (s *Service) row(a Arrival, dir *Directory) *store.Entry {
	if a.Entry != nil {
		e := *a.Entry
		if len(e.Calendar) == 0 {
			e.Calendar = dir.writing(a.Message).body
		}
		return &e
	}
	e := &store.Entry{
		Account: a.To, Direction: journal.In, Transport: a.Transport, State: StateReceived,
		Method: string(a.Method), UID: clipTo(a.Message.UID(), maxUID-len("…")), From: string(a.From), To: string(a.Recipient),
		Calendar: dir.writing(a.Message).body, Created: a.Received, Evidence: a.Evidence,
	}
	if a.Sent != nil {
		e.RecurrenceID, e.Sequence, e.Changes, e.Refresh = a.Sent.RecurrenceID, a.Sent.Sequence, a.Sent.Changes, a.Sent.Refresh
		if e.From == "" {
			e.From = a.Sent.From
		}
		// One row of the sender is one message, however often it is carried.
		e.Digest = "row:" + strconv.FormatInt(int64(a.Sent.Account), 10) + ":" + strconv.FormatInt(a.Sent.ID, 10)
	}
	if e.Digest == "" {
		e.Digest = digest(a)
	}
	return e
}

// digest recognises a message that comes again by whatever way: method,
// content and sender (IN-07: mail may be delivered more than once).
func digest(a Arrival) string {
	h := sha256.New()
	h.Write([]byte(strings.ToUpper(string(a.Method))))
	h.Write([]byte{0})
	h.Write([]byte(a.From.Key()))
	for _, c := range a.Message.Main() {
		for _, p := range c.Properties {
			h.Write([]byte{0})
			h.Write([]byte(p.Name()))
			for name, values := range p.Params() {
				fmt.Fprintf(h, ";%s=%q", name, values)
			}
			h.Write([]byte(":" + p.Value()))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// duplicate answers for a message that was processed before.
func (s *Service) duplicate(tx *store.Tx, a Arrival, e *store.Entry) (*Received, error) {
	if a.Approved {
		return nil, nil // its owner wants it, whatever came since
	}
	before, err := tx.EntryByDigest(a.To, e.Digest)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the same message: %w", err)
	}
	if before.ID == e.ID || before.Direction != journal.In || before.State == StateReceived || before.State == journal.Failed {
		return nil, nil
	}
	res := &itip.Result{Decision: itip.Unchanged, Reason: "duplicate", Sentence: fmt.Sprintf("The same message was processed before, as message %d; it changes nothing.", before.ID)}
	r := &Received{Result: res}
	if a.Sent != nil {
		r.Entry = before // carried twice after a crash: the row there is tells it all
		return r, nil
	}
	e.Object = before.Object
	return r, s.note(tx, a, e, res, r)
}

// looksBack is in how many of the last messages the zone of an organizer is
// looked for.
const looksBack = 200

// lastZone is the zone of the last message of an organizer whose times name one;
// nil when there is none among the last ones. What cannot be read tells nothing.
func (s *Service) lastZone(tx *store.Tx, owner store.AccountID, organizer ical.Address) *tz.Zone {
	rows, err := tx.Entries(store.EntryFilter{Account: owner, Direction: journal.In, States: []string{string(itip.Applied)}, Limit: looksBack})
	if err != nil {
		return nil
	}
	for _, e := range rows {
		if !ical.Address(e.From).Equal(organizer) || e.Method != string(itip.Request) {
			continue
		}
		cal, err := ical.ParseLimits(e.Calendar, s.parseLimits())
		if err != nil {
			continue
		}
		for _, c := range cal.Main() {
			if start := c.Prop("DTSTART"); start != nil && start.Param("TZID") != "" {
				if z, err := tz.Load(start.Param("TZID")); err == nil {
					return z
				}
			}
		}
	}
	return nil
}

// deleted says whether the owner had an event and deleted it, and which version
// of it that was, as far as the history goes back.
func (s *Service) deleted(tx *store.Tx, owner store.AccountID, uid string) (bool, *ical.Calendar, error) {
	gone, err := tx.DeletedUID(owner, uid)
	if err != nil || !gone {
		return false, nil, err
	}
	cal, err := s.lastDeleted(tx, owner, uid)
	return true, cal, err // nil: an event like new, then
}

// lastDeleted is the last version of an event that is not there any more, nil
// when the history does not know it.
func (s *Service) lastDeleted(tx *store.Tx, owner store.AccountID, uid string) (*ical.Calendar, error) {
	last, err := tx.Versions(owner, store.VersionFilter{UID: uid, Deleted: true, Limit: 1})
	if err != nil || len(last) == 0 {
		return nil, err
	}
	body, err := tx.VersionBody(owner, last[0].Object, last[0].Seq)
	if err != nil {
		return nil, err
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil {
		return nil, nil // unreadable: as if it had never been
	}
	return cal, nil
}

// loop recognises our own mail that came back to a local attendee of a local
// organizer (IN-08): the object is in the calendar already.
func (s *Service) loop(a Arrival, stored *store.Object, cal *ical.Calendar, dir *Directory) bool {
	if a.Transport == journal.Local || a.Transport == "" || a.Entry != nil && a.From == "" {
		return false
	}
	switch a.Method {
	case itip.Request, itip.Cancel, itip.Add:
	default:
		return false
	}
	for _, c := range cal.Main() {
		if p := c.Prop("ORGANIZER"); p != nil {
			owner, ok := dir.account(p.Address())
			return ok && stored.Scheduling && owner.ID != a.To
		}
	}
	return false
}

// Of a deleted event nothing is remembered but what the journal has. Who was a guest
// of it and has passed it on names people who were not: each is told once that it
// does not take place, and after a few such answers of one guest nobody is, since
// every name is a mail from here to somebody of that guest's choice.
const (
	answersToTheDeleted = 3    // of one guest, upon which others are told
	rowsOfTheDeleted    = 1000 // of the journal that are looked at, the newest
)

// toldOfTheEnd is [itip.Arrival.Told] of a deleted event.
func (s *Service) toldOfTheEnd(tx *store.Tx, owner store.AccountID, uid string, unread *error) func(delegator, to ical.Address) bool {
	var told map[string]bool
	var answers map[string]int
	return func(delegator, to ical.Address) bool {
		if told == nil {
			rows, err := tx.Entries(store.EntryFilter{Account: owner, UID: uid, Limit: rowsOfTheDeleted, Bare: true})
			if err != nil {
				*unread = err
				return true
			}
			told, answers = map[string]bool{}, map[string]int{}
			for _, e := range rows {
				switch {
				case e.Direction == journal.Out && e.Method == string(itip.Cancel) && e.RecurrenceID == "":
					told[ical.Address(e.To).Key()] = true
				case e.Direction == journal.In && e.Method == string(itip.Reply) && e.Reason == itip.ReasonDeleted:
					answers[ical.Address(e.From).Key()]++
				}
			}
		}
		return told[to.Key()] || answers[delegator.Key()] >= answersToTheDeleted
	}
}

type held struct {
	row     store.Entry
	message *ical.Calendar
}

// waiting lists messages of a UID that came before the message they belong to.
func (s *Service) waiting(tx *store.Tx, owner store.AccountID, uid string, except int64) ([]held, error) {
	rows, err := tx.EntriesWaiting(owner, uid)
	if err != nil {
		return nil, fmt.Errorf("look for held messages: %w", err)
	}
	var out []held
	for _, r := range rows {
		if r.Direction != journal.In || r.State != StateHeld || r.Reason != itip.ReasonWaiting || r.ID == except || s.now().Sub(r.Created) > heldFor {
			continue
		}
		cal, err := ical.ParseLimits(r.Calendar, s.parseLimits())
		if err != nil {
			continue
		}
		out = append(out, held{r, cal})
	}
	return out, nil
}
