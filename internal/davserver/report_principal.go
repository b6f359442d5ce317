package davserver

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/account"
)

// searchable properties of principals (RFC 3744 9.5, RFC 6638 2.4.1): their
// texts for an account.
var searchable = []struct {
	name  caldav.Name
	about string
	texts func(account.Match) []string
}{
	{caldav.D("displayname"), "Name", func(m account.Match) []string {
		if m.DisplayName == "" {
			return []string{m.Name}
		}
		return []string{m.DisplayName}
	}},
	{caldav.C("calendar-user-address-set"), "Calendar user address", func(m account.Match) []string {
		return append(plainAddresses(m), principalHref(m.Name))
	}},
	{caldav.CS("email-address-set"), "E-mail address", func(m account.Match) []string {
		var out []string
		for _, a := range m.Addresses {
			out = append(out, a.Email())
		}
		return out
	}},
	{userTypeName, "Kind of calendar user", func(m account.Match) []string { return []string{userType(m.Kind)} }},
	{caldav.CS("first-name"), "First name", func(m account.Match) []string {
		first, _ := names(m.DisplayName)
		return []string{first}
	}},
	{caldav.CS("last-name"), "Last name", func(m account.Match) []string {
		_, last := names(m.DisplayName)
		return []string{last}
	}},
	// Thunderbird looks for whose a home is.
	{caldav.C("calendar-home-set"), "Address of the calendars", func(m account.Match) []string { return []string{homeHref(m.Name)} }},
}

func plainAddresses(m account.Match) []string {
	var out []string
	for _, a := range m.Addresses {
		out = append(out, string(a))
	}
	return out
}

func (q *request) principalSearchPropertySet() error {
	var out buffer
	x := caldav.NewWriter(&out)
	x.StartDocument(caldav.D("principal-search-property-set"))
	for _, s := range searchable {
		x.Start(caldav.D("principal-search-property"))
		x.Start(caldav.D("prop"))
		x.Empty(s.name)
		x.End(caldav.D("prop"))
		x.Start(caldav.D("description"), "xml:lang", "en")
		x.Text(s.about)
		x.End(caldav.D("description"))
		x.End(caldav.D("principal-search-property"))
	}
	x.End(caldav.D("principal-search-property-set"))
	if err := x.Flush(); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", xmlType)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	q.w.WriteHeader(http.StatusOK)
	_, err := q.w.Write(out)
	return ignoreGone(err)
}

// principalPropertySearch is RFC 3744 9.4. It finds people by what is typed,
// not everyone: an empty text finds nobody.
func (q *request) principalPropertySearch(r *resource, b *caldav.PrincipalPropertySearch) error {
	limit := q.searchLimit(b.Limit)
	var found []account.Match
	seen := map[string]bool{}
	more := false
	if r.kind == principalSet || b.Everywhere {
		searches := b.Searches
		if !b.AnyOf { // each must match, so one gives the candidates
			searches = []caldav.PropertySearch{narrowest(b.Searches)}
		}
		for _, s := range searches {
			list, m, err := q.candidates(s)
			if err != nil {
				return err
			}
			more = more || m
			for _, c := range list {
				if !seen[c.Name] && q.searchMatches(b, c) {
					seen[c.Name] = true
					found = append(found, c)
				}
			}
		}
	}
	return q.principals(b.PropRequest, found, limit, more)
}

// candidates are the accounts that could match one search. The directory finds
// by the beginnings of words; what is typed is looked for anywhere in the
// property afterwards.
func (q *request) candidates(s caldav.PropertySearch) (list []account.Match, more bool, err error) {
	token := s.Match
	for _, prefix := range []string{"mailto:", "MAILTO:"} {
		token = strings.TrimPrefix(token, prefix)
	}
	if p, err := parseHref(token, q.sameHost); err == nil && p.kind&(principal|home) != 0 {
		token = p.account
	}
	if strings.TrimSpace(token) == "" {
		return nil, false, nil
	}
	if s.Names[0] == userTypeName {
		// All rooms and resources are of use to everyone; all people are a directory.
		if t := strings.ToUpper(token); t != "ROOM" && t != "RESOURCE" {
			return nil, false, nil
		}
		token = ""
	}
	list, err = q.s.accounts.Search(q.ctx, strings.Fields(token), q.s.limits.SearchResults+1)
	return list, len(list) > q.s.limits.SearchResults, err
}

var userTypeName = caldav.C("calendar-user-type")

// narrowest is the first search that is for something people type.
func narrowest(list []caldav.PropertySearch) caldav.PropertySearch {
	for _, s := range list {
		if s.Names[0] != userTypeName {
			return s
		}
	}
	return list[0]
}

