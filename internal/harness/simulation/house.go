package simulation

import (
	"errors"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// What becomes of a request to a house, beside success.
var (
	errStale   = errors.New("the client's copy is out of date")
	errCrashed = errors.New("the service crashed; whether it was done is not known")
)

// house is one service with the people who have their calendars there.
type house interface {
	// fetch reads what somebody has of an event.
	fetch(who *person, uid string) copied
	// save stores an object in somebody's calendar, by somebody, if the
	// condition holds.
	save(who, by *person, uid string, cal *ical.Calendar, only match) error
	// remove deletes it; silent asks that nobody be told (RFC 6638 8.1).
	remove(who *person, uid, etag string, silent bool) error
	// answer is the verb of the web page: no object is sent.
	answer(who *person, uid, partstat, occurrence string) error
	// publish sends an event to somebody for information, ask asks them when they
	// are busy.
	publish(who *person, uid string, to *person) error
	ask(who, whom *person, from, to time.Time) error
	// receive takes a letter from the network; false: it crashed, and the
	// network will try again.
	receive(l *letter) (receipt, bool)
	// carry lets the courier send what is due, as far as it comes.
	carry()
	// pending reports whether anything waits to be sent.
	pending() bool
	// retry makes a row due again that the network lost, when it still matters.
	retry(l *letter)
	// held are the letters that wait for a person's decision.
	held(who *person) []heldLetter
	// decide approves or rejects one.
	decide(who *person, id int64, approve bool)
	// crash makes the process die after some more steps of its own; 0 takes that back.
	crash(after int)
	// recover starts a dead process again; a living one is left alone.
	recover()
	close()
}

// copied is what somebody has of an event. cal is nil when there is nothing; it
// is to be read, not changed.
type copied struct {
	cal       *ical.Calendar
	etag, tag string // entity tag and schedule tag
	memory    itip.Memory
	deleted   bool
}

// match is the condition of a save: the tags the client knows. All empty means
// that nothing may be there.
type match struct{ etag, tag string }

// letter is a message on its way between two houses.
type letter struct {
	id     int
	row    int64   // of the sender's journal: the same row sent again is the same letter
	from   *person // whose calendar wrote it; nil = a forgery
	forger *person // who really wrote it, when it is forged or sent again by somebody else
	to     *person
	sender ical.Address // as the transport made sure of it
	rcpt   ical.Address
	method itip.Method
	uid    string
	rid    string
	cal    *ical.Calendar
	sentBy ical.Address
}

// receipt is what a house did with a letter.
type receipt struct {
	decision itip.Decision
	reason   string
}

// heldLetter is a letter that waits for a decision.
type heldLetter struct {
	id     int64
	reason string
	sender ical.Address
	method itip.Method
	cal    *ical.Calendar
}
