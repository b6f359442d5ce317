// Package publicnet dials addresses that anybody on the internet could dial,
// and no others: what users name (a calendar to follow, a push service) must
// not be a way into the networks behind this server. The address that is dialled
// is looked at, not the name: a name can mean another address a moment later.
//
// RFC 6890 and its kin say what is not public.
package publicnet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate is why an address is not dialled.
var ErrPrivate = errors.New("it lies in a private network, which this server does not send to or fetch from")

// Dialer reaches public addresses, and private ones only where allowed.
func Dialer(allowPrivate bool) *net.Dialer {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if allowPrivate {
		return d
	}
	d.Control = func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !Public(ap.Addr().Unmap()) {
			return ErrPrivate
		}
		return nil
	}
	return d
}

// Transport is HTTP over the dialer, without proxies, which would dial
// themselves, and without connections that are kept.
func Transport(allowPrivate bool) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return Dialer(allowPrivate).DialContext(ctx, network, address)
		},
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true,
	}
}

// notPublic are the networks beside those that package netip knows: RFC 6890,
// carrier NAT, benchmarks, documentation, 6to4 relays, IPv4 within IPv6.
var notPublic = func() (list []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10"} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// Public reports whether anybody could reach an address.
func Public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
