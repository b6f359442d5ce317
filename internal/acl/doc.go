// Package acl decides what an account may do with a collection. The decision
// is a pure function of a few facts; [ACL] looks the facts up.
//
// The owner may do everything. Colleagues, any account of this server, see
// when someone is busy (RFC 4791 7.10, RFC 6638 3.3), but not in calendars
// that are transparent (RFC 6638 9.1). Shares raise that, and so does the site's
// configuration for those whom it lets into every home ([Overseer]); by default
// that is nobody.
package acl
