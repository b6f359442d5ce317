package mailauth

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer puts DKIM signatures on outgoing mail. It is safe for concurrent use.
type Signer struct {
	selector string
	key      crypto.Signer
}

// NewSigner reads a private key in PEM: RSA of at least 1024 bits (RFC 8301
// 3.2) or Ed25519 (RFC 8463). The selector names it in the DNS.
func NewSigner(selector string, text []byte) (*Signer, error) {
	if selector == "" {
		return nil, errors.New("a DKIM key needs a selector (mail.dkim-selector)")
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the DKIM key is not in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, fmt.Errorf("the DKIM key cannot be read: %w", err)
		}
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		const least = 1024
		if k.N.BitLen() < least {
			return nil, fmt.Errorf("the DKIM key has %d bits; receivers ignore keys below %d", k.N.BitLen(), least)
		}
		return &Signer{selector, k}, nil
	case ed25519.PrivateKey:
		return &Signer{selector, k}, nil
	}
	return nil, fmt.Errorf("the DKIM key is a %T, and only RSA and Ed25519 keys sign mail", key)
}

// signedFields are RFC 6376 5.4.1's and those that decide how a calendar is
// read. From stands twice, so that none can be put before it (8.15).
var signedFields = []string{"From", "From", "Sender", "Reply-To", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"}

// Sign gives a mail with a signature for domain, which must be that of its From
// for the signature to be worth anything (DMARC alignment).
func (s *Signer) Sign(raw []byte, domain string) ([]byte, error) {
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{Domain: ascii(domain), Selector: s.selector, Signer: s.key, HeaderKeys: signedFields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", domain, err)
	}
	return out.Bytes(), nil
}

// Record is the name and text of the DNS record that receivers look for.
func (s *Signer) Record(domain string) (name, text string, err error) {
	name = s.selector + "._domainkey." + ascii(domain)
	if public, ok := s.key.Public().(ed25519.PublicKey); ok {
		return name, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), nil
	}
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	return name, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), err
}
