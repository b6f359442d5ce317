package calendar

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// groupDepth bounds groups in groups: deeper than any organisation, and a loop
// ends at once since each group is opened only once.
const groupDepth = 16

// invite opens the groups that a change invites anew: their members become
// attendees of their own, with MEMBER saying why (RFC 5545 3.2.11). The line of
// the group stays, so that the group's own calendar has the event too. Whom
// the organizer took off the list afterwards stays off.
func (s *Service) invite(tx *store.Tx, ch *change) error {
	if ch.new == nil || ch.imp || !ch.new.schedules || ch.coll.Kind != store.Calendar {
		return nil
	}
	user, err := addresses(tx, ch.coll.Account)
	if err != nil {
		return err
	}
	if !organizedBy(ch.new.cal, user) {
		return nil
	}
	dir := s.directory(tx)
	groups := groupsIn(ch.new.cal, dir)
	if dir.err != nil {
		return fmt.Errorf("look up attendees: %w", dir.err)
	}
	if len(groups) == 0 {
		return nil
	}
	var old *ical.Calendar
	if ch.old != nil {
		if old, _, err = s.parse(tx, ch.old); err != nil {
			return err
		}
	}
	cal := ch.new.cal.Clone()
	changed := false
	for _, c := range cal.Main() {
		before := counterpart(old, c)
		for _, g := range groups {
			if attendeeLine(c, g.address) == nil || attendeeLine(before, g.address) != nil {
				continue
			}
			if err := s.addMembers(tx, c, g, user, dir); err != nil {
				return err
			}
			changed = true
		}
		n := 0
		for range c.Props("ATTENDEE") {
			n++
		}
		if n > s.limits.Attendees {
			return problem.New(problem.TooManyAttendees, "With the members of the groups invited the event has %d attendees; %d are allowed.", n, s.limits.Attendees)
		}
	}
	if !changed {
		return nil
	}
	d := *ch.new
	d.cal, d.data = cal, cal.Bytes()
	d.etag = etag(d.data)
	if d.index, err = s.timeIndex(cal, tz.NewResolver(cal, nil)); err != nil {
		return err
	}
	ch.new = &d
	return nil
}

func organizedBy(cal *ical.Calendar, user []ical.Address) bool {
	for _, c := range cal.Main() {
		if o, ok := itip.Organizer(c); ok {
			return containsAddress(user, o.Address)
		}
	}
	return false
}

// invited is a group among the attendees.
type invited struct {
	address ical.Address
	account store.Account
}

func groupsIn(cal *ical.Calendar, dir *Directory) []invited {
	var out []invited
	for _, c := range cal.Main() {
		for p := range c.Props("ATTENDEE") {
			a := p.Address()
			if slices.ContainsFunc(out, func(g invited) bool { return g.address.Equal(a) }) {
				continue
			}
			if acc, ok := dir.account(a); ok && acc.Kind == store.Group {
				out = append(out, invited{a, acc})
			}
		}
	}
	return out
}

// counterpart is the stored component that a component takes the place of: an
// occurrence that had none comes of the series.
func counterpart(old *ical.Calendar, c *ical.Component) *ical.Component {
	if old == nil {
		return nil
	}
	if id := c.Prop("RECURRENCE-ID"); id != nil {
		for _, o := range old.Overrides() {
			if q := o.Prop("RECURRENCE-ID"); q.Value() == id.Value() && q.Param("TZID") == id.Param("TZID") {
				return o
			}
		}
	}
	return old.Master()
}

func attendeeLine(c *ical.Component, a ical.Address) *ical.Property {
	if c != nil {
		for p := range c.Props("ATTENDEE") {
			if p.Address().Equal(a) {
				return p
			}
		}
	}
	return nil
}

