package itip

import (
	"strings"

	"github.com/convene-cal/convene/ical"
)

// HideGuests is the property with which an organizer keeps the guest list to
// themselves when its value is TRUE (RFC 5546 6.3 names the need, no standard
// names a property; JMAP calls it hideAttendees). It stands in the series, or
// in all components, and is not sent: each guest is sent the organizer and
// themselves, and those they delegate to or came from.
const HideGuests = "X-CONVENE-HIDE-GUESTS"

func hidesGuests(o *object) bool {
	if o.master != nil {
		return strings.EqualFold(o.master.Value(HideGuests), "TRUE")
	}
	for _, c := range o.overrides {
		if strings.EqualFold(c.Value(HideGuests), "TRUE") {
			return true
		}
	}
	return false
}

// onlyGuest leaves of the guests in a message the one it is for, and those tied
// to them by delegation: without these their part makes no sense (ADR-09).
func onlyGuest(c *ical.Component, who string) {
	c.RemoveFunc(func(p *ical.Property) bool {
		if p.Name() != "ATTENDEE" || p.Address().Key() == who {
			return false
		}
		for _, name := range [...]string{"DELEGATED-TO", "DELEGATED-FROM"} {
			for _, a := range addresses(p.ParamValues(name)) {
				if a.Key() == who {
					return false
				}
			}
		}
		return true
	})
}

// unseen is a component without its guests, and the guests by address.
type unseen struct {
	of     []*ical.Property // the properties that it was made from
	rest   []*ical.Property
	guests map[string][]*ical.Property
	tied   []*ical.Property // by delegation, to whomever
}

// seenBy is a component with the guests that may matter to one of them. Who has
// ten thousand guests is not to wait until each has been looked at for each.
func (l *letter) seenBy(c *ical.Component, who string) *ical.Component {
	u := l.unseen[c]
	if u == nil || len(u.of) != len(c.Properties) || len(u.of) > 0 && &u.of[0] != &c.Properties[0] {
		u = &unseen{of: c.Properties, guests: map[string][]*ical.Property{}}
		for _, p := range c.Properties {
			switch {
			case p.Name() != "ATTENDEE":
				u.rest = append(u.rest, p)
			case p.HasParam("DELEGATED-TO") || p.HasParam("DELEGATED-FROM"):
				u.tied = append(u.tied, p)
			default:
				key := p.Address().Key()
				u.guests[key] = append(u.guests[key], p)
			}
		}
		if l.unseen == nil {
			l.unseen = map[*ical.Component]*unseen{}
		}
		l.unseen[c] = u
	}
	out := ical.NewComponent(c.Name)
	out.Properties = append(append(append(out.Properties, u.rest...), u.guests[who]...), u.tied...)
	out.Components = c.Components
	return out
}
