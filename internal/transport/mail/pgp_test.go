package mail

import (
	"bytes"
	"encoding/base64"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"io"
	"strings"
	"testing"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/trust"
)

func pgpKey(t *testing.T, name, address string) (*pgp.Key, []byte) {
	t.Helper()
	k, err := pgp.Generate(name, address, now.AddDate(0, -1, 0))
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	return k, public
}

func TestOpenPGPMail(t *testing.T) {
	dan, dansKey := pgpKey(t, "Dan", "dan@two.test")
	eve, _ := pgpKey(t, "Dan", "dan@two.test") // says to be dan
	request := calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	sign := func(k *pgp.Key, entity []byte) []byte {
		t.Helper()
		out, err := pgp.Sign(entity, k, now)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, c := range []struct {
		name   string
		entity []byte
		revoke bool
		want   string
	}{
		{"signed by dan", sign(dan, request), false, "REQUEST:applied"},
		{"changed", bytes.Replace(sign(dan, request), []byte("Planning"), []byte("Plotting"), 1), false, "REQUEST:held!bad-signature"},
		{"a key that says to be dan's", sign(eve, request), false, "REQUEST:held!unsigned-now"},
		{"unsigned", request, false, "REQUEST:held!unsigned-now"},
		{"revoked", sign(dan, request), true, "REQUEST:held!revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, keys := signingSite(t, newPeople(t), "", nil)
			trusted, err := keys.Trust(t.Context(), x.ann.ID, dansKey)
			if err != nil || len(trusted) != 1 || trusted[0].Role != keyring.Person || trusted[0].Addresses[0] != "dan@two.test" {
				t.Fatalf("%+v, %v", trusted, err)
			}
			if c.revoke {
				if _, err := keys.Revoke(t.Context(), x.ann.ID, trusted[0].Fingerprint); err != nil {
					t.Fatal(err)
				}
			}
			rows, err := x.mail.Intake(t.Context(), mailOf("dan@two.test", "pgp", c.entity), Envelope{From: "dan@two.test", To: []string{"ann@one.test"}})
			if err != nil || states(rows) != c.want {
				t.Errorf("%s %q, %v; want %s", states(rows), rows[0].Sentence, err, c.want)
			}
		})
	}
}

