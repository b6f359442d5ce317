package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/itip"
)

// Signature is one signature around the calendar object, checked.
type Signature struct {
	Protocol    string         `json:"protocol"` // imip.SMIME or imip.PGP
	Standing    smime.Standing `json:"standing"`
	Addresses   []ical.Address `json:"addresses,omitempty"` // whom its key speaks for
	Fingerprint string         `json:"fingerprint,omitempty"`
	Issuer      string         `json:"issuer,omitempty"`
	Time        time.Time      `json:"time,omitzero"` // as the signer says
	Sentence    string         `json:"sentence"`
	Certificate string         `json:"certificate,omitempty"` // the certificate or key in a sentence: whose, for what, by whom, how long
}

// full is what a person is told of a signature that is not enough: why, and by
// which certificate, so that it can be asked about.
func (s Signature) full() string {
	return strings.TrimSpace(s.Sentence + " " + s.Certificate)
}

// oldSignature is the age from which a signed cancellation or change is asked
// about: somebody may have kept it to play it again.
const oldSignature = 30 * 24 * time.Hour

// signed is the believed signature of an address, nil if there is none.
func (e *Evidence) signed(a ical.Address) *Signature {
	for i := range e.Signatures {
		if s := &e.Signatures[i]; s.Standing == smime.Trusted && slices.ContainsFunc(s.Addresses, a.Equal) {
			return s
		}
	}
	return nil
}

// bySignature is what signatures alone decide: a signed message is applied only
// where the signer is who must have sent it (draft-ietf-calsch-imip-04 3, steps
// 2 to 4). nil leaves the decision to the rest of the evidence.
func (q Question) bySignature(v Verdict, acting []ical.Address, role string) *Verdict {
	hold := func(reason, format string, args ...any) *Verdict {
		v.Do, v.Reason, v.Sentence = Hold, reason, strings.TrimSpace(fmt.Sprintf(format, args...))
		return &v
	}
	for _, a := range acting {
		s := q.Evidence.signed(a)
		if s == nil {
			continue
		}
		if q.Stored != nil && q.Method != itip.Reply && !s.Time.IsZero() && q.Now.Sub(s.Time) > oldSignature {
			return hold("old-signature", "The message was signed on %s, which is long ago; somebody may be sending it again.", s.Time.Format("2 January 2006"))
		}
		return nil
	}
	var strangers []string
	certificate := ""
	for _, s := range q.Evidence.Signatures {
		switch s.Standing {
		case smime.Broken:
			on := "The message may have been changed on its way."
			if strings.Contains(s.Sentence, "changed") {
				on = "" // it says so itself
			}
			return hold("bad-signature", "%s", strings.Join(strings.Fields(s.Sentence+" "+on+" "+s.Certificate), " "))
		case smime.Revoked:
			return hold("revoked", "%s", s.full())
		case smime.Trusted:
			for _, a := range s.Addresses {
				if !slices.Contains(strangers, who(a)) {
					strangers = append(strangers, who(a))
				}
			}
			if certificate == "" {
				certificate = s.Certificate
			}
		}
	}
	if len(strangers) > 0 {
		return hold("signer-mismatch", "The message is signed by %s, who is not the %s %s. %s", strings.Join(strangers, ", "), role, who(acting[0]), certificate)
	}
	if q.Signs != nil && slices.ContainsFunc(acting, q.Signs) && q.Policy.Inbound != Accept {
		// RFC 6047 3: remember who signs, and distrust what then comes unsigned.
		if len(q.Evidence.Signatures) > 0 {
			return hold("unsigned-now", "Earlier messages of %s were signed otherwise. %s", who(acting[0]), q.Evidence.Signatures[0].full())
		}
		return hold("unsigned-now", "Earlier messages of %s were signed, and this one is not.", who(acting[0]))
	}
	return nil
}
