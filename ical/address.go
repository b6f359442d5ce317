package ical

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a calendar user address (RFC 5545 3.3.3) as written, for example
// "mailto:Ann@Example.com". Compare with Equal or Key, never with ==.
type Address string

const mailto = "mailto:"

func hasMailto(s string) bool {
	return len(s) >= len(mailto) && strings.EqualFold(s[:len(mailto)], mailto)
}

// ParseAddress reads an address with the spellings of LEN-09 put right: a
// missing mailto: is added, doubled ones, blanks and angle brackets removed.
func ParseAddress(s string) Address {
	if strings.HasPrefix(s, mailto) && plainMailbox(s[len(mailto):]) {
		return Address(s)
	}
	t := s
	if open := strings.LastIndexByte(t, '<'); open >= 0 {
		if end := strings.IndexByte(t[open:], '>'); end > 0 { // Ann <ann@example.com>
			t = t[open+1 : open+end]
		}
	}
	mail := hasMailto(strings.TrimLeft(s, " \t\"<"))
	for {
		t = strings.Trim(t, " \t<>")
		if len(t) >= 2 && t[0] == '"' && t[len(t)-1] == '"' {
			t = t[1 : len(t)-1]
		} else if hasMailto(t) {
			t, mail = t[len(mailto):], true
		} else {
			break
		}
	}
	if mail || isAddrSpec(t) {
		return Address(mailto + t)
	}
	return Address(t)
}

// plainMailbox tells a mailbox that needs no repair.
func plainMailbox(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == '<' || c == '>' || c == ':' || c == '"' {
			return false
		}
	}
	return true
}

// isAddrSpec tells an addr-spec from a URI and from a path.
func isAddrSpec(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " /") && !strings.Contains(s[:at], ":")
}

// Mailto is the address of a mailbox.
func Mailto(email string) Address { return ParseAddress(mailto + email) }

// Key is what addresses are compared by (ADR-01): for mail the addr-spec,
// percent-decoded, in lower case, the domain as IDNA A-labels; for other
// schemes the whole, with the scheme in lower case.
func (a Address) Key() string {
	s := string(a)
	if !hasMailto(s) {
		if s = string(ParseAddress(s)); !hasMailto(s) {
			if i := strings.IndexByte(s, ':'); i > 0 {
				return strings.ToLower(s[:i]) + s[i:]
			}
			return s
		}
	}
	s = s[len(mailto):]
	if strings.ContainsAny(s, "%?<>: \t\"") {
		s = strings.TrimPrefix(string(ParseAddress(mailto+s)), mailto)
		if i := strings.IndexByte(s, '?'); i >= 0 { // RFC 6068 header fields
			s = s[:i]
		}
		if d, err := url.PathUnescape(s); err == nil && utf8.ValidString(d) {
			s = d
		}
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return strings.ToLower(s)
	}
	return strings.ToLower(s[:at]) + "@" + domainKey(s[at+1:])
}

func domainKey(d string) string {
	d = strings.TrimSuffix(strings.ToLower(d), ".")
	for i := 0; i < len(d); i++ {
		if d[i] >= utf8.RuneSelf {
			if ascii, err := idna.Lookup.ToASCII(d); err == nil {
				return ascii
			}
			break
		}
	}
	return d
}

// Email is the addr-spec to send mail to, spelled as written; "" when the
// address cannot be reached by mail (ADR-02).
func (a Address) Email() string {
	s := string(ParseAddress(string(a)))
	if !hasMailto(s) {
		return ""
	}
	s = s[len(mailto):]
	if i := strings.IndexByte(s, '?'); i >= 0 {
		s = s[:i]
	}
	if strings.Contains(s, "%") {
		if d, err := url.PathUnescape(s); err == nil && utf8.ValidString(d) {
			s = d
		}
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || strings.ContainsAny(s, "\r\n\x00<> ") || s[0] == '/' {
		return ""
	}
	return s
}

// Domain is the domain of a mail address as in Key, "" for other addresses.
func (a Address) Domain() string {
	e := a.Email()
	if e == "" {
		return ""
	}
	return domainKey(e[strings.LastIndexByte(e, '@')+1:])
}

// Equal tells whether both name the same calendar user by spelling (ADR-01).
func (a Address) Equal(b Address) bool { return a == b || a.Key() == b.Key() }

// Address reads the value as a calendar user address.
func (p *Property) Address() Address { return ParseAddress(p.Value()) }

// SetAddress sets the value and keeps the parameters.
func (p *Property) SetAddress(a Address) { p.SetValue(string(a)) }
