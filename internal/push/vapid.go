package push

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// Key says who sends (RFC 8292): an ECDSA key on P-256 that is the service's own.
type Key struct {
	private *ecdsa.PrivateKey
	public  []byte // uncompressed
}

// KeyStore keeps the one key of the service.
type KeyStore interface {
	// PushKey gives the key that is kept, or keeps the one given.
	PushKey(ctx context.Context, fresh []byte) ([]byte, error)
}

// LoadKey takes the service's key from where it is kept, made when there is none.
func LoadKey(ctx context.Context, keys KeyStore) (*Key, error) {
	fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(fresh)
	if err != nil {
		return nil, err
	}
	if der, err = keys.PushKey(ctx, der); err != nil {
		return nil, fmt.Errorf("key for push messages: %w", err)
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key for push messages: %w", err)
	}
	private, ok := any.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("key for push messages: it is no key on P-256")
	}
	public, err := private.PublicKey.ECDH()
	if err != nil {
		return nil, err
	}
	return &Key{private, public.Bytes()}, nil
}

// Public is the key as clients give it to their push service: uncompressed, base64url.
func (k *Key) Public() string { return base64.RawURLEncoding.EncodeToString(k.public) }

// lifetime of a token: a day at most (RFC 8292 2).
const lifetime = 12 * time.Hour

// authorization for one message (RFC 8292 2, 3).
func (k *Key) authorization(resource *url.URL, contact string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"aud": resource.Scheme + "://" + resource.Host, // RFC 6454 6.1
		"exp": now.Add(lifetime).Unix(), "sub": contact,
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64) // RFC 7518 3.4
	fill(signature[:32], r)
	fill(signature[32:], s)
	return "vapid t=" + text + "." + base64.RawURLEncoding.EncodeToString(signature) + ", k=" + k.Public(), nil
}

func fill(to []byte, n *big.Int) { n.FillBytes(to) }
