package trust

import (
	"slices"
	"strings"
)

// Chain is an Authenticated Received Chain (RFC 8617) as it was verified. That
// it passes says that the hops are as the sealers wrote them, and not that any
// of them tells the truth.
type Chain struct {
	Value  string // "none", "pass" or "fail"
	Reason string // why it fails
	Hops   []Hop  // of a chain that passes, the first handler first
}

// Hop is what one handler sealed.
type Hop struct {
	Sealer   string // its domain, lower case
	Authserv string
	Results  []Result // what it had found when the mail came to it
}

// Relayed is what a handler that the site believes found when the mail came to
// it, before it or a later one changed it.
type Relayed struct {
	Sealer  string   `json:"sealer"`
	By      []string `json:"passed-by,omitempty"` // believed handlers behind it, in their order
	Results []Result `json:"results,omitempty"`
}

// ReadChain takes from a chain what may be believed: the mail is as the last
// sealer passed it on, so that one must be believed, and each before it for as
// far back as the chain counts. A handler that is not believed could have put
// its own message below the seals of others.
func (e *Evidence) ReadChain(c Chain, sealers []string) {
	e.Relayed = nil
	if c.Value != "pass" {
		return
	}
	for i := len(c.Hops) - 1; i >= 0; i-- {
		h := c.Hops[i]
		if !slices.ContainsFunc(sealers, func(s string) bool { return strings.EqualFold(s, h.Sealer) }) {
			break
		}
		r := &Relayed{Sealer: h.Sealer, Results: h.Results}
		if e.Relayed != nil {
			r.By = append([]string{e.Relayed.Sealer}, e.Relayed.By...)
		}
		e.Relayed = r
	}
}

// RelayedDomain is the From domain where a believed handler found it
// authenticated (ITIP-09); "" where none did. It proves the domain (T1) and no address:
// handlers rewrite.
func (e *Evidence) RelayedDomain() string {
	domain := strings.ToLower(e.From.Domain())
	if e.Relayed == nil || domain == "" || e.Spam {
		return ""
	}
	return authenticated(domain, e.Relayed.Results)
}
