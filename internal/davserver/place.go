package davserver

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/convene-cal/convene/internal/problem"
)

// kind says what a URL names, by its form alone.
type kind uint32

const (
	root         kind = 1 << iota // /dav/, and / for PROPFIND
	principalSet                  // /dav/principals/
	principal                     // /dav/principals/{account}/
	homeSet                       // /dav/calendars/
	home                          // /dav/calendars/{account}/
	calendarColl                  // /dav/calendars/{account}/{calendar}/
	inbox                         // RFC 6638 2.2
	outbox                        // RFC 6638 2.1
	object                        // in a calendar
	message                       // in the inbox
	beyond                        // deeper than anything that exists
	nowhere                       // no such place can exist
	proxy                         // /dav/principals/{account}/calendar-proxy-read/ and -write/
	notices                       // notifications of a home
	notice                        // one of them
	plain                         // a plain collection of a home, or a file in one; only looking it up tells

	collections = calendarColl | inbox | outbox
	objects     = object | message
	sets        = root | principalSet | homeSet
	anything    = root | principalSet | principal | homeSet | home | collections | objects | plain | proxy | notices | notice
)

// Where things are.
const (
	rootPath      = "/dav/"
	principalPath = "/dav/principals/"
	homePath      = "/dav/calendars/"
	wellKnown     = "/.well-known/caldav"
)

// Segments of the scheduling collections in each home.
const (
	inboxName  = "inbox"
	outboxName = "outbox"
)

// place is what a URL names, decoded and not looked up.
type place struct {
	kind    kind
	account string
	coll    string
	name    string
	path    string // of beyond and plain: from the home on, decoded, without slashes at its ends
	slash   bool   // the path ended in a slash
	folder  bool   // a plain collection
	top     bool   // root by its other address, /
}

// parsePlace reads an escaped path. Slashes that are doubled count once;
// escaped ones, dot segments and control characters name nothing (RFC 3986 6.2.2.3).
func parsePlace(escaped string) (place, error) {
	bad := func(why string) (place, error) {
		return place{kind: nowhere}, problem.New(problem.BadInput, "The address %s.", why)
	}
	var segments []string
	for s := range strings.SplitSeq(escaped, "/") {
		if s == "" {
			continue
		}
		u, err := url.PathUnescape(s)
		switch {
		case err != nil || !utf8.ValidString(u):
			return bad("holds an escape that is none, or is not UTF-8")
		case u == "." || u == "..":
			return bad("holds a dot segment")
		case strings.ContainsFunc(u, func(r rune) bool { return r == '/' || r < 0x20 || r == 0x7f }):
			return bad("holds an escaped slash or a control character")
		case len(u) > 255: // what the door allows for a name
			return bad("holds a name of more than 255 octets")
		}
		segments = append(segments, u)
	}
	p := place{slash: strings.HasSuffix(escaped, "/")}
	at := func(i int) string {
		if i < len(segments) {
			return segments[i]
		}
		return ""
	}
	p.account, p.coll, p.name = at(2), at(3), at(4)
	n := len(segments)
	if n > 5 {
		p.path = strings.Join(segments[3:], "/")
	}
	switch {
	case n == 0, n == 1 && at(0) == "dav":
		p.kind, p.top = root, n == 0
	case at(0) != "dav":
		p.kind = nowhere
	case at(1) == "principals":
		p.kind = [...]kind{principalSet, principal, proxy, nowhere}[min(n-2, 3)]
		if p.coll, p.name = "", at(3); p.kind == proxy && proxyAccess[p.name] == 0 {
			p.kind = nowhere
		}
	case at(1) == "calendars":
		p.kind = [...]kind{homeSet, home, calendarColl, object, beyond}[min(n-2, 4)]
	default:
		p.kind = nowhere
	}
	switch {
	case p.kind == calendarColl && p.coll == inboxName:
		p.kind = inbox
	case p.kind == calendarColl && p.coll == outboxName:
		p.kind = outbox
	case p.kind == calendarColl && p.coll == noticesName:
		p.kind = notices
	case p.kind == object && p.coll == noticesName:
		p.kind = notice
	case p.kind == object && p.coll == inboxName:
		p.kind = message
	case p.kind == object && p.coll == outboxName:
		p.kind = nowhere
	}
	return p, nil
}

// href is the one way a place is written in every answer.
func (p place) href() string {
	switch p.kind {
	case root:
		if p.top {
			return "/"
		}
		return rootPath
	case principalSet:
		return principalPath
	case homeSet:
		return homePath
	case principal:
		return principalHref(p.account)
	case home:
		return homeHref(p.account)
	case proxy:
		return proxyHref(p.account, p.name)
	case calendarColl, inbox, outbox, notices:
		return collectionHref(p.account, p.coll)
	case plain, beyond:
		if p.folder {
			return homeHref(p.account) + escapePath(p.path) + "/"
		}
		return homeHref(p.account) + escapePath(p.path)
	}
	return collectionHref(p.account, p.coll) + escape(p.name)
}

func principalHref(account string) string { return principalPath + escape(account) + "/" }
func homeHref(account string) string      { return homePath + escape(account) + "/" }
func collectionHref(account, coll string) string {
	return homePath + escape(account) + "/" + escape(coll) + "/"
}

// escapePath is escape for each segment of a path.
func escapePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// asURI is an href that a client sent as one can be sent back: octets that no
// URI has are escaped (RFC 3986 2.1).
func asURI(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>\\^`{|}", rune(c)) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// escape percent-encodes a path segment: all but the unreserved characters of
// RFC 3986 2.3 and @, which clients write as it is in addresses.
func escape(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = unescaped(s[i])
	}
	if plain {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); i++ {
		if c := s[i]; unescaped(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

func unescaped(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~@", c) >= 0
}

// parseHref reads a DAV:href or Destination: an absolute path, or a URI whose
// host is ours as far as sameHost knows. A query or fragment names nothing else.
func parseHref(s string, sameHost func(string) bool) (place, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || u.Host == "" && !strings.HasPrefix(s, "/"):
		return place{kind: nowhere}, problem.New(problem.BadInput, "%q is not an absolute path or URI.", s)
	case u.Host != "" && !sameHost(u.Host):
		return place{kind: nowhere}, problem.New(problem.InvalidDestination, "%q is not on this server.", s)
	}
	return parsePlace(u.EscapedPath())
}