// Expand lists the people that some addresses stand for: of groups of this
// service their members, at any depth, each once; all others as they are.
func (s *Service) Expand(ctx context.Context, list []ical.Address) ([]ical.Address, error) {
	var out []ical.Address
	err := s.store.View(ctx, func(tx *store.Tx) error {
		out = nil
		dir := s.directory(tx)
		seen, opened := map[string]bool{}, map[store.AccountID]bool{}
		var add func(a ical.Address, depth int) error
		add = func(a ical.Address, depth int) error {
			acc, ok := dir.account(a)
			if dir.err != nil {
				return fmt.Errorf("look up %s: %w", a, dir.err)
			}
			if !ok || acc.Kind != store.Group {
				if !seen[a.Key()] {
					seen[a.Key()] = true
					out = append(out, a)
				}
				return nil
			}
			if opened[acc.ID] || depth == groupDepth {
				return nil
			}
			opened[acc.ID] = true
			members, err := tx.Members(acc.ID)
			if err != nil {
				return fmt.Errorf("members of account %d: %w", acc.ID, err)
			}
			for _, m := range members {
				if err := add(ical.Address(m.URI), depth+1); err != nil {
					return err
				}
			}
			return nil
		}
		for _, a := range list {
			if err := add(a, 0); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// member says, within a transaction, whether somebody is in a group of this
// service, at any depth.
func (s *Service) member(tx *store.Tx, dir *Directory) func(group, member ical.Address) bool {
	return func(group, member ical.Address) bool {
		opened := map[store.AccountID]bool{}
		var in func(a ical.Address, depth int) bool
		in = func(a ical.Address, depth int) bool {
			acc, ok := dir.account(a)
			if !ok || acc.Kind != store.Group {
				return depth > 0 && a.Equal(member)
			}
			if opened[acc.ID] || depth == groupDepth {
				return false
			}
			opened[acc.ID] = true
			members, err := tx.Members(acc.ID)
			if err != nil {
				dir.err = err
				return false
			}
			for _, m := range members {
				if in(ical.Address(m.URI), depth+1) {
					return true
				}
			}
			return false
		}
		return in(group, 0)
	}
}

// addMembers writes the lines of a group's members, and of the groups in it.
func (s *Service) addMembers(tx *store.Tx, c *ical.Component, g invited, user []ical.Address, dir *Directory) error {
	self := attendeeLine(c, g.address)
	self.SetParam("CUTYPE", "GROUP")
	if self.Param("RSVP") != "" {
		self.SetParam("RSVP", "FALSE") // its members answer
	}
	role := self.Param("ROLE")
	opened := map[store.AccountID]bool{}
	var open func(id store.AccountID, of []string, depth int) error
	open = func(id store.AccountID, of []string, depth int) error {
		if opened[id] || depth == groupDepth {
			return nil
		}
		opened[id] = true
		members, err := tx.Members(id)
		if err != nil {
			return fmt.Errorf("members of account %d: %w", id, err)
		}
		for _, m := range members {
			a := ical.Address(m.URI)
			acc, ok := dir.account(a)
			if dir.err != nil {
				return fmt.Errorf("look up %s: %w", a, dir.err)
			}
			if ok && acc.Kind == store.Group {
				if err := open(acc.ID, append(of[:len(of):len(of)], m.URI), depth+1); err != nil {
					return err
				}
				continue
			}
			if containsAddress(user, a) {
				continue // the organizer need not be invited
			}
			p := attendeeLine(c, a)
			if p == nil {
				p = ical.NewProperty("ATTENDEE", m.URI)
				switch {
				case ok:
					p.SetParam("CN", nameFor(acc))
					p.SetParam("CUTYPE", strings.ToUpper(acc.Kind))
				default:
					p.SetParam("CUTYPE", "INDIVIDUAL")
				}
				if role != "" {
					p.SetParam("ROLE", role)
				}
				p.SetParam("PARTSTAT", "NEEDS-ACTION")
				p.SetParam("RSVP", "TRUE")
				c.Add(p)
			}
			if have := p.ParamValues("MEMBER"); len(have) == 0 {
				p.SetParam("MEMBER", of...)
			} else {
				for _, g := range of {
					if !slices.Contains(have, g) {
						have = append(have, g)
					}
				}
				p.SetParam("MEMBER", have...)
			}
		}
		return nil
	}
	return open(g.account.ID, []string{string(g.address)}, 0)
}
