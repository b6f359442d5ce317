package mail

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// signatureOf is the one signature around the calendar object of a mail, as
// somebody sees it who believes roots.
func signatureOf(t *testing.T, raw []byte, roots ...*certs.Identity) (trust.Signature, string) {
	t.Helper()
	read, err := imip.Parse(raw, imip.Limits{})
	if err != nil || len(read.Found) != 1 {
		t.Fatalf("%v\n%s", err, raw)
	}
	set := &keyring.Set{Authority: smime.Authority{Now: now}}
	for _, r := range roots {
		set.Authority.Roots = append(set.Authority.Roots, r.Cert)
	}
	sigs := checkSignatures(set, read.Found[0].Signatures, nil, newBearers())
	organizer := read.Found[0].Calendar.Main()[0].Prop("ORGANIZER").Address().Email()
	if len(sigs) == 0 {
		return trust.Signature{}, organizer
	}
	return sigs[0], organizer
}

// Where an address made for the guest stands as ORGANIZER, the signer is that
// address: recipients hold the one against the other (RFC 6047 3).
func TestMailFromTheServicesAddressesIsSigned(t *testing.T) {
	var keys *keyring.Keyring
	var site []keyring.Key
	m := invite(t, func(o *Options) {
		agents(o)
		keys = keyring.New(o.Store, func() time.Time { return now })
		o.Keys, o.Sign = keys, true
		if _, err := keys.GenerateService(t.Context(), o.Domains, "ec"); err != nil {
			t.Fatal(err)
		}
		var err error
		if site, err = keys.List(t.Context(), store.Site); err != nil || len(site) != 2 {
			t.Fatalf("%+v, %v", site, err)
		}
	})
	root := &certs.Identity{}
	for _, k := range site {
		if k.Role != keyring.Authority {
			continue
		}
		text, err := keys.Export(t.Context(), store.Site, k.Fingerprint, "")
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		if root.Cert, err = x509.ParseCertificate(block.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	first, organizer := signatureOf(t, m.sent.raw, root)
	if first.Standing != smime.Trusted || len(first.Addresses) != 1 || first.Addresses[0].Email() != organizer || !strings.HasPrefix(organizer, agentPrefix) {
		t.Fatalf("%s: %+v", organizer, first)
	}
	if unknown, _ := signatureOf(t, m.sent.raw); unknown.Standing != smime.Unknown {
		t.Errorf("without the authority: %+v", unknown)
	}
	// An update is by the same certificate, which the guest's side may remember; another guest's is another's.
	m.put(t, "own", annOrganizes, benAsked, "LOCATION:elsewhere", "SEQUENCE:1")
	m.put(t, "another", annOrganizes, benAsked)
	for _, mail := range m.out(t, m.relay) {
		s, who := signatureOf(t, mail.raw, root)
		if s.Standing != smime.Trusted || s.Addresses[0].Email() != who || (s.Fingerprint == first.Fingerprint) != (who == organizer) {
			t.Errorf("%s: %+v", who, s)
		}
	}
	// Letters of the postmaster's bear one too.
	set, err := keys.For(t.Context(), m.ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok, err := set.ServiceSigner("postmaster@one.test", time.Time{}); err != nil || !ok || smime.Addresses(s.Chain[0])[0] != "postmaster@one.test" {
		t.Errorf("%v, %v", ok, err)
	}
	if _, ok, _ := set.ServiceSigner("postmaster@two.test", time.Time{}); ok {
		t.Error("the service signs for a domain that is not its own")
	}
	// After three years the next certificate begins where the last ends.
	s, _, _ := set.ServiceSigner("cal+x@one.test", now)
	set.Authority.Now = s.Chain[0].NotAfter
	if next, ok, err := set.ServiceSigner("cal+x@one.test", now); err != nil || !ok || !next.Chain[0].NotBefore.Equal(s.Chain[0].NotAfter) {
		t.Errorf("%v, %v", ok, err)
	}
	// Who wants no signatures has none, and a key that was taken back signs nothing.
	for _, k := range site {
		if k.Role == keyring.Service {
			if _, err := keys.Revoke(t.Context(), store.Site, k.Fingerprint); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.put(t, "third", annOrganizes, benAsked)
	for _, mail := range m.out(t, m.relay) {
		if s, _ := signatureOf(t, mail.raw, root); s.Standing != "" {
			t.Errorf("a revoked key signs: %+v", s)
		}
	}
}

// A person who writes from another address than the event names: a key for the
// one that the event names counts, and one for the other alone is left away,
// since recipients would take the signer for a stranger.
func TestSignerIsWhoSpeaks(t *testing.T) {
	for _, c := range []struct {
		name, key, want string
		both            bool
	}{
		{"a key for the mail's author alone", "ann@one.test", "", false},
		{"a key for the organizer", "ann@home.test", "ann@home.test", false},
		{"a key for both", "ann@one.test", "ann@home.test", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			relay := startRelay(t, nil)
			x, keys := signingSite(t, newPeople(t), "smtp://"+relay.addr+"?tls=none", nil)
			x.journal.Use(x.mail)
			addresses := []string{c.key}
			if c.both {
				addresses = []string{"ann@one.test", "ann@home.test"}
			}
			if err := x.mail.o.Accounts.SetAddresses(t.Context(), x.ann.ID, []ical.Address{"mailto:ann@one.test", "mailto:ann@home.test"}); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.Generate(t.Context(), x.ann.ID, "Ann", addresses, "ec"); err != nil {
				t.Fatal(err)
			}
			x.put(t, "own", "ORGANIZER:mailto:ann@home.test", benAsked)
			mails := x.out(t, relay)
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			s, organizer := signatureOf(t, mails[0].raw)
			named := ""
			for _, a := range s.Addresses {
				if a.Email() == organizer {
					named = organizer
				}
			}
			if named != c.want || (s.Standing == "") != (c.want == "") {
				t.Errorf("%s: %+v", organizer, s)
			}
		})
	}
}
