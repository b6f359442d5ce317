// Package push tells readers of calendars that something has changed, by way of
// the push services they named: RFC 8030 (Web Push), RFC 8291 and 8188 (the
// message is encrypted for the reader), RFC 8292 (VAPID says who sends it),
// draft-bitfire-webdav-push (what the message says). Which readers are to be
// told of what, and what becomes of registrations, is package calendar's.
//
// Messages go over TLS to public addresses alone: the addresses are named by
// users, and must not lead into the networks behind this server.
package push
