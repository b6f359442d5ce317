package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

type eventCommands struct {
	Add      eventAdd      `cmd:"" help:"Make an event; attendees are invited."`
	List     eventList     `cmd:"" help:"List occurrences in a span of time."`
	Show     eventShow     `cmd:"" help:"Print an event as iCalendar."`
	Edit     eventEdit     `cmd:"" help:"Change an event; attendees are told."`
	Delete   eventDelete   `cmd:"" help:"Delete an event; attendees are told."`
	Respond  eventRespond  `cmd:"" help:"Answer an invitation."`
	Propose  eventPropose  `cmd:"" help:"Propose another time or place to the organizer."`
	Refresh  eventRefresh  `cmd:"" help:"Ask the organizer for the present state of an event."`
	Publish  eventPublish  `cmd:"" help:"Send an event to people to know of it, not to answer."`
	Delegate eventDelegate `cmd:"" help:"Send somebody else in one's place."`
	Forward  eventForward  `cmd:"" help:"Pass an invitation on to somebody who is not invited."`
	Book     eventBook     `cmd:"" help:"Ask a room or resource for an event."`
	Undo     eventUndo     `cmd:"" help:"Take the latest change back while its messages wait."`
}

// eventFields are what add sets and edit changes.
type eventFields struct {
	Summary     string        `help:"Title."`
	Start       string        `help:"2027-03-01T09:00, or a date for all day." placeholder:"T"`
	End         string        `help:"End, or the last day plus one." placeholder:"T"`
	Duration    time.Duration `help:"Instead of --end: 45m, 2h." placeholder:"D"`
	TZ          string        `name:"tz" help:"Time zone of --start and --end (default: the account's, else UTC)." placeholder:"ZONE"`
	Location    string        `help:"Place."`
	Description string        `help:"Text."`
	Rule        string        `help:"Recurrence, e.g. FREQ=WEEKLY;BYDAY=MO." placeholder:"RRULE"`
	Attendee    []string      `help:"Address to invite; repeat for several." placeholder:"ADDRESS"`
	hideFlags   `embed:""`
}

type eventAdd struct {
	accountFlag `embed:""`
	Calendar    string `help:"Which calendar (default: the default calendar)."`
	eventFields `embed:""`
	sendFlags   `embed:""`
	UID         string `name:"uid" help:"UID to use; default: a new one." hidden:""`
}

func (eventAdd) Help() string {
	return "Prints the UID of the event.\n\nExample: convene event add --account alice@example.org --summary Lunch --start 2027-04-01T12:00 --duration 1h --tz Europe/Berlin --attendee bob@example.org"
}

func (c eventAdd) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		if c.Start == "" {
			return usagef("an event needs --start")
		}
		coll, err := calendarNamed(e, s, a.ID, by, c.Calendar)
		if err != nil {
			return err
		}
		uid := c.UID
		if uid == "" {
			var random [16]byte
			rand.Read(random[:])
			uid = hex.EncodeToString(random[:])
		}
		cal := ical.New(s.Calendar.ProdID())
		event := ical.NewComponent("VEVENT")
		event.SetText("UID", uid)
		cal.Components = append(cal.Components, event)
		if err := c.apply(e.ctx, s, a, cal, event); err != nil {
			return err
		}
		err = c.put(e, s, a, calendar.PutRequest{By: by, Ref: calendar.Ref{Owner: a.ID, Collection: coll.Name, Name: segment(uid) + ".ics"}, Data: cal.Bytes(), If: calendar.Precondition{IfNoneMatch: []string{"*"}}})
		if err != nil || c.Preview {
			return err
		}
		if c.JSON {
			return e.printJSON(map[string]string{"uid": uid})
		}
		_, err = fmt.Fprintln(e.Out, uid)
		return err
	})
}

// apply writes the fields given into the event.
func (f eventFields) apply(ctx context.Context, s *server.Services, a store.Account, cal *ical.Calendar, event *ical.Component) error {
	event.Set("DTSTAMP", ical.UTCTime(time.Now()).String())
	for name, text := range map[string]string{"SUMMARY": f.Summary, "LOCATION": f.Location, "DESCRIPTION": f.Description} {
		if text != "" {
			event.SetText(name, text)
		}
	}
	if err := f.applyTimes(a, event); err != nil {
		return err
	}
	if f.HideGuests != nil {
		event.Remove(itip.HideGuests)
		if *f.HideGuests {
			event.Set(itip.HideGuests, "TRUE")
		}
	}
	if f.Rule != "" {
		if _, err := recur.ParseRule(f.Rule); err != nil {
			return usagef("--rule: %v", err)
		}
		event.Set("RRULE", f.Rule)
	}
	if len(f.Attendee) > 0 {
		own, err := s.Accounts.Addresses(ctx, a.ID)
		if err != nil {
			return err
		}
		if len(own) == 0 {
			return problem.New(problem.Forbidden, "%s has no address to invite people from; convene account set-address gives it one.", a.Name)
		}
		if event.Prop("ORGANIZER") == nil {
			event.Set("ORGANIZER", string(own[0])).SetParam("CN", a.DisplayName)
			me := ical.NewProperty("ATTENDEE", string(own[0]))
			me.SetParam("CN", a.DisplayName)
			me.SetParam("PARTSTAT", "ACCEPTED")
			event.Add(me)
		}
		for _, address := range f.Attendee {
			to := ical.ParseAddress(address)
			if to.Email() == "" {
				return usagef("--attendee: %q is not a mail address", address)
			}
			p := ical.NewProperty("ATTENDEE", string(to))
			p.SetParam("PARTSTAT", "NEEDS-ACTION")
			p.SetParam("RSVP", "TRUE")
			event.Add(p)
		}
	}
	tz.Complete(cal, tz.NewResolver(cal, nil))
	return nil
}

