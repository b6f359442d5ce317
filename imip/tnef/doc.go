// Package tnef reads meetings out of winmail.dat: the Transport Neutral
// Encapsulation Format (MS-OXTNEF), in which Exchange and Outlook sometimes send
// them to other systems. There is no calendar inside, only the properties of the
// message as their own store has them; MS-OXOCAL says what they are, and
// MS-OXCICAL which iCalendar they stand for.
//
// [Decode] reads the properties that a meeting needs, [Message.Calendar] writes
// the iTIP message that Outlook would have sent: REQUEST, CANCEL, REPLY or
// COUNTER. What cannot be said with certainty is an error and not a guess: a
// series whose pattern or zone is not understood, or that has changed
// occurrences (they follow in messages of their own), a Hijri or lunar calendar.
// Attachments, the body in RTF and everything else in a stream is passed over.
package tnef
