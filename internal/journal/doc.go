// Package journal keeps every scheduling message, in and out, as a row, and
// carries the outgoing ones to their recipients.
//
// A message is a row before anything is sent: [Journal.Add] writes it in the
// transaction that changed the calendar object, so that an object and its
// messages exist together or not at all. Rows that have not gone out are
// coalesced: a newer REQUEST takes the place of an older one, and a CANCEL
// takes away an invitation nobody has seen.
//
// Rows for calendar users of this service are delivered when the transaction
// has committed ([Journal.DeliverLocal]); the others, and whatever a crash
// left behind, belong to the courier ([Journal.Run]). It leases due rows, so
// that several nodes may run one, keeps the order per (account, UID,
// recipient), asks its transports in order whether they accept the recipient,
// and retries temporary failures with growing pauses until the transport's
// time is over. Sending happens after commit and may happen twice; a
// [Transport] makes it repeatable (same Message-ID, same row).
//
// What became of a message is written to the row as attempts, state, sentence
// and status code (RFC 6638 3.2.9) and, in the same transaction, given to the
// hook of [Journal.OnSettle], through which the calendar service keeps
// SCHEDULE-STATUS of the object right.
package journal
