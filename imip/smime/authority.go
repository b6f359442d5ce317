package smime

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/imip/cms"
)

// Authority decides which certificates are believed.
type Authority struct {
	// Roots are certification authorities; each is believed for whatever mail
	// address it certifies, within the name constraints it bears.
	Roots []*x509.Certificate
	// Pinned are fingerprints of certificates that are believed by themselves
	// (imported by hand, or seen first), each for the addresses it was pinned
	// for: a certificate that anyone can make names any address beside its own.
	Pinned map[string][]string
	// Revoked are fingerprints that are not believed any more, of certificates or
	// of authorities above them.
	Revoked map[string]bool
	// Now is when the question is asked: certificates must be valid then.
	Now time.Time
}

// Standing is what is to be thought of a signature.
type Standing string

// Standings. Only Trusted says who signed; Unknown is a signature that holds,
// with a certificate that nobody here vouches for.
const (
	Trusted   Standing = "trusted"
	Unknown   Standing = "unknown" // no way from the certificate to a root, and not pinned
	Broken    Standing = "broken"  // the signature does not belong to the content
	Expired   Standing = "expired" // or not yet valid
	Revoked   Standing = "revoked"
	NotMail   Standing = "not-mail"   // the certificate is for something else
	NoAddress Standing = "no-address" // the certificate names no mail address
)

// Verdict is the answer about one signature.
type Verdict struct {
	Standing    Standing
	Addresses   []string // whom the certificate speaks for; of any use only where Trusted
	Fingerprint string   // of the signer's certificate, "" where there is none
	Issuer      string   // its issuer's name
	Sentence    string   // for people
	Certificate string   // the certificate in a sentence, "" where there is none; see [Describe]
}

// Check judges a signature. others are the certificates that came with it,
// through which a chain to a root may lead.
func (a *Authority) Check(sig cms.Signature, others []*x509.Certificate) Verdict {
	v := Verdict{Standing: Broken}
	c := sig.Certificate
	if c != nil {
		v.Fingerprint, v.Issuer, v.Addresses, v.Certificate = Fingerprint(c), c.Issuer.String(), Addresses(c), Describe(c)
	}
	if sig.Err != nil {
		why := strings.TrimPrefix(strings.TrimPrefix(sig.Err.Error(), "smime: "), "cms: ")
		v.Sentence = "The signature does not hold: " + strings.TrimSuffix(why, ": "+cms.ErrSignature.Error()) + "."
		return v
	}
	if sig.Weak {
		v.Sentence = "The signature uses SHA-1, with which another content can be made to fit the same signature."
		return v
	}
	signer := strings.Join(v.Addresses, ", ")
	switch {
	case len(v.Addresses) == 0:
		v.Standing, v.Sentence = NoAddress, fmt.Sprintf("The signer's certificate (%s) names no mail address.", nameOf(c.Subject))
		return v
	case c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		// RFC 8550 4.4.2
		v.Standing, v.Sentence = NotMail, fmt.Sprintf("The certificate of %s is not for signing.", signer)
		return v
	case a.Revoked[v.Fingerprint]:
		v.Standing, v.Sentence = Revoked, fmt.Sprintf("The certificate of %s is on this site's list of revoked certificates.", signer)
		return v
	case a.Now.After(c.NotAfter):
		v.Standing, v.Sentence = Expired, fmt.Sprintf("The certificate of %s ran out on %s.", signer, c.NotAfter.UTC().Format("2 January 2006"))
		return v
	case a.Now.Before(c.NotBefore):
		v.Standing, v.Sentence = Expired, fmt.Sprintf("The certificate of %s is not valid before %s.", signer, c.NotBefore.UTC().Format("2 January 2006"))
		return v
	}
	if pinned := a.pinned(v); len(pinned) > 0 {
		v.Addresses = pinned
		v.Standing, v.Sentence = Trusted, fmt.Sprintf("Signed by %s, whose certificate is known here.", strings.Join(pinned, ", "))
		return v
	}
	v.Standing, v.Sentence, v.Addresses = a.chain(c, others, v.Addresses)
	return v
}

// pinned are the certificate's addresses that it was pinned for.
func (a *Authority) pinned(v Verdict) (list []string) {
	for _, address := range v.Addresses {
		if slices.ContainsFunc(a.Pinned[v.Fingerprint], func(p string) bool { return strings.EqualFold(p, address) }) {
			list = append(list, address)
		}
	}
	return list
}

// chain looks for a way to a root, which may lead there for some of the addresses only.
func (a *Authority) chain(c *x509.Certificate, others []*x509.Certificate, addresses []string) (Standing, string, []string) {
	signer := strings.Join(addresses, ", ")
	not := func(s Standing, format string, args ...any) (Standing, string, []string) {
		return s, fmt.Sprintf(format, args...), addresses
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: a.Now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, // RFC 8550 4.4.4
	}
	for _, r := range a.Roots {
		opts.Roots.AddCert(r)
	}
	for _, o := range others {
		opts.Intermediates.AddCert(o)
	}
	chains, err := c.Verify(opts)
	if err != nil {
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) {
			switch invalid.Reason {
			case x509.IncompatibleUsage:
				return not(NotMail, "The certificate of %s is not for mail.", signer)
			case x509.Expired:
				return not(Expired, "A certificate above that of %s has run out.", signer)
			}
			return not(Unknown, "Signed by %s, but the certificate is not valid: %s.", signer, strings.TrimPrefix(err.Error(), "x509: "))
		}
		return not(Unknown, "Signed by %s, whose certificate was issued by %s; nobody here vouches for that issuer.", signer, nameOf(c.Issuer))
	}
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool {
		return slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return a.Revoked[Fingerprint(c)] })
	})
	if len(chains) == 0 {
		return not(Revoked, "An authority above the certificate of %s is on this site's list of revoked certificates.", signer)
	}
	believed := slices.DeleteFunc(slices.Clone(addresses), func(address string) bool {
		return !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return covers(chain, address) })
	})
	if len(believed) == 0 {
		return not(Unknown, "Signed by %s, an address that an authority above the certificate may not certify.", signer)
	}
	return Trusted, fmt.Sprintf("Signed by %s, as %s certifies.", strings.Join(believed, ", "), nameOf(c.Issuer)), believed
}

// covers tells whether a verified chain vouches for an address. crypto/x509
// holds the rfc822Names of subjectAltName against the name constraints of the
// authorities. It does not look at an emailAddress in the subject, nor at the
// otherName of RFC 8398, for which the constraints count too (RFC 5280
// 4.2.1.10, RFC 8398 6): below a constrained authority these are not believed.
func covers(chain []*x509.Certificate, address string) bool {
	if slices.ContainsFunc(chain[0].EmailAddresses, func(a string) bool { return strings.EqualFold(a, address) }) {
		return true
	}
	return !slices.ContainsFunc(chain[1:], func(c *x509.Certificate) bool {
		return len(c.PermittedEmailAddresses)+len(c.ExcludedEmailAddresses) > 0
	})
}
