package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// Inbound policies, the setting inbound-policy.
const (
	Accept     = "accept"     // the address rules of iTIP alone; for closed networks, demos and tests
	Verify     = "verify"     // each method's minimum level
	Quarantine = "quarantine" // signed, or held
)

// Policy is what the administrator set. The zero value is Verify without any
// trusted authserv-id, which holds everything.
type Policy struct {
	Inbound        string   // Accept, Verify or Quarantine; "" = Verify
	UnknownSenders string   // "allow" or "hold" first invitations from people the user does not know; "" = allow
	AuthservIDs    []string // whose Authentication-Results are believed
	DenyDomains    []string // domains whose scheduling mail is refused (RFC 6047 3, boundary filtering)
	SignedDomains  []string // domains whose messages must be signed to be applied
	Sealers        []string // domains whose ARC seals are believed: lists and forwarders (RFC 8617)
}

// Denies tells whether the site has no scheduling with the domain of an address,
// in either direction (RFC 6047 3).
func (p Policy) Denies(a ical.Address) bool {
	return slices.ContainsFunc(p.DenyDomains, func(d string) bool { return sameOrBelow(strings.ToLower(a.Domain()), strings.ToLower(d)) })
}

// Decision is what to do with a message.
type Decision int

// Decisions. Hold keeps the message for the user, who may apply it by hand.
const (
	Apply Decision = iota
	Hold
	Reject
)

func (d Decision) String() string { return [...]string{"apply", "hold", "reject"}[d] }

// Stored is what is known of the event that a message is about.
type Stored struct {
	Organizer  ical.Address
	FromDomain string       // authenticated domain of the message that made the event, "" unknown
	From       ical.Address // who sent that message
}

// Question is one calendar object of a mail and what is known about it.
type Question struct {
	Evidence  Evidence
	Policy    Policy
	Method    itip.Method
	Organizer itip.Attendee           // as the message names it; zero = not named
	Attendee  itip.Attendee           // REPLY, COUNTER, REFRESH: for whom it speaks
	Stored    *Stored                 // nil = no event with this UID
	Known     bool                    // the sender is known to the user: same domain, or they have met before
	Signs     func(ical.Address) bool // messages of an address used to be signed; nil = nobody's
	// Consent says that the user lets designate act for principal; nil = nobody.
	Consent func(principal, designate ical.Address) bool
	Rules   []Rule    // the site's and the user's own
	Now     time.Time // when the message arrived
}

// Verdict is the answer.
type Verdict struct {
	Do       Decision
	Level    Level
	Acting   ical.Address // the address that acts: pass it to itip.Apply
	Reason   string       // short word: "verified", "accepted", "wrong-sender", "unverified", "sent-by", "unknown-sender", "denied", "no-organizer", "no-attendee", "organizer-change", "not-signed", "rule"
	Sentence string
}

// minimum levels for automatic action under Verify (ITIP-03). fresh is for an
// event that is not stored yet, change for one that is.
var minimum = map[itip.Method]struct{ fresh, change Level }{
	itip.Publish:        {T1, T2},
	itip.Request:        {T1, T2},
	itip.Add:            {T2, T2},
	itip.Cancel:         {T2, T2},
	itip.DeclineCounter: {T2, T2},
	itip.Reply:          {T2, T2},
	itip.Counter:        {T2, T2},
	itip.Refresh:        {T2, T2},
}

// Judge decides. It depends on nothing but the question.
func Judge(q Question) Verdict {
	v := Verdict{Do: Hold}
	q.Evidence.Token = q.Evidence.Token && !byOrganizer[q.Method] // a guest's address proves who that guest is, never the organizer
	from := q.Evidence.From
	if from == "" {
		from = q.Evidence.EnvelopeFrom
	}
	if q.Policy.Denies(from) {
		v.Do, v.Reason = Reject, "denied"
		v.Sentence = fmt.Sprintf("Scheduling mail from %s is refused by this site's policy.", from.Domain())
		return v
	}
	acting, role, refusal := q.acting()
	if refusal != nil {
		return *refusal
	}
	v.Acting = q.speaker(acting)
	v.Level = q.Evidence.level(acting)
	if verdict := q.byRule(v, acting); verdict != nil {
		return *verdict
	}

	// Acting for someone else needs that person's word first (draft-ietf-calsch-imip-04 3).
	if sentBy := q.sentBy(); sentBy != "" && (sentBy.Equal(q.Evidence.From) || q.Evidence.signed(sentBy) != nil) && !slices.ContainsFunc(acting, q.Evidence.From.Equal) && v.Level < T3 {
		if q.Consent == nil || !q.Consent(acting[0], sentBy) {
			v.Reason = "sent-by"
			v.Sentence = fmt.Sprintf("%s says to act for the %s %s. It waits until you say whether %s may.", who(sentBy), role, who(acting[0]), who(sentBy))
			return v
		}
		// The designate has consent: what it sends must be proven to be its own.
		acting = []ical.Address{sentBy}
		role = "designate of " + who(v.Acting)
		v.Level, v.Acting = q.Evidence.level(acting), sentBy
	}
	if verdict := q.bySignature(v, acting, role); verdict != nil {
		return *verdict
	}
	// Who speaks must be who may speak, under every policy (RFC 6047 2.2.1). An
	// authenticated sender of the same domain (T1) may go on to the minimum levels.
	if !q.speaks(acting) && (v.Level < T1 || q.Policy.Inbound == Accept) {
		v.Reason = "wrong-sender"
		v.Sentence = fmt.Sprintf("The message was sent by %s, who is not the %s %s.", who(from), role, who(acting[0]))
		return v
	}
	if q.HoldsUnknown() && q.Stored == nil && !q.Known {
		v.Reason = "unknown-sender"
		v.Sentence = fmt.Sprintf("You have had nothing to do with %s so far; the message waits for your decision.", who(from))
		return v
	}
	return q.byPolicy(v, role)
}

