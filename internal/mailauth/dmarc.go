package mailauth

import (
	"context"
	"errors"
	"net"
	"strings"

	"golang.org/x/net/idna"

	"github.com/convene-cal/convene/internal/trust"
)

// policy is a DMARC Policy Record (RFC 9989 4.7), as far as a receiver that
// rejects no mail for it needs it.
type policy struct {
	domain     string
	psd        string // "y", "n" or "u"
	strictDKIM bool
	strictSPF  bool
	p          string
}

// maxLabels is the number of queries a walk makes at most (RFC 9989 4.10).
const maxLabels = 8

// identifier is a domain that SPF or DKIM authenticated.
type identifier struct {
	domain string
	spf    bool
}

// checkDMARC tells whether one of the authenticated domains is aligned with the
// author's (RFC 9989 4.10.2).
func (c *Checker) checkDMARC(ctx context.Context, from string, authenticated []identifier) trust.Result {
	r := trust.Result{Method: "dmarc", Properties: map[string]string{"header.from": from}}
	from = ascii(from)
	records, err := c.walk(ctx, from)
	if err != nil {
		r.Value, r.Reason = "temperror", err.Error()
		return r
	}
	if len(records) == 0 {
		// No policy to apply. That the domain signs its own mail says as much.
		r.Value = "none"
		return r
	}
	var applied policy
	organization := organizational(from, records)
	for _, p := range records {
		if p.domain == from || p.domain == organization {
			applied = p
			r.Properties["policy.published-domain-policy"] = p.p
			break
		}
	}
	for _, id := range authenticated {
		domain := ascii(id.domain)
		if domain == from {
			r.Value = "pass"
			return r
		}
		if id.spf && applied.strictSPF || !id.spf && applied.strictDKIM {
			continue
		}
		others, err := c.walk(ctx, domain)
		if err != nil {
			r.Value, r.Reason = "temperror", err.Error()
			return r
		}
		if organizational(domain, others) == organization {
			r.Value = "pass"
			return r
		}
	}
	r.Value = "fail"
	return r
}

// walk asks for the policy records of a domain and those above it, the longest
// name first.
func (c *Checker) walk(ctx context.Context, domain string) (found []policy, err error) {
	labels := strings.Split(domain, ".")
	for {
		name := strings.Join(labels, ".")
		p, ok, err := c.record(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, p)
			if p.psd != "u" {
				return found, nil
			}
		}
		if len(labels) >= maxLabels {
			labels = labels[len(labels)-(maxLabels-1):]
		} else {
			labels = labels[1:]
		}
		if len(labels) == 0 {
			return found, nil
		}
	}
}

// organizational chooses the Organizational Domain (RFC 9989 4.10.2).
func organizational(start string, records []policy) string {
	for _, p := range records {
		switch {
		case p.psd == "n":
			return p.domain
		case p.psd == "y" && p.domain != start:
			below := strings.TrimSuffix(start, "."+p.domain)
			return below[strings.LastIndexByte(below, '.')+1:] + "." + p.domain
		}
	}
	if len(records) > 0 {
		return records[len(records)-1].domain
	}
	return start
}

// record reads the one policy record of a name. Several are none.
func (c *Checker) record(ctx context.Context, domain string) (p policy, ok bool, err error) {
	texts, err := c.resolver.LookupTXT(ctx, "_dmarc."+domain)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return p, false, nil
		}
		return p, false, err
	}
	n := 0
	for _, t := range texts {
		first, _, _ := strings.Cut(t, ";")
		name, version, _ := strings.Cut(first, "=")
		if strings.TrimSpace(name) != "v" || strings.TrimSpace(version) != "DMARC1" {
			continue
		}
		n++
		tags := parseTags(t)
		p = policy{domain: domain, psd: "u", strictDKIM: strings.EqualFold(tags["adkim"], "s"), strictSPF: strings.EqualFold(tags["aspf"], "s"), p: strings.ToLower(tags["p"])}
		if v := strings.ToLower(tags["psd"]); v == "y" || v == "n" {
			p.psd = v
		}
		if p.p == "" {
			if tags["rua"] == "" {
				n-- // RFC 9989 4.10.1: no policy, and nobody to tell: no record
				continue
			}
			p.p = "none"
		}
	}
	return p, n == 1, nil
}

// ascii is a domain as the DNS has it.
func ascii(domain string) string {
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = a
	}
	return strings.ToLower(strings.Trim(domain, "."))
}
