// Package store keeps accounts, calendars, calendar objects and the scheduling
// journal as rows, in SQLite (one directory, nothing to install) or PostgreSQL
// (several nodes). Both engines run one SQL text; what differs is in dialect.
//
// Reads happen in [Store.View], which sees one consistent snapshot. Writes
// happen in [Store.Update], which is durable when it returns. On SQLite,
// concurrent updates share a commit, and run again, each alone, where one of
// them failed; on PostgreSQL each is a REPEATABLE READ transaction that is run again when it
// met another (every change to a home writes that home's row, so two of them
// never pass each other unseen). Functions given to View and Update belong to
// the caller, may run more than once, and must not call View or Update.
//
// Each home has one sequence. Every change to its objects and collections
// takes the next number: it is the identifier of what was made, the sync token
// (RFC 6578) of what was changed, and the mark of what was deleted. See
// changes.go. Which objects may take place in a range of time is answered by
// the time index of occupancy.go, whose cost follows what the range holds.
//
// The primary key of every table begins with the account, so that the schema
// can be distributed by account; the few look-ups that do not know the account
// yet (an address, a session, a due message) have an index of their own.
package store
