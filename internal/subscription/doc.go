// Package subscription fetches the addresses that subscribed calendars follow:
// with validators (RFC 9110 13), a pause that grows after failures, limits on
// size and time, and never from private networks unless it is told to
// (a server must not be a way into what stands behind it). What was fetched is
// handed to the door (package calendar), which keeps it.
package subscription
