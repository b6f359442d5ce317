// Package vcal1 reads and writes vCalendar 1.0 (versit Consortium, 1996), the
// format before iCalendar that old telephones, organizers and desktop programs
// exchange as .vcs files. Both directions go through the model of package ical,
// and what the other side has no words for is listed, never dropped in silence.
//
// vCalendar knows events and to-dos, local times of one zone or UTC, a compact
// recurrence grammar ("MP1 1+ FR #10") and alarms as properties. What iCalendar
// has beyond that is written as X-ICAL- properties, which other programs skip
// and Parse takes back: the zone of a time, that an event lasts all day, a rule
// the grammar cannot say (its dates are listed for the others), an occurrence
// that was changed (a separate event for the others).
//
// Where the text of vCalendar contradicts itself the reading of the programs in
// use counts: #n is a number of occurrences, a GEO begins with the longitude
// unless it cannot be one, white space at a fold is one blank.
//
// A procedure alarm is shown to the person and never run, and files of the
// writer's own machine are not referred to.
package vcal1
