package cip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// label is what a row carries of CIP's own: numbers that stay the same with
// every attempt. It is kept as the row's evidence.
type label struct {
	EventID  string   `json:"event-id"`
	Version  int64    `json:"version,omitempty"`
	Response int64    `json:"response-sequence,omitempty"`
	Replaces string   `json:"replaces,omitempty"` // the event's former id, to be cancelled: its versions are used up
	MovedTo  string   `json:"moved-to,omitempty"` // user id the recipient has now
	Trace    []string `json:"trace,omitempty"`    // servers that a group's message went through
}

type outgoing struct {
	CIP *label `json:"cip,omitempty"`
}

func (o outgoing) json() ([]byte, error) { return json.Marshal(o) }

func labelOf(e *store.Entry) *label {
	var o outgoing
	if len(e.Evidence) == 0 || json.Unmarshal(e.Evidence, &o) != nil {
		return nil
	}
	return o.CIP
}

// number gives every row of a batch its label, in one transaction. Rows that
// need no sending get their outcome.
func (c *CIP) number(ctx context.Context, batch []*store.Entry, outcomes []journal.Outcome) ([]*label, error) {
	labels := make([]*label, len(batch))
	fresh := false
	for i, e := range batch {
		if outcomes[i].State != "" {
			continue
		}
		if l := labelOf(e); l != nil && l.EventID != "" && (l.Version > 0 || l.Response > 0) && itip.Method(e.Method) != itip.Reply {
			labels[i] = l
			continue
		}
		fresh = true
	}
	if !fresh {
		return labels, nil
	}
	var settled map[int]journal.Outcome
	var made map[int]*label
	err := c.o.Store.Update(ctx, func(tx *store.Tx) error {
		settled, made = map[int]journal.Outcome{}, map[int]*label{}
		for i, e := range batch {
			if outcomes[i].State != "" || labels[i] != nil && itip.Method(e.Method) != itip.Reply {
				continue
			}
			l, o, err := c.label(tx, e)
			if err != nil {
				return err
			}
			if o != nil {
				settled[i] = *o
				continue
			}
			row, err := tx.Entry(e.Account, e.ID)
			if errors.Is(err, store.ErrNotFound) {
				settled[i] = journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "gone", Sentence: "The account of the sender is gone."}
				continue
			}
			if err != nil {
				return err
			}
			if row.Evidence, err = json.Marshal(outgoing{CIP: l}); err != nil {
				return err
			}
			if err := tx.UpdateEntry(row); err != nil {
				return err
			}
			made[i] = l
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("number messages: %w", err)
	}
	for i, l := range made {
		labels[i] = l
	}
	for i, o := range settled {
		outcomes[i], labels[i] = o, nil
	}
	return labels, nil
}

// label counts one message.
func (c *CIP) label(tx *store.Tx, e *store.Entry) (*label, *journal.Outcome, error) {
	l := &label{}
	if had := labelOf(e); had != nil {
		l.Response, l.MovedTo, l.Trace = had.Response, had.MovedTo, had.Trace
	}
	count, err := tx.CIPEvent(e.Account, e.UID)
	if err != nil {
		return nil, nil, err
	}
	if moved, err := tx.CIPMovedTo(e.Account, ical.Address(e.To).Key()); err == nil {
		l.MovedTo, _ = cip.UserID(ical.Address(moved.NewURI))
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	if itip.Method(e.Method) == itip.Reply {
		return c.labelAnswer(tx, e, l, count)
	}
	owner := ical.Address(e.From)
	servers := c.eventServers(owner)
	id, ok := cip.EventID(e.UID, servers)
	if !ok {
		return nil, &journal.Outcome{State: journal.Pass, Status: "5.3", Reason: "uid", Sentence: "The event's UID cannot be written in CIP."}, nil
	}
	if count.Wire != "" {
		id = count.Wire
	}
	switch {
	case count.Version > 0 && count.Stamp.Equal(e.Created):
		// The same change, to another attendee.
	case count.Version >= cip.MaxVersion:
		// Section 1.8: the event is cancelled and a new one made. Its UID in the
		// owner's calendar stays; only the id that others know is new.
		l.Replaces = id
		id = nextID(e.UID, count.Wire, servers)
		count.Wire, count.Version, count.Since = id, 1, 1
	default:
		count.Version++
		if !e.Refresh {
			count.Since = count.Version
		}
	}
	count.Stamp = e.Created
	l.EventID, l.Version = id, count.Version
	return l, nil, tx.PutCIPEvent(count)
}

// nextID is the event id after one whose versions are used up: the UID with a
// number.
func nextID(uid, wire string, servers []string) string {
	n := 2
	base, _ := cip.EventID(uid, servers[:1])
	at := strings.LastIndexByte(base, '@')
	if local, ok := strings.CutPrefix(wire, base[:at]+"."); ok {
		if k, err := strconv.Atoi(strings.TrimSuffix(local, base[at:])); err == nil {
			n = k + 1
		}
	}
	return base[:at] + "." + strconv.Itoa(n) + base[at:]
}

// labelAnswer says which version of the event an answer is about: the last one
// that came by CIP. One that came by mail has no version the owner's server
// would know, and is named without.
func (c *CIP) labelAnswer(tx *store.Tx, e *store.Entry, l *label, count store.CIPEvent) (*label, *journal.Outcome, error) {
	l.EventID = e.UID
	rows, err := tx.Entries(store.EntryFilter{Account: e.Account, UID: e.UID, Direction: journal.In, Limit: recentRows})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		if in := recordOf(&r); r.Transport == Name && in.EventID != "" && itip.Method(r.Method) != itip.Reply {
			l.EventID, l.Version = in.EventID, in.Version
			break
		}
	}
	if !cip.ValidEventID(l.EventID) {
		return nil, &journal.Outcome{State: journal.Pass, Status: "5.3", Reason: "uid", Sentence: "The event's UID cannot be written in CIP."}, nil
	}
	if len(e.Attempts) > 0 {
		if newer, err := changedSince(tx, e); err != nil || newer {
			return nil, &journal.Outcome{State: journal.Failed, Status: "5.1", Reason: "event-changed", Sentence: "The event changed while the answer was on its way, and it is to be answered anew."}, err
		}
	}
	if l.Response == 0 {
		count.Answers++
		l.Response = count.Answers
		if err := tx.PutCIPEvent(count); err != nil {
			return nil, nil, err
		}
	}
	return l, nil, nil
}

// recentRows of an event are looked at to find the last message about it.
const recentRows = 50

// changedSince tells whether the event that an answer is about has a higher
// SEQUENCE now.
func changedSince(tx *store.Tx, e *store.Entry) (bool, error) {
	list, err := tx.ObjectsByUID(e.Account, e.UID)
	if err != nil {
		return false, err
	}
	for _, o := range list {
		body, err := tx.Body(o.Account, o.ID)
		if err != nil {
			return false, err
		}
		cal, err := ical.Parse(body)
		if err != nil || cal.Master() == nil {
			continue
		}
		return e.RecurrenceID == "" && sequenceOf(cal.Master()) > e.Sequence, nil
	}
	return false, nil
}

func sequenceOf(c *ical.Component) int {
	if p := c.Prop("SEQUENCE"); p != nil {
		n, _ := p.Int() // unreadable is 0
		return n
	}
	return 0
}
