package cli

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
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
	HandOver eventHandOver `cmd:"" help:"Make a colleague the organizer of an event."`
	Book     eventBook     `cmd:"" help:"Ask a room or resource for an event."`
	Undo     eventUndo     `cmd:"" help:"Take the latest change back while its messages wait."`
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