// byPolicy asks the policy for the level that the message needs.
func (q Question) byPolicy(v Verdict, role string) Verdict {
	policy := q.Policy.Inbound
	if policy == "" {
		policy = Verify
	}
	signedOnly := policy == Quarantine || slices.ContainsFunc(q.Policy.SignedDomains, func(d string) bool { return sameOrBelow(strings.ToLower(v.Acting.Domain()), d) })
	demanded, signs := q.demanded(v.Acting)
	signedOnly = signedOnly || signs
	if policy == Accept && !signedOnly && v.Level >= demanded {
		v.Do, v.Reason = Apply, "accepted"
		v.Sentence = fmt.Sprintf("Sent by the %s %s; this site's policy asks for no proof.", role, who(v.Acting))
		return v
	}
	m := minimum[q.Method]
	need := m.fresh
	if q.Stored != nil {
		need = m.change
		// Continuity: the authenticated address that made the event, a booking
		// system's say, may go on. Its domain is not enough: others have addresses
		// there too, and where that is a mail provider's, everybody has.
		if d := q.Evidence.AuthenticatedDomain(); need == T2 && d != "" && strings.EqualFold(d, q.Stored.FromDomain) && q.Evidence.From.Equal(q.Stored.From) && byOrganizer[q.Method] {
			need = T1
		}
	}
	if q.Evidence.Token && (q.Method == itip.Reply || q.Method == itip.Counter) {
		need = min(need, T1)
	}
	if policy == Accept {
		need = T0
	}
	need = max(need, demanded)
	if q.organizerChanges() {
		need = T3 // a new organizer takes the event over
	}
	reason := "unverified"
	if signedOnly {
		need, reason = T3, "not-signed"
	}
	if v.Level >= need {
		v.Do, v.Reason = Apply, "verified"
		v.Sentence = fmt.Sprintf("%s is verified as the %s (%s).", who(v.Acting), role, q.proof(v))
		if v.Level == T1 && !q.Evidence.Token && q.Evidence.From != "" && !q.Evidence.From.Equal(v.Acting) {
			v.Sentence = fmt.Sprintf("Sent by %s for the %s %s; that it comes from %s is proven (%s).", who(q.Evidence.From), role, who(v.Acting), q.Evidence.From.Domain(), q.proof(v))
		}
		return v
	}
	v.Reason = reason
	switch {
	case signedOnly && len(q.Evidence.Signatures) > 0:
		v.Sentence = fmt.Sprintf("%s This site's policy applies only messages whose signature by the %s %s is believed.", q.Evidence.Signatures[0].full(), role, who(v.Acting))
	case signedOnly:
		v.Sentence = fmt.Sprintf("The message is not signed by the %s %s, and this site's policy applies only signed messages.", role, who(v.Acting))
	case q.organizerChanges():
		v.Reason = "organizer-change"
		v.Sentence = fmt.Sprintf("The message names %s as organizer, and the event in your calendar is %s's.", who(q.Organizer.Address), who(q.Stored.Organizer))
	case q.Evidence.Spam:
		v.Sentence = fmt.Sprintf("A spam filter marked the message, so that its sender is not taken for the %s %s.", role, who(v.Acting))
	case len(q.Evidence.Signatures) > 0:
		v.Sentence = fmt.Sprintf("%s That does not prove that %s, the %s, sent this.", q.Evidence.Signatures[0].full(), who(v.Acting), role)
	case len(q.Evidence.Results) == 0 && len(q.Policy.AuthservIDs) == 0:
		v.Sentence = fmt.Sprintf("Nothing proves that %s, the %s, sent this: no mail server's Authentication-Results are trusted here (setting mail.authserv-ids).", who(v.Acting), role)
	case len(q.Evidence.Results) == 0:
		v.Sentence = fmt.Sprintf("Nothing proves that %s, the %s, sent this: the mail bears no Authentication-Results of %s.", who(v.Acting), role, strings.Join(q.Policy.AuthservIDs, ", "))
	case v.Level == T1:
		domain := q.Evidence.AuthenticatedDomain()
		if domain == "" && q.Evidence.Relayed != nil {
			domain = q.Evidence.RelayedDomain() + " over " + q.Evidence.Relayed.Sealer
		}
		v.Sentence = fmt.Sprintf("The mail comes from %s, but not provably from %s, the %s.", domain, who(v.Acting), role)
	default:
		v.Sentence = fmt.Sprintf("The sender is not verified as %s, the %s (%s).", who(v.Acting), role, q.proof(v))
	}
	return v
}

