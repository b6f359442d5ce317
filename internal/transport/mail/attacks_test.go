package mail

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/convene-cal/convene/internal/store"
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
	commonName := p.ca.Issue(t, "p256", func(c *x509.Certificate) { c.Subject.CommonName = "dan@two.test" }, "eve@evil.test")
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
	mixedMail := func(from string, parts ...[]byte) []byte {
		return append([]byte("From: "+from+"\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), mixed(parts...)...)
	}

	type attack struct {
		name string
		raw  []byte
	}
	// Before the first group dan's invitation came with his domain's DKIM
	// signature, before the second with his own: who is known to sign is believed
	// unsigned no more, and nothing else would be tried.
	attacks := map[bool][]attack{false: {
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
		{"an unsigned Content-Type over a signed text", dkimSignFields(t, twoKey, []byte("From: dan@two.test\r\nTo: ann@one.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=CANCEL\r\n\r\n"+string(object("CANCEL", "theirs", cancelled...))), "two.test", "from:to:subject", -1)},
		{"a calendar behind what l= covers", func() []byte {
			words := "From: dan@two.test\r\nTo: ann@one.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
			signed := dkimSignFields(t, twoKey, []byte(words), "two.test", "from:to:subject:mime-version:content-type", len("--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"))
			return append(signed, "--b\r\n"+string(entity("CANCEL", object("CANCEL", "theirs", cancelled...)))+"\r\n--b--\r\n"...)
		}()},
		{"an l= that covers all of it", func() []byte {
			raw := from("dan@two.test", "CANCEL", "theirs", cancelled...)
			_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
			return dkimSignFields(t, twoKey, raw, "two.test", "from:to:subject:mime-version:content-type", len(body))
		}()},
		{"a signed From, and another below it", bytes.Replace(good(from("dan@two.test", "PUBLISH", "news", dans)), []byte("To: ann"), []byte("From: eve@evil.test\r\nTo: ann"), 1)},
		{"two To fields and a folded Subject that holds a From", evil(mail("From: eve@evil.test\r\nTo: ben@two.test\r\nSubject: x\r\n From: dan@two.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"a bare CR before another From", evil(mail("From: eve@evil.test\rFrom: dan@two.test\r\n", "CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"a name that is written backwards", evil(from("\"\u202etset.owt@nad\" <eve@evil.test>", "CANCEL", "theirs", cancelled...))},
		{"the victim in brackets within the name", evil(from(`"Dan <dan@two.test>" <eve@evil.test>`, "CANCEL", "theirs", cancelled...))},
		{"two addresses in one pair of brackets", evil(from("Dan <dan@two.test,eve@evil.test>", "CANCEL", "theirs", cancelled...))},
		{"an address without its end", evil(from("<dan@two.test", "CANCEL", "theirs", cancelled...))},
		{"DKIM of the parent of a name below", evil(from("dan@two.test.", "CANCEL", "theirs", cancelled...))},
		{"a zero-width letter in the domain", evil(from("dan@two\u200b.test", "CANCEL", "theirs", cancelled...))},
		{"a dotless i and its like", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:dan@two.te\u017ft", ann, "STATUS:CANCELLED"))},
		{"the organizer twice in one line", evil(from("eve@evil.test", "CANCEL", "theirs", "ORGANIZER:mailto:eve@evil.test,mailto:dan@two.test", ann, "STATUS:CANCELLED"))},
		{"a colleague moves dan's event", good(mail("From: carl@two.test\r\n", "REQUEST", moved("theirs", dans)))},
		{"a colleague as ARC's and DKIM's From", good(mail("From: ben@two.test\r\nSender: dan@two.test\r\n", "REQUEST", moved("theirs", dans)))},
		{"an attendee cancels one occurrence", good(from("ben@two.test", "CANCEL", "theirs", dans, ann, "RECURRENCE-ID:20260702T080000Z", "STATUS:CANCELLED"))},
		{"REQUEST that is a cancellation, by an attendee", good(from("ben@two.test", "REQUEST", "theirs", dans, ann, "STATUS:CANCELLED"))},
		{"an attendee asks for all of it", good(from("carl@two.test", "REFRESH", "own", anns, "ATTENDEE:mailto:ben@two.test"))},
		{"an answer in a calendar behind another's words", evil(mixedMail("eve@evil.test", text, entity("REPLY", object("REPLY", "own", anns, ben))))},
		{"a calendar beside dan's own signed words", evil(append([]byte("From: eve@evil.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), mixed(append([]byte("Content-Type: message/rfc822\r\n\r\n"), good(from("dan@two.test", "CANCEL", "theirs", cancelled...))...), entity("CANCEL", object("CANCEL", "theirs", cancelled...)))...))},
		{"a file in the place of a calendar", good(append([]byte("From: ben@two.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), []byte("Content-Type: application/octet-stream; name=x.ics\r\n\r\n"+string(object("CANCEL", "theirs", cancelled...)))...))},
		{"a thousand multiparts", evil(append([]byte("From: dan@two.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), nested(1000, entity("CANCEL", object("CANCEL", "theirs", cancelled...)))...))},
		{"a hundred mails in each other", evil(append([]byte("From: dan@two.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), []byte(strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 100)+string(entity("CANCEL", object("CANCEL", "theirs", cancelled...))))...))},
		{"ten thousand parts", evil(append([]byte("From: dan@two.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\n"), mixed(append(slices.Repeat([][]byte{text}, 10_000), entity("CANCEL", object("CANCEL", "theirs", cancelled...)))...)...))},
		{"a calendar in a zip file", evil(append([]byte("From: dan@two.test\r\nTo: ann@one.test\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=invite.ics.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"), zipped(t, "invite.ics", object("CANCEL", "theirs", cancelled...))...))},
	}, true: {
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
		{"unsigned, from somebody who signs", mailOf("dan@two.test", "c1", entity("CANCEL", object("CANCEL", "theirs", cancelled...)))},
		{"unsigned, with a good DKIM signature of his domain", good(mailOf("dan@two.test", "c2", entity("CANCEL", object("CANCEL", "theirs", cancelled...))))},
		{"a certificate that ran out", mailOf("dan@two.test", "c3", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.ca.Issue(t, "p256", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = at.AddDate(-2, 0, 0), at.AddDate(-1, 0, 0) }, "dan@two.test")))},
		{"a certificate for a web server", mailOf("dan@two.test", "c4", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.ca.Issue(t, "p256", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "dan@two.test")))},
		{"a person's certificate that certifies another", mailOf("dan@two.test", "c5", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.eve.Issue(t, "p256", nil, "dan@two.test")))},
		{"a certificate with the address before a null octet", mailOf("dan@two.test", "c6", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.ca.Issue(t, "p256", nil, "dan@two.test\x00@evil.test")))},
		{"a certificate with the address in Cyrillic", mailOf("dan@two.test", "c7", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.ca.Issue(t, "p256", func(c *x509.Certificate) { c.EmailAddresses = []string{"dan@xn--tw-jlc.test"} }, "eve@evil.test")))},
		{"several addresses, the organizer's in the name", mailOf("dan@two.test", "c8", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.ca.Issue(t, "p256", func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "dan@two.test"}}
		}, "eve@evil.test", "eve@two.test")))},
		{"dan's signature in an alternative beside an unsigned calendar", mailOf("dan@two.test", "c9", bytes.Replace(mixed(honest, entity("CANCEL", object("CANCEL", "theirs", cancelled...))), []byte("multipart/mixed"), []byte("multipart/alternative"), 1))},
		{"a third part of a multipart/signed", mailOf("dan@two.test", "d1", bytes.Replace(honest, []byte("Content-Type: application/pkcs7-signature"), []byte(string(entity("CANCEL", object("CANCEL", "theirs", cancelled...)))+"\r\n--"+boundaryOf(honest)+"\r\nContent-Type: application/pkcs7-signature"), 1))},
		{"a calendar where the signature should be", mailOf("dan@two.test", "d2", []byte("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n"+string(text)+"\r\n--s\r\n"+string(entity("CANCEL", object("CANCEL", "theirs", cancelled...)))+"\r\n--s--\r\n"))},
		{"a calendar before the first boundary", mailOf("dan@two.test", "d3", bytes.Replace(signedBy(t, text, at, p.dan), []byte("\r\n\r\n"), append([]byte("\r\n\r\n"), object("CANCEL", "theirs", cancelled...)...), 1))},
		{"a calendar behind the last boundary", mailOf("dan@two.test", "d4", append(signedBy(t, text, at, p.dan), entity("CANCEL", object("CANCEL", "theirs", cancelled...))...))},
		{"eve signs around what dan signed, and changes it", mailOf("dan@two.test", "d5", signedBy(t, bytes.Replace(signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.dan), []byte("SUMMARY:Planning"), []byte("SUMMARY:Plotting"), 1), at, p.eve))},
		{"dan's opaque text in eve's", mailOf("dan@two.test", "d6", opaque(p.eve, mixed(opaque(p.dan, text), entity("CANCEL", object("CANCEL", "theirs", cancelled...)))))},
		{"an answer signed by another guest", mailOf("carl@two.test", "d8", signedBy(t, entity("REPLY", object("REPLY", "own", anns, ben)), at, p.sam))},
		{"PGP named, S/MIME given", mailOf("dan@two.test", "b7", bytes.Replace(signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.eve), []byte("application/pkcs7-signature\";"), []byte("application/pgp-signature\";"), 1))},
	}}
	if n := len(attacks[false]) + len(attacks[true]); n < 100 {
		t.Errorf("only %d attacks", n)
	}
	start := func(t *testing.T, signs bool) *site {
		x, _ := signingSite(t, p, "", func(o *Options) { o.Check, o.Trust.Sealers = mailauth.New(dns, time.Now), []string{"lists.test"} })
		own := strings.Replace(string(object("X", "own", anns, "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:ben@two.test")), "METHOD:X\r\n", "", 1)
		if _, err := x.calendar.Put(t.Context(), calendar.PutRequest{By: account.Actor{Account: x.ann.ID, Name: x.ann.Name}, Ref: calendar.Ref{Owner: x.ann.ID, Collection: "default", Name: "own.ics"}, Data: []byte(own)}); err != nil {
			t.Fatal(err)
		}
		first := good(from("dan@two.test", "REQUEST", "theirs", dans, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test"))
		if signs {
			first = mailOf("dan@two.test", "first", signedBy(t, entity("REQUEST", object("REQUEST", "theirs", dans, "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), at, p.dan))
		}
		if rows, err := x.mail.Intake(t.Context(), first, Envelope{From: "dan@two.test", To: []string{"ann@one.test"}}); err != nil || states(rows) != "REQUEST:applied" {
			t.Fatalf("%s, %v", states(rows), err)
		}
		return x
	}
	intake := func(t *testing.T, x *site, raw []byte) []store.Entry {
		rows, err := x.mail.Intake(t.Context(), raw, Envelope{From: "bounce@evil.test", To: []string{"ann@one.test"}, Remote: "192.0.2.7:25", Hello: "mx.evil.test", Border: true})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	// What is tried would work if it were true.
	for name, c := range map[string]struct {
		signs bool
		raw   []byte
	}{
		"dan cancels":                        {false, good(from("dan@two.test", "CANCEL", "theirs", cancelled...))},
		"dan cancels, by hand-made DKIM":     {false, dkimSignFields(t, twoKey, from("dan@two.test", "CANCEL", "theirs", cancelled...), "two.test", "from:to:subject:mime-version:content-type", -1)},
		"dan moves it":                       {false, good(mail("From: dan@two.test\r\n", "REQUEST", moved("theirs", dans)))},
		"ben answers":                        {false, good(from("ben@two.test", "REPLY", "own", anns, ben))},
		"dan cancels and signs":              {true, mailOf("dan@two.test", "s1", signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.dan))},
		"dan signs what eve passes on":       {true, mailOf("eve@evil.test", "s2", signedBy(t, signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.dan), at, p.eve))},
		"dan's opaque cancellation":          {true, mailOf("dan@two.test", "s3", opaque(p.dan, entity("CANCEL", object("CANCEL", "theirs", cancelled...))))},
		"dan's signature within a multipart": {true, mailOf("dan@two.test", "s4", mixed(text, signedBy(t, entity("CANCEL", object("CANCEL", "theirs", cancelled...)), at, p.dan)))},
	} {
		t.Run("control: "+name, func(t *testing.T) {
			x := start(t, c.signs)
			if rows := intake(t, x, c.raw); rows[0].State != stateApplied {
				t.Errorf("%s %q", states(rows), rows[0].Sentence)
			}
		})
	}
	tried := map[string]bool{}
	for signs, list := range attacks {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				if tried[c.name] {
					t.Error("two attacks of this name")
				}
				tried[c.name] = true
				x := start(t, signs)
				before := x.body(t, "own") + x.body(t, "theirs")
				rows := intake(t, x, c.raw)
				if after := x.body(t, "own") + x.body(t, "theirs"); after != before {
					t.Errorf("%s %q: her calendar changed:\n%s", states(rows), rows[0].Sentence, after)
				}
				got := []string{}
				for _, e := range rows {
					got = append(got, e.State+" "+e.Reason)
					if e.State == stateApplied || !strings.HasSuffix(e.Sentence, ".") && !strings.HasSuffix(e.Sentence, "”") {
						t.Errorf("%s %s %q", e.State, e.Reason, e.Sentence)
					}
				}
				if why := strings.Join(got, ", "); why != refusals[c.name] {
					t.Errorf("\t%q: %q, // %s", c.name, why, rows[0].Sentence)
				}
			})
		}
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

// dkimSignFields signs the fields that h names, and so many octets of the body;
// negative is all, without l=. It is written after RFC 6376 3.5 for what the
// library does not offer.
func dkimSignFields(t *testing.T, key ed25519.PrivateKey, raw []byte, domain, h string, length int) []byte {
	t.Helper()
	header, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	limit := ""
	if length >= 0 {
		body, limit = body[:length], fmt.Sprintf(" l=%d;", length)
	}
	hash := sha256.Sum256(body)
	field := fmt.Sprintf("dkim-signature:v=1; a=ed25519-sha256; c=relaxed/simple; d=%s; s=s1;%s h=%s; bh=%s; b=", domain, limit, h, base64.StdEncoding.EncodeToString(hash[:]))
	var text strings.Builder
	for name := range strings.SplitSeq(h, ":") {
		for line := range strings.SplitSeq(string(header), "\r\n") {
			if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
				text.WriteString(name + ":" + strings.TrimSpace(v) + "\r\n")
			}
		}
	}
	sum := sha256.Sum256([]byte(text.String() + field))
	signature, err := key.Sign(rand.Reader, sum[:], crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("DKIM-Signature: "+strings.TrimPrefix(field, "dkim-signature:")+base64.StdEncoding.EncodeToString(signature)+"\r\n"), raw...)
}

// nested is an entity in so many multiparts.
func nested(deep int, inner []byte) []byte {
	for i := range deep {
		inner = []byte(fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%s\r\n--b%d--\r\n", i, i, inner, i))
	}
	return inner
}

func zipped(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()) + "\r\n")
}

// boundaryOf is the boundary of the outermost multipart.
func boundaryOf(entity []byte) string {
	_, after, _ := strings.Cut(string(entity), `boundary="`)
	boundary, _, _ := strings.Cut(after, `"`)
	return boundary
}
