package davserver

import (
	"maps"
	"net/http"
	"slices"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/acl"
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
		if r.owner.ID != q.by.Account { // for who shares it
			return nil
		}
		list, err := q.shares(r)
		for _, s := range list {
			ace(func(x *caldav.Writer) { x.Href(principalHref(s.name)) }, false, caldav.D("read"), sendFreeBusy)
		}
		return err
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

// sendFreeBusy is what can be granted on an outbox by itself.
var sendFreeBusy = caldav.C("schedule-send-freebusy")

// mayAsk refuses entries on an outbox that grant more than asking for free/busy
// time (RFC 6638 6.2.3). Who invites and answers in the owner's name are those
// who write to the owner's calendars, and those who act for the owner.
func mayAsk(a *caldav.ACE) error {
	if a.Principal.Kind != "href" {
		return problem.New("allowed-principal", "Asking in your name is granted to accounts and groups.")
	}
	asks := false
	for _, p := range a.Privileges {
		switch p {
		case sendFreeBusy:
			asks = true
		case caldav.D("read"), caldav.D("read-current-user-privilege-set"):
		case sendPrivileges[0], sendPrivileges[1], sendPrivileges[2]:
			return problem.New("no-ace-conflict", "schedule-send-freebusy is granted here. Invitations and answers are sent in your name by those who write to your calendars: share a calendar for writing, or put them into the group calendar-proxy-write of your principal.")
		default:
			return problem.New("not-supported-privilege", "On an outbox schedule-send-freebusy is granted, not %s.", clip(p.Local))
		}
	}
	if !asks {
		return problem.New("not-supported-privilege", "On an outbox schedule-send-freebusy is granted, and reading comes with it.")
	}
	return nil
}

// setSchedulingACL is ACL on the inbox and the outbox: who may send what to the
// owner, and who may ask in the owner's name, is theirs to say.
func (q *request) setSchedulingACL(r *resource, list []caldav.ACE) error {
	grants := map[store.AccountID]calendar.Delivery{}
	asking := map[store.AccountID]acl.Access{}
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
			if err := mayAsk(a); err != nil {
				return err
			}
			if id != r.owner.ID {
				asking[id] = acl.FreeBusy
			}
			continue
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
	if r.kind == outbox {
		if err := q.s.calendar.SetShares(q.ctx, q.by, r.owner.ID, r.coll.Name, asking); err != nil {
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
