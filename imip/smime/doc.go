// Package smime is the MIME side of S/MIME 4.0 (RFC 8551) over package cms:
// it signs, encrypts, verifies and opens MIME entities, and says whose
// certificate a signature bears and whether it is to be believed.
//
// Signing is in the clear form, multipart/signed (RFC 1847, RFC 8551 3.5.3), so
// that a reader without S/MIME sees the invitation all the same.
//
// Which addresses a certificate speaks for is read from its subjectAltName
// (RFC 8550 3), as RFC 6047 3 demands of iMIP, and from the emailAddress of its
// subject only where there is no rfc822Name at all. The name that people see
// (the common name) never counts.
//
// The package takes values: the moment at which certificates are judged, the
// authorities, the keys. It does no I/O, fetches no certificates and no
// revocation lists, and may be used from several goroutines.
package smime
