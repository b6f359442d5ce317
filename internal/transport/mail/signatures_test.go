package mail

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/mailauth"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// people are who writes to ann, with certificates of an authority that her site trusts.
type people struct {
	ca, strange         *certs.Identity
	dan, eve, sam, fake *certs.Identity // fake: names dan, of an authority nobody knows
}

func newPeople(t testing.TB) *people {
	p := &people{ca: certs.CA(t, "Known CA"), strange: certs.CA(t, "Unknown CA")}
	p.dan, p.eve, p.sam = p.ca.Issue(t, "p256", nil, "dan@two.test"), p.ca.Issue(t, "p256", nil, "eve@evil.test"), p.ca.Issue(t, "p256", nil, "sam@two.test")
	p.fake = p.strange.Issue(t, "p256", nil, "dan@two.test")
	return p
}

// signingSite is a site that asks for proof, and believes only signatures.
func signingSite(t testing.TB, p *people, relay string, change func(*Options)) (*site, *keyring.Keyring) {
	return signingSiteOn(t, storetest.SQLite(t), p, relay, change)
}

func signingSiteOn(t testing.TB, s *store.Store, p *people, relay string, change func(*Options)) (*site, *keyring.Keyring) {
	keys := keyring.New(s, func() time.Time { return now })
	x := newSite(t, s, relay, func(o *Options) {
		o.Trust, o.Keys, o.Sign = trust.Policy{Inbound: trust.Verify}, keys, true
		if change != nil {
			change(o)
		}
	})
	if _, err := keys.Trust(t.Context(), store.Site, p.ca.Cert.Raw); err != nil {
		t.Fatal(err)
	}
	return x, keys
}

// mailOf is a mail around a MIME entity.
func mailOf(from, id string, entity []byte) []byte {
	return append([]byte("From: "+from+"\r\nTo: ann@one.test\r\nMessage-ID: <"+id+"@two.test>\r\nMIME-Version: 1.0\r\n"), entity...)
}

func calendarPart(method string, data []byte) []byte {
	return append([]byte("Content-Type: text/calendar; method="+method+"; charset=UTF-8\r\n\r\n"), data...)
}

