// Package jcal reads and writes jCal, iCalendar as JSON (RFC 7265): the model
// of package ical in another syntax.
//
// Nothing is lost on the way from iCalendar and back but what says nothing:
// the order of properties and components among each other, the case of names,
// a VALUE that is the default anyway, controls that no content line may have.
// A value that is not of its type has the type "unknown" and its text as it
// stands. Reading takes what RFC 7265 lets writers choose, and what they do
// besides: a period or GEO as one string, a string for a number, a component
// without its calendar, dates in the basic format.
package jcal
