package cip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

// meeting is an event of ours that an answer is about.
type meeting struct {
	object    store.Object
	cal       *ical.Calendar
	organizer itip.Attendee
	current   int64 // version
	since     int64 // answers to older versions do not count
	renamed   string
	answered  int64        // RESPONSE-SEQUENCE of the attendee's last answer
	stamp     time.Time    // DTSTAMP of that
	attendee  ical.Address // as the event has it
}

// Answer implements [cip.Session] (section 2.3).
func (s *session) Answer(ctx context.Context, a *cip.Answer) cip.Reply {
	if s.refused {
		return busy()
	}
	server := cip.ServerOf(a.Attendee.ID)
	by, ok := s.speaksFor(ctx, server)
	if s.id.user.Account == 0 && (!ok || s.c.ours(server)) {
		// without saying why, and before anybody is looked up.
		return cip.Reply{Code: cip.CodeAccess, Text: "Not allowed."}
	}
	own := false
	if who, local, err := s.c.o.Accounts.Lookup(ctx, a.Attendee.Address); err != nil {
		return s.fault("RSVP", err)
	} else if local || s.c.ours(server) {
		// A user of ours answers with a program of their own.
		own, by = true, "login"
		ok = local && s.id.user.Account == who.ID
	}
	if !ok {
		return cip.Reply{Code: cip.CodeAccess, Text: "Not allowed."}
	}
	m, err := s.c.meeting(ctx, a)
	if err != nil {
		return s.fault("RSVP", err)
	}
	if m == nil && own {
		return s.ownAnswer(ctx, a)
	}
	switch {
	case m == nil:
		return cip.Reply{Infos: []cip.Info{{Code: cip.NotFound, ID: a.ID}}, Text: "The event is not known here."}
	case m.renamed != "":
		return cip.Reply{Infos: []cip.Info{{Code: cip.Redirect, Kind: cip.RedirectEvent, ID: a.ID, New: m.renamed}}, Text: "The event has another id now."}
	case a.Version > m.current:
		return cip.Invalid("Version %d is not known; %d is the last.", a.Version, m.current)
	case a.Version > 0 && a.Version < m.since:
		s.sendAgain(ctx, a, m)
		return cip.Reply{Code: cip.CodePartial, Text: "Event has changed."}
	case a.Response > 0 && a.Response <= m.answered:
		return s.confirm(ctx, a, m, false)
	}
	return s.take(ctx, a, m, server, by)
}

// meeting finds the event by its id: one that was renamed, the UID, or what an
// id of ours was made of. Nil when there is none.
func (c *CIP) meeting(ctx context.Context, a *cip.Answer) (m *meeting, err error) {
	err = c.o.Store.View(ctx, func(tx *store.Tx) error {
		m = nil
		uids := cip.UIDs(a.ID, c.servers)
		renamed, err := tx.CIPEventByWire(a.ID)
		switch {
		case err == nil:
			uids = append([]string{renamed.UID}, uids...)
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		for _, uid := range uids {
			objects, err := tx.Meetings(uid)
			if err != nil {
				return err
			}
			for _, o := range objects {
				if m, err = c.read(tx, o, a); err != nil || m != nil {
					return err
				}
			}
		}
		return nil
	})
	return m, err
}

func (c *CIP) read(tx *store.Tx, o store.Object, a *cip.Answer) (*meeting, error) {
	body, err := tx.Body(o.Account, o.ID)
	if err != nil {
		return nil, err
	}
	cal, err := ical.Parse(body)
	if err != nil || cal.Main() == nil {
		return nil, nil // unreadable: as if it were not there
	}
	m := &meeting{object: o, cal: cal, attendee: a.Attendee.Address}
	first := cal.Main()[0]
	m.organizer, _ = itip.Organizer(first)
	count, err := tx.CIPEvent(o.Account, o.UID)
	if err != nil {
		return nil, err
	}
	if m.current, m.since = count.Version, count.Since; m.current == 0 {
		m.current = int64(sequenceOf(first)) + 1
		m.since = m.current
	}
	if count.Wire != "" && count.Wire != a.ID {
		m.renamed = count.Wire
	}
	// Somebody who moved was invited by the old address.
	if !attends(cal, m.attendee) {
		moved, err := tx.CIPMovedFrom(o.Account, m.attendee.Key())
		if err != nil {
			return nil, err
		}
		for _, k := range moved {
			if old := ical.Mailto(k.OldKey); attends(cal, old) {
				m.attendee = old
				break
			}
		}
	}
	rows, err := tx.Entries(store.EntryFilter{Account: o.Account, UID: o.UID, Direction: journal.In, Limit: 10 * recentRows})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if itip.Method(r.Method) == itip.Reply && r.Transport == Name && ical.Address(r.From).Equal(a.Attendee.Address) {
			m.answered = max(m.answered, recordOf(&r).Response)
			if m.stamp.IsZero() { // the latest comes first
				m.stamp = stampOf(r.Calendar)
			}
		}
	}
	return m, nil
}

