package caldav

import (
	"bytes"
	"strings"
)

// LockInfo is the body of a LOCK request (RFC 4918 14.11).
type LockInfo struct {
	Shared bool
	Owner  string // the content of DAV:owner as XML that can stand anywhere
}

// maxLockOwner is what is kept of whom a lock belongs to, in octets.
const maxLockOwner = 8 << 10

// ParseLockInfo reads the body of a LOCK; nil is one that refreshes (RFC 4918 9.10.2).
func ParseLockInfo(body []byte, l Limits) (*LockInfo, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	root, err := ParseElement(body, l)
	if err != nil {
		return nil, err
	}
	if !root.Is(D("lockinfo")) {
		return nil, unexpected(root, "DAV:lockinfo")
	}
	scope, kind := root.Child(D("lockscope")), root.Child(D("locktype"))
	if scope == nil || kind == nil {
		return nil, refuse(Malformed, root.Line, "A DAV:lockinfo says what kind of lock it asks for: DAV:lockscope and DAV:locktype.")
	}
	info := &LockInfo{Shared: scope.Child(D("shared")) != nil}
	if !info.Shared && scope.Child(D("exclusive")) == nil || kind.Child(D("write")) == nil {
		return nil, refuse(Malformed, root.Line, "There are exclusive and shared write locks, and no others.")
	}
	if o := root.Child(D("owner")); o != nil {
		var b strings.Builder
		for _, n := range o.Nodes {
			if n.Element != nil {
				b.WriteString(n.Element.Fragment())
			} else {
				b.Write(appendEscaped(nil, n.Text, false))
			}
		}
		if info.Owner = b.String(); len(info.Owner) > maxLockOwner {
			return nil, refuse(BeyondSize, o.Line, "The owner of a lock is at most %d octets.", maxLockOwner)
		}
	}
	return info, nil
}