func signedBy(t testing.TB, entity []byte, at time.Time, ids ...*certs.Identity) []byte {
	t.Helper()
	var signers []cms.Signer
	for _, id := range ids {
		signers = append(signers, cms.Signer{Key: id.Key, Chain: id.Chain})
	}
	out, err := smime.Sign(entity, signers, at)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSignedMail(t *testing.T) {
	p := newPeople(t)
	dansOwn := []string{"ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"}
	request := func(more ...string) []byte {
		return calendarPart("REQUEST", object("REQUEST", "theirs", append(dansOwn[:2:2], more...)...))
	}
	cancel := calendarPart("CANCEL", object("CANCEL", "theirs", append(dansOwn[:2:2], "STATUS:CANCELLED", "SEQUENCE:9")...))
	moved := bytes.Replace(object("REQUEST", "theirs", append(dansOwn[:2:2], "LOCATION:elsewhere")...), []byte("SEQUENCE:0"), []byte("SEQUENCE:1"), 1)
	dayAgo := now.AddDate(0, 0, -1)
	changed := func(entity []byte, old, new string) []byte {
		return bytes.Replace(entity, []byte(old), []byte(new), 1)
	}
	opaque := func(id *certs.Identity, entity []byte) []byte {
		data, err := cms.Sign(entity, []cms.Signer{{Key: id.Key, Chain: id.Chain}}, cms.SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: binary\r\n\r\n"), data...)
	}
	mixed := func(parts ...[]byte) []byte {
		return []byte("Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n" + string(bytes.Join(parts, []byte("\r\n--outer\r\n"))) + "\r\n--outer--\r\n")
	}
	for _, c := range []struct {
		name   string
		first  bool // dan's signed invitation came before
		from   string
		entity []byte
		want   string
	}{
		{"the organizer signs", false, "dan@two.test", signedBy(t, request(), dayAgo, p.dan), "REQUEST:applied"},
		{"the organizer signs, and a list sends it on", false, "list@lists.test", signedBy(t, request(), dayAgo, p.dan), "REQUEST:applied"},
		{"opaque", false, "dan@two.test", opaque(p.dan, request()), "REQUEST:applied"},
		{"a second signature around it", false, "list@lists.test", signedBy(t, signedBy(t, request(), dayAgo, p.dan), dayAgo, p.eve), "REQUEST:applied"},
		{"two signers", false, "dan@two.test", signedBy(t, request(), dayAgo, p.eve, p.dan), "REQUEST:applied"},
		{"unsigned", false, "dan@two.test", request(), "REQUEST:held!unverified"},
		{"unsigned after he signed", true, "dan@two.test", request("LOCATION:elsewhere", "SEQUENCE:1"), "REQUEST:held!unsigned-now"},
		{"unsigned after he signed, without an organizer", true, "dan@two.test", calendarPart("CANCEL", object("CANCEL", "theirs", "STATUS:CANCELLED", "SEQUENCE:9")), "CANCEL:held!unsigned-now"},
		{"unsigned after he signed, an answer behind another's", true, "dan@two.test", calendarPart("REPLY", object("REPLY", "ours", "ORGANIZER:mailto:ann@one.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:sam@two.test", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:dan@two.test")), "REPLY:held!unsigned-now"},
		{"changed after it was signed", false, "dan@two.test", changed(signedBy(t, request(), dayAgo, p.dan), "Planning", "Plotting"), "REQUEST:held!bad-signature"},
		{"a certificate of an unknown authority", false, "dan@two.test", signedBy(t, request(), dayAgo, p.fake), "REQUEST:held!unverified"},
		{"signed by another than the organizer", false, "dan@two.test", signedBy(t, request(), dayAgo, p.eve), "REQUEST:held!signer-mismatch"},
		{"signed by the sender, who is not the organizer", false, "eve@evil.test", signedBy(t, request(), dayAgo, p.eve), "REQUEST:held!"},
		{"the signed part and another calendar beside it", false, "dan@two.test", mixed(signedBy(t, []byte("Content-Type: text/plain\r\n\r\nHello\r\n"), dayAgo, p.dan), request()), "REQUEST:held!unverified"},
		{"a colleague cancels and signs", true, "sam@two.test", signedBy(t, cancel, dayAgo, p.sam), "CANCEL:held!"},
		{"the organizer cancels and signs", true, "dan@two.test", signedBy(t, cancel, dayAgo, p.dan), "CANCEL:applied"},
		{"a cancellation signed long ago", true, "dan@two.test", signedBy(t, cancel, now.AddDate(0, -3, 0), p.dan), "CANCEL:held!old-signature"},
		{"the organizer moves it and signs", true, "dan@two.test", signedBy(t, calendarPart("REQUEST", moved), dayAgo, p.dan), "REQUEST:applied"},
		{"the organizer's key signs for another organizer", false, "dan@two.test", signedBy(t, calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:carl@two.test", "ATTENDEE:mailto:ann@one.test")), dayAgo, p.dan), "REQUEST:held!"},
		{"a signature that is garbage", false, "dan@two.test", changed(signedBy(t, request(), dayAgo, p.dan), "\r\n\r\nMI", "\r\n\r\nAA"), "REQUEST:held!bad-signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, _ := signingSite(t, p, "", nil)
			envelope := Envelope{From: "bounce@lists.test", To: []string{"ann@one.test"}}
			if c.first {
				rows, err := x.mail.Intake(t.Context(), mailOf("dan@two.test", "first", signedBy(t, request(), dayAgo, p.dan)), envelope)
				if err != nil || states(rows) != "REQUEST:applied" {
					t.Fatalf("the invitation: %s %q, %v", states(rows), rows[0].Sentence, err)
				}
			}
			rows, err := x.mail.Intake(t.Context(), mailOf(c.from, "second", c.entity), envelope)
			if err != nil {
				t.Fatal(err)
			}
			if got := states(rows); !strings.HasPrefix(got, c.want) || !strings.HasSuffix(rows[0].Sentence, ".") {
				t.Errorf("%s %q, want %s", got, rows[0].Sentence, c.want)
			}
		})
	}
}

// One signed mail does not decide how the mail of others is taken whom its
// certificate names beside its writer.
func TestACertificateCountsForItsWriter(t *testing.T) {
	p := newPeople(t)
	both := p.ca.Issue(t, "p256", nil, "eve@evil.test", "dan@two.test")
	x, keys := signingSite(t, p, "", nil)
	request := func(who string) []byte {
		return calendarPart("REQUEST", object("REQUEST", who, "ORGANIZER:mailto:"+who, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	}
	if _, err := x.mail.Intake(t.Context(), mailOf("eve@evil.test", "eves", signedBy(t, request("eve@evil.test"), now, both)), Envelope{To: []string{"ann@one.test"}}); err != nil {
		t.Fatal(err)
	}
	set, err := keys.For(t.Context(), x.ann.ID)
	if err != nil || !set.Signs("eve@evil.test") || set.Signs("dan@two.test") {
		t.Errorf("eve %v, dan %v, %v", set.Signs("eve@evil.test"), set.Signs("dan@two.test"), err)
	}
}

func TestEncryptedMailIsOpened(t *testing.T) {
	p := newPeople(t)
	x, keys := signingSite(t, p, "", nil)
	own, err := keys.Generate(t.Context(), x.ann.ID, "Ann", []string{"ann@one.test"}, "ec")
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.For(t.Context(), x.ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := set.Signer("ann@one.test")
	if smime.Fingerprint(signer.Chain[0]) != own.Fingerprint {
		t.Fatal("not the key just made")
	}
	request := calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	sealed, err := smime.Encrypt(signedBy(t, request, now, p.dan), signer.Chain[:1], cms.AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{"ann@one.test": "REQUEST:applied", "rob@one.test": ":ignored!encrypted"} {
		rows, err := x.mail.Intake(t.Context(), mailOf("dan@two.test", "sealed", sealed), Envelope{From: "dan@two.test", To: []string{to}})
		if err != nil || states(rows) != want {
			t.Errorf("to %s: %s %q, %v; want %s", to, states(rows), rows[0].Sentence, err, want)
		}
	}
}

func TestOutgoingMailIsSignedAndEncrypted(t *testing.T) {
	p := newPeople(t)
	relay := startRelay(t, nil)
	x, keys := signingSite(t, p, "smtp://"+relay.addr+"?tls=none", func(o *Options) { o.Encrypt = encryptPossible })
	if _, err := keys.Generate(t.Context(), x.ann.ID, "Ann", []string{"ann@one.test"}, "ec"); err != nil {
		t.Fatal(err)
	}
	if err := keys.Collect(t.Context(), x.ann.ID, p.dan.Cert, []string{"dan@two.test"}); err != nil {
		t.Fatal(err)
	}
	dan := func(protocol string, data []byte) ([]byte, bool, []*imip.Signature, error) {
		e, err := cms.Decrypt(data, []cms.Key{{Private: p.dan.Key, Certificate: p.dan.Cert}})
		if err != nil {
			return nil, false, nil, err
		}
		return e.Content, e.Authenticated, nil, nil
	}
	set, err := keys.For(t.Context(), x.ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	for to, encrypted := range map[string]bool{"dan@two.test": true, "ben@two.test": false} {
		if o := x.one(t, x.due(t, "u-"+to, to)); o.State != journal.Sent {
			t.Fatalf("%s: %+v", to, o)
		}
		raw := relay.got()[len(relay.got())-1].raw
		read, err := imip.Reader{Open: dan}.Parse(raw)
		if err != nil || len(read.Found) != 1 || read.Encrypted != encrypted {
			t.Fatalf("%s: %d objects, encrypted %v, %v\n%s", to, len(read.Found), read.Encrypted, err, raw)
		}
		sigs := checkSignatures(set, read.Found[0].Signatures, nil, newBearers())
		if len(sigs) != 1 || sigs[0].Standing != smime.Trusted || sigs[0].Addresses[0] != "mailto:ann@one.test" {
			t.Errorf("%s: %+v", to, sigs)
		}
		if encrypted && bytes.Contains(raw, []byte("VCALENDAR")) {
			t.Errorf("%s: the calendar is readable", to)
		}
	}
}

func TestSettingsOfAnAccountDecide(t *testing.T) {
	p := newPeople(t)
	relay := startRelay(t, nil)
	x, keys := signingSite(t, p, "smtp://"+relay.addr+"?tls=none", nil)
	if _, err := keys.Generate(t.Context(), x.ann.ID, "Ann", []string{"ann@one.test"}, "ec"); err != nil {
		t.Fatal(err)
	}
	set := func(settings string) {
		t.Helper()
		x.ann.Settings = []byte(settings)
		if err := x.store.Update(t.Context(), func(tx *store.Tx) error { return tx.UpdateAccount(x.ann) }); err != nil {
			t.Fatal(err)
		}
	}
	set(`{"sign-mail":false}`)
	if o := x.one(t, x.due(t, "plain", "dan@two.test")); o.State != journal.Sent || bytes.Contains(relay.got()[0].raw, []byte("multipart/signed")) {
		t.Errorf("signed against the user's will: %+v", o)
	}
	set(`{"encrypt-mail":"always"}`)
	if o := x.one(t, x.due(t, "sealed", "dan@two.test")); o.State != journal.Failed || !strings.Contains(o.Sentence, "no certificate of dan@two.test") {
		t.Errorf("sent without the encryption that is asked for: %+v", o)
	}
	if _, err := keys.Trust(t.Context(), x.ann.ID, p.dan.Cert.Raw); err != nil {
		t.Fatal(err)
	}
	if o := x.one(t, x.due(t, "sealed2", "dan@two.test")); o.State != journal.Sent {
		t.Errorf("with the certificate: %+v", o)
	}
}

// A mail that no server of ours has checked is checked here.
func TestDKIMIsCheckedHere(t *testing.T) {
	key, record := dkimKey(t)
	dns := dkimZone{"s1._domainkey.two.test": record, "_dmarc.two.test": "v=DMARC1; p=reject"}
	request := mailOf("dan@two.test", "dkim", calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")))
	good := dkimSign(t, key, request, "two.test")
	// An earlier invitation of his with another calendar among the fields, which no signature covers.
	other := bytes.TrimSpace(object("REQUEST", "smuggled", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	among := bytes.Replace(good, []byte("\r\n\r\nBEGIN"), append(append([]byte("\r\n"), other...), "\r\n\r\nBEGIN"...), 1)
	above := append(append([]byte("From: dan@two.test\r\nContent-Type: text/calendar; method=REQUEST\r\n"), other...), append([]byte("\r\n"), good...)...)
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"unsigned", request, "REQUEST:held!unverified"},
		{"signed by his domain", good, "REQUEST:applied"},
		{"changed after it was signed", bytes.Replace(good, []byte("Planning"), []byte("Plotting"), 1), "REQUEST:held!unverified"},
		{"a forged Authentication-Results", append([]byte("Authentication-Results: mx.one.test; dmarc=pass header.from=two.test\r\n"), request...), "REQUEST:held!unverified"},
		{"another calendar among the fields of a signed mail", among, "REQUEST:held!unverified"},
		{"another calendar above the fields of a signed mail", above, "REQUEST:held!unverified REQUEST:held!unverified"},
		{"signed by another domain", dkimSign(t, key, request, "evil.test"), "REQUEST:held!unverified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newSite(t, sqlite(t), "", func(o *Options) {
				o.Trust = trust.Policy{Inbound: trust.Verify}
				o.Check = mailauth.New(dns, time.Now)
			})
			rows, err := x.mail.Intake(t.Context(), c.raw, Envelope{From: "dan@two.test", To: []string{"ann@one.test"}})
			if err != nil || states(rows) != c.want {
				t.Errorf("%s %q, %v; want %s", states(rows), rows[0].Sentence, err, c.want)
			}
		})
	}
}

// What goes out bears the signature of the organizer's domain.
func TestOutgoingMailHasADKIMSignature(t *testing.T) {
	key, record := dkimKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := mailauth.NewSigner("s1", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) { o.DKIM = signer })
	if o := x.one(t, x.due(t, "u1", "dan@two.test")); o.State != journal.Sent {
		t.Fatalf("%+v", o)
	}
	checker := mailauth.New(dkimZone{"s1._domainkey.one.test": record, "_dmarc.one.test": "v=DMARC1; p=reject"}, time.Now)
	for _, r := range checker.Check(t.Context(), relay.got()[0].raw, "one.test", mailauth.Connection{}) {
		if r.Value != "pass" {
			t.Errorf("%+v", r)
		}
	}
	if !bytes.Contains(relay.got()[0].raw, []byte("DKIM-Signature:")) {
		t.Error("not signed")
	}
}

// An old signed message that somebody sends again, or one that was never for
// ann, does not make its signer's own mail be held.
func TestReplayedSignaturesTeachNothing(t *testing.T) {
	p := newPeople(t)
	request := func(uid string, lines ...string) []byte {
		return calendarPart("REQUEST", object("REQUEST", uid, append(lines, "ORGANIZER:mailto:dan@two.test")...))
	}
	const ann = "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"
	for _, c := range []struct {
		name    string
		first   []byte
		learned bool
	}{
		{"a fresh one that is applied", signedBy(t, request("u1", ann), now.AddDate(0, 0, -1), p.dan), true},
		{"one signed half a year ago", signedBy(t, request("u1", ann), now.AddDate(0, -6, 0), p.dan), false},
		{"one for somebody else", signedBy(t, request("u1", "ATTENDEE:mailto:cat@two.test"), now.AddDate(0, 0, -1), p.dan), false},
		{"one that somebody changed", bytes.Replace(signedBy(t, request("u1", ann), now.AddDate(0, 0, -1), p.dan), []byte("Planning"), []byte("Plotting"), 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, keys := signingSite(t, p, "", func(o *Options) { o.Trust.AuthservIDs = []string{"mx.our.test"} })
			x.take(t, mailOf("dan@two.test", "first", c.first), "eve@evil.test", "ann@one.test")
			set, err := keys.For(t.Context(), x.ann.ID)
			if err != nil || set.Signs("dan@two.test") != c.learned {
				t.Errorf("dan signs: %v, %v", set.Signs("dan@two.test"), err)
			}
			own := append([]byte("Authentication-Results: mx.our.test; dmarc=pass header.from=two.test\r\n"), mailOf("dan@two.test", "second", request("u2", ann))...)
			if e := x.take(t, own, "dan@two.test", "ann@one.test"); (e.State == stateApplied) == c.learned {
				t.Errorf("his next mail is %s: %q", e.State, e.Sentence)
			}
		})
	}
}

// With mail.pin-first the first certificate of somebody whose domain vouches for
// the mail is believed, and no other after it.
func TestPinningOnFirstUse(t *testing.T) {
	p := newPeople(t)
	second := certs.CA(t, "Another").Issue(t, "p256", nil, "dan@two.test")
	request := func(uid string) []byte {
		return calendarPart("REQUEST", object("REQUEST", uid, "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	}
	mail := func(from, uid, vouched string, id *certs.Identity) []byte {
		raw := mailOf(from, uid, signedBy(t, request(uid), now, id))
		if vouched != "" {
			raw = append([]byte("Authentication-Results: mx.our.test; dmarc=pass header.from="+vouched+"\r\n"), raw...)
		}
		return raw
	}
	for _, c := range []struct {
		name   string
		pin    bool
		first  []byte
		pinned bool
	}{
		{"proven by his domain", true, mail("dan@two.test", "a", "two.test", p.fake), true},
		{"not the site's way", false, mail("dan@two.test", "a", "two.test", p.fake), false},
		{"proven by nobody", true, mail("dan@two.test", "a", "", p.fake), false},
		{"in the name of another", true, mail("sam@two.test", "a", "two.test", p.fake), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, _ := signingSite(t, p, "", func(o *Options) {
				o.Trust.AuthservIDs, o.PinFirst = []string{"mx.our.test"}, c.pin
			})
			x.take(t, c.first, "dan@two.test", "ann@one.test")
			// Without his domain's word the certificate alone has to do.
			if e := x.take(t, mail("dan@two.test", "b", "", p.fake), "dan@two.test", "ann@one.test"); (e.State == stateApplied) != c.pinned {
				t.Errorf("the next with that certificate: %s %q", e.State, e.Sentence)
			}
			if !c.pinned {
				return
			}
			if e := x.take(t, mail("dan@two.test", "c", "two.test", second), "dan@two.test", "ann@one.test"); e.State != stateHeld || e.Reason != "unsigned-now" {
				t.Errorf("another certificate: %s %s %q", e.State, e.Reason, e.Sentence)
			}
		})
	}
}

// Whoever has to decide about a refused signature is told by which certificate
// it was made, at every place where the refusal is shown.
func TestRefusalsNameTheCertificate(t *testing.T) {
	p := newPeople(t)
	request := calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	with := func(change func(*x509.Certificate), addresses ...string) *certs.Identity {
		return p.ca.Issue(t, "p256", change, addresses...)
	}
	revoked := with(nil, "dan@two.test")
	for _, c := range []struct {
		name, why, address, issuer string
		id                         *certs.Identity
	}{
		{"expired", "ran out on", "dan@two.test", "Known CA", with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1) }, "dan@two.test")},
		{"not yet valid", "is not valid before", "dan@two.test", "Known CA", with(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, 2), now.AddDate(1, 0, 0) }, "dan@two.test")},
		{"revoked", "list of revoked certificates", "dan@two.test", "Known CA", revoked},
		{"not for mail", "is not for mail", "dan@two.test", "Known CA", with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "dan@two.test")},
		{"not for signing", "is not for signing", "dan@two.test", "Known CA", with(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, "dan@two.test")},
		{"no address", "names no mail address", "no mail address", "Known CA", with(nil)},
		{"another's address", "who is not the organizer dan@two.test", "eve@evil.test", "Known CA", p.eve},
		{"an issuer nobody knows", "nobody here vouches for that issuer", "dan@two.test", "Unknown CA", p.fake},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, keys := signingSite(t, p, "", nil)
			if c.id == revoked {
				if _, err := keys.Trust(t.Context(), x.ann.ID, c.id.Cert.Raw); err != nil {
					t.Fatal(err)
				}
				if _, err := keys.Revoke(t.Context(), x.ann.ID, smime.Fingerprint(c.id.Cert)); err != nil {
					t.Fatal(err)
				}
			}
			e := x.take(t, mailOf("dan@two.test", "m", signedBy(t, request, now.AddDate(0, 0, -1), c.id)), "dan@two.test", "ann@one.test")
			r := recordOf(&e)
			for where, sentence := range map[string]string{"journal": e.Sentence, "sign": r.Show("mailto:dan@two.test").Sentence} {
				for _, want := range []string{map[string]string{"journal": c.why}[where], c.address, "“" + c.issuer + "”", "valid from " + c.id.Cert.NotBefore.UTC().Format("2 January 2006") + " to " + c.id.Cert.NotAfter.UTC().Format("2 January 2006"), smime.Fingerprint(c.id.Cert)[:16]} {
					if e.State != stateHeld || !strings.Contains(sentence, want) {
						t.Errorf("%s, %s: %q lacks %q", e.State, where, sentence, want)
					}
				}
			}
		})
	}
}
