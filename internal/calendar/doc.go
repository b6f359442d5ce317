// Package calendar is the one door: calendar objects and collections change
// only here. A front end parses its protocol, calls a verb of [Service], and
// words the answer.
//
// Two things can happen to an object. A user changed something (Put, Delete,
// Respond …): itip.Plan says what that means, and the service writes the
// object, its time index and one journal row for each message in one
// transaction; deliveries follow after the commit. Or a message arrived
// (Receive): itip.Apply says what that means for the stored object.
//
// Standards: RFC 4791 4.1 and 5.3.2 (what a calendar object resource is, its
// preconditions), RFC 6638 (implicit scheduling, schedule tags, the inbox,
// free/busy), RFC 6578 (changes since), RFC 5546 through package itip.
//
// Where it diverges, or chooses where a standard leaves it open:
//   - a scheduling object resource is unique in the home, any other object in
//     its calendar (RFC 6638 3.2.4.1, RFC 4791 5.3.2.1);
//   - missing VERSION or PRODID and a TZID of a known zone without its
//     VTIMEZONE are accepted; what cannot be placed in time is refused;
//   - entity tags are hashes of the octets, so storing the same octets again
//     changes nothing, neither tag nor sync token;
//   - UNTIL may lie beyond max-date-time, other dates may not.
//
// Every refusal is a *problem.Problem with a sentence for the person who
// caused it; any other error is ours.
package calendar
