// Package local carries scheduling messages between calendar users of this
// service: it hands them to the calendar service, a batch in one transaction
// (RFC 6638 3: a server delivers to its own users' inboxes and calendars).
//
// A row of the sender is carried once in the eyes of the recipient, however
// often it is sent: the row is the message's identity.
package local
