package cip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// names is a resolver.
type names struct {
	mu    sync.Mutex
	srv   map[string][]*net.SRV
	hosts map[string][]string
	fail  bool
	asked []string
}

func (n *names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if service != "" {
		name = "_" + service + "._" + proto + "." + name
	}
	n.asked = append(n.asked, name)
	switch {
	case n.fail:
		return "", nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case name == "_cip._tcp.none.test":
		return "", []*net.SRV{{Target: "."}}, nil
	case n.srv[name] != nil:
		return name, n.srv[name], nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (n *names) LookupHost(_ context.Context, host string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, host)
	if a := n.hosts[host]; a != nil {
		return a, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// Servers are found by SRV, by the old form of its name, by the host for those
// that are configured, and at each connection anew (section 1.9).
func TestDiscovery(t *testing.T) {
	b := start(t, "b.test", []string{"ben"}, nil)
	host, port, _ := net.SplitHostPort(b.address)
	var p uint16
	fmt.Sscan(port, &p)
	good := &net.SRV{Target: host, Port: p}
	for _, tt := range []struct {
		name  string
		dns   *names
		peers []Peer
		asked string
	}{
		{"SRV", &names{srv: map[string][]*net.SRV{"_cip._tcp.b.test": {good}}}, nil, "_cip._tcp.b.test"},
		{"the first does not answer", &names{srv: map[string][]*net.SRV{"_cip._tcp.b.test": {{Target: "127.0.0.1", Port: 1}, good}}}, nil, "_cip._tcp.b.test"},
		{"the name of RFC 2052", &names{srv: map[string][]*net.SRV{"cip.tcp.b.test": {good}}}, nil, "_cip._tcp.b.test cip.tcp.b.test"},
		{"the host", &names{hosts: map[string][]string{"b.test": {"127.0.0.1"}}}, []Peer{{ServerID: "b.test"}}, "_cip._tcp.b.test cip.tcp.b.test b.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, "a.test", []string{"ann"}, func(o *Options) {
				o.Resolver, o.Discover, o.Peers = tt.dns, true, tt.peers
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					if address == "b.test:10996" {
						address = b.address
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				}
			})
			l, err := a.cip.connect(t.Context(), "b.test")
			if err != nil {
				t.Fatal(err)
			}
			l.conn.Close()
			if got := strings.Join(tt.dns.asked, " "); got != tt.asked {
				t.Errorf("asked for %s, want %s", got, tt.asked)
			}
			l, err = a.cip.connect(t.Context(), "b.test")
			if err != nil || len(tt.dns.asked) != 2*len(strings.Fields(tt.asked)) {
				t.Errorf("the second connection asked for %q (%v)", tt.dns.asked, err)
			} else {
				l.conn.Close()
			}
		})
	}
	for name, dns := range map[string]*names{"temporary failure": {fail: true}, "none": {}} {
		a := start(t, "a.test", []string{"ann"}, func(o *Options) { o.Resolver, o.Discover = dns, true })
		if _, err := a.cip.connect(t.Context(), "b.test"); err == nil || errors.Is(err, errNoService) != (name == "none") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
