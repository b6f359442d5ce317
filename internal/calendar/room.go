package calendar

import (
	"fmt"
	"slices"
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

// answerAsRoom answers an invitation for a room or resource: it accepts the
// series, and each occurrence that has moved, when it is free at all the times
// asked for, else it declines and says when it is taken. Reservation and
// look-up are one transaction, and all that reserve a room write to its home,
// so it cannot be booked twice.
func (s *Service) answerAsRoom(tx *store.Tx, who store.Account, o *store.Object) ([]*store.Entry, error) {
	cal, _, err := s.parse(tx, o)
	if err != nil {
		return nil, err
	}
	user, err := addresses(tx, who.ID)
	if err != nil {
		return nil, err
	}
	zone := accountZone(who)
	var rows []*store.Entry
	for _, part := range unanswered(cal, user, zone) {
		wanted, err := s.wanted(cal, part.component, zone)
		if err != nil {
			return nil, err
		}
		taken, err := s.conflicts(tx, who.ID, o.UID, wanted)
		if err != nil {
			return nil, err
		}
		answer := RespondRequest{By: account.Actor{Account: who.ID}, Owner: who.ID, UID: o.UID, RecurrenceID: part.id, PartStat: "ACCEPTED"}
		if taken != nil {
			from, _ := zone.Wall(taken.From)
			to, _ := zone.Wall(taken.To)
			answer.PartStat = "DECLINED"
			answer.Comment = fmt.Sprintf("%s is already booked from %s to %s (%s).", nameFor(who), from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04"), zone.Name())
		}
		e, err := s.respond(tx, answer)
		if err != nil {
			return nil, err
		}
		rows = append(rows, e.rows...)
	}
	return rows, nil
}

func nameFor(a store.Account) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// part is one component that waits for an answer.
type part struct {
	id        string // as in itip.Message.RecurrenceID, "" = the master
	component *ical.Component
}

// unanswered lists the components in which the user is asked: occurrences
// first, since the answer to the series answers what is open yet.
func unanswered(cal *ical.Calendar, user []ical.Address, zone *tz.Zone) []part {
	zones := tz.NewResolver(cal, zone)
	asked := func(c *ical.Component) bool {
		return slices.ContainsFunc(itip.Attendees(c), func(a itip.Attendee) bool {
			return (a.PartStat == "" || a.PartStat == "NEEDS-ACTION") && slices.ContainsFunc(user, a.Address.Equal)
		})
	}
	var out []part
	for _, c := range cal.Overrides() {
		t, err := c.Prop("RECURRENCE-ID").Time()
		if err != nil || !asked(c) {
			continue
		}
		id := t.String()
		if t.Kind == ical.Zoned {
			id = zones.Instant(t).UTC().Format("20060102T150405Z")
		}
		out = append(out, part{id, c})
	}
	if m := cal.Master(); m != nil && asked(m) {
		out = append(out, part{"", m})
	}
	return out
}

// wanted are the times that a component asks for, from now on.
func (s *Service) wanted(cal *ical.Calendar, c *ical.Component, zone *tz.Zone) ([]freebusy.Period, error) {
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
		if o.Component == c && c.Value("STATUS") != "CANCELLED" && c.Value("TRANSP") != "TRANSPARENT" {
			out = append(out, freebusy.Period{From: o.From, To: o.To, Type: "BUSY"})
		}
	}
	return out, set.Err()
}
