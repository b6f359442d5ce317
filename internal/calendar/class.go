package calendar

import (
	"bytes"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// openProperties of an event that others see although it is classified: when
// it is, and that it is (RFC 5545 3.8.1.3).
var openProperties = []string{
	"UID", "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID",
	"SEQUENCE", "STATUS", "TRANSP", "CLASS", "CREATED", "LAST-MODIFIED",
}

// openOfCalendar are the properties of the object itself that say nothing of
// the event; NAME, DESCRIPTION and others of RFC 7986 may.
var openOfCalendar = []string{"VERSION", "PRODID", "CALSCALE", "METHOD"}

// blankCalendar leaves of an object what everyone may know: of events that
// their owner has classified, others see the time only.
func blankCalendar(cal *ical.Calendar) {
	for _, c := range cal.Main() {
		c.RemoveFunc(func(p *ical.Property) bool { return !slices.Contains(openProperties, p.Name()) })
		c.Components = nil
		if c.Name == "VEVENT" {
			c.SetText("SUMMARY", "Busy")
		} else {
			c.SetText("SUMMARY", "Private")
		}
	}
	cal.RemoveFunc(func(p *ical.Property) bool { return !slices.Contains(openOfCalendar, p.Name()) })
}

// classProperties say how private an event is: RFC 5545 3.8.1.3, and
// CalendarServer's, whose values PRIVATE, CONFIDENTIAL and RESTRICTED all hide
// something from others.
var classProperties = []string{"CLASS", "X-CALENDARSERVER-ACCESS"}

// mayBeClassified is a quick look at the octets: no line begins with CLASS in
// most objects. Names are in any case and may be folded anywhere (RFC 5545 3.1).
func mayBeClassified(body []byte) bool {
	for _, name := range classProperties {
		if hasLine(body, name) {
			return true
		}
	}
	return false
}

// hasLine tells whether a line begins with a name in upper case.
func hasLine(body []byte, name string) bool {
	for i := bytes.IndexByte(body, '\n'); i >= 0; {
		rest := body[i+1:]
		n := 0
		for n < len(name) && len(rest) > 0 {
			if fold := foldAt(rest); fold > 0 {
				rest = rest[fold:]
				continue
			}
			if c := rest[0]; c != name[n] && ('a' > c || c > 'z' || c&^0x20 != name[n]) {
				break
			}
			n, rest = n+1, rest[1:]
		}
		if n == len(name) {
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
	// CalendarServer's property stands at the object itself (caldav-privateevents 4.1).
	for _, c := range append(cal.Main(), &cal.Component) {
		for _, name := range classProperties {
			for p := range c.Props(name) {
				if v := strings.TrimSpace(p.Value()); v != "" && !strings.EqualFold(v, "PUBLIC") {
					return true
				}
			}
		}
	}
	return false
}
