package web

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/itip"
)

// An edit changes an object property by property: what the form shows
// unchanged is not touched, so that everything the form does not know stays.

// editor is who edits, and when.
type editor struct {
	mine []ical.Address // preferred first
	name string         // display name, for ORGANIZER's CN
	now  time.Time
}

// create makes a new object from an edit.
func (ed editor) create(prodid, uid string, f fields, view *tz.Zone) (*ical.Calendar, error) {
	cal := ical.New(prodid)
	c := ical.NewComponent("VEVENT")
	c.Set("UID", uid)
	stamp := ical.UTCTime(ed.now).String()
	c.Set("DTSTAMP", stamp)
	c.Set("CREATED", stamp)
	t, err := readTimes(f, "")
	if err != nil {
		return nil, err
	}
	c.Set("DTSTART", "").SetTime(t.start)
	c.Set("DTEND", "").SetTime(t.end)
	cal.Components = append(cal.Components, c)
	e, err := newEvent(cal, view)
	if err != nil {
		return nil, err
	}
	if f.RRule != "" {
		if err := e.setRule(c, f.RRule, t.start); err != nil {
			return nil, err
		}
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return nil, err
	}
	was.Busy = true // as the component has no TRANSP yet
	if err := ed.text(c, was, f); err != nil {
		return nil, err
	}
	tz.Complete(cal, tz.NewResolver(cal, view))
	return cal, nil
}

// series applies an edit to the whole: the master, and what hangs on its times.
func (ed editor) series(e *event, f fields) error {
	c := e.cal.Master()
	if c == nil {
		return problem.New(problem.InvalidCalendarObject, "You were invited to single occurrences of this series; they can be changed one by one.")
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return err
	}
	t, err := readTimes(f, was.Zone)
	if err != nil {
		return err
	}
	start, _, err := e.bounds(c)
	if err != nil {
		return err
	}
	e.retime(c, was, f, t)
	if was.Start != f.Start || was.Zone != f.Zone || was.AllDay != f.AllDay {
		e.shift(start, t.start)
	}
	ruled := was.RRule != f.RRule || was.AllDay != f.AllDay && f.RRule != "" // UNTIL follows the form of DTSTART
	if ruled {
		if f.RRule == "" {
			c.Remove("RRULE", "RDATE", "EXDATE", "EXRULE")
		} else if err := e.setRule(c, f.RRule, t.start); err != nil {
			return err
		}
	}
	if err := ed.text(c, was, f); err != nil {
		return err
	}
	if ruled {
		if err := e.dropStrays(); err != nil {
			return err
		}
	}
	// Who is invited to the series is invited to its exceptions; who is not, is not.
	for _, o := range e.cal.Overrides() {
		if err := ed.roster(o, was.Attendees, f.Attendees); err != nil {
			return err
		}
		if err := ed.alarms(o, was.Alarms, f.Alarms, o.Text("SUMMARY")); err != nil {
			return err
		}
	}
	ed.stamp(c)
	tz.Complete(e.cal, tz.NewResolver(e.cal, e.view))
	return nil
}

// occurrence applies an edit to one occurrence, which becomes an override if
// it is none yet.
func (ed editor) occurrence(e *event, id string, f fields) error {
	o, err := e.find(id)
	if err != nil {
		return err
	}
	c := o.Component
	if !o.Override {
		if c, err = recur.Instance(e.cal, o.ID, e.resolver); err != nil {
			return problem.New(problem.InvalidCalendarObject, "This occurrence cannot be changed by itself: %v.", strings.TrimSuffix(err.Error(), ".")).Because(err)
		}
		e.cal.Components = append(e.cal.Components, c)
	}
	was, err := e.fieldsOf(c)
	if err != nil {
		return err
	}
	t, err := readTimes(f, was.Zone)
	if err != nil {
		return err
	}
	e.retime(c, was, f, t)
	if err := ed.text(c, was, f); err != nil {
		return err
	}
	ed.stamp(c)
	tz.Complete(e.cal, tz.NewResolver(e.cal, e.view))
	return nil
}

// without leaves out one occurrence. It reports whether anything is left.
func (ed editor) without(e *event, id string) (left bool, err error) {
	o, err := e.find(id)
	if err != nil {
		return false, err
	}
	if o.Override {
		kept := e.cal.Components[:0:0]
		for _, c := range e.cal.Components {
			if c != o.Component {
				kept = append(kept, c)
			}
		}
		e.cal.Components = kept
	}
	m := e.cal.Master()
	if m == nil {
		return len(e.cal.Main()) > 0, nil
	}
	p := ical.NewProperty("EXDATE", "")
	p.SetTime(o.ID) // in the master's form and zone: RFC 5545 3.8.5.1
	m.Add(p)
	ed.stamp(m)
	rest, err := newEvent(e.cal, e.view)
	if err != nil {
		return false, err
	}
	_, left = rest.first()
	return left, nil
}

// text sets what the form changed besides times and rule.
func (ed editor) text(c *ical.Component, was, f fields) error {
	for _, p := range []struct{ name, old, new string }{
		{"SUMMARY", was.Summary, f.Summary},
		{"LOCATION", was.Location, f.Location},
		{"DESCRIPTION", was.Description, f.Description},
	} {
		switch {
		case p.old == p.new:
		case p.new == "":
			c.Remove(p.name)
		default:
			c.SetText(p.name, p.new)
		}
	}
	if was.Description != f.Description {
		c.Remove("X-ALT-DESC") // the same in HTML, now out of date
	}
	if was.URL != f.URL {
		if c.Remove("URL"); f.URL != "" {
			if strings.ContainsAny(f.URL, "\r\n") {
				return problem.New(problem.BadInput, "The link holds a line break.")
			}
			c.Set("URL", f.URL)
		}
	}
	if was.Status != f.Status {
		switch f.Status {
		case "":
			c.Remove("STATUS")
		case "CONFIRMED", "TENTATIVE", "CANCELLED": // RFC 5545 3.8.1.11, statvalue-event
			c.Set("STATUS", f.Status)
		default:
			return problem.New(problem.BadInput, "%q is not a state of an event.", f.Status)
		}
	}
	if was.HideGuests != f.HideGuests && c.Prop("RECURRENCE-ID") == nil {
		c.Remove(itip.HideGuests)
		if f.HideGuests {
			c.Set(itip.HideGuests, "TRUE")
		}
	}
	if was.Busy != f.Busy {
		if c.Set("TRANSP", "OPAQUE"); !f.Busy {
			c.Set("TRANSP", "TRANSPARENT")
		}
	}
	if err := ed.alarms(c, was.Alarms, f.Alarms, f.Summary); err != nil {
		return err
	}
	return ed.roster(c, was.Attendees, f.Attendees)
}

// stamp notes the time of a change (RFC 5545 3.8.7.3).
func (ed editor) stamp(c *ical.Component) {
	c.Set("LAST-MODIFIED", ical.UTCTime(ed.now).String())
}
