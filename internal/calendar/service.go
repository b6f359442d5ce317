package calendar

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Limits on what may be stored and asked for. A zero field means the default,
// a negative one no limit.
type Limits struct {
	ResourceSize      int       // octets of an object, max-resource-size
	Attendees         int       // ATTENDEE properties of one component, max-attendees-per-instance
	ExternalAttendees int       // recipients outside this service of one change
	Instances         int       // occurrences of a finite recurring object, max-instances
	MinDate, MaxDate  time.Time // min-date-time (inclusive) and max-date-time (exclusive)
	FreeBusySpan      time.Duration
	FreeBusyPeople    int   // addresses in one free/busy request
	FreeBusyWork      int   // what one free/busy request may cost, in ordinary objects that are read
	Quota             int64 // octets of all data of one account; 0 = no limit
}

// DefaultLimits are those of a service whose administrator set none; the dates leave room for
// the years 1604 (birthdays without a year, Apple) and for leases that end late.
var DefaultLimits = Limits{
	ResourceSize:      10 << 20,
	Attendees:         5000,
	ExternalAttendees: 500,
	Instances:         10000,
	MinDate:           time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC),
	MaxDate:           time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC),
	FreeBusySpan:      3 * 366 * 24 * time.Hour,
	FreeBusyPeople:    500,
	FreeBusyWork:      100_000, // four seconds of one core
}

func (l Limits) orDefault() Limits {
	number := func(v *int, def int) {
		switch {
		case *v == 0:
			*v = def
		case *v < 0:
			*v = int(^uint(0) >> 1)
		}
	}
	number(&l.ResourceSize, DefaultLimits.ResourceSize)
	number(&l.Attendees, DefaultLimits.Attendees)
	number(&l.ExternalAttendees, DefaultLimits.ExternalAttendees)
	number(&l.Instances, DefaultLimits.Instances)
	number(&l.FreeBusyPeople, DefaultLimits.FreeBusyPeople)
	number(&l.FreeBusyWork, DefaultLimits.FreeBusyWork)
	if l.MinDate.IsZero() {
		l.MinDate = DefaultLimits.MinDate
	}
	if l.MaxDate.IsZero() {
		l.MaxDate = DefaultLimits.MaxDate
	}
	if l.FreeBusySpan == 0 {
		l.FreeBusySpan = DefaultLimits.FreeBusySpan
	}
	return l
}

// Options of a service. Store, Accounts and ACL are required.
type Options struct {
	Store      *store.Store
	Accounts   *account.Service
	ACL        *acl.ACL
	Journal    *journal.Journal // or later, [Service.SetJournal]
	Domains    []string         // whose addresses are ours even without an account
	Limits     Limits
	Now        func() time.Time
	Log        *slog.Logger
	ProdID     string        // of what we write ourselves
	OpenRooms  bool          // rooms answer organizers of other services by themselves, also where their policy names nobody
	QuietAfter time.Duration // people elsewhere are not mailed about events that ended so long ago; 0 = they are
	Zones      *tz.Own       // what the site calls its time zones; objects that come without a definition get it
	UndoWindow time.Duration // messages that leave this service wait so long, so that a change of mind is not mailed
}

// Service is the door. Its methods may be called from several goroutines.
type Service struct {
	o       Options
	store   noting
	acl     *acl.ACL
	journal *journal.Journal
	limits  Limits
	log     *slog.Logger
	locks   locks
	visits  visits
	lately  lately
	parts   chan struct{} // who reads a part of a large text has a place in it

	elsewhere Elsewhere // nil: other services are not asked
	spread    map[string]Spread
}

// New makes a service. Store, Accounts and ACL must be given. Without a journal it stores and does not deliver.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.ProdID == "" {
		o.ProdID = "-//Convene//Convene//EN"
	}
	s := &Service{o: o, acl: o.ACL, limits: o.Limits.orDefault(), log: o.Log, parts: make(chan struct{}, partsAtOnce)}
	s.store = noting{o.Store, s}
	if o.Journal != nil {
		s.SetJournal(o.Journal)
	}
	return s
}

// SetJournal ties service and journal: messages go there, and what becomes of
// them is written into SCHEDULE-STATUS in the transaction that notes it. Call
// it before the first request.
func (s *Service) SetJournal(j *journal.Journal) {
	s.journal = j
	j.OnSettle(s.settle)
}

// Limits are the limits in force.
func (s *Service) Limits() Limits { return s.limits }

// ProdID is the PRODID of what this service writes itself.
func (s *Service) ProdID() string { return s.o.ProdID }

// now is the current moment in UTC; iCalendar's clock has whole seconds, rows keep more.
func (s *Service) now() time.Time { return s.o.Now().UTC() }

// deliver carries committed rows: colleagues at once, others by the courier.
func (s *Service) deliver(ctx context.Context, rows []*store.Entry) {
	if s.journal != nil && len(rows) > 0 {
		s.journal.DeliverLocal(ctx, rows)
	}
}

// addresses of an account as calendar user addresses, preferred first.
func addresses(tx *store.Tx, id store.AccountID) ([]ical.Address, error) {
	rows, err := tx.Addresses(id)
	if err != nil {
		return nil, fmt.Errorf("addresses of account %d: %w", id, err)
	}
	out := make([]ical.Address, 0, len(rows))
	for _, r := range rows {
		out = append(out, ical.Address(r.URI))
	}
	return out, nil
}

// settings of an account that belong to this package (store.Account.Settings,
// JSON shared with other services: unknown keys are kept).
type settings struct {
	DefaultCalendar int64             `json:"default-calendar,omitempty"` // collection ID
	DAV             map[string]string `json:"dav,omitempty"`              // dead properties of principal and home
	UndoWindow      string            `json:"undo-window,omitempty"`      // see Preferences
	TellBusy        []string          `json:"tell-busy,omitempty"`
	NewSeries       []string          `json:"new-series,omitempty"`
	NoDelegation    bool              `json:"no-delegation,omitempty"`
	Crashers        string            `json:"crashers,omitempty"`
	DeleteCancelled bool              `json:"delete-cancelled,omitempty"`
	HidePrivate     bool              `json:"hide-private,omitempty"`
	SignMail        *bool             `json:"sign-mail,omitempty"`
	EncryptMail     string            `json:"encrypt-mail,omitempty"`
	Deliver         []Delivery        `json:"deliver,omitempty"`
}

func settingsOf(a store.Account) settings {
	var s settings
	if len(a.Settings) > 0 {
		_ = json.Unmarshal(a.Settings, &s) // another service's mistake must not stop scheduling
	}
	return s
}

func withSetting(a store.Account, key string, value any) (store.Account, error) {
	all := map[string]json.RawMessage{}
	if len(a.Settings) > 0 {
		if err := json.Unmarshal(a.Settings, &all); err != nil {
			return a, fmt.Errorf("settings of account %s: %w", a.Name, err)
		}
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return a, err
	}
	all[key] = raw
	a.Settings, err = json.Marshal(all)
	return a, err
}

// notFound is the refusal for a place that is absent or hidden.
func notFound(where string) *problem.Problem {
	return problem.New(problem.NotFound, "There is nothing at %s.", where).At(where)
}
