package keyring

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/convene-cal/convene/imip"
	"github.com/convene-cal/convene/imip/pgp"
	"github.com/convene-cal/convene/imip/smime"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Lifetimes of what the site's own authority issues.
const (
	authorityYears = 20
	personYears    = 3
)

// Import takes an account's own key from a file: PKCS #12 or an OpenPGP key,
// which password opens, or PEM with a private key and its certificates. The key must fit the
// first certificate, and that must name one of the addresses.
func (k *Keyring) Import(ctx context.Context, account store.AccountID, addresses []string, data []byte, password string) (Key, error) {
	if isPGP(data) {
		return k.importPGP(ctx, account, addresses, data, password)
	}
	private, chain, err := readOwn(data, password)
	if err != nil {
		return Key{}, err
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return Key{}, problem.New(problem.BadInput, "The private key does not belong to the certificate of %s.", chain[0].Subject)
	}
	if k.now().After(chain[0].NotAfter) {
		return Key{}, problem.New(problem.BadInput, "The certificate of %s ran out on %s.", chain[0].Subject, chain[0].NotAfter.UTC().Format("2 January 2006"))
	}
	mine := common(smime.Addresses(chain[0]), addresses)
	if len(mine) == 0 {
		return Key{}, problem.New(problem.BadInput, "The certificate is for %s, and none of these is an address of this account (%s).",
			strings.Join(smime.Addresses(chain[0]), ", "), strings.Join(addresses, ", "))
	}
	return k.saveOwn(ctx, account, private, chain, mine)
}

func (k *Keyring) saveOwn(ctx context.Context, account store.AccountID, private crypto.Signer, chain []*x509.Certificate, addresses []string) (Key, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("encode the private key: %w", err)
	}
	row := k.row(account, chain[0])
	row.Role, row.State, row.Secret, row.Material = Own, Trusted, der, encodeChain(chain)
	row.Addresses = strings.Join(addresses, "\n")
	return describe(row), k.save(ctx, row)
}

func common(a, b []string) (list []string) {
	for _, x := range a {
		for _, y := range b {
			if strings.EqualFold(x, y) {
				list = append(list, x)
				break
			}
		}
	}
	return list
}

func readOwn(data []byte, password string) (crypto.Signer, []*x509.Certificate, error) {
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return readPEM(data)
	}
	private, certificate, others, err := pkcs12.DecodeChain(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, problem.New(problem.BadInput, "The password does not open the PKCS #12 file.")
	}
	if err != nil {
		return nil, nil, problem.New(problem.BadInput, "The file is neither PEM nor PKCS #12 that can be read: %v.", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, nil, problem.New(problem.BadInput, "The PKCS #12 file has a private key of a kind that cannot sign (%T).", private)
	}
	return signer, append([]*x509.Certificate{certificate}, others...), nil
}

func readPEM(data []byte) (crypto.Signer, []*x509.Certificate, error) {
	chain := certificates(data)
	if len(chain) == 0 {
		return nil, nil, problem.New(problem.BadInput, "The file has no certificate beside the private key.")
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, nil, problem.New(problem.BadInput, "The file has no private key that can be read (PKCS #8, PKCS #1 or SEC 1, without a password).")
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		if signer, ok := key.(crypto.Signer); ok && err == nil {
			return signer, chain, nil
		}
	}
}

// Generate makes an account a key of its own, certified by the site's own
// authority, which is made when it is first needed. Others believe it once they
// have the authority's certificate (Export of its fingerprint at store.Site).
func (k *Keyring) Generate(ctx context.Context, account store.AccountID, name string, addresses []string, kind string) (Key, error) {
	if len(addresses) == 0 {
		return Key{}, problem.New(problem.BadInput, "The account has no mail address that a certificate could name.")
	}
	if kind == "pgp" { // OpenPGP, which needs no authority
		return k.generatePGP(ctx, account, name, addresses)
	}
	private, usage, err := newPrivate(kind)
	if err != nil {
		return Key{}, err
	}
	ca, err := k.siteAuthority(ctx)
	if err != nil {
		return Key{}, err
	}
	now := k.now()
	certificate, err := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, EmailAddresses: addresses,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(personYears, 0, 0),
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		BasicConstraintsValid: true,
	}, private.Public(), ca)
	if err != nil {
		return Key{}, err
	}
	return k.saveOwn(ctx, account, private, append([]*x509.Certificate{certificate}, ca.chain...), addresses)
}

