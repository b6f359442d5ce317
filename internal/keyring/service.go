package keyring

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Service is the role of the key that signs what leaves from addresses which
// the service makes itself: no person has them, and there is a new one for each
// guest and event. The one key has a certificate for each such address, issued
// by the site's own authority at the moment it is needed, so that the signer is
// the ORGANIZER and the author of the mail to the letter (RFC 6047 3, RFC 8550 3).
const Service = "service"

// serviceYears is how long such a certificate is valid. The next one begins when
// it ends.
const serviceYears = 3

// GenerateService makes the site's key for addresses of its own. domains are
// the site's; kind is "rsa" (also "") or "ec".
func (k *Keyring) GenerateService(ctx context.Context, domains []string, kind string) (Key, error) {
	if len(domains) == 0 {
		return Key{}, problem.New(problem.BadInput, "The service has no domain of its own (domains), so there is no address that it could sign for.")
	}
	if kind == "pgp" {
		return Key{}, problem.New(problem.BadInput, "The service's own addresses are made anew for each guest, and an OpenPGP key names fixed ones: choose rsa or ec.")
	}
	private, _, err := newPrivate(kind)
	if err != nil {
		return Key{}, err
	}
	ca, err := k.siteAuthority(ctx)
	if err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("encode the service's key: %w", err)
	}
	var addresses []string
	for _, d := range domains {
		addresses = append(addresses, "postmaster@"+strings.ToLower(d))
	}
	// What is stored names the domains; it certifies nothing by itself.
	own := pair{private, ca.chain}
	c, err := own.certify(ca, addresses, k.now().Truncate(time.Second))
	if err != nil {
		return Key{}, err
	}
	row := k.row(store.Site, c)
	row.Role, row.State, row.Secret, row.Addresses = Service, Trusted, der, strings.Join(addresses, "\n")
	return describe(row), k.save(ctx, row)
}

// certify issues a certificate for addresses with the public half of p. It is a
// function of its arguments: the same octets on every node and at each call, so
// that nobody who remembers certificates sees another. It signs and does not
// encrypt: what is encrypted to it names a certificate that is kept nowhere.
func (p pair) certify(ca pair, addresses []string, from time.Time) (*x509.Certificate, error) {
	authority := ca.chain[0]
	h := sha256.Sum256([]byte(smime.Fingerprint(authority) + "\x00" + strings.Join(addresses, "\x00") + "\x00" + from.UTC().Format(time.RFC3339)))
	until := from.AddDate(serviceYears, 0, 0)
	if until.After(authority.NotAfter) {
		until = authority.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(append([]byte{1}, h[:15]...)), // RFC 5280 4.1.2.2: positive, at most 20 octets
		Subject:      pkix.Name{CommonName: "Convene scheduling service"}, EmailAddresses: addresses,
		NotBefore: from.UTC(), NotAfter: until.UTC(),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, authority, p.private.Public(), ca.private) // without chance: RFC 6979
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", strings.Join(addresses, ", "), err)
	}
	return x509.ParseCertificate(der)
}

// service is what a set signs with for the service's own addresses.
type service struct {
	key       pair
	authority pair
	domains   []string
	created   time.Time
}

// ServiceSigner is the signer for an address that the service made at a moment;
// zero: that it always had. It is nothing where the site has no such key, or
// has it for other domains.
func (s *Set) ServiceSigner(address string, made time.Time) (cms.Signer, bool, error) {
	_, domain, _ := strings.Cut(address, "@")
	if s.service == nil || !containsFold(s.service.domains, domain) {
		return cms.Signer{}, false, nil
	}
	from := made
	if from.Before(s.service.created) {
		from = s.service.created
	}
	from = from.UTC().Truncate(24 * time.Hour) // stable, whatever the store keeps of a second
	for next := from.AddDate(serviceYears, 0, 0); !next.After(s.Authority.Now); next = from.AddDate(serviceYears, 0, 0) {
		from = next
	}
	c, err := s.service.key.certify(s.service.authority, []string{strings.ToLower(address)}, from)
	if err != nil {
		return cms.Signer{}, false, err
	}
	return cms.Signer{Key: s.service.key.private, Chain: append([]*x509.Certificate{c}, s.service.authority.chain...)}, true, nil
}

// readService fills in the service's key, where the site has one and its
// authority is believed and not over.
func (s *Set) readService(rows []store.MailKey) {
	var authority *pair
	for _, r := range rows {
		if r.Account != store.Site || r.State != Trusted || len(r.Secret) == 0 || r.Role != Authority && r.Role != Service {
			continue
		}
		p, err := pairOf(r)
		if err != nil {
			continue
		}
		if r.Role == Authority {
			if authority == nil && s.Authority.Now.Before(p.chain[0].NotAfter) {
				authority = &p
			}
			continue
		}
		s.service = &service{key: p, created: r.Created}
		for _, a := range strings.Fields(r.Addresses) {
			s.service.domains = append(s.service.domains, a[strings.LastIndexByte(a, '@')+1:])
		}
	}
	if s.service == nil || authority == nil {
		s.service = nil
		return
	}
	s.service.authority = *authority
}
