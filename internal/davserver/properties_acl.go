package davserver

import (
	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/store"
)

// aclProperties are those of RFC 3744 5 and RFC 5397.
var aclProperties = []property{
	{name: caldav.D("current-user-principal"), where: anything, value: func(q *request, _ *resource, x *caldav.Writer) (bool, error) { // RFC 5397 3
		x.Href(principalHref(q.by.Name))
		return true, nil
	}},
	{name: caldav.D("principal-collection-set"), where: anything, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) {
		x.Href(principalPath)
		return true, nil
	}},
	{name: caldav.D("owner"), where: anything, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 3744 5.1
		if r.kind&sets == 0 { // those are nobody's
			x.Href(principalHref(r.owner.Name))
		}
		return true, nil
	}},
	{name: caldav.D("group"), where: anything, value: empty}, // RFC 3744 5.2: there are no groups
	{name: caldav.D("current-user-privilege-set"), where: anything, value: func(q *request, r *resource, x *caldav.Writer) (bool, error) {
		for _, p := range q.privileges(r) {
			privilege(x, p)
		}
		return true, nil
	}},
	{name: caldav.D("supported-privilege-set"), where: anything, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) {
		supportedPrivilege(x, privilegeTree(r.kind))
		return true, nil
	}},
	{name: caldav.D("acl"), where: anything, value: aclValue},
	{name: caldav.D("acl-restrictions"), where: anything, value: func(_ *request, _ *resource, x *caldav.Writer) (bool, error) { // RFC 3744 5.6
		x.Empty(caldav.D("grant-only"))
		x.Empty(caldav.D("no-invert"))
		return true, nil
	}},
	{name: caldav.D("inherited-acl-set"), where: anything, value: func(_ *request, r *resource, x *caldav.Writer) (bool, error) { // RFC 3744 5.7
		if r.kind&objects != 0 {
			x.Href(collectionHref(r.place.account, r.place.coll))
		}
		return true, nil
	}},
}

func privilege(x *caldav.Writer, p caldav.Name) {
	x.Start(caldav.D("privilege"))
	x.Empty(p)
	x.End(caldav.D("privilege"))
}

// Privileges by what the door lets someone do.
var (
	readPrivileges = []caldav.Name{caldav.D("read"), caldav.D("read-current-user-privilege-set"), caldav.C("read-free-busy")}
	// A writer changes objects, not the calendar's own properties: the parts of
	// DAV:write are named, and the whole, which is what many clients look for.
	writePrivileges = append(readPrivileges[:len(readPrivileges):len(readPrivileges)],
		caldav.D("write"), caldav.D("write-content"), caldav.D("bind"), caldav.D("unbind"), caldav.D("unlock"))
	ownPrivileges = append(writePrivileges[:len(writePrivileges):len(writePrivileges)],
		caldav.D("write-properties"), caldav.D("read-acl"), caldav.D("write-acl"), caldav.D("all"))
	// RFC 6638 6.1
	deliverPrivileges = []caldav.Name{caldav.C("schedule-deliver"), caldav.C("schedule-deliver-invite"), caldav.C("schedule-deliver-reply"), caldav.C("schedule-query-freebusy")}
	sendPrivileges    = []caldav.Name{caldav.C("schedule-send"), caldav.C("schedule-send-invite"), caldav.C("schedule-send-reply"), caldav.C("schedule-send-freebusy")}
)