func (f eventFields) applyTimes(a store.Account, event *ical.Component) error {
	zone := f.TZ
	if zone == "" {
		zone = a.TimeZone
	}
	if _, err := zoneFlag(zone); err != nil {
		return err
	}
	if f.End != "" && f.Duration != 0 {
		return usagef("give --end or --duration, not both")
	}
	if f.Start != "" {
		start, err := timeFlag("--start", f.Start, zone)
		if err != nil {
			return err
		}
		if old, err := times(event); err == nil && f.End == "" && f.Duration == 0 && !old.end.IsZero() && start.Kind == old.start.Kind {
			// A moved event keeps its length.
			end := old.end
			end.Wall = start.Wall.Add(old.end.Wall.Sub(old.start.Wall))
			setTime(event, "DTEND", end)
		}
		setTime(event, "DTSTART", start)
	}
	switch {
	case f.End != "":
		end, err := timeFlag("--end", f.End, zone)
		if err != nil {
			return err
		}
		event.Remove("DURATION")
		setTime(event, "DTEND", end)
	case f.Duration != 0:
		event.Remove("DTEND")
		event.Set("DURATION", ical.Duration{Exact: f.Duration}.String())
	}
	return nil
}

type span struct{ start, end ical.Time }

func times(event *ical.Component) (s span, err error) {
	if p := event.Prop("DTSTART"); p != nil {
		if s.start, err = p.Time(); err != nil {
			return s, err
		}
	}
	if p := event.Prop("DTEND"); p != nil {
		s.end, err = p.Time()
	}
	return s, err
}

func setTime(event *ical.Component, name string, t ical.Time) {
	event.Set(name, "").SetTime(t)
}

// timeFlag reads a clock reading: a date, a UTC time, or local in the zone.
func timeFlag(flag, value, zone string) (ical.Time, error) {
	for _, f := range flagTimes {
		t, err := time.Parse(f.layout, value)
		if err != nil {
			continue
		}
		switch {
		case f.layout == time.DateOnly || f.layout == "20060102":
			return ical.DateOf(t.Date()), nil
		case f.offset:
			return ical.UTCTime(t.UTC()), nil
		case zone == "":
			return ical.UTCTime(t), nil
		}
		return ical.Time{Wall: t, Kind: ical.Zoned, TZID: zone}, nil
	}
	return ical.Time{}, usagef("%s: %q is not a time; write 2027-03-01T09:00, or 2027-03-01 for all day", flag, value)
}

type eventList struct {
	accountFlag `embed:""`
	Calendar    string `help:"One calendar (default: all)."`
	From        string `help:"First moment (default: now, or the beginning where --to is not given either)." placeholder:"T"`
	To          string `help:"Moment after the last (default: a month after --from)." placeholder:"T"`
	JSON        bool   `help:"One JSON object an occurrence."`
}

func (eventList) Help() string {
	return "Example: convene event list --account alice@example.org --from 2027-04-01 --to 2027-05-01"
}

func (c eventList) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		zone, err := zoneFlag(a.TimeZone)
		if err != nil {
			zone = tz.UTC
		}
		from, err := instantFlag("--from", c.From, zone)
		if err != nil {
			return err
		}
		to, err := instantFlag("--to", c.To, zone)
		if err != nil {
			return err
		}
		if from.IsZero() {
			from = time.Now()
		}
		if to.IsZero() {
			to = from.AddDate(0, 1, 0)
		}
		var names []string
		if c.Calendar != "" {
			coll, err := calendarNamed(e, s, a.ID, by, c.Calendar)
			if err != nil {
				return err
			}
			names = []string{coll.Name}
		} else if names, err = calendarNames(e, s, a.ID, by); err != nil {
			return err
		}
		return s.Calendar.Query(e.ctx, by, a.ID, names, "", from, to, func(o store.Object, body []byte) error {
			cal, err := ical.Parse(body)
			if err != nil {
				return nil // stored objects parse; one that an older version kept is shown by `event show`
			}
			return icalExpand{Start: true}.expand(cal, zone, from, to, func(o occurrence) error {
				if c.JSON {
					return e.printJSON(o)
				}
				_, err := fmt.Fprintf(forPeople(e.Out), "%s  %s  %s  %s\n", o.Start, o.End, o.Summary, o.UID)
				return err
			}, func(string) {})
		})
	})
}

