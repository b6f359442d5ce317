package check

// Rule describes a kind of Finding.
type Rule struct {
	Name     string // Finding.Rule
	Severity string // "error", "warning", or both with a comma where it depends on the case
	Sections string // the most important ones; Finding.Section is exact
	What     string
}

// Rules lists every rule, in the order of the file they judge: octets, lines,
// parameters, values, components, calendars, messages.
func Rules() []Rule {
	const both = Error + ", " + Warning
	return []Rule{
		{"unreadable", Error, "RFC 5545 3.4", "The input cannot be read as calendars, from this line on."},
		{"text-outside", Error, "RFC 5545 3.4", "Text before or after a calendar."},
		{"byte-order-mark", Error, "RFC 5545 3.4", "The input starts with a byte order mark."},
		{"structure", Error, "RFC 5545 3.4, 3.6", "BEGIN and END do not match, or a line is no property."},
		{"more", both, "", "There were more findings in this calendar than are listed."},

		{"line-end", Error, "RFC 5545 3.1", "A line does not end with CRLF; told once for a calendar."},
		{"line-length", Warning, "RFC 5545 3.1", "A line has more than 75 octets."},
		{"blank-line", Error, "RFC 5545 3.1", "A blank line."},
		{"control", Error, "RFC 5545 3.1", "A control character other than a tab."},
		{"utf-8", Error, "RFC 5545 3.1.4", "Octets that are not UTF-8, after unfolding."},
		{"fold-inside-character", Warning, "RFC 5545 3.1", "A fold parts the octets of a character."},
		{"name", Error, "RFC 5545 3.1", "The name of a property has other characters than letters, digits and hyphens."},
		{"no-value", Error, "RFC 5545 3.1", "A property without colon and value."},

		{"parameter-syntax", Error, "RFC 5545 3.1", "A parameter that is not NAME=value."},
		{"parameter-quote", Error, "RFC 5545 3.1, 3.2", "A quote that does not end or stands inside a value, or is missing where it must be."},
		{"parameter-twice", Error, "RFC 5545 3.2", "A parameter occurs twice."},
		{"parameter-list", Error, "RFC 5545 3.2", "A parameter of one value has several."},
		{"parameter-value", both, "RFC 5545 3.2, RFC 7986 6, RFC 9073 5", "A parameter's value is none of those defined, or not of its type."},
		{"parameter-missing", Error, "RFC 9073 6.6, RFC 9253 6.1", "A property lacks a parameter that it must have."},
		{"parameter-place", both, "RFC 5545 3.8", "A parameter is not defined for the property, or forbidden in the component."},
		{"unknown-parameter", Warning, "RFC 5545 3.2", "A parameter that is not registered and does not begin with X-."},
		{"encoding", Error, "RFC 5545 3.2.7", "VALUE=BINARY and ENCODING=BASE64 do not come together."},

		{"value-type", Error, "RFC 5545 3.2.20", "A value type that the property cannot have, or none where one is needed."},
		{"value", Error, "RFC 5545 3.3, 3.8", "A value is not of its type, or none of those that the property may have."},
		{"stated-value", Warning, "RFC 5545 3.2.20", "A value is not of the type that its property, which is not registered, states for it."},
		{"unknown-value", Warning, "RFC 5545 3.8.1.3, 3.8.6.1, RFC 7953 3.2, RFC 9073 6.2, RFC 9074 8.1", "A value that is not registered and does not begin with X-."},
		{"range", Error, "RFC 5545 3.8.1.6, 3.8.1.8, 3.8.1.9", "A number is out of its bounds."},
		{"utc", Error, "RFC 5545 3.8.2.6, 3.8.7", "A time that must be in UTC is not."},
		{"time-form", Error, "RFC 7953 3.1", "A time must be in UTC or in a zone."},
		{"free-busy-order", Warning, "RFC 5545 3.8.2.6", "The periods of FREEBUSY are not in ascending order."},
		{"rule", Error, "RFC 5545 3.3.10, RFC 7529 4.1", "A recurrence rule: parts, their values, and which go together."},
		{"rule-calendar", Warning, "RFC 7529 4.1", "A recurrence rule counts in a calendar that Convene and many programs cannot: only the start takes place."},
		{"rule-order", Error, "RFC 5545 3.3.10", "FREQ is not the first part of a recurrence rule."},
		{"until-type", Error, "RFC 5545 3.3.10, 3.6.5", "UNTIL has another type than DTSTART, or is not in UTC where it must be."},
		{"until-before-start", Warning, "RFC 5545 3.3.10", "UNTIL is before DTSTART."},
		{"start-not-in-rule", Warning, "RFC 5545 3.8.5.3", "DTSTART is none of the rule's occurrences."},
		{"deprecated", Warning, "RFC 5545 A.3", "Something of RFC 2445 that is no longer defined."},

		{"unknown-property", Warning, "RFC 5545 3.8.8.1", "A property that is not registered and does not begin with X-."},
		{"property-place", Warning, "RFC 5545 3.6, 3.8", "A property is not defined for the component."},
		{"twice", both, "RFC 5545 3.6", "A property occurs more often than it may, or (RRULE) should."},
		{"missing", Error, "RFC 5545 3.6", "A component lacks what it must have."},
		{"order", Error, "RFC 5545 3.6", "A property stands after a component: properties come first."},
		{"derived", both, "RFC 9073 6.5", "Which of several descriptions is the original."},
		{"unknown-component", Warning, "RFC 5545 3.6", "A component that is not registered and does not begin with X-."},
		{"component-place", Error, "RFC 5545 3.6", "A component stands where it cannot."},

		{"end-type", Error, "RFC 5545 3.8.2.2, 3.8.2.3", "DTEND or DUE has another type than DTSTART."},
		{"end-before-start", Error, "RFC 5545 3.8.2.2, 3.8.2.3", "DTEND or DUE is not later than DTSTART."},
		{"end-and-duration", Error, "RFC 5545 3.6.1, 3.6.2", "DTEND or DUE and DURATION in one component."},
		{"duration", Error, "RFC 5545 3.8.2.5", "DTSTART is a date and DURATION not in days or weeks."},
		{"duration-without-start", Error, "RFC 5545 3.6.2", "DURATION without DTSTART."},
		{"rule-without-start", Error, "RFC 5545 3.8.2.4", "RRULE without DTSTART."},
		{"date-type", Warning, "RFC 5545 3.8.5.1, 3.8.5.2", "EXDATE or RDATE has another type than DTSTART."},
		{"trigger", Error, "RFC 5545 3.8.6.3", "A TRIGGER relative to what the component does not have, or a time with RELATED."},
		{"organizer-missing", Error, "RFC 5545 3.8.4.3", "ATTENDEE without ORGANIZER."},

		{"tzid", Error, "RFC 5545 3.2.19", "A TZID that is empty, on a date, on a time in UTC, or inside of a VTIMEZONE."},
		{"tzid-without-zone", Error, "RFC 5545 3.2.19", "A TZID without its VTIMEZONE."},
		{"zone-twice", Error, "RFC 5545 3.6.5", "Two VTIMEZONEs with one TZID."},
		{"zone-start", Error, "RFC 5545 3.6.5", "DTSTART of a zone's observance is not a local time."},
		{"zone-rule-and-dates", Warning, "RFC 5546 3.2.1", "RRULE and RDATE in one observance."},

		{"uid-twice", Error, "RFC 5545 3.8.4.7", "Two components with the same UID and RECURRENCE-ID."},
		{"uid-shared", Warning, "RFC 5545 3.8.4.7", "Components of different kinds with the same UID."},
		{"recurrence-id-type", Error, "RFC 5545 3.8.4.4", "RECURRENCE-ID has another type than DTSTART of its series."},
		{"override-recurs", Warning, "RFC 5545 3.8.4.4", "RECURRENCE-ID and a rule in one component."},

		{"method", Warning, "RFC 5546 1.4", "A METHOD that is not of RFC 5546."},
		{"itip-method", Error, "RFC 5546 1.4", "The METHOD is not defined for the component."},
		{"itip-empty", Error, "RFC 5546 1.4", "A message without a component."},
		{"itip-mixed", Error, "RFC 5546 3.1.1", "A message with components of several kinds."},
		{"itip-single", Error, "RFC 5546 3", "A message with more components than the method has."},
		{"itip-uid", Error, "RFC 5546 3", "A message about several UIDs where the method has one."},
		{"itip-required", Error, "RFC 5546 3", "A property is missing that the method demands."},
		{"itip-once", Error, "RFC 5546 3", "A property occurs more than once that the method has once."},
		{"itip-forbidden", Error, "RFC 5546 3", "A property or component that the method forbids."},
		{"itip-status", Error, "RFC 5546 3", "A STATUS that the method does not have."},
		{"itip-sequence", Error, "RFC 5546 3.2.4", "ADD with a SEQUENCE of 0."},
	}
}