// byOrganizer are the methods that the organizer sends (RFC 5546 1.4); the
// others are an attendee's.
var byOrganizer = map[itip.Method]bool{itip.Publish: true, itip.Request: true, itip.Add: true, itip.Cancel: true, itip.DeclineCounter: true}

// acting gives the address that must have sent the message, with the other
// spellings of it that the message states (EMAIL, RFC 7986 6.2) where these may
// count. The stored event decides before the message (ITIP-02).
func (q Question) acting() (addresses []ical.Address, role string, refusal *Verdict) {
	if byOrganizer[q.Method] {
		if q.Stored != nil && q.Stored.Organizer != "" && !q.organizerChanges() {
			return withEmail(q.Stored.Organizer, q.Organizer), "organizer", nil
		}
		if q.Organizer.Address == "" {
			return nil, "", &Verdict{Do: Hold, Reason: "no-organizer", Sentence: "The message does not name an organizer, so nobody can be held to have sent it."}
		}
		return withEmail(q.Organizer.Address, q.Organizer), "organizer", nil
	}
	if q.Attendee.Address == "" {
		return nil, "", &Verdict{Do: Hold, Reason: "no-attendee", Sentence: "The message does not say for which attendee it speaks."}
	}
	return withEmail(q.Attendee.Address, q.Attendee), "attendee", nil
}

// withEmail adds the EMAIL parameter where the value itself is no mailbox of a
// person: iCloud's organizers are tokens at imip.me.com. An EMAIL beside an
// ordinary address does not count, or anyone could state anyone's.
func withEmail(value ical.Address, a itip.Attendee) []ical.Address {
	list := []ical.Address{value}
	if a.Email != "" && a.Address.Equal(value) && (value.Email() == "" || strings.HasSuffix(strings.ToLower(value.Domain()), ".me.com") || strings.EqualFold(value.Domain(), "imip.me.com")) {
		list = append(list, ical.Mailto(a.Email))
	}
	return list
}

func (q Question) organizerChanges() bool {
	return byOrganizer[q.Method] && q.Stored != nil && q.Stored.Organizer != "" && q.Organizer.Address != "" && !q.Organizer.Address.Equal(q.Stored.Organizer)
}

// speaks tells whether From, or the envelope where there is no From, or the
// reply token, is the acting address.
func (q Question) speaks(acting []ical.Address) bool {
	if q.Evidence.Token {
		return true
	}
	return slices.ContainsFunc(acting, func(a ical.Address) bool {
		return a != "" && (q.Evidence.speaksFor(a) || q.Evidence.From.Equal(a) || q.Evidence.signed(a) != nil ||
			(q.Policy.Inbound == Accept || q.Evidence.From == "") && q.Evidence.EnvelopeFrom.Equal(a))
	})
}

// speaker is the spelling of the acting address that the evidence speaks of:
// whether EMAIL counts beside the value, the stored event decides (itip.Apply),
// not the message.
func (q Question) speaker(acting []ical.Address) ical.Address {
	for _, a := range acting {
		if a != "" && (q.Evidence.From.Equal(a) || q.Evidence.signed(a) != nil || q.Evidence.EnvelopeFrom.Equal(a) || q.Evidence.speaksFor(a)) {
			return a
		}
	}
	return acting[0]
}

func (q Question) sentBy() ical.Address {
	if byOrganizer[q.Method] {
		return q.Organizer.SentBy
	}
	return q.Attendee.SentBy
}

// proof words the evidence.
func (q Question) proof(v Verdict) string {
	if s := q.Evidence.signed(v.Acting); s != nil {
		return "signed by " + who(v.Acting)
	}
	if len(q.Evidence.Peers) > 0 {
		return "sent by the server of " + strings.Join(q.Evidence.Peers, ", ") + ", known by its " + q.Evidence.PeerBy
	}
	var said []string
	for _, r := range q.Evidence.Results {
		if r.Method == "dmarc" || r.Method == "dkim" || r.Method == "spf" {
			s := r.Method + "=" + r.Value
			if d := r.Properties["header.d"]; d != "" {
				s += " by " + d
			}
			said = append(said, s)
		}
	}
	if d := q.Evidence.RelayedDomain(); d != "" {
		said = append(said, "it came from "+d+" to "+q.Evidence.Relayed.Sealer+", which sealed it")
	}
	if len(said) == 0 && q.Evidence.Token {
		return "by the address made for them alone"
	}
	if len(said) == 0 {
		return "no evidence"
	}
	if q.Evidence.Authserv == "" {
		return strings.Join(said, ", ")
	}
	return strings.Join(said, ", ") + ", says " + q.Evidence.Authserv
}

// who writes an address for people.
func who(a ical.Address) string {
	if a == "" {
		return "an unknown sender"
	}
	text := string(a)
	if e := a.Email(); e != "" {
		text = e
	}
	return strings.Map(func(r rune) rune { // what others wrote must not change how the sentence looks
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