func (q *request) searchMatches(b *caldav.PrincipalPropertySearch, m account.Match) bool {
	for _, s := range b.Searches {
		hit := false
		for _, n := range s.Names {
			for _, row := range searchable {
				if row.name == n {
					hit = hit || anyText(row.texts(m), s)
				}
			}
		}
		if hit == b.AnyOf {
			return hit
		}
	}
	return !b.AnyOf
}

func anyText(texts []string, s caldav.PropertySearch) bool {
	want := strings.ToLower(s.Match)
	for _, t := range texts {
		t = strings.ToLower(t)
		switch s.Kind {
		case "equals":
			if t == want {
				return true
			}
		case "starts-with":
			if strings.HasPrefix(t, want) {
				return true
			}
		default:
			if strings.Contains(t, want) {
				return true
			}
		}
	}
	return false
}

// principalSearch is CalendarServer's: every word somewhere, of one kind of principal.
func (q *request) principalSearch(b *caldav.PrincipalSearch) error {
	list, err := q.s.accounts.Search(q.ctx, b.Tokens, q.s.limits.SearchResults+1)
	if err != nil {
		return err
	}
	more := len(list) > q.s.limits.SearchResults
	kinds, restricted := map[string]string{
		"attendee": "INDIVIDUAL GROUP", "user": "INDIVIDUAL", "group": "GROUP", "location": "ROOM", "resource": "RESOURCE",
	}[b.Context]
	var found []account.Match
	for _, m := range list {
		if !restricted || strings.Contains(kinds, userType(m.Kind)) {
			found = append(found, m)
		}
	}
	return q.principals(b.PropRequest, found, q.searchLimit(b.Limit), more)
}

func (q *request) searchLimit(asked int) int {
	if asked > 0 {
		return min(asked, q.s.limits.SearchResults)
	}
	return q.s.limits.SearchResults
}

// principals answers with the properties of accounts, at most limit.
func (q *request) principals(want caldav.PropRequest, list []account.Match, limit int, more bool) error {
	m := q.multistatus()
	s := q.selection(want)
	for i, a := range list {
		if i == limit {
			more = true
			break
		}
		r := &resource{place: place{kind: principal, account: a.Name}, owner: a.Account}
		p, err := s.of(r)
		if err != nil {
			return m.finish("", err)
		}
		m.Response(r.href(), p)
	}
	if more { // RFC 3744 9.4
		m.Status(q.at.href(), 507, caldav.D("number-of-matches-within-limits"), "More people match than one answer holds; type more.")
	}
	return m.finish("", nil)
}

// principalMatch is RFC 3744 9.3: the members of a collection that are the
// user, or that a property ties to the user.
func (q *request) principalMatch(r *resource, b *caldav.PrincipalMatch) error {
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	mine := principalHref(q.by.Name)
	visit := func(c *resource) error {
		if b.Self {
			if c.kind != principal || c.owner.ID != q.by.Account {
				return nil
			}
		} else if hrefs, err := q.hrefsIn(c, b.Property); err != nil {
			return err
		} else if !contains(hrefs, mine) {
			return nil
		}
		p, err := s.of(c)
		if err == nil {
			m.Response(c.href(), p)
		}
		return err
	}
	return m.finish("", q.walk(r, visit))
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// walk visits every member of a collection, at any depth.
func (q *request) walk(r *resource, visit func(*resource) error) error {
	var below []*resource
	if err := q.children(r, func(c *resource) error {
		if c.kind&objects == 0 {
			below = append(below, c)
		}
		return visit(c)
	}); err != nil {
		return err
	}
	for _, c := range below {
		if err := q.walk(c, visit); err != nil {
			return err
		}
	}
	return nil
}

// aclPrincipals is RFC 3744 9.2: the principals in an access control list.
func (q *request) aclPrincipals(r *resource, b *caldav.ACLPrincipalPropSet) error {
	hrefs, err := q.hrefsIn(r, caldav.D("acl"))
	if err != nil {
		return err
	}
	m := q.multistatus()
	s := q.selection(b.PropRequest)
	seen := map[string]bool{}
	for _, h := range append([]string{principalHref(r.owner.Name)}, hrefs...) {
		at, err := parseHref(h, q.sameHost)
		if err != nil || at.kind != principal || seen[at.href()] {
			continue
		}
		seen[at.href()] = true
		c, err := q.find(at)
		if err != nil {
			continue
		}
		p, err := s.of(c)
		if err != nil {
			return m.finish("", err)
		}
		m.Response(c.href(), p)
	}
	return m.finish("", nil)
}