func stampOf(body []byte) time.Time {
	cal, err := ical.Parse(body)
	if err != nil || len(cal.Main()) == 0 {
		return time.Time{}
	}
	if p := cal.Main()[0].Prop("DTSTAMP"); p != nil {
		t, _ := p.Time() // unreadable is no time
		return t.Wall
	}
	return time.Time{}
}

func attends(cal *ical.Calendar, who ical.Address) bool {
	for _, comp := range cal.Main() {
		for p := range comp.Props("ATTENDEE") {
			if p.Address().Equal(who) {
				return true
			}
		}
	}
	return false
}

// take judges and applies an answer.
func (s *session) take(ctx context.Context, a *cip.Answer, m *meeting, server, by string) cip.Reply {
	c := s.c
	r := record{Evidence: trust.Evidence{From: a.Attendee.Address, Peers: []string{server}, PeerBy: by, Remote: s.conn.RemoteAddr().String(), Policy: c.policy(by).Inbound}, EventID: a.ID, Version: a.Version, Response: a.Response}
	var rules []trust.Rule
	if err := c.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		rules, err = gate.Load(tx, m.object.Account)
		return err
	}); err != nil {
		return s.fault("RSVP", err)
	}
	v := trust.Judge(trust.Question{Rules: rules, Now: c.now(), Evidence: r.Evidence, Policy: c.policy(by), Method: itip.Reply, Organizer: m.organizer,
		Attendee: itip.Attendee{Address: a.Attendee.Address}, Stored: &trust.Stored{Organizer: m.organizer.Address}, Known: true})
	r.Level, r.Acting, r.Verdict = v.Level.String(), string(v.Acting), v.Sentence
	if by == "word" || by == "address" {
		r.Verdict = "Unverified sender: " + v.Sentence
	}
	cal := c.replyTo(a, m)
	row := &store.Entry{
		Account: m.object.Account, Direction: journal.In, Transport: Name, State: calendar.StateReceived, Method: string(itip.Reply), UID: m.object.UID,
		From: string(a.Attendee.Address), To: string(m.organizer.Address), Calendar: cal.Bytes(), Evidence: r.json(), Created: c.now(), Digest: digestOfAnswer(a),
	}
	if v.Do != trust.Apply {
		row.State, row.Reason, row.Sentence = calendar.StateHeld, v.Reason, v.Sentence
		if v.Do == trust.Reject {
			row.State = calendar.StateRejected
		}
		if err := c.o.Store.Update(ctx, func(tx *store.Tx) error { return keepOnce(tx, row) }); err != nil {
			return s.fault("RSVP", err)
		}
		if v.Do == trust.Reject {
			return cip.Reply{Code: cip.CodeAccess, Text: "Not allowed."}
		}
		return cip.Done("The answer waits for a person to look at it.")
	}
	got, err := c.o.Calendar.Receive(ctx, calendar.Arrival{To: m.object.Account, Recipient: m.organizer.Address, From: m.attendee, Message: cal, Method: itip.Reply,
		Transport: Name, Received: row.Created, Entry: row})
	switch {
	case err != nil:
		return s.fault("RSVP", err)
	case got.Err != nil:
		return cip.Invalid("The answer cannot be applied.")
	case got.Result.Decision == itip.Rejected:
		return cip.Reply{Code: cip.CodeAccess, Text: "Not allowed."}
	case got.Result.Decision == itip.Held:
		return cip.Done("The answer waits for a person to look at it.")
	}
	return s.confirm(ctx, a, m, true)
}

// replyTo makes the answer one to our event: its UID, its kind, its organizer,
// the address it was sent to. Other times than the event's become a comment.
func (c *CIP) replyTo(a *cip.Answer, m *meeting) *ical.Calendar {
	cal := a.Calendar.Clone()
	first := m.cal.Main()[0]
	for _, comp := range cal.Main() {
		comp.Name = first.Name
		comp.SetText("UID", m.object.UID)
		comp.Set("SEQUENCE", fmt.Sprint(sequenceOf(first)))
		// Two answers within a second: DTSTAMP orders them (RFC 5546 2.1.5).
		if p := comp.Prop("DTSTAMP"); p != nil && !m.stamp.IsZero() {
			if t, err := p.Time(); err == nil && !t.Wall.After(m.stamp) {
				p.SetTime(ical.UTCTime(m.stamp.Add(time.Second)))
			}
		}
		if comp.Prop("ORGANIZER") == nil {
			comp.Add(ical.NewProperty("ORGANIZER", string(m.organizer.Address)))
		}
		for p := range comp.Props("ATTENDEE") {
			if p.Address().Equal(a.Attendee.Address) && !m.attendee.Equal(a.Attendee.Address) {
				p.SetAddress(m.attendee)
			}
		}
		if says := proposes(a, m.cal); says != "" && a.Form != cip.ICal20 {
			comp.SetText("COMMENT", strings.TrimSpace(comp.Text("COMMENT")+" "+says))
		}
	}
	return cal
}

