package cip

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/convene-cal/convene/ical"
)

// UserID is a calendar user address as CIP writes it: local-user-id@server-id
// in ASCII (section 1.6), an internationalized domain as A-labels. ok is false
// for an address that CIP cannot write.
func UserID(a ical.Address) (id string, ok bool) {
	e := a.Email()
	at := strings.LastIndexByte(e, '@')
	if at <= 0 {
		return "", false
	}
	domain, err := idna.Lookup.ToASCII(e[at+1:])
	if err != nil {
		// Underscores and the like are no IDNA matter.
		domain = strings.ToLower(e[at+1:])
	}
	id = e[:at+1] + domain
	return id, validID(id) && strings.IndexByte(id, '"') < 0
}

// ParseUserID reads a user id, with or without brackets.
func ParseUserID(id string) (ical.Address, bool) {
	id = unbracket(strings.TrimSpace(id))
	if !validID(id) {
		return "", false
	}
	a := ical.ParseAddress(id)
	return a, a.Email() != ""
}

// maxID is the most octets of a user or event id: a line holds two of them.
const maxID = 255

// validID tells printable ASCII without blanks, of a length that fits a line.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// ServerOf is the server id of a user or event id, in lower case.
func ServerOf(id string) string {
	at := strings.LastIndexByte(id, '@')
	if at < 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(id[at+1:], "."))
}

// owned tells that an id ends with one of the server ids.
func owned(id string, servers []string) bool {
	s := ServerOf(id)
	if s == "" {
		return false
	}
	for _, o := range servers {
		if strings.EqualFold(o, s) {
			return true
		}
	}
	return false
}

// EventID is the id of an event of ours (section 1.7): its UID where that ends
// with one of our server ids, else the UID as the local part of the first. ok
// is false for a UID that is too long to be one.
func EventID(uid string, servers []string) (id string, ok bool) {
	if owned(uid, servers) && validID(uid) {
		return uid, true
	}
	if len(servers) == 0 {
		return uid, validID(uid)
	}
	id = escape(uid) + "@" + servers[0]
	return id, validID(id)
}

// UIDs are the UIDs that an event id may stand for, the likeliest first: the id
// itself, and what [EventID] made it of.
func UIDs(id string, servers []string) []string {
	list := []string{id}
	if at := strings.LastIndexByte(id, '@'); at > 0 && owned(id, servers) {
		if uid, ok := unescape(id[:at]); ok && uid != id {
			list = append(list, uid)
		}
	}
	return list
}

const upperHex = "0123456789ABCDEF"

// escape writes every octet but letters, digits, '-', '.' and '_' as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}

func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b.WriteByte(byte(high<<4 | low))
		i += 2
	}
	return b.String(), true
}

func hexDigit(c byte) int {
	if 'a' <= c && c <= 'f' {
		c -= 'a' - 'A'
	}
	return strings.IndexByte(upperHex, c)
}

// ValidEventID tells whether an id can be written on the wire.
func ValidEventID(id string) bool { return validID(id) }
