package mailauth

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"

	"github.com/convene-cal/convene/internal/trust"
)

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// checkTime bounds all DNS questions about one mail.
const checkTime = 10 * time.Second

// Checker checks mails. It is safe for concurrent use.
type Checker struct {
	resolver Resolver
	now      func() time.Time
}

// New makes a checker that remembers answers of the resolver for a short time.
func New(r Resolver, now func() time.Time) *Checker { return &Checker{newCache(r, now), now} }

// Connection is what the listener knows of who handed the mail in.
type Connection struct {
	IP       net.IP // nil = not the sender's: SPF is not checked
	Hello    string // its EHLO name
	MailFrom string // MAIL FROM without brackets; "" for a report
}

// Check gives a result for each method. from is the domain of the mail's one
// author, "" where there is none: then DMARC cannot say anything. What the DNS
// does not answer in time has the result "temperror".
func (c *Checker) Check(ctx context.Context, raw []byte, from string, conn Connection) []trust.Result {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var results []trust.Result
	var authenticated []identifier
	if conn.IP != nil {
		r, domain := c.checkSPF(ctx, conn)
		results = append(results, r)
		if r.Value == "pass" {
			authenticated = append(authenticated, identifier{domain, true})
		}
	}
	for _, r := range c.checkDKIM(ctx, raw) {
		results = append(results, r)
		if r.Value == "pass" {
			authenticated = append(authenticated, identifier{r.Properties["header.d"], false})
		}
	}
	if from != "" && len(results) > 0 {
		results = append(results, c.checkDMARC(ctx, strings.ToLower(from), authenticated))
	}
	return results
}

// checkSPF gives the result and the domain it is about (RFC 7208 2.4).
func (c *Checker) checkSPF(ctx context.Context, conn Connection) (trust.Result, string) {
	_, domain, ok := strings.Cut(conn.MailFrom, "@")
	property, value := "smtp.mailfrom", conn.MailFrom
	if !ok {
		domain, property, value = conn.Hello, "smtp.helo", conn.Hello
	}
	result, err := spf.CheckHostWithSender(conn.IP, conn.Hello, conn.MailFrom, spf.WithResolver(c.resolver), spf.WithContext(ctx))
	r := trust.Result{Method: "spf", Value: string(result), Properties: map[string]string{property: value}}
	if err != nil && result != spf.Pass {
		r.Reason = err.Error()
	}
	return r, strings.ToLower(domain)
}

func permanent(method, format string, args ...any) trust.Result {
	return trust.Result{Method: method, Value: "permerror", Reason: fmt.Sprintf(format, args...), Properties: map[string]string{}}
}