func calendarNames(e *env, s *server.Services, owner store.AccountID, by account.Actor) (names []string, err error) {
	views, err := s.Calendar.Collections(e.ctx, by, owner)
	for _, v := range views {
		if v.Kind == store.Calendar {
			names = append(names, v.Name)
		}
	}
	return names, err
}

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

type eventShow struct {
	eventRef `embed:""`
	JSON     bool `help:"One JSON object with the place and the text."`
}

func (eventShow) Help() string {
	return "Example: convene event show --account alice@example.org 5f3c"
}

func (c eventShow) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		ref, cal, etag, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(map[string]string{"uid": c.UID, "calendar": ref.Collection, "name": ref.Name, "etag": etag, "data": string(cal.Bytes())})
		}
		_, err = e.Out.Write(cal.Bytes())
		return err
	})
}

type eventEdit struct {
	eventRef    `embed:""`
	eventFields `embed:""`
	sendFlags   `embed:""`
	Remove      []string `help:"Attendee to take off; repeat for several." placeholder:"ADDRESS"`
}

func (eventEdit) Help() string {
	return "Example: convene event edit --account alice@example.org 5f3c --start 2027-04-01T12:30 --tz Europe/Berlin"
}

func (c eventEdit) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		ref, cal, etag, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		event, err := c.component(cal)
		if err != nil {
			return err
		}
		if p := event.Prop("DTSTART"); c.TZ == "" && p != nil && p.Param("TZID") != "" {
			c.TZ = p.Param("TZID")
		}
		for _, gone := range c.Remove {
			if event.RemoveFunc(func(p *ical.Property) bool {
				return p.Name() == "ATTENDEE" && p.Address().Equal(ical.ParseAddress(gone))
			}) == 0 {
				return problem.New(problem.NotFound, "%s is not invited to this event.", gone)
			}
		}
		if err := c.apply(e.ctx, s, a, cal, event); err != nil {
			return err
		}
		return c.put(e, s, a, calendar.PutRequest{By: by, Ref: ref, Data: cal.Bytes(), If: calendar.Precondition{IfMatch: []string{etag}}})
	})
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

type eventDelete struct {
	eventRef  `embed:""`
	sendFlags `embed:""`
}

func (eventDelete) Help() string {
	return "Example: convene event delete --account alice@example.org 5f3c --recurrence-id 2027-04-08T12:00"
}

func (c eventDelete) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		ref, cal, etag, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		same := calendar.Precondition{IfMatch: []string{etag}}
		if c.RecurrenceID == "" {
			req := calendar.DeleteRequest{By: by, Ref: ref, If: same}
			if c.Preview || c.JSON {
				r, err := s.Calendar.PreviewDelete(e.ctx, req)
				if err != nil {
					return err
				}
				if c.Preview {
					return c.tell(e, a, r)
				}
				if err := s.Calendar.Delete(e.ctx, req); err != nil {
					return err
				}
				return c.tell(e, a, r)
			}
			return s.Calendar.Delete(e.ctx, req)
		}
		zones := tz.NewResolver(cal, nil)
		id, err := c.occurrence(cal, zones)
		if err != nil {
			return err
		}
		master := cal.Master()
		if master == nil {
			return usagef("this event has no series to take an occurrence from")
		}
		var keep []*ical.Component
		for _, sub := range cal.Components {
			p := sub.Prop("RECURRENCE-ID")
			if p != nil {
				if t, err := p.Time(); err == nil && zones.Instant(t).Equal(zones.Instant(id)) {
					continue
				}
			}
			keep = append(keep, sub)
		}
		cal.Components = keep
		exdate := ical.NewProperty("EXDATE", "")
		exdate.SetTime(id)
		master.Add(exdate)
		return c.put(e, s, a, calendar.PutRequest{By: by, Ref: ref, Data: cal.Bytes(), If: same})
	})
}

type eventRespond struct {
	eventRef `embed:""`
	PartStat string `name:"partstat" required:"" enum:"accepted,tentative,declined,needs-action,in-process,completed,ACCEPTED,TENTATIVE,DECLINED,NEEDS-ACTION,IN-PROCESS,COMPLETED" help:"accepted, tentative or declined; of a task also in-process or completed."`
	Percent  *int   `help:"How far a task is, 0 to 100." placeholder:"N"`
	Comment  string `help:"A word to the organizer."`
	JSON     bool   `help:"One JSON object: what the organizer gets."`
}

func (eventRespond) Help() string {
	return "Example: convene event respond --account bob@example.org 5f3c --partstat accepted"
}

func (c eventRespond) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		rid := ""
		if c.RecurrenceID != "" {
			_, cal, _, err := c.load(e, s, a, by)
			if err != nil {
				return err
			}
			if rid, err = c.recurrenceID(cal); err != nil {
				return err
			}
		}
		r, err := s.Calendar.Respond(e.ctx, calendar.RespondRequest{By: by, Owner: a.ID, UID: c.UID, RecurrenceID: rid, PartStat: strings.ToUpper(c.PartStat), Comment: c.Comment, Percent: c.Percent})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, r)
	})
}
