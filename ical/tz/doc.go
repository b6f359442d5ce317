// Package tz knows the world's time zones and those that calendars bring along:
// the IANA database in a copy of its own, VTIMEZONE components (RFC 5545
// 3.6.5), and the many names under which zones occur in real data (rules TZ-01 …
// of docs/interoperability.md).
//
// A clock reading becomes an instant by RFC 5545 3.3.5, not by the rule of the
// standard library: one that a change to daylight saving leaves out takes the
// offset before the change, one that comes twice is the first.
//
// The package reads nothing at run time but the data embedded in it.
package tz
