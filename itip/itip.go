package itip

import (
	"fmt"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
)

// ProductID is the PRODID of every message made here (RFC 5545 3.7.3).
const ProductID = "-//Convene//Scheduling//EN"

// Method is an iTIP method (RFC 5546 1.4), in upper case.
type Method string

// The eight methods.
const (
	Publish        Method = "PUBLISH"
	Request        Method = "REQUEST"
	Reply          Method = "REPLY"
	Add            Method = "ADD"
	Cancel         Method = "CANCEL"
	Refresh        Method = "REFRESH"
	Counter        Method = "COUNTER"
	DeclineCounter Method = "DECLINECOUNTER"
)

// Role is what the calendar's owner is in an object (RFC 6638 3.1).
type Role string

// The roles. With None nothing is ever sent: nobody's mail goes out in
// another person's name.
const (
	None              Role = ""
	OrganizerRole     Role = "organizer"
	AttendeeRole      Role = "attendee"
	statusPending          = "1.0" // RFC 6638 3.2.9.1
	statusNoSuchUser       = "3.7" // RFC 6638 3.2.9
	statusBadParam         = "2.3" // RFC 5546 3.6.4
	statusSuccess          = "2.0" // RFC 5546 3.6.1
	partStatNeeds          = "NEEDS-ACTION"
	partStatAccepted       = "ACCEPTED"
	partStatDeclined       = "DECLINED"
	partStatTentative      = "TENTATIVE"
	partStatDelegated      = "DELEGATED"
	stateCancelled         = "CANCELLED"
)

// ReplyPolicy is the Schedule-Reply header of a deletion (RFC 6638 8.1).
type ReplyPolicy int

// The policies: no header and "T" both decline for an attendee who has not
// declined already; "F" stays silent.
const (
	ReplyDefault ReplyPolicy = iota
	ReplySend
	ReplySuppress
)

// Change is what a user did to one object of their own calendar.
type Change struct {
	Old, New *ical.Calendar // nil = created, deleted
	Memory   Memory
	User     []ical.Address // all addresses of the calendar's owner, preferred first
	By       ical.Address   // designate who acts for the owner, "" = the owner; becomes SENT-BY
	Now      time.Time
	Reply    ReplyPolicy
	// MergePartstat says that If-Schedule-Tag-Match matched: answers of others
	// that the client could not know are kept (RFC 6638 3.2.10.1).
	MergePartstat bool
	Import        bool // never sends; a METHOD is dropped; answers are believed
	HandsOver     bool // New is what [HandOver] made, for the one who had it or the one who gets it
	// Local says who is served inside this service. Local copies come combined
	// in one object and are refreshed when only the roster or an answer changed;
	// others get one component for each message, and nothing for mere status.
	// It may be called often and must be quick. nil = nobody.
	Local func(ical.Address) bool
	// Zone is the owner's: for floating times, which have no meaning for
	// others, and for words in Changes. nil = UTC.
	Zone *tz.Zone
	// Plain says whose calendar program takes simple series only (see [Simple]):
	// they get others as single occurrences. nil = those alone whose answers to
	// this event came from Outlook or Exchange.
	Plain func(ical.Address) bool
	// Renews says whose calendar program cannot move a series in place: they are
	// told of its end, and invited to a new one with a UID of its own, whenever
	// its times or its rule change (REC-07). nil = nobody's.
	Renews func(ical.Address) bool
}

// Outcome is what a [Change] means.
type Outcome struct {
	Object     *ical.Calendar // to store; nil when deleted
	Memory     Memory
	Rewritten  bool // Object is not New: give the client no ETag
	Scheduling bool // a scheduling object resource (RFC 6638 3.1)
	Role       Role
	TagChanged bool // Schedule-Tag must change (RFC 6638 3.2.10)
	Send       []Message
	Changes    []Difference // what changed, for people
	People     []Notice     // who is told, who is not, and why: the preview
}

// Message is one iTIP message for one recipient. Messages of one answer may
// share Calendar and Changes: they are to be read, not changed.
type Message struct {
	Method       Method
	From, To     ical.Address
	SentBy       ical.Address // "" = From itself
	UID          string
	RecurrenceID string // of a message about one occurrence: a UTC instant "20260302T090000Z" or a date "20260302"; "" = all
	Sequence     int
	Calendar     *ical.Calendar // the whole iTIP object
	Changes      []Difference   // what changed for this recipient
	Refresh      bool           // brings a local copy up to date: no inbox item, no mail
	First        bool           // a REQUEST about something the recipient has not heard of
	Asks         bool           // a REQUEST that opens the recipient's answer again
}

// Difference is one change that people care about, in machine-readable form;
// [Difference.Sentence] puts it into words. Times are UTC instants
// ("20260302T090000Z") or dates ("20260302"); texts are plain; RRULE is an
// English sentence. Empty Old means added, empty New removed.
type Difference struct {
	Property     string `json:"property"`
	Old          string `json:"old,omitempty"`
	New          string `json:"new,omitempty"`
	RecurrenceID string `json:"recurrenceId,omitempty"` // as in Message
	Attendee     string `json:"attendee,omitempty"`     // address, for ATTENDEE and PARTSTAT
}

// Error is a change that the rules forbid. Condition is the name that RFC 6638
// or RFC 4791 gives to it.
type Error struct {
	Condition string
	Sentence  string // for the user
	Component string // recurrence id of the component, "" = the first or all
	Property  string // the property in the way, "" = none in particular
}

// Error is the sentence alone.
func (e *Error) Error() string { return e.Sentence }

// Conditions of [Error].
const (
	conditionObject    = "valid-calendar-object-resource"             // RFC 4791 4.1
	conditionOrganizer = "same-organizer-in-all-components"           // RFC 6638 3.2.4.2
	conditionByOwner   = "allowed-organizer-scheduling-object-change" // RFC 6638 3.2.4.3
	conditionComment   = "valid-attendee-comment-change"              // caldav-privatecomments 4.2.3
	conditionByGuest   = "allowed-attendee-scheduling-object-change"  // RFC 6638 3.2.4.4
)

func refuse(condition, component, property, format string, args ...any) *Error {
	return &Error{Condition: condition, Sentence: fmt.Sprintf(format, args...), Component: component, Property: property}
}
