package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// tlsMode says how the way to the relay is protected.
type tlsMode int

const (
	tlsNone          tlsMode = iota // in the clear
	tlsOpportunistic                // STARTTLS where it is offered, whoever the peer is (RFC 7435)
	tlsStart                        // STARTTLS with a valid certificate, or nothing is sent
	tlsImplicit                     // TLS from the first octet with a valid certificate (RFC 8314 3.3)
)

// relay is the mail server that takes our mail.
type relay struct {
	host, addr     string
	user, password string
	mode           tlsMode
	config         *tls.Config // roots and such; nil = the system's
	hostname       string      // ours, for EHLO
	timeout        time.Duration
}

// parseRelay reads smtp://user:password@host:port?tls=none|starttls|required or
// smtps://host. Without tls= the way is opportunistic, and with a user name
// protected, except to this very machine. The default ports are 25, with a user
// name 587 (RFC 6409 3.1), and 465.
func parseRelay(text string) (*relay, error) {
	u, err := url.Parse(text)
	if err != nil {
		// url.Error repeats the text, and with it the password.
		return nil, errors.New("mail.relay is not a URL; it should look like smtp://user:password@host:587")
	}
	r := &relay{host: u.Hostname(), user: u.User.Username()}
	r.password, _ = u.User.Password()
	if r.host == "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("mail.relay should look like smtp://user:password@host:587")
	}
	port := u.Port()
	switch u.Scheme {
	case "smtps":
		r.mode = tlsImplicit
		if port == "" {
			port = "465"
		}
	case "smtp":
		r.mode = tlsOpportunistic
		if r.user != "" && !isLoopback(r.host) {
			r.mode = tlsStart
		}
		if port == "" {
			if port = "25"; r.user != "" {
				port = "587"
			}
		}
	default:
		return nil, fmt.Errorf("mail.relay: the scheme is %q; smtp:// and smtps:// are known", u.Scheme)
	}
	for key, values := range u.Query() {
		value := values[len(values)-1]
		switch {
		case key != "tls":
			return nil, fmt.Errorf("mail.relay: there is no parameter %q; tls is known", key)
		case r.mode == tlsImplicit && value != "required":
			return nil, errors.New("mail.relay: smtps:// is always TLS; tls= does not go with it")
		case value == "none":
			r.mode = tlsNone
		case value == "starttls", value == "required":
			// A person who writes it wants it: no falling back to clear text.
			if r.mode != tlsImplicit {
				r.mode = tlsStart
			}
		default:
			return nil, fmt.Errorf("mail.relay: tls=%q is none of none, starttls, required", value)
		}
	}
	r.addr = net.JoinHostPort(r.host, port)
	return r, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// errCredentials is a relay that would get our password in the clear.
var errCredentials = errors.New("the relay offers no TLS, and a password is not sent in the clear to another machine")

// connect dials, greets, protects and authenticates.
func (r *relay) connect(ctx context.Context) (*smtp.Client, error) {
	c, err := r.greet(ctx, r.mode == tlsStart)
	if err != nil {
		return nil, err
	}
	if offered, _ := c.Extension("STARTTLS"); offered && r.mode == tlsOpportunistic {
		// The library upgrades a fresh connection only.
		c.Quit()
		if protected, err := r.greet(ctx, true); err == nil {
			c = protected
		} else if c, err = r.greet(ctx, false); err != nil { // broken TLS is no reason to keep the mail
			return nil, err
		}
	}
	if r.user == "" {
		return c, nil
	}
	if _, protected := c.TLSConnectionState(); !protected && !isLoopback(r.host) {
		c.Close()
		return nil, errCredentials
	}
	mechanism := sasl.NewPlainClient("", r.user, r.password)
	if !c.SupportsAuth("PLAIN") && c.SupportsAuth("LOGIN") {
		mechanism = sasl.NewLoginClient(r.user, r.password)
	}
	if err := c.Auth(mechanism); err != nil {
		c.Close()
		return nil, fmt.Errorf("the relay did not accept the user name and password of mail.relay: %w", err)
	}
	return c, nil
}

// greet opens one connection and says EHLO, over STARTTLS if start is set.
func (r *relay) greet(ctx context.Context, start bool) (*smtp.Client, error) {
	dialer := net.Dialer{Timeout: min(r.timeout, 30*time.Second)}
	conn, err := dialer.DialContext(ctx, "tcp", r.addr)
	if err != nil {
		return nil, fmt.Errorf("no connection to the relay %s: %w", r.addr, err)
	}
	// Closing the connection ends whatever waits on it.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	config := &tls.Config{}
	if r.config != nil {
		config = r.config.Clone()
	}
	config.ServerName = r.host
	if r.mode == tlsOpportunistic {
		config.InsecureSkipVerify = true // the alternative is clear text; RFC 7435 3
	}
	conn.SetDeadline(time.Now().Add(r.timeout))
	var c *smtp.Client
	switch {
	case r.mode == tlsImplicit:
		c = smtp.NewClient(tls.Client(conn, config))
	case start:
		c, err = smtp.NewClientStartTLS(conn, config)
		if err != nil {
			return nil, fmt.Errorf("no STARTTLS with the relay %s: %w", r.addr, err)
		}
	default:
		c = smtp.NewClient(conn)
	}
	c.CommandTimeout, c.SubmissionTimeout = r.timeout, 2*r.timeout // RFC 5321 4.5.3.2 has 5 and 10 minutes
	if err := c.Hello(r.hostname); err != nil {
		c.Close()
		return nil, fmt.Errorf("the relay %s did not greet: %w", r.addr, err)
	}
	return c, nil
}
