package mailauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// field is a header field: its name in lower case, its value, and itself as it
// stands, without the line end behind it.
type field struct{ name, value, raw string }

// mailText is a mail in its two parts, with CRLF everywhere.
type mailText struct {
	fields []field
	body   []byte
}

func splitMail(raw []byte) (m mailText) {
	for len(raw) > 0 {
		end := bytes.Index(raw, []byte("\r\n"))
		for end > 0 && end+2 < len(raw) && (raw[end+2] == ' ' || raw[end+2] == '\t') { // it is folded
			if next := bytes.Index(raw[end+2:], []byte("\r\n")); next >= 0 {
				end += 2 + next
			} else {
				end = -1
			}
		}
		line, rest := raw, []byte(nil)
		if end >= 0 {
			line, rest = raw[:end], raw[end+2:]
		}
		raw = rest
		if len(line) == 0 {
			m.body = raw
			return m
		}
		name, value, ok := strings.Cut(string(line), ":")
		if ok {
			m.fields = append(m.fields, field{strings.ToLower(strings.TrimSpace(name)), value, string(line)})
		}
	}
	return m
}

// headers are the fields as [fields.uncovered] wants them.
func (m mailText) headers() (h fields) {
	for _, f := range m.fields {
		h = append(h, struct{ name, value string }{f.name, unfold(f.value)})
	}
	return h
}

func unfold(s string) string { return strings.ReplaceAll(s, "\r\n", "") }

var blanks = regexp.MustCompile(`[ \t]+`)

// relaxedField is RFC 6376 3.4.2, without a line end.
func relaxedField(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Trim(blanks.ReplaceAllString(unfold(value), " "), " ")
}

// relaxedBody is RFC 6376 3.4.4, simpleBody 3.4.3.
func relaxedBody(body []byte) []byte {
	var out bytes.Buffer
	empty := 0
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		body = rest
		line = bytes.TrimRight(blanks.ReplaceAll(line, []byte(" ")), " ")
		if len(line) == 0 {
			empty++
			continue
		}
		for ; empty > 0; empty-- {
			out.WriteString("\r\n")
		}
		out.Write(line)
		out.WriteString("\r\n")
	}
	return out.Bytes()
}

func simpleBody(body []byte) []byte {
	for bytes.HasSuffix(body, []byte("\r\n")) {
		body = body[:len(body)-2]
	}
	return append(body[:len(body):len(body)], "\r\n"...)
}

var signatureTag = regexp.MustCompile(`(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*`)

// withoutSignature empties the tag b= of a signature field (RFC 6376 3.5).
func withoutSignature(raw string) string {
	name, value, _ := strings.Cut(raw, ":")
	return name + ":" + signatureTag.ReplaceAllString(value, "$1$2")
}

// verifyMessage verifies a signature over the fields it names and the body
// (RFC 6376 6.1.3), which is what ARC-Message-Signature is (RFC 8617 4.1.2).
func (c *Checker) verifyMessage(ctx context.Context, m mailText, f field, tags map[string]string) error {
	header, body, _ := strings.Cut(tags["c"], "/")
	header, body = strings.ToLower(strings.TrimSpace(header)), strings.ToLower(strings.TrimSpace(body))
	canonical := map[string]func([]byte) []byte{"": simpleBody, "simple": simpleBody, "relaxed": relaxedBody}[body]
	relaxed := header == "relaxed"
	if canonical == nil || header != "" && header != "simple" && !relaxed {
		return fmt.Errorf("the form c=%s is not known", tags["c"])
	}
	sum := sha256.Sum256(canonical(m.body))
	if given, err := decodeTag(tags["bh"]); err != nil || !bytes.Equal(given, sum[:]) {
		return errors.New("the body was changed")
	}
	write := func(raw string) string {
		if relaxed {
			return relaxedField(raw)
		}
		return raw
	}
	var signed strings.Builder
	used := map[string]int{} // fields of a name are taken from the last up (RFC 6376 5.4.2)
	for name := range strings.SplitSeq(tags["h"], ":") {
		name = strings.ToLower(strings.TrimSpace(name))
		skip := used[name]
		used[name]++
		for i := len(m.fields) - 1; i >= 0; i-- {
			if m.fields[i].name != name {
				continue
			}
			if skip == 0 {
				signed.WriteString(write(m.fields[i].raw) + "\r\n")
				break
			}
			skip--
		}
	}
	signed.WriteString(write(withoutSignature(f.raw)))
	return c.verifyValue(ctx, tags, []byte(signed.String()))
}

// leastBits of an RSA key (RFC 8301 3.2).
const leastBits = 1024

// verifyValue verifies the tag b= of a signature over what was signed, with the
// key that its domain publishes.
func (c *Checker) verifyValue(ctx context.Context, tags map[string]string, signed []byte) error {
	value, err := decodeTag(tags["b"])
	if err != nil || len(value) == 0 {
		return errors.New("it has no value")
	}
	kind, ok := map[string]string{"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}[strings.ToLower(tags["a"])]
	if !ok {
		return fmt.Errorf("the algorithm %q is not believed", tags["a"])
	}
	if at, err := strconv.ParseInt(tags["x"], 10, 64); err == nil && c.now().Unix() > at {
		return errors.New("it has expired")
	}
	if tags["d"] == "" || tags["s"] == "" {
		return errors.New("it names no key")
	}
	texts, err := c.resolver.LookupTXT(ctx, ascii(tags["s"])+"._domainkey."+ascii(tags["d"]))
	if err != nil {
		return fmt.Errorf("its key was not found: %w", err)
	}
	if len(texts) != 1 {
		return errors.New("its key cannot be told from another")
	}
	record := parseTags(texts[0])
	if v := record["v"]; v != "" && v != "DKIM1" {
		return errors.New("its key is of another kind")
	}
	if k := record["k"]; k != "" && k != kind || k == "" && kind != "rsa" {
		return errors.New("its key is of another kind")
	}
	der, err := decodeTag(record["p"])
	if err != nil || len(der) == 0 { // RFC 6376 3.6.1: an empty key was revoked
		return errors.New("its key was withdrawn")
	}
	sum := sha256.Sum256(signed)
	if kind == "ed25519" { // RFC 8463 3: over the hash
		if len(der) != ed25519.PublicKeySize || !ed25519.Verify(ed25519.PublicKey(der), sum[:], value) {
			return errors.New("it does not fit")
		}
		return nil
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if public, err = x509.ParsePKCS1PublicKey(der); err != nil {
			return errors.New("its key cannot be read")
		}
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < leastBits {
		return errors.New("its key is too weak")
	}
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value) != nil {
		return errors.New("it does not fit")
	}
	return nil
}

// decodeTag reads base64 with blanks in it (RFC 6376 2.10).
func decodeTag(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s))
}
