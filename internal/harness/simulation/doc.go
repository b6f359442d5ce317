// Package simulation plays organizers, guests with several clients, a room, a
// secretary and an attacker on a few services whose mail is late, doubled, out
// of order and lost, and whose processes crash between any two steps. When all
// is quiet it checks what the scheduling engine promises.
//
// Everything that happens is a [Script]: a list of steps, each with dice of its
// own, so that a run is given by its seed and a step can be left out without
// changing the others. [Shrink] uses that to make a failing script small, and
// the small ones stay in testdata as regression cases.
//
// The same scripts run on two kinds of [house]. A paper house keeps values and
// asks package itip; thousands of scripts take seconds. An office is the real
// thing: internal/calendar and internal/journal on a SQLite store, crashed by
// carrying on from a copy of its files.
//
// # Quiet
//
// A run is quiet when no row of a journal is due, no letter is under way, and
// what was lost has been made good: the sender of a lost letter is told by a
// bounce, upon which a REQUEST is healed by a REFRESH of who did not get it (RFC
// 5546 3.2.6), and an answer or a CANCEL by sending it again. Guests decide
// about what was held for them: a letter of the organizer's own secretary and
// one passed on by a delegator are approved, those of strangers are not.
//
// # What is checked
//
//   - agreement: every guest sees of every occurrence what the organizer has
//   - answers: the organizer has of every guest the answer that the guest has
//   - authority: nothing is applied that was written by somebody without the right
//   - silence: nobody is mailed the same thing twice
//   - rooms: no two meetings at one time
//   - once: a letter applied twice is a letter applied once
//   - soundness: every copy passes ical/check, every message the tables of iTIP
//   - busy time: told once, to whom it is allowed, and nothing else with it
//   - nothing lost: who is invited has the event, unless they deleted it
package simulation
