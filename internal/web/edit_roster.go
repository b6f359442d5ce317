package web

import (
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/problem"
)

// roster adds and removes attendees, and changes their roles. The lines of
// those who stay keep everything else they say.
func (ed editor) roster(c *ical.Component, was, list []person) error {
	had := map[string]bool{}
	for _, p := range was {
		had[ical.ParseAddress(p.Address).Key()] = true
	}
	wanted := map[string]person{}
	for _, p := range list {
		a := ical.ParseAddress(p.Address)
		if a.Email() == "" && !strings.Contains(string(a), ":") && !had[a.Key()] {
			return problem.New(problem.BadInput, "%q is not an address that can be invited.", p.Address)
		}
		wanted[a.Key()] = p
	}
	present := map[string]bool{}
	c.RemoveFunc(func(p *ical.Property) bool {
		if p.Name() != "ATTENDEE" {
			return false
		}
		key := p.Address().Key()
		w, stays := wanted[key]
		if !stays && had[key] && !isOneOf(p.Address(), ed.mine) {
			return true
		}
		present[key] = true
		if stays && had[key] && w.Role != "" && !strings.EqualFold(w.Role, p.Param("ROLE")) && !(p.Param("ROLE") == "" && w.Role == "REQ-PARTICIPANT") {
			p.SetParam("ROLE", strings.ToUpper(w.Role))
		}
		return false
	})
	added := false
	for _, p := range list {
		a := ical.ParseAddress(p.Address)
		key := a.Key()
		if present[key] || had[key] || isOneOf(a, ed.mine) {
			continue
		}
		present[key] = true
		c.Add(invitation(a, p))
		added = true
	}
	guests := 0
	for p := range c.Props("ATTENDEE") {
		if !isOneOf(p.Address(), ed.mine) {
			guests++
		}
	}
	if guests == 0 {
		if len(list) == 0 && len(was) > 0 {
			// Nobody is left but the organizer: the line for oneself says nothing more.
			c.RemoveFunc(func(p *ical.Property) bool { return p.Name() == "ATTENDEE" && isOneOf(p.Address(), ed.mine) })
		}
		return nil
	}
	// Whoever invites somebody organizes. A list of names that came without an
	// organizer, from an import, stays what it is.
	if added && c.Prop("ORGANIZER") == nil {
		if len(ed.mine) == 0 {
			return problem.New(problem.InvalidOrganizer, "You have no address that could invite others. Ask the administrator for one.")
		}
		o := ical.NewProperty("ORGANIZER", "")
		o.SetAddress(ed.mine[0])
		if ed.name != "" {
			o.SetParam("CN", ed.name)
		}
		c.Add(o)
		if _, in := among(c, ed.mine); !in {
			me := ical.NewProperty("ATTENDEE", "")
			me.SetAddress(ed.mine[0])
			if ed.name != "" {
				me.SetParam("CN", ed.name)
			}
			me.SetParam("ROLE", "CHAIR")
			me.SetParam("PARTSTAT", "ACCEPTED")
			c.Add(me)
		}
	}
	return nil
}

// invitation is the line of a new attendee.
func invitation(a ical.Address, p person) *ical.Property {
	line := ical.NewProperty("ATTENDEE", "")
	line.SetAddress(a)
	if p.Name != "" {
		line.SetParam("CN", p.Name)
	}
	switch k := strings.ToUpper(p.Kind); k {
	case "ROOM", "RESOURCE", "GROUP":
		line.SetParam("CUTYPE", k)
	}
	role := "REQ-PARTICIPANT"
	if strings.EqualFold(p.Role, "OPT-PARTICIPANT") {
		role = "OPT-PARTICIPANT"
	}
	line.SetParam("ROLE", role)
	line.SetParam("PARTSTAT", "NEEDS-ACTION")
	line.SetParam("RSVP", "TRUE")
	return line
}
