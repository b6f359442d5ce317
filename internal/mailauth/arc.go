package mailauth

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/internal/trust"
)

// maxInstances is the most ARC sets a mail may have (RFC 8617 4.2.1).
const maxInstances = 50

// maxSealsChecked bounds the signatures that are checked for one mail; longer
// chains fail. A mail through two lists and two forwarders has four.
const maxSealsChecked = 12

// Bounds of what is looked through for every signature. Long headers of real
// mail have 50 kB, and signatures name some 30 fields.
const (
	maxHeader = 256 << 10 // octets
	maxKeys   = 500
)

// arcSet is what one handler added to a mail (RFC 8617 4.1). The fields are as
// they stand in the mail.
type arcSet struct {
	results, message, seal field
	aar, ams, as           map[string]string // tags; of the results only i
	said                   string            // the results without their instance
	counts                 [3]int
}

// CheckARC verifies the Authenticated Received Chain of a mail (RFC 8617 5.2).
// Value is "none", "pass" or "fail"; only of a chain that passes are there hops:
// who sealed, and what they had found when the mail came to them, the first
// handler first. It says nothing of whether a sealer tells the truth.
func (c *Checker) CheckARC(ctx context.Context, raw []byte) trust.Chain {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	raw = crlf(raw)
	if len(raw)-len(body(raw)) > maxHeader {
		return trust.Chain{Value: "fail", Reason: fmt.Sprintf("the header has more than %d octets", maxHeader)}
	}
	m := splitMail(raw)
	sets, why := arcSets(m)
	if len(sets) == 0 && why == "" {
		return trust.Chain{Value: "none"}
	}
	if why == "" {
		why = c.checkChain(ctx, m, sets)
	}
	if why != "" {
		return trust.Chain{Value: "fail", Reason: why}
	}
	chain := trust.Chain{Value: "pass"}
	for _, s := range sets {
		hop := trust.Hop{Sealer: strings.ToLower(s.as["d"])}
		hop.Authserv, hop.Results, _ = trust.ParseAuthenticationResults(s.said)
		chain.Hops = append(chain.Hops, hop)
	}
	return chain
}

// arcSets sorts the ARC fields by instance (RFC 8617 5.2 steps 1 to 3). why is
// not "" where they are no chain.
func arcSets(m mailText) (sets []arcSet, why string) {
	byInstance := map[int]*arcSet{}
	at := func(kind int, instance string) (*arcSet, bool) {
		n, err := strconv.Atoi(instance)
		if err != nil || n < 1 || n > maxInstances || strconv.Itoa(n) != instance {
			return nil, false
		}
		s := byInstance[n]
		if s == nil {
			s = &arcSet{}
			byInstance[n] = s
		}
		s.counts[kind]++
		return s, s.counts[kind] == 1
	}
	for _, f := range m.fields {
		var s *arcSet
		ok := true
		switch f.name {
		case "arc-authentication-results":
			first, rest, _ := strings.Cut(unfold(f.value), ";")
			tags := parseTags(first)
			if s, ok = at(0, tags["i"]); ok {
				s.results, s.aar, s.said = f, tags, rest
			}
		case "arc-message-signature":
			tags := parseTags(unfold(f.value))
			if s, ok = at(1, tags["i"]); ok {
				s.message, s.ams = f, tags
			}
		case "arc-seal":
			tags := parseTags(unfold(f.value))
			if s, ok = at(2, tags["i"]); ok {
				s.seal, s.as = f, tags
			}
		}
		if !ok {
			return nil, "the fields of the chain are not numbered as they must be"
		}
	}
	for n := 1; n <= len(byInstance); n++ {
		s := byInstance[n]
		if s == nil || s.counts != [3]int{1, 1, 1} {
			return nil, "a part of the chain is missing"
		}
		sets = append(sets, *s)
	}
	return sets, ""
}

// checkChain is steps 2 to 6 of RFC 8617 5.2; "" says that the chain holds.
func (c *Checker) checkChain(ctx context.Context, m mailText, sets []arcSet) string {
	if len(sets) > maxSealsChecked {
		return fmt.Sprintf("the chain has %d links; at most %d are checked", len(sets), maxSealsChecked)
	}
	for i, s := range sets {
		want := "pass"
		if i == 0 {
			want = "none"
		}
		if !strings.EqualFold(s.as["cv"], want) {
			return fmt.Sprintf("link %d says cv=%s", i+1, s.as["cv"])
		}
		if s.as["h"] != "" || s.as["d"] == "" { // RFC 8617 4.1.3: a seal with h= fails
			return fmt.Sprintf("the seal of link %d is malformed", i+1)
		}
	}
	last := sets[len(sets)-1]
	// RFC 8617 4.1.2: it never covers seals. What it leaves open lets anyone make
	// another scheduling message of the mail (see the package comment).
	keys := strings.Split(last.ams["h"], ":")
	if len(keys) > maxKeys {
		return "the last signature names too many fields"
	}
	for _, k := range keys {
		if strings.EqualFold(strings.TrimSpace(k), "arc-seal") {
			return "the last signature covers seals"
		}
	}
	if why := m.headers().uncovered(last.ams, keys, m.body); why != "" {
		return "the last signature does not hold: " + why
	}
	if err := c.verifyMessage(ctx, m, last.message, last.ams); err != nil {
		return "the last signature does not hold: " + err.Error()
	}
	for n := len(sets); n >= 1; n-- {
		var signed strings.Builder
		for i, s := range sets[:n] {
			signed.WriteString(relaxedField(s.results.raw) + "\r\n" + relaxedField(s.message.raw) + "\r\n")
			if i < n-1 {
				signed.WriteString(relaxedField(s.seal.raw) + "\r\n")
			}
		}
		s := sets[n-1]
		signed.WriteString(relaxedField(withoutSignature(s.seal.raw))) // without a line end (RFC 8617 5.1.1)
		if err := c.verifyValue(ctx, s.as, []byte(signed.String())); err != nil {
			return fmt.Sprintf("the seal of %s (link %d) does not hold: %v", s.as["d"], n, err)
		}
	}
	return ""
}
