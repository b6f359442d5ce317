package trust

import (
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/smime"
)

// Sign is what a person is shown of a message's security at one look, as a
// browser shows a lock (RFC 3283 6.4).
type Sign string

// Signs.
const (
	Lock     Sign = "lock"     // signed, and by whom it speaks for
	Unsigned Sign = "unsigned" // not signed; something else shows who sent it
	Warning  Sign = "warning"  // nothing shows who sent it, or what is shown contradicts it
	Query    Sign = "question" // held: the person is asked
)

// Shown is a sign with whom it names and a sentence that says why.
type Shown struct {
	Sign     Sign
	By       ical.Address // who provably sent it, "" where that is not known
	Sentence string
}

// Show says how far it is known that the acting address sent a message; without
// an acting address, From is meant. It looks at the evidence alone: what was
// decided is for the caller to add.
func (e *Evidence) Show(acting ical.Address) Shown {
	if acting == "" {
		acting = e.From
	}
	if s := e.signed(acting); s != nil {
		return Shown{Lock, acting, s.Sentence}
	}
	var strangers []string
	for _, s := range e.Signatures {
		if s.Standing != smime.Trusted {
			return Shown{Sign: Warning, Sentence: s.full()}
		}
		for _, a := range s.Addresses {
			strangers = append(strangers, who(a))
		}
	}
	if len(e.Signatures) > 0 {
		return Shown{Sign: Warning, Sentence: strings.TrimSpace(fmt.Sprintf("Signed by %s, not by %s. %s", strings.Join(strangers, ", "), who(acting), e.Signatures[0].Certificate))}
	}
	domain := e.AuthenticatedDomain()
	switch {
	case e.speaksFor(acting):
		return Shown{Unsigned, acting, fmt.Sprintf("Not signed. The server of %s sent it itself.", acting.Domain())}
	case e.Token && !e.Spam:
		return Shown{Unsigned, acting, fmt.Sprintf("Not signed. It came back to the address that was made for %s alone.", who(acting))}
	case e.From != "" && acting != "" && !e.From.Equal(acting):
		return Shown{Sign: Warning, Sentence: fmt.Sprintf("Sent by %s, although it speaks for %s.", who(e.From), who(acting))}
	case domain != "":
		return Shown{Unsigned, acting, fmt.Sprintf("Not signed. The mail system of %s confirms that %s sent it.", domain, who(acting))}
	case e.Spam:
		return Shown{Sign: Warning, Sentence: "Not signed, and a spam filter marked it."}
	}
	return Shown{Sign: Warning, Sentence: fmt.Sprintf("Not signed. Nothing shows that %s sent it.", who(acting))}
}
