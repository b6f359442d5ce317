package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	wire "github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/mailauth"
	"github.com/convene-cal/convene/internal/push"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/subscription"
	"github.com/convene-cal/convene/internal/transport/cip"
	"github.com/convene-cal/convene/internal/transport/local"
	"github.com/convene-cal/convene/internal/transport/mail"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/internal/web"
)

// prodID marks the calendars that we write ourselves (RFC 5545 3.7.3).
const prodID = "-//Convene//Convene//EN"

// Services are the parts below the front ends, wired. The command line uses
// them without a listener, beside a server that may be running.
type Services struct {
	Config   config.Config
	Store    *store.Store
	Accounts *account.Service
	ACL      *acl.ACL
	Calendar *calendar.Service
	Journal  *journal.Journal
	Mail     *mail.Mail
	Fetcher  *subscription.Fetcher
	Push     *push.Sender // nil: off
	Keys     *keyring.Keyring
	Gate     *gate.Gate
	CIP      *cip.CIP

	counts counters
	log    *slog.Logger
}

// Open opens the store, which is made when the data folder is empty, and
// wires the services. The caller closes them.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*Services, error) {
	return open(ctx, cfg, log, false)
}

// ownZones reads the time zones that the site has defined.
func ownZones(cfg config.Config) (*tz.Own, error) {
	files, err := cfg.ZoneFiles()
	if err != nil {
		return nil, err
	}
	own, err := tz.ReadOwnFiles(files)
	if err != nil {
		return nil, fmt.Errorf("zones: %w", err)
	}
	return own, nil
}

// overseers are the accounts that the configuration lets into every home.
func overseers(o config.Oversight) (list []acl.Overseer) {
	for _, login := range o.Read {
		list = append(list, acl.Overseer{Login: login, Access: acl.Read})
	}
	for _, login := range o.Act {
		list = append(list, acl.Overseer{Login: login, Access: acl.Act})
	}
	return list
}

// tellOverseers says at every start who is let into every home.
func (s *Services) tellOverseers(ctx context.Context) {
	for _, o := range overseers(s.Config.Oversight) {
		if _, err := s.Accounts.Find(ctx, o.Login); err != nil {
			s.log.Warn("oversight names no account", "login", o.Login, "error", err)
			continue
		}
		s.log.Warn("this account is let into everybody's calendars", "login", o.Login, "may", o.Access)
	}
}

