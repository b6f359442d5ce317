package davserver

import (
	"bytes"

	"github.com/convene-cal/convene/ical"
)

// A principal is a calendar user by its URL too (RFC 6638 2.4.1), and some
// clients write that URL into ORGANIZER and ATTENDEE. Mail, and people elsewhere,
// need an address that they can answer: what is stored and sent has that one.

// withMailto gives organizer and attendees of calendar data, as far as they are
// principals of this server, the mail address that they prefer.
func (q *request) withMailto(data []byte) []byte {
	if !hasAttendees(data) {
		return data
	}
	flat := data
	for _, fold := range []string{"\r\n ", "\r\n\t", "\n ", "\n\t"} {
		if bytes.Contains(flat, []byte(fold)) {
			flat = bytes.ReplaceAll(flat, []byte(fold), nil)
		}
	}
	if !bytes.Contains(flat, []byte(principalPath)) {
		return data
	}
	cal, err := ical.Parse(data)
	if err != nil {
		return data // the door says what is wrong
	}
	changed := false
	for _, c := range cal.Main() {
		for _, name := range []string{"ORGANIZER", "ATTENDEE"} {
			for p := range c.Props(name) {
				if to, ok := q.mailtoOf(p.Address()); ok {
					p.SetAddress(to)
					changed = true
				}
			}
		}
	}
	if !changed {
		return data
	}
	q.converted = true // what is stored has other octets
	return cal.Bytes()
}

// hasAttendees is a quick look for a line that names an attendee; names are in
// any case (RFC 5545 2).
func hasAttendees(data []byte) bool {
	const name = "ATTENDEE"
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 || len(rest) <= i+len(name) {
			return false
		}
		if rest = rest[i+1:]; bytes.EqualFold(rest[:len(name)], []byte(name)) {
			return true
		}
	}
}

// mailtoOf is the mail address of an account that is named by its principal's
// URL.
func (q *request) mailtoOf(a ical.Address) (ical.Address, bool) {
	if a.Email() != "" {
		return a, false
	}
	p, err := parseHref(string(a), q.sameHost)
	if err != nil || p.kind != principal {
		return a, false
	}
	who, err := q.account(p.account)
	if err != nil {
		return a, false
	}
	list, err := q.s.accounts.Addresses(q.ctx, who.ID)
	if err != nil {
		return a, false
	}
	for _, other := range list {
		if other.Email() != "" {
			return other, true
		}
	}
	return a, false
}