// privileges of the user on a resource that find has let through.
func (q *request) privileges(r *resource) []caldav.Name {
	own := r.owner.ID == q.by.Account
	switch r.kind {
	case root, principalSet, homeSet:
		return []caldav.Name{caldav.D("read"), caldav.D("read-current-user-privilege-set"), caldav.D("read-acl")}
	case notices, notice:
		return append(readPrivileges[:2:2], caldav.D("unbind"))
	case principal, home, proxy:
		if own {
			return append(readPrivileges[:len(readPrivileges):len(readPrivileges)],
				caldav.D("write-properties"), caldav.D("read-acl"), caldav.D("bind"), caldav.D("unbind"))
		}
		return readPrivileges[:2]
	case inbox:
		return append(readPrivileges[:len(readPrivileges):len(readPrivileges)],
			append([]caldav.Name{caldav.D("write-properties"), caldav.D("unbind"), caldav.D("read-acl")}, deliverPrivileges...)...)
	case outbox:
		if r.coll.Access < acl.Act {
			return append(readPrivileges[:2:2], sendFreeBusy)
		}
		return append(readPrivileges[:2:2], append([]caldav.Name{caldav.D("write-properties"), caldav.D("read-acl")}, sendPrivileges...)...)
	}
	if r.coll.Kind == store.Subscribed {
		return append(readPrivileges[:len(readPrivileges):len(readPrivileges)], caldav.D("write-properties"), caldav.D("read-acl"))
	}
	switch {
	case r.coll.Access >= acl.Own, r.kind == plain:
		return ownPrivileges
	case r.coll.Access >= acl.Act:
		return append(writePrivileges[:len(writePrivileges):len(writePrivileges)], caldav.D("write-properties"))
	case r.coll.Access >= acl.Team, r.kind == calendarColl && r.coll.Access >= acl.Write:
		return append(writePrivileges[:len(writePrivileges):len(writePrivileges)], caldav.D("write-properties"))
	case r.coll.Access >= acl.Write:
		return writePrivileges
	}
	if r.kind == calendarColl { // one's own name and colour for it
		return append(readPrivileges[:len(readPrivileges):len(readPrivileges)], caldav.D("write-properties"))
	}
	return readPrivileges
}

// supported is a node of DAV:supported-privilege-set (RFC 3744 5.3).
type supported struct {
	name  caldav.Name
	about string
	parts []supported
}

func privilegeTree(k kind) supported {
	all := supported{name: caldav.D("all"), about: "Everything", parts: []supported{
		{name: caldav.D("read"), about: "Read what is here", parts: []supported{
			{name: caldav.D("read-current-user-privilege-set"), about: "Read one's own rights"},
			{name: caldav.C("read-free-busy"), about: "See when its owner is busy"},
		}},
		{name: caldav.D("read-acl"), about: "See who has which rights"},
		{name: caldav.D("write-acl"), about: "Share it with others"},
		{name: caldav.D("write"), about: "Change what is here", parts: []supported{
			{name: caldav.D("write-properties"), about: "Change properties"},
			{name: caldav.D("write-content"), about: "Change events"},
			{name: caldav.D("bind"), about: "Add events"},
			{name: caldav.D("unbind"), about: "Remove events"},
			{name: caldav.D("unlock"), about: "Remove locks"},
		}},
	}}
	leaves := func(whole string, list []caldav.Name) supported {
		s := supported{name: list[0], about: whole}
		for _, n := range list[1:] {
			s.parts = append(s.parts, supported{name: n, about: whole})
		}
		return s
	}
	switch k {
	case inbox:
		all.parts = append(all.parts, leaves("Deliver scheduling messages", deliverPrivileges))
	case outbox:
		all.parts = append(all.parts, leaves("Send scheduling messages", sendPrivileges))
	}
	return all
}

func supportedPrivilege(x *caldav.Writer, s supported) {
	sp := caldav.D("supported-privilege")
	x.Start(sp)
	privilege(x, s.name)
	x.Start(caldav.D("description"), "xml:lang", "en")
	x.Text(s.about)
	x.End(caldav.D("description"))
	for _, p := range s.parts {
		supportedPrivilege(x, p)
	}
	x.End(sp)
}

