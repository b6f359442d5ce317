package cli

import (
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

// eventRef names an event of an account.
type eventRef struct {
	accountFlag  `embed:""`
	UID          string `arg:"" name:"uid" help:"UID of the event."`
	RecurrenceID string `help:"One occurrence: its original start." placeholder:"T"`
}

// load finds the event and its place.
func (r eventRef) load(e *env, s *server.Services, a store.Account, by account.Actor) (calendar.Ref, *ical.Calendar, string, error) {
	var ref calendar.Ref
	var cal *ical.Calendar
	var etag string
	err := s.Store.View(e.ctx, func(tx *store.Tx) error {
		objects, err := tx.ObjectsByUID(a.ID, r.UID)
		if err != nil {
			return err
		}
		if len(objects) == 0 {
			return problem.New(problem.NotFound, "%s has no event with the UID %s.", a.Name, r.UID)
		}
		o := objects[0]
		coll, err := tx.Collection(a.ID, o.Collection)
		if err != nil {
			return err
		}
		body, err := tx.Body(a.ID, o.ID)
		if err != nil {
			return err
		}
		ref, etag = calendar.Ref{Owner: a.ID, Collection: coll.Name, Name: o.Name}, o.ETag
		cal, err = ical.Parse(body)
		return err
	})
	return ref, cal, etag, err
}

// component is the master, or the override of the occurrence named, which is
// made when the occurrence had none.
func (r eventRef) component(cal *ical.Calendar) (*ical.Component, error) {
	if r.RecurrenceID == "" {
		if m := cal.Master(); m != nil {
			return m, nil
		}
		return nil, usagef("only single occurrences of this event are here; name one with --recurrence-id")
	}
	zones := tz.NewResolver(cal, nil)
	id, err := r.occurrence(cal, zones)
	if err != nil {
		return nil, err
	}
	for _, o := range cal.Overrides() {
		if t, err := o.Prop("RECURRENCE-ID").Time(); err == nil && zones.Instant(t).Equal(zones.Instant(id)) {
			return o, nil
		}
	}
	made, err := recur.Instance(cal, id, zones)
	if err != nil {
		return nil, err
	}
	cal.Components = append(cal.Components, made)
	return made, nil
}

// occurrence finds the recurrence id in the event's own form.
func (r eventRef) occurrence(cal *ical.Calendar, zones *tz.Resolver) (ical.Time, error) {
	set, err := recur.New(cal, zones, recur.Options{})
	if err != nil {
		return ical.Time{}, err
	}
	zone := ""
	if m := cal.Master(); m != nil && m.Prop("DTSTART") != nil {
		zone = m.Prop("DTSTART").Param("TZID")
	}
	id, err := timeFlag("--recurrence-id", r.RecurrenceID, zone)
	if err != nil {
		return id, err
	}
	o, ok := set.Find(id)
	if !ok {
		return id, problem.New(problem.NotFound, "The event has no occurrence at %s; convene event list shows them.", r.RecurrenceID)
	}
	return o.ID, nil
}
