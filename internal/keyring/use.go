package keyring

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/cms"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/store"
)

// Set is what an account's keys and the site's amount to at one moment.
type Set struct {
	Authority smime.Authority
	signers   []ownKey
	keys      []cms.Key
	people    []person
	pgp       []pgpKey
	service   *service
}

type ownKey struct {
	addresses []string
	signer    cms.Signer
}

type person struct {
	protocol    string
	addresses   []string
	state       string
	certificate *x509.Certificate
}

// For reads what an account uses: its own keys and the site's.
func (k *Keyring) For(ctx context.Context, account store.AccountID) (*Set, error) {
	rows, err := k.rows(ctx, store.Site, account)
	if err != nil {
		return nil, err
	}
	now := k.now()
	s := &Set{Authority: smime.Authority{Pinned: map[string][]string{}, Revoked: map[string]bool{}, Now: now}}
	for _, r := range rows {
		if r.Protocol == imip.PGP {
			if key, ok := readPGPRow(r); ok {
				s.pgp = append(s.pgp, key)
			}
			continue
		}
		if r.State == Revoked {
			s.Authority.Revoked[r.Fingerprint] = true
		}
		chain := certificates(r.Material)
		if len(chain) == 0 {
			continue
		}
		addresses := strings.Fields(r.Addresses)
		switch r.Role {
		case Authority:
			if r.State == Trusted {
				s.Authority.Roots = append(s.Authority.Roots, chain[0])
			}
		case Person:
			if r.State == Trusted {
				s.Authority.Pinned[r.Fingerprint] = addresses
			}
			s.people = append(s.people, person{r.Protocol, addresses, r.State, chain[0]})
		case Own:
			p, err := pairOf(r)
			if err != nil {
				return nil, err
			}
			s.keys = append(s.keys, cms.Key{Private: p.private, Certificate: p.chain[0]})
			if r.State == Trusted && now.Before(chain[0].NotAfter) {
				s.signers = append(s.signers, ownKey{addresses, cms.Signer{Key: p.private, Chain: p.chain}})
			}
		}
	}
	s.readService(rows)
	return s, nil
}

// Signer is the newest own key that counts for all of some mail addresses.
func (s *Set) Signer(addresses ...string) (cms.Signer, bool) {
	for _, o := range slices.Backward(s.signers) {
		if !slices.ContainsFunc(addresses, func(a string) bool { return !containsFold(o.addresses, a) }) {
			return o.signer, true
		}
	}
	return cms.Signer{}, false
}

// Recipient is the newest certificate that a mail address can be encrypted to.
func (s *Set) Recipient(address string) (*x509.Certificate, bool) {
	for _, p := range slices.Backward(s.people) {
		c := p.certificate
		if p.state == Revoked || s.Authority.Now.After(c.NotAfter) || !containsFold(p.addresses, address) {
			continue
		}
		if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement) == 0 {
			continue // for signing alone
		}
		return c, true
	}
	return nil, false
}

// Signs tells whether a mail address is known to sign its mail: with a
// certificate that can still be used, or nobody who stopped signing could ever
// write again.
func (s *Set) Signs(address string) bool {
	return slices.ContainsFunc(s.people, func(p person) bool {
		return p.state != Revoked && !s.Authority.Now.After(p.certificate.NotAfter) && containsFold(p.addresses, address)
	}) ||
		slices.ContainsFunc(s.pgp, func(k pgpKey) bool {
			return k.role == Person && k.state != Revoked && k.key.ValidAt(s.Authority.Now) && containsFold(k.addresses, address)
		})
}

// Open is an imip.Opener with the set's private keys.
func (s *Set) Open(protocol string, data []byte) ([]byte, bool, []*imip.Signature, error) {
	if protocol == imip.PGP {
		return s.openPGP(data)
	}
	e, err := cms.Decrypt(data, s.keys)
	if err != nil {
		return nil, false, nil, err
	}
	return e.Content, e.Authenticated, nil, nil
}

// Collect remembers a certificate that a verified message bore, for the
// addresses it counts for, so that mail can be encrypted to them and a message
// without a signature is noticed later. Of a certificate that was collected
// before, addresses are added; what a person said of one stays.
func (k *Keyring) Collect(ctx context.Context, account store.AccountID, c *x509.Certificate, addresses []string) error {
	rows, err := k.rows(ctx, store.Site, account)
	if err != nil {
		return err
	}
	row := k.row(account, c)
	row.Role, row.State, row.Addresses = Person, Collected, strings.Join(addresses, "\n")
	for _, r := range rows {
		if r.Protocol != row.Protocol || r.Fingerprint != row.Fingerprint {
			continue
		}
		have := strings.Fields(r.Addresses)
		more := slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return containsFold(have, a) })
		if r.Account != account || r.State != Collected || len(more) == 0 {
			return nil
		}
		row = r
		row.Addresses = strings.Join(append(have, more...), "\n")
	}
	return k.save(ctx, row)
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}
