package trust

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// Level says how well it is known that the acting address sent the message.
type Level int

// The levels of imip AUTH: see the package comment.
const (
	T0 Level = iota
	T1
	T2
	T3
)

func (l Level) String() string { return [...]string{"T0", "T1", "T2", "T3"}[min(max(l, T0), T3)] }

// Evidence is what is known about who sent a mail. It is kept with the message
// and shown: its JSON is what `message list --json` prints.
type Evidence struct {
	From         ical.Address `json:"from,omitempty"`          // the one author, "" if none or several
	Sender       ical.Address `json:"sender,omitempty"`        // shown, never counted
	EnvelopeFrom ical.Address `json:"envelope-from,omitempty"` // MAIL FROM
	Remote       string       `json:"remote,omitempty"`        // who handed the mail in
	Authserv     string       `json:"authserv-id,omitempty"`   // whose results these are
	Results      []Result     `json:"results,omitempty"`       // the trusted ones only
	Relayed      *Relayed     `json:"relayed,omitempty"`       // what a handler before us found that the site believes
	Ignored      []string     `json:"ignored,omitempty"`       // authserv-ids that are not configured; anyone can write them
	Signatures   []Signature  `json:"signatures,omitempty"`    // around the calendar object, the outermost first
	Token        bool         `json:"token,omitempty"`         // came to the reply address made for this attendee and event
	ListID       string       `json:"list-id,omitempty"`
	Spam         bool         `json:"spam,omitempty"`    // a filter before us called it spam
	Peers        []string     `json:"peers,omitempty"`   // domains that the sending server has shown to be: it speaks for their users, and for nobody else
	PeerBy       string       `json:"peer-by,omitempty"` // how: "login", "certificate", "address"
	Level        string       `json:"level,omitempty"`
	Policy       string       `json:"policy,omitempty"`
}

// ReadResults fills in what the Authentication-Results fields of a mail say.
func (e *Evidence) ReadResults(values []string, authservIDs []string) {
	e.Results, e.Authserv, e.Ignored = trustedResults(values, authservIDs)
}

// AuthenticatedDomain is the From domain where it is authenticated, in the
// sense of DMARC (RFC 7489 3.1): by a dmarc result, or else by an aligned dkim
// or spf result. "" is not authenticated. Where trusted results contradict each
// other the worse one counts, because one of them may be forged.
func (e *Evidence) AuthenticatedDomain() string {
	domain := strings.ToLower(e.From.Domain())
	if domain == "" || e.Spam {
		return ""
	}
	if e.speaksFor(e.From) {
		return domain
	}
	return authenticated(domain, e.Results)
}

// authenticated is a From domain for which results speak, else "".
func authenticated(domain string, results []Result) string {
	saidDMARC, aligned := false, false
	for _, r := range results {
		switch r.Method {
		case "dmarc":
			if r.Value == "none" { // no policy is published: alignment is for us to see
				continue
			}
			// The result must be about this From: several From fields are a known trick.
			about := r.Properties["header.from"]
			if r.Value != "pass" || about != "" && !sameOrBelow(domain, about) {
				return ""
			}
			saidDMARC = saidDMARC || about != ""
		case "dkim":
			signer := r.Properties["header.d"]
			if signer == "" {
				_, signer, _ = strings.Cut(r.Properties["header.i"], "@")
			}
			aligned = aligned || r.Value == "pass" && sameOrBelow(domain, signer)
		case "spf":
			from := r.Properties["smtp.mailfrom"]
			if at := strings.LastIndexByte(from, '@'); at >= 0 {
				from = from[at+1:]
			}
			aligned = aligned || r.Value == "pass" && strings.EqualFold(domain, from)
		}
	}
	if saidDMARC || aligned {
		return domain
	}
	return ""
}

// speaksFor tells whether the sending server is that of an address: exactly its
// domain, as a server id names one server (draft-ietf-calsch-cip-00 1.5).
func (e *Evidence) speaksFor(a ical.Address) bool {
	d := a.Domain()
	return d != "" && slices.ContainsFunc(e.Peers, func(p string) bool { return strings.EqualFold(p, d) })
}

// sameOrBelow tells whether domain is parent or a name below it. parent must
// have two labels at least: nothing is aligned with "com".
func sameOrBelow(domain, parent string) bool {
	parent = strings.ToLower(strings.Trim(parent, "."))
	return parent != "" && (domain == parent || strings.Contains(parent, ".") && strings.HasSuffix(domain, "."+parent))
}

// level compares the evidence with the address that must have acted.
func (e *Evidence) level(acting []ical.Address) Level {
	authenticated, relayed := e.AuthenticatedDomain(), e.RelayedDomain()
	best := T0
	for _, a := range acting {
		if a == "" {
			continue
		}
		l := T0
		switch {
		case e.signed(a) != nil:
			l = T3
		case authenticated != "" && (e.From.Equal(a) || e.Token), e.speaksFor(a):
			l = T2
		case authenticated != "" && strings.EqualFold(authenticated, a.Domain()), e.Token && !e.Spam,
			relayed != "" && strings.EqualFold(relayed, a.Domain()):
			l = T1
		}
		best = max(best, l)
	}
	return best
}
