package store

import (
	"errors"
	"time"
)

// AccountID identifies a person, group, room or resource in this store.
type AccountID int64

// Everyone is the grantee of a share to whoever has an account here; no account
// has this number.
const Everyone AccountID = 0

// ErrNotFound and ErrExists are wrapped by the errors of Tx methods: a row is
// not there, or its name is taken. A transaction goes on after either.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
)

// Kinds of accounts (RFC 5545 3.2.3 CUTYPE in lower case).
const (
	Individual = "individual"
	Group      = "group"
	Room       = "room"
	Resource   = "resource"
)

// Account is someone who has a calendar home.
type Account struct {
	ID           AccountID
	Name         string // URL segment below /dav/principals/, unique, compared octet by octet
	Kind         string // Individual, Group, Room, Resource
	DisplayName  string
	PasswordHash string // PHC string; empty: no password, signing in by other means only
	Disabled     bool
	Admin        bool
	TimeZone     string // IANA name; empty: the server's
	Language     string // BCP 47; empty: the server's
	Created      time.Time
	Settings     []byte // JSON of the services above
}

// Address is a calendar user address that belongs to an account.
type Address struct {
	Account  AccountID
	Key      string // comparison key (ical.Address.Key), unique in the store
	URI      string // as shown: "mailto:Ann@Example.com"
	Position int    // 0 is the preferred one
	Verified bool
}

// AppPassword is a random password for one client.
type AppPassword struct {
	Account  AccountID
	ID       int64
	Label    string
	Hash     []byte // SHA-256 of the secret
	Created  time.Time
	LastUsed time.Time // zero: never
	Expires  time.Time // zero: never
}

// Session is a signed-in browser.
type Session struct {
	Hash      []byte // SHA-256 of the cookie's secret
	Account   AccountID
	Created   time.Time
	Expires   time.Time
	UserAgent string
}

// Redirect says where an address that was renamed is to be found now.
type Redirect struct {
	Account AccountID
	OldKey  string // comparison key of the old address
	NewURI  string
}

// Kinds of collections.
const (
	Calendar = "calendar"
	Inbox    = "inbox"  // RFC 6638 2.2
	Outbox   = "outbox" // RFC 6638 2.1
	// Subscribed is a calendar that follows an address on the web.
	Subscribed = "subscribed"
)

// Collection is a calendar, or the scheduling inbox or outbox.
type Collection struct {
	Account     AccountID
	ID          int64  // the home's sequence when it was made: an older sync token was another collection's
	Name        string // URL segment, unique in the home
	Kind        string // Calendar, Inbox, Outbox
	DisplayName string
	Description string
	Color       string
	Order       int
	Components  []string // supported-calendar-component-set; empty: all
	TimeZone    string   // VTIMEZONE text (CALDAV:calendar-timezone)
	Transparent bool     // RFC 6638 9.1: does not count as busy time
	Created     time.Time
	Modified    time.Time
	Seq         int64             // home sequence of the last change to its objects: CTag and sync token
	Properties  map[string]string // dead properties: "{namespace}name" to XML
}

// Object is a calendar object resource without its text; see [Tx.Body].
type Object struct {
	Account     AccountID
	Collection  int64
	ID          int64
	Name        string // URL segment, unique in its collection
	UID         string
	ETag        string // with its quotes
	ScheduleTag string // with its quotes; empty when not a scheduling object resource
	Component   string // VEVENT, VTODO, VJOURNAL, ...
	Size        int    // octets of the text
	Created     time.Time
	Modified    time.Time
	Seq         int64  // home sequence of its last change
	Organizer   string // comparison key
	Scheduling  bool   // RFC 6638 3.1
	Summary     string
	// Memory is JSON of itip.Memory. Only Object, ObjectByID and ObjectsByUID
	// fill it; listings leave it nil, and PutObject keeps what is stored when
	// it is nil.
	Memory []byte
	// Properties are dead WebDAV properties, as Collection.Properties; nil
	// when there are none. SetObjectProperties writes them.
	Properties map[string]string
}

// Change is the newest state of one name of a collection.
type Change struct {
	Seq        int64
	Collection int64
	Name       string
	Deleted    bool
}

// Share raises what one account, or the members of a group, may do with
// another's collection, or with all of them ([WholeHome]).
type Share struct {
	Account    AccountID // the owner
	Collection int64
	Grantee    AccountID
	Access     string // freebusy, read, read-write, team, act
}

// Version is an earlier state of an object, or the last of a deleted one.
type Version struct {
	Account    AccountID
	Object     int64 // Object.ID
	Seq        int64 // home sequence at which this state was written
	Collection int64
	Name       string
	UID        string
	Component  string
	ETag       string
	Size       int
	Organizer  string
	Summary    string
	Modified   time.Time
	Replaced   time.Time // when it was overwritten or deleted
	Deleted    bool      // the object was deleted in this state
}

// States of journal rows that a courier still has to bring out.
const (
	StateDue   = "due"
	StateRetry = "retry"
)

// Attempt is one try to deliver a journal row.
type Attempt struct {
	Time      time.Time `json:"time"`
	Transport string    `json:"transport"`
	Status    string    `json:"status"`
	Sentence  string    `json:"sentence"`
}

// Entry is a row of the scheduling journal: one message to or from one
// calendar user, and what became of it.
type Entry struct {
	Account      AccountID
	ID           int64  // unique in the store, growing
	Direction    string // in, out
	Transport    string
	Method       string
	UID          string
	RecurrenceID string
	Sequence     int
	From, To     string // calendar user addresses
	State        string // received, due, retry, sent, delivered, applied, unchanged, ignored, held, rejected, failed, superseded
	Reason       string
	Sentence     string
	Status       string // SCHEDULE-STATUS code (RFC 5545 3.8.8.3)
	Evidence     []byte // JSON
	Calendar     []byte // the iTIP object, METHOD included
	Raw          []byte // the mail as received or as sent; nil in listings, and nil keeps what is stored
	Changes      []byte // JSON of []itip.Difference
	MessageID    string
	References   string
	Digest       string // for recognising the same message again
	Object       int64  // Object.ID it concerns, 0 for none
	Created      time.Time
	Updated      time.Time
	NextAttempt  time.Time
	Attempts     []Attempt
	LeaseOwner   string
	LeaseUntil   time.Time
	Refresh      bool  // only a refresh of a local copy: no inbox item, no mail
	Opens        bool  // a REQUEST about something its recipient has not heard of
	Asks         bool  // a REQUEST that opens the recipient's answer again
	Base         int64 // Object.Seq of the state before the change that caused it; 0 = there was none, or it is not known
	Apart        Apart `json:"-"` // the store's own
}
