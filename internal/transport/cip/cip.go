package cip

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// Name is the transport's name in journal rows.
const Name = "cip"

// Values of Options.AllowAnonymous.
const (
	AnonymousNo     = "no"
	AnonymousVerify = "verify" // by the network address of the server they speak for
	AnonymousYes    = "yes"
)

// Values of Peer.TLS.
const (
	TLSNone     = "none"     // or ""
	TLSStart    = "starttls" // AUTHENTICATE X-STARTTLS
	TLSImplicit = "tls"      // from the first octet
)

// Peer is a server with which something is agreed.
type Peer struct {
	ServerID string
	Address  string // host:port; "" = by DNS
	Identity string // who we are there; "" = the first of our domains
	Password string // of either side at the other; "" = none
	TLS      string // TLSNone, TLSStart, TLSImplicit: what is insisted on
	Body     cip.Form
	Forwards bool   // its word is taken for events of others that it forwards to members of its groups
	Zone     string // of its times without any
}

// Options of the transport. Store, Accounts, Calendar and Journal are required.
type Options struct {
	Domains        []string // our server ids, the first in greetings
	Peers          []Peer
	AllowAnonymous string // default AnonymousVerify
	PlaintextLogin bool   // passwords without TLS, not only on loopback
	FallbackAfter  time.Duration
	Discover       bool // look for the servers of other domains in DNS

	Accounts *account.Service
	Store    *store.Store
	Calendar *calendar.Service
	Journal  *journal.Journal
	Trust    trust.Policy

	TLS       *tls.Config // certificates of the listener; nil = no TLS
	ClientTLS *tls.Config // roots and certificates towards peers; nil = the system's roots and no certificate

	Resolver       Resolver // nil = the system's
	Dial           func(ctx context.Context, network, address string) (net.Conn, error)
	MaxConnections int // default 256
	MaxPerSource   int // default 32; loopback has no such limit
	MaxAttendees   int // of one event; 0 = 5000

	Now func() time.Time
	Log *slog.Logger

	times *times // nil = usualTimes
}

// failuresBeforeFallback is how many attempts a message has before it goes
// another way (docs/cip.md).
const failuresBeforeFallback = 3

// CIP is the transport. Its methods may be called from several goroutines.
type CIP struct {
	o       Options
	log     *slog.Logger
	servers []string // our server ids, lower case
	peers   map[string]*Peer
	pool    pool
	absent  absent // servers that have no CIP
	silent  absent // servers that did not answer a question just now
	guard   guard
	paused  atomic.Bool
	times   times
}

var _ journal.Transport = (*CIP)(nil)

// New makes the transport; it connects to nothing.
func New(o Options) *CIP {
	if o.AllowAnonymous == "" {
		o.AllowAnonymous = AnonymousVerify
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 256
	}
	if o.MaxPerSource <= 0 {
		o.MaxPerSource = 32
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &CIP{o: o, log: o.Log.With("transport", Name), peers: map[string]*Peer{}, times: usualTimes}
	if o.times != nil {
		c.times = *o.times
	}
	c.guard.now, c.absent.now, c.silent.now, c.pool.now = o.Now, o.Now, o.Now, o.Now
	for _, d := range o.Domains {
		c.servers = append(c.servers, serverID(d))
	}
	for _, p := range o.Peers {
		p.ServerID = serverID(p.ServerID)
		if p.Identity == "" && len(c.servers) > 0 {
			p.Identity = c.servers[0]
		}
		if p.Body == "" {
			p.Body = cip.VCal10
		}
		c.peers[p.ServerID] = &p
	}
	return c
}

// serverID is a domain as ids have it: ASCII, lower case.
func serverID(domain string) string {
	if id, ok := cip.UserID(ical.Mailto("x@" + strings.TrimSuffix(domain, "."))); ok {
		return cip.ServerOf(id)
	}
	return strings.ToLower(strings.TrimSuffix(domain, "."))
}

// Name implements [journal.Transport].
func (*CIP) Name() string { return Name }

// Accepts implements [journal.Transport]: an address of another server that is
// configured, or may be found in DNS and was not looked for in vain just now.
func (c *CIP) Accepts(_ context.Context, to ical.Address) bool {
	id, ok := cip.UserID(to)
	server := cip.ServerOf(id)
	switch {
	case !ok || server == "" || c.ours(server):
		return false
	case c.peers[server] != nil:
		return true
	}
	return c.o.Discover && !c.absent.has(server)
}

func (c *CIP) ours(server string) bool { return slices.Contains(c.servers, server) }

// host is the primary server id.
func (c *CIP) host() string {
	if len(c.servers) == 0 {
		return "localhost"
	}
	return c.servers[0]
}

// peer is what is agreed with a server; what holds for everybody when nothing is.
func (c *CIP) peer(server string) *Peer {
	if p := c.peers[server]; p != nil {
		return p
	}
	return &Peer{ServerID: server, Body: cip.VCal10}
}

// eventServers are our server ids with that of an owner first: answers go there.
func (c *CIP) eventServers(owner ical.Address) []string {
	id, _ := cip.UserID(owner)
	list := slices.Clone(c.servers)
	if i := slices.Index(list, cip.ServerOf(id)); i > 0 {
		list[0], list[i] = list[i], list[0]
	}
	return list
}

// zone of a server's times without any.
func (c *CIP) zone(server string) *tz.Zone {
	if p := c.peers[server]; p != nil && p.Zone != "" {
		if z, err := tz.Load(p.Zone); err == nil {
			return z
		}
	}
	return nil
}

func (c *CIP) now() time.Time { return c.o.Now().UTC() }

// Pause makes the listener turn everybody away, as a server that is busy does
// (the demo's switch), or ends that. Connections there are end with their next
// command.
func (c *CIP) Pause(on bool) {
	c.paused.Store(on)
	if on {
		c.pool.close()
	}
}

// absent remembers for a while what servers need not be tried.
type absent struct {
	now  func() time.Time
	mu   sync.Mutex
	till map[string]time.Time
}

// How long it is remembered, and of how many at most.
const (
	absentFor  = 10 * time.Minute
	silentFor  = 30 * time.Second // somebody fills in a form, and asks with every guest
	maxAbsent  = 10_000
	sourceIdle = 10 * time.Minute
)

func (a *absent) has(server string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now().Before(a.till[server])
}

func (a *absent) add(server string, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.till == nil || len(a.till) >= maxAbsent {
		a.till = map[string]time.Time{}
	}
	a.till[server] = a.now().Add(d)
}
