package vcal1

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// mail is the mailbox of a person: "Name <a@b>", other addresses as their URI.
func mail(p *ical.Property) string {
	address := p.Address()
	text := address.Email()
	if text == "" {
		text = string(address)
	}
	name := strings.NewReplacer("<", "(", ">", ")", "\n", " ").Replace(p.Param("CN"))
	if name == "" {
		return text
	}
	return name + " <" + text + ">"
}

// organizer writes the organizer as owner, unless one of the attendees is he.
func (e *writing) organizer(p *ical.Property) {
	for a := range e.c.Props("ATTENDEE") {
		if a.Address().Equal(p.Address()) {
			return
		}
	}
	params := []parameter{{"ROLE", "OWNER"}}
	if e.c.Prop("ATTENDEE") != nil {
		params = append(params, parameter{"X-ICAL-ROLE", "NONE"})
	}
	more, lost := e.params(p, "CN")
	e.lostParams(p, lost)
	e.line("ATTENDEE", append(params, more...), mail(p))
}

func (e *writing) lostParams(p *ical.Property, lost []string) {
	if lost != nil {
		e.losses.add(p.Line(), "%s %s: parameters %s are left out", p.Name(), clip(p.Value()), strings.Join(lost, ", "))
	}
}

// attendee writes an attendee (v§2.3.2).
func (e *writing) attendee(p *ical.Property) {
	var params []parameter
	set := func(name, value string) { params = append(params, parameter{name, value}) }
	role := strings.ToUpper(p.Param("ROLE"))
	isOrganizer := e.owner != nil && e.owner.Address().Equal(p.Address())
	switch {
	case isOrganizer:
		set("ROLE", "OWNER")
		if role != "CHAIR" { // which an owner is read as
			if role == "" || role == "REQ-PARTICIPANT" {
				set("X-ICAL-ROLE", "REQ-PARTICIPANT")
			} else if role == "OPT-PARTICIPANT" {
				set("X-ICAL-ROLE", "OPT-PARTICIPANT")
			}
		}
	case p.HasParam("DELEGATED-FROM"):
		set("ROLE", "DELEGATE")
	case role == "CHAIR":
		set("ROLE", "ORGANIZER")
	default:
		set("ROLE", "ATTENDEE")
	}
	if status := map[string]string{"NEEDS-ACTION": "NEEDS ACTION", "ACCEPTED": "CONFIRMED", "TENTATIVE": "TENTATIVE", "DECLINED": "DECLINED",
		"DELEGATED": "DELEGATED", "COMPLETED": "COMPLETED", "IN-PROCESS": "ACCEPTED"}[strings.ToUpper(p.Param("PARTSTAT"))]; status != "" {
		if status == "CONFIRMED" && e.c.Name == "VTODO" {
			status = "ACCEPTED"
		}
		set("STATUS", status)
	}
	switch strings.ToUpper(p.Param("RSVP")) {
	case "TRUE":
		set("RSVP", "YES")
	case "FALSE":
		set("RSVP", "NO")
	}
	switch role {
	case "REQ-PARTICIPANT":
		set("EXPECT", "REQUEST")
	case "OPT-PARTICIPANT":
		set("EXPECT", "REQUEST")
		if !isOrganizer {
			set("X-ICAL-ROLE", "OPT-PARTICIPANT")
		}
	case "NON-PARTICIPANT":
		set("EXPECT", "FYI")
	}
	more, lost := e.params(p, "CN", "ROLE", "PARTSTAT", "RSVP")
	if isOrganizer {
		// What ORGANIZER alone has is written here too.
		for _, q := range first(e.params(e.owner, "CN")) {
			if !slices.ContainsFunc(more, func(m parameter) bool { return m.name == q.name }) {
				more = append(more, q)
			}
		}
	}
	e.lostParams(p, lost)
	e.line("ATTENDEE", append(params, more...), mail(p))
}

func first[A, B any](a A, _ B) A { return a }
