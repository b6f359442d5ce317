package caldav

// ACE is one entry of an access control list as a client sets it (RFC 3744 5.5).
type ACE struct {
	Principal  ACEPrincipal
	Invert     bool
	Deny       bool
	Privileges []Name
	Protected  bool
	Inherited  bool
	Line       int
}

// ACEPrincipal says whom an entry is about: an href, or one of the names
// all, authenticated, unauthenticated, self, property (RFC 3744 5.5.1).
type ACEPrincipal struct {
	Href     string
	Kind     string
	Property Name // for Kind "property"
}

// maxACEs in one list.
const maxACEs = 500

// ParseACL reads the body of an ACL request (RFC 3744 8.1).
func ParseACL(body []byte, l Limits) ([]ACE, error) {
	root, err := ParseElement(body, l)
	if err != nil {
		return nil, err
	}
	if !root.Is(D("acl")) {
		return nil, unexpected(root, "DAV:acl")
	}
	var list []ACE
	for e := range root.Elements() {
		if !e.Is(D("ace")) {
			continue
		}
		a, err := parseACE(e)
		if err != nil {
			return nil, err
		}
		if list = append(list, a); len(list) > maxACEs {
			return nil, refuse("limited-number-of-aces", e.Line, "At most %d access control entries are allowed.", maxACEs)
		}
	}
	return list, nil
}

func parseACE(e *Element) (ACE, error) {
	a := ACE{Line: e.Line}
	granted := 0
	for c := range e.Elements() {
		switch c.Name {
		case D("invert"):
			a.Invert = true
			if p := c.Child(D("principal")); p != nil {
				a.Principal = parseACEPrincipal(p)
			}
		case D("principal"):
			a.Principal = parseACEPrincipal(c)
		case D("protected"):
			a.Protected = true
		case D("inherited"):
			a.Inherited = true
		case D("grant"), D("deny"):
			granted++
			a.Deny = c.Is(D("deny"))
			for p := range c.Elements() {
				if p.Is(D("privilege")) {
					for n := range p.Elements() {
						a.Privileges = append(a.Privileges, n.Name)
					}
				}
			}
		}
	}
	if a.Principal == (ACEPrincipal{}) {
		return a, refuse(Malformed, e.Line, "An access control entry names no principal.")
	}
	if granted != 1 || len(a.Privileges) == 0 {
		return a, refuse(Malformed, e.Line, "An access control entry grants or denies something, and only one of both.")
	}
	return a, nil
}

func parseACEPrincipal(e *Element) ACEPrincipal {
	for c := range e.Elements() {
		if c.Name.Space != NSDAV {
			continue
		}
		p := ACEPrincipal{Kind: c.Name.Local}
		switch c.Name.Local {
		case "href":
			p.Href = trimmed(c)
		case "property":
			for q := range c.Elements() {
				p.Property = q.Name
				break
			}
		}
		return p
	}
	return ACEPrincipal{}
}
