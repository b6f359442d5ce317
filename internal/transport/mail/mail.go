package mail

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/mailauth"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// Name is the transport's name in journal rows.
const Name = "mail"

// Options of the mail transport. Store, Accounts, Calendar and Journal are required.
type Options struct {
	Relay    string   // mail.relay; "" = nothing goes out by mail
	Domains  []string // whose addresses are ours
	Hostname string   // for EHLO, greetings, Received and Message-ID
	// PublicURL is where the web application is reached, "https://cal.example.org":
	// invitations link to a page there on which they can be answered. "" = none.
	PublicURL string
	// AgentDomains are those of organizers in whose messages an address made for
	// the one guest stands as ORGANIZER, so that answers come here whatever mail
	// service the organizer or the guest has; "*" = every organizer.
	AgentDomains []string
	// ReplyTo puts such an address, as a sub-address of the organizer's own, into
	// Reply-To of everybody else's messages.
	ReplyTo bool

	Accounts *account.Service
	Store    *store.Store
	Calendar *calendar.Service
	Journal  *journal.Journal
	Trust    trust.Policy
	DKIM     *mailauth.Signer  // signs what goes out from domains of ours; nil = the relay does
	Check    *mailauth.Checker // checks mail that no server of ours has; nil = nobody does
	Keys     *keyring.Keyring  // nil = nothing is signed, encrypted or verified
	Gate     *gate.Gate        // rules about senders, and floods; nil = neither
	PinFirst bool              // believe the first certificate of somebody whose mail is proven otherwise
	Sign     bool              // sign where an account has a key and does not say otherwise
	Encrypt  string            // "never" (also ""), "when-possible" or "always"; an account can say otherwise

	TLS      *tls.Config // certificates of the SMTP listener; nil = no STARTTLS
	RelayTLS *tls.Config // roots for the relay; nil = the system's

	MaxMessageSize int           // octets; 0 = 25 MB, negative = as much as memory bears
	MaxRecipients  int           // of one incoming mail; default 1000
	MaxConnections int           // at once, for each listener; default 200
	Timeout        time.Duration // for one SMTP command; default 5 minutes (RFC 5321 4.5.3.2)

	Now func() time.Time
	Log *slog.Logger
}

// Mail is the transport. Its methods may be called from several goroutines.
type Mail struct {
	o       Options
	relay   *relay
	log     *slog.Logger
	domains map[string]bool // lower case
	taking  inProgress      // mails that are being taken, by digest
}

// New checks the options and connects to nothing.
func New(o Options) (*Mail, error) {
	switch {
	case o.MaxMessageSize == 0:
		o.MaxMessageSize = 25 << 20
	case o.MaxMessageSize < 0:
		o.MaxMessageSize = 1 << 30
	}
	if o.MaxRecipients <= 0 {
		o.MaxRecipients = 1000
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 200
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	m := &Mail{o: o, log: o.Log.With("transport", Name), domains: map[string]bool{}}
	for _, d := range o.Domains {
		m.domains[strings.ToLower(strings.TrimSuffix(d, "."))] = true
	}
	if o.Relay != "" {
		r, err := parseRelay(o.Relay)
		if err != nil {
			return nil, err
		}
		r.config, r.hostname, r.timeout = o.RelayTLS, o.Hostname, o.Timeout
		m.relay = r
	}
	return m, nil
}

// Name implements [journal.Transport].
func (m *Mail) Name() string { return Name }

// Accepts implements [journal.Transport]: any mail address, when there is a
// relay. One of our own domains comes here when nobody has a calendar under it
// (local delivery is asked before): a mailbox like any other, or nobody, which
// the mail server knows. What it sends back here for nobody is refused, and
// cannot go round.
func (m *Mail) Accepts(_ context.Context, to ical.Address) bool {
	return m.relay != nil && to.Email() != ""
}

func (m *Mail) ours(domain string) bool { return m.domains[strings.ToLower(domain)] }

func (m *Mail) now() time.Time { return m.o.Now().UTC() }

// entry reads a row with its mail.
func (m *Mail) entry(ctx context.Context, account store.AccountID, id int64) (store.Entry, error) {
	var e store.Entry
	err := m.o.Store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Entry(account, id)
		return err
	})
	if err != nil {
		return e, fmt.Errorf("read message %d: %w", id, err)
	}
	return e, nil
}
