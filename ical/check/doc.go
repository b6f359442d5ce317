// Package check is the strict validator of iCalendar: it reports every breach
// of RFC 5545 (with 6868, 7529, 7953, 7986, 9073, 9074 and 9253) and, where a
// METHOD is present, of RFC 5546's restriction tables. An error breaks a MUST
// or the grammar, a warning a SHOULD, or is something a reader may not know.
//
// The parser of package ical is lenient and tells what it put right; this
// package judges the octets as they are written. What Convene emits passes it.
//
// Where RFC 5546 contradicts itself the wider reading passes; see
// ical.RestrictionsOf. A TZID needs its VTIMEZONE (RFC 5545 3.2.19) unless it
// starts with a solidus or Options.ZonesByReference is set (RFC 7809).
package check
