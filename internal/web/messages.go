package web

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// messagesAtOnce is a page of the journal.
const messagesAtOnce = 50

// messageOnWire is a row of the journal.
type messageOnWire struct {
	ID           int64           `json:"id"`
	Direction    string          `json:"direction"`
	Transport    string          `json:"transport"`
	Method       string          `json:"method"`
	Summary      string          `json:"summary"`
	UID          string          `json:"uid"`
	RecurrenceID string          `json:"recurrenceId"` // the occurrence meant, on the reader\'s clock
	From         string          `json:"from"`
	To           string          `json:"to"`
	State        string          `json:"state"`
	Reason       string          `json:"reason"`
	Sentence     string          `json:"sentence"`
	Created      string          `json:"created"`
	Updated      string          `json:"updated"`
	NextAttempt  string          `json:"nextAttempt"`
	Attempts     []attemptOnWire `json:"attempts"`
	Evidence     json.RawMessage `json:"evidence"`
	Changes      []string        `json:"changes"` // sentences
	Refresh      bool            `json:"refresh"` // only brought a colleague's copy up to date
	CanApprove   bool            `json:"canApprove"`
	CanReject    bool            `json:"canReject"`
	CanRetry     bool            `json:"canRetry"`
	CanAlways    bool            `json:"canAlways"` // see approve?always
	CanNever     bool            `json:"canNever"`  // see reject?never
	CanUndo      bool            `json:"canUndo"`   // the change that caused it can be taken back
	Proposal     bool            `json:"proposal"`
	Crasher      bool            `json:"crasher"`  // answers without being invited
	Booking      bool            `json:"booking"`  // asks for a room that the reader decides about
	Security     *securityOnWire `json:"security"` // of one that was received
}

type attemptOnWire struct {
	Time      string `json:"time"`
	Transport string `json:"transport"`
	Status    string `json:"status"`
	Sentence  string `json:"sentence"`
}

// messageOf words a row; times in it are told in the zone z.
func messageOf(e store.Entry, z *tz.Zone, now time.Time) messageOnWire {
	m := messageOnWire{
		ID: e.ID, Direction: e.Direction, Transport: e.Transport, Method: e.Method, UID: e.UID, RecurrenceID: e.RecurrenceID,
		From: e.From, To: e.To, State: e.State, Reason: e.Reason, Sentence: e.Sentence, Created: instant(e.Created), Updated: instant(e.Updated),
		Refresh: e.Refresh, Attempts: []attemptOnWire{}, Evidence: json.RawMessage("null"), Changes: []string{},
		CanApprove: e.Direction == journal.In && (e.State == calendar.StateHeld || e.State == calendar.StateRejected),
		CanReject:  e.Direction == journal.In && e.State == calendar.StateHeld,
		CanRetry:   canRetry(e), Security: securityOf(e),
	}
	if id, err := ical.ParseTime(e.RecurrenceID, "", len(e.RecurrenceID) == len("20060102")); err == nil {
		if m.RecurrenceID = onWire(id); id.Kind == ical.UTC {
			m.RecurrenceID = wallOf(z, id.Wall)
		}
	}
	m.CanNever = e.Direction == journal.In && senderOf(e) != "" && (m.CanApprove || m.CanReject)
	m.CanAlways = m.CanReject && heldForSender[e.Reason]
	if m.CanReject {
		m.Proposal, m.Crasher, m.Booking = e.Method == string(itip.Counter) && e.Reason == itip.ReasonCounter, e.Reason == itip.ReasonPartyCrasher, e.Reason == calendar.ReasonApproval
	}
	m.CanUndo = e.Direction == journal.Out && e.State == journal.Due && len(e.Attempts) == 0 && e.NextAttempt.After(now)
	if e.State == journal.Due {
		m.NextAttempt = instant(e.NextAttempt)
	}
	for _, at := range e.Attempts {
		m.Attempts = append(m.Attempts, attemptOnWire{instant(at.Time), at.Transport, at.Status, at.Sentence})
	}
	if json.Valid(e.Evidence) {
		m.Evidence = e.Evidence
	}
	var changes []itip.Difference
	_ = json.Unmarshal(e.Changes, &changes) // a row without changes has none to show
	for _, d := range changes {
		m.Changes = append(m.Changes, d.Sentence(z))
	}
	if cal, err := ical.Parse(e.Calendar); err == nil {
		if _, designate := calendar.ActsFor(cal, itip.Method(e.Method)); designate {
			m.CanAlways = m.CanReject
		}
		m.CanNever = m.CanNever && !m.Proposal && !m.Crasher && !m.Booking
		for _, c := range cal.Main() {
			if m.Summary = c.Text("SUMMARY"); m.Summary != "" {
				break
			}
		}
	}
	if e.Method == "" && m.Summary == "" { // a mail in words: a report, an answer by a machine
		var mail struct {
			Subject string `json:"subject"`
		}
		_ = json.Unmarshal(e.Evidence, &mail) // without a subject it has no title
		m.Summary = mail.Subject
	}
	return m
}

