// Package conformance is what a strict reader of the standards asks of a CalDAV
// server, as one table: a row for each requirement with its level, its source,
// what Convene answers, and the requests that show it. The table is run against
// a server ([Run]), in one process as well as against the built program, and
// docs/caldav.md is written from it ([Document]), so that the page cannot say
// what the server does not do.
//
// A row whose proof is no exchange of requests names the test that has it.
// Rows share the people and nothing else: each has calendars and UIDs of its
// own, so that any row runs alone.
package conformance
