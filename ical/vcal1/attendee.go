package vcal1

import (
	"strings"

	"github.com/convene-cal/convene/ical"
)

// partstats maps the parameter STATUS (v§2.1.14) to PARTSTAT.
var partstats = map[string]string{
	"ACCEPTED": "ACCEPTED", "CONFIRMED": "ACCEPTED", "NEEDS ACTION": "NEEDS-ACTION", "NEEDS-ACTION": "NEEDS-ACTION", "SENT": "NEEDS-ACTION",
	"TENTATIVE": "TENTATIVE", "DECLINED": "DECLINED", "COMPLETED": "COMPLETED", "DELEGATED": "DELEGATED",
}

// attendees converts ATTENDEE lines. The owner, else the organizer among them,
// becomes ORGANIZER, and one of a list of several is an attendee too.
func (c *converting) attendees() {
	var list []*line
	var chief *line
	for _, l := range c.b.lines {
		if l.name != "ATTENDEE" {
			continue
		}
		list = append(list, l)
		switch {
		case l.is("ROLE", "OWNER") && (chief == nil || !chief.is("ROLE", "OWNER")), l.is("ROLE", "ORGANIZER") && chief == nil:
			chief = l
		}
	}
	if l := c.b.prop("X-ORGANIZER"); l != nil {
		// KOrganizer's own; without attendees there is nobody to organize.
		if name, address, ok := mailbox(l.value); ok && chief == nil && len(list) > 0 {
			c.c.Add(person("ORGANIZER", name, address))
		} else {
			c.extension(c.c, l)
		}
	}
	for _, l := range list {
		name, address, ok := mailbox(l.value)
		if !ok || l.is("VALUE", "URL") || l.is("TYPE", "VCARD") {
			c.c.Add(ical.NewText("X-VCAL-ATTENDEE", l.value))
			c.losses.add(l.number, "ATTENDEE %q has no address and is kept as X-VCAL-ATTENDEE", clip(l.value))
			continue
		}
		if l == chief {
			p := c.language(l, person("ORGANIZER", name, address))
			c.c.Add(p)
			if len(list) == 1 || l.is("X-ICAL-ROLE", "NONE") {
				continue
			}
		}
		p := person("ATTENDEE", name, address)
		if role := attendeeRole(l, chief); role != "REQ-PARTICIPANT" {
			p.SetParam("ROLE", role)
		}
		if v := partstats[strings.ToUpper(l.param("STATUS"))]; v != "" && (v != "COMPLETED" || c.c.Name == "VTODO") {
			p.SetParam("PARTSTAT", v)
		}
		switch strings.ToUpper(l.param("RSVP")) {
		case "YES":
			p.SetParam("RSVP", "TRUE")
		case "NO":
			p.SetParam("RSVP", "FALSE")
		}
		c.c.Add(c.language(l, p))
	}
}

// attendeeRole maps ROLE and EXPECT (v§2.1.11, 2.1.13).
func attendeeRole(l, chief *line) string {
	switch own := strings.ToUpper(l.param("X-ICAL-ROLE")); {
	case own == "OPT-PARTICIPANT" || own == "REQ-PARTICIPANT":
		return own
	case l == chief || l.is("ROLE", "OWNER") || l.is("ROLE", "ORGANIZER"):
		return "CHAIR"
	case l.is("EXPECT", "FYI"):
		return "NON-PARTICIPANT"
	}
	return "REQ-PARTICIPANT"
}

func person(property, name string, address ical.Address) *ical.Property {
	p := ical.NewProperty(property, string(address))
	if name != "" {
		p.SetParam("CN", name)
	}
	return p
}

// mailbox reads "Name <a@b>", "a@b" and "mailto:a@b"; instead of the mail
// address there may be a URI.
func mailbox(s string) (name string, address ical.Address, ok bool) {
	s = strings.TrimSpace(s)
	inner := s
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		name = strings.TrimSpace(s[:open])
		if n := len(name); n > 1 && name[0] == '"' && name[n-1] == '"' {
			name = name[1 : n-1]
		}
		inner, _, _ = strings.Cut(s[open+1:], ">")
		inner = strings.TrimSpace(inner)
	}
	name = strings.Map(func(r rune) rune { // RFC 5545 3.1: no controls in parameters
		if r < ' ' {
			return ' '
		}
		return r
	}, name)
	address = ical.ParseAddress(inner)
	if address.Email() != "" {
		return name, address, isURI(string(address))
	}
	return name, ical.Address(inner), isURI(inner) && !strings.HasPrefix(strings.ToLower(inner), "mailto:")
}
