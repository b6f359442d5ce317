package cip

import (
	"errors"
	"fmt"
	"slices"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
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

// forward writes the messages to a group's members on other services: the
// owner's event, in the group's name, with us among the servers it came
// through. What CIP cannot bring them goes by mail, as everything does.
// The same version is not forwarded twice.
func (c *CIP) forward(tx *store.Tx, g *guest, e *cip.Event, method itip.Method, cal *ical.Calendar, to []ical.Address, digest string) ([]*store.Entry, error) {
	trace := append(slices.Clone(e.Trace), c.host())
	if len(to) == 0 || len(trace) > maxTrace {
		return nil, nil
	}
	evidence, err := outgoing{CIP: &label{EventID: e.ID, Version: e.Version, Trace: trace}}.json()
	if err != nil {
		return nil, err
	}
	// The members of one server learn of each other, and of nobody else's.
	byServer := map[string]*ical.Calendar{}
	for _, a := range to {
		if byServer[a.Domain()] == nil {
			byServer[a.Domain()] = cal.Clone()
		}
		invite(byServer[a.Domain()], a, "", g.Address)
	}
	var rows []*store.Entry
	for _, a := range to {
		if attending(e, a) { // the owner's server tells them itself
			continue
		}
		key := "forwarded:" + digest + ":" + a.Key()
		if _, err := tx.EntryByDigest(g.account.ID, key); err == nil {
			continue
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		copy := byServer[a.Domain()]
		copy.Set("METHOD", string(method))
		row := &store.Entry{
			Account: g.account.ID, Method: string(method), UID: e.UID, From: string(g.Address), To: string(a), Calendar: copy.Bytes(),
			Evidence: evidence, Status: "1.0", Digest: key, Opens: g.had == nil && method == itip.Request,
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
		return nil, fmt.Errorf("forward to the members of %s: %w", g.ID, err)
	}
	return rows, nil
}

func attending(e *cip.Event, a ical.Address) bool {
	return e.Owner.Address.Equal(a) || slices.ContainsFunc(e.Attendees, func(w cip.Person) bool { return w.Address.Equal(a) })
}
