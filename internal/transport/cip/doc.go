// Package cip carries scheduling messages to and from other servers by the
// Calendaring Interoperability Protocol (package cip of the root, docs/cip.md).
//
// Outgoing, the courier's rows become SENDEVENT and RSVP: one connection for a
// batch to one server, which is found by configuration or DNS at each
// connection and kept for a while. An event's rows for one server are one
// command. What CIP has no word for is passed on to the next transport; so is
// a message whose peer keeps failing (Options.FallbackAfter).
//
// Incoming, a session belongs to a user, to a server that has proved its name,
// or to nobody. What it sends goes through trust.Judge, as mail does, and
// through the calendar's door.
package cip
