package trust

import (
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/smime"
)

func TestShow(t *testing.T) {
	ann, eve := ical.Mailto("ann@example.org"), ical.Mailto("eve@evil.test")
	dmarc := []Result{{Method: "dmarc", Value: "pass", Properties: map[string]string{"header.from": "example.org"}}}
	signed := func(s smime.Standing, by ...ical.Address) []Signature {
		return []Signature{{Standing: s, Addresses: by, Sentence: "What the signature is worth."}}
	}
	for name, c := range map[string]struct {
		e        Evidence
		acting   ical.Address
		sign     Sign
		by       ical.Address
		sentence string
	}{
		"signed":             {Evidence{From: ann, Signatures: signed(smime.Trusted, ann)}, ann, Lock, ann, "What the signature is worth."},
		"signed, no acting":  {Evidence{From: ann, Signatures: signed(smime.Trusted, ann)}, "", Lock, ann, "What the signature is worth."},
		"signed by another":  {Evidence{From: ann, Results: dmarc, Signatures: signed(smime.Trusted, eve)}, ann, Warning, "", "Signed by eve@evil.test, not by ann@example.org."},
		"broken signature":   {Evidence{From: ann, Results: dmarc, Signatures: signed(smime.Broken, ann)}, ann, Warning, "", "What the signature is worth."},
		"unknown signer":     {Evidence{From: ann, Results: dmarc, Signatures: signed(smime.Unknown, ann)}, ann, Warning, "", "What the signature is worth."},
		"domain vouches":     {Evidence{From: ann, Results: dmarc}, ann, Unsigned, ann, "Not signed. The mail system of example.org confirms that ann@example.org sent it."},
		"another's mail":     {Evidence{From: eve, Results: dmarc}, ann, Warning, "", "Sent by eve@evil.test, although it speaks for ann@example.org."},
		"server of a domain": {Evidence{From: ann, Peers: []string{"example.org"}}, ann, Unsigned, ann, "Not signed. The server of example.org sent it itself."},
		"reply address":      {Evidence{From: eve, Token: true}, ann, Unsigned, ann, "Not signed. It came back to the address that was made for ann@example.org alone."},
		"spam":               {Evidence{From: ann, Results: dmarc, Spam: true}, ann, Warning, "", "Not signed, and a spam filter marked it."},
		"nothing":            {Evidence{From: ann}, ann, Warning, "", "Not signed. Nothing shows that ann@example.org sent it."},
	} {
		if got := c.e.Show(c.acting); got != (Shown{c.sign, c.by, c.sentence}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
