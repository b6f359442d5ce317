package itip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
)

// Private comments go from an attendee to the organizer, and to nobody else
// (caldav-privatecomments, Apple 2008): PRIVATE-COMMENT in the attendee's copy
// and in the REPLY, ATTENDEE-COMMENT in the organizer's object. No request or
// cancellation carries either.
const (
	privateComment  = "X-CALENDARSERVER-PRIVATE-COMMENT"
	attendeeComment = "X-CALENDARSERVER-ATTENDEE-COMMENT"
	attendeeRef     = "X-CALENDARSERVER-ATTENDEE-REF" // whose it is
	commentStamp    = "X-CALENDARSERVER-DTSTAMP"      // when the server put it there
)

// privateOf is the private comment in a component, "" for none.
func privateOf(c *ical.Component) string {
	if c == nil {
		return ""
	}
	s := strings.TrimSpace(c.Text(privateComment))
	if len(s) > maxComment {
		s = strings.ToValidUTF8(s[:maxComment], "") + "…"
	}
	return s
}

// commentsOf are the comments in an organizer's component, by whose they are.
func commentsOf(c *ical.Component) map[string]*ical.Property {
	var m map[string]*ical.Property // most have none
	if c != nil {
		for q := range c.Props(attendeeComment) {
			if m == nil {
				m = map[string]*ical.Property{}
			}
			m[ical.Address(q.Param(attendeeRef)).Key()] = q
		}
	}
	return m
}

// noteComment writes what a reply says in private into the organizer's
// component (3.2): a comment that was taken back stays as an empty one.
func (r *replying) noteComment(reply, c *ical.Component, key string) {
	line := r.find(c)
	if line == nil {
		return
	}
	text, have := privateOf(reply), commentsOf(c)[line.Address().Key()]
	if have == nil && text == "" {
		return
	}
	q := ical.NewText(attendeeComment, text)
	q.SetParam(commentStamp, r.p.a.Received.UTC().Truncate(time.Second).Format("20060102T150405Z"))
	q.SetParam(attendeeRef, string(line.Address()))
	was := ""
	if have == nil {
		c.Add(q)
	} else {
		was = have.Text()
		*have = *q
	}
	if text != "" && text != was {
		r.p.res.Changes = append(r.p.res.Changes, Difference{Property: "COMMENT", Old: was, New: text, RecurrenceID: key, Attendee: string(line.Address())})
	}
}

// guardComments keeps the attendees' comments in the organizer's object: one
// that a client left out is put back, one that it made or changed is refused,
// unless it may be behind (RFC 6638 3.2.10), and one goes with its attendee (3.2, 4.2.3).
func (p *organizing) guardComments() error {
	if p.old.empty() {
		return nil
	}
	for _, k := range p.new.keys() {
		if p.still[k] {
			continue
		}
		c, before := p.new.component(k), p.old.component(k)
		if before == nil {
			before = p.old.master
		}
		was, is := commentsOf(before), commentsOf(c)
		for who, q := range is {
			stored := was[who]
			if stored != nil && stored.Value() == q.Value() && sameParams(stored, q) {
				continue
			}
			if !p.c.MergePartstat {
				return refuse(conditionComment, k, attendeeComment, "The comments of guests are theirs: they cannot be written or changed for them.")
			}
			if stored != nil {
				*q = *stored.Clone()
			}
		}
		if p.old.component(k) != nil {
			for q := range before.Props(attendeeComment) {
				if is[ical.Address(q.Param(attendeeRef)).Key()] == nil {
					c.Add(q.Clone())
				}
			}
		}
		c.RemoveFunc(func(q *ical.Property) bool {
			if q.Name() != attendeeComment {
				return false
			}
			who := ical.Address(q.Param(attendeeRef)).Key()
			return p.is[k].line(who) == nil || was[who] == nil
		})
	}
	return nil
}