// open takes the data folder for a server alone when serve is true; the
// command line works beside it.
func open(ctx context.Context, cfg config.Config, log *slog.Logger, serve bool) (*Services, error) {
	zones, err := ownZones(cfg)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: cfg.Store.URL, Dir: cfg.Data, Durability: cfg.Store.Durability, Serve: serve, Log: log})
	if err != nil {
		return nil, err
	}
	s := &Services{Config: cfg, Store: db, log: log, ACL: acl.New()}
	s.counts.started = time.Now()
	s.Accounts = account.New(db, account.Options{Domains: cfg.Domains, Log: log})
	s.ACL.Appoint(s.Accounts.FindTx, overseers(cfg.Oversight))
	s.Journal = journal.New(journal.Options{Store: db, Log: log, Node: node(cfg, serve)})
	s.Calendar = calendar.New(calendar.Options{
		Store: db, Accounts: s.Accounts, ACL: s.ACL, Domains: cfg.Domains, Log: log, ProdID: prodID, UndoWindow: cfg.Mail.UndoWindow, QuietAfter: cfg.Mail.QuietAfter,
		OpenRooms: cfg.Mail.InboundPolicy == "accept", Zones: zones,
		Limits: calendar.Limits{
			ResourceSize:      limit(int(cfg.Limits.MaxResourceSize)),
			Attendees:         limit(cfg.Limits.MaxAttendees),
			ExternalAttendees: limit(cfg.Limits.MaxExternalAttendees),
			Instances:         limit(cfg.Limits.MaxInstances),
			Quota:             cfg.Limits.Quota,
		},
	})
	s.Calendar.SetJournal(s.Journal)
	s.Fetcher = subscription.New(subscription.Options{Calendar: s.Calendar, AllowPrivate: cfg.Subscriptions.AllowPrivate, MaxSize: cfg.Subscriptions.MaxSize, Log: log})
	if cfg.Push.Enabled && serve {
		if s.Push, err = s.pusher(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	var certificates *tls.Config
	if cfg.HTTP.TLS == "files" {
		pair, err := tls.LoadX509KeyPair(cfg.HTTP.Cert, cfg.HTTP.Key)
		if err != nil {
			return nil, fmt.Errorf("http.cert and http.key: %w", errors.Join(err, db.Close()))
		}
		certificates = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	s.Keys = keyring.New(db, time.Now)
	var checker *mailauth.Checker
	if cfg.Mail.Check {
		checker = mailauth.New(resolver(cfg.Mail.Resolver), time.Now)
	}
	var signer *mailauth.Signer
	if cfg.Mail.DKIMKey != "" {
		if signer, err = mailauth.NewSigner(cfg.Mail.DKIMSelector, []byte(cfg.Mail.DKIMKey)); err != nil {
			return nil, fmt.Errorf("mail.dkim-key: %w", errors.Join(err, db.Close()))
		}
	}
	floods := gate.Limits{Sender: cfg.Limits.MailPerSender, Domain: cfg.Limits.MailPerDomain, Recipient: cfg.Limits.MailPerRecipient}
	if cfg.Mail.InboundPolicy == trust.Accept {
		floods = gate.Limits{} // closed networks, demos and tests know whom they have
	}
	s.Gate = gate.New(db, floods, time.Now)
	s.Gate.Log = log
	s.Mail, err = mail.New(mail.Options{
		Relay: cfg.Mail.Relay, Domains: cfg.Domains, Hostname: cfg.Hostname, PublicURL: cfg.HTTP.PublicURL, MaxMessageSize: limit(int(cfg.Mail.MaxMessageSize)),
		Accounts: s.Accounts, Store: db, Calendar: s.Calendar, Journal: s.Journal, TLS: certificates, Log: log,
		Trust:        trust.Policy{Inbound: cfg.Mail.InboundPolicy, UnknownSenders: cfg.Mail.UnknownSenders, AuthservIDs: cfg.Mail.AuthservIDs, SignedDomains: cfg.Mail.SignedDomains, DenyDomains: cfg.Mail.DenyDomains, Sealers: cfg.Mail.ARCSealers},
		AgentDomains: cfg.Mail.AgentDomains, ReplyTo: cfg.Mail.ReplyAddresses,
		Keys: s.Keys, Gate: s.Gate, Check: checker, DKIM: signer, Sign: cfg.Mail.Sign, PinFirst: cfg.Mail.PinFirst, Encrypt: cfg.Mail.Encrypt,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	options, err := s.cipOptions(certificates)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.CIP = cip.New(options)
	s.Calendar.SetElsewhere(s.CIP.Elsewhere)
	s.Calendar.SetSpread(cip.Name, s.CIP.Spread)
	// Asked in this order: what is nearest and quickest first.
	s.Journal.Use(local.New(local.Options{Calendar: s.Calendar, Accounts: s.Accounts, Log: log}), s.CIP, s.Mail)
	return s, nil
}

// pusher tells calendar programs of changes.
func (s *Services) pusher(ctx context.Context) (*push.Sender, error) {
	cfg := s.Config
	key, err := push.LoadKey(ctx, s.Calendar)
	if err != nil {
		return nil, err
	}
	contact := cfg.Push.Contact
	switch {
	case contact != "":
	case strings.HasPrefix(cfg.HTTP.PublicURL, "https://"):
		contact = cfg.HTTP.PublicURL
	case len(cfg.Domains) > 0:
		contact = "mailto:postmaster@" + cfg.Domains[0]
	default:
		contact = "mailto:postmaster@" + cfg.Hostname
	}
	return push.New(push.Options{Calendar: s.Calendar, Key: key, Contact: contact, Changed: s.Store.Changed, AllowPrivate: cfg.Push.AllowPrivate, Log: s.log}), nil
}

// cipOptions are those of the configuration. Other domains' servers are looked
// for in DNS when we have one ourselves: answers come back to it.
func (s *Services) cipOptions(certificates *tls.Config) (cip.Options, error) {
	cfg := s.Config
	o := cip.Options{
		Domains: cfg.Domains, AllowAnonymous: cfg.CIP.AllowAnonymous, PlaintextLogin: cfg.CIP.PlaintextLogin, FallbackAfter: cfg.CIP.FallbackAfter,
		Discover: cfg.CIP.Listen != "" || cfg.CIP.TLSListen != "", MaxAttendees: limit(cfg.Limits.MaxAttendees),
		Accounts: s.Accounts, Store: s.Store, Calendar: s.Calendar, Journal: s.Journal, TLS: certificates, Log: s.log,
		Trust: trust.Policy{Inbound: cfg.Mail.InboundPolicy, UnknownSenders: cfg.Mail.UnknownSenders, SignedDomains: cfg.Mail.SignedDomains, DenyDomains: cfg.Mail.DenyDomains},
	}
	if o.MaxAttendees < 0 {
		o.MaxAttendees = math.MaxInt32
	}
	o.ClientTLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if certificates != nil {
		o.ClientTLS.Certificates = certificates.Certificates
	}
	if cfg.CIP.CA != "" {
		roots, err := certificatesOf(cfg.CIP.CA)
		if err != nil {
			return o, fmt.Errorf("cip.ca: %w", err)
		}
		if o.ClientTLS.RootCAs = roots; certificates != nil {
			o.TLS = certificates.Clone()
			o.TLS.ClientCAs = roots
		}
	}
	for _, p := range cfg.CIP.Peers {
		o.Peers = append(o.Peers, cip.Peer{
			ServerID: p.ServerID, Address: p.Address, Identity: p.Identity, Password: p.Password, TLS: p.TLS,
			Body: wire.Form(p.Body), Zone: p.Zone, Forwards: p.Forwards == "yes",
		})
	}
	return o, nil
}

// certificatesOf reads authorities from a PEM file.
func certificatesOf(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// resolver asks one name server, or those of the system.
func resolver(addr string) *net.Resolver {
	if addr == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
}

// node names this instance in the journal's leases. A server has the same name
// after a crash, so that it takes up at once what it had in hand; the command
// line has none of its own.
func node(cfg config.Config, serve bool) string {
	if !serve {
		return ""
	}
	host, err := os.Hostname()
	if err != nil {
		host = cfg.Hostname
	}
	return host + " " + cfg.Data + " " + cfg.HTTP.Listen
}

// limit turns the configuration's 0 for "no limit" into the services' word for
// it; their 0 is the default.
func limit(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// Close closes the store.
func (s *Services) Close() error { return s.Store.Close() }

// handler is everything below one HTTP listener: CalDAV and free/busy by prefix, so that
// odd paths reach it as they were sent, the web application for the rest.
func (s *Services) handler(done <-chan struct{}) http.Handler {
	var pusher davserver.Push
	if s.Push != nil {
		pusher = s.Push
	}
	dav := davserver.New(davserver.Options{Push: pusher, Limits: davserver.Limits{PerMinute: s.Config.Limits.RequestsPerMinute}, Calendar: s.Calendar, Accounts: s.Accounts, ACL: s.ACL, PublicURL: s.Config.HTTP.PublicURL, Log: s.log})
	app := web.New(web.Options{Calendar: s.Calendar, Accounts: s.Accounts, ACL: s.ACL, Journal: s.Journal, Keys: s.Keys, Gate: s.Gate, SettleFlood: s.settleFlood, PublicURL: s.Config.HTTP.PublicURL, Log: s.log, Now: time.Now, Done: done, Invitation: s.Mail.Invitation})
	hook := s.Mail.Hook(s.Config.Mail.WebhookSecret)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = withOneSlash(r)
		path := r.URL.EscapedPath()
		switch {
		case path == "/healthz":
			w.WriteHeader(http.StatusNoContent)
		case path == "/readyz":
			s.ready(w, r)
		case path == "/hooks/mail" && s.Config.Mail.WebhookSecret != "":
			s.counts.counted(partHook, hook, w, r)
		case strings.HasPrefix(path, "/dav/"), path == "/dav", strings.HasPrefix(path, "/.well-known/caldav"), strings.HasPrefix(path, "/freebusy/"), strings.HasPrefix(path, "/feeds/"), strings.HasPrefix(path, "/attachments/"), path == "/timezones", strings.HasPrefix(path, "/timezones/"), strings.HasPrefix(path, "/.well-known/timezone"), isDAV(r.Method):
			s.counts.counted(partDAV, dav, w, r)
		default:
			s.counts.counted(partWeb, app, w, r)
		}
	})
}

// withOneSlash takes the slashes together that a path begins with: addresses
// that clients put together have two, and it means the same to every method.
func withOneSlash(r *http.Request) *http.Request {
	if !strings.HasPrefix(r.URL.Path, "//") {
		return r
	}
	one, u := *r, *r.URL
	one.URL = &u
	u.Path = "/" + strings.TrimLeft(u.Path, "/")
	if u.RawPath != "" {
		u.RawPath = "/" + strings.TrimLeft(u.RawPath, "/")
	}
	return &one
}

// settleFlood lets in, or refuses, what an outbreak of mail held.
func (s *Services) settleFlood(ctx context.Context, by account.Actor, kind, subject string, release bool) (int, error) {
	settle := s.Mail.RejectFlood
	if release {
		settle = s.Mail.ReleaseFlood
	}
	done, err := settle(ctx, by, kind, subject)
	return done.Messages, err
}

// isDAV: clients that ignore /.well-known/caldav ask the root (RFC 6764 5).
func isDAV(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodTrace:
		return false
	}
	return true
}

// ready is 200 when a request could be served: the store answers.
func (s *Services) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.Store.View(r.Context(), func(tx *store.Tx) error { _, err := tx.Accounts("", 1); return err }); err != nil {
		s.log.Warn("not ready", "error", err)
		http.Error(w, "The store does not answer.", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

// housekeepingEvery is how often old rows are looked for.
const housekeepingEvery = time.Hour

// keepHouse does periodic work until ctx ends. Every step is repeatable, so
// several nodes may do it at once.
func (s *Services) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(housekeepingEvery)
	defer tick.Stop()
	for {
		if err := errors.Join(s.Calendar.Maintain(ctx), s.Accounts.ExpireSessions(ctx)); err != nil && ctx.Err() == nil {
			s.log.Error("housekeeping failed and is tried again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
