package smime

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidSmtpUTF8Mailbox  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}  // RFC 8398 3
	oidLegacyEmail      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1} // PKCS #9 emailAddress
	maxAddressesPerCert = 100
)

// Addresses are the mail addresses that a certificate speaks for, as they
// stand in it; the domain in lower case. Ones that are no mail address are left
// out (RFC 8550 3).
func Addresses(c *x509.Certificate) []string {
	var list []string
	add := func(a string) {
		at := strings.LastIndexByte(a, '@')
		if at <= 0 || at == len(a)-1 || !utf8.ValidString(a) || len(list) == maxAddressesPerCert ||
			strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
			return
		}
		list = append(list, a[:at+1]+strings.ToLower(a[at+1:]))
	}
	for _, a := range c.EmailAddresses {
		add(a)
	}
	for _, a := range utf8Mailboxes(c) {
		add(a)
	}
	if len(list) > 0 {
		return list
	}
	for _, n := range c.Subject.Names {
		if v, ok := n.Value.(string); ok && n.Type.Equal(oidLegacyEmail) {
			add(v)
		}
	}
	return list
}

// utf8Mailboxes are the otherName entries of RFC 8398, which crypto/x509 does not read.
func utf8Mailboxes(c *x509.Certificate) (list []string) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		names := cryptobyte.String(e.Value)
		if !names.ReadASN1(&names, tag.SEQUENCE) {
			return nil
		}
		for !names.Empty() {
			var name, value, mailbox cryptobyte.String
			var kind tag.Tag
			var oid asn1.ObjectIdentifier
			if !names.ReadAnyASN1(&name, &kind) {
				return list
			}
			if kind == tag.Tag(0).ContextSpecific().Constructed() && name.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidSmtpUTF8Mailbox) &&
				name.ReadASN1(&value, tag.Tag(0).ContextSpecific().Constructed()) && value.ReadASN1(&mailbox, tag.UTF8String) {
				list = append(list, string(mailbox))
			}
		}
	}
	return list
}

// Fingerprint names a certificate: SHA-256 over its DER, in lower-case hex.
func Fingerprint(c *x509.Certificate) string {
	h := sha256.Sum256(c.Raw)
	return hex.EncodeToString(h[:])
}

// Describe says in a sentence what a certificate is: whose, for which
// addresses, by whom, for how long, and the beginning of its fingerprint, by
// which it is found among others. It is what a person needs who has to decide
// whether to believe it; nothing of it is proven by standing there.
func Describe(c *x509.Certificate) string {
	const most = 3 // addresses; a certificate may name a hundred
	list := Addresses(c)
	addresses := strings.Join(list[:min(len(list), most)], ", ")
	switch {
	case len(list) == 0:
		addresses = "no mail address"
	case len(list) > most:
		addresses += fmt.Sprintf(" and %d more addresses", len(list)-most)
	}
	issuer := nameOf(c.Issuer)
	if c.Issuer.String() == c.Subject.String() && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
		issuer = "themselves"
	}
	const day = "2 January 2006"
	return fmt.Sprintf("The certificate is that of %s for %s, issued by %s, valid from %s to %s; its fingerprint begins with %s.",
		nameOf(c.Subject), clean(addresses), issuer, c.NotBefore.UTC().Format(day), c.NotAfter.UTC().Format(day), Fingerprint(c)[:16])
}

// nameOf is a distinguished name as people know it: the common name with the
// organization, else all of it.
func nameOf(n pkix.Name) string {
	name := n.CommonName
	if len(n.Organization) > 0 && n.Organization[0] != name {
		name = strings.Trim(name+" ("+n.Organization[0]+")", " ")
	}
	if name == "" {
		name = n.String()
	}
	if name = clean(name); name == "" {
		return "somebody without a name"
	}
	return "“" + name + "”"
}

// clean makes what a stranger wrote fit for a sentence: one short line without
// anything that changes how the rest is shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	const most = 100
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.TrimSpace(s)
}
