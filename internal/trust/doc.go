// Package trust decides whether a scheduling message is from whom it says, and
// what may be done with it: applied, held for the user, or refused. It is a
// pure function of evidence and policy, and every verdict has a sentence that
// the user and the administrator can read.
//
// Who must have sent a message follows from its method (RFC 5546 1.4): the
// organizer of the stored event, not the one the message names, for a change
// or a cancellation; the attendee it speaks for, for an answer. Who did send
// it follows from evidence: RFC 6047 2.3 forbids inferring the organizer from
// Sender or Reply-To, so these never count.
//
// Levels: T3 a valid signature of the acting address; T2 an authenticated From
// that is the acting address; T1 an authenticated From of its domain; T0
// anything else. Authentication-Results (RFC 8601) are evidence only under an
// authserv-id that the administrator configured; all others anyone can write.
package trust
