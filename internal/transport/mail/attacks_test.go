package mail

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/arcseal"
	"github.com/convene-cal/convene/internal/harness/certs"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/mailauth"
	"github.com/convene-cal/convene/internal/trust"
)

// Attacks on a site that checks everything: DKIM and DMARC itself, signatures
// by a known authority. ann has an event of dan's ("theirs") and organizes one
// with ben ("own"). Nothing of what follows may change either, or bring a third
// event into her calendar; each must leave a sentence.
func TestAttacks(t *testing.T) {
	p := newPeople(t)
	evilKey, evilRecord := dkimKey(t)
	twoKey, twoRecord := dkimKey(t)
	dns := dkimZone{"s1._domainkey.evil.test": evilRecord, "_dmarc.evil.test": "v=DMARC1; p=none", "s1._domainkey.two.test": twoRecord, "_dmarc.two.test": "v=DMARC1; p=reject",
		"s1._domainkey.xn--tw-fka.test": evilRecord, "s1._domainkey.two.test.evil.test": evilRecord}
	listKey, listRecord := dkimKey(t)
	dns["s1._domainkey.lists.test"] = listRecord
	sealed := func(key ed25519.PrivateKey, raw []byte, domain, results string) []byte {
		return []byte(arcseal.Seal(t, key, string(raw), 1, domain, results, "none"))
	}
	const said = "mx.lists.test; dmarc=pass header.from=two.test"
	const dans, anns = "ORGANIZER:mailto:dan@two.test", "ORGANIZER:mailto:ann@one.test"
	const ben, ann = "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@two.test", "ATTENDEE:mailto:ann@one.test"
	at := now.AddDate(0, 0, -1)
	mail := func(header, method string, data []byte) []byte {
		return append([]byte(header+"To: ann@one.test\r\nMessage-ID: <x@evil.test>\r\nMIME-Version: 1.0\r\nSubject: x\r\nContent-Type: text/calendar; method="+method+"\r\n\r\n"), data...)
	}
	from := func(who, method, uid string, lines ...string) []byte {
		return mail("From: "+who+"\r\n", method, object(method, uid, lines...))
	}
	moved := func(uid, organizer string) []byte {
		return bytes.Replace(object("REQUEST", uid, organizer, ann, "LOCATION:elsewhere"), []byte("SEQUENCE:0"), []byte("SEQUENCE:9"), 1)
	}
	cancelled := []string{dans, ann, "STATUS:CANCELLED"}
	evil := func(raw []byte) []byte { return dkimSign(t, evilKey, raw, "evil.test") }
	good := func(raw []byte) []byte { return dkimSign(t, twoKey, raw, "two.test") }
	entity := func(method string, data []byte) []byte { return calendarPart(method, data) }
	many := p.ca.Issue(t, "p256", nil, "eve@evil.test", "eve@two.test")
	selfMade := certs.CA(t, "Eve's own").Issue(t, "p256", nil, "dan@two.test", "ann@one.test")
	commonName := p.ca.Issue(t, "p256", nil, "eve@evil.test")
	opaque := func(id *certs.Identity, inner []byte) []byte {
		data, err := cms.Sign(inner, []cms.Signer{{Key: id.Key, Chain: id.Chain}}, cms.SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: binary\r\n\r\n"), data...)
	}
	mixed := func(parts ...[]byte) []byte {
		return []byte("Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n" + string(bytes.Join(parts, []byte("\r\n--outer\r\n"))) + "\r\n--outer--\r\n")
	}
	honest := signedBy(t, entity("REQUEST", object("REQUEST", "other", dans, ann)), at, p.dan)
	_, signature, _ := strings.Cut(string(honest), "Content-Type: application/pkcs7-signature")
	text := []byte("Content-Type: text/plain\r\n\r\nHello\r\n")

	attacks := []struct {
		name string
		raw  []byte
	}{
		// Who says to be whom
		{"forged From", from("dan@two.test", "CANCEL", "theirs", cancelled...)},
		{"forged From with a good DKIM signature of another domain", evil(from("dan@two.test", "CANCEL", "theirs", cancelled...))},
		{"the victim as display name", evil(from(`"dan@two.test" <eve@evil.test>`, "CANCEL", "theirs", cancelled...))},
		{"the victim in a comment", evil(from("eve@evil.test (dan@two.test)", "CANCEL", "theirs", cancelled...))},
		{"the victim as an encoded name", evil(from("=?UTF-8?Q?dan=40two.test_=3Cdan=40two.test=3E?= <eve@evil.test>", "CANCEL", "theirs", cancelled...))},
		{"two authors in one field", evil(from("eve@evil.test, dan@two.test", "CANCEL", "theirs", cancelled...))},
		{"two From fields", evil(from("eve@evil.test\r\nFrom: dan@two.test", "CANCEL", "theirs", cancelled...))},
		{"a From before the signed one", append([]byte("From: dan@two.test\r\n"), evil(from("eve@evil.test", "CANCEL", "theirs", cancelled...))...)},
		{"a folded From", evil(from("\r\n dan@two.test", "CANCEL", "theirs", cancelled...))},
		{"blanks before the colon", evil(mail("From : dan@two.test\r\nFrom: eve@evil.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"Sender is the victim", evil(mail("From: eve@evil.test\r\nSender: dan@two.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"Reply-To is the victim", evil(mail("From: eve@evil.test\r\nReply-To: dan@two.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"Resent-From is the victim", evil(mail("Resent-From: dan@two.test\r\nFrom: eve@evil.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"a group as author", evil(from("dan@two.test: eve@evil.test;", "CANCEL", "theirs", cancelled...))},
		{"a domain that looks alike", dkimSign(t, evilKey, from("dan@tw\u00f6.test", "CANCEL", "theirs", cancelled...), "xn--tw-fka.test")},
		{"the victim's domain as a label", dkimSign(t, evilKey, from("dan@two.test.evil.test", "CANCEL", "theirs", cancelled...), "two.test.evil.test")},
		{"a local part that holds an address", evil(from(`"dan@two.test"@evil.test`, "CANCEL", "theirs", cancelled...))},
		{"source routes", evil(from("<@evil.test:dan@two.test>", "CANCEL", "theirs", cancelled...))},
		{"Cyrillic letters in the address", evil(from("d\u0430n@two.test", "CANCEL", "theirs", cancelled...))},
		{"Cyrillic letters in the organizer", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan@tw\u043e.test", ann, "STATUS:CANCELLED"))},
		{"full-width letters in the domain", evil(from("dan@\uff54\uff57\uff4f.test", "CANCEL", "theirs", cancelled...))},
		{"the address percent-encoded in another", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan%40two.test@evil.test", ann, "STATUS:CANCELLED"))},
		{"a query behind the address", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:eve@evil.test?cc=dan@two.test", ann, "STATUS:CANCELLED"))},
		{"a null octet in the address", evil(from("dan@two.test\x00@evil.test", "CANCEL", "theirs", cancelled...))},

		// What other servers are said to attest
		{"forged Authentication-Results", append([]byte("Authentication-Results: cal.one.test; dmarc=pass header.from=two.test; dkim=pass header.d=two.test\r\n"), from("dan@two.test", "CANCEL", "theirs", cancelled...)...)},
		{"forged Received-SPF", append([]byte("Received-SPF: pass\r\n"), from("dan@two.test", "CANCEL", "theirs", cancelled...)...)},
		{"forged ARC", append([]byte("ARC-Authentication-Results: i=1; cal.one.test; dmarc=pass header.from=two.test\r\nARC-Seal: i=1; cv=none\r\n"), from("dan@two.test", "CANCEL", "theirs", cancelled...)...)},
		{"a chain sealed by eve in a list's name", sealed(evilKey, from("dan@two.test", "CANCEL", "theirs", cancelled...), "lists.test", said)},
		{"a chain sealed by eve in her own name", sealed(evilKey, from("dan@two.test", "CANCEL", "theirs", cancelled...), "evil.test", said)},
		{"a list's chain on another mail", func() []byte {
			whole := string(sealed(listKey, from("dan@two.test", "REQUEST", "other", dans), "lists.test", said))
			return append([]byte(whole[:strings.Index(whole, "From: dan")]), from("dan@two.test", "CANCEL", "theirs", cancelled...)...)
		}()},
		{"a list that found nothing", sealed(listKey, from("dan@two.test", "CANCEL", "theirs", cancelled...), "lists.test", "mx.lists.test; dmarc=fail header.from=two.test")},
		{"a list that knows the domain, and cancels", sealed(listKey, from("dan@two.test", "CANCEL", "theirs", cancelled...), "lists.test", said)},
		{"a colleague over a list", sealed(listKey, from("carl@two.test", "CANCEL", "theirs", cancelled...), "lists.test", said)},
		{"eve behind a list", []byte(arcseal.Seal(t, evilKey, string(sealed(listKey, from("dan@two.test", "REQUEST", "other", dans), "lists.test", said)), 2, "evil.test", "mx.evil.test; arc=pass", "pass"))},
		{"a DKIM signature that does not hold", bytes.Replace(good(from("dan@two.test", "REQUEST", "theirs", dans, ann)), []byte("Planning"), []byte("Plotting"), 1)},
		{"a DKIM signature with l=", bytes.Replace(good(from("dan@two.test", "CANCEL", "theirs", cancelled...)), []byte("a=ed25519"), []byte("l=0; a=ed25519"), 1)},
		{"a second Content-Type", append([]byte("Content-Type: text/calendar; method=CANCEL\r\n"), good(from("dan@two.test", "PUBLISH", "news", dans))...)},
		{"a DKIM signature of a domain above", evil(from("dan@two.test", "CANCEL", "theirs", cancelled...))},

		// Who may do what
		{"an attendee cancels", good(from("ben@two.test", "CANCEL", "theirs", cancelled...))},
		{"an attendee cancels what ann organizes", good(from("ben@two.test", "CANCEL", "own", anns, ben, "STATUS:CANCELLED"))},
		{"an attendee changes what ann organizes", good(mail("From: ben@two.test\r\n", "REQUEST", moved("own", anns)))},
		{"a colleague answers for ben", good(from("carl@two.test", "REPLY", "own", anns, ben))},
		{"a stranger answers for ben", evil(from("eve@evil.test", "REPLY", "own", anns, ben))},
		{"a stranger proposes in ben's name", evil(from("eve@evil.test", "COUNTER", "own", anns, ben))},
		{"EMAIL makes ben of eve", evil(from("eve@evil.test", "REPLY", "own", anns, "ATTENDEE;PARTSTAT=DECLINED;EMAIL=eve@evil.test:mailto:ben@two.test"))},
		{"EMAIL makes dan of eve", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER;EMAIL=eve@evil.test:mailto:dan@two.test", ann, "STATUS:CANCELLED"))},
		{"SENT-BY makes a designate of eve", evil(from("eve@evil.test", "CANCEL", "theirs", `ORGANIZER;SENT-BY="mailto:eve@evil.test":mailto:dan@two.test`, ann, "STATUS:CANCELLED"))},
		{"SENT-BY for ben", evil(from("eve@evil.test", "REPLY", "own", anns, `ATTENDEE;PARTSTAT=DECLINED;SENT-BY="mailto:eve@evil.test":mailto:ben@two.test`))},
		{"eve makes herself organizer", evil(mail("From: eve@evil.test\r\n", "REQUEST", moved("theirs", "ORGANIZER:mailto:eve@evil.test")))},
		{"eve makes herself organizer and cancels", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:eve@evil.test", ann, "STATUS:CANCELLED"))},
		{"no organizer at all", evil(from("eve@evil.test", "CANCEL", "theirs", ann, "STATUS:CANCELLED"))},
		{"two organizers", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:eve@evil.test", dans, ann, "STATUS:CANCELLED"))},
		{"the mail and the object name different methods", good(mail("From: ben@two.test\r\n", "REPLY", object("CANCEL", "theirs", cancelled...)))},
		{"PUBLISH in place of a REQUEST", evil(from("eve@evil.test", "PUBLISH", "theirs", dans, "LOCATION:elsewhere"))},
		{"ADD to somebody else's event", evil(from("eve@evil.test", "ADD", "theirs", dans, ann))},
		{"a delegation nobody made", evil(from("eve@evil.test", "REPLY", "own", anns, `ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:ben@two.test":mailto:eve@evil.test`, `ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:eve@evil.test":mailto:ben@two.test`))},
		{"DECLINECOUNTER of a stranger", evil(from("eve@evil.test", "DECLINECOUNTER", "theirs", dans, ann))},
		{"ann's own address from outside", evil(from("ann@one.test", "CANCEL", "own", anns, ben, "STATUS:CANCELLED"))},

		// Signatures
		{"signed by an attendee", mailOf("ben@two.test", "a1", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.sam))},
		{"a certificate with several addresses, none the organizer's", mailOf("dan@two.test", "a2", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, many))},
		{"a certificate made by eve for dan", mailOf("dan@two.test", "a3", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, selfMade))},
		{"a certificate with dan's name", mailOf("dan@two.test", "a4", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, commonName))},
		{"the signature of another mail of dan's", mailOf("dan@two.test", "a5", []byte(strings.Replace(string(honest), "UID:other", "UID:theirs", 1)))},
		{"a signed text and an unsigned calendar", mailOf("dan@two.test", "a6", mixed(signedBy(t, text, at, p.dan), entity("CANCEL", object("CANCEL", "theirs", cancelled...))))},
		{"an unsigned calendar before a signed one", mailOf("dan@two.test", "a7", mixed(entity("CANCEL", object("CANCEL", "theirs", cancelled...)), signedBy(t, text, at, p.dan)))},
		{"a multipart/signed without a signature", mailOf("dan@two.test", "a8", bytes.Replace(mixed(entity("CANCEL", object("CANCEL", "theirs", cancelled...)), text), []byte("multipart/mixed"), []byte(`multipart/signed; protocol="application/pkcs7-signature"`), 1))},
		{"a signature part that is another's", mailOf("dan@two.test", "a9", []byte("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n"+string(entity("CANCEL", object("CANCEL", "theirs", cancelled...)))+"\r\n--s\r\nContent-Type: application/pkcs7-signature"+strings.Split(signature, "\r\n--")[0]+"\r\n--s--\r\n"))},
		{"eve signs around dan's signed text", mailOf("dan@two.test", "b1", signedBy(t, mixed(signedBy(t, text, at, p.dan), entity("CANCEL", object("CANCEL", "theirs", cancelled...))), at, p.eve))},
		{"opaque, by eve", mailOf("dan@two.test", "b2", opaque(p.eve, entity("CANCEL", object("CANCEL", "theirs", cancelled...))))},
		{"opaque, one in another", mailOf("dan@two.test", "b3", opaque(p.eve, opaque(p.eve, entity("CANCEL", object("CANCEL", "theirs", cancelled...)))))},
		{"a signed cancellation from long ago", mailOf("dan@two.test", "b4", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), now.AddDate(-1, 0, 0), p.dan))},
		{"a thousand opaque wrappings", mailOf("dan@two.test", "b5", func() []byte {
			out := entity("CANCEL", object("CANCEL", "theirs", cancelled...))
			for range 40 {
				out = opaque(p.eve, out)
			}
			return out
		}())},
		{"a mail attached that dan signed", mailOf("eve@evil.test", "b6", append([]byte("Content-Type: message/rfc822\r\n\r\n"), mailOf("dan@two.test", "in", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.dan))...))},
		{"PGP named, S/MIME given", mailOf("dan@two.test", "b7", bytes.Replace(signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.eve), []byte("application/pkcs7-signature\";"), []byte("application/pgp-signature\";"), 1))},
	}
	if len(attacks) < 60 {
		t.Errorf("only %d attacks", len(attacks))
	}
	for _, c := range attacks {
		t.Run(c.name, func(t *testing.T) {
			x, _ := signingSite(t, p, "", func(o *Options) { o.Check, o.Trust.Sealers = mailauth.New(dns, time.Now), []string{"lists.test"} })
			own := strings.Replace(string(object("X", "own", anns, "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ben@two.test")), "METHOD:X\r\n", "", 1)
			if _, err := x.calendar.Put(t.Context(), calendar.PutRequest{By: account.Actor{Account: x.ann.ID, Name: x.ann.Name}, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: "own.ics"}, Data: []byte(own)}); err != nil {
				t.Fatal(err)
			}
			invitation := signedBy(t, entity("REQUEST", object("REQUEST", "theirs", dans, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), at, p.dan)
			if rows, err := x.mail.Intake(t.Context(), mailOf("dan@two.test", "first", invitation), Envelope{From: "dan@two.test", To: []string{"ann@one.test"}}); err != nil || states(rows) != "REQUEST:applied" {
				t.Fatalf("%s, %v", states(rows), err)
			}
			before := x.body(t, "own") + x.body(t, "theirs")
			rows, err := x.mail.Intake(t.Context(), c.raw, Envelope{From: "bounce@evil.test", To: []string{"ann@one.test"}, Remote: "192.0.2.7:25", Hello: "mx.evil.test", Border: true})
			if err != nil {
				t.Fatal(err)
			}
			if after := x.body(t, "own") + x.body(t, "theirs"); after != before {
				t.Errorf("%s %q: her calendar changed:\n%s", states(rows), rows[0].Sentence, after)
			}
			for _, e := range rows {
				if e.State == stateApplied || !strings.HasSuffix(e.Sentence, ".") {
					t.Errorf("%s %s %q", e.State, e.Reason, e.Sentence)
				}
			}
		})
	}
}

// A meeting in a winmail.dat is judged like any other: who sent the mail must be
// who may say so.
func TestWinmailIsJudgedLikeOthers(t *testing.T) {
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "imip", "tnef", "testdata", name+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		return []byte("MIME-Version: 1.0\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(data))
	}
	mail := func(from, vouched, name string) []byte {
		head := "From: " + from + "\r\nTo: ann@one.test\r\nMessage-ID: <" + name + from + "@x.test>\r\nDate: Mon, 01 Jun 2026 08:00:00 +0000\r\n"
		if vouched != "" {
			head = "Authentication-Results: mx.our.test; dmarc=pass header.from=" + vouched + "\r\n" + head
		}
		return append([]byte(head), file(name)...)
	}
	const uid = "040000008200E00074C5B7101A82E00800000000E040C9C12685C4010000000000000000100000000BF0ED4B6E4EE94E9E39E3867B378EF3"
	x := newSite(t, sqlite(t), "", func(o *Options) {
		o.Trust = trust.Policy{Inbound: trust.Verify, AuthservIDs: []string{"mx.our.test"}}
	})
	for _, c := range []struct{ name, from, vouched, file, want, has string }{
		{"a request that nobody vouches for", "dan@two.test", "", "request", "held", ""},
		{"a request in dan's name", "eve@evil.test", "evil.test", "request", "held", ""},
		{"dan's request", "dan@two.test", "two.test", "request", "applied", "LOCATION:Raum 5"},
		{"eve cancels", "eve@evil.test", "evil.test", "cancel", "held", "STATUS:CONFIRMED"},
		{"somebody cancels in dan's name", "dan@two.test", "evil.test", "cancel", "held", "STATUS:CONFIRMED"},
		{"an attendee answers for nobody", "eve@evil.test", "evil.test", "accepted", "", "STATUS:CONFIRMED"},
		{"dan cancels", "dan@two.test", "two.test", "cancel", "applied", "STATUS:CANCELLED"},
	} {
		e := x.take(t, mail(c.from, c.vouched, c.file), c.from, "ann@one.test")
		body := x.body(t, uid)
		if c.want != "" && e.State != c.want || c.want == "" && e.State == stateApplied || (c.has == "") != (body == "") || !strings.Contains(body, strings.ReplaceAll(c.has, "STATUS:CONFIRMED", "")) || c.has == "STATUS:CONFIRMED" && strings.Contains(body, "STATUS:CANCELLED") {
			t.Errorf("%s: %s %q\n%s", c.name, e.State, e.Sentence, body)
		}
	}
}

// An invitation over a list that the site believes is taken as the domain's, and
// one that nobody believes waits; what a list passes on moves nothing.
func TestInvitationsOverAList(t *testing.T) {
	key, record := dkimKey(t)
	dns := dkimZone{"s1._domainkey.lists.test": record}
	raw := func(method, uid string, lines ...string) []byte {
		return []byte(arcseal.Seal(t, key, "From: dan@two.test\r\nTo: ann@one.test\r\nMessage-ID: <"+method+uid+"@two.test>\r\nList-Id: <staff.lists.test>\r\nMIME-Version: 1.0\r\nSubject: [staff] x\r\nContent-Type: text/calendar; method="+method+"\r\n\r\n"+
			string(object(method, uid, append(lines, "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")...)), 1, "lists.test", "mx.lists.test; dmarc=pass header.from=two.test", "none"))
	}
	for _, c := range []struct {
		sealers []string
		want    string
	}{{[]string{"lists.test"}, stateApplied}, {nil, stateHeld}, {[]string{"other.test"}, stateHeld}} {
		x := newSite(t, sqlite(t), "", func(o *Options) {
			o.Trust, o.Check = trust.Policy{Inbound: trust.Verify, Sealers: c.sealers}, mailauth.New(dns, time.Now)
		})
		e := x.take(t, raw("REQUEST", "u"), "staff-bounces@lists.test", "ann@one.test")
		if e.State != c.want || c.want == stateApplied && !strings.Contains(e.Sentence+string(e.Evidence), "lists.test") {
			t.Errorf("%v: %s %q", c.sealers, e.State, e.Sentence)
		}
		if e := x.take(t, raw("CANCEL", "u", "SEQUENCE:9", "STATUS:CANCELLED"), "staff-bounces@lists.test", "ann@one.test"); e.State == stateApplied {
			t.Errorf("%v: a cancellation is %s", c.sealers, e.State)
		}
	}
}

// With whom the site has no scheduling, nothing goes there either.
func TestNothingGoesToDeniedDomains(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", func(o *Options) { o.Trust.DenyDomains = []string{"Evil.test"} })
	if o := x.one(t, x.due(t, "u1", "eve@mx.evil.test")); o.State != journal.Failed || o.Status != "5.3" {
		t.Errorf("%+v", o)
	}
	if o := x.one(t, x.due(t, "u1", "ben@two.test")); o.State != journal.Sent {
		t.Errorf("%+v", o)
	}
}
