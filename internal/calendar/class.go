package calendar

import (
	"bytes"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// openProperties of an event that others see although it is classified: when
// it is, and that it is (RFC 5545 3.8.1.3).
var openProperties = []string{
	"UID", "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID",
	"SEQUENCE", "STATUS", "TRANSP", "CLASS", "CREATED", "LAST-MODIFIED",
}

// blank gives the text of an object as the actor may see it: of events that
// their owner has classified PRIVATE or CONFIDENTIAL, others see the time only.
func (s *Service) blank(by account.Actor, o store.Object, body []byte) []byte {
	if by.Account == o.Account || !mayBeClassified(body) {
		return body
	}
	cal, err := ical.ParseLimits(body, s.parseLimits())
	if err != nil || !classified(cal) {
		return body
	}
	for _, c := range cal.Main() {
		c.RemoveFunc(func(p *ical.Property) bool { return !slices.Contains(openProperties, p.Name()) })
		c.Components = nil
		if c.Name == "VEVENT" {
			c.SetText("SUMMARY", "Busy")
		} else {
			c.SetText("SUMMARY", "Private")
		}
	}
	cal.RemoveFunc(func(p *ical.Property) bool { return strings.HasPrefix(p.Name(), "X-") })
	return cal.Bytes()
}

// mayBeClassified is a quick look at the octets: no line begins with CLASS in
// most objects. Names are in any case and may be folded anywhere (RFC 5545 3.1).
func mayBeClassified(body []byte) bool {
	for i := bytes.IndexByte(body, '\n'); i >= 0; {
		rest := body[i+1:]
		n := 0
		for n < len("CLASS") && len(rest) > 0 {
			if fold := foldAt(rest); fold > 0 {
				rest = rest[fold:]
				continue
			}
			if rest[0]&^0x20 != "CLASS"[n] {
				break
			}
			n, rest = n+1, rest[1:]
		}
		if n == len("CLASS") {
			return true
		}
		next := bytes.IndexByte(body[i+1:], '\n')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// foldAt is the length of a fold at the beginning of octets, 0 where there is none.
func foldAt(b []byte) int {
	for _, eol := range []string{"\r\n", "\n", "\r\r\n", "\r"} {
		if n := len(eol); len(b) > n && string(b[:n]) == eol && (b[n] == ' ' || b[n] == '\t') {
			return n + 1
		}
	}
	return 0
}

// classified tells whether an event is not for everyone. What is no word of
// RFC 5545 is as PRIVATE (3.8.1.3).
func classified(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		for p := range c.Props("CLASS") {
			if v := strings.TrimSpace(p.Value()); v != "" && !strings.EqualFold(v, "PUBLIC") {
				return true
			}
		}
	}
	return false
}

// checkClass refuses that others change what they cannot see.
func (s *Service) checkClass(tx *store.Tx, by account.Actor, o *store.Object) error {
	if o == nil || by.Account == o.Account {
		return nil
	}
	cal, _, err := s.parse(tx, o)
	if err != nil {
		return err
	}
	if classified(cal) {
		return problem.New(problem.NeedPrivileges, "This event is private; only the owner of the calendar can change it.").At(o.Name)
	}
	return nil
}
