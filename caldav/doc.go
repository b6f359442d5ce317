// Package caldav is the wire of CalDAV: what clients write in request bodies
// and what a server writes back, as values. It reads XML from strangers, so
// the reader has limits and knows no document type; it writes multistatus
// answers piece by piece, so that a long one needs little memory; and it
// decides which calendar objects a filter means and which part of one a client
// asked to see.
//
// RFC 4918 (WebDAV), RFC 4791 (CalDAV), RFC 6638 (scheduling), RFC 6578
// (synchronisation), RFC 3744 (access control), RFC 3253 3.8 (expand-property),
// RFC 5689 (extended MKCOL), RFC 8144 (minimal answers).
//
// No HTTP, store or clock here: headers, status lines and rights are the
// server's. Where a request breaks a rule that has a precondition element, the
// error is an [*Error] that names it.
//
// Divergences: time ranges must be in UTC as RFC 4791 9.9 says, nothing else
// is guessed; calendar-data keeps its CRs as character references, so that a
// client which stores what it reads stores the server's very octets.
package caldav
