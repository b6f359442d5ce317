package calendar

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// keep writes what a result says: object, memory, inbox item, messages.
func (s *Service) keep(tx *store.Tx, a Arrival, who store.Account, stored *store.Object, res *itip.Result, e *store.Entry, next *[]*store.Entry, dir *Directory) error {
	var now *store.Object
	switch {
	case res.Decision == itip.Held && res.Reason == itip.ReasonCounter && res.Object != nil && stored != nil:
		// Outlook's proposal is an answer too.
		var err error
		if now, err = s.keepObject(tx, a, who, stored, res, dir); err != nil {
			return err
		}
		e.Object = now.ID
	case res.Decision != itip.Applied:
		if stored != nil {
			e.Object = stored.ID
			m, err := json.Marshal(res.Memory)
			if err != nil {
				return err
			}
			if res.Decision != itip.Held && string(m) != "{}" && string(m) != string(stored.Memory) {
				if err := tx.UpdateMemory(stored.Account, stored.ID, m); err != nil {
					return fmt.Errorf("remember scheduling state: %w", err)
				}
			}
		}
	case res.Object == nil && stored != nil:
		e.Object = stored.ID
		if err := tx.DeleteObject(stored.Account, stored.ID); err != nil {
			return fmt.Errorf("delete cancelled event: %w", err)
		}
	case res.Object != nil:
		var err error
		if now, err = s.keepObject(tx, a, who, stored, res, dir); err != nil {
			return err
		}
		e.Object = now.ID
		if a.Method == itip.Cancel && preferencesOf(who).DeleteCancelled && calledOff(res.Object) {
			// Stored first, so that the history, and what it tells of versions, ends
			// with the cancellation (CAN-01).
			if err := tx.DeleteObject(now.Account, now.ID); err != nil {
				return fmt.Errorf("delete cancelled event: %w", err)
			}
		}
	}
	if res.Notify && !e.Refresh {
		if err := s.inboxItem(tx, a, e, dir); err != nil {
			return err
		}
	}
	if res.Decision == itip.Applied && a.Method == itip.Cancel && (who.Kind == store.Room || who.Kind == store.Resource) {
		if err := s.withdrawAll(tx, who, a.Message.UID(), "The booking was cancelled."); err != nil {
			return err
		}
	}
	// Before a room answers: of two answers that wait, the later one goes out.
	rows, err := s.send(tx, a.To, e.Object, res.Send, dir)
	if err != nil {
		return err
	}
	*next = append(*next, rows...)
	if now != nil && res.Decision == itip.Applied && (who.Kind == store.Room || who.Kind == store.Resource) && a.Method == itip.Request {
		rows, err := s.answerAsRoom(tx, a, who, now, dir)
		if err != nil && problem.Of(err).Condition == problem.Internal {
			return err
		}
		if err != nil {
			s.log.Warn("room cannot answer by itself", "room", who.Name, "uid", now.UID, "reason", err)
		}
		*next = append(*next, rows...)
	}
	return nil
}

// calledOff reports whether nothing of an event takes place any more.
func calledOff(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		if !strings.EqualFold(c.Value("STATUS"), "CANCELLED") && (c.Prop("RECURRENCE-ID") == nil || cal.Master() == nil) {
			return false
		}
	}
	return true
}

// keepObject stores the object of an applied message: in its place, or, when
// new, in the calendar for new invitations (RFC 6638 4.3).
func (s *Service) keepObject(tx *store.Tx, a Arrival, who store.Account, stored *store.Object, res *itip.Result, dir *Directory) (*store.Object, error) {
	w := dir.writing(res.Object)
	if len(w.body) > s.limits.ResourceSize {
		return nil, problem.New(problem.TooLarge, "The event is %d octets long; %d are allowed.", len(w.body), s.limits.ResourceSize)
	}
	for _, c := range res.Object.Main() {
		n := 0
		for range c.Props("ATTENDEE") {
			n++
		}
		if n > s.limits.Attendees {
			return nil, problem.New(problem.TooManyAttendees, "The event has %d attendees; %d are allowed.", n, s.limits.Attendees)
		}
	}
	memory, err := json.Marshal(res.Memory)
	if err != nil {
		return nil, fmt.Errorf("remember scheduling state: %w", err)
	}
	tag := w.etag()
	var o store.Object
	if stored != nil {
		o = *stored
		if o.ETag == tag {
			if string(memory) != string(o.Memory) {
				if err := tx.UpdateMemory(o.Account, o.ID, memory); err != nil {
					return nil, fmt.Errorf("remember scheduling state: %w", err)
				}
			}
			return &o, nil
		}
	} else {
		all, err := dir.collections(a.To)
		if err != nil {
			return nil, err
		}
		c, err := defaultOf(all, settingsOf(who).DefaultCalendar, res.Object.Kind())
		if err != nil {
			return nil, err
		}
		o = store.Object{Account: a.To, Collection: c.ID}
	}
	ix, err := w.timeIndex(s)
	if err != nil {
		return nil, err
	}
	s.describe(&o, res.Object, tag, true)
	o.Modified, o.Memory = s.now(), memory
	if o.ScheduleTag == "" || res.TagChanged {
		o.ScheduleTag = scheduleTag(o.ScheduleTag, tag, s.now())
	}
	if stored != nil {
		err = tx.PutObject(&o, w.body, ix)
	} else {
		err = putUnderFreeName(tx, &o, w.body, ix, namesOf(o.UID))
	}
	if err != nil {
		return nil, fmt.Errorf("store event %s: %w", o.UID, err)
	}
	return &o, nil
}

// note writes the outcome to the row. A mere refresh of a colleague's copy has
// no row of its own unless something is to be said about it.
func (s *Service) note(tx *store.Tx, a Arrival, e *store.Entry, res *itip.Result, r *Received) error {
	e.State, e.Reason, e.Sentence = string(res.Decision), res.Reason, res.Sentence
	e.Updated = s.now()
	if e.Refresh && e.ID == 0 && res.Decision == itip.Applied {
		return nil
	}
	if len(res.Changes) > 0 {
		var err error
		if e.Changes, err = json.Marshal(res.Changes); err != nil {
			return fmt.Errorf("changes of message: %w", err)
		}
	}
	if res.RequestStatus != "" {
		e.Status = res.RequestStatus
	}
	var err error
	if e.ID == 0 {
		err = tx.AddEntry(e)
	} else {
		err = tx.UpdateEntry(*e)
	}
	if err != nil {
		return fmt.Errorf("note what became of a message: %w", err)
	}
	r.Entry = *e
	return nil
}

const reasonRejected = "rejected-by-user"
