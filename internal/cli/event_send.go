package cli

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// sendFlags are on the commands that may write to others.
type sendFlags struct {
	Preview bool `help:"Say who would get what, and who nothing and why; change nothing."`
	JSON    bool `help:"One JSON object for each person: what they get."`
}

// noticeLine is a line of a preview as scripts read it.
type noticeLine struct {
	To       string   `json:"to"`
	Name     string   `json:"name,omitempty"`
	Method   string   `json:"method"` // empty: nothing is sent
	Sentence string   `json:"sentence"`
	Changes  []string `json:"changes"`
}

// tell prints what would be sent, or was.
func (f sendFlags) tell(e *env, a store.Account, r calendar.PutResult) error {
	if !f.Preview && !f.JSON {
		return nil
	}
	zone, err := zoneFlag(a.TimeZone)
	if err != nil {
		zone = tz.UTC
	}
	notices := calendar.Notices(r)
	for _, n := range notices {
		line := noticeLine{To: string(n.To), Name: n.Name, Method: string(n.Method), Sentence: n.Sentence, Changes: []string{}}
		for _, d := range n.Changes {
			line.Changes = append(line.Changes, d.Sentence(zone))
		}
		if f.JSON {
			err = e.printJSON(line)
		} else {
			_, err = fmt.Fprintf(forPeople(e.Out), "%s %s\n", n.To.Email(), n.Sentence)
			for _, c := range line.Changes {
				if err == nil {
					_, err = fmt.Fprintf(forPeople(e.Out), "    %s\n", c)
				}
			}
		}
		if err != nil {
			return err
		}
	}
	if len(notices) == 0 && !f.JSON {
		_, err = fmt.Fprintln(e.Out, "Nothing is sent.")
	}
	return err
}

// put stores, or only says what that would do.
func (f sendFlags) put(e *env, s *server.Services, a store.Account, req calendar.PutRequest) error {
	do := s.Calendar.Put
	if f.Preview {
		do = s.Calendar.Preview
	}
	r, err := do(e.ctx, req)
	if err != nil {
		return err
	}
	return f.tell(e, a, r)
}

type eventPropose struct {
	eventRef `embed:""`
	Start    string        `help:"Another begin." placeholder:"T"`
	End      string        `help:"Another end; without it the length stays." placeholder:"T"`
	Duration time.Duration `help:"Instead of --end: 45m, 2h." placeholder:"D"`
	TZ       string        `name:"tz" help:"Time zone of --start and --end (default: the event's)." placeholder:"ZONE"`
	Location *string       `help:"Another place; empty for none."`
	Comment  string        `help:"A word to the organizer."`
	JSON     bool          `help:"One JSON object: what the organizer gets."`
}

func (eventPropose) Help() string {
	return "The event stays as it is until its organizer takes the proposal up.\n\nExample: convene event propose --account bob@example.org 5f3c --start 2027-04-01T15:00 --comment 'After lunch?'"
}

func (c eventPropose) Run(e *env) error {
	if c.End != "" && c.Duration != 0 {
		return usagef("give --end or --duration, not both")
	}
	if c.Duration != 0 && c.Start == "" {
		return usagef("--duration needs --start")
	}
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		_, cal, _, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		rid, err := c.recurrenceID(cal)
		if err != nil {
			return err
		}
		zone := c.TZ
		if m := cal.Master(); zone == "" && m != nil && m.Prop("DTSTART") != nil {
			zone = m.Prop("DTSTART").Param("TZID")
		}
		if zone == "" {
			zone = a.TimeZone
		}
		p := itip.Proposal{RecurrenceID: rid, Location: c.Location, Comment: c.Comment}
		if c.Start != "" {
			if p.Start, err = timeFlag("--start", c.Start, zone); err != nil {
				return err
			}
		}
		switch {
		case c.End != "":
			if p.End, err = timeFlag("--end", c.End, zone); err != nil {
				return err
			}
		case c.Duration != 0:
			p.End = p.Start
			p.End.Wall = p.End.Wall.Add(c.Duration)
		}
		sent, err := s.Calendar.Propose(e.ctx, calendar.ProposeRequest{By: by, Owner: a.ID, UID: c.UID, Proposal: p})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, calendar.PutResult{Sent: sent})
	})
}

type eventRefresh struct {
	eventRef `embed:""`
	JSON     bool `help:"One JSON object: who is asked."`
}

func (eventRefresh) Help() string {
	return "Programs of other makers often do not answer.\n\nExample: convene event refresh --account bob@example.org 5f3c"
}

func (c eventRefresh) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		_, cal, _, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		rid, err := c.recurrenceID(cal)
		if err != nil {
			return err
		}
		sent, err := s.Calendar.Refresh(e.ctx, calendar.RefreshRequest{By: by, Owner: a.ID, UID: c.UID, RecurrenceID: rid})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, calendar.PutResult{Sent: sent})
	})
}

type eventPublish struct {
	accountFlag `embed:""`
	UID         string   `arg:"" name:"uid" help:"UID of the event, to-do or journal entry."`
	To          []string `required:"" help:"To whom; repeat for several." placeholder:"ADDRESS"`
	JSON        bool     `help:"One JSON object for each recipient."`
}

func (eventPublish) Help() string {
	return "The recipients get it to know, not to answer; who is invited is not told to them.\n\nExample: convene event publish --account alice@example.org 5f3c --to press@example.net"
}

func (c eventPublish) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		sent, err := s.Calendar.Publish(e.ctx, calendar.PublishRequest{By: by, Owner: a.ID, UID: c.UID, To: parseAddresses(c.To)})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, calendar.PutResult{Sent: sent})
	})
}

// recurrenceID of the occurrence named, in the form of itip.Message; "" for the whole.
func (r eventRef) recurrenceID(cal *ical.Calendar) (string, error) {
	if r.RecurrenceID == "" {
		return "", nil
	}
	zones := tz.NewResolver(cal, nil)
	id, err := r.occurrence(cal, zones)
	if err != nil {
		return "", err
	}
	if id.Kind == ical.Zoned {
		return ical.UTCTime(zones.Instant(id)).String(), nil
	}
	return id.String(), nil
}

// durationFlag reads a time such as 90s or 2m.
func durationFlag(flag, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil {
		return 0, usagef("%s: %q is not a time such as 30s or 2m", flag, value)
	}
	return d, nil
}
