package mail

import (
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/convene-cal/convene/internal/harness/certs"
)

// signedRequest is a signed invitation by somebody, with the word of a domain for it.
func signedRequest(t *testing.T, from, uid, vouched string, id *certs.Identity) []byte {
	raw := mailOf(from, uid, signedBy(t, calendarPart("REQUEST", object("REQUEST", uid, "ORGANIZER:mailto:"+from, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), now, id))
	if vouched != "" {
		raw = append([]byte("Authentication-Results: mx.our.test; dmarc=pass header.from="+vouched+"\r\n"), raw...)
	}
	return raw
}

// Somebody's first certificate is believed for that person. One that may issue
// others does not become an authority by being seen first: its holder could then
// sign as anybody.
func TestPinningMakesNoAuthority(t *testing.T) {
	x, keys := signingSite(t, newPeople(t), "", func(o *Options) { o.Trust.AuthservIDs, o.PinFirst = []string{"mx.our.test"}, true })
	eve := certs.CA(t, "Eve's own").Issue(t, "p256", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage |= x509.KeyUsageCertSign
	}, "eve@evil.test")
	x.take(t, signedRequest(t, "eve@evil.test", "a", "evil.test", eve), "eve@evil.test", "ann@one.test")
	asDan := eve.Issue(t, "p256", nil, "dan@two.test")
	if e := x.take(t, signedRequest(t, "dan@two.test", "b", "", asDan), "eve@evil.test", "ann@one.test"); e.State != stateHeld {
		t.Errorf("eve signs as dan, and it is %s: %q", e.State, e.Sentence)
	}
	list, err := keys.For(t.Context(), x.ann.ID)
	if err != nil || len(list.Authority.Roots) != 1 {
		t.Errorf("%d authorities, %v; want the site's one", len(list.Authority.Roots), err)
	}
}

// A person's own key, with which a mail of theirs is signed that comes to
// themselves, stays their own.
func TestPinningKeepsOnesOwnKey(t *testing.T) {
	x, keys := signingSite(t, newPeople(t), "", func(o *Options) { o.Trust.AuthservIDs, o.PinFirst = []string{"mx.our.test"}, true })
	own := certs.CA(t, "Nobody knows").Issue(t, "p256", nil, "ann@one.test")
	der, err := x509.MarshalPKCS8PrivateKey(own.Key)
	if err != nil {
		t.Fatal(err)
	}
	file := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Cert.Raw})...)
	if _, err := keys.Import(t.Context(), x.ann.ID, []string{"ann@one.test"}, file, ""); err != nil {
		t.Fatal(err)
	}
	x.take(t, signedRequest(t, "ann@one.test", "a", "one.test", own), "ann@one.test", "ann@one.test")
	_, byHand := keys.Trust(t.Context(), x.ann.ID, own.Cert.Raw)
	set, err := keys.For(t.Context(), x.ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := set.Signer("ann@one.test"); !ok || byHand == nil {
		t.Errorf("ann's private key is gone (%v, trusting it by hand: %v)", !ok, byHand)
	}
}
