// Package itip is the scheduling engine: what a user's change to a calendar
// object means for the others ([Plan]), and what a message from another
// calendar user means for the object ([Apply]).
//
// It follows RFC 5546 (iTIP) for the messages and RFC 6638 for what happens
// when somebody simply saves an object. Both verbs are pure functions: values
// in, values out; they change nothing they are given, keep no state, and give
// the same answer to the same question. What has to be remembered between two
// calls beside the object itself is in [Memory], which the caller keeps.
//
// # Messages that came too early
//
// A CANCEL may overtake the REQUEST it cancels (RFC 5546 5.2.1). Apply answers
// [Held] with the reason "waiting-for-request". The caller keeps such messages
// of the UID (14 days is customary), oldest first, and hands them back in
// [Arrival.Waiting] with every later message of that UID. Apply then plays
// them after the message, and [Result.Settled] says which of them wait no
// longer. So the order in which mail arrives does not matter.
//
// A delegate's answer that comes before the delegator's waits in the same way
// (RFC 5546 5.2.2).
//
// # What no change causes
//
// Proposals, questions, publications and free/busy time are messages that
// nobody's edit causes: [Copy] writes those about an object, [AskFreeBusy] and
// its like the others, [Forward] passes an invitation on. [Answer], [Delegate],
// [TakeUp] and [Split] make the edited copy that Plan then takes.
//
// # Before and after sending
//
// [Outcome.People] says of everybody on an event whether they are told, and why.
// [Coalesce] makes one message of two that have not left. [RoomPolicy] decides
// for rooms. [Reader] puts changes into a person's words.
//
// # Where it goes its own way
//
// What single systems do differently is in docs/interoperability.md, whose rules
// the code cites by id (ITIP-04). Beyond that:
//
//   - An attendee cannot raise SEQUENCE and the organizer's client cannot
//     answer for others: such edits are put right, not refused.
//   - A REPLY needs no ORGANIZER, DTSTAMP or SEQUENCE: Microsoft's lack them (LEN-06).
//   - Class C of significant changes (text, place) makes a REQUEST without new
//     SEQUENCE (RFC 5546 2.1.4 lists times and STATUS only); LOCATION does
//     increment it, because people travel to places.
//   - A master REQUEST from a sender that sends occurrences one by one does not
//     wipe the occurrences it does not mention (against RFC 5546 4.4.7).
//   - A stale answer to an older time is remembered, not recorded as an answer
//     to the new time (RFC 5546 2.1.4 leaves it open).
//   - COUNTER and PUBLISH are held for a person ([TakeUp], [DeclineProposal]);
//     ADD and RANGE are read, not written: some programs understand neither.
//     A change with RANGE is stored as overrides where the series has an end.
//   - A guest list may be kept from the guests ([HideGuests]).
package itip
