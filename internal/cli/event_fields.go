package cli

import (
	"context"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

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
