package cip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/cip"
)

// Resolver is the part of *net.Resolver that is used.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupHost(ctx context.Context, host string) (addrs []string, err error)
}

// errNoService says that a server has no CIP: nothing will change that soon.
var errNoService = errors.New("there is no CIP server of that name")

// lookupTime bounds the questions to DNS about one server.
const lookupTime = 10 * time.Second

// targets finds where a server listens, as host:port in the order to try, at
// each connection (section 1.9): the configured address, or SRV records under
// RFC 2782's name and then RFC 2052's, or the host of that name. The last is
// for servers that are configured: every web site is a host of its domain.
func (c *CIP) targets(ctx context.Context, server string) ([]string, error) {
	p := c.peers[server]
	if p != nil && p.Address != "" {
		return []string{p.Address}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	for _, ask := range []struct{ service, proto, name string }{{"cip", "tcp", server}, {"", "", "cip.tcp." + server}} {
		_, records, err := c.o.Resolver.LookupSRV(ctx, ask.service, ask.proto, ask.name)
		if err != nil && !notFound(err) {
			return nil, fmt.Errorf("look for the CIP server of %s: %w", server, err)
		}
		if len(records) == 0 {
			continue
		}
		if len(records) == 1 && (records[0].Target == "." || records[0].Target == "") { // RFC 2782: not available
			return nil, fmt.Errorf("%w: %s says so in DNS", errNoService, server)
		}
		var list []string
		for _, r := range records {
			list = append(list, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
		}
		return list, nil
	}
	if p == nil {
		return nil, fmt.Errorf("%w: %s has no SRV record for it", errNoService, server)
	}
	if _, err := c.o.Resolver.LookupHost(ctx, server); err != nil {
		if notFound(err) {
			return nil, fmt.Errorf("%w: %s is not in DNS", errNoService, server)
		}
		return nil, fmt.Errorf("look for the host %s: %w", server, err)
	}
	return []string{net.JoinHostPort(server, strconv.Itoa(cip.DefaultPort))}, nil
}

func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// hasAddress tells whether a server listens at a network address: what an
// anonymous session from there says for its users is believed as much as an
// SPF result.
func (c *CIP) hasAddress(ctx context.Context, server string, remote net.Addr) bool {
	host, _, err := net.SplitHostPort(remote.String())
	ip := net.ParseIP(host)
	if err != nil || ip == nil {
		return false
	}
	targets, err := c.targets(ctx, server)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	for _, t := range targets {
		name, _, err := net.SplitHostPort(t)
		if err != nil {
			continue
		}
		if known := net.ParseIP(name); known != nil {
			if known.Equal(ip) {
				return true
			}
			continue
		}
		addresses, err := c.o.Resolver.LookupHost(ctx, name)
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if known := net.ParseIP(a); known != nil && known.Equal(ip) {
				return true
			}
		}
	}
	return false
}