// proposes words the times of an answer that are not the event's.
func proposes(a *cip.Answer, stored *ical.Calendar) string {
	m := stored.Master()
	if m == nil || a.Start.IsZero() {
		return ""
	}
	zones := tz.NewResolver(stored, nil)
	differs := func(t ical.Time, name string) bool {
		p := m.Prop(name)
		if t.IsZero() || p == nil {
			return false
		}
		have, err := p.Time()
		return err == nil && !zones.Instant(have).Equal(zones.Instant(t))
	}
	if !differs(a.Start, "DTSTART") && !differs(a.End, "DTEND") {
		return ""
	}
	text := "proposes " + zones.Instant(a.Start).UTC().Format("2006-01-02 15:04")
	if !a.End.IsZero() {
		text += " to " + zones.Instant(a.End).UTC().Format("2006-01-02 15:04")
	}
	return text + " UTC"
}

func digestOfAnswer(a *cip.Answer) string {
	h := sha256.New()
	fmt.Fprintf(h, "cip %s %d %d %s %s %q\n", a.ID, a.Version, a.Response, a.Attendee.Address.Key(), a.PartStat, a.Comment)
	for _, comp := range a.Calendar.Main() {
		for _, p := range comp.Properties {
			// Without a count of answers the time tells one from another.
			if p.Name() != "DTSTAMP" || a.Response == 0 {
				fmt.Fprintf(h, "%s\n", p.Raw())
			}
		}
	}
	return "cip:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// confirm is the answer to an RSVP: a line for who accepted, and for a server
// that is known also for the others who did, if guests may see each other and
// the one who answers is one of them.
func (s *session) confirm(ctx context.Context, a *cip.Answer, m *meeting, taken bool) cip.Reply {
	r := cip.Done("RSVP COMPLETED")
	if !taken {
		return cip.Done("The answer was known already.")
	}
	if a.PartStat == "ACCEPTED" {
		r.Infos = append(r.Infos, cip.Info{Code: cip.Confirmed, ID: a.Attendee.ID})
	}
	if s.id.anonymous() || !attends(m.cal, m.attendee) {
		return r
	}
	_ = s.c.o.Store.View(ctx, func(tx *store.Tx) error { // information only
		r.Infos = r.Infos[:min(len(r.Infos), 1)]
		body, err := tx.Body(m.object.Account, m.object.ID)
		if err != nil {
			return err
		}
		cal, err := ical.Parse(body)
		if err != nil || cal.Master() == nil || strings.EqualFold(cal.Master().Value("X-MICROSOFT-CDO-HIDEATTENDEES"), "TRUE") || strings.EqualFold(cal.Master().Value("X-GOOGLE-HIDE-GUESTS"), "TRUE") {
			return err
		}
		for _, w := range itip.Attendees(cal.Master()) {
			id, ok := cip.UserID(w.Address)
			if ok && w.PartStat == "ACCEPTED" && !w.Address.Equal(m.attendee) && !w.Address.Equal(m.organizer.Address) &&
				!slices.ContainsFunc(r.Infos, func(i cip.Info) bool { return i.ID == id }) {
				r.Infos = append(r.Infos, cip.Info{Code: cip.Confirmed, ID: id})
			}
		}
		return nil
	})
	return r
}

// sendAgain has the present version sent to an attendee who answered an old
// one, as if they had asked for it (RFC 5546 3.2.6).
func (s *session) sendAgain(ctx context.Context, a *cip.Answer, m *meeting) {
	cal := ical.New("-//Convene//CIP//EN")
	cal.Set("METHOD", string(itip.Refresh))
	comp := ical.NewComponent(m.cal.Main()[0].Name)
	stamp := ical.NewProperty("DTSTAMP", "")
	stamp.SetTime(ical.UTCTime(s.c.now()))
	comp.Add(ical.NewText("UID", m.object.UID), stamp, ical.NewProperty("ORGANIZER", string(m.organizer.Address)), ical.NewProperty("ATTENDEE", string(m.attendee)))
	cal.Components = append(cal.Components, comp)
	_, err := s.c.o.Calendar.Receive(ctx, calendar.Arrival{To: m.object.Account, Recipient: m.organizer.Address, From: m.attendee, Message: cal, Method: itip.Refresh, Transport: Name, Received: s.c.now()})
	if err != nil {
		s.c.log.Error("an event is not sent again", "uid", m.object.UID, "to", a.Attendee.ID, "error", err)
	}
}

// ownAnswer answers an invitation in the calendar of the user who is signed in.
func (s *session) ownAnswer(ctx context.Context, a *cip.Answer) cip.Reply {
	for _, uid := range cip.UIDs(a.ID, s.c.servers) {
		_, err := s.c.o.Calendar.Respond(ctx, calendar.RespondRequest{By: s.id.user, Owner: s.id.user.Account, UID: uid, PartStat: a.PartStat, Comment: a.Comment})
		if err == nil {
			r := cip.Done("RSVP COMPLETED")
			if a.PartStat == "ACCEPTED" {
				r.Infos = []cip.Info{{Code: cip.Confirmed, ID: a.Attendee.ID}}
			}
			return r
		}
	}
	return cip.Reply{Infos: []cip.Info{{Code: cip.NotFound, ID: a.ID}}, Text: "The event is not known here."}
}
