package itip

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// stripParams removes what RFC 6638 7 keeps between server and client, and
// vendors' own.
func stripParams(p *ical.Property) {
	var gone []string
	for name := range p.Params() {
		if strings.HasPrefix(name, "SCHEDULE-") || strings.HasPrefix(name, "X-") {
			gone = append(gone, name)
		}
	}
	if len(gone) > 0 {
		p.RemoveParam(gone...)
	}
}

// outwardAttendee says everything that receivers otherwise guess differently (OUT-06).
func outwardAttendee(p *ical.Property) *ical.Property {
	q := p.Clone()
	stripParams(q)
	outwardAddress(q)
	a := person(q)
	q.SetParam("CUTYPE", a.CUType)
	q.SetParam("ROLE", a.Role)
	q.SetParam("PARTSTAT", a.PartStat)
	if !q.HasParam("RSVP") {
		// Absent means FALSE (RFC 5545 3.2.17), and then clients show no buttons.
		a.RSVP = a.PartStat == partStatNeeds && a.Role != "NON-PARTICIPANT"
	}
	q.SetParam("RSVP", strings.ToUpper(strconv.FormatBool(a.RSVP)))
	if a.CN == "" {
		q.SetParam("CN", nameOf(a))
	}
	return q
}

// outwardAddress names somebody whom the object knows by a path of this or
// another service, which is no address to others, by the mailbox (ADR-02).
func outwardAddress(q *ical.Property) {
	if scheme, _, ok := strings.Cut(string(q.Address()), ":"); ok && !strings.Contains(scheme, "/") {
		return
	}
	if e := q.Param("EMAIL"); e != "" {
		q.SetAddress(ical.Mailto(e))
	}
}

func nameOf(a Attendee) string {
	if a.CN != "" {
		return a.CN
	}
	if mail := a.Mailbox(); mail != "" {
		return mail
	}
	return string(a.Address)
}

// Mailbox is the address that people know someone by: the value's, or EMAIL
// where the value is none of a person. EMAIL beside an ordinary address could
// be anyone's.
func (a Attendee) Mailbox() string {
	if e := a.Address.Email(); e != "" && (a.Email == "" || !tokenDomains[a.Address.Domain()]) {
		return e
	}
	return a.Email
}

// dedupe keeps one line for each attendee, since some refuse an invitation
// that names a person twice (LEN-11).
func dedupe(list []*ical.Property) []*ical.Property {
	seen := map[string]int{}
	out := list[:0]
	for _, p := range list {
		if p.Name() != "ATTENDEE" {
			out = append(out, p)
			continue
		}
		k := p.Address().Key()
		if at, twice := seen[k]; twice {
			if !decided(partStat(out[at])) && decided(partStat(p)) {
				out[at] = p
			}
			continue
		}
		seen[k] = len(out)
		out = append(out, p)
	}
	return out
}

// reachable is the address to deliver to: the value, or EMAIL where the value
// is no mail address (RFC 7986 6.2). "" when there is no way.
func reachable(p *ical.Property, local func(ical.Address) bool) ical.Address {
	a := p.Address()
	if local != nil && local(a) {
		return a
	}
	mail := a.Email()
	if mail == "" {
		mail = p.Param("EMAIL")
	}
	if mail == "" || unanswerable[strings.ToLower(mail)] {
		return ""
	}
	if a.Email() == "" {
		return ical.Mailto(mail)
	}
	return a
}

// unanswerable addresses stand for nobody.
var unanswerable = set("unknownorganizer@calendar.google.com", "invalid:nomail")
