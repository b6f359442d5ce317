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
