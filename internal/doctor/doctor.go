package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/store"
)

// The states of a Finding.
const (
	OK      = "ok"
	Warning = "warning" // works, and may not for everybody or not for long
	Error   = "error"   // does not work
	Off     = "not configured"
)

// Finding is the result of one examination.
type Finding struct {
	Check   string `json:"check"`             // store, schema, disk, clock, zones, accounts, queue, listener, tls, dns, relay, mail
	Subject string `json:"subject,omitempty"` // the domain, address or file examined
	State   string `json:"state"`
	Message string `json:"message"`          // what was seen, a sentence
	Advice  string `json:"advice,omitempty"` // what to do
}

// Resolver answers questions about names; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Store is what is asked of the store.
type Store interface {
	Engine() string
	Check(ctx context.Context) (store.Health, error)
}

// Options say what is examined and with what.
type Options struct {
	Config   config.Config
	File     string // the configuration's file, "" when there is none
	Store    Store  // nil when it could not be opened
	StoreErr error  // why
	Resolver Resolver
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Relay    func(ctx context.Context) error // goes to mail.relay and greets it
	Roots    *x509.CertPool                  // nil = the system's
	Now      time.Time
	Timeout  time.Duration // of each question to the network; 0 = 10 s
	Network  bool          // ask the network at all
}

// examiner carries one run.
type examiner struct {
	Options
	ctx    context.Context
	report func(Finding)
}

// Examine reports every finding, in a fixed order.
func Examine(ctx context.Context, o Options, report func(Finding)) {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	x := &examiner{o, ctx, report}
	x.configuration()
	x.store()
	x.disk()
	x.clock()
	x.zones()
	x.listeners()
	x.certificate()
	x.publicURL()
	for _, d := range o.Config.Domains {
		x.domain(d)
	}
	x.mail()
}

func (x *examiner) say(check, subject, state, advice, format string, args ...any) {
	x.report(Finding{check, subject, state, fmt.Sprintf(format, args...), advice})
}

// limited is the context of one question.
func (x *examiner) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.ctx, x.Timeout)
}

// client speaks HTTP through Dial and follows no redirection.
func (x *examiner) client() *http.Client {
	return &http.Client{
		Timeout:       x.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: x.Dial, TLSClientConfig: x.tls(""), DisableKeepAlives: true},
	}
}
