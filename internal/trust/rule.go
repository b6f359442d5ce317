package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// What a rule does with messages of its subject.
const (
	Always = "always" // known: nothing of theirs waits for being unknown
	Never  = "never"  // refused
	Ask    = "hold"   // waits for a person
)

// EveryMethod is the key of [Rule.Minimum] for methods that are not named.
const EveryMethod = itip.Method("*")

// Rule is what a person, or the site, says of somebody's messages. Rules are
// stricter than the policy and never looser.
type Rule struct {
	Subject string                `json:"subject"` // "ann@one.test", "one.test" with what is below it, or "" for everybody
	Do      string                `json:"do,omitempty"`
	Minimum map[itip.Method]Level `json:"minimum,omitempty"` // least level for being applied unasked
	Signed  bool                  `json:"signed,omitempty"`  // must be signed to be applied
	Unknown string                `json:"unknown,omitempty"` // "hold": first messages of people one has not met wait
	Site    bool                  `json:"-"`                 // the administrator's: no account can undo it
}

// MarshalText writes a level as T0 to T3.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level; the error names those there are.
func (l *Level) UnmarshalText(text []byte) error {
	for _, known := range []Level{T0, T1, T2, T3} {
		if strings.EqualFold(string(text), known.String()) {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("%.20q is no level of trust; there are T0 (nothing proves who sent it), T1 (the domain is proven), T2 (the address is proven) and T3 (it is signed)", text)
}

// about tells how closely a rule's subject is an address: 3 the address itself,
// 2 its domain, 1 a domain above, or everybody; 0 not at all.
func (r Rule) about(a ical.Address) int {
	mail := strings.TrimPrefix(a.Key(), "mailto:")
	domain := mail[strings.LastIndexByte(mail, '@')+1:]
	switch {
	case r.Subject == "":
		return 1
	case mail == "":
		return 0
	case strings.EqualFold(r.Subject, mail):
		return 3
	case strings.EqualFold(r.Subject, domain):
		return 2
	case sameOrBelow(strings.ToLower(domain), r.Subject):
		return 1
	}
	return 0
}

// ruled gives the word of the rules on who wrote or acts, and whose rule it is.
// What the site refuses or holds stays so; otherwise the closest rule of the
// person counts.
func (q Question) ruled(who ...ical.Address) (do string, by Rule) {
	best := 0
	for _, r := range q.Rules {
		for _, a := range who {
			n := r.about(a)
			if n == 0 || r.Do == "" || a == "" && r.Subject != "" {
				continue
			}
			if r.Site && r.Do != Always { // refusing outweighs holding
				n += 10
				if r.Do == Never {
					n += 10
				}
			}
			if n > best {
				best, do, by = n, r.Do, r
			}
		}
	}
	return do, by
}

// demanded is the least level that rules ask for.
func (q Question) demanded(acting ical.Address) (need Level, signed bool) {
	for _, r := range q.Rules {
		if r.about(acting) == 0 {
			continue
		}
		if l, ok := r.Minimum[q.Method]; ok {
			need = max(need, l)
		} else {
			need = max(need, r.Minimum[EveryMethod])
		}
		signed = signed || r.Signed
	}
	return need, signed
}

// HoldsUnknown tells whether somebody who is not known has to wait, so that it
// has to be found out.
func (q Question) HoldsUnknown() bool {
	return q.Policy.UnknownSenders == "hold" || slices.ContainsFunc(q.Rules, func(r Rule) bool { return r.Unknown == "hold" })
}

// byRule is what rules alone decide; nil leaves the decision to the evidence.
func (q *Question) byRule(v Verdict, acting []ical.Address) *Verdict {
	from := q.Evidence.From
	if from == "" {
		from = q.Evidence.EnvelopeFrom
	}
	do, by := q.ruled(append([]ical.Address{from}, acting...)...)
	subject := by.Subject
	if subject == "" {
		subject = "everybody"
	}
	says := "You said"
	if by.Site {
		says = "This site's administrator said"
	}
	switch do {
	case Never:
		v.Do, v.Reason, v.Sentence = Reject, "denied", fmt.Sprintf("%s that messages of %s are refused.", says, subject)
		return &v
	case Ask:
		v.Do, v.Reason, v.Sentence = Hold, "rule", fmt.Sprintf("%s that messages of %s wait for a decision.", says, subject)
		return &v
	case Always:
		// Forged mail must not be known for whom it names.
		q.Known = q.Known || by.about(from) > 0 && (v.Level > T0 || q.Policy.Inbound == Accept)
	}
	return nil
}
