// Package certs makes certificates and keys for tests: a certification
// authority and what it issues, all valid around [Now].
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Now is a moment at which all certificates are valid unless they say otherwise.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Identity is a certificate with its key and the chain above it.
type Identity struct {
	Key   crypto.Signer
	Cert  *x509.Certificate
	Chain []*x509.Certificate // from Cert upwards
}

var serial atomic.Int64

// Key makes a key: "rsa", "p256", "p384", "p521" or "ed25519". RSA keys are
// kept and given again, because making them is slow.
func Key(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		return someRSA()
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("certs: no kind of key %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var someRSA = sync.OnceValue(func() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// CA makes a certification authority with a root of its own.
func CA(t testing.TB, name string) *Identity {
	t.Helper()
	return issue(t, Key(t, "p256"), nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
}

// Issue makes an e-mail certificate for addresses with a key of the given
// kind. change may be nil; it alters the template before it is signed.
func (ca *Identity) Issue(t testing.TB, kind string, change func(*x509.Certificate), addresses ...string) *Identity {
	t.Helper()
	name := "somebody"
	if len(addresses) > 0 {
		name = addresses[0]
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, EmailAddresses: addresses,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	if change != nil {
		change(template)
	}
	return issue(t, Key(t, kind), ca, template)
}

func issue(t testing.TB, key crypto.Signer, ca *Identity, template *x509.Certificate) *Identity {
	t.Helper()
	template.SerialNumber = big.NewInt(serial.Add(1) + 1000)
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = Now.AddDate(-1, 0, 0), Now.AddDate(5, 0, 0)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	id := &Identity{Key: key, Cert: cert, Chain: []*x509.Certificate{cert}}
	if ca != nil {
		id.Chain = append(id.Chain, ca.Chain...)
	}
	return id
}

// Write puts certificate and key as PEM files into dir, for other programs,
// and gives their paths.
func (id *Identity) Write(t testing.TB, dir, name string) (certificate, key string) {
	t.Helper()
	certificate, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: id.Cert.Raw},
		key:         {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
