// Package servicetest wires the services below the front ends for tests, on a
// real store and with a clock of the test's own: accounts, rights, journal,
// calendar and the delivery between local accounts.
package servicetest

import (
	"log/slog"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/local"
)

// Options say how a test's service differs from the usual one.
type Options struct {
	Domain      string                  // of its accounts; "" = example.test
	Former      []string                // domains that it has beside it
	Now         func() time.Time        // nil = the real clock
	RealSignIns bool                    // sign-ins and sessions go by the real clock, as cookies in a browser do
	Log         *slog.Logger            // nil = silent
	Calendar    func(*calendar.Options) // changes the calendar service before it is made
	Journal     func(*journal.Options)  // changes the journal before it is made
}

// Services are what front ends and transports work with.
type Services struct {
	Store    *store.Store
	Accounts *account.Service
	ACL      *acl.ACL
	Journal  *journal.Journal
	Calendar *calendar.Service
	log      *slog.Logger
}

// New makes the services. Passwords are hashed with next to no effort, and
// nothing is delivered before [Services.Deliver].
func New(s *store.Store, o Options) *Services {
	if o.Domain == "" {
		o.Domain = "example.test"
	}
	x := &Services{Store: s, ACL: acl.New(), log: o.Log}
	signIns := o.Now
	if o.RealSignIns {
		signIns = nil
	}
	domains := append([]string{o.Domain}, o.Former...)
	x.Accounts = account.New(s, account.Options{Domains: domains, Now: signIns, Hash: account.Argon2{Memory: 64, Time: 1, Threads: 1}})
	co := calendar.Options{Store: s, Accounts: x.Accounts, ACL: x.ACL, Domains: domains, Now: o.Now, Log: o.Log}
	if o.Calendar != nil {
		o.Calendar(&co)
	}
	x.Calendar = calendar.New(co)
	jo := journal.Options{Store: s, Now: o.Now, Log: o.Log}
	if o.Journal != nil {
		o.Journal(&jo)
	}
	x.Journal = journal.New(jo)
	x.Calendar.SetJournal(x.Journal)
	return x
}

// Deliver has messages between local accounts delivered at once, and all
// others by the transports given.
func (x *Services) Deliver(others ...journal.Transport) {
	x.Journal.Use(append([]journal.Transport{local.New(local.Options{Calendar: x.Calendar, Accounts: x.Accounts, Log: x.log})}, others...)...)
}
