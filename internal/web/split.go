package web

import (
	"crypto/rand"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
)

// A change of one occurrence and all later ones cuts the series in two: what
// comes before keeps the UID and ends, what follows is a new event with the
// same people, who are asked anew. RANGE=THISANDFUTURE would say it in one
// object, and hardly any program reads it (RFC 5545 3.2.13).

// splitAt cuts the series before an occurrence. head is nil when nothing comes
// before: then it is the whole series that is meant.
func (ed editor) splitAt(e *event, id string) (head, tail *event, err error) {
	o, err := e.find(id)
	if err != nil {
		return nil, nil, err
	}
	before, after, err := recur.SplitAt(e.cal, o.ID, e.resolver)
	if err != nil {
		return nil, nil, problem.New(problem.InvalidCalendarObject, "This series cannot be cut in two: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
	}
	if after == nil || after.Master() == nil {
		return nil, nil, problem.New(problem.InvalidCalendarObject, "This series cannot be cut in two here; change its occurrences one by one.")
	}
	if before != nil {
		if m := before.Master(); m != nil {
			ed.stamp(m)
		}
		tz.Complete(before, tz.NewResolver(before, e.view))
		if head, err = newEvent(before, e.view); err != nil {
			return nil, nil, err
		}
	}
	tail, err = newEvent(after, e.view)
	return head, tail, err
}

// renew makes what follows a cut an event of its own: a new UID, its first
// state, and nobody has answered yet.
func (ed editor) renew(cal *ical.Calendar, uid string) {
	stamp := ical.UTCTime(ed.now).String()
	for _, c := range cal.Main() {
		c.Set("UID", uid)
		c.Set("DTSTAMP", stamp)
		c.Set("CREATED", stamp)
		c.Remove("SEQUENCE")
		for p := range c.Props("ATTENDEE") {
			p.RemoveParam("SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND", "X-RESPONSE-COMMENT")
			if !isOneOf(p.Address(), ed.mine) {
				p.SetParam("PARTSTAT", "NEEDS-ACTION")
			}
		}
	}
}

// cut is an edit of an occurrence and all later ones: the old object ends
// before it, and a new one begins.
type cut struct {
	head, tail calendar.PutRequest
}

// cutting prepares a cut. It is nil when nothing comes before the occurrence.
func (a *app) cutting(r *request, at place, etag string, ed edit) (*cut, error) {
	e, ref, etag, err := a.current(r, at, etag)
	if err != nil {
		return nil, err
	}
	who, err := a.editor(r, ref)
	if err != nil {
		return nil, err
	}
	head, tail, err := who.splitAt(e, ed.Occurrence)
	if err != nil || head == nil {
		return nil, err
	}
	if err := a.introduce(r, ed.Event.Attendees); err != nil {
		return nil, err
	}
	uid := strings.ToLower(rand.Text())
	who.renew(tail.cal, uid)
	if err := who.series(tail, ed.Event); err != nil {
		return nil, err
	}
	to := ref
	if ed.Calendar.Name != "" {
		if to, err = a.ref(r, place{ed.Calendar.Owner, ed.Calendar.Name, ""}); err != nil {
			return nil, err
		}
	}
	to.Name = uid + ".ics"
	return &cut{
		head: calendar.PutRequest{By: r.who, Ref: ref, Data: head.cal.Bytes(), If: calendar.Precondition{IfMatch: []string{etag}}},
		tail: calendar.PutRequest{By: r.who, Ref: to, Data: tail.cal.Bytes(), If: calendar.Precondition{IfNoneMatch: []string{"*"}}},
	}, nil
}

// store does a cut: the end of the old series first, as it has the
// precondition; when the new one then fails, the old one is put back.
func (a *app) store(r *request, c *cut) (sent []calendar.Sent, err error) {
	_, before, err := a.o.Calendar.Get(r.ctx(), r.who, c.head.Ref)
	if err != nil {
		return nil, err
	}
	head, err := a.o.Calendar.Put(r.ctx(), c.head)
	if err != nil {
		return nil, err
	}
	tail, err := a.o.Calendar.Put(r.ctx(), c.tail)
	if err != nil {
		back := calendar.PutRequest{By: r.who, Ref: c.head.Ref, Data: before, If: calendar.Precondition{IfMatch: []string{head.Object.ETag}}}
		if _, undo := a.o.Calendar.Put(r.ctx(), back); undo != nil {
			a.log.Error("a series that was cut could not be put back", "event", c.head.Ref, "error", undo)
			return nil, problem.New(problem.Internal, "The later occurrences could not be stored, and the series now ends before them. An administrator finds more in the log.").Because(err)
		}
		return nil, err
	}
	return append(head.Sent, tail.Sent...), nil
}
