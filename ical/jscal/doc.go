// Package jscal reads and writes JSCalendar (RFC 8984), calendar data as plain
// JSON: an Event is a VEVENT, a Task a VTODO, a Group a VCALENDAR. Both
// directions go through the model of package ical. The mapping is that of
// draft-ietf-calext-jscalendar-icalendar where it does not name what RFC 8984
// calls otherwise: recurrenceRules is a list, the organizer is in replyTo and
// sendTo, the zone of an end is that of a Location relative to it.
//
// What the other side has no words for is kept, as the draft proposes: an
// iCalendar property, parameter or component in the property "iCalendar", a
// JSCalendar property in JSPROP, an id in JSID. What could not be kept, or not
// as it was meant, is in the list of losses.
//
// Identifiers and what RFC 8984 demands and iCalendar does not say (the uid of
// a Group) are made of the content, so that converting twice gives the same.
package jscal
