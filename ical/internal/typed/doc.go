// Package typed is what the two syntaxes of iCalendar with typed values have
// in common, jCal (RFC 7265) and xCal (RFC 6321): which type a property's
// value has, dates in the extended format, rules taken apart, and the way
// back into content lines.
//
// Both syntaxes are read by writing the iCalendar text they stand for, which
// package ical then reads: so there is one parser of the model, one set of
// repairs, and a stream needs the memory of one component.
package typed