// newPrivate makes a private key, and says what beside signing it is for.
func newPrivate(kind string) (private crypto.Signer, usage x509.KeyUsage, err error) {
	switch kind {
	case "", "rsa": // what every mail program reads
		private, err = rsa.GenerateKey(rand.Reader, 3072)
		usage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	case "ec":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		usage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement
	default:
		return nil, 0, problem.New(problem.BadInput, "%q is no kind of key; it is rsa, ec or pgp.", kind)
	}
	if err != nil {
		err = fmt.Errorf("make a key: %w", err)
	}
	return private, usage, err
}

// pair is a private key with its chain.
type pair struct {
	private crypto.Signer
	chain   []*x509.Certificate
}

func pairOf(r store.MailKey) (pair, error) {
	key, err := x509.ParsePKCS8PrivateKey(r.Secret)
	if err != nil {
		return pair{}, fmt.Errorf("private key %s: %w", r.Fingerprint, err)
	}
	signer, ok := key.(crypto.Signer)
	chain := certificates(r.Material)
	if !ok || len(chain) == 0 {
		return pair{}, fmt.Errorf("key %s is incomplete", r.Fingerprint)
	}
	return pair{signer, chain}, nil
}

func issue(template *x509.Certificate, public crypto.PublicKey, ca pair) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // CA/Browser Forum: at least 64 random bits
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	parent := template
	if len(ca.chain) > 0 {
		parent = ca.chain[0]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, ca.private)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", template.Subject, err)
	}
	return x509.ParseCertificate(der)
}

// siteAuthority gives the site's own authority.
func (k *Keyring) siteAuthority(ctx context.Context) (pair, error) {
	rows, err := k.rows(ctx, store.Site)
	if err != nil {
		return pair{}, err
	}
	for _, r := range rows {
		if r.Role == Authority && r.State == Trusted && r.Secret != nil {
			if p, err := pairOf(r); err == nil && k.now().Before(p.chain[0].NotAfter) {
				return p, nil
			}
		}
	}
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make the site's authority: %w", err)
	}
	now := k.now()
	certificate, err := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Convene mail authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(authorityYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}, private.Public(), pair{private: private})
	if err != nil {
		return pair{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return pair{}, err
	}
	row := k.row(store.Site, certificate)
	row.Role, row.State, row.Secret = Authority, Trusted, der
	return pair{private, []*x509.Certificate{certificate}}, k.save(ctx, row)
}

// Export gives a key's certificates in PEM; with its private part under a
// password where one is given: PKCS #12, or an OpenPGP key.
func (k *Keyring) Export(ctx context.Context, account store.AccountID, fingerprint, password string) ([]byte, error) {
	row, err := k.find(ctx, account, fingerprint)
	if err != nil {
		return nil, err
	}
	if password == "" {
		return row.Material, nil
	}
	if row.Secret == nil {
		return nil, problem.New(problem.BadInput, "There is no private part of the key %s here.", fingerprint)
	}
	if row.Protocol == imip.PGP {
		keys, err := pgp.ParseKeys(row.Secret, "")
		if err != nil || len(keys) == 0 {
			return nil, fmt.Errorf("private key %s: %w", row.Fingerprint, err)
		}
		return keys[0].Private(password)
	}
	p, err := pairOf(row)
	if err != nil {
		return nil, err
	}
	return pkcs12.Modern.Encode(p.private, p.chain[0], p.chain[1:], password)
}
