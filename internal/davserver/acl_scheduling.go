package davserver

import (
	"maps"
	"net/http"
	"slices"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// deliveries is what the privileges on an inbox give (RFC 6638 6.1).
var deliveries = map[caldav.Name]calendar.Delivery{
	caldav.C("schedule-deliver"):        {Invite: true, Reply: true, Query: true},
	caldav.C("schedule-deliver-invite"): {Invite: true},
	caldav.C("schedule-deliver-reply"):  {Reply: true},
	caldav.C("schedule-query-freebusy"): {Query: true},
}

// delivered are the privileges of an entry, the whole where it has all parts.
func delivered(d calendar.Delivery) []caldav.Name {
	if d.Invite && d.Reply && d.Query {
		return deliverPrivileges[:1]
	}
	var out []caldav.Name
	for _, n := range deliverPrivileges[1:] {
		if p := deliveries[n]; p.Invite && d.Invite || p.Reply && d.Reply || p.Query && d.Query {
			out = append(out, n)
		}
	}
	return out
}

// schedulingACL lists who may deliver into an inbox, and who may send through
// an outbox: its owner, and who acts for the owner.
func schedulingACL(q *request, r *resource, ace func(principal func(*caldav.Writer), protected bool, names ...caldav.Name)) error {
	proxy := func(x *caldav.Writer) { x.Href(proxyHref(r.owner.Name, proxyWriteName)) }
	if r.kind == outbox {
		ace(proxy, true, caldav.D("read"), sendPrivileges[0])
		return nil
	}
	ace(proxy, true, caldav.D("read"), caldav.D("unbind"), deliverPrivileges[0])
	list, err := q.s.calendar.Deliveries(q.ctx, q.by, r.owner.ID)
	if err != nil {
		return err
	}
	for _, d := range list {
		names := delivered(d.Delivery)
		if len(names) == 0 {
			continue
		}
		ace(func(x *caldav.Writer) {
			if d.Who == store.Everyone {
				x.Empty(caldav.D("authenticated"))
			} else {
				x.Href(principalHref(d.Name))
			}
		}, false, names...)
	}
	return nil
}

// setSchedulingACL is ACL on the inbox and the outbox: who may send what to the
// owner is theirs to say; who sends in their name are those who act for them,
// which is one list for all of their calendars.
func (q *request) setSchedulingACL(r *resource, list []caldav.ACE) error {
	grants := map[store.AccountID]calendar.Delivery{}
	for i := range list {
		a := &list[i]
		if a.Protected || a.Principal.Kind == "property" && a.Principal.Property == caldav.D("owner") && !a.Deny && !a.Invert {
			continue // kept as it is
		}
		id, err := q.sender(a)
		if err != nil {
			return err
		}
		if r.kind == outbox {
			return problem.New("no-ace-conflict", "Who sends in your name are those who act for you: put them into the group calendar-proxy-write of your principal.")
		}
		d := grants[id]
		d.Who = id
		for _, p := range a.Privileges {
			g, ok := deliveries[p]
			if !ok {
				return problem.New("not-supported-privilege", "On an inbox the schedule-deliver privileges and schedule-query-freebusy are granted, not %s.", clip(p.Local))
			}
			d.Invite, d.Reply, d.Query = d.Invite || g.Invite, d.Reply || g.Reply, d.Query || g.Query
		}
		grants[id] = d
	}
	if r.kind == inbox {
		who := slices.Sorted(maps.Keys(grants))
		out := make([]calendar.Delivery, 0, len(who))
		for _, id := range who {
			out = append(out, grants[id])
		}
		if err := q.s.calendar.SetDeliveries(q.ctx, q.by, r.owner.ID, out); err != nil {
			return err
		}
	}
	q.w.Header().Set("Content-Length", "0")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// sender is whom an entry is about: an account, a group, or everyone with an account.
func (q *request) sender(a *caldav.ACE) (store.AccountID, error) {
	if err := grantsOnly(a); err != nil {
		return 0, err
	}
	switch a.Principal.Kind {
	case "authenticated":
		return store.Everyone, nil
	case "href":
		return q.grantee(a)
	case "all", "unauthenticated", "self", "property":
		return 0, problem.New("allowed-principal", "The entry must name an account or a group, or authenticated: everyone who has one.")
	}
	return 0, problem.New("recognized-principal", "The principal of an entry is not known.")
}