// An account whose only key is OpenPGP signs with it, and encrypts to people
// who have one; what comes encrypted is opened.
func TestOpenPGPBothWays(t *testing.T) {
	dan, dansKey := pgpKey(t, "Dan", "dan@two.test")
	relay := startRelay(t, nil)
	x, keys := signingSite(t, newPeople(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) { o.Encrypt = encryptPossible })
	own, err := keys.Generate(t.Context(), x.ann.ID, "Ann", []string{"ann@one.test"}, "pgp")
	if err != nil || own.Protocol != imip.PGP || own.Subject == "" {
		t.Fatalf("%+v, %v", own, err)
	}
	if _, err := keys.Trust(t.Context(), x.ann.ID, dansKey); err != nil {
		t.Fatal(err)
	}
	public, err := keys.Export(t.Context(), x.ann.ID, own.Fingerprint, "")
	if err != nil {
		t.Fatal(err)
	}
	anns, err := pgp.ParseKeys(public, "")
	if err != nil {
		t.Fatal(err)
	}
	open := func(protocol string, data []byte) ([]byte, bool, []*imip.Signature, error) {
		entity, signature, err := pgp.Decrypt(data, []*pgp.Key{dan})
		return entity, true, []*imip.Signature{{Protocol: protocol, Content: entity, Value: signature}}, err
	}
	for to, encrypted := range map[string]bool{"dan@two.test": true, "ben@two.test": false} {
		if o := x.one(t, x.due(t, "u-"+to, to)); o.State != journal.Sent {
			t.Fatalf("%s: %+v", to, o)
		}
		raw := relay.got()[len(relay.got())-1].raw
		read, err := imip.Reader{Open: open}.Parse(raw)
		if err != nil || len(read.Found) != 1 || read.Encrypted != encrypted || len(read.Found[0].Signatures) != 1 {
			t.Fatalf("%s: %+v, %v\n%s", to, read, err, raw)
		}
		s := read.Found[0].Signatures[0]
		if r := pgp.Verify(s.Content, s.Value, anns, now); r.Err != nil {
			t.Errorf("%s: %v", to, r.Err)
		}
	}
	request := calendarPart("REQUEST", object("REQUEST", "theirs", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
	sealed, err := pgp.Encrypt(request, anns, dan, now)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.mail.Intake(t.Context(), mailOf("dan@two.test", "sealed", sealed), Envelope{From: "dan@two.test", To: []string{"ann@one.test"}})
	if err != nil || states(rows) != "REQUEST:applied" {
		t.Errorf("%s %q, %v", states(rows), rows[0].Sentence, err)
	}
	if sig := recordOf(&rows[0]).Signatures; len(sig) != 1 || sig[0].Standing != smime.Trusted || recordOf(&rows[0]).Level != trust.T3.String() {
		t.Errorf("%+v", sig)
	}
}

// The first OpenPGP key that somebody's proven mail brings along is theirs from
// then on, where the site says so, as with certificates.
func TestPinningAKeyOnFirstUse(t *testing.T) {
	dan, dansKey := pgpKey(t, "Dan", "dan@two.test")
	other, othersKey := pgpKey(t, "Dan", "dan@two.test")
	sam, samsKey := pgpKey(t, "Sam", "sam@two.test")
	mail := func(from, uid, vouched string, k *pgp.Key, brings []byte, autocrypt bool) []byte {
		entity := calendarPart("REQUEST", object("REQUEST", uid, "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
		head := ""
		switch {
		case autocrypt:
			block, err := armor.Decode(bytes.NewReader(brings))
			if err != nil {
				t.Fatal(err)
			}
			binary, err := io.ReadAll(block.Body)
			if err != nil {
				t.Fatal(err)
			}
			head = "Autocrypt: addr=" + from + "; prefer-encrypt=mutual; keydata=" + base64.StdEncoding.EncodeToString(binary) + "\r\n"
		case brings != nil:
			entity = []byte("Content-Type: multipart/mixed; boundary=k\r\n\r\n--k\r\n" + string(entity) + "\r\n--k\r\nContent-Type: application/pgp-keys; name=key.asc\r\n\r\n" + string(brings) + "\r\n--k--\r\n")
		}
		signed, err := pgp.Sign(entity, k, now)
		if err != nil {
			t.Fatal(err)
		}
		if vouched != "" {
			head += "Authentication-Results: mx.our.test; dmarc=pass header.from=" + vouched + "\r\n"
		}
		return append([]byte(head), mailOf(from, uid, signed)...)
	}
	for _, c := range []struct {
		name   string
		pin    bool
		first  []byte
		pinned bool
	}{
		{"as a part", true, mail("dan@two.test", "a", "two.test", dan, dansKey, false), true},
		{"in the field", true, mail("dan@two.test", "a", "two.test", dan, dansKey, true), true},
		{"not the site's way", false, mail("dan@two.test", "a", "two.test", dan, dansKey, false), false},
		{"proven by nobody", true, mail("dan@two.test", "a", "", dan, dansKey, false), false},
		{"without the key", true, mail("dan@two.test", "a", "two.test", dan, nil, false), false},
		{"with another's key", true, mail("dan@two.test", "a", "two.test", dan, samsKey, false), false},
		{"signed by another, who brings his key", true, mail("dan@two.test", "a", "two.test", sam, samsKey, false), false},
		{"in the name of another", true, mail("sam@two.test", "a", "two.test", dan, dansKey, false), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, keys := signingSite(t, newPeople(t), "", func(o *Options) {
				o.Trust.AuthservIDs, o.PinFirst = []string{"mx.our.test"}, c.pin
			})
			x.take(t, c.first, "dan@two.test", "ann@one.test")
			// Without his domain's word the key alone has to do.
			if e := x.take(t, mail("dan@two.test", "b", "", dan, nil, false), "dan@two.test", "ann@one.test"); (e.State == stateApplied) != c.pinned {
				t.Errorf("the next with that key: %s %q", e.State, e.Sentence)
			}
			if !c.pinned {
				return
			}
			// Nobody takes the first one's place, not even with the domain's word.
			if e := x.take(t, mail("dan@two.test", "c", "two.test", other, othersKey, false), "dan@two.test", "ann@one.test"); e.State != stateHeld || e.Reason != "unsigned-now" || !strings.Contains(e.Sentence, other.Fingerprint()) {
				t.Errorf("another key: %s %s %q", e.State, e.Reason, e.Sentence)
			}
			if _, err := keys.Revoke(t.Context(), x.ann.ID, dan.Fingerprint()); err != nil {
				t.Fatal(err)
			}
			if e := x.take(t, mail("dan@two.test", "d", "two.test", dan, dansKey, false), "dan@two.test", "ann@one.test"); e.State != stateHeld || e.Reason != "revoked" {
				t.Errorf("revoked, and brought again: %s %s %q", e.State, e.Reason, e.Sentence)
			}
		})
	}
}
