// Package arcseal puts links of an Authenticated Received Chain on mails for
// tests, as a mailing list does. It is written after RFC 8617 5.1 with nothing
// of the code that verifies.
package arcseal

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// Seal adds link n to a mail with CRLF. results is what the handler found, cv
// what it says of the chain before. The key is at s1._domainkey of domain.
func Seal(t testing.TB, key crypto.Signer, mail string, n int, domain, results, cv string) string {
	t.Helper()
	_, edwards := key.Public().(ed25519.PublicKey)
	sign := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		var value []byte
		var err error
		if edwards {
			value, err = key.Sign(rand.Reader, sum[:], crypto.Hash(0))
		} else {
			value, err = key.Sign(rand.Reader, sum[:], crypto.SHA256)
		}
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(value)
	}
	algorithm := "rsa-sha256"
	if edwards {
		algorithm = "ed25519-sha256"
	}
	header, body, _ := strings.Cut(mail, "\r\n\r\n")
	hash := sha256.Sum256([]byte(body))
	aar := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s", n, results)
	ams := fmt.Sprintf("ARC-Message-Signature: i=%d; a=%s; c=relaxed/simple; d=%s; s=s1; h=from:subject:content-type; bh=%s; b=", n, algorithm, domain, base64.StdEncoding.EncodeToString(hash[:]))
	one := func(line string) string {
		name, value, _ := strings.Cut(line, ": ")
		return strings.ToLower(name) + ":" + value
	}
	field := func(name string) string {
		for line := range strings.SplitSeq(header, "\r\n") {
			if strings.HasPrefix(strings.ToLower(line), name+":") {
				return one(line) + "\r\n"
			}
		}
		return ""
	}
	ams += sign(field("from") + field("subject") + field("content-type") + one(ams))
	var before string
	for i := 1; i < n; i++ {
		for _, name := range []string{"ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"} {
			for line := range strings.SplitSeq(header, "\r\n") {
				if strings.HasPrefix(line, fmt.Sprintf("%s: i=%d;", name, i)) {
					before += one(line) + "\r\n"
				}
			}
		}
	}
	as := fmt.Sprintf("ARC-Seal: i=%d; a=%s; cv=%s; d=%s; s=s1; b=", n, algorithm, cv, domain)
	as += sign(before + one(aar) + "\r\n" + one(ams) + "\r\n" + one(as))
	return as + "\r\n" + ams + "\r\n" + aar + "\r\n" + mail
}
