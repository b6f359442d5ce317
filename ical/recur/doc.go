// Package recur says when calendar components take place: recurrence rules
// (RFC 5545 3.3.10, 3.8.5; RFC 7529 for RSCALE and SKIP) and the recurrence
// sets of events, to-dos and journal entries with their exceptions.
//
// A [Rule] works on clock readings and knows no zone; a [Set] places them in
// time with the zones it is given. Both reach a far window by arithmetic, have
// no horizon but the year 9999, and notice that nothing matches any more.
//
// Where RFC 5545 leaves room: BYWEEKNO without BYDAY takes the weekday of
// DTSTART; BYMONTHDAY with FREQ=YEARLY and without BYMONTH names days of every
// month; with BYWEEKNO the periods of a yearly rule are the years to which
// weeks are counted; BYSETPOS counts in the whole period in which DTSTART lies;
// a part in the wrong company narrows the rule; the second 60 is 59. Of the
// calendar systems of RFC 7529 those are evaluated that are arithmetic: GREGORIAN
// and what shares its months, HEBREW, ETHIOPIC, COPTIC, PERSIAN, INDIAN and the
// tabular ISLAMIC ones.
package recur
