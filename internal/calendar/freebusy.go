package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Request statuses of free/busy answers (RFC 5546 3.6, RFC 6638 3.2.9).
const (
	statusSuccess  = "2.0;Success"
	statusNoUser   = "3.7;Invalid calendar user"
	statusNoRight  = "3.8;No authority"
	statusNoAnswer = "5.1;Service unavailable"
	statusTooMuch  = "5.1;Too much to be worked out at once"
)

// FreeBusyAnswer is one person's busy time: merged, in order, in UTC, within
// the range asked for. Periods is nil unless Status begins with "2.".
type FreeBusyAnswer struct {
	Address ical.Address
	Status  string // "2.0;Success", "3.7;…", "3.8;…", "5.1;…"
	Periods []freebusy.Period
	Missing []ical.Address // of a group: those of them that can be named
	Unknown int            // of a group: members whose busy time is not in Periods, because it is not known or not to be told
	For     ical.Address   // the group whose member is asked about elsewhere; "" = asked about by name
}

// FreeBusy answers for each address in the order given, from one snapshot. A
// group is busy when its own calendars or any of its members are. Only
// calendars count that are not transparent and that the actor may ask
// for. For an address of another service there is no answer (5.1), unless it
// has told the actor by message, or can be asked ([Service.SetElsewhere]). Nor is
// there one for a person whose calendars take too long to be looked into, which
// those of the others do not wait for. The event
// with the UID maskUID does not count: it is the one being moved (Apple
// maskuids).
func (s *Service) FreeBusy(ctx context.Context, by account.Actor, who []ical.Address, from, to time.Time, maskUID string) ([]FreeBusyAnswer, error) {
	if err := s.checkRange(from, to); err != nil {
		return nil, err
	}
	if len(who) > s.limits.FreeBusyPeople {
		return nil, problem.New(problem.TooManyAttendees, "Free/busy time was asked for %d people; %d are allowed at once.", len(who), s.limits.FreeBusyPeople)
	}
	var out []FreeBusyAnswer
	var groups []*groupBusy
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out, groups = make([]FreeBusyAnswer, 0, len(who)), nil
		q := &busyQuestion{s: s, tx: tx, dir: s.directory(tx), by: by, from: from, to: to, mask: maskUID, left: s.limits.FreeBusyWork, people: len(who)}
		for i, a := range who {
			answer := FreeBusyAnswer{Address: a}
			acc, ok := q.dir.account(a)
			switch {
			case q.dir.err != nil:
				return fmt.Errorf("look up %s: %w", a, q.dir.err)
			case ok && acc.Kind == store.Group:
				g := &groupBusy{q: q, at: i, address: a, opened: map[store.AccountID]bool{}, asked: map[string]bool{}}
				if err := g.open(acc, 0); err != nil {
					return err
				}
				groups = append(groups, g)
			case ok:
				var err error
				if answer.Periods, answer.Status, err = q.person(acc, len(who) > 1); err != nil {
					return err
				}
			case s.ourDomain(a) || a.Email() == "":
				answer.Status = statusNoUser
			default:
				answer.Status = statusNoAnswer
				periods, ok, err := s.heard(tx, by.Account, a, from, to)
				if err != nil {
					return err
				}
				if ok {
					answer.Status, answer.Periods = statusSuccess, periods
				}
			}
			out = append(out, answer)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.askElsewhere(ctx, by, out, groups, from, to)
	for _, g := range groups {
		out[g.at] = g.answer()
	}
	return out, nil
}

// Elsewhere asks other services when people are busy; it answers for those it
// can, and fills in Periods and Status of the answers it was given. It has to
// be quick: somebody waits.
type Elsewhere func(ctx context.Context, by account.Actor, who []*FreeBusyAnswer, from, to time.Time)

// SetElsewhere sets who is asked about people of other services. Call it
// before the first request.
func (s *Service) SetElsewhere(ask Elsewhere) { s.elsewhere = ask }

func (s *Service) askElsewhere(ctx context.Context, by account.Actor, list []FreeBusyAnswer, groups []*groupBusy, from, to time.Time) {
	var open []*FreeBusyAnswer
	for i := range list {
		if list[i].Status == statusNoAnswer {
			open = append(open, &list[i])
		}
	}
	for _, g := range groups {
		for i := range g.elsewhere {
			open = append(open, &g.elsewhere[i])
		}
	}
	if len(open) > 0 && s.elsewhere != nil && by.Account != 0 { // nobody who is not signed in makes us ask around
		s.elsewhere(ctx, by, open, from, to)
	}
}

// CalendarBusy is the busy time of some calendars of one home (RFC 4791 7.10),
// for everyone who may ask for it. That a calendar is transparent does not
// matter when it is asked for itself.
func (s *Service) CalendarBusy(ctx context.Context, by account.Actor, owner store.AccountID, colls []string, from, to time.Time) ([]freebusy.Period, error) {
	if err := s.checkRange(from, to); err != nil {
		return nil, err
	}
	var out []freebusy.Period
	err := s.store.View(ctx, func(tx *store.Tx) error {
		var list []store.Collection
		for _, name := range colls {
			c, _, err := s.collection(tx, by, owner, name, acl.FreeBusy)
			if err != nil {
				return err
			}
			if c.Kind != store.Calendar && c.Kind != store.Subscribed {
				return problem.New(problem.Forbidden, "The scheduling %s has no free/busy time of its own.", c.Kind).At(c.Name + "/") // RFC 6638 2.3
			}
			list = append(list, c)
		}
		var err error
		out, err = s.busyIn(tx, owner, list, from, to, "", &busyWork{s.limits.FreeBusyWork})
		return err
	})
	return out, err
}

func (s *Service) checkRange(from, to time.Time) error {
	switch {
	case from.IsZero() || to.IsZero():
		return problem.New(problem.BadInput, "Free/busy time needs a start and an end.")
	case !from.Before(to):
		return problem.New(problem.BadInput, "The free/busy range ends before it starts.")
	case s.limits.FreeBusySpan > 0 && to.Sub(from) > s.limits.FreeBusySpan:
		return problem.New(problem.BadInput, "Free/busy time can be asked for at most %d days at once.", int(s.limits.FreeBusySpan.Hours()/24))
	}
	return nil
}

// ourDomain reports whether an address would be ours if it had an account.
func (s *Service) ourDomain(a ical.Address) bool {
	d := a.Domain()
	return d != "" && slices.ContainsFunc(s.o.Domains, func(x string) bool { return strings.EqualFold(x, d) })
}

// busy time of one person, as far as the actor may know it.
func (s *Service) busy(tx *store.Tx, by account.Actor, who store.Account, from, to time.Time, maskUID string, work *busyWork) ([]freebusy.Period, string, error) {
	if may, err := s.mayDeliver(tx, who, by.Account, func(d Delivery) bool { return d.Query }); err != nil || !may {
		return nil, statusNoRight, err
	}
	all, err := tx.Collections(who.ID)
	if err != nil {
		return nil, "", fmt.Errorf("collections of %s: %w", who.Name, err)
	}
	var colls []store.Collection
	var hours []freebusy.Availability
	calendars := 0
	for _, c := range all {
		if c.Kind == store.Inbox && c.Properties[Availability] != "" {
			hours = s.availability([]byte(c.Properties[Availability]), accountZone(who), from, to)
		}
		if c.Kind != store.Calendar && c.Kind != store.Subscribed {
			continue
		}
		calendars++
		a, err := s.acl.OfCollection(tx, by.Account, &c)
		if err != nil {
			return nil, "", err
		}
		if a >= acl.FreeBusy && !c.Transparent {
			colls = append(colls, c)
		} else if a < acl.FreeBusy {
			calendars--
		}
	}
	if calendars == 0 {
		return nil, statusNoRight, nil
	}
	periods, err := s.busyIn(tx, who.ID, colls, from, to, maskUID, work, hours...)
	if err == nil {
		periods, err = s.busyMounted(tx, who, periods, from, to, maskUID, work)
	}
	if periods == nil {
		periods = []freebusy.Period{}
	}
	return periods, statusSuccess, err
}

// busyMounted adds the calendars of others that a person has said to count as
// their own time (schedule-calendar-transp on a shared calendar).
func (s *Service) busyMounted(tx *store.Tx, who store.Account, periods []freebusy.Period, from, to time.Time, maskUID string, work *busyWork) ([]freebusy.Period, error) {
	mounts, err := tx.Mounts(who.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		if m.Transparent || m.State != store.MountAccepted {
			continue
		}
		c, err := tx.Collection(m.Owner, m.Collection)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		have, err := s.acl.OfCollection(tx, who.ID, &c)
		if err != nil {
			return nil, err
		}
		if have < acl.Read {
			continue
		}
		more, err := s.busyIn(tx, m.Owner, []store.Collection{c}, from, to, maskUID, work)
		if err != nil {
			return nil, err
		}
		periods = freebusy.Merge(append(periods, more...))
	}
	return periods, nil
}

// Availability is the key of an inbox's properties for the VAVAILABILITY of its
// owner, an iCalendar object: when others find them free at all (RFC 7953 7.2.4).
const Availability = "calendar-availability"

// availability reads one object with VAVAILABILITY.
func (s *Service) availability(body []byte, zone *tz.Zone, from, to time.Time) []freebusy.Availability {
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err == nil {
		var list []freebusy.Availability
		if list, err = freebusy.Availabilities(cal, tz.NewResolver(cal, zone), from, to); err == nil {
			return list
		}
	}
	s.log.Error("an availability cannot be worked out", "error", err)
	return nil // one broken object does not hide a calendar
}

// busyIn merges the busy time of some calendars of one home, and when its owner
// is not available: by hours, and by what the calendars say of that (RFC 7953 5).
func (s *Service) busyIn(tx *store.Tx, owner store.AccountID, colls []store.Collection, from, to time.Time, mask string, work *busyWork, hours ...freebusy.Availability) ([]freebusy.Period, error) {
	user, err := addresses(tx, owner)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, a := range user {
		mine[a.Key()] = true
	}
	isMine := func(a ical.Address) bool { return mine[a.Key()] }
	var out []freebusy.Period
	for _, c := range colls {
		zone, err := s.zoneOf(tx, c)
		if err != nil {
			return nil, err
		}
		b := busyTime{s: s, tx: tx, owner: owner, coll: c.ID, zone: zone, mine: isMine, from: from, to: to, work: work, out: out, hours: hours}
		if err := b.read(mask); err != nil {
			return nil, fmt.Errorf("busy time of calendar %s: %w", c.Name, err)
		}
		out, hours = b.out, b.hours
	}
	if len(hours) > 0 {
		// Events are laid over it: their own type shows where they take place.
		events := slices.DeleteFunc(slices.Clone(out), func(p freebusy.Period) bool { return p.Type == freebusy.Tentative })
		out = append(out, freebusy.Without(freebusy.Away(hours), events)...)
	}
	return freebusy.Merge(out), nil
}
