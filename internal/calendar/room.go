package calendar

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

const (
	// roomAhead: a room looks this far for conflicts of an endless series.
	roomAhead = 2 * 366 * 24 * time.Hour
	// roomOccurrences are compared at most.
	roomOccurrences = 1000
)

// answerAsRoom answers an invitation for a room or resource: it accepts when
// it is free at all the times asked for, else it declines and says when it is
// taken. Reservation and look-up are one transaction, and all that reserve a
// room write to its home, so it cannot be booked twice.
func (s *Service) answerAsRoom(tx *store.Tx, who store.Account, o *store.Object) ([]*store.Entry, error) {
	cal, _, err := s.parse(tx, o)
	if err != nil {
		return nil, err
	}
	user, err := addresses(tx, who.ID)
	if err != nil {
		return nil, err
	}
	open := s.unanswered(cal, user)
	if len(open) == 0 {
		return nil, nil
	}
	zone := accountZone(who)
	wanted, err := s.wanted(cal, open, zone)
	if err != nil {
		return nil, err
	}
	taken, err := s.conflicts(tx, who.ID, o.UID, wanted)
	if err != nil {
		return nil, err
	}
	partstat, comment := "ACCEPTED", ""
	if taken != nil {
		from, _ := zone.Wall(taken.From)
		to, _ := zone.Wall(taken.To)
		partstat = "DECLINED"
		comment = fmt.Sprintf("%s is already booked from %s to %s (%s).", nameFor(who), from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04"), zone.Name())
	}
	rid := ""
	if !open[""] && len(open) == 1 {
		for k := range open {
			rid = k
		}
	}
	e, err := s.respond(tx, RespondRequest{By: account.Actor{Account: who.ID}, Owner: who.ID, UID: o.UID, RecurrenceID: rid, PartStat: partstat, Comment: comment})
	if err != nil {
		return nil, err
	}
	return e.rows, nil
}

func nameFor(a store.Account) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// unanswered lists the components in which the user is asked: "" for the
// master, else the RECURRENCE-ID value.
func (s *Service) unanswered(cal *ical.Calendar, user []ical.Address) map[string]bool {
	open := map[string]bool{}
	for _, c := range cal.Main() {
		for _, a := range itip.Attendees(c) {
			for _, u := range user {
				if a.Address.Equal(u) && (a.PartStat == "" || a.PartStat == "NEEDS-ACTION") {
					id := ""
					if p := c.Prop("RECURRENCE-ID"); p != nil {
						id = p.Value()
					}
					open[id] = true
				}
			}
		}
	}
	return open
}

// wanted are the times that an invitation asks for, from now on.
func (s *Service) wanted(cal *ical.Calendar, open map[string]bool, zone *tz.Zone) ([]freebusy.Period, error) {
	set, err := recur.New(cal, tz.NewResolver(cal, zone), recur.Options{})
	if err != nil {
		return nil, err
	}
	var out []freebusy.Period
	now := s.now()
	for o := range set.Between(now, now.Add(roomAhead)) {
		if len(out) == roomOccurrences {
			break
		}
		id := ""
		if p := o.Component.Prop("RECURRENCE-ID"); p != nil {
			id = p.Value()
		}
		if open[id] && o.Component.Value("STATUS") != "CANCELLED" && o.Component.Value("TRANSP") != "TRANSPARENT" {
			out = append(out, freebusy.Period{From: o.From, To: o.To, Type: "BUSY"})
		}
	}
	return out, set.Err()
}
