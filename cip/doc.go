// Package cip speaks the Calendaring Interoperability Protocol of
// draft-ietf-calsch-cip-00 (November 1996): a line protocol by which one
// scheduling system sends events to another, answers them and asks when people
// are busy. The draft was never finished; what it leaves open, and how that is
// decided here, is in docs/cip.md.
//
// [Serve] is the server's side of a connection over a [Session], which knows
// calendars; [Client] is the other side. Both take an io.ReadWriter and nothing
// else: connections, deadlines and names are their callers'. The bodies of
// commands are read by [ParseEvent], [ParseAnswer] and [ParseQuery] and written
// by [Event.Encode], [Answer.Encode] and [Query.Encode], in any of three forms:
// bare property lines as in the draft's examples, vCalendar 1.0 and iCalendar.
//
// Where the wire differs from iCalendar: an event id is the UID, made global by
// the server that owns the event ([EventID]); SEQUENCE counts every change of
// an event from 1 (section 1.8), so that iCalendar's own SEQUENCE travels
// beside it as X-ICAL-SEQUENCE.
package cip
