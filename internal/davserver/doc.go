// Package davserver answers CalDAV clients below /dav/: it parses requests
// with package caldav, calls the door (package calendar) and words the answer.
// It decides nothing about calendars itself.
//
// RFC 4918 class 1, 2 and 3, RFC 3744, RFC 4791, RFC 5397, RFC 5689, RFC 5995,
// RFC 6578, RFC 6638, RFC 6764, RFC 7953, RFC 8144; CalendarServer's ctag and principal
// search, Apple's colour and order, draft-bitfire-webdav-push. What the DAV header names is here, and
// nothing else is named.
//
// Choices where the standards leave one: PROPFIND does not go to infinite
// depth; collections without trailing slash are served as such; what a user
// may not read is not found, also where its absence could be guessed; anyone
// with an account here sees the principals and the free/busy time of others,
// and nothing else that was not shared.
package davserver
