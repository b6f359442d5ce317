package davserver

import (
	"io"
	"net/http"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// needPrivileges writes the body that names what is missing where (RFC 3744 7.1.1).
func (q *request) needPrivileges(out io.Writer, p *problem.Problem) {
	w := caldav.NewWriter(out)
	w.StartDocument(caldav.D("error"))
	w.Start(caldav.D("need-privileges"))
	w.Start(caldav.D("resource"))
	href := q.at.href()
	if p.Where != "" {
		href = q.hrefOf(p.Where)
	}
	missing := needed(q.r.Method)
	if q.r.Method == "PUT" && q.at.kind == object {
		// To overwrite takes a right to the object, to add one a right to its calendar.
		if _, err := q.text(q.at, inOnePiece); err == nil {
			href = q.at.href()
		} else {
			missing = caldav.D("bind")
		}
	}
	if q.r.Method == "MOVE" && href != q.at.href() && !strings.HasPrefix(q.at.href(), href) {
		missing = caldav.D("bind") // it is the destination that may not take it
	}
	w.Href(href)
	privilege(w, missing)
	w.End(caldav.D("resource"))
	w.End(caldav.D("need-privileges"))
	w.Element(caldav.D("responsedescription"), p.Sentence)
	w.End(caldav.D("error"))
	w.Flush()
}

// needed privilege by method (RFC 3744 appendix B).
func needed(method string) caldav.Name {
	switch method {
	case "PUT", "LOCK":
		return caldav.D("write-content")
	case "UNLOCK":
		return caldav.D("unlock")
	case "PROPPATCH":
		return caldav.D("write-properties")
	case "MKCALENDAR", "MKCOL", "POST":
		return caldav.D("bind")
	case "DELETE", "MOVE":
		return caldav.D("unbind")
	case "COPY":
		return caldav.D("bind")
	case "ACL":
		return caldav.D("write-acl")
	}
	return caldav.D("read")
}

// shares of a calendar, in a stable order.
func (q *request) shares(r *resource) ([]sharee, error) {
	list, err := q.s.calendar.Shares(q.ctx, q.by, r.owner.ID, r.coll.Name)
	if err != nil {
		return nil, err
	}
	var out []sharee
	for _, s := range list {
		out = append(out, sharee{id: s.ID, name: s.Name, access: s.Access.String()})
	}
	return out, nil
}

// setACL is RFC 3744 8.1. What can be granted is what a calendar can be shared
// for: busy time, reading, reading and writing and so on, to one account or
// group each, or to everyone who has an account. The protected entries may be
// repeated, as clients do that send back what they read, and not changed.
func (q *request) setACL() error {
	list, err := readXML(q, caldav.ParseACL)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if r.coll.Access < acl.Own {
		return problem.New(problem.NeedPrivileges, "Only its owner can share the calendar.")
	}
	if r.kind&(inbox|outbox) != 0 {
		return q.setSchedulingACL(r, list)
	}
	grants := map[store.AccountID]acl.Access{}
	for i := range list {
		id, access, err := q.grantOf(r, &list[i])
		if err != nil {
			return err
		}
		if access != acl.None {
			grants[id] = max(grants[id], access)
		}
	}
	if err := q.s.calendar.SetShares(q.ctx, q.by, r.owner.ID, r.coll.Name, grants); err != nil {
		return err
	}
	q.w.Header().Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// grantOf reads one entry; no access means that it says nothing new.
func (q *request) grantOf(r *resource, a *caldav.ACE) (store.AccountID, acl.Access, error) {
	refuse := func(condition problem.Condition, sentence string) (store.AccountID, acl.Access, error) {
		return 0, acl.None, problem.New(condition, "%s", sentence)
	}
	if err := grantsOnly(a); err != nil {
		return 0, acl.None, err
	}
	access := acl.None
	for _, p := range a.Privileges {
		level, ok := levels[p]
		if !ok {
			return refuse("not-supported-privilege", "The privilege "+p.Local+" is not known here.")
		}
		access = max(access, level)
	}
	switch a.Principal.Kind {
	case "href":
	case "property":
		if a.Principal.Property == caldav.D("owner") {
			return 0, acl.None, nil // has everything, for good
		}
		return refuse("allowed-principal", "Rights can be granted to accounts.")
	case "authenticated":
		switch {
		case a.Protected || access == acl.FreeBusy && !r.coll.Transparent:
			return 0, acl.None, nil // has it, for good
		case access > acl.Write:
			return refuse("allowed-principal", "Everyone who has an account can be let read the calendar, or read and write it; more is for people who are named.")
		}
		return store.Everyone, access, nil
	case "all", "unauthenticated": // RFC 3744 8.1.1 has this very example
		return refuse("allowed-principal", "Nothing here can be read without signing in; a calendar that is for everyone is published, and has an address of its own.")
	case "self": // RFC 3744 5.5.1: the user whose principal the resource is
		return refuse("allowed-principal", "A calendar is nobody's principal, so that self would be nobody.")
	default:
		return refuse("recognized-principal", "The principal of an entry is not known.")
	}
	if p, err := parseHref(a.Principal.Href, q.sameHost); err == nil && p.kind == proxy && p.account == r.owner.Name && a.Protected {
		return 0, acl.None, nil // kept as it is
	}
	who, err := q.grantee(a)
	if err != nil {
		return 0, acl.None, err
	}
	if who == r.owner.ID || a.Protected { // an overseer's, which is not the owner's to change
		return 0, acl.None, nil
	}
	if access > acl.Act {
		return refuse("no-ace-conflict", "Managing a calendar stays with its owner; it can be shared for reading and writing, or to act for its owner.")
	}
	return who, access, nil
}

// grantsOnly refuses entries that do something else (RFC 3744 8.1.1).
func grantsOnly(a *caldav.ACE) error {
	switch {
	case a.Deny:
		return problem.New("grant-only", "Rights can be granted here, not denied.")
	case a.Invert:
		return problem.New("no-invert", "An entry for everyone but someone is not possible here.")
	case a.Inherited:
		return problem.New("no-inherited-ace-conflict", "Inherited entries are changed where they come from.")
	}
	return nil
}

// grantee is the account that the href of an entry names.
func (q *request) grantee(a *caldav.ACE) (store.AccountID, error) {
	unknown := problem.New("recognized-principal", "There is no principal %s here.", clip(a.Principal.Href))
	p, err := parseHref(a.Principal.Href, q.sameHost)
	if err != nil || p.kind != principal {
		return 0, unknown
	}
	who, err := q.account(p.account)
	if err != nil {
		return 0, unknown
	}
	return who.ID, nil
}

// levels of sharing that privileges ask for; those of inbox and outbox, and
// parts that every level includes, raise nothing.
var levels = map[caldav.Name]acl.Access{
	caldav.C("read-free-busy"):                  acl.FreeBusy,
	caldav.D("read"):                            acl.Read,
	caldav.D("read-current-user-privilege-set"): acl.FreeBusy,
	caldav.D("write"):                           acl.Write,
	caldav.D("write-content"):                   acl.Write,
	caldav.D("bind"):                            acl.Write,
	caldav.D("unbind"):                          acl.Write,
	caldav.D("unlock"):                          acl.Write,
	caldav.D("write-properties"):                acl.Team,
	caldav.D("read-acl"):                        acl.Act,
	caldav.D("write-acl"):                       acl.Own,
	caldav.D("all"):                             acl.Own,
}

// clip shortens what a client sent for a sentence about it.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