// shows are the filters of the journal page.
var shows = map[string]store.EntryFilter{
	"":        {},
	"in":      {Direction: journal.In},
	"out":     {Direction: journal.Out},
	"held":    {States: []string{calendar.StateHeld}},
	"waiting": {States: []string{journal.Due}},
	"failed":  {States: []string{journal.Failed, calendar.StateRejected}},
}

func (a *app) getMessages(r *request) (any, error) {
	q := r.URL.Query()
	f, ok := shows[q.Get("show")]
	if !ok {
		return nil, problem.New(problem.BadInput, "The journal has no part %q.", q.Get("show"))
	}
	if before := q.Get("before"); before != "" {
		var err error
		if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil {
			return nil, problem.New(problem.BadInput, "%q is not the number of a message.", before)
		}
	}
	f.Account, f.Limit = r.who.Account, messagesAtOnce+1
	z, err := a.zone(r, q.Get("zone"))
	if err != nil {
		return nil, err
	}
	list, err := a.o.Journal.List(r.ctx(), f)
	if err != nil {
		return nil, err
	}
	out := struct {
		Messages []messageOnWire `json:"messages"`
		More     bool            `json:"more"`
	}{Messages: []messageOnWire{}, More: len(list) > messagesAtOnce}
	for _, e := range list[:min(len(list), messagesAtOnce)] {
		out.Messages = append(out.Messages, messageOf(e, z, a.now()))
	}
	return out, nil
}

// maxHeldCount is where counting held messages ends: the header says "99".
const maxHeldCount = 99

func (a *app) heldCount(r *request) (int, error) {
	list, err := a.o.Journal.List(r.ctx(), store.EntryFilter{Account: r.who.Account, States: []string{calendar.StateHeld}, Limit: maxHeldCount})
	return len(list), err
}

func (a *app) approveMessage(r *request) (any, error) {
	if r.URL.Query().Get("always") != "" {
		return a.decide(r, a.always)
	}
	return a.decide(r, a.o.Calendar.Approve)
}

func (a *app) rejectMessage(r *request) (any, error) {
	if r.URL.Query().Get("never") != "" {
		return a.decide(r, a.never)
	}
	return a.decide(r, a.o.Calendar.Reject)
}

func (a *app) decide(r *request, how func(context.Context, account.Actor, store.AccountID, int64) (store.Entry, error)) (any, error) {
	id, err := r.id("message")
	if err != nil {
		return nil, err
	}
	e, err := how(r.ctx(), r.who, r.who.Account, id)
	if err != nil {
		return nil, err
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	return messageOf(e, z, a.now()), nil
}

func (a *app) retryMessage(r *request) (any, error) {
	id, err := r.id("message")
	if err != nil {
		return nil, err
	}
	e, err := a.o.Journal.Retry(r.ctx(), r.who.Account, id)
	if err != nil {
		return nil, err
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	return messageOf(e, z, a.now()), nil
}
