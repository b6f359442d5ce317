// Peers measures package ical beside other libraries for iCalendar, on the
// same input in the same run: emersion/go-ical, arran4/golang-ical and
// teambition/rrule-go in Go, and libical in C where its development files and
// a compiler are there.
//
// It is a module of its own, so that none of them is a dependency of Convene.
// What is measured is processor time on one processor, garbage collection
// included, the best of some rounds: on a busy machine the clock on the wall
// says more about the neighbours.
package main
