package problem

import (
	"errors"
	"fmt"
)

// Condition names what stands in the way. Where a standard has a name for it
// (a WebDAV precondition, RFC 4918 16), the condition has that name.
type Condition string

// Conditions of every front end. A front end has one table from these to its
// own wire (HTTP element and status, CAP request status, exit code).
const (
	Internal            Condition = "internal"              // our fault; the cause is in the log
	BadInput            Condition = "bad-input"             // the request cannot be read
	Unauthenticated     Condition = "unauthenticated"       // who is it?
	RateLimited         Condition = "rate-limited"          // too many requests or failed sign-ins
	Forbidden           Condition = "forbidden"             // known, and not allowed
	NeedPrivileges      Condition = "need-privileges"       // RFC 3744 7.1.1
	NotFound            Condition = "not-found"             // absent, or hidden from this user
	Exists              Condition = "exists"                // the name is taken (MKCOL, account add)
	ParentMissing       Condition = "parent-missing"        // RFC 4918 9.3.1: 409
	PreconditionFailed  Condition = "precondition-failed"   // If-Match, If-None-Match, If-Schedule-Tag-Match
	Unavailable         Condition = "unavailable"           // store down or disk full; try again
	InsufficientStorage Condition = "insufficient-storage"  // quota or disk
	InvalidSyncToken    Condition = "valid-sync-token"      // RFC 6578 3.2
	TooManyMatches      Condition = "number-of-matches"     // RFC 3744 9.4, 4791 7.8
	MethodNotAllowed    Condition = "method-not-allowed"    // this resource has no such operation
	UnsupportedMedia    Condition = "supported-media"       // not a media type we read
	InvalidResourceType Condition = "valid-resourcetype"    // RFC 5689 3.3
	ProtectedProperty   Condition = "protected-property"    // RFC 4918 16
	InvalidProperty     Condition = "invalid-property"      // a property value we cannot keep
	InvalidDestination  Condition = "invalid-destination"   // another host, or a place that cannot hold it
	ResourceMustBeNull  Condition = "resource-must-be-null" // RFC 4791 5.3.1.1

	InvalidCalendarData      Condition = "valid-calendar-data"                        // RFC 4791 5.3.2.1
	InvalidCalendarObject    Condition = "valid-calendar-object-resource"             // RFC 4791 4.1
	UnsupportedCalendarData  Condition = "supported-calendar-data"                    // RFC 4791 5.3.2.1
	UnsupportedComponent     Condition = "supported-calendar-component"               // RFC 4791 5.3.2.1
	UIDConflict              Condition = "no-uid-conflict"                            // RFC 4791 5.3.2.1
	BadCalendarLocation      Condition = "calendar-collection-location-ok"            // RFC 4791 5.3.1.1
	TooLarge                 Condition = "max-resource-size"                          // RFC 4791 5.2.5
	BeforeMinDate            Condition = "min-date-time"                              // RFC 4791 5.2.6
	AfterMaxDate             Condition = "max-date-time"                              // RFC 4791 5.2.7
	TooManyInstances         Condition = "max-instances"                              // RFC 4791 5.2.8
	TooManyAttendees         Condition = "max-attendees-per-instance"                 // RFC 4791 5.2.9
	InvalidFilter            Condition = "valid-filter"                               // RFC 4791 7.8
	UnsupportedFilter        Condition = "supported-filter"                           // RFC 4791 7.8
	UnsupportedCollation     Condition = "supported-collation"                        // RFC 4791 7.5.1
	UniqueSchedulingObject   Condition = "unique-scheduling-object-resource"          // RFC 6638 3.2.4.1
	SameOrganizer            Condition = "same-organizer-in-all-components"           // RFC 6638 3.2.4.2
	AllowedOrganizerChange   Condition = "allowed-organizer-scheduling-object-change" // RFC 6638 3.2.4.3
	AllowedAttendeeChange    Condition = "allowed-attendee-scheduling-object-change"  // RFC 6638 3.2.4.4
	DefaultCalendarNeeded    Condition = "default-calendar-needed"                    // RFC 6638 4.3.1
	InvalidDefaultCalendar   Condition = "valid-schedule-default-calendar-URL"        // RFC 6638 9.2
	InvalidSchedulingMessage Condition = "valid-scheduling-message"                   // RFC 6638 5.2.2
	InvalidOrganizer         Condition = "valid-organizer"                            // RFC 6638 5.2.2
)

// Problem is the refusal. The sentence is written for the person who caused
// it and holds nothing that person may not know; the cause is for the log.
type Problem struct {
	Condition Condition
	Sentence  string
	Where     string // the thing in the way where there is one: a calendar's or object's URL path relative to the home ("default/a.ics"), a file and line, an address
	Cause     error
}

// New makes a refusal from a condition and a sentence in the manner of fmt.Sprintf.
func New(c Condition, format string, args ...any) *Problem {
	return &Problem{Condition: c, Sentence: fmt.Sprintf(format, args...)}
}

// At says what the problem is about; see [Problem.Where].
func (p *Problem) At(where string) *Problem {
	q := *p
	q.Where = where
	return &q
}

// Because keeps the cause for the log and for errors.Is.
func (p *Problem) Because(cause error) *Problem {
	q := *p
	q.Cause = cause
	return &q
}

// Error is the sentence alone: it may be shown to the person as it is.
func (p *Problem) Error() string { return p.Sentence }

func (p *Problem) Unwrap() error { return p.Cause }

// Is makes errors.Is(err, problem.New(c, "")) compare by condition.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Sentence == "" && t.Condition == p.Condition
}

// Of finds the refusal in a chain of errors. An error without one is [Internal].
func Of(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return &Problem{Condition: Internal, Sentence: "Something went wrong on our side; it has been logged.", Cause: err}
}

// Has reports whether err carries a refusal with the condition.
func Has(err error, c Condition) bool {
	var p *Problem
	return errors.As(err, &p) && p.Condition == c
}