// grants by share level, as an ACE writes them.
func granted(access string) []caldav.Name {
	switch access {
	case "freebusy":
		return []caldav.Name{caldav.C("read-free-busy")}
	case "read":
		return []caldav.Name{caldav.D("read")}
	case "team":
		return []caldav.Name{caldav.D("read"), caldav.D("write-content"), caldav.D("bind"), caldav.D("unbind"), caldav.D("write-properties")}
	case "act":
		return []caldav.Name{caldav.D("read"), caldav.D("write-content"), caldav.D("bind"), caldav.D("unbind"), caldav.D("write-properties"), caldav.D("read-acl")}
	}
	return []caldav.Name{caldav.D("read"), caldav.D("write-content"), caldav.D("bind"), caldav.D("unbind")}
}

// aclValue lists who may do what: the owner everything, for good; colleagues
// see when the owner is busy, unless the calendar does not count; and the
// shares (RFC 3744 5.5).
func aclValue(q *request, r *resource, x *caldav.Writer) (bool, error) {
	if r.kind&sets == 0 && r.owner.ID != q.by.Account && (r.kind&(calendarColl|object) == 0 || r.coll.Access < acl.Own) { // read-acl is the owner's
		return false, nil
	}
	inherited := ""
	if r.kind&objects != 0 {
		inherited = collectionHref(r.place.account, r.place.coll)
	}
	ace := func(principal func(*caldav.Writer), protected bool, names ...caldav.Name) {
		x.Start(caldav.D("ace"))
		x.Start(caldav.D("principal"))
		principal(x)
		x.End(caldav.D("principal"))
		x.Start(caldav.D("grant"))
		for _, n := range names {
			privilege(x, n)
		}
		x.End(caldav.D("grant"))
		if protected {
			x.Empty(caldav.D("protected"))
		}
		if inherited != "" {
			x.HrefIn(caldav.D("inherited"), inherited)
		}
		x.End(caldav.D("ace"))
	}
	if r.kind&(sets|principal|proxy) != 0 { // everyone with an account sees these
		ace(func(x *caldav.Writer) { x.Empty(caldav.D("authenticated")) }, true, caldav.D("read"))
		if r.kind == principal {
			ace(func(x *caldav.Writer) { x.Empty(caldav.D("self")) }, true, caldav.D("write-properties"), caldav.D("read-acl")) // RFC 3744 5.5.1
		}
		return true, nil
	}
	ace(func(x *caldav.Writer) {
		x.Start(caldav.D("property"))
		x.Empty(caldav.D("owner"))
		x.End(caldav.D("property"))
	}, true, caldav.D("all"))
	if r.kind&(inbox|outbox) != 0 {
		return true, schedulingACL(q, r, ace)
	}
	if r.kind&(calendarColl|object) == 0 {
		return true, nil
	}
	if !r.coll.Transparent {
		ace(func(x *caldav.Writer) { x.Empty(caldav.D("authenticated")) }, true, caldav.C("read-free-busy"))
	}
	for which, names := range map[string][]caldav.Name{proxyReadName: granted("read"), proxyWriteName: granted("act")} {
		ace(func(x *caldav.Writer) { x.Href(proxyHref(r.owner.Name, which)) }, true, names...)
	}
	overseers, err := q.s.calendar.Overseers(q.ctx)
	if err != nil {
		return false, err
	}
	for _, o := range overseers { // whoever the site lets in is no secret
		if o.ID != r.owner.ID {
			ace(func(x *caldav.Writer) { x.Href(principalHref(o.Name)) }, true, granted(o.Access.String())...)
		}
	}
	shares, err := q.shares(r)
	if err != nil {
		return false, err
	}
	for _, s := range shares {
		ace(func(x *caldav.Writer) {
			if s.id == store.Everyone {
				x.Empty(caldav.D("authenticated"))
			} else {
				x.Href(principalHref(s.name))
			}
		}, false, granted(s.access)...)
	}
	return true, nil
}

// sharee is someone to whom a calendar is shared.
type sharee struct {
	id     store.AccountID
	name   string
	access string
}
