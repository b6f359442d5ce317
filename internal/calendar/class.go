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

// mayBeClassified is a quick look at the octets: no line begins with CLASS in most objects.
func mayBeClassified(body []byte) bool {
	return bytes.Contains(body, []byte("\nCLASS")) || bytes.Contains(body, []byte("\nclass")) || bytes.Contains(body, []byte("\nClass"))
}

func classified(cal *ical.Calendar) bool {
	for _, c := range cal.Main() {
		switch strings.ToUpper(strings.TrimSpace(c.Value("CLASS"))) {
		case "PRIVATE", "CONFIDENTIAL":
			return true
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
