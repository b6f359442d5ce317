package davserver

import (
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Proxy principals stand below each principal, and who is a member of theirs
// reads, or acts, for its owner (CalendarServer's caldav-proxy 5).
const (
	proxyReadName  = "calendar-proxy-read"
	proxyWriteName = "calendar-proxy-write"
)

// proxyAccess by URL segment.
var proxyAccess = map[string]acl.Access{proxyReadName: acl.Read, proxyWriteName: acl.Act}

func proxyHref(account, which string) string { return principalHref(account) + which + "/" }

// proxyProperties are those of caldav-proxy and of groups (RFC 3744 4.3, 4.4).
var proxyProperties = []property{
	{name: caldav.D("group-member-set"), where: principal | proxy, value: groupMembers},
	{name: caldav.D("group-membership"), where: principal | proxy, value: groupMembership},
	{name: caldav.CS("calendar-proxy-read-for"), where: principal, value: proxyFor(acl.Read)},
	{name: caldav.CS("calendar-proxy-write-for"), where: principal, value: proxyFor(acl.Act)},
	{name: caldav.CS("expanded-group-member-set"), where: principal | proxy, value: groupMembers},
}

func groupMembers(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind == proxy {
		list, err := q.s.calendar.Proxies(q.ctx, q.by, r.owner.ID, proxyAccess[r.place.name])
		for _, a := range list {
			x.Href(principalHref(a.Name))
		}
		return true, err
	}
	if r.owner.Kind != store.Group {
		return true, nil
	}
	list, err := q.s.accounts.Members(q.ctx, r.owner.ID)
	if err != nil {
		return false, err
	}
	for _, m := range list {
		a, ok, err := q.s.accounts.Lookup(q.ctx, ical.Address(m.URI))
		if err != nil {
			return false, err
		}
		if ok { // people elsewhere have no principal
			x.Href(principalHref(a.Name))
		}
	}
	return true, nil
}

func groupMembership(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind == proxy {
		return true, nil
	}
	groups, err := q.s.calendar.GroupsOf(q.ctx, r.owner.ID)
	if err != nil {
		return false, err
	}
	for _, g := range groups {
		x.Href(principalHref(g.Name))
	}
	if r.owner.ID != q.by.Account { // who acts for whom is theirs to know
		return true, nil
	}
	list, err := q.s.calendar.ProxyFor(q.ctx, r.owner.ID)
	for _, p := range list {
		which := proxyReadName
		if p.Access >= acl.Act {
			which = proxyWriteName
		}
		x.Href(proxyHref(p.Name, which))
	}
	return true, err
}

func proxyFor(access acl.Access) func(*request, *resource, *caldav.Writer) (bool, error) {
	return func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		if r.owner.ID != q.by.Account {
			return false, nil
		}
		list, err := q.s.calendar.ProxyFor(q.ctx, r.owner.ID)
		for _, p := range list {
			if p.Access >= acl.Act == (access >= acl.Act) {
				x.Href(principalHref(p.Name))
			}
		}
		return true, err
	}
}

// proxyMembers is PROPPATCH on a proxy principal: its members and nothing else.
func (e *edit) proxyMembers(r *resource) error {
	var want []store.AccountID
	found := false
	for i, s := range e.steps {
		if s.Value.Name != caldav.D("group-member-set") {
			e.results[i] = problem.New(problem.ProtectedProperty, "%s is kept by the server and cannot be set.", s.Value.Name.Local)
			continue
		}
		found, want = true, nil
		if s.Remove {
			continue
		}
		for h := range s.Value.Elements() {
			if !h.Is(caldav.D("href")) {
				continue
			}
			p, err := parseHref(strings.TrimSpace(h.Text()), e.q.sameHost)
			if err == nil && p.kind != principal {
				err = problem.New(problem.Forbidden, "%s is no principal.", clip(h.Text()))
			}
			if err != nil {
				e.results[i] = err
				break
			}
			a, err := e.q.account(p.account)
			if err != nil {
				e.results[i] = err
				break
			}
			want = append(want, a.ID)
		}
	}
	if err := e.verdict(); err != nil || !found {
		return err
	}
	return e.q.s.calendar.SetProxies(e.q.ctx, e.q.by, r.owner.ID, proxyAccess[r.place.name], want)
}

// acts reports whether the user may do what the owner of a home may: as the
// owner, or acting for the owner.
func (q *request) acts(owner store.AccountID) bool {
	have, err := q.s.calendar.OfHome(q.ctx, q.by, owner)
	return err == nil && have >= acl.Act
}
