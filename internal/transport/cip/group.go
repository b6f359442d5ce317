package cip

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// team are the people a group stands for.
type team struct {
	here      []store.Account // with accounts
	addresses []ical.Address  // of these
	elsewhere []ical.Address
}

// maxTeam bounds how many people of other services a group is opened to.
const maxTeam = 500

// teamOf opens a group, and the groups of this service in it, each once; nil
// when the account is none.
func (c *CIP) teamOf(tx *store.Tx, group store.Account) (*team, error) {
	if group.Kind != store.Group {
		return nil, nil
	}
	t := &team{}
	opened := map[store.AccountID]bool{}
	var open func(group store.Account) error
	open = func(group store.Account) error {
		if opened[group.ID] {
			return nil
		}
		opened[group.ID] = true
		members, err := tx.Members(group.ID)
		if err != nil {
			return err
		}
		for _, m := range members {
			address := ical.Address(m.URI)
			a, ok, err := c.o.Accounts.LookupTx(tx, address)
			switch {
			case err != nil:
				return err
			case ok && a.Kind == store.Group:
				if err := open(a); err != nil {
					return err
				}
			case ok:
				if !slices.ContainsFunc(t.here, func(o store.Account) bool { return o.ID == a.ID }) {
					t.here, t.addresses = append(t.here, a), append(t.addresses, address)
				}
			case address.Email() != "" && len(t.elsewhere) < maxTeam && !slices.ContainsFunc(t.elsewhere, address.Equal):
				t.elsewhere = append(t.elsewhere, address)
			}
		}
		return nil
	}
	return t, open(group)
}

// invite gives a member of a group a line that says so (RFC 5545 3.2.11).
func invite(cal *ical.Calendar, who ical.Address, name string, group ical.Address) {
	for _, comp := range cal.Main() {
		there := false
		for p := range comp.Props("ATTENDEE") {
			there = there || p.Address().Equal(who)
		}
		if there {
			continue
		}
		p := ical.NewProperty("ATTENDEE", string(who))
		if name != "" {
			p.SetParam("CN", name)
		}
		p.SetParam("MEMBER", string(group))
		p.SetParam("PARTSTAT", "NEEDS-ACTION")
		p.SetParam("RSVP", "TRUE")
		comp.Add(p)
	}
}

// Spread is a [calendar.Spread]: a message to a group that waited and was
// approved goes to its members like one that was believed at once.
func (c *CIP) Spread(tx *store.Tx, dir *calendar.Directory, a *calendar.Arrival) ([]calendar.Arrival, []*store.Entry, error) {
	group, err := tx.Account(a.To)
	if err != nil || group.Kind != store.Group {
		return nil, nil, err
	}
	r := recordOf(a.Entry)
	had, err := c.has(tx, dir, group.ID, a.Entry.UID)
	if err != nil || had != nil && had.version > r.Version { // a newer one went to them meanwhile
		return nil, nil, err
	}
	return c.spread(tx, group, a, r, had == nil || had.held)
}

// spread opens a group that a message came to: its members here get it too, and
// stand in it; those elsewhere are sent it. Of anybody but a group nothing follows.
func (c *CIP) spread(tx *store.Tx, group store.Account, a *calendar.Arrival, r record, first bool) (here []calendar.Arrival, away []*store.Entry, err error) {
	team, err := c.teamOf(tx, group)
	if team == nil || err != nil {
		return nil, nil, err
	}
	if away, err = c.forward(tx, a, r, team.elsewhere, first); err != nil {
		return nil, nil, err
	}
	a.Message = a.Message.Clone() // the one given is for reading only
	for i, m := range team.here {
		invite(a.Message, team.addresses[i], m.DisplayName, a.Recipient)
	}
	body := a.Message.Bytes()
	for _, m := range team.here {
		row := *a.Entry
		row.ID, row.Account, row.Object, row.State, row.Reason, row.Sentence, row.Calendar = 0, m.ID, 0, calendar.StateReceived, "", "", body
		copied := *a
		copied.To, copied.Recipient, copied.Entry, copied.Approved = m.ID, "", &row, false
		if copied.From == "" { // approved: the members' calendars still ask whose event it is
			copied.From = ical.Address(row.From)
		}
		here = append(here, copied)
	}
	return here, away, nil
}

// forward writes the messages to a group's members on other services: the
// owner's event, in the group's name, with us among the servers it came
// through. What CIP cannot bring them goes by mail, as everything does.
// The same version is not forwarded twice.
func (c *CIP) forward(tx *store.Tx, a *calendar.Arrival, r record, to []ical.Address, first bool) ([]*store.Entry, error) {
	trace := append(slices.Clone(r.Trace), c.host())
	if len(to) == 0 || len(trace) > maxTrace {
		return nil, nil
	}
	evidence, err := outgoing{CIP: &label{EventID: r.EventID, Version: r.Version, Trace: trace}}.json()
	if err != nil {
		return nil, err
	}
	// The members of one server learn of each other, and of nobody else's.
	byServer := map[string]*ical.Calendar{}
	named := invitees(a.Message)
	for _, m := range to {
		if byServer[m.Domain()] == nil {
			byServer[m.Domain()] = a.Message.Clone()
		}
		invite(byServer[m.Domain()], m, "", a.Recipient)
	}
	var rows []*store.Entry
	for _, m := range to {
		if named[m.Key()] { // the owner's server tells them itself
			continue
		}
		key := "forwarded:" + a.Entry.Digest + ":" + m.Key()
		if _, err := tx.EntryByDigest(a.To, key); err == nil {
			continue
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		copy := byServer[m.Domain()]
		copy.Set("METHOD", string(a.Method))
		row := &store.Entry{
			Account: a.To, Method: string(a.Method), UID: a.Entry.UID, From: string(a.Recipient), To: string(m), Calendar: copy.Bytes(),
			Evidence: evidence, Status: "1.0", Digest: key, Opens: first && a.Method == itip.Request,
		}
		if m := copy.Master(); m != nil {
			row.Sequence = sequenceOf(m)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := c.o.Journal.AddAll(tx, rows); err != nil {
		return nil, fmt.Errorf("forward to the members of %s: %w", a.Recipient, err)
	}
	return rows, nil
}

// invitees are the keys of those whom an event names: owner and attendees.
func invitees(cal *ical.Calendar) map[string]bool {
	named := map[string]bool{}
	for _, comp := range cal.Main() {
		if w, ok := itip.Organizer(comp); ok {
			named[w.Address.Key()] = true
		}
		for _, w := range itip.Attendees(comp) {
			named[w.Address.Key()] = true
		}
	}
	return named
}
