// Package ical is the data model of iCalendar (RFC 5545, with RFC 6868
// parameter encoding): components, properties and values, a lenient parser and
// a serializer that keeps every octet it was given.
//
// What was read and not changed is written as the very octets read: folds,
// line ends, order, unknown properties, text around the calendar. A change
// touches only its own lines. Lenient reading puts right what real systems get
// wrong and records each repair; the accessors give the repaired meaning while
// the octets stay. The rules of that (LEN-01 …) are in docs/interoperability.md.
// The strict validator is package ical/check.
package ical
